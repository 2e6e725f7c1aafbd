//! Why something is not an operation.

use super::{IdentifierError, Member};
use crate::hlc::HlcError;

/// Why these members are not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// A name is not an identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// `ts` is out of range.
    #[error(transparent)]
    Timestamp(#[from] HlcError),
    /// A delete carries a value other than `null`.
    #[error("lww_delete carries a value, which must be null")]
    DeleteWithValue,
    /// The operation's text, with its signature, would be longer than [`MAX_OP_BYTES`](crate::codec::MAX_OP_BYTES).
    #[error("the operation has {len} bytes as text, the limit is {limit}")]
    TooLarge {
        /// Bytes of the canonical JSON form.
        len: usize,
        /// The limit.
        limit: usize,
    },
}

impl OpError {
    /// The member at fault, where it is one.
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
