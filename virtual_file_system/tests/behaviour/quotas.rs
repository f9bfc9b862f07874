//! Accounts: who pays for what is stored, from when and until when.

use std::sync::Arc;

use devnet_virtual_file_system::limits::{
    CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, FREED_CHUNKS, NODE_BYTES,
};
use devnet_virtual_file_system::{Disposer, Error, Lock, OpenFlags, Stored, VirtualFileSystem};
use embedded_io_async::SeekFrom;

use crate::support::{READ_WRITE, create, octal, open, path, root};

/// What a file with one chunk of so many bytes costs.
const fn file(bytes: usize) -> Stored {
    Stored { nodes: 1, bytes: NODE_BYTES + CHUNK_OVERHEAD_BYTES + bytes }
}

fn account(tree: &VirtualFileSystem, nodes: usize, bytes: usize) -> VirtualFileSystem {
    tree.with_account(Stored { nodes, bytes })
}

#[test]
fn an_account_ends_at_its_nodes_and_at_its_bytes() {
    let tree = VirtualFileSystem::new();
    let few = account(&tree, 2, 1 << 20);
    let flags = READ_WRITE | OpenFlags::CREATE;
    few.create_directory(&root(), &path("/d"), octal(0o755)).unwrap();
    create(&few, "/d/1");
    assert_eq!(open(&few, "/d/2", flags).map(drop), Err(Error::NoSpace));
    assert_eq!(few.create_directory(&root(), &path("/e"), octal(0o755)), Err(Error::NoSpace));
    open(&few, "/d/1", flags).unwrap();
    create(&tree, "/d/2");
    assert_eq!(few.stored().nodes, 2);
    assert_eq!(tree.stored().nodes, 3);

    let small = account(&tree, 10, file(CHUNK_BYTES).bytes + 100);
    let large = create(&small, "/large");
    assert_eq!(large.try_write(&vec![1; 3 * CHUNK_BYTES]), Ok(CHUNK_BYTES));
    assert_eq!(large.try_write(b"x"), Err(Error::NoSpace));
    assert_eq!(small.stored(), file(CHUNK_BYTES));
    // What exists may be overwritten, and a hole takes nothing.
    large.seek(SeekFrom::Start(10)).unwrap();
    assert_eq!(large.try_write(&[2; 100]), Ok(100));
    large.set_length(1 << 29).unwrap();
    assert_eq!(small.stored(), file(CHUNK_BYTES));
}

#[test]
fn a_thing_is_paid_until_it_is_gone_whoever_removes_it() {
    let tree = VirtualFileSystem::new();
    let guest = account(&tree, 10, 1 << 20);
    let opened = create(&guest, "/file");
    opened.try_write(&[1; 100]).unwrap();
    assert_eq!(guest.stored(), file(100));
    tree.remove(&root(), &path("/file")).unwrap();
    assert_eq!(guest.stored(), file(100), "it is open");
    drop(opened);
    assert_eq!(guest.stored(), Stored::default());

    // Replaced by somebody else.
    drop(create(&guest, "/file"));
    create(&tree, "/other");
    tree.rename(&root(), &path("/other"), &path("/file")).unwrap();
    assert_eq!(guest.stored(), Stored::default());

    // It outlives the account's handle, and counts for all accounts together.
    create(&guest, "/kept").try_write(&[1; 100]).unwrap();
    drop(guest);
    assert_eq!(tree.stored().nodes, 2);
    tree.remove(&root(), &path("/kept")).unwrap();
    assert_eq!(tree.stored().nodes, 1);
}

#[test]
fn renaming_changes_no_account() {
    let tree = VirtualFileSystem::new();
    let (one, two) = (account(&tree, 10, 1 << 20), account(&tree, 10, 1 << 20));
    drop(create(&one, "/a"));
    let before = one.stored();
    two.rename(&root(), &path("/a"), &path(&format!("/{}", "n".repeat(255)))).unwrap();
    assert_eq!((one.stored(), two.stored()), (before, Stored::default()));
}

#[test]
fn growth_is_paid_by_whoever_writes() {
    let tree = VirtualFileSystem::new();
    let guest = account(&tree, 10, 1000 + CHUNK_OVERHEAD_BYTES);
    let log = create(&tree, "/log");
    log.try_write(&[1; 10]).unwrap();
    let appended = open(&guest, "/log", OpenFlags::APPEND).unwrap();
    assert_eq!(appended.try_write(&[2; 500]), Ok(500));
    assert_eq!(guest.stored(), Stored { nodes: 0, bytes: CHUNK_OVERHEAD_BYTES + 510 });
    assert_eq!(appended.try_write(&[2; 500]), Err(Error::NoSpace));
    assert_eq!(appended.try_write(&[2; 490]), Ok(490));
    // An open file of the system that a guest writes to, such as its standard output.
    let output = guest.charge_writes(&create(&tree, "/output"));
    assert_eq!(output.try_write(&[3; 1]), Err(Error::NoSpace));
    // Cutting gives back at once.
    appended.set_length(10).unwrap();
    assert_eq!(guest.stored(), Stored { nodes: 0, bytes: CHUNK_OVERHEAD_BYTES + 10 });
    tree.remove(&root(), &path("/log")).unwrap();
    drop((log, appended));
    assert_eq!(guest.stored(), Stored::default());
}

/// Freeing a megabyte takes about 100 µs: a file of 100 MiB would keep the thread for 10 ms.
#[test]
fn hold_14_a_large_file_is_freed_by_the_disposer() {
    let disposed = Arc::new(Lock::new(Vec::new()));
    let disposer: Disposer = {
        let disposed = Arc::clone(&disposed);
        Arc::new(move |large| disposed.with(|all| all.push(large)))
    };
    let count = || disposed.with(|all| all.len());
    let tree = VirtualFileSystem::with_disposer(disposer);
    let write = |chunks: usize| {
        let file = create(&tree, "/file");
        assert_eq!(file.try_write(&vec![1; chunks * CHUNK_BYTES]), Ok(chunks * CHUNK_BYTES));
        file
    };
    // What is small ends at once.
    drop(write(FREED_CHUNKS));
    tree.remove(&root(), &path("/file")).unwrap();
    assert_eq!((count(), tree.stored()), (0, Stored::default()));
    // Whether it is removed, or made shorter: its account has it back at once.
    drop(write(2 * FREED_CHUNKS));
    tree.remove(&root(), &path("/file")).unwrap();
    assert_eq!((count(), tree.stored()), (1, Stored::default()));
    write(2 * FREED_CHUNKS).set_length(1).unwrap();
    assert_eq!((count(), tree.stored()), (2, file(1)));
    write(2 * FREED_CHUNKS);
    open(&tree, "/file", READ_WRITE | OpenFlags::TRUNCATE).unwrap();
    assert_eq!((count(), tree.stored().bytes), (3, NODE_BYTES));
}

#[test]
fn each_account_knows_its_limit() {
    let tree = VirtualFileSystem::with_storage(1 << 20);
    let limit = tree.limit();
    assert_eq!(limit.bytes, 1 << 20);
    assert_eq!(tree.stored(), Stored::default());
    let small = Stored { nodes: 3, bytes: 4096 };
    assert_eq!(tree.with_account(small).limit(), small);
    assert_eq!(tree.limit(), limit);
}
