//! The state of a handle that several threads may use.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::ffi::glue::error::Failure;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_ERR_BUSY, POLICYSYNC_ERR_PANIC};

/// A lock that fails, instead of deadlocking, when a callback enters it again.
///
/// A call that needs a replica and another object enters the replica first, and a callback does not wait for any
/// object, so that no two threads wait for each other.
pub(in crate::ffi) struct Shared<T> {
    name: &'static str,
    /// The state, poisoned when a call has panicked: it may then be inconsistent.
    inside: Mutex<T>,
    /// The thread that is inside, to detect that it enters again from a callback. 0 for none.
    thread: AtomicUsize,
}

/// Access for the thread that has entered.
pub(in crate::ffi) struct Entered<'s, T> {
    pub(in crate::ffi) inside: MutexGuard<'s, T>,
    thread: &'s AtomicUsize,
}

impl<T: Send> Shared<T> {
    pub(in crate::ffi) fn new(name: &'static str, inside: T) -> Self {
        Self { name, inside: Mutex::new(inside), thread: AtomicUsize::new(0) }
    }

    /// Waits for other threads to leave. Fails if this thread is inside already, or in a callback and would have to
    /// wait.
    pub(in crate::ffi) fn enter(&self) -> Result<Entered<'_, T>, Failure> {
        let name = self.name;
        // Only this thread can have written its own number, so no order between threads is needed.
        if self.thread.load(Ordering::Relaxed) == this_thread() {
            let message = format!("a callback called the {name} that is calling it");
            return Err(Failure::new(POLICYSYNC_ERR_BUSY, message));
        }
        if CALLBACKS.get() > 0 {
            return self.try_enter();
        }
        let inside = self.inside.lock().map_err(|_| {
            Failure::new(POLICYSYNC_ERR_PANIC, format!("an earlier call panicked: free the {name}"))
        })?;
        self.thread.store(this_thread(), Ordering::Relaxed);
        Ok(Entered { inside, thread: &self.thread })
    }

    /// Enters an object for one thread at a time. It does not wait, so it may be entered before a replica.
    pub(in crate::ffi) fn try_enter(&self) -> Result<Entered<'_, T>, Failure> {
        let name = self.name;
        let inside = self.inside.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Failure::new(POLICYSYNC_ERR_BUSY, format!("another call is using the {name}"))
            }
            TryLockError::Poisoned(_) => {
                Failure::new(POLICYSYNC_ERR_PANIC, format!("an earlier call panicked: free the {name}"))
            }
        })?;
        self.thread.store(this_thread(), Ordering::Relaxed);
        Ok(Entered { inside, thread: &self.thread })
    }
}

thread_local! {
    /// The callbacks that have not returned on this thread. Each holds the objects of the call that it is called from.
    static CALLBACKS: Cell<usize> = const { Cell::new(0) };
}

/// Calls back into the application.
pub(in crate::ffi) fn call_back<T>(callback: impl FnOnce() -> T) -> T {
    CALLBACKS.set(CALLBACKS.get() + 1);
    let result = callback();
    CALLBACKS.set(CALLBACKS.get() - 1);
    result
}

impl<T> Drop for Entered<'_, T> {
    /// Runs before the field releases the lock.
    fn drop(&mut self) {
        self.thread.store(0, Ordering::Relaxed);
    }
}

/// Returns a number other than 0 that identifies this thread: the address of a thread-local variable.
fn this_thread() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_cannot_enter_twice() {
        let shared = Shared::new("thing", 7);
        let entered = shared.enter().unwrap();
        let status = shared.enter().map_or_else(|failure| failure.status.number(), |_| 0);
        assert_eq!(status, POLICYSYNC_ERR_BUSY.number());
        drop(entered);
        assert_eq!(*shared.enter().unwrap().inside, 7);
    }

    #[test]
    fn a_callback_does_not_wait_for_another_thread() {
        let (shared, other) = (Shared::new("thing", 7), Shared::new("other", 8));
        let entered = shared.enter().unwrap();
        let _other = other.enter().unwrap();
        let busy = std::thread::scope(|scope| {
            let thread =
                scope.spawn(|| call_back(|| shared.enter().err().map(|failure| failure.status.number())));
            thread.join().unwrap()
        });
        assert_eq!(busy, Some(POLICYSYNC_ERR_BUSY.number()));
        drop(entered);
        assert_eq!(call_back(|| shared.enter().map(|entered| *entered.inside).ok()), Some(7));
        assert_eq!(CALLBACKS.get(), 0);
    }
}
