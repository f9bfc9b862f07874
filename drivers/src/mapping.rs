//! The allocator of a program that runs guests: a large block is a mapping of its own.
//!
//! A guest's memory is one block that grows. An allocator of the heap copies it whenever the heap
//! has a free place for the larger block but none behind it, which keeps the thread for tens of
//! milliseconds at 64 MiB. A mapping grows without a copy: the kernel moves the entries of its page
//! table, and pages take memory when they are written first.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, copy_nonoverlapping, null_mut};
use std::alloc::System;

use rustix::mm::{MapFlags, MremapFlags, ProtFlags, mmap_anonymous, mremap, munmap};

use crate::limits::MAPPED_BYTES;

/// The smallest page of any processor, to which a mapping is aligned.
const PAGE_BYTES: usize = 4096;

/// The system's allocator, but blocks of [`MAPPED_BYTES`] and more are mappings of their own.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: devnet_drivers::MappingAllocator = devnet_drivers::MappingAllocator;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MappingAllocator;

/// True for a block that is a mapping.
const fn is_mapped(layout: Layout) -> bool {
    layout.size() >= MAPPED_BYTES && layout.align() <= PAGE_BYTES
}

/// Makes a mapping, whose bytes are zero.
fn map(size: usize) -> *mut u8 {
    let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: the kernel chooses a place where nothing is mapped.
    unsafe { mmap_anonymous(null_mut(), size, access, flags) }.map_or(null_mut(), <*mut _>::cast)
}

// SAFETY: a block is a mapping if and only if its layout says so, so each goes back to where it
// came from. Mappings are aligned to pages, as long as the layout says or longer, and zero. Nothing
// here panics or allocates.
unsafe impl GlobalAlloc for MappingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return map(layout.size());
        }
        // SAFETY: as promised by our caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return map(layout.size());
        }
        // SAFETY: as promised by our caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_mapped(layout) {
            // SAFETY: the block is a mapping of this size, and our caller uses it no more. That it
            // can fail for want of memory leaves it mapped.
            let _ = unsafe { munmap(block.cast(), layout.size()) };
            return;
        }
        // SAFETY: as promised by our caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: our caller promises that the size does not overflow when rounded up.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_mapped(layout), is_mapped(new)) {
            // SAFETY: as promised by our caller.
            (false, false) => unsafe { System.realloc(block, layout, size) },
            (true, true) => {
                // SAFETY: the block is a mapping of this size, and our caller uses its old place no
                // more.
                unsafe { mremap(block.cast(), layout.size(), size, MremapFlags::MAYMOVE) }
                    .map_or(null_mut(), <*mut _>::cast)
            }
            _ => {
                // SAFETY: the layout is valid, and not empty.
                let Some(to) = NonNull::new(unsafe { self.alloc(new) }) else { return null_mut() };
                // SAFETY: both blocks have so many bytes, and the new one is another.
                unsafe { copy_nonoverlapping(block, to.as_ptr(), size.min(layout.size())) };
                // SAFETY: our caller uses the old one no more.
                unsafe { self.dealloc(block, layout) };
                to.as_ptr()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_bytes_across_all_sizes() {
        let sizes = [100, MAPPED_BYTES - 1, MAPPED_BYTES, 5 * MAPPED_BYTES + 7, 64 << 20];
        let mut layout = Layout::from_size_align(sizes[0], 16).unwrap();
        // SAFETY: the layout is not empty; within the block everything below happens.
        let mut block = unsafe { MappingAllocator.alloc(layout) };
        for size in sizes.into_iter().chain(sizes.into_iter().rev()) {
            let kept = layout.size().min(size);
            // SAFETY: the block has this layout.
            unsafe { block.write_bytes(7, layout.size().min(2 * MAPPED_BYTES)) };
            // SAFETY: the block has this layout, and only the new one is used.
            block = unsafe { MappingAllocator.realloc(block, layout, size) };
            assert!(!block.is_null() && block.cast::<u128>().is_aligned());
            layout = Layout::from_size_align(size, 16).unwrap();
            for place in [0, kept.min(2 * MAPPED_BYTES) - 1] {
                // SAFETY: it is within the block, and was written.
                assert_eq!(unsafe { block.add(place).read() }, 7);
            }
        }
        // SAFETY: the block has this layout, and is used no more.
        unsafe { MappingAllocator.dealloc(block, layout) };
        let large = Layout::from_size_align(MAPPED_BYTES, 4096).unwrap();
        // SAFETY: the layout is not empty; the bytes are within the block, which ends after.
        unsafe {
            let zeroed = MappingAllocator.alloc_zeroed(large);
            assert_eq!((zeroed.read(), zeroed.add(MAPPED_BYTES - 1).read()), (0, 0));
            MappingAllocator.dealloc(zeroed, large);
        }
    }
}
