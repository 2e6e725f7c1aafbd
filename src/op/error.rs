//! The errors of an operation.

use super::{IdentifierError, Member};
use crate::hlc::HlcError;

/// The reason why members are not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// A name is not an identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// `ts` is out of range.
    #[error(transparent)]
    Timestamp(#[from] HlcError),
    /// A delete has a value other than `null`.
    #[error("lww_delete has a value other than null")]
    DeleteWithValue,
    /// The operation's text, with its signature, would be longer than [`MAX_OP_BYTES`](crate::codec::MAX_OP_BYTES).
    #[error("the operation has {len} bytes as text, the limit is {limit}")]
    TooLarge {
        /// The length of the canonical JSON form in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl OpError {
    /// Returns the member that caused the error, if there is a single one.
    #[must_use]
    pub fn member(&self) -> Option<Member> {
        match self {
            Self::Identifier(error) => Some(error.member),
            Self::Timestamp(_) => Some(Member::Ts),
            Self::DeleteWithValue => Some(Member::Value),
            Self::TooLarge { .. } => None,
        }
    }
}
