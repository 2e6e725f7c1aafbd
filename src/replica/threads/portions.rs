//! Items handed out to threads in small portions, so that a slow thread does not hold up the others.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Items of a portion: a third of a millisecond of verification, which is what the last thread may be late by.
const PORTION: usize = 8;

/// What one thread has done: which portions, and their results one after the other.
struct Done<R> {
    portions: Vec<usize>,
    results: Vec<R>,
}

pub(super) fn map<T: Sync, W, R: Send>(
    threads: NonZeroUsize,
    items: &[T],
    tool: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.get().min(items.len().div_ceil(PORTION));
    let next = AtomicUsize::new(0);
    let take_and_work = || {
        let mut done =
            Done { portions: Vec::new(), results: Vec::with_capacity(items.len() / threads.max(1)) };
        let mut tool = tool();
        loop {
            // Whoever counts first, a portion goes to one thread; joining the thread hands its results over.
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(portion) = items.chunks(PORTION).nth(number) else { return done };
            done.portions.push(number);
            done.results.extend(portion.iter().map(|item| work(&mut tool, item)));
        }
    };
    let done = thread::scope(|scope| {
        // A thread that cannot be had is done without.
        let helpers: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_and_work).ok())
            .collect();
        let mut done = vec![take_and_work()];
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.push(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    in_order(done, items.len())
}

/// The results of all threads, in the order of the items.
fn in_order<R>(done: Vec<Done<R>>, count: usize) -> Vec<R> {
    let mut threads: Vec<_> = done
        .into_iter()
        .map(|done| (done.portions.into_iter().peekable(), done.results.into_iter()))
        .collect();
    let mut results = Vec::with_capacity(count);
    for number in 0..count.div_ceil(PORTION) {
        for (portions, rest) in &mut threads {
            if portions.next_if_eq(&number).is_some() {
                results.extend(rest.take(PORTION));
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for threads in 1..5 {
            for count in [0, 1, PORTION - 1, PORTION, PORTION + 1, 1000] {
                let threads = NonZeroUsize::new(threads).unwrap();
                let items: Vec<usize> = (0..count).collect();
                let results = map(threads, &items, || (), |(), n| n * 2);
                assert_eq!(results, (0..count).map(|n| n * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_tool_stays_with_its_thread() {
        let items = [(); 1000];
        let tool = || (thread::current().id(), 0_usize);
        let work = |(thread, used): &mut (thread::ThreadId, usize), (): &()| {
            assert_eq!(thread::current().id(), *thread);
            *used += 1;
            *used
        };
        let mut used = map(NonZeroUsize::new(3).unwrap(), &items, tool, work);
        used.sort_unstable();
        assert!(used.iter().filter(|used| **used == 1).count() <= 3, "a tool is made once a thread");
    }

    #[test]
    fn a_panic_in_a_thread_reaches_the_caller() {
        let items: Vec<usize> = (0..1000).collect();
        let work = |(): &mut (), n: &usize| assert!(*n != 999, "the last");
        let caught = std::panic::catch_unwind(|| map(NonZeroUsize::new(3).unwrap(), &items, || (), work));
        assert!(caught.is_err());
    }
}
