//! What a tree says that it stores is never less than the memory that it holds.
//!
//! One test in a program of its own, because it counts all allocations of the process.

#![allow(clippy::unwrap_used, reason = "a test that finds something wrong shall end")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use devnet_virtual_file_system::limits::{CHUNK_BYTES, NAME_BYTES};
use devnet_virtual_file_system::{
    Credentials, File, Mode, OpenFlags, Path, Result, VirtualFileSystem,
};
use embedded_io_async::SeekFrom;

/// The system's allocator with a counter. Each allocation has a header of the allocator.
struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);
const HEADER: isize = 16;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize + HEADER, Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize + HEADER, Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> isize {
    HELD.load(Ordering::Relaxed)
}

const BYTES: usize = 8 << 20;

fn create(tree: &VirtualFileSystem, text: &str) -> Result<File> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let path = Path::parse(text).unwrap();
    tree.open(&Credentials::root(), &path, flags, Mode::from_octal(0o644))
}

/// Does something until the tree is full, and compares the memory with the budget.
fn fill(what: &str, mut step: impl FnMut(&VirtualFileSystem, usize) -> Result<()>) {
    let before = held();
    let tree = VirtualFileSystem::with_storage(BYTES);
    let steps = (0..1_000_000).take_while(|number| step(&tree, *number).is_ok()).count();
    assert!(steps > 10, "{what}: {steps} steps");
    let held = held() - before;
    assert!(held <= BYTES as isize, "{what}: {held} bytes are held after {steps} steps");
    drop(tree);
}

#[test]
fn hold_2_what_is_charged_is_capacity_and_overhead() {
    fill("empty files", |tree, number| create(tree, &format!("/{number}")).map(drop));
    fill("long names", |tree, number| {
        create(tree, &format!("/{number:0>width$}", width = NAME_BYTES)).map(drop)
    });
    fill("a byte in each file", |tree, number| {
        create(tree, &format!("/{number}"))?.try_write(b"x").map(drop)
    });
    fill("a byte in each directory's file", |tree, number| {
        let directory = Path::parse(&format!("/{number}")).unwrap();
        tree.create_directory(&Credentials::root(), &directory, Mode::from_octal(0o755))?;
        create(tree, &format!("/{number}/file"))?.try_write(b"x").map(drop)
    });
    fill("a byte in each chunk", |tree, number| {
        let file = create(tree, "/file")?;
        file.seek(SeekFrom::Start((number * CHUNK_BYTES) as u64))?;
        file.try_write(b"x").map(drop)
    });
    fill("bytes one by one", |tree, number| {
        let file = create(tree, &format!("/{}", number / 1000))?;
        file.seek(SeekFrom::End(0))?;
        file.try_write(b"x").map(drop)
    });
    fill("large writes", |tree, number| {
        create(tree, &format!("/{number}"))?.try_write(&[1; 100_000]).map(drop)
    });
}
