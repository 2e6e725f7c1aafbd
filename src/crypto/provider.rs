//! What the rest of the crate asks of cryptography.

use super::{CryptoError, Hash, KeyPair, PublicKey, SecretKey, Signature};

/// Signing, verifying and hashing. [`Sodium`](super::Sodium) is the implementation.
///
/// It is a trait so that a test can count calls, or refuse. An implementation with other verdicts than
/// `Sodium` splits the replicas that use it from those that do not: let it ask `Sodium`.
pub trait CryptoProvider: Send + Sync {
    /// A new key pair from the system's random numbers.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if there is no library to make it with.
    fn generate(&self) -> Result<KeyPair, CryptoError>;

    /// The Ed25519 signature of `message` (RFC 8032, section 5.1.6): the same each time.
    fn sign(&self, message: &[u8], key: &SecretKey) -> Signature;

    /// Whether `signature` is one of `message` by the holder of `key`.
    #[must_use]
    fn verify(&self, signature: &Signature, message: &[u8], key: &PublicKey) -> bool;

    /// The SHA-256 of `message` (FIPS 180-4).
    fn hash(&self, message: &[u8]) -> Hash;
}
