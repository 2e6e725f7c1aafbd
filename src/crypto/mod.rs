//! A safe interface to libsodium.
//!
//! It works on bytes and knows nothing of operations. Signatures are Ed25519 (RFC 8032), hashes SHA-256 (FIPS 180-4).
//!
//! ```
//! use policysync::crypto::{KeyPair, Sodium};
//!
//! let sodium = Sodium::new()?;
//! let alice = KeyPair::generate()?;
//! let signature = sodium.sign(b"hello", alice.secret_key());
//! assert!(sodium.verify(&signature, b"hello", &alice.public_key()));
//! assert!(!sodium.verify(&signature, b"Hello", &alice.public_key()));
//! # Ok::<(), policysync::crypto::CryptoError>(())
//! ```
//!
//! # Which signatures are valid
//!
//! RFC 8032 leaves the validity of some unusual signatures open, and replicas that decide differently never converge.
//! The verdict is therefore that of libsodium's `crypto_sign_verify_detached`, for keys that
//! `crypto_core_ed25519_is_valid_point` accepts; every [`PublicKey`] is one of these. [`Sodium::new`] fails with a
//! libsodium that decides differently.

mod encoding;
mod error;
mod hash;
mod key;
mod random;
mod self_test;
#[expect(unsafe_code, reason = "libsodium is written in C; the rest of this module is safe")]
mod sodium;
#[cfg(test)]
mod vectors_tests;

pub use error::{CryptoError, EncodingError, KeyError};
pub use hash::Hash;
pub(crate) use hash::first;
pub use key::{KeyPair, PublicKey, SecretKey, Signature};
pub use random::random;
pub use sodium::Sodium;
/// A value that is wiped when dropped, from the crate `zeroize`.
pub use zeroize::Zeroizing;

#[cfg(any(feature = "http", feature = "websocket"))]
pub(crate) use encoding::encode_base64;
pub(crate) use encoding::{
    decode_base64url, decode_base64url_array, decode_hex_array, encode_base64url, encode_hex,
};
#[cfg(test)]
pub(crate) use sodium::VERIFICATIONS;
