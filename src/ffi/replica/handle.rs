//! The handle of a replica.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{free_shared, guarded};
use crate::ffi::glue::callback::Taken;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::clock::policysync_clock;
use crate::ffi::replica::failures::Failures;
use crate::ffi::replica::observer::policysync_observer;
use crate::ffi::replica::options::{Options, policysync_replica_options};
use crate::ffi::replica::{clock, guard};
use crate::{OpenError, Replica, WallMillis};

/// One copy of the data: the operations that this device has written and received, merged. A replica opens no sockets,
/// and starts no threads that outlive a call.
pub struct policysync_replica {
    shared: Shared<Inside>,
}

/// Opens a replica: an empty one in memory, or with `options.path` the one in a file.
///
/// A file is not trusted. The hash of each operation is computed and its signature verified again, unless
/// `options.seal_key` proves that this was done before. The guard is not called for them. Existing fields do not count
/// as changes. The file is closed when the replica and all its cursors are freed.
///
/// `options`: NULL for the defaults: a replica in memory that only reads. The contexts of the callbacks are destroyed
/// when the call fails, or when the replica and its cursors are freed.
/// `out`: the replica, to be freed with `policysync_replica_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a callback without its function),
/// `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (threads, a path),
/// `POLICYSYNC_ERR_IDENTIFIER` (a name), `POLICYSYNC_ERR_KEY` or `POLICYSYNC_ERR_KEY_TAKEN` (`op_index` is the element
/// of `options.keys`), `POLICYSYNC_ERR_KEY_TEXT`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. With a path also
/// `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_CLOCK` (out of range), `POLICYSYNC_ERR_FULL`,
/// `POLICYSYNC_ERR_UNKNOWN_KEY` (of operation number `op_index` in the file: add the key to `options.keys`),
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_SEAL_KEY`,
/// `POLICYSYNC_ERR_ROLLED_BACK`, `POLICYSYNC_ERR_RESTORED_BACKUP` or a store failure.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_open(
    options: *const policysync_replica_options,
    out: MaybeUninit<&mut *mut policysync_replica>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        // The options come first: contexts are taken over and destroyed even if `out` is NULL.
        let options = Options::take(call, options);
        let out = call.handle_out(out, "out")?;
        let Options { replica, guard_failed, clock, observer, file } = options?;
        let replica = Replica::open(replica).map_err(|error| match (error, &file) {
            // Its message names the file already.
            (OpenError::Store(error), _) => error.into(),
            (error, Some(file)) => Failure::from(error).in_file(file),
            (error, None) => error.into(),
        })?;
        let inside = Inside { replica, guard_failed, clock, observer, failures: Failures::default() };
        out.write_shared(policysync_replica { shared: Shared::new("replica", inside) });
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a replica. Its cursors stay usable, and the data that they share with it is freed with the last of them. NULL
/// is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_free(replica: *mut policysync_replica) {
    free_shared(replica);
}

/// The state that one thread at a time uses.
pub(in crate::ffi) struct Inside {
    pub(in crate::ffi) replica: Replica,
    guard_failed: guard::Failed,
    clock: Option<Taken<policysync_clock>>,
    observer: Option<Taken<policysync_observer>>,
    pub(in crate::ffi) failures: Failures,
}

impl policysync_replica {
    /// Waits for other threads to leave. Fails if this thread is inside already.
    pub(in crate::ffi) fn enter(&self) -> Result<Entered<'_, Inside>, Failure> {
        self.shared.enter()
    }

    /// Runs `work`, which may change fields, and notifies the observer if it did.
    pub(in crate::ffi) fn change<T>(
        &self,
        now_ms: u64,
        work: impl FnOnce(&mut Replica, WallMillis) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (done, _) = self.answer(now_ms, |replica, now| Ok((work(replica, now)?, None)))?;
        Ok(done)
    }

    /// Does the same for work that has an answer even where it failed. The report has its failure too.
    pub(in crate::ffi) fn answer<T>(
        &self,
        now_ms: u64,
        work: impl FnOnce(&mut Replica, WallMillis) -> Result<(T, Option<Failure>), Failure>,
    ) -> Result<(T, Option<Failure>), Failure> {
        let mut entered = self.enter()?;
        let now = entered.now(now_ms)?;
        let Inside { replica, guard_failed, observer, failures, .. } = &mut *entered.inside;
        let result = work(replica, now);
        if let Some(observer) = observer
            && replica.has_changes()
        {
            observer.changed();
        }
        // A guard that fails aborts the call; its reason says more than that.
        let result = match guard_failed.take() {
            Some(failure) => Err(failure),
            None => result,
        };
        if let Err(failure) | Ok((_, Some(failure))) = &result {
            failures.note(now, failure);
        }
        result
    }
}

impl Entered<'_, Inside> {
    /// Returns the time that the caller gives, or that a clock reads.
    pub(in crate::ffi) fn now(&self, now_ms: u64) -> Result<WallMillis, Failure> {
        clock::now(now_ms, self.inside.clock.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaOptions;

    fn replica() -> policysync_replica {
        let inside = Inside {
            replica: Replica::open(ReplicaOptions::new()).unwrap(),
            guard_failed: guard::Failed::default(),
            clock: None,
            observer: None,
            failures: Failures::default(),
        };
        policysync_replica { shared: Shared::new("replica", inside) }
    }

    #[test]
    fn a_panic_poisons_the_replica() {
        let replica = replica();
        let call = |work: fn() -> u32| {
            guarded(std::ptr::null_mut(), |_| replica.change(0, |_, _| Ok(work())).map(|_| POLICYSYNC_OK))
        };
        assert_eq!(call(|| 1), 0);
        assert_eq!(call(|| panic!("on purpose")), -301);
        assert_eq!(call(|| 1), -301);
    }
}
