//! Work on many things at once, with results in order.

#[cfg(feature = "parallel")]
mod portions;

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

    /// Calls `work` with every item; the results stand in the order of the items.
    pub(super) fn map<T: Send, R: Send>(self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        #[cfg(feature = "parallel")]
        if self.0.get() > 1 {
            return portions::map(self.0, items, work);
        }
        items.into_iter().map(work).collect()
    }
}
