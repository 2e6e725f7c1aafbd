//! Work on many things at once, with results in order.

#[cfg(feature = "parallel")]
mod one_by_one;

use std::num::NonZeroUsize;

/// How many threads a call may use, its own included.
#[derive(Clone, Copy)]
pub(super) struct Threads(
    #[cfg_attr(not(feature = "parallel"), expect(dead_code, reason = "there is one thread only"))]
    NonZeroUsize,
);

impl Threads {
    pub(super) const ONE: Self = Self(NonZeroUsize::MIN);

    #[cfg(feature = "parallel")]
    pub(super) const fn up_to(threads: NonZeroUsize) -> Self {
        Self(threads)
    }

    /// Calls `work` with every item; the results stand in the order of the items. Each thread begins with a `tool` of
    /// its own, and works with it from item to item.
    pub(super) fn map<T: Sync, W, R: Send>(
        self,
        items: &[T],
        tool: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, &T) -> R + Sync,
    ) -> Vec<R> {
        #[cfg(feature = "parallel")]
        if self.0.get() > 1 {
            return one_by_one::map(self.0, items, tool, work);
        }
        let mut tool = tool();
        items.iter().map(|item| work(&mut tool, item)).collect()
    }
}
