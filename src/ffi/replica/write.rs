//! Writing fields.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, guarded, utf8};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_OK};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::field::policysync_field;
use crate::ffi::types::op::policysync_format;
use crate::{Replica, SignedOp, Value, WallMillis, WriteError};

/// Sets a field: stamps, signs and admits an operation, and returns it for sending to others.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `value`, `value_len`: any JSON value, nested at most 64 deep.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// On any failure the replica is unchanged.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_READ_ONLY`, `POLICYSYNC_ERR_CLOCK`,
/// `POLICYSYNC_ERR_CLOCK_AHEAD`, `POLICYSYNC_ERR_OTHER_WRITER`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`,
/// `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: *const c_void,
    value_len: usize,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let (entity, entity_id, path) = policysync_field::names(call, field)?;
        let value = Value::parse(utf8(call.bytes(value, value_len, "value")?, "value")?)?;
        write(call, &replica, now_ms, format, out, |replica, now| {
            replica.set(now, (entity, entity_id, path), value)
        })
    })
}

/// Deletes a field: stamps, signs and admits an operation, and returns it for sending to others. A later set restores
/// the field.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// On any failure the replica is unchanged.
///
/// Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_delete(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let (entity, entity_id, path) = policysync_field::names(call, field)?;
        write(call, &replica, now_ms, format, out, |replica, now| {
            replica.delete(now, (entity, entity_id, path))
        })
    })
}

fn write(
    call: &Call,
    replica: &policysync_replica,
    now_ms: u64,
    format: u32,
    out: *mut policysync_buffer,
    write: impl FnOnce(&mut Replica, WallMillis) -> Result<SignedOp, WriteError>,
) -> Result<policysync_status_code, Failure> {
    let out = match call.optional_out(out) {
        Some(out) => Some((out, policysync_format::from_number(format)?)),
        None => None,
    };
    let op = replica.change(now_ms, |replica, now| Ok(write(replica, now)?))?;
    if let Some((out, format)) = out {
        out.fill(&format.bytes(&op));
    }
    Ok(POLICYSYNC_OK)
}
