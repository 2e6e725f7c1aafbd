//! The clocks of a replica.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::replica::ask::{ask, ask_number};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::hlc::policysync_hlc;

/// Returns the greatest timestamp that the replica has issued or merged. Its next write gets a later one.
///
/// `out`: the timestamp. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the clock has not been used yet), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_clock(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_hlc>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        ask(call, replica, |replica| Ok(replica.clock().last()), |last| out.write(policysync_hlc::of(last)))
    })
}

/// Returns the time up to which operations are merged; later ones are held. Merged operations stay merged, also when
/// the replica is closed and opened again.
///
/// `out`: milliseconds since 1970. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no call has given a time yet), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_horizon(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.horizon()?.0)))
}

/// Returns the number of operations that are held because their timestamp is too far ahead. Takes time proportional to
/// their number.
///
/// `out`: the number.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_held(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| u64::try_from(replica.held()).ok()))
}

/// Returns the time at which `policysync_replica_poll` merges the first of the held operations.
///
/// `out`: milliseconds since 1970. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none is held), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_next_due(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.next_due()?.0)))
}

/// Returns the time of the last call that was given or read a time, if that is not between 2020 and 2100: perhaps the
/// clock was never set, or seconds were passed for milliseconds. Such a time releases no held operation, and a write is
/// stamped right after the greatest merged operation.
///
/// `out`: the time. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the time is believed), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
/// or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_doubted_clock(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.doubted_clock()?.0)))
}

/// Returns how far ahead of the wall clock the next write would be stamped, if that is more than `max_drift_ms`. Writes
/// return `POLICYSYNC_ERR_CLOCK_AHEAD` until that time has passed, or until `policysync_replica_reset_clock`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `out`: milliseconds. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the clock is not ahead), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_clock_ahead(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        let replica = call.shared(replica, "replica")?;
        let entered = replica.enter()?;
        let now = entered.now(now_ms)?;
        Ok(match entered.inside.replica.clock_ahead(now) {
            Some(by) => {
                out.write(by.0);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_NOT_FOUND,
        })
    })
}

/// Declares that `now_ms` is right and that an earlier wall clock was ahead. Operations that are too far ahead are held
/// again until they are due, the replica's own ones included. Writing works at once, and no timestamp is used twice.
/// Takes time proportional to the log.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` (the time is not between 2020 and 2100),
/// `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_PANIC` or a store failure.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_reset_clock(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        replica.change(now_ms, |replica, now| Ok(replica.reset_clock(now)?))?;
        Ok(POLICYSYNC_OK)
    })
}
