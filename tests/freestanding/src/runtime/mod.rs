//! What a bare machine needs besides the program: an entry, an allocator, memory functions.
//!
//! The only unsafe code of the proof.

#![allow(dead_code, reason = "each program uses its part")]

#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(target_os = "linux")]
use self::linux::exit;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A bare machine has less, which its linker knows.
const HEAP: usize = if cfg!(target_os = "linux") { 64 << 20 } else { 32 << 10 };

/// Hands out memory and never uses it again: enough for one exchange, and it really allocates, so
/// that nothing is optimised away. It counts as one that does would.
struct Bump {
    heap: UnsafeCell<[u8; HEAP]>,
    handed_out: AtomicUsize,
    used: AtomicUsize,
    peak: AtomicUsize,
}

// SAFETY: the heap is only handed out in disjoint pieces, by an atomic counter.
unsafe impl Sync for Bump {}

// SAFETY: every piece lies inside the heap, is aligned as asked, and overlaps no other.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        self.peak.fetch_max(used, Ordering::Relaxed);
        let place = self.handed_out.fetch_add(layout.size() + layout.align(), Ordering::Relaxed);
        let base = self.heap.get() as usize;
        let start = (base + place).next_multiple_of(layout.align());
        if start + layout.size() > base + HEAP { core::ptr::null_mut() } else { start as *mut u8 }
    }

    unsafe fn dealloc(&self, _pointer: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Ordering::Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: Bump = Bump {
    heap: UnsafeCell::new([0; HEAP]),
    handed_out: AtomicUsize::new(0),
    used: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
};

/// The most bytes that were allocated at once.
pub(crate) fn heap_bytes() -> usize {
    ALLOCATOR.peak.load(Ordering::Relaxed)
}

#[panic_handler]
fn panic(_information: &core::panic::PanicInfo<'_>) -> ! {
    exit(101)
}

/// A bare machine has nobody who asks how it went.
#[cfg(not(target_os = "linux"))]
fn exit(_status: i32) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(target_os = "linux"))]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    exit(i32::from(!crate::run()))
}
