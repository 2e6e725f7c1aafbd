//! An allocator that counts the bytes allocated by Rust and not yet freed.
//!
//! SQLite's cache of two megabytes is not counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// True while the peak is measured, which costs time.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

// SAFETY: every call is passed unchanged to the system's allocator.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        if IS_WATCHED.load(Ordering::Relaxed) {
            PEAK.fetch_max(live, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the result of `work` with the number of bytes that it leaves allocated.
pub fn kept<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    let result = work();
    (result, LIVE.load(Ordering::Relaxed).saturating_sub(before))
}

/// The bytes that work takes.
pub struct Usage {
    /// The most at one time, beyond those allocated before.
    pub peak: usize,
    /// Those left allocated, which are negative if it has freed more.
    pub kept: isize,
}

/// Returns the bytes that `work` takes. Its result is not counted as kept.
pub fn peak<T>(work: impl FnOnce() -> T) -> Usage {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    IS_WATCHED.store(true, Ordering::Relaxed);
    drop(work());
    IS_WATCHED.store(false, Ordering::Relaxed);
    let kept = LIVE.load(Ordering::Relaxed).cast_signed() - before.cast_signed();
    Usage { peak: PEAK.load(Ordering::Relaxed) - before, kept }
}
