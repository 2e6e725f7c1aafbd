//! Remembers what libsodium signed and what it said of a signature: both depend on nothing but the arguments, and most
//! operations of an input are those of the input that it was made from. What is not remembered, libsodium is asked.
//!
//! The linker calls these two functions in the place of libsodium's (`build.rs`); the library knows nothing of it.

use std::collections::HashMap;
use std::ffi::{c_int, c_uchar, c_ulonglong};
use std::ptr::{null_mut, slice_from_raw_parts};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Bytes to remember at most; beyond, all is forgotten.
const ROOM: usize = 16 << 20;

static SIGNED: Memo<[u8; 64]> = Memo::new();
static VERIFIED: Memo<c_int> = Memo::new();

/// Answers by the bytes that were asked about, all of them.
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

/// # Safety
///
/// So many bytes are there, unless there are none.
unsafe fn bytes<'a>(start: *const c_uchar, len: c_ulonglong) -> &'a [u8] {
    let len = usize::try_from(len).expect("it is in memory");
    // SAFETY: promised.
    if len == 0 { &[] } else { unsafe { &*slice_from_raw_parts(start, len) } }
}

/// As libsodium has it; the library does not ask for the length.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_crypto_sign_detached(
    out: *mut c_uchar,
    len: *mut c_ulonglong,
    message: *const c_uchar,
    message_len: c_ulonglong,
    secret: *const c_uchar,
) -> c_int {
    assert!(len.is_null());
    // SAFETY: so long are a secret key and the message.
    let (key, text) = unsafe { (bytes(secret, 64), bytes(message, message_len)) };
    let question = [key, text].concat();
    let signature = SIGNED.get(&question).unwrap_or_else(|| {
        let mut signature = [0; 64];
        // SAFETY: as it came, with room for a signature.
        let status = unsafe {
            __real_crypto_sign_detached(signature.as_mut_ptr(), null_mut(), message, message_len, secret)
        };
        assert_eq!(status, 0);
        // What was signed here is valid under the public half, which is the second of the key. One in sixteen is left to
        // libsodium to say so.
        if signature[0] % 16 != 0 {
            VERIFIED.put([&signature, &key[32..], text].concat(), 0);
        }
        SIGNED.put(question, signature);
        signature
    });
    // SAFETY: room for a signature.
    unsafe { out.copy_from_nonoverlapping(signature.as_ptr(), signature.len()) };
    0
}

/// As libsodium has it: 0 for a signature that is valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_crypto_sign_verify_detached(
    signature: *const c_uchar,
    message: *const c_uchar,
    message_len: c_ulonglong,
    public: *const c_uchar,
) -> c_int {
    // SAFETY: so long are a signature, a public key and the message.
    let question = unsafe { [bytes(signature, 64), bytes(public, 32), bytes(message, message_len)].concat() };
    VERIFIED.get(&question).unwrap_or_else(|| {
        // SAFETY: as it came.
        let verdict = unsafe { __real_crypto_sign_verify_detached(signature, message, message_len, public) };
        VERIFIED.put(question, verdict);
        verdict
    })
}
