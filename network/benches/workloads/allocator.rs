//! An allocator with a counter of the bytes in use. The counter is the thread's own, so
//! that counting costs next to nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that this thread has allocated and not freed.
pub(crate) fn in_use() -> isize {
    IN_USE.get()
}

fn count(bytes: isize) {
    IN_USE.set(IN_USE.get().wrapping_add(bytes));
}

/// Counts and hands everything on.
pub(crate) struct Counting<A = System>(pub(crate) A);

// A layout is never longer than `isize::MAX`, so the casts below keep their values.
//
// SAFETY: every call goes to the other allocator unchanged; counting neither allocates nor
// panics, as the counter is initialized at compile time and has no destructor.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as promised by our caller.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as promised by our caller.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as promised by our caller.
        unsafe { self.0.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as promised by our caller.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}
