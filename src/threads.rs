//! Parallel work with results in order.

#[cfg(feature = "parallel")]
mod shared;

use std::num::NonZeroUsize;

/// The greatest number of items that are processed together, so that their cache misses overlap.
pub(crate) const GROUP: usize = 8;

/// The number of threads that a call may use, including the calling thread.
#[derive(Clone, Copy)]
pub(crate) struct Threads(
    #[cfg_attr(not(feature = "parallel"), expect(dead_code, reason = "only the calling thread is used"))]
    NonZeroUsize,
);

impl Threads {
    pub(crate) const ONE: Self = Self(NonZeroUsize::MIN);

    #[cfg(feature = "parallel")]
    pub(crate) const fn up_to(threads: NonZeroUsize) -> Self {
        Self(threads)
    }

    /// Runs two closures and returns both results. The second runs on another thread if one is allowed.
    pub(crate) fn both<A, B: Send>(
        self,
        one: impl FnOnce() -> A,
        mut other: impl FnMut() -> B + Send,
    ) -> (A, B) {
        #[cfg(feature = "parallel")]
        if self.0.get() > 1 {
            return shared::both(one, other);
        }
        (one(), other())
    }

    /// Calls `work` with up to [`GROUP`] items at a time. It pushes one result for each item; the returned results are
    /// in the order of the items. Each thread creates one `tool` and uses it for all its groups.
    pub(crate) fn map<T: Sync, W, R: Send>(
        self,
        items: &[T],
        tool: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, &[T], &mut Vec<R>) + Sync,
    ) -> Vec<R> {
        #[cfg(feature = "parallel")]
        if self.0.get() > 1 {
            return shared::map(self.0, items, tool, work);
        }
        let mut tool = tool();
        let mut results = Vec::with_capacity(items.len());
        for group in items.chunks(GROUP) {
            work(&mut tool, group, &mut results);
        }
        results
    }
}
