//! The progress and the result of a session.

use std::fmt;

use crate::codec::wide;
use crate::sync::resume::ResumeToken;
use crate::sync::{Received, Refusals};

/// The progress of a session, for display while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Operations from the peer. An operation refused for its signature is not counted as refused once a genuine copy
    /// has arrived.
    pub received: Received,
    /// Operations sent and acknowledged by the peer.
    pub sent: u64,
    /// Operations sent that the peer refused.
    pub refused_by_peer: Refusals,
    /// Bytes of all messages sent.
    pub bytes_sent: u64,
    /// Bytes of all messages received.
    pub bytes_received: u64,
    /// Bytes of operations among the bytes sent.
    pub op_bytes_sent: u64,
    /// Bytes of operations among the bytes received.
    pub op_bytes_received: u64,
    /// Answers received.
    pub round_trips: u32,
    /// Operations known to remain to be sent.
    pub left_to_send: u64,
    /// A lower bound for the operations that remain to be received, according to the peer.
    pub left_to_receive: u64,
}

impl Progress {
    /// Counts an answer of this length.
    pub(super) fn count_answer(&mut self, len: usize) {
        self.bytes_received = self.bytes_received.saturating_add(wide(len));
        self.round_trips = self.round_trips.saturating_add(1);
    }
}

/// A keyed digest over the operations of a session, 16 bytes, different in each session. Both sides have the same
/// digest if they have the same operations. Digests of different sessions cannot be compared; for that, see
/// [`OpLog::digest`](crate::OpLog::digest).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest([u8; 16]);

impl SessionDigest {
    pub(crate) const fn of_sum(sum: u128) -> Self {
        Self(sum.to_le_bytes())
    }

    /// Returns the 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Formats the digest as 32 hexadecimal digits.
impl fmt::Display for SessionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionDigest({self})")
    }
}

/// The result of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionResult {
    /// Both replicas hold the same operations: those from before the session, and those that it transferred.
    ///
    /// This side has computed that from its own log. It relies on the peer for the operations that the peer held
    /// before, and for storing those that it acknowledged.
    Converged {
        /// A keyed digest over the operations that the session compared: all, or those since the resumed session.
        digest: SessionDigest,
        /// The number of all operations that both replicas hold.
        count: u64,
        /// The token with which the next session with this peer leaves these operations out. `None` if too many
        /// operations arrived from elsewhere during the session for a token to be worth its size.
        resume: Option<ResumeToken>,
    },
    /// Both replicas hold the same operations, except those that one of them refuses. They are counted here whether
    /// this session transferred them, or an earlier one, or none because it was known beforehand that they would be
    /// refused: [`SyncSession::unknown_authors`](crate::SyncSession::unknown_authors) names some of those who wrote
    /// them.
    ConvergedExcept {
        /// A keyed digest over the operations that the session compared and both replicas hold.
        digest: SessionDigest,
        /// The number of all operations that both replicas hold.
        count: u64,
        /// The token with which the next session with this peer leaves these operations out, as for
        /// [`SessionResult::Converged`].
        resume: Option<ResumeToken>,
        /// Operations of the peer that this replica refuses.
        refused: Refusals,
        /// Operations of this replica that the peer refuses.
        refused_by_peer: Refusals,
    },
    /// The replicas hold different operations.
    NotConverged {
        /// Operations that this replica refused.
        refused: Refusals,
        /// Operations that the peer refused.
        refused_by_peer: Refusals,
    },
    /// The session was cancelled with [`SyncSession::cancel`](crate::SyncSession::cancel).
    Cancelled,
}

impl SessionResult {
    /// Returns the token for the next session with the same peer.
    #[must_use]
    pub const fn resume_token(&self) -> Option<&ResumeToken> {
        match self {
            Self::Converged { resume, .. } | Self::ConvergedExcept { resume, .. } => resume.as_ref(),
            Self::NotConverged { .. } | Self::Cancelled => None,
        }
    }

    /// Returns true if both replicas hold the same operations, without exception.
    #[must_use]
    pub const fn is_converged(&self) -> bool {
        matches!(self, Self::Converged { .. })
    }
}
