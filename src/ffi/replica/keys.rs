//! The keys that a replica knows.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::KeyRegistry;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::json;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::keys::key::public_key_of;
use crate::ffi::replica::ask::ask_text;
use crate::ffi::replica::handle::policysync_replica;

/// Registers an actor's public key: from now on operations that it signs are admitted. Registering the same key again
/// changes nothing. A key cannot be removed.
///
/// `actor`, `actor_len`: the actor of the key, 1 to 1024 bytes of UTF-8.
/// `kid`, `kid_len`: the id of the key among the actor's keys; NULL and 0 for the id that is derived from the key.
/// `public_key`: 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_CRYPTO`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_register_key(
    replica: MaybeUninit<&mut policysync_replica>,
    actor: *const c_char,
    actor_len: usize,
    kid: *const c_char,
    kid_len: usize,
    public_key: MaybeUninit<&u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let actor = call.text(actor, actor_len, "actor")?;
        let kid = call.text(kid, kid_len, "kid")?;
        let key = public_key_of(actor, kid, call.fixed_bytes(public_key, "public_key")?)?;
        replica.enter()?.inside.replica.keys_mut().register(key)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Registers every public key of a registry in text form: one key a line as `policysync_key_public_text` writes it,
/// empty lines, and lines that begin with `#`. All of them or none.
///
/// `text`, `text_len`: the registry, UTF-8; one key is a registry too.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`
/// (the message names the line), `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_CRYPTO`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_register_text(
    replica: MaybeUninit<&mut policysync_replica>,
    text: *const c_char,
    text_len: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let keys = KeyRegistry::from_text(call.text(text, text_len, "text")?)?;
        replica.enter()?.inside.replica.keys_mut().register_all(&keys)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the registered keys as text, for `policysync_replica_register_text` and for `keys_text` of the options.
///
/// `out`: one key a line, in the order of registration.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_keys_text(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_text(call, replica, out, |replica| Ok(Some(replica.keys().to_text()))))
}

/// Returns the registered keys in the order of registration.
///
/// `out`: a JSON array of `{"actor":"alice","kid":"…","publicKey":"64 hexadecimal digits"}`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_keys(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        ask_text(call, replica, out, |replica| {
            Ok(Some(json::array(replica.keys().iter(), |key| json::key(key))))
        })
    })
}
