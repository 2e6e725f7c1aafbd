//! Work on many things at once, with results in order.

use std::num::NonZeroUsize;

/// How many threads a call may use, its own included.
#[derive(Clone, Copy)]
pub(super) struct Threads(NonZeroUsize);

impl Threads {
    pub(super) const ONE: Self = Self(NonZeroUsize::MIN);

    #[cfg(feature = "parallel")]
    pub(super) const fn up_to(threads: NonZeroUsize) -> Self {
        Self(threads)
    }

    /// Calls `work` with every item; the results stand in the order of the items.
    #[cfg(not(feature = "parallel"))]
    pub(super) fn map<T: Send, R: Send>(self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        items.into_iter().map(work).collect()
    }

    /// Calls `work` with every item; the results stand in the order of the items. The items are handed out in small
    /// portions, so that a slow thread does not hold up the others.
    #[cfg(feature = "parallel")]
    pub(super) fn map<T: Send, R: Send>(self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        use std::sync::Mutex;
        use std::sync::PoisonError;
        use std::thread;

        /// About two milliseconds of verification.
        const PORTION: usize = 64;

        let threads = self.0.get().min(items.len().div_ceil(PORTION));
        if threads < 2 {
            return items.into_iter().map(work).collect();
        }
        let count = items.len();
        let portions = Mutex::new(Portions { items: items.into_iter(), next: 0 });
        let take_and_work = || {
            let mut done: Vec<(usize, Vec<R>)> = Vec::new();
            loop {
                let (number, portion) = {
                    let mut portions = portions.lock().unwrap_or_else(PoisonError::into_inner);
                    portions.take(PORTION)
                };
                if portion.is_empty() {
                    return done;
                }
                done.push((number, portion.into_iter().map(&work).collect()));
            }
        };
        let mut done = thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads)
                .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_and_work).ok())
                .collect();
            let mut done = take_and_work();
            for helper in helpers {
                match helper.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        let mut results = Vec::with_capacity(count);
        results.extend(done.into_iter().flat_map(|(_, portion)| portion));
        results
    }
}

#[cfg(feature = "parallel")]
struct Portions<T> {
    items: std::vec::IntoIter<T>,
    next: usize,
}

#[cfg(feature = "parallel")]
impl<T> Portions<T> {
    fn take(&mut self, count: usize) -> (usize, Vec<T>) {
        let number = self.next;
        self.next += 1;
        (number, self.items.by_ref().take(count).collect())
    }
}
