//! The outcome of ingesting an operation.

use crate::codec::{DecodeError, OpHash};
use crate::guard::Aborted;
use crate::hlc::{HlcError, WallMillis};
use crate::keys::VerifyError;
use crate::op::OpError;
use crate::store::{StoreError, space_name};
use crate::value::Excerpt;

/// The outcome of ingesting an operation that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The operation was new. It is in the log and merged.
    Appended {
        /// The operation's identity.
        hash: OpHash,
        /// The effect on its field.
        effect: Effect,
        /// Another operation of the same actor with the same timestamp: the actor equivocated. Both stay in the log of
        /// every replica; see [`OpLog::forks`](crate::OpLog::forks).
        equivocates_with: Option<OpHash>,
    },
    /// The operation was new. It is in the log, but not merged until it is due, because its timestamp is too far ahead
    /// of the wall clock.
    Held {
        /// The operation's identity.
        hash: OpHash,
        /// The wall-clock time from which [`Replica::poll`](crate::Replica::poll) or the next call that appends an
        /// operation merges it.
        until: WallMillis,
        /// Another operation of the same actor with the same timestamp.
        equivocates_with: Option<OpHash>,
    },
    /// The log had the operation already.
    Duplicate {
        /// The operation's identity.
        hash: OpHash,
    },
}

/// The effect of an operation on its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The operation is the winner: it defines the field.
    Won {
        /// The winner before it.
        superseded: Option<OpHash>,
    },
    /// The field is unchanged, because a greater operation is the winner.
    Lost {
        /// The winner.
        to: OpHash,
    },
}

/// The reason why one operation was refused. The replica is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpRefusal {
    /// The bytes are not an operation. Retrying does not help.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The operation belongs to another space.
    #[error("the operation belongs to {}, this replica to {}", space_name(.found), space_name(.expected))]
    WrongSpace {
        /// The operation's space, shortened and escaped.
        found: Option<Excerpt>,
        /// The replica's space, shortened and escaped.
        expected: Option<Excerpt>,
    },
    /// The registry has no such key of this actor. Try again when keys have changed.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known here")]
    UnknownKey {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The signature is not the actor's.
    #[error("the signature is not the actor's")]
    BadSignature,
    /// The guard refused the operation.
    #[error("the guard refused the operation")]
    Denied,
}

impl From<VerifyError> for OpRefusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::UnknownKey { actor, kid } => Self::UnknownKey { actor, kid },
            VerifyError::BadSignature => Self::BadSignature,
            VerifyError::Op(error) => error.into(),
        }
    }
}

impl From<OpError> for OpRefusal {
    fn from(error: OpError) -> Self {
        Self::Malformed(error.into())
    }
}

/// The error of a call that ingests operations. The replica is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The operation was refused. A batch does not return this error: each of its operations has its own result.
    #[error(transparent)]
    Refused(#[from] OpRefusal),
    /// The wall clock is out of range.
    #[error(transparent)]
    Clock(HlcError),
    /// The guard stopped the batch.
    #[error(transparent)]
    Aborted(#[from] Aborted),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
