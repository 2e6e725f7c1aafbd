//! The clocks of a replica.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
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

/// Returns the time up to which operations are merged; later ones are held. It never goes back: merged operations stay
/// merged.
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
