//! What became of an operation.

use crate::codec::{DecodeError, OpHash};
use crate::guard::Aborted;
use crate::hlc::{HlcError, WallMillis};
use crate::keys::VerifyError;
use crate::op::OpError;
use crate::store::StoreError;
use crate::value::Excerpt;

/// What became of an operation that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is in the log and merged.
    Appended {
        /// Its identity.
        hash: OpHash,
        /// What it did to its field.
        effect: Effect,
        /// Another operation of the same actor with the same timestamp: the actor equivocated. Both stay in the log,
        /// on every replica; see [`OpLog::forks`](crate::OpLog::forks).
        equivocates_with: Option<OpHash>,
    },
    /// It is in the log, but its timestamp is too far ahead of the wall clock: it is not merged until its time comes.
    Held {
        /// Its identity.
        hash: OpHash,
        /// When the wall clock says this, it is merged: by [`Replica::poll`](crate::Replica::poll), or just before the
        /// next operation gets in.
        until: WallMillis,
        /// Another operation of the same actor with the same timestamp.
        equivocates_with: Option<OpHash>,
    },
    /// It was in the log already.
    Duplicate {
        /// Its identity.
        hash: OpHash,
    },
}

/// What an operation did to its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The field is what it says now.
    Won {
        /// The operation that had won before.
        superseded: Option<OpHash>,
    },
    /// The field stays as it is: a greater operation stands above this one.
    Lost {
        /// The greater operation.
        to: OpHash,
    },
}

/// Why one operation was refused. The replica is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is not an operation. No retry helps.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// It belongs to another log.
    #[error("the operation belongs to {}, this replica to {}", space_name(.found), space_name(.expected))]
    WrongSpace {
        /// The operation's space, shortened and escaped.
        found: Option<Excerpt>,
        /// The replica's space, shortened and escaped.
        expected: Option<Excerpt>,
    },
    /// The actor has no such key here. Try again when keys have changed.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known here")]
    UnknownKey {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The actor did not sign this.
    #[error("the signature is not the actor's")]
    BadSignature,
    /// The guard refused it.
    #[error("the guard refused the operation")]
    Denied,
}

fn space_name(space: &Option<Excerpt>) -> String {
    space.as_ref().map_or_else(|| String::from("no space"), |space| format!("space \"{space}\""))
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::UnknownKey { actor, kid } => Self::UnknownKey { actor, kid },
            VerifyError::BadSignature => Self::BadSignature,
            VerifyError::Op(error) => error.into(),
        }
    }
}

impl From<OpError> for Refused {
    fn from(error: OpError) -> Self {
        Self::Malformed(error.into())
    }
}

/// Why a call that offers operations failed. The replica is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The one operation that was offered was refused. Never the answer to a batch, where each has its own outcome.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The wall clock is out of range.
    #[error(transparent)]
    Clock(HlcError),
    /// The guard stopped the batch.
    #[error(transparent)]
    Aborted(#[from] Aborted),
    /// The store failed; nothing of the batch is kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}
