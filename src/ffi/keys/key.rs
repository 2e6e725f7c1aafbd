//! Key pairs.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use crate::crypto::{KeyPair, PublicKey};
use crate::ffi::glue::boundary::{free_owned, guarded, guarded_or};
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::{SigningPublicKey, SigningSecretKey};

/// A key pair with the actor that it signs for. An actor is one writer: one device, one installation. Two devices that
/// write as one actor would contradict each other. A key never changes. Its secret is wiped when it is freed.
pub struct policysync_key {
    key: SigningSecretKey,
    actor: CString,
    kid: CString,
}

/// A public key with its actor. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_public_key {
    /// The actor, 1 to 1024 bytes of UTF-8.
    pub actor: policysync_bytes,
    /// The id of the key among the actor's keys; empty for the id that is derived from the key.
    pub kid: policysync_bytes,
    /// The 32 bytes of the key.
    pub public_key: [u8; 32],
}

/// Generates a key pair for an actor from the system's random numbers. Its kid is derived from the public key.
///
/// `actor`, `actor_len`: 1 to 1024 bytes of UTF-8.
/// `out`: the key, to be freed with `policysync_key_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
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
        out.write_owned(policysync_key::new(SigningSecretKey::generate(actor)?)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Derives the key pair of a seed. The same seed gives the same pair.
///
/// `actor`, `actor_len`: 1 to 1024 bytes of UTF-8.
/// `kid`, `kid_len`: the id of this key among the actor's keys, 1 to 1024 bytes of UTF-8; NULL and 0 for the id that is
/// derived from the public key.
/// `seed`: 32 secret bytes, which RFC 8032 calls the private key. Wipe your copy.
/// `out`: the key, to be freed with `policysync_key_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
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
        let seed = call.fixed_bytes(seed, "seed")?;
        let actor = call.text(actor, actor_len, "actor")?;
        let kid = call.text(kid, kid_len, "kid")?;
        let pair = KeyPair::from_seed(seed)?;
        let key = if kid.is_empty() {
            SigningSecretKey::new(actor, pair)?
        } else {
            SigningSecretKey::with_kid(actor, kid, pair)?
        };
        out.write_owned(policysync_key::new(key)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the public key, to be registered with every replica that should admit this actor's operations.
///
/// `out32`: room for 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
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

/// Returns the seed: **the whole secret**, for the platform's key store. Wipe your copy.
///
/// `out32`: room for 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
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

/// Returns the actor of the key as UTF-8 that ends with NUL and lives as long as the key; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_actor(key: *const policysync_key) -> *const c_char {
    guarded_or(std::ptr::null(), |call| Some(call.optional(key)?.actor.as_ptr()))
}

/// Returns the id of the key as UTF-8 that ends with NUL and lives as long as the key; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_kid(key: *const policysync_key) -> *const c_char {
    guarded_or(std::ptr::null(), |call| Some(call.optional(key)?.kid.as_ptr()))
}

/// Frees a key and wipes its secret. No other thread may be using it. Replicas that were opened with it have their own
/// copy. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_free(key: Option<Box<policysync_key>>) {
    free_owned(key);
}

impl policysync_key {
    fn new(key: SigningSecretKey) -> Result<Self, Failure> {
        let text = |text: &str| CString::new(text).map_err(|error| Failure::argument(error.to_string()));
        let (actor, kid) = (text(key.public_key().actor())?, text(key.public_key().kid())?);
        Ok(Self { key, actor, kid })
    }

    pub(in crate::ffi) fn get(&self) -> &SigningSecretKey {
        &self.key
    }

    /// Copies the key, for a replica that outlives this handle.
    pub(in crate::ffi) fn copy(&self) -> Result<SigningSecretKey, Failure> {
        let pair = KeyPair::from_seed(&self.key.key_pair().expose_seed())?;
        let public = self.key.public_key();
        Ok(SigningSecretKey::with_kid(public.actor(), public.kid(), pair)?)
    }
}

/// Builds a public key; an empty kid means the derived one.
pub(in crate::ffi) fn public_key_of(
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
