//! Setting fields to values that are not JSON text.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::Value;
use crate::ffi::glue::boundary::{Call, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::replica::write::set;
use crate::ffi::types::field::policysync_field;

/// Sets a field to a text, which becomes a JSON string. Otherwise it does the same as `policysync_replica_set`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `text`, `text_len`: the text, UTF-8.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set_text(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    text: *const c_char,
    text_len: usize,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    let value = |call: &Call| Ok(Value::from(call.text(text, text_len, "text")?));
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
}

/// Sets a field to an integer. Otherwise it does the same as `policysync_replica_set`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `value`: the integer. Beyond 2^53 - 1 on either side of 0 only those are allowed that a double holds exactly as they
/// are written, because every reader of JSON must read the same number; write others as text.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// Returns what `policysync_replica_set` does.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set_integer(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: i64,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    let value = |_: &Call| Ok(Value::try_from(value)?);
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
}

/// Sets a field to a double. Otherwise it does the same as `policysync_replica_set`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `value`: the number; `POLICYSYNC_ERR_VALUE` for infinity, NaN and negative zero.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// Returns what `policysync_replica_set` does.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set_double(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: f64,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    let value = |_: &Call| Ok(Value::try_from(value)?);
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
}

/// Sets a field to `true` or `false`. Otherwise it does the same as `policysync_replica_set`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `value`: 1 for `true`, 0 for `false`; `POLICYSYNC_ERR_ARGUMENT` for other numbers.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set_bool(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: i32,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    let value = |_: &Call| match value {
        0 => Ok(Value::from(false)),
        1 => Ok(Value::from(true)),
        other => Err(Failure::argument(format!("value is {other}, neither 0 nor 1"))),
    };
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
}

/// Sets a field to bytes, which become a JSON string in base64url without padding (RFC 4648, section 5). JSON has no
/// bytes: readers have to know that the field holds some. Otherwise it does the same as `policysync_replica_set`.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: the field.
/// `data`, `len`: the bytes.
/// `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
///
/// Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set_bytes(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    data: *const c_void,
    len: usize,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    let value = |call: &Call| Ok(Value::from_bytes(call.bytes(data, len, "data")?));
    guarded(err, |call| set(call, replica, now_ms, field, value, format, out))
}
