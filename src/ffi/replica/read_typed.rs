//! Reading fields as values that are not JSON text.

use std::mem::MaybeUninit;

use crate::Value;
use crate::ffi::glue::boundary::{Call, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_ERR_TYPE};
use crate::ffi::replica::ask::ask;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::field::policysync_field;

/// Returns the value of a field that is a text.
///
/// `field`: the field.
/// `out`: the text, without quotes and escapes. It may contain NUL. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_TYPE`,
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get_text(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.buffer(out)?;
        typed(call, replica, field, "a text", Value::text, |text| out.fill(text.as_bytes()))
    })
}

/// Returns the value of a field that is an integer.
///
/// `field`: the field.
/// `out`: the integer. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns what `policysync_replica_get_text` does.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get_integer(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut i64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        typed(call, replica, field, "an integer of 64 bits", Value::integer, |number| out.write(number))
    })
}

/// Returns the value of a field that is a number.
///
/// `field`: the field.
/// `out`: the number. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns what `policysync_replica_get_text` does.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get_double(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut f64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        typed(call, replica, field, "a number", Value::number, |number| out.write(number))
    })
}

/// Returns the value of a field that is `true` or `false`.
///
/// `field`: the field.
/// `out`: 1 for `true`, 0 for `false`. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns what `policysync_replica_get_text` does.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get_bool(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut i32>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        typed(call, replica, field, "a boolean", Value::boolean, |truth| out.write(truth.into()))
    })
}

/// Returns the value of a field that is bytes, as `policysync_replica_set_bytes` writes them.
///
/// `field`: the field.
/// `out`: the bytes. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns what `policysync_replica_get_text` does. A text that is not base64url without padding is
/// `POLICYSYNC_ERR_TYPE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get_bytes(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.buffer(out)?;
        typed(call, replica, field, "bytes in base64url", Value::bytes, |bytes| out.fill(&bytes))
    })
}

/// Asks for the value of a field and hands it out if it has the type.
fn typed<T>(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    wanted: &str,
    read: fn(&Value) -> Option<T>,
    answer: impl FnOnce(T),
) -> Result<policysync_status_code, Failure> {
    let (entity, entity_id, path) = policysync_field::names(call, field)?;
    let read = |value: Value| {
        read(&value).ok_or_else(|| {
            let message = format!("the value is {}, not {wanted}", value.value_type());
            Failure::new(POLICYSYNC_ERR_TYPE, message)
        })
    };
    ask(call, replica, |replica| replica.get((entity, entity_id, path))?.map(read).transpose(), answer)
}
