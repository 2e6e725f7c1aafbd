//! A replica that threads share.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{FieldChange, Replica, StateCursor, StateCursorError};

/// A replica behind a lock, for the threads of one process. Clones are handles of the same replica.
///
/// Hold the lock for single calls, not while waiting for anything. [`SharedReplica::observe`] tells which fields have
/// changed. [`BackgroundSync`](crate::BackgroundSync) synchronizes it on a thread of its own.
///
/// ```
/// use std::time::Duration;
/// use policysync::{Replica, ReplicaOptions, SharedReplica, SigningSecretKey, WallMillis};
///
/// let alice = SigningSecretKey::generate("alice")?;
/// let replica = SharedReplica::new(Replica::open(ReplicaOptions::new().write_as(alice))?);
/// let mut observer = replica.observe();
///
/// let writer = replica.clone();
/// let thread = std::thread::spawn(move || {
///     writer.lock().set(WallMillis(1_760_000_000_000), ("Task", "t1", "title"), "Hello world").map(drop)
/// });
/// let changes = observer.wait(Duration::from_secs(10))?;
/// assert_eq!(changes[0].value(), Some(&"Hello world".into()));
/// # thread.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SharedReplica(Arc<Shared>);

struct Shared {
    slot: Mutex<Slot>,
    /// Notified when the replica is put back, and by [`SharedReplica::wake`].
    moved: Condvar,
}

struct Slot {
    /// `None` while a guard has it.
    replica: Option<Box<Replica>>,
    /// The number of guards that may have changed the replica.
    changes: u64,
}

impl SharedReplica {
    /// Returns the first handle of a replica.
    #[must_use]
    pub fn new(replica: Replica) -> Self {
        let slot = Slot { replica: Some(Box::new(replica)), changes: 0 };
        Self(Arc::new(Shared { slot: Mutex::new(slot), moved: Condvar::new() }))
    }

    /// Waits until no other thread has the replica, and takes it until the guard is dropped. A thread that has it
    /// already waits for ever.
    #[must_use]
    pub fn lock(&self) -> ReplicaGuard<'_> {
        let mut slot = self.slot();
        loop {
            if let Some(replica) = slot.replica.take() {
                return ReplicaGuard { shared: &self.0, replica: Some(replica), is_changed: false };
            }
            slot = self.wait(slot);
        }
    }

    /// Takes the replica as [`SharedReplica::lock`] does, or returns `None` once `stop` returns true. Whoever makes it
    /// true calls [`SharedReplica::wake`] after that.
    #[cfg(any(feature = "http", feature = "websocket"))]
    pub(crate) fn lock_unless(&self, stop: impl Fn() -> bool) -> Option<ReplicaGuard<'_>> {
        let mut slot = self.slot();
        while !stop() {
            if let Some(replica) = slot.replica.take() {
                return Some(ReplicaGuard { shared: &self.0, replica: Some(replica), is_changed: false });
            }
            slot = self.wait(slot);
        }
        None
    }

    /// Returns the number of guards that may have changed the replica.
    #[cfg(feature = "http")]
    pub(crate) fn changes(&self) -> u64 {
        self.slot().changes
    }

    /// Waits until `until` returns true for the number of changes, or the time has passed.
    #[cfg(any(feature = "http", feature = "websocket"))]
    pub(crate) fn wait_until(&self, limit: Duration, until: impl Fn(u64) -> bool) {
        let result = self.0.moved.wait_timeout_while(self.slot(), limit, |slot| !until(slot.changes));
        drop(result.unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets every waiting thread look again at what it waits for.
    #[cfg(any(feature = "http", feature = "websocket"))]
    pub(crate) fn wake(&self) {
        // Whoever holds the lock has not begun to wait yet.
        drop(self.slot());
        self.0.moved.notify_all();
    }

    /// Returns an observer of the fields that change from now on. Waits as [`SharedReplica::lock`] does.
    #[must_use]
    pub fn observe(&self) -> Observer {
        let cursor = self.lock().state_cursor();
        self.observe_from(cursor)
    }

    /// Returns an observer of the fields that have changed since a position that was kept.
    #[must_use]
    pub fn observe_from(&self, cursor: StateCursor) -> Observer {
        Observer { shared: self.clone(), cursor, seen: None }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, slot: MutexGuard<'s, Slot>) -> MutexGuard<'s, Slot> {
        self.0.moved.wait(slot).unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReplica").finish_non_exhaustive()
    }
}

/// The replica, for one thread. Dropping it lets the next one have it.
pub struct ReplicaGuard<'s> {
    shared: &'s Shared,
    /// Present until the guard is dropped.
    replica: Option<Box<Replica>>,
    is_changed: bool,
}

impl Deref for ReplicaGuard<'_> {
    type Target = Replica;

    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn deref(&self) -> &Replica {
        self.replica.as_ref().expect("a guard has the replica until it is dropped")
    }
}

impl DerefMut for ReplicaGuard<'_> {
    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn deref_mut(&mut self) -> &mut Replica {
        self.is_changed = true;
        self.replica.as_mut().expect("a guard has the replica until it is dropped")
    }
}

impl Drop for ReplicaGuard<'_> {
    fn drop(&mut self) {
        let mut slot = self.shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.replica = self.replica.take();
        slot.changes = slot.changes.wrapping_add(self.is_changed.into());
        drop(slot);
        self.shared.moved.notify_all();
    }
}

