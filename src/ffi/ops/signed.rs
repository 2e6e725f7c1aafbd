//! Signed operations without a replica.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::SignedOp;
use crate::codec::BINARY_VERSION;
use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::keys::key::{policysync_key, public_key_of};
use crate::ffi::types::op::{policysync_format, policysync_op};
use crate::keys::{sign_op, verify_op};

/// Signs an operation as its actor. A replica does this for its own writes.
///
/// `op`: the content: `struct_size`, `kind`, `t`, `c`, `actor`, `entity`, `entity_id`, `path` and `value` (JSON; empty
/// or `null` for a delete) are required, `space` and `label` may be empty; other members are ignored.
/// `key`: a key of its actor.
/// `format`: the form of the output: a `policysync_format`.
/// `out`: the signed operation.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_CLOCK` (`t` or `c` is out of range),
/// `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_OTHER_ACTOR`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_op_sign(
    op: MaybeUninit<&policysync_op>,
    key: MaybeUninit<&policysync_key>,
    format: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let op = call.growing_required(op)?;
        let key = call.required(key, "key")?;
        let format = policysync_format::from_number(format)?;
        let out = call.buffer(out)?;
        let signed = sign_op(&Sodium::new()?, op.to_op(call)?, key.get())?;
        out.fill(&format.bytes(&signed));
        Ok(POLICYSYNC_OK)
    })
}

/// Verifies an operation against one key: the key must be the actor's, with the kid that the operation names, and must
/// have signed exactly this operation. A replica does this for every operation that it ingests.
///
/// `op`, `op_len`: JSON or the binary form.
/// `actor`, `actor_len`: the actor of the key, UTF-8.
/// `kid`, `kid_len`: the id of the key; NULL and 0 for the id that is derived from the key.
/// `public_key`: 32 bytes.
///
/// Returns `POLICYSYNC_OK` (it is genuine), `POLICYSYNC_ERR_UNKNOWN_KEY` (it names another actor or another kid),
/// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not
/// UTF-8), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_op_verify(
    op: *const c_void,
    op_len: usize,
    actor: *const c_char,
    actor_len: usize,
    kid: *const c_char,
    kid_len: usize,
    public_key: MaybeUninit<&u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let bytes = call.bytes(op, op_len, "op")?;
        let actor = call.text(actor, actor_len, "actor")?;
        let kid = call.text(kid, kid_len, "kid")?;
        let key = public_key_of(actor, kid, call.fixed_bytes(public_key, "public_key")?)?;
        verify_op(&Sodium::new()?, &decode(bytes)?, &key)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Computes the identity of an operation: SHA-256 of the signed text. The signature is not part of it, **and is not
/// verified**.
///
/// `op`, `op_len`: JSON or the binary form.
/// `out32`: room for 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_MALFORMED`,
/// `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_op_hash(
    op: *const c_void,
    op_len: usize,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let bytes = call.bytes(op, op_len, "op")?;
        let out = call.out_bytes(out32, "out32")?;
        let op = decode(bytes)?;
        out.write(*OpHash::of(&Sodium::new()?, op.as_ref())?.as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Converts an operation into another form. **The signature is not verified.**
///
/// `op`, `op_len`: JSON or the binary form.
/// `format`: the form of the output: a `policysync_format`.
/// `out`: the operation.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
/// `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_op_convert(
    op: *const c_void,
    op_len: usize,
    format: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let bytes = call.bytes(op, op_len, "op")?;
        let format = policysync_format::from_number(format)?;
        let out = call.buffer(out)?;
        out.fill(&format.bytes(&decode(bytes)?));
        Ok(POLICYSYNC_OK)
    })
}

/// Decodes either form, which the first byte distinguishes.
fn decode(bytes: &[u8]) -> Result<SignedOp, Failure> {
    Ok(match bytes.first() {
        Some(&BINARY_VERSION) => SignedOp::from_binary(bytes)?,
        _ => SignedOp::from_json(bytes)?,
    })
}
