//! One operation, without a replica: signing, verifying, hashing, converting.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use super::boundary::guarded;
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::key::{policysync_key, public_key_of};
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use super::view::{policysync_format, policysync_op};
use crate::SignedOp;
use crate::codec::BINARY_VERSION;
use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::keys::{sign_op, verify_op};

/// Signs an operation as its actor. A replica does this for what it writes itself.
///
/// `op`: what it says: `struct_size`, `kind`, `t`, `c`, `actor`, `entity`, `entity_id`, `path` and `value` (JSON;
/// nothing or `null` for a delete) are required, `space` and `label` may be empty; the others are not looked at.
/// Borrowed for the call.
/// `key`: a key of its actor.
/// `format`: in which form it is wanted: a `policysync_format`.
/// `out`: the signed operation.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_CLOCK` (`t` or `c` is out of range),
/// `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_OTHER_ACTOR`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any
/// thread. Since ABI 1.
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

/// Checks an operation against one key: the key must be the actor's, under the kid that the operation names, and must
/// have signed exactly this operation. A replica does this for everything it takes in.
///
/// `op`, `op_len`: JSON or the binary form. Borrowed for the call.
/// `actor`, `actor_len`: whose key it is; UTF-8.
/// `kid`, `kid_len`: which of the actor's keys it is; NULL and 0 for the kid that is derived from the key.
/// `public_key`: 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (it is genuine), `POLICYSYNC_ERR_UNKNOWN_KEY` (it names another actor or another kid),
/// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not
/// UTF-8), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any
/// thread. Since ABI 1.
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
        let key = public_key_of(actor, kid, call.bytes32(public_key, "public_key")?)?;
        verify_op(&Sodium::new()?, &decode(bytes)?, &key)?;
        Ok(POLICYSYNC_OK)
    })
}

/// The identity of an operation: SHA-256 of the text that is signed. The signature is not in it, **and is not
/// checked**.
///
/// `op`, `op_len`: JSON or the binary form. Borrowed for the call.
/// `out32`: room for 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_MALFORMED`,
/// `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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

/// The same operation in another form. **Nothing is checked against a key.**
///
/// `op`, `op_len`: JSON or the binary form. Borrowed for the call.
/// `format`: in which form it is wanted: a `policysync_format`.
/// `out`: the operation.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
/// `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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

/// SHA-256 (FIPS 180-4).
///
/// `data`, `len`: any bytes. Borrowed for the call.
/// `out32`: room for 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_CRYPTO` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sha256(
    data: *const c_void,
    len: usize,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let data = call.bytes(data, len, "data")?;
        let out = call.out_bytes(out32, "out32")?;
        out.write(*Sodium::new()?.hash(data).as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// As a replica tells the two forms apart.
fn decode(bytes: &[u8]) -> Result<SignedOp, Failure> {
    Ok(match bytes.first() {
        Some(&BINARY_VERSION) => SignedOp::from_binary(bytes)?,
        _ => SignedOp::from_json(bytes)?,
    })
}
