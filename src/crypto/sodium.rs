//! The calls into libsodium, the only unsafe code of the core.

use std::{ffi::c_int, ptr, sync::OnceLock};

use libsodium_sys::{
    self as ffi, crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt,
};
use zeroize::Zeroizing;

use super::{
    CryptoError, Hash, KeyPair, PublicKey, SecretKey, Signature,
    self_test::{self, Ed25519},
};

// The lengths of the array types below.
const _: () = {
    assert!(ffi::crypto_sign_PUBLICKEYBYTES == 32);
    assert!(ffi::crypto_sign_SECRETKEYBYTES == 64);
    assert!(ffi::crypto_sign_SEEDBYTES == 32);
    assert!(ffi::crypto_sign_BYTES == 64);
    assert!(ffi::crypto_core_ed25519_BYTES == 32);
    assert!(ffi::crypto_hash_sha256_BYTES == 32);
    assert!(ffi::crypto_generichash_BYTES == 32);
    assert!(ffi::crypto_generichash_KEYBYTES == 32);
    assert!(ffi::crypto_shorthash_siphashx24_BYTES == 16);
    assert!(ffi::crypto_shorthash_siphashx24_KEYBYTES == 16);
    assert!(ffi::crypto_pwhash_SALTBYTES == 16);
    assert!(ffi::crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);
    assert!(ffi::crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == 24);
    assert!(ffi::crypto_aead_xchacha20poly1305_ietf_ABYTES == 16);
};

/// Bytes that encryption adds to a message.
const TAG_BYTES: usize = 16;

/// The handle of libsodium. A value proves that libsodium is initialized and has passed the self-test.
#[derive(Clone, Copy, Debug)]
pub struct Sodium(());

impl Sodium {
    /// Initializes and tests libsodium, once in a process. Later calls, from any thread, return the same result at
    /// almost no cost.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Init`] if it cannot be initialized, [`CryptoError::SelfTest`] if its verdicts differ from those
    /// of the library that this crate was made with.
    pub fn new() -> Result<Sodium, CryptoError> {
        static SODIUM: OnceLock<Result<Sodium, CryptoError>> = OnceLock::new();
        *SODIUM.get_or_init(|| {
            // SAFETY: may be called at any time, from any thread, any number of times.
            let status = unsafe { ffi::sodium_init() };
            // 0 on the first call, 1 on later ones.
            if status < 0 {
                return Err(CryptoError::Init);
            }
            let sodium = Sodium(());
            self_test::run(&sodium)?;
            Ok(sodium)
        })
    }

    /// Derives the key pair of a seed, like [`KeyPair::from_seed`].
    #[must_use]
    pub fn key_pair_from_seed(&self, seed: &[u8; 32]) -> KeyPair {
        KeyPair::filled_by(|public, secret| {
            let (public, secret) = (public.as_mut_ptr(), secret.as_mut_ptr());
            // SAFETY: writes 32 and 64 bytes and reads 32, the lengths of the three arrays.
            let status = unsafe { ffi::crypto_sign_seed_keypair(public, secret, seed.as_ptr()) };
            assert_succeeded(status);
        })
    }

    /// Returns the Ed25519 signature of `message` (RFC 8032, section 5.1.6). It is deterministic.
    #[must_use]
    pub fn sign(&self, message: &[u8], key: &SecretKey) -> Signature {
        let mut signature = [0; 64];
        let (out, key) = (signature.as_mut_ptr(), key.as_bytes().as_ptr());
        let (start, length) = (message.as_ptr(), length(message));
        // SAFETY: writes 64 bytes, reads the message and the 64 bytes of the key; the length may be NULL.
        let status = unsafe { ffi::crypto_sign_detached(out, ptr::null_mut(), start, length, key) };
        assert_succeeded(status);
        Signature::from_bytes(signature)
    }

    /// Returns true if `signature` is a valid signature of `message` by `key`.
    #[must_use]
    pub fn verify(&self, signature: &Signature, message: &[u8], key: &PublicKey) -> bool {
        #[cfg(test)]
        VERIFICATIONS.set(VERIFICATIONS.get() + 1);
        Ed25519::verify(self, signature.as_bytes(), message, key.as_bytes())
    }

    /// Returns the SHA-256 of `message` (FIPS 180-4).
    #[must_use]
    pub fn hash(&self, message: &[u8]) -> Hash {
        let mut hash = [0; 32];
        let (start, length) = (message.as_ptr(), length(message));
        // SAFETY: writes 32 bytes, the length of the array, and reads the message.
        let status = unsafe { ffi::crypto_hash_sha256(hash.as_mut_ptr(), start, length) };
        assert_succeeded(status);
        Hash::from_bytes(hash)
    }

