//! Verification of signatures.

use super::{KeyRegistry, SigningPublicKey};
use crate::codec::{HashedOp, OpHash, Scratch};
use crate::crypto::Sodium;
use crate::op::{MaybeOwned, OpError, OpRef, SignedOp, SignedOpRef};
use crate::value::Excerpt;

/// An operation whose signature is verified: a key of its actor signed it.
///
/// Only the checks in this file create one, so code that takes a `VerifiedOp` cannot bypass them. The only exception is
/// [`ReplicaOptions::dangerously_accept_unverified`](crate::ReplicaOptions::dangerously_accept_unverified).
///
/// ```compile_fail
/// # fn f(signed: policysync::op::SignedOpRef<'_>) {
/// let forged = policysync::keys::VerifiedOp(signed);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedOp<'a>(Box<Verified<'a>>);

/// The contents of a [`VerifiedOp`], boxed because it is moved often.
#[derive(Clone, Debug)]
struct Verified<'a> {
    signed: MaybeOwned<'a>,
    hash: OpHash,
}

impl<'a> VerifiedOp<'a> {
    /// Returns the unsigned operation. The signature and the kid are not accessible, because the same operation may
    /// arrive with several valid signatures of its actor.
    #[must_use]
    pub fn op(&self) -> OpRef<'_> {
        self.signed().op()
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'_> {
        self.0.signed.as_ref()
    }

    /// Returns the hash of the operation.
    #[must_use]
    pub fn hash(&self) -> OpHash {
        self.0.hash
    }

    fn new(hashed: HashedOp<'a, '_>) -> Self {
        let hash = hashed.hash();
        Self(Box::new(Verified { signed: hashed.into_signed(), hash }))
    }

    /// Accepts an operation without verifying it, for a relay that stores for others and knows no keys. Only a replica
    /// that was opened with `dangerously_accept_unverified` calls this.
    pub(crate) fn dangerously_unverified(hashed: HashedOp<'a, '_>) -> Self {
        Self::new(hashed)
    }

    /// Accepts an operation that passed this replica's check before it was stored: the seal of the store proves it, or
    /// the operation is still in memory.
    pub(crate) fn stored_before(hashed: HashedOp<'a, '_>) -> Self {
        Self::new(hashed)
    }
}

/// The reason why an operation is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The registry has no such key of the actor. Retry after keys have changed.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known here")]
    UnknownKey {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The key of the actor did not sign this text.
    #[error("the signature is not the actor's")]
    BadSignature,
    /// The operation is too large.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl VerifyError {
    pub(crate) fn unknown_key(op: SignedOpRef<'_>) -> Self {
        Self::UnknownKey { actor: Excerpt::of(op.op().actor()), kid: Excerpt::of(op.kid()) }
    }
}

/// Verifies an operation with one key: it must belong to the actor and have the kid that the operation names, and it
/// must have signed exactly this operation.
///
/// # Errors
///
/// [`VerifyError::UnknownKey`] if the key belongs to another actor or has another kid, [`VerifyError::BadSignature`] if
/// it did not sign this operation.
pub fn verify_op<'a>(
    crypto: &Sodium,
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
    /// Verifies an operation with the registered key of its actor.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`] if there is no such key, [`VerifyError::BadSignature`] if it did not sign this
    /// operation.
    pub fn verify<'a>(
        &self,
        crypto: &Sodium,
        op: impl Into<SignedOpRef<'a>>,
    ) -> Result<VerifiedOp<'a>, VerifyError> {
        let signed = op.into();
        // The key is looked up first: without it, a stranger could make this replica hash and verify.
        verify_op(crypto, signed, self.key_of(signed)?)
    }

    /// Verifies an operation that is already hashed.
    pub(crate) fn verify_hashed<'a>(
        &self,
        crypto: &Sodium,
        hashed: HashedOp<'a, '_>,
    ) -> Result<VerifiedOp<'a>, VerifyError> {
        let key = self.key_of(hashed.signed())?;
        check_signature(crypto, hashed, key)
    }

    fn key_of(&self, signed: SignedOpRef<'_>) -> Result<&SigningPublicKey, VerifyError> {
        self.find(signed.op().actor(), signed.kid()).ok_or_else(|| VerifyError::unknown_key(signed))
    }
}

fn check_signature<'a>(
    crypto: &Sodium,
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
