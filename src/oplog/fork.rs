//! Proof that an actor said two things at one time.

use crate::codec::OpHash;
use crate::crypto::CryptoProvider;
use crate::keys::{KeyRegistry, VerifyError};
use crate::op::SignedOp;

/// Two operations of one actor with one timestamp and different contents, both signed: proof that whoever holds the
/// actor's key equivocated, or that two devices share it. Anybody who knows the key can check it.
///
/// Proofs are equal when they convict of the same operations, whichever of several valid signatures each holds.
#[derive(Clone, Debug)]
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

    /// One of the two; from [`OpLog::forks`](crate::OpLog::forks) the earlier in the order.
    #[must_use]
    pub fn first(&self) -> &SignedOp {
        &self.first
    }

    /// The other; from [`OpLog::forks`](crate::OpLog::forks) the later in the order.
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
        // One device may use one timestamp in two spaces: its clocks there know nothing of each other.
        if first.actor() != second.actor() || first.ts() != second.ts() || first.space() != second.space() {
            return Err(ForkError::Unrelated);
        }
        let hash = |op: &SignedOp| OpHash::of(crypto, op.as_ref());
        if hash(&self.first).map_err(VerifyError::from)? == hash(&self.second).map_err(VerifyError::from)? {
            return Err(ForkError::SameOperation);
        }
        keys.verify(crypto, &self.first)?;
        keys.verify(crypto, &self.second)?;
        Ok(())
    }
}

impl PartialEq for ForkProof {
    fn eq(&self, other: &Self) -> bool {
        self.first.op() == other.first.op() && self.second.op() == other.second.op()
    }
}

impl Eq for ForkProof {}

/// Why two operations prove no equivocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// They have different actors, timestamps or spaces.
    #[error("the operations have different actors, timestamps or spaces")]
    Unrelated,
    /// They are one operation.
    #[error("the operations are the same")]
    SameOperation,
    /// One of them is not signed by the actor.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
