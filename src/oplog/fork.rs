//! Proof that an actor said two things at one time.

use crate::canonical::HashedOp;
use crate::crypto::CryptoProvider;
use crate::keys::{KeyRegistry, VerifyError};
use crate::op::{MaybeOwned, SignedOp};

/// Two operations of one actor with one timestamp and different contents, both signed: proof that whoever holds the
/// actor's key equivocated, or that two devices share it. Anybody who knows the key can check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    first: SignedOp,
    second: SignedOp,
}

impl ForkProof {
    /// Joins two operations; [`ForkProof::check`] says whether they prove anything.
    #[must_use]
    pub fn new(first: SignedOp, second: SignedOp) -> Self {
        Self { first, second }
    }

    /// The operation that is earlier in the order.
    #[must_use]
    pub fn first(&self) -> &SignedOp {
        &self.first
    }

    /// The operation that is later in the order.
    #[must_use]
    pub fn second(&self) -> &SignedOp {
        &self.second
    }

    /// Checks the proof against the keys that are known here.
    ///
    /// # Errors
    ///
    /// [`ForkError`] when it proves nothing.
    pub fn check<C: CryptoProvider + ?Sized>(&self, crypto: &C, keys: &KeyRegistry) -> Result<(), ForkError> {
        let (first, second) = (self.first.op(), self.second.op());
        if first.actor() != second.actor() || first.ts() != second.ts() {
            return Err(ForkError::Unrelated);
        }
        let hash = |op: &SignedOp| {
            HashedOp::new(crypto, MaybeOwned::Borrowed(op.as_ref())).map(|hashed| hashed.hash())
        };
        if hash(&self.first).map_err(VerifyError::from)? == hash(&self.second).map_err(VerifyError::from)? {
            return Err(ForkError::SameOperation);
        }
        keys.verify(crypto, &self.first)?;
        keys.verify(crypto, &self.second)?;
        Ok(())
    }
}

/// Why two operations prove no equivocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// They have different actors or different timestamps.
    #[error("the operations have different actors or timestamps")]
    Unrelated,
    /// They are one operation.
    #[error("the operations are the same")]
    SameOperation,
    /// One of them is not signed by the actor.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
