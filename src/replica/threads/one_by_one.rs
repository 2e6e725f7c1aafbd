//! Items handed out to threads one by one, so that a slow thread does not hold up the others.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Items that are worth a thread: starting one takes about as long as two verifications.
const WORTH: usize = 8;

pub(super) fn map<T: Sync, W, R: Send>(
    threads: NonZeroUsize,
    items: &[T],
    tool: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.get().min(items.len().div_ceil(WORTH));
    let next = AtomicUsize::new(0);
    let take_and_work = || {
        let mut done = Vec::with_capacity(items.len() / threads.max(1));
        let mut tool = tool();
        loop {
            // Whoever counts first, an item goes to one thread; joining the thread hands its results over.
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { return done };
            done.push((number, work(&mut tool, item)));
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

/// The results of all threads, in the order of the items. Each thread's are in order.
fn in_order<R>(done: Vec<Vec<(usize, R)>>, count: usize) -> Vec<R> {
    let mut threads: Vec<_> = done.into_iter().map(|results| results.into_iter().peekable()).collect();
    let mut results = Vec::with_capacity(count);
    for number in 0..count {
        let mut next = threads.iter_mut().filter_map(|thread| thread.next_if(|(at, _)| *at == number));
        results.extend(next.next().map(|(_, result)| result));
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for threads in 1..5 {
            for count in [0, 1, WORTH - 1, WORTH, WORTH + 1, 1000] {
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
