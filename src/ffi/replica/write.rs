//! Writing fields.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, Out, guarded, utf8};
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
    let value = |call: &Call| Ok(Value::parse(utf8(call.bytes(value, value_len, "value")?, "value")?)?);
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
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

/// Deletes an entity: all fields that it has in this replica, in one transaction. Fields that others set at the same
/// time, or that arrive later, are not deleted.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `entity`, `entity_len`, `entity_id`, `entity_id_len`: the entity, UTF-8.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operations, one for each field, as `policysync_replica_export` writes them; NULL if they are not wanted.
///
/// On any failure the replica is unchanged.
///
/// Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_delete_entity(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    entity: *const c_char,
    entity_len: usize,
    entity_id: *const c_char,
    entity_id_len: usize,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let entity = call.text(entity, entity_len, "entity")?;
        let entity_id = call.text(entity_id, entity_id_len, "entity_id")?;
        let output = Output::new(call, format, out)?;
        let ops =
            replica.change(now_ms, |replica, now| Ok(replica.delete_entity(now, entity, entity_id)?))?;
        output.fill(|format, bytes| ops.iter().try_for_each(|op| format.frame(op, bytes)))
    })
}

/// Sets a field to a value.
pub(super) fn set(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: impl FnOnce(&Call) -> Result<Value, Failure>,
    format: u32,
    out: *mut policysync_buffer,
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let (entity, entity_id, path) = policysync_field::names(call, field)?;
    let value = value(call)?;
    write(call, &replica, now_ms, format, out, |replica, now| {
        replica.set(now, (entity, entity_id, path), value)
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
    let output = Output::new(call, format, out)?;
    let op = replica.change(now_ms, |replica, now| Ok(write(replica, now)?))?;
    output.fill(|format, bytes| {
        format.write(&op, bytes);
        Ok(())
    })
}

/// A buffer for operations, if the caller wants them.
struct Output<'c>(Option<(Out<'c, policysync_buffer>, policysync_format)>);

impl<'c> Output<'c> {
    fn new(call: &'c Call, format: u32, out: *mut policysync_buffer) -> Result<Self, Failure> {
        Ok(Self(match call.optional_out(out) {
            Some(out) => Some((out, policysync_format::from_number(format)?)),
            None => None,
        }))
    }

    fn fill(
        self,
        write: impl FnOnce(policysync_format, &mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<policysync_status_code, Failure> {
        if let Some((out, format)) = self.0 {
            let mut bytes = Vec::new();
            write(format, &mut bytes)?;
            out.fill(&bytes);
        }
        Ok(POLICYSYNC_OK)
    }
}
