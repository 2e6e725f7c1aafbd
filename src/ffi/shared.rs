//! What a handle holds that any thread may use, one at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::error::Failure;
use super::status::policysync_status_code::{POLICYSYNC_ERR_BUSY, POLICYSYNC_ERR_PANIC};

/// What threads wait for, unless it is their own callback that comes again.
///
/// Who enters a replica and something else enters the replica first: so no two threads wait for each other.
pub(super) struct Shared<T> {
    name: &'static str,
    /// Poisoned when a call has panicked: then nothing may be believed of it any more.
    inside: Mutex<T>,
    /// Which thread is inside, so that it is told when it comes again from a callback. 0 for none.
    thread: AtomicUsize,
}

/// A thread that is inside.
pub(super) struct Entered<'s, T> {
    pub(super) inside: MutexGuard<'s, T>,
    thread: &'s AtomicUsize,
}

impl<T: Send> Shared<T> {
    pub(super) fn new(name: &'static str, inside: T) -> Self {
        Self { name, inside: Mutex::new(inside), thread: AtomicUsize::new(0) }
    }

    /// Waits for other threads to leave; tells this one if it is inside already.
    pub(super) fn enter(&self) -> Result<Entered<'_, T>, Failure> {
        let name = self.name;
        // Only this thread can have written its own number, so no order between threads is needed.
        if self.thread.load(Ordering::Relaxed) == this_thread() {
            let message = format!("a callback called the {name} that is calling it");
            return Err(Failure::new(POLICYSYNC_ERR_BUSY, message));
        }
        let inside = self.inside.lock().map_err(|_| {
            Failure::new(POLICYSYNC_ERR_PANIC, format!("an earlier call panicked: free the {name}"))
        })?;
        self.thread.store(this_thread(), Ordering::Relaxed);
        Ok(Entered { inside, thread: &self.thread })
    }

    /// The same for what one thread at a time may use: it does not wait, and so may be entered before a replica.
    #[cfg(feature = "websocket")]
    pub(super) fn try_enter(&self) -> Result<Entered<'_, T>, Failure> {
        use std::sync::TryLockError;

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

impl<T> Drop for Entered<'_, T> {
    /// Before the lock is given up, which the field does after this.
    fn drop(&mut self) {
        self.thread.store(0, Ordering::Relaxed);
    }
}

/// A number of this thread's own, not 0: the address of something that only it has.
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
    fn who_is_inside_cannot_enter_again() {
        let shared = Shared::new("thing", 7);
        let entered = shared.enter().unwrap();
        let status = shared.enter().map_or_else(|failure| failure.status.number(), |_| 0);
        assert_eq!(status, POLICYSYNC_ERR_BUSY.number());
        drop(entered);
        assert_eq!(*shared.enter().unwrap().inside, 7);
    }
}
