//! Distribution of work to threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::GROUP;

/// The least number of items for each thread: starting one takes about as long as two verifications.
const WORTH: usize = 8;

/// Runs two closures, the second on another thread. If spawning fails, it runs on this thread; it is `FnMut` so that
/// the failed attempt does not consume it.
pub(super) fn both<A, B: Send>(one: impl FnOnce() -> A, mut other: impl FnMut() -> B + Send) -> (A, B) {
    let (one, others) = thread::scope(|scope| {
        let helper = thread::Builder::new().spawn_scoped(scope, &mut other).ok();
        (one(), helper.map(thread::ScopedJoinHandle::join))
    });
    match others {
        Some(Ok(result)) => (one, result),
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        None => (one, other()),
    }
}

/// Runs `work` on several threads. Each takes the next group when it has finished one, so that a slow thread does not
/// delay the others.
pub(super) fn map<T: Sync, W, R: Send>(
    threads: NonZeroUsize,
    items: &[T],
    tool: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &[T], &mut Vec<R>) + Sync,
) -> Vec<R> {
    let threads = threads.get().min(items.len().div_ceil(WORTH)).max(1);
    let taken = AtomicUsize::new(0);
    let take_and_work = || {
        let mut tool = tool();
        let mut groups = Vec::new();
        // The counter gives each item to exactly one thread; joining a thread synchronizes its results.
        while let Ok(first) = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            Some(taken + share(items.len() - taken, threads)).filter(|end| *end > taken)
        }) {
            let group = items.get(first..).unwrap_or_default();
            let group = group.get(..share(group.len(), threads)).unwrap_or_default();
            let mut results = Vec::with_capacity(group.len());
            work(&mut tool, group, &mut results);
            groups.push((first, results));
        }
        groups
    };
    let mut groups = thread::scope(|scope| {
        // If spawning fails, the other threads do the work.
        let helpers: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_and_work).ok())
            .collect();
        let mut groups = take_and_work();
        for helper in helpers {
            match helper.join() {
                Ok(more) => groups.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        groups
    });
    groups.sort_unstable_by_key(|(first, _)| *first);
    let mut results = Vec::with_capacity(items.len());
    groups.into_iter().for_each(|(_, group)| results.extend(group));
    results
}

/// Returns the number of items that a thread takes at once: fewer towards the end, so that all threads finish together.
fn share(left: usize, threads: usize) -> usize {
    (left / threads.saturating_mul(4)).clamp(1, GROUP).min(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for threads in 1..5 {
            for count in [0, 1, WORTH - 1, WORTH, WORTH + 1, 1000] {
                let threads = NonZeroUsize::new(threads).unwrap();
                let items: Vec<usize> = (0..count).collect();
                let double = |(): &mut (), group: &[usize], results: &mut Vec<usize>| {
                    assert!((1..=GROUP).contains(&group.len()));
                    results.extend(group.iter().map(|n| n * 2));
                };
                let results = map(threads, &items, || (), double);
                assert_eq!(results, (0..count).map(|n| n * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_last_items_are_taken_one_by_one() {
        for threads in 1..5 {
            let mut left = 1000;
            let mut shares = Vec::new();
            while left > 0 {
                let share = share(left, threads);
                shares.push(share);
                left -= share;
            }
            assert_eq!(shares.first(), Some(&GROUP));
            assert!(shares.is_sorted_by(|a, b| a >= b));
            assert!(shares.ends_with(&vec![1; threads * 4]));
        }
        assert_eq!(share(0, 2), 0);
    }

    #[test]
    fn a_tool_stays_with_its_thread() {
        let items = [(); 1000];
        let tool = || (thread::current().id(), 0_usize);
        let work =
            |(thread, used): &mut (thread::ThreadId, usize), group: &[()], results: &mut Vec<usize>| {
                assert_eq!(thread::current().id(), *thread);
                results.extend(group.iter().map(|()| {
                    *used += 1;
                    *used
                }));
            };
        let used = map(NonZeroUsize::new(3).unwrap(), &items, tool, work);
        assert!(used.iter().filter(|used| **used == 1).count() <= 3, "each thread creates one tool");
    }

    #[test]
    fn both_closures_run_at_the_same_time() {
        let (here, there) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let meet = |mine: &AtomicUsize, other: &AtomicUsize| {
            mine.store(1, Ordering::Release);
            // Bounded: if they run one after another they never meet, and the test should fail, not hang.
            let met = (0..10_000_000).any(|_| {
                thread::yield_now();
                other.load(Ordering::Acquire) == 1
            });
            (met, thread::current().id())
        };
        let (one, other) = both(|| meet(&here, &there), || meet(&there, &here));
        assert_eq!(one, (true, thread::current().id()));
        assert!(other.0 && other.1 != one.1);
    }

    #[test]
    fn a_panic_of_either_reaches_the_caller() {
        for whose in [1, 2] {
            let caught = std::panic::catch_unwind(|| both(|| assert_ne!(whose, 1), || assert_ne!(whose, 2)));
            assert!(caught.is_err());
        }
    }

    #[test]
    fn a_panic_in_a_thread_reaches_the_caller() {
        let items: Vec<usize> = (0..1000).collect();
        let work = |(): &mut (), group: &[usize], results: &mut Vec<usize>| {
            assert!(!group.contains(&999), "the last");
            results.extend(group);
        };
        let caught = std::panic::catch_unwind(|| map(NonZeroUsize::new(3).unwrap(), &items, || (), work));
        assert!(caught.is_err());
    }
}
