//! An actor's keys, and signing with one.

use std::fmt;

use crate::codec::{HashedOp, Scratch, signed_text};
use crate::crypto::{CryptoError, KeyPair, PublicKey, Sodium, encode_base64url};
use crate::op::{IdentifierError, Member, Op, OpError, SignedOp, check};

/// A public key and the actor it speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningPublicKey {
    actor: Box<str>,
    kid: Box<str>,
    public_key: PublicKey,
}

impl SigningPublicKey {
    /// A key under its [derived kid](derived_kid).
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when `actor` is not an identifier.
    pub fn new(actor: &str, public_key: PublicKey) -> Result<Self, IdentifierError> {
        Self::with_kid(actor, &derived_kid(&public_key), public_key)
    }

    /// A key under a kid that somebody else chose.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when `actor` or `kid` is not an identifier.
    pub fn with_kid(actor: &str, kid: &str, public_key: PublicKey) -> Result<Self, IdentifierError> {
        check(Member::Actor, actor)?;
        check(Member::Kid, kid)?;
        Ok(Self { actor: actor.into(), kid: kid.into(), public_key })
    }

    /// Whose key it is.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Which of the actor's keys it is.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key itself.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// A key pair and the actor it speaks for. An actor is one writer: one device, one installation. Two devices that write
/// as one actor look like a liar who says two things at once.
///
/// The secret half is wiped on drop, and nothing prints it.
pub struct SigningSecretKey {
    public: SigningPublicKey,
    pair: KeyPair,
}

impl SigningSecretKey {
    /// A key under its [derived kid](derived_kid).
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when `actor` is not an identifier.
    pub fn new(actor: &str, pair: KeyPair) -> Result<Self, IdentifierError> {
        Ok(Self { public: SigningPublicKey::new(actor, pair.public_key())?, pair })
    }

    /// A key under a kid of your own choice.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when `actor` or `kid` is not an identifier.
    pub fn with_kid(actor: &str, kid: &str, pair: KeyPair) -> Result<Self, IdentifierError> {
        Ok(Self { public: SigningPublicKey::with_kid(actor, kid, pair.public_key())?, pair })
    }

    /// A new key pair for an actor, from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`SignError`] when `actor` is not an identifier or libsodium does not work here.
    pub fn generate(actor: &str) -> Result<Self, SignError> {
        Ok(Self::new(actor, KeyPair::generate()?)?)
    }

    /// The public half, to be given to every replica that shall admit this actor's operations.
    #[must_use]
    pub fn public_key(&self) -> &SigningPublicKey {
        &self.public
    }

    /// The key pair.
    #[must_use]
    pub fn key_pair(&self) -> &KeyPair {
        &self.pair
    }

    fn expect_actor(&self, op: &Op) -> Result<(), SignError> {
        if op.actor() == self.public.actor() { Ok(()) } else { Err(SignError::OtherActor) }
    }
}

impl fmt::Debug for SigningSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Why an operation was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The operation names another actor than the key's.
    #[error("the key belongs to another actor than the operation names")]
    OtherActor,
    /// The operation is none.
    #[error(transparent)]
    Op(#[from] OpError),
    /// A name is not an identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// libsodium does not work here.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Signs an operation as its actor.
///
/// # Errors
///
/// [`SignError::OtherActor`] when the key is not the actor's, [`SignError::Op`] when the operation is too large.
pub fn sign_op(crypto: &Sodium, op: Op, key: &SigningSecretKey) -> Result<SignedOp, SignError> {
    key.expect_actor(&op)?;
    let text = signed_text(op.as_ref(), key.public.kid())?;
    let signature = crypto.sign(text.as_bytes(), key.pair.secret_key());
    Ok(SignedOp::new(op, key.public.kid(), signature)?)
}

/// Signs an operation as its actor, and keeps the signed text and its hash for ingesting it.
pub(crate) fn sign_hashed<'t>(
    crypto: &Sodium,
    op: Op,
    key: &SigningSecretKey,
    scratch: &'t mut Scratch,
) -> Result<HashedOp<'static, 't>, SignError> {
    key.expect_actor(&op)?;
    let sign = |text: &str| crypto.sign(text.as_bytes(), key.pair.secret_key());
    Ok(HashedOp::sign(crypto, op, key.public.kid(), scratch, sign)?)
}

/// The name that a key pair made here has among its actor's keys: base64url, without padding, of the first 16 bytes of
/// SHA-256 over `policysync/kid` and the public key.
#[must_use]
#[expect(clippy::expect_used, reason = "libsodium has checked this very key, so it works")]
pub fn derived_kid(public_key: &PublicKey) -> String {
    const LABEL: &[u8] = b"policysync/kid";
    let crypto = Sodium::new().expect("libsodium has checked this very key");
    let hash = crypto.hash(&[LABEL, public_key.as_bytes()].concat());
    let (half, _) = hash.as_bytes().split_at(16);
    encode_base64url(half)
}
