//! Signing keys of actors.

use std::fmt;

use crate::codec::{HashedOp, Scratch, tags};
use crate::crypto::{CryptoError, KeyPair, PublicKey, Sodium, encode_base64url};
use crate::op::{IdentifierError, Member, Op, OpError, SignedOp, check};

/// The public key of an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningPublicKey {
    actor: Box<str>,
    kid: Box<str>,
    public_key: PublicKey,
}

impl SigningPublicKey {
    /// Creates a key with its [derived kid](derived_kid).
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] if `actor` is not an identifier.
    pub fn new(actor: &str, public_key: PublicKey) -> Result<Self, IdentifierError> {
        Self::with_kid(actor, &derived_kid(&public_key), public_key)
    }

    /// Creates a key with a kid that the caller chooses.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] if `actor` or `kid` is not an identifier.
    pub fn with_kid(actor: &str, kid: &str, public_key: PublicKey) -> Result<Self, IdentifierError> {
        check(Member::Actor, actor)?;
        check(Member::Kid, kid)?;
        Ok(Self { actor: actor.into(), kid: kid.into(), public_key })
    }

    /// Returns the actor that owns the key.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Returns the id of the key among those of the actor.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// The key pair of an actor.
///
/// An actor is one writer: one installation on one device. Two devices that write as one actor cause equivocation.
///
/// The secret half is wiped on drop, and it is never printed.
pub struct SigningSecretKey {
    public: SigningPublicKey,
    pair: KeyPair,
}

impl SigningSecretKey {
    /// Creates a key with its [derived kid](derived_kid).
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] if `actor` is not an identifier.
    pub fn new(actor: &str, pair: KeyPair) -> Result<Self, IdentifierError> {
        Ok(Self { public: SigningPublicKey::new(actor, pair.public_key())?, pair })
    }

    /// Creates a key with a kid that the caller chooses.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] if `actor` or `kid` is not an identifier.
    pub fn with_kid(actor: &str, kid: &str, pair: KeyPair) -> Result<Self, IdentifierError> {
        Ok(Self { public: SigningPublicKey::with_kid(actor, kid, pair.public_key())?, pair })
    }

    /// Generates a key pair for an actor from the random numbers of the operating system.
    ///
    /// # Errors
    ///
    /// [`SignError`] if `actor` is not an identifier or libsodium cannot be used.
    pub fn generate(actor: &str) -> Result<Self, SignError> {
        Ok(Self::new(actor, KeyPair::generate()?)?)
    }

    /// Returns the public key, for every replica that should accept operations of this actor.
    #[must_use]
    pub fn public_key(&self) -> &SigningPublicKey {
        &self.public
    }

    /// Returns the key pair.
    #[must_use]
    pub fn key_pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl fmt::Debug for SigningSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The reason why an operation was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The operation names another actor than the key.
    #[error("the key belongs to another actor than the operation names")]
    OtherActor,
    /// The operation is too large.
    #[error(transparent)]
    Op(#[from] OpError),
    /// A name is not an identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// libsodium cannot be used.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Signs an operation as its actor.
///
/// # Errors
///
/// [`SignError::OtherActor`] if the key belongs to another actor, [`SignError::Op`] if the operation is too large.
pub fn sign_op(crypto: &Sodium, op: Op, key: &SigningSecretKey) -> Result<SignedOp, SignError> {
    Ok(sign_hashed(crypto, op, key, &mut Scratch::default())?.into_signed().into_owned())
}

/// Signs an operation as its actor. Returns it with its signed text and hash, so that ingesting it builds neither
/// again.
pub(crate) fn sign_hashed<'t>(
    crypto: &Sodium,
    op: Op,
    key: &SigningSecretKey,
    scratch: &'t mut Scratch,
) -> Result<HashedOp<'static, 't>, SignError> {
    if op.actor() != key.public.actor() {
        return Err(SignError::OtherActor);
    }
    let sign = |text: &str| crypto.sign(text.as_bytes(), key.pair.secret_key());
    Ok(HashedOp::sign(crypto, op, key.public.kid(), scratch, sign)?)
}

/// Returns the default id of a key: the base64url text, without padding, of the first 16 bytes of SHA-256 over
/// `policysync/kid` and the public key.
#[must_use]
#[expect(clippy::expect_used, reason = "libsodium has checked this key, so it can be used")]
pub fn derived_kid(public_key: &PublicKey) -> String {
    let crypto = Sodium::new().expect("libsodium has checked this key");
    let half: [u8; 16] = crypto.hash(&[tags::KID, public_key.as_bytes()].concat()).first();
    encode_base64url(&half)
}
