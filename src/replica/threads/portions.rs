//! Items handed out to threads in small portions, so that a slow thread does not hold up the others.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Items of a portion: a third of a millisecond of verification, which is what the last thread may be late by.
const PORTION: usize = 8;

pub(super) fn map<T: Send, R: Send>(
    threads: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let count = items.len();
    let threads = threads.get().min(count.div_ceil(PORTION));
    let portions = Mutex::new(Portions { items: items.into_iter(), next: 0 });
    let take_and_work = || {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let (number, portion) = portions.lock().unwrap_or_else(PoisonError::into_inner).take();
            if portion.is_empty() {
                return done;
            }
            done.push((number, portion.into_iter().map(&work).collect()));
        }
    };
    let mut done = thread::scope(|scope| {
        // A thread that cannot be had is done without.
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

struct Portions<T> {
    items: std::vec::IntoIter<T>,
    next: usize,
}

impl<T> Portions<T> {
    /// The next portion and its number; empty when all are taken.
    fn take(&mut self) -> (usize, Vec<T>) {
        let number = self.next;
        self.next += 1;
        (number, self.items.by_ref().take(PORTION).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for threads in 1..5 {
            for count in [0, 1, PORTION - 1, PORTION, PORTION + 1, 1000] {
                let threads = NonZeroUsize::new(threads).unwrap();
                let results = map(threads, (0..count).collect(), |n: usize| n * 2);
                assert_eq!(results, (0..count).map(|n| n * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_panic_in_a_thread_reaches_the_caller() {
        let items: Vec<usize> = (0..1000).collect();
        let work = |n| assert!(n != 999, "the last");
        let caught = std::panic::catch_unwind(|| map(NonZeroUsize::new(3).unwrap(), items, work));
        assert!(caught.is_err());
    }
}
