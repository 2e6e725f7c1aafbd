//! Keys, signatures and hashes of bytes: libsodium behind one safe door.
//!
//! Nothing here knows what the bytes mean. Signatures are Ed25519 (RFC 8032), hashes SHA-256 (FIPS 180-4).
//!
//! ```
//! use policysync::crypto::{CryptoProvider, KeyPair, Sodium};
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
//! RFC 8032 leaves open whether some odd signatures are valid, and replicas that decide differently never
//! agree again. So there is one verdict, that of libsodium's `crypto_sign_verify_detached`, for keys that
//! `crypto_core_ed25519_is_valid_point` accepts; a [`PublicKey`] is always one of these. [`Sodium`] refuses
//! to work with a libsodium that answers differently.

mod base64;
mod error;
mod hash;
mod hex;
mod key;
mod provider;
mod self_test;
mod signature;
#[expect(unsafe_code, reason = "libsodium is written in C; nothing else of this module is unsafe")]
mod sodium;
#[cfg(test)]
mod vectors_tests;

pub use error::{CryptoError, EncodingError, KeyError, SelfTestCase};
pub use hash::Hash;
pub use key::{KeyPair, PublicKey, SecretKey};
pub use provider::CryptoProvider;
pub use signature::Signature;
pub use sodium::Sodium;
/// A value that is wiped when dropped, from the crate `zeroize`.
pub use zeroize::Zeroizing;

pub(crate) use base64::{decode_base64url_array, encode_base64url};
pub(crate) use hex::{decode_hex_array, encode_hex};
#[cfg(test)]
pub(crate) use sodium::VERIFICATIONS;
