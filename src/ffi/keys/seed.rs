//! Seeds encrypted with a passphrase, and seeds on paper.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::crypto::random;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::keys::key::policysync_key;
use crate::keys::{WrapCost, seed_from_paper, seed_to_paper, unwrap_seed, wrap_seed};

/// The room for a seed on paper: 15 groups of four characters, the spaces between them, and a NUL.
pub const POLICYSYNC_PAPER_SIZE: usize = 75;

/// Encrypts the seed of a key with a passphrase, as one line of text that never changes its form. The manual's page
/// `format` describes it. The text alone is of no use to anyone who cannot guess the passphrase.
///
/// `passphrase`, `passphrase_len`: at least one byte. Their Unicode normalization is the caller's choice.
/// `passes`, `memory_kib`: the cost of one guess: passes of Argon2id, 1 to 16, over 8 to 1048576 KiB of memory. 0 and 0
/// for 3 passes over 256 MiB, about a second.
/// `out`: the text.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (an empty passphrase, or the cost),
/// `POLICYSYNC_ERR_MEMORY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_wrap_seed(
    key: MaybeUninit<&policysync_key>,
    passphrase: *const c_void,
    passphrase_len: usize,
    passes: u32,
    memory_kib: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let key = call.required(key, "key")?;
        let passphrase = call.bytes(passphrase, passphrase_len, "passphrase")?;
        let out = call.buffer(out)?;
        let cost = match (passes, memory_kib) {
            (0, 0) => WrapCost::MODERATE,
            _ => WrapCost::new(passes, memory_kib)?,
        };
        let seed = key.get().key_pair().expose_seed();
        out.fill(wrap_seed(&seed, passphrase, cost, random()?, random()?)?.as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Decrypts a seed, for `policysync_key_from_seed`.
///
/// `text`, `text_len`: the text of `policysync_key_wrap_seed`. White space around it is ignored.
/// `passphrase`, `passphrase_len`: the passphrase.
/// `out32`: room for 32 bytes: **the whole secret**. Wipe them.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_PASSPHRASE`
/// (the text is whole, the passphrase is wrong), `POLICYSYNC_ERR_KEY_TEXT` (the text is damaged or something else),
/// `POLICYSYNC_ERR_MEMORY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_seed_unwrap(
    text: *const c_char,
    text_len: usize,
    passphrase: *const c_void,
    passphrase_len: usize,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out_bytes(out32, "out32")?;
        let text = call.text(text, text_len, "text")?;
        let passphrase = call.bytes(passphrase, passphrase_len, "passphrase")?;
        out.write(*unwrap_seed(text, passphrase)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the seed of a key as text that a person can write on paper and type in again: 15 groups of four letters and
/// digits, with a checksum that finds mistakes. **It is the whole secret**, without the actor and the kid.
///
/// `out`: room for `POLICYSYNC_PAPER_SIZE` bytes: the text, which ends with NUL. Wipe them.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_key_expose_paper(
    key: MaybeUninit<&policysync_key>,
    out: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let key = call.required(key, "key")?;
        let out = call.out_bytes(out, "out")?;
        let text = seed_to_paper(&key.get().key_pair().expose_seed());
        let mut bytes = [0; POLICYSYNC_PAPER_SIZE];
        for (to, from) in bytes.iter_mut().take(POLICYSYNC_PAPER_SIZE - 1).zip(text.as_bytes()) {
            *to = *from;
        }
        out.write(bytes);
        Ok(POLICYSYNC_OK)
    })
}

/// Reads a seed from paper, for `policysync_key_from_seed`.
///
/// `text`, `text_len`: the text of `policysync_key_expose_paper`. Case does not matter, the letter O is read as 0, I
/// and L as 1, and white space and `-` may be anywhere.
/// `out32`: room for 32 bytes: **the whole secret**. Wipe them.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`
/// (the message names the group with the mistake, if all mistakes are in one) or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_seed_from_paper(
    text: *const c_char,
    text_len: usize,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out_bytes(out32, "out32")?;
        let text = call.text(text, text_len, "text")?;
        out.write(*seed_from_paper(text)?);
        Ok(POLICYSYNC_OK)
    })
}
