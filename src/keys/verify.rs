//! Whether the actor that an operation names has signed it.

use super::{KeyRegistry, SigningPublicKey};
use crate::codec::{HashedOp, OpHash, Scratch};
use crate::crypto::CryptoProvider;
use crate::op::{MaybeOwned, OpError, OpRef, SignedOp, SignedOpRef};
use crate::value::Excerpt;

/// An operation that a key of the actor it names has signed. Only the checks in this file make one, so what takes a
/// `VerifiedOp` cannot be reached around them. (The one exception says so aloud:
/// [`ReplicaOptions::dangerously_accept_unverified`](crate::ReplicaOptions::dangerously_accept_unverified).)
///
/// ```compile_fail
/// # fn f(signed: policysync::op::SignedOpRef<'_>) {
/// let forged = policysync::keys::VerifiedOp(signed);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedOp<'a>(Box<Verified<'a>>);

/// It is handed from step to step, so it is one pointer wide.
#[derive(Clone, Debug)]
struct Verified<'a> {
    signed: MaybeOwned<'a>,
    hash: OpHash,
}

impl<'a> VerifiedOp<'a> {
    /// What the operation says. Which key signed it, and how, is not part of it: the same text may arrive with another
    /// of the actor's signatures, and is the same operation.
    #[must_use]
    pub fn op(&self) -> OpRef<'_> {
        self.signed().op()
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'_> {
        self.0.signed.as_ref()
    }

    /// Its identity.
    #[must_use]
    pub fn hash(&self) -> OpHash {
        self.0.hash
    }

    fn new(hashed: HashedOp<'a, '_>) -> Self {
        let hash = hashed.hash();
        Self(Box::new(Verified { signed: hashed.into_signed(), hash }))
    }

    /// Takes an operation whose signature nobody has checked: for a relay that stores for others and knows no keys.
    /// The one caller is a replica opened with an option of the same name.
    pub(crate) fn dangerously_unverified(hashed: HashedOp<'a, '_>) -> Self {
        Self::new(hashed)
    }

    /// Takes an operation that this device verified before it put it into its store, as the store's seal proves. One
    /// caller opens a replica, and fails when the seal turns out not to fit; the other checks a store, after its seal.
    pub(crate) fn under_seal(hashed: HashedOp<'a, '_>) -> Self {
        Self::new(hashed)
    }
}

/// Why an operation is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The actor has no such key here. Try again when keys have changed.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known here")]
    UnknownKey {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The actor's key did not sign this text.
    #[error("the signature is not the actor's")]
    BadSignature,
    /// The operation is too large to have been signed.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl VerifyError {
    fn unknown_key(op: SignedOpRef<'_>) -> Self {
        Self::UnknownKey { actor: Excerpt::of(op.op().actor()), kid: Excerpt::of(op.kid()) }
    }
}

/// Checks an operation against one key: the key must be the actor's, under the kid that the operation names, and must
/// have signed exactly this operation.
///
/// # Errors
///
/// [`VerifyError::UnknownKey`] when the key is another actor's or has another kid, [`VerifyError::BadSignature`] when
/// it did not sign this.
pub fn verify_op<'a, C: CryptoProvider + ?Sized>(
    crypto: &C,
    op: impl Into<SignedOpRef<'a>>,
    key: &SigningPublicKey,
) -> Result<VerifiedOp<'a>, VerifyError> {
    let signed = op.into();
    if key.actor() != signed.op().actor() || key.kid() != signed.kid() {
        return Err(VerifyError::unknown_key(signed));
    }
    let mut scratch = Scratch::default();
    check_signature(crypto, HashedOp::new(crypto, MaybeOwned::Borrowed(signed), &mut scratch)?, key)
}

impl KeyRegistry {
    /// Checks an operation against the key that its actor is registered with.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`] when there is none, [`VerifyError::BadSignature`] when it did not sign this.
    pub fn verify<'a, C: CryptoProvider + ?Sized>(
        &self,
        crypto: &C,
        op: impl Into<SignedOpRef<'a>>,
    ) -> Result<VerifiedOp<'a>, VerifyError> {
        let signed = op.into();
        // The registry is asked first: checking a stranger's signature is work an attacker can order.
        let key = self.key_of(signed)?;
        let mut scratch = Scratch::default();
        check_signature(crypto, HashedOp::new(crypto, MaybeOwned::Borrowed(signed), &mut scratch)?, key)
    }

    /// The same for an operation that is hashed already.
    pub(crate) fn verify_hashed<'a, C: CryptoProvider + ?Sized>(
        &self,
        crypto: &C,
        hashed: HashedOp<'a, '_>,
    ) -> Result<VerifiedOp<'a>, VerifyError> {
        let key = self.key_of(hashed.signed())?;
        check_signature(crypto, hashed, key)
    }

    fn key_of(&self, signed: SignedOpRef<'_>) -> Result<&SigningPublicKey, VerifyError> {
        self.find(signed.op().actor(), signed.kid()).ok_or_else(|| VerifyError::unknown_key(signed))
    }
}

fn check_signature<'a, C: CryptoProvider + ?Sized>(
    crypto: &C,
    hashed: HashedOp<'a, '_>,
    key: &SigningPublicKey,
) -> Result<VerifiedOp<'a>, VerifyError> {
    if crypto.verify(&hashed.signed().signature(), hashed.text().as_bytes(), key.public_key()) {
        Ok(VerifiedOp::new(hashed))
    } else {
        Err(VerifyError::BadSignature)
    }
}

impl<'a> From<&'a SignedOp> for SignedOpRef<'a> {
    fn from(signed: &'a SignedOp) -> Self {
        signed.as_ref()
    }
}
