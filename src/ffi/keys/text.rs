//! The text form of public keys.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::SigningPublicKey;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::keys::key::policysync_key;

/// Returns the public key with its actor and kid as one line of text, which never changes its form: for a registry, a
/// message or a QR code. The manual's page `format` describes it.
///
/// `out`: `policysync-key-1 <kid> <public key> <actor>`, without the end of the line.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_public_text(
    key: MaybeUninit<&policysync_key>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let key = call.required(key, "key")?;
        call.buffer(out)?.fill(key.get().public_key().to_text().as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Reads a public key from its text, for example to ask a person whether its actor is to be registered.
///
/// `text`, `text_len`: one line, as `policysync_key_public_text` writes it. White space around it is ignored.
/// `actor`: the actor; NULL if it is not wanted.
/// `kid`: the id of the key among the actor's keys; NULL if it is not wanted.
/// `out32`: room for the 32 bytes of the public key.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`,
/// `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_CRYPTO` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_public_key_from_text(
    text: *const c_char,
    text_len: usize,
    actor: *mut policysync_buffer,
    kid: *mut policysync_buffer,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out_bytes(out32, "out32")?;
        let key = SigningPublicKey::from_text(call.text(text, text_len, "text")?)?;
        out.write(*key.public_key().as_bytes());
        if let Some(actor) = call.optional_out(actor) {
            actor.fill(key.actor().as_bytes());
        }
        if let Some(kid) = call.optional_out(kid) {
            kid.fill(key.kid().as_bytes());
        }
        Ok(POLICYSYNC_OK)
    })
}
