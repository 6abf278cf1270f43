//! Large buffers in large pages of memory.
//!
//! A training reads thousands of rows a step from all over its weights and data, some in every
//! page; with pages of 4 KB each row first waits for the processor to find where it lies. Linux has
//! pages of 2 MB for those who ask, and with them a training takes 6 % less time (measured:
//! `bench/RESULTS.md`).

#![expect(
    unsafe_code,
    reason = "an allocator is unsafe by its interface; it hands on to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which asks for large pages for what fills at least one.
///
/// A library leaves the choice to the program: `#[global_allocator] static ALLOCATOR: LargePages =
/// LargePages;`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LargePages;

/// Bytes of a large page.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

// SAFETY: every call is the system allocator's own, with its arguments unchanged; `advise` neither
// reads nor writes the memory.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system allocator asks for.
        advise(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        advise(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        advise(unsafe { System.realloc(start, layout, size) }, size)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) }
    }
}

/// Asks for large pages where a buffer covers whole ones. A refusal changes nothing but the time.
#[cfg(target_os = "linux")]
#[inline]
fn advise(start: *mut u8, size: usize) -> *mut u8 {
    if size >= LARGE && !start.is_null() {
        let before = start.align_offset(LARGE);
        let inside = size.saturating_sub(before) / LARGE * LARGE;
        if inside > 0 {
            // SAFETY: the range lies inside the buffer, which has just been allocated.
            unsafe { libc::madvise(start.add(before).cast(), inside, libc::MADV_HUGEPAGE) };
        }
    }
    start
}

#[cfg(not(target_os = "linux"))]
fn advise(start: *mut u8, _: usize) -> *mut u8 {
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(size: usize, aligned: usize) {
        let layout = Layout::from_size_align(size, aligned).unwrap();
        // SAFETY: sizes above 0; each buffer is given back with the layout it has by then; what is
        // read was written or zeroed.
        unsafe {
            let zeros = LargePages.alloc_zeroed(layout);
            assert!(!zeros.is_null() && zeros.addr().is_multiple_of(aligned));
            assert!(std::slice::from_raw_parts(zeros, size).iter().all(|&b| b == 0));
            LargePages.dealloc(zeros, layout);
            let start = LargePages.alloc(layout);
            start.write_bytes(7, size);
            let start = LargePages.realloc(start, layout, 2 * size);
            start.add(size).write_bytes(9, size);
            let (old, new) = std::slice::from_raw_parts(start, 2 * size).split_at(size);
            assert!(old.iter().all(|&b| b == 7) && new.iter().all(|&b| b == 9));
            LargePages.dealloc(start, Layout::from_size_align(2 * size, aligned).unwrap());
        }
    }

    #[test]
    fn buffers_of_every_size_keep_what_is_written() {
        for size in [1, 100, 2 << 20, (2 << 20) + 1, 9_000_001] {
            check(size, 1);
            check(size, 64);
        }
    }
}
