//! A cache of libsodium's signatures and verdicts.
//!
//! Both depend only on the arguments, and most operations of an input are those of the input that it was mutated from.
//! The linker calls these two functions instead of libsodium's (`build.rs`); the library is unchanged.

use std::collections::HashMap;
use std::ffi::{c_int, c_uchar, c_ulonglong};
use std::ptr::{null_mut, slice_from_raw_parts};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The most bytes in the cache. A full cache is cleared.
const ROOM: usize = 16 << 20;

static SIGNED: Memo<[u8; 64]> = Memo::new();
static VERIFIED: Memo<c_int> = Memo::new();

/// Results by the bytes of all arguments.
struct Memo<T>(LazyLock<Mutex<(usize, HashMap<Vec<u8>, T>)>>);

impl<T: Copy> Memo<T> {
    const fn new() -> Self {
        Self(LazyLock::new(Mutex::default))
    }

    fn get(&self, question: &[u8]) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.get(question).copied()
    }

    fn put(&self, question: Vec<u8>, answer: T) {
        let mut memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, answers) = &mut *memo;
        if *bytes > ROOM {
            *bytes = 0;
            answers.clear();
        }
        *bytes += question.len();
        answers.insert(question, answer);
    }
}

unsafe extern "C" {
    fn __real_crypto_sign_detached(
        signature: *mut c_uchar,
        len: *mut c_ulonglong,
        message: *const c_uchar,
        message_len: c_ulonglong,
        secret: *const c_uchar,
    ) -> c_int;
    fn __real_crypto_sign_verify_detached(
        signature: *const c_uchar,
        message: *const c_uchar,
        message_len: c_ulonglong,
        public: *const c_uchar,
    ) -> c_int;
}

/// Returns the bytes from `start`.
///
/// # Safety
///
/// `start` is valid for reads of `len` bytes, unless `len` is 0.
unsafe fn bytes<'a>(start: *const c_uchar, len: c_ulonglong) -> &'a [u8] {
    let len = usize::try_from(len).expect("it is in memory");
    // SAFETY: promised by the caller.
    if len == 0 { &[] } else { unsafe { &*slice_from_raw_parts(start, len) } }
}

/// Signs like libsodium. The library does not ask for the length.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_crypto_sign_detached(
    out: *mut c_uchar,
    len: *mut c_ulonglong,
    message: *const c_uchar,
    message_len: c_ulonglong,
    secret: *const c_uchar,
) -> c_int {
    assert!(len.is_null());
    // SAFETY: a secret key has 64 bytes, and the message `message_len`.
    let (key, text) = unsafe { (bytes(secret, 64), bytes(message, message_len)) };
    let question = [key, text].concat();
    let signature = SIGNED.get(&question).unwrap_or_else(|| {
        let mut signature = [0; 64];
        // SAFETY: the caller's arguments, with room for a signature.
        let status = unsafe {
            __real_crypto_sign_detached(signature.as_mut_ptr(), null_mut(), message, message_len, secret)
        };
        assert_eq!(status, 0);
        // The signature is valid under the public half, which is the second half of the key. libsodium verifies one in
        // sixteen anyway.
        if signature[0] % 16 != 0 {
            VERIFIED.put([&signature, &key[32..], text].concat(), 0);
        }
        SIGNED.put(question, signature);
        signature
    });
    // SAFETY: `out` has room for a signature.
    unsafe { out.copy_from_nonoverlapping(signature.as_ptr(), signature.len()) };
    0
}

/// Verifies like libsodium: returns 0 for a valid signature.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_crypto_sign_verify_detached(
    signature: *const c_uchar,
    message: *const c_uchar,
    message_len: c_ulonglong,
    public: *const c_uchar,
) -> c_int {
    // SAFETY: a signature has 64 bytes, a public key 32, and the message `message_len`.
    let question = unsafe { [bytes(signature, 64), bytes(public, 32), bytes(message, message_len)].concat() };
    VERIFIED.get(&question).unwrap_or_else(|| {
        // SAFETY: the caller's arguments.
        let verdict = unsafe { __real_crypto_sign_verify_detached(signature, message, message_len, public) };
        VERIFIED.put(question, verdict);
        verdict
    })
}
