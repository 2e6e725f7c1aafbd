//! A key pair and the actor it speaks for.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use super::boundary::{guarded, guarded_or};
use super::error::{Failure, policysync_error};
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use crate::crypto::{KeyPair, PublicKey};
use crate::{SigningPublicKey, SigningSecretKey};

/// A key pair and the actor it speaks for. An actor is one writer: one device, one installation; two devices that write
/// as one actor look like a liar who says two things at once. Never changes, so any thread may use it at any time. The
/// secret is wiped when it is freed.
pub struct policysync_key {
    key: SigningSecretKey,
    actor: CString,
    kid: CString,
}

/// Makes a new key pair for an actor, from the system's random numbers. Its kid is derived from the public key.
///
/// `actor`, `actor_len`: 1 to 1024 bytes of UTF-8; borrowed for the call.
/// `out`: the key, to be freed with `policysync_key_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_generate(
    actor: *const c_char,
    actor_len: usize,
    out: MaybeUninit<&mut *mut policysync_key>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let actor = call.text(actor, actor_len, "actor")?;
        out.write(policysync_key::new(SigningSecretKey::generate(actor)?)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Makes the key pair of a seed: the same seed gives the same pair.
///
/// `actor`, `actor_len`: 1 to 1024 bytes of UTF-8; borrowed for the call.
/// `kid`, `kid_len`: which of the actor's keys this is, 1 to 1024 bytes of UTF-8; NULL and 0 for the kid that is
/// derived from the public key.
/// `seed`: 32 secret bytes, what RFC 8032 calls the private key. Borrowed for the call; yours to wipe.
/// `out`: the key, to be freed with `policysync_key_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_from_seed(
    actor: *const c_char,
    actor_len: usize,
    kid: *const c_char,
    kid_len: usize,
    seed: MaybeUninit<&u8>,
    out: MaybeUninit<&mut *mut policysync_key>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let seed = call.bytes32(seed, "seed")?;
        let actor = call.text(actor, actor_len, "actor")?;
        let kid = call.text(kid, kid_len, "kid")?;
        let pair = KeyPair::from_seed(seed)?;
        let key = if kid.is_empty() {
            SigningSecretKey::new(actor, pair)?
        } else {
            SigningSecretKey::with_kid(actor, kid, pair)?
        };
        out.write(policysync_key::new(key)?);
        Ok(POLICYSYNC_OK)
    })
}

/// The public half: 32 bytes, to be registered with every replica that shall admit this actor's operations.
///
/// `out32`: room for 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_public(
    key: MaybeUninit<&policysync_key>,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let key = call.required(key, "key")?;
        let out = call.out_bytes(out32, "out32")?;
        out.write(*key.key.key_pair().public_key().as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// The seed: **the whole secret**, 32 bytes, for the platform's key store. Wipe your copy.
///
/// `out32`: room for 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_expose_seed(
    key: MaybeUninit<&policysync_key>,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let key = call.required(key, "key")?;
        let out = call.out_bytes(out32, "out32")?;
        out.write(*key.key.key_pair().expose_seed());
        Ok(POLICYSYNC_OK)
    })
}

/// The actor that the key speaks for.
///
/// Returns UTF-8 that ends with NUL and lives as long as the key; NULL for NULL. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_actor(key: *const policysync_key) -> *const c_char {
    guarded_or(std::ptr::null(), |call| Some(call.optional(key)?.actor.as_ptr()))
}

/// Which of its actor's keys it is.
///
/// Returns UTF-8 that ends with NUL and lives as long as the key; NULL for NULL. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_kid(key: *const policysync_key) -> *const c_char {
    guarded_or(std::ptr::null(), |call| Some(call.optional(key)?.kid.as_ptr()))
}

/// Frees a key and wipes its secret. Replicas that were opened with it have their own copy. NULL is allowed. Any
/// thread, while no other uses the key. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_free(key: Option<Box<policysync_key>>) {
    guarded_or((), |_| {
        drop(key);
        None
    });
}

impl policysync_key {
    fn new(key: SigningSecretKey) -> Result<*mut Self, Failure> {
        let text = |text: &str| CString::new(text).map_err(|error| Failure::argument(error.to_string()));
        let (actor, kid) = (text(key.public_key().actor())?, text(key.public_key().kid())?);
        Ok(Box::into_raw(Box::new(Self { key, actor, kid })))
    }

    pub(super) fn get(&self) -> &SigningSecretKey {
        &self.key
    }

    /// A copy, for a replica that outlives this handle.
    pub(super) fn copy(&self) -> Result<SigningSecretKey, Failure> {
        let pair = KeyPair::from_seed(&self.key.key_pair().expose_seed())?;
        let public = self.key.public_key();
        Ok(SigningSecretKey::with_kid(public.actor(), public.kid(), pair)?)
    }
}

/// A public key as callers name it: an empty kid stands for the derived one.
pub(super) fn public_key_of(
    actor: &str,
    kid: &str,
    public_key: &[u8; 32],
) -> Result<SigningPublicKey, Failure> {
    let public_key = PublicKey::from_bytes(public_key)?;
    Ok(if kid.is_empty() {
        SigningPublicKey::new(actor, public_key)?
    } else {
        SigningPublicKey::with_kid(actor, kid, public_key)?
    })
}
