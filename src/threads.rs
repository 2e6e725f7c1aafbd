//! Work on many things at once, with results in order.

#[cfg(feature = "parallel")]
mod shared;

use std::num::NonZeroUsize;

/// Items that are worked on together at most: what one of them waits for from memory, the others wait for at the same
/// time.
pub(crate) const GROUP: usize = 8;

/// How many threads a call may use, its own included.
#[derive(Clone, Copy)]
pub(crate) struct Threads(
    #[cfg_attr(not(feature = "parallel"), expect(dead_code, reason = "there is one thread only"))]
    NonZeroUsize,
);

impl Threads {
    pub(crate) const ONE: Self = Self(NonZeroUsize::MIN);

    #[cfg(feature = "parallel")]
    pub(crate) const fn up_to(threads: NonZeroUsize) -> Self {
        Self(threads)
    }

    /// Does one thing and another, the second on a thread of its own where there may be one.
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

    /// Calls `work` with up to [`GROUP`] items at a time, for which it puts as many results down; they stand in the
    /// order of the items. Each thread begins with a `tool` of its own, and works with it from group to group.
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
