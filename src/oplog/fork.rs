//! Proof of equivocation: two signed operations of one actor with one timestamp.

use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::keys::{KeyRegistry, VerifyError};
use crate::op::SignedOp;

/// Two signed operations of one actor with one timestamp and different contents. They prove that the holder of the
/// actor's key equivocated, or that two devices share it. Anyone who knows the public key can check the proof.
///
/// Two proofs are equal if their operations are, whichever valid signatures they contain.
#[derive(Clone, Debug)]
pub struct ForkProof {
    first: SignedOp,
    second: SignedOp,
}

impl ForkProof {
    /// Combines two operations; [`ForkProof::check`] decides if they are a proof.
    #[must_use]
    pub fn new(first: SignedOp, second: SignedOp) -> Self {
        Self { first, second }
    }

    /// Returns one operation; from [`OpLog::forks`](crate::OpLog::forks) the earlier in the total order.
    #[must_use]
    pub fn first(&self) -> &SignedOp {
        &self.first
    }

    /// Returns the other operation; from [`OpLog::forks`](crate::OpLog::forks) the later in the total order.
    #[must_use]
    pub fn second(&self) -> &SignedOp {
        &self.second
    }

    /// Checks the proof against the keys in `keys`.
    ///
    /// # Errors
    ///
    /// [`ForkError`] if it proves nothing.
    pub fn check(&self, crypto: &Sodium, keys: &KeyRegistry) -> Result<(), ForkError> {
        let (first, second) = (self.first.op(), self.second.op());
        // A device may use one timestamp in two spaces: each space has a clock of its own.
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

/// The reason why two operations do not prove equivocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// The operations have different actors, timestamps or spaces.
    #[error("the operations have different actors, timestamps or spaces")]
    Unrelated,
    /// The operations are the same.
    #[error("the operations are the same")]
    SameOperation,
    /// The actor did not sign one of them.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