    /// Returns the SipHash-2-4-128 of `message` (Aumasson and Bernstein, 2012): a pseudo-random function with the
    /// secret `key`. It is not collision resistant against anyone who knows `key`.
    #[must_use]
    pub fn short_hash(&self, key: &[u8; 16], message: &[u8]) -> [u8; 16] {
        let mut hash = [0; 16];
        let (out, start, length) = (hash.as_mut_ptr(), message.as_ptr(), length(message));
        // SAFETY: writes 16 bytes, reads the message and the 16 bytes of the key.
        let status = unsafe { ffi::crypto_shorthash_siphashx24(out, start, length, key.as_ptr()) };
        assert_succeeded(status);
        hash
    }

    /// Returns the keyed BLAKE2b of `message`, 32 bytes long (RFC 7693): a message authentication code and a
    /// pseudo-random function with the secret `key`.
    #[must_use]
    pub fn keyed_hash(&self, key: &[u8; 32], message: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        let (out, start, length) = (hash.as_mut_ptr(), message.as_ptr(), length(message));
        // SAFETY: writes 32 bytes, reads the message and the 32 bytes of the key.
        let status = unsafe { ffi::crypto_generichash(out, 32, start, length, key.as_ptr(), 32) };
        assert_succeeded(status);
        hash
    }

    /// Fills `out` with random numbers of the operating system. The process aborts if there are none.
    pub fn random(&self, out: &mut [u8]) {
        // SAFETY: writes as many bytes as the slice has, and nothing into an empty one.
        unsafe { ffi::randombytes_buf(out.as_mut_ptr().cast(), out.len()) }
    }

    /// Returns true if `a` and `b` are equal, in a time that depends only on their lengths.
    #[must_use]
    pub fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        if a.len() != b.len() {
            return false;
        }
        // SAFETY: reads as many bytes of each as both slices have.
        let status = unsafe { ffi::sodium_memcmp(a.as_ptr().cast(), b.as_ptr().cast(), a.len()) };
        status == 0
    }

    /// Returns 32 bytes of Argon2id, version 1.3, of a passphrase (RFC 9106), with one lane. `None` if the system does
    /// not have the memory, or libsodium refuses the parameters: at least 1 pass and 8 KiB.
    pub(crate) fn argon2id(
        &self,
        passphrase: &[u8],
        salt: &[u8; 16],
        passes: u32,
        memory_kib: u32,
    ) -> Option<Zeroizing<[u8; 32]>> {
        let mut hash = Zeroizing::new([0; 32]);
        let (out, start, length) = (hash.as_mut_ptr(), passphrase.as_ptr().cast(), length(passphrase));
        let memory = usize::try_from(memory_kib).ok()?.checked_mul(1024)?;
        let algorithm = ffi::crypto_pwhash_ALG_ARGON2ID13.cast_signed();
        let (salt, passes) = (salt.as_ptr(), passes.into());
        // SAFETY: writes 32 bytes, the length of the array, reads the passphrase and the 16 bytes of the salt.
        let status = unsafe { ffi::crypto_pwhash(out, 32, start, length, salt, passes, memory, algorithm) };
        (status == 0).then_some(hash)
    }

    /// Returns `message` encrypted by XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), with the tag of 16 bytes at its
    /// end. The tag covers `associated` too. A key must never see the same nonce twice.
    pub(crate) fn encrypt(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 24],
        associated: &[u8],
        message: &[u8],
    ) -> Vec<u8> {
        let mut sealed = vec![0; message.len() + TAG_BYTES];
        let (out, start, len) = (sealed.as_mut_ptr(), message.as_ptr(), length(message));
        let (ad, ad_len) = (associated.as_ptr(), length(associated));
        let (nonce, key) = (nonce.as_ptr(), key.as_ptr());
        // SAFETY: writes the length of the message and 16 bytes, reads the message, the associated data, 24 bytes of
        // nonce and 32 of key; the place for the length and the secret nonce may be NULL.
        let status =
            unsafe { encrypt(out, ptr::null_mut(), start, len, ad, ad_len, ptr::null(), nonce, key) };
        assert_succeeded(status);
        sealed
    }

    /// Returns the message of [`encrypt`](Self::encrypt); `None` if a byte, the key or the nonce is another.
    pub(crate) fn decrypt(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 24],
        associated: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut message = Zeroizing::new(vec![0; sealed.len().checked_sub(TAG_BYTES)?]);
        let (out, start, len) = (message.as_mut_ptr(), sealed.as_ptr(), length(sealed));
        let (ad, ad_len) = (associated.as_ptr(), length(associated));
        let (nonce, key) = (nonce.as_ptr(), key.as_ptr());
        // SAFETY: writes 16 bytes fewer than it reads of `sealed`, which has at least these, and reads the associated
        // data, 24 bytes of nonce and 32 of key; the place for the length and the secret nonce may be NULL.
        let status =
            unsafe { decrypt(out, ptr::null_mut(), ptr::null_mut(), start, len, ad, ad_len, nonce, key) };
        (status == 0).then_some(message)
    }
}