/// An observer of the fields of a shared replica: it returns each field that another winner has, for whatever reason.
///
/// It has a position of its own and misses nothing, however late it asks; a field that changed twice meanwhile is
/// returned once, with its present value. Held operations count when they are merged: by
/// [`BackgroundSync`](crate::BackgroundSync), or by [`Replica::poll`].
pub struct Observer {
    shared: SharedReplica,
    cursor: StateCursor,
    /// The number of changes of the replica that have been looked at.
    seen: Option<u64>,
}

impl Observer {
    /// Waits until fields have changed, and returns them. Returns none after `limit`. A duration of zero does not wait:
    /// it returns none also while another thread has the replica, and the next call returns them. The values are read
    /// from the store before other threads can have the replica.
    ///
    /// # Errors
    ///
    /// [`StateCursorError`], as of [`Replica::changes_since`]; then the position stays, and the next call tries again.
    pub fn wait(&mut self, limit: Duration) -> Result<Vec<FieldChange>, StateCursorError> {
        let mut found = Ok(Vec::new());
        let (cursor, seen) = (&mut self.cursor, &mut self.seen);
        let look = |slot: &mut Slot| {
            let Some(replica) = slot.replica.as_deref() else { return true };
            if seen.replace(slot.changes) == Some(slot.changes) {
                return true;
            }
            found = take(replica, cursor);
            found.as_ref().is_ok_and(Vec::is_empty)
        };
        let result = self.shared.0.moved.wait_timeout_while(self.shared.slot(), limit, look);
        drop(result.unwrap_or_else(PoisonError::into_inner));
        if found.is_err() {
            self.seen = None;
        }
        found
    }

    /// Returns the position after all changes that were returned, to be kept with what was derived from them.
    #[must_use]
    pub const fn cursor(&self) -> &StateCursor {
        &self.cursor
    }
}

/// Reads the changes since the cursor, and moves it.
fn take(replica: &Replica, cursor: &mut StateCursor) -> Result<Vec<FieldChange>, StateCursorError> {
    let changes = replica.changes_since(cursor)?;
    let next = changes.cursor().clone();
    let changes = changes.collect::<Result<Vec<FieldChange>, _>>()?;
    *cursor = next;
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::hlc::WallMillis;
    use crate::keys::SigningSecretKey;
    use crate::replica::ReplicaOptions;

    const NOW: WallMillis = WallMillis(1_760_000_000_000);
    const LONG: Duration = Duration::from_secs(60);

    fn shared() -> SharedReplica {
        let alice = SigningSecretKey::generate("alice").unwrap();
        SharedReplica::new(Replica::open(ReplicaOptions::new().write_as(alice)).unwrap())
    }

    #[test]
    fn writes_of_several_threads_are_all_there() {
        let replica = shared();
        thread::scope(|scope| {
            for thread in 0..4 {
                let replica = replica.clone();
                scope.spawn(move || {
                    for number in 0..10 {
                        let id = format!("{thread}-{number}");
                        replica.lock().set(NOW, ("Task", &id, "title"), "x").unwrap();
                    }
                });
            }
        });
        assert_eq!(replica.lock().log().len(), 40);
    }

    #[test]
    fn an_observer_returns_each_field_once_and_misses_none() {
        let replica = shared();
        replica.lock().set(NOW, ("Task", "t0", "title"), "before").unwrap();
        let mut observer = replica.observe();
        assert!(observer.wait(Duration::ZERO).unwrap().is_empty());
        // Reading changes nothing, and writing one field twice changes one field.
        assert!(replica.lock().get(("Task", "t0", "title")).unwrap().is_some());
        replica.lock().set(NOW, ("Task", "t1", "title"), "first").unwrap();
        replica.lock().set(NOW, ("Task", "t1", "title"), "second").unwrap();
        replica.lock().set(NOW, ("Task", "t2", "title"), "other").unwrap();
        let changes = observer.wait(LONG).unwrap();
        let ids: Vec<&str> = changes.iter().map(|change| change.entity_id.as_str()).collect();
        assert_eq!((ids, changes[0].value()), (vec!["t1", "t2"], Some(&"second".into())));
        assert!(observer.wait(Duration::from_millis(1)).unwrap().is_empty());
        // From the position that was kept.
        replica.lock().delete(NOW, ("Task", "t2", "title")).unwrap();
        let changes = replica.observe_from(observer.cursor().clone()).wait(LONG).unwrap();
        assert_eq!((changes.len(), changes[0].value()), (1, None));
    }

    #[test]
    fn an_observer_waits_for_another_thread() {
        let replica = shared();
        let mut observer = replica.observe();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| observer.wait(LONG).unwrap().len());
            replica.lock().set(NOW, ("Task", "t1", "title"), "x").unwrap();
            assert_eq!(waiting.join().unwrap(), 1);
        });
    }

    #[test]
    fn a_panic_while_it_is_locked_leaves_the_replica_to_others() {
        let replica = shared();
        let other = replica.clone();
        let panicked = thread::spawn(move || {
            let _guard = other.lock();
            panic!("as a test");
        });
        assert!(panicked.join().is_err());
        replica.lock().set(NOW, ("Task", "t1", "title"), "x").unwrap();
    }
}
