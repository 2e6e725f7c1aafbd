//! Letting go of the file while idle.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;

/// Closes the replica's file and releases its lock, so that the replica can be kept in memory while it is not used:
/// mobile systems end an application that is suspended with a lock. Until `policysync_replica_reacquire_store`, calls
/// that need the file return `POLICYSYNC_ERR_RELEASED`: writes, ingests, and reads of values. Does nothing if the file
/// is released already.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the replica was opened without a path), a
/// store failure (the file stays open), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_release_store(
    replica: MaybeUninit<&mut policysync_replica>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        replica.enter()?.inside.replica.release_store()?;
        Ok(POLICYSYNC_OK)
    })
}

/// Opens the replica's file again after `policysync_replica_release_store`, and takes in the operations that another
/// process has appended meanwhile. The time that this takes depends on their number, not on the length of the log.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `count`: the number of these operations; NULL if it is not wanted.
///
/// If the file cannot be opened, it stays released. If only these operations cannot be taken in, for example because of
/// an unknown key, it is open: register the key and call again.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the replica was opened without a path),
/// `POLICYSYNC_ERR_MOVED` (the path names another file now), `POLICYSYNC_ERR_UNKNOWN_KEY`, `POLICYSYNC_ERR_CALLBACK`
/// (the clock), `POLICYSYNC_ERR_CLOCK` (out of range), another store failure, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_reacquire_store(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    count: *mut u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let count = call.optional_out(count);
        let found = replica.change(now_ms, |replica, now| Ok(replica.reacquire_store(now)?))?;
        if let Some(count) = count {
            count.write(u64::try_from(found).unwrap_or(u64::MAX));
        }
        Ok(POLICYSYNC_OK)
    })
}