#[cfg(test)]
thread_local! {
    /// The number of signatures that this thread has verified, for tests.
    pub(crate) static VERIFICATIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl Ed25519 for Sodium {
    fn sign(&self, message: &[u8], seed: &[u8; 32]) -> [u8; 64] {
        *Sodium::sign(self, message, self.key_pair_from_seed(seed).secret_key()).as_bytes()
    }

    fn verify(&self, signature: &[u8; 64], message: &[u8], key: &[u8; 32]) -> bool {
        let (signature, key) = (signature.as_ptr(), key.as_ptr());
        let (start, length) = (message.as_ptr(), length(message));
        // SAFETY: reads 64 bytes of signature, the message and 32 bytes of key.
        let status = unsafe { ffi::crypto_sign_verify_detached(signature, start, length, key) };
        status == 0
    }

    fn is_valid_point(&self, key: &[u8; 32]) -> bool {
        // SAFETY: reads 32 bytes, the length of the array.
        let status = unsafe { ffi::crypto_core_ed25519_is_valid_point(key.as_ptr()) };
        status == 1
    }
}

/// Returns the length of a message as C's `unsigned long long`.
fn length(message: &[u8]) -> u64 {
    #[expect(clippy::expect_used, reason = "holds on every target that Rust has")]
    u64::try_from(message.len()).expect("usize has at most 64 bits")
}

/// Checks the status of a function that is documented to return 0 always; otherwise its output is missing.
fn assert_succeeded(status: c_int) {
    assert_eq!(status, 0, "libsodium failed where it cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{decode_hex_array, encode_hex};

    fn sodium() -> Sodium {
        Sodium::new().unwrap()
    }

    #[test]
    fn sha256_matches_the_known_answers() {
        // NIST's examples for FIPS 180-4, and the empty message of the SHA test vectors.
        let known = [
            (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&[b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ];
        for (message, hash) in known {
            assert_eq!(sodium().hash(message).to_string(), hash);
        }
    }

    #[test]
    fn siphash_matches_the_known_answers() {
        // Lengths 0, 1, 7, 8, 15 and 63 of `vectors_sip128` in the authors' reference code, as in libsodium's
        // siphashx24.exp: key and message count up from 0.
        let key = decode_hex_array("000102030405060708090a0b0c0d0e0f").unwrap();
        let message: Vec<u8> = (0..64).collect();
        for (length, hash) in [
            (0, "a3817f04ba25a8e66df67214c7550293"),
            (1, "da87c1d86b99af44347659119b22fc45"),
            (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
            (8, "3b62a9ba6258f5610f83e264f31497b4"),
            (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
            (63, "5150d1772f50834a503e069a973fbd7c"),
        ] {
            assert_eq!(encode_hex(&sodium().short_hash(&key, &message[..length])), hash, "length {length}");
        }
    }

    #[test]
    fn keyed_blake2b_matches_the_known_answers() {
        // Computed with Python's hashlib.blake2b(message, key=bytes(range(32)), digest_size=32); messages count up from
        // 0.
        let key =
            decode_hex_array("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap();
        let message: Vec<u8> = (0..128).collect();
        for (length, hash) in [
            (0, "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d"),
            (128, "138893f1631ef3165629515d6ed800da3771b7926dced294205c7507351deebc"),
        ] {
            assert_eq!(encode_hex(&sodium().keyed_hash(&key, &message[..length])), hash, "length {length}");
        }
    }

    #[test]
    fn argon2id_gives_the_known_answers() {
        // Computed with Python's argon2-cffi 25.1.0, by the reference implementation of the authors: RFC 9106 gives
        // its test vectors with a secret and associated data, which libsodium does not take.
        let counting = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for (passphrase, salt, passes, memory_kib, hash) in [
            (
                "correct horse battery staple",
                counting,
                1,
                8,
                "d17ea6341ca93da6079ea2f64dc4aa31dd1aaf9caa67fb42ac4afd0714706f26",
            ),
            ("", [0; 16], 3, 64, "4006c525a83133979688b6019ef0c5a2fb216dd83386f1d908246b040f9a8537"),
            (
                "Grüße",
                [0xff; 16],
                2,
                1024,
                "6af60a5a2074762653a1d19051e53dfb1e1f56bfeebaab199081c3700fbff98c",
            ),
        ] {
            let computed = sodium().argon2id(passphrase.as_bytes(), &salt, passes, memory_kib).unwrap();
            assert_eq!(encode_hex(&*computed), hash, "{passphrase}");
        }
        assert!(sodium().argon2id(b"a", &counting, 0, 8).is_none());
        assert!(sodium().argon2id(b"a", &counting, 1, 7).is_none());
    }

    #[test]
    fn xchacha20_poly1305_gives_the_known_answer() {
        // draft-irtf-cfrg-xchacha-03, section A.3.1.
        let message = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                        future, sunscreen would be it.";
        let associated: [u8; 12] = decode_hex_array("50515253c0c1c2c3c4c5c6c7").unwrap();
        let key: [u8; 32] = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap());
        let sealed = sodium().encrypt(&key, &nonce, &associated, message);
        assert_eq!(
            encode_hex(&sealed),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e\
             c0875924c1c7987947deafd8780acf49"
        );
        assert_eq!(**sodium().decrypt(&key, &nonce, &associated, &sealed).unwrap(), message[..]);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(sodium().decrypt(&key, &nonce, &associated, &altered).is_none(), "byte {at}");
        }
        assert!(sodium().decrypt(&key, &nonce, &associated[1..], &sealed).is_none());
        assert!(sodium().decrypt(&nonce_as_key(&nonce), &nonce, &associated, &sealed).is_none());
        assert!(sodium().decrypt(&key, &[0; 24], &associated, &sealed).is_none());
        assert!(sodium().decrypt(&key, &nonce, &associated, &sealed[..15]).is_none());
        let empty = sodium().encrypt(&key, &nonce, b"", b"");
        assert_eq!(sodium().decrypt(&key, &nonce, b"", &empty).unwrap().len(), 0);
    }

    fn nonce_as_key(nonce: &[u8; 24]) -> [u8; 32] {
        std::array::from_fn(|at| nonce.get(at).copied().unwrap_or(0))
    }

    #[test]
    fn equal_compares_contents_and_lengths() {
        assert!(sodium().equal(b"", b""));
        assert!(sodium().equal(b"abc", b"abc"));
        assert!(!sodium().equal(b"abc", b"abd"));
        assert!(!sodium().equal(b"abc", b"ab"));
        assert!(!sodium().equal(b"", b"a"));
    }

    #[test]
    fn random_fills_the_whole_buffer() {
        sodium().random(&mut []);
        let mut bytes = [[0; 32]; 2];
        bytes.iter_mut().for_each(|out| sodium().random(out));
        assert_ne!(bytes[0], bytes[1]);
        assert_ne!(bytes[1][16..], [0; 16]);
    }

    #[test]
    fn a_changed_bit_anywhere_makes_a_signature_invalid() {
        let (pair, message) = (KeyPair::generate().unwrap(), *b"four");
        let signature = sodium().sign(&message, pair.secret_key());
        assert!(sodium().verify(&signature, &message, &pair.public_key()));
        for bit in 0..512 {
            let mut bytes = *signature.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!sodium().verify(&Signature::from_bytes(bytes), &message, &pair.public_key()));
        }
        for bit in 0..32 {
            let mut other = message;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!sodium().verify(&signature, &other, &pair.public_key()));
        }
        assert!(!sodium().verify(&signature, b"four\0", &pair.public_key()));
        assert!(!sodium().verify(&signature, b"", &pair.public_key()));
    }

    #[test]
    fn an_empty_message_can_be_signed() {
        let pair = KeyPair::generate().unwrap();
        let signature = sodium().sign(b"", pair.secret_key());
        assert!(sodium().verify(&signature, b"", &pair.public_key()));
    }

    #[test]
    fn many_threads_may_initialize_at_once() {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Sodium::new().is_ok())).collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
    }
}
