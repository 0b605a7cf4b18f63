//! The allocator: blocks of powers of two from 8 bytes up, one list of free blocks for each size. It gives nothing back
//! to the browser and joins nothing, which is right for a heap of a few kilobytes that is made of growing lists, and takes
//! a quarter of the bytes of an allocator that does.
use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::memory_grow,
    cell::Cell,
    ptr::null_mut,
};

/// Bytes of a page of Wasm memory.
const PAGE: usize = 65_536;

pub(crate) struct Heap {
    /// The first free block of each size by its power of two; 0 is none. A free block begins with the address of the next.
    free: [Cell<usize>; 32],
    /// What was never given out.
    next: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: a page's Wasm instance has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self { free: [const { Cell::new(0) }; 32], next: Cell::new(0), end: Cell::new(0) }
    }

    /// The list for blocks that hold `layout`. Every block is aligned to 8 bytes, and nothing here asks for more.
    fn list(&self, layout: Layout) -> (&Cell<usize>, usize) {
        let power = usize::BITS - (layout.size() | 7).leading_zeros();
        // SAFETY: a `Layout` is at most 2^31 - 1 bytes, so `power` is at most 31.
        (unsafe { self.free.get_unchecked(power as usize) }, 1 << power)
    }
}

// SAFETY: a block is in one place only: in use, in its list, or past `next`. It is at least as large as its layout (all bits
// of `size | 7` below 2^power are kept) and aligned to 8: pages are, and so are multiples of 8 after them.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (list, size) = self.list(layout);
        let mut at = list.get();
        if at != 0 {
            // SAFETY: `at` is a free block, so it holds the address of the next one.
            list.set(unsafe { *(at as *const usize) });
            return at as *mut u8;
        }
        at = self.next.get();
        if self.end.get() - at < size {
            let pages = size / PAGE + 1;
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            at = before * PAGE;
            self.end.set(at + pages * PAGE);
        }
        self.next.set(at + size);
        at as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (list, _) = self.list(layout);
        // SAFETY: the block was given out by `alloc`, is not used any more, and has room for an address.
        unsafe { *block.cast::<usize>() = list.get() };
        list.set(block as usize);
    }
}
