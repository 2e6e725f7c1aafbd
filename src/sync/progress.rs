//! How far a session is, and how it ended.

use std::fmt;

use super::base::SyncBase;
use super::intake::Refusals;

/// How far a session is: to be shown to people while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Operations from the peer that are new in this log.
    pub received: u64,
    /// Operations from the peer that were here already.
    pub known: u64,
    /// Operations from the peer that this replica refused.
    pub refused: Refusals,
    /// Operations that were sent and that the peer has answered for.
    pub sent: u64,
    /// Of these, those that the peer refused.
    pub refused_by_peer: Refusals,
    /// Bytes of all messages that were made.
    pub bytes_sent: u64,
    /// Bytes of all messages that were received.
    pub bytes_received: u64,
    /// Of the bytes sent, those of operations.
    pub op_bytes_sent: u64,
    /// Of the bytes received, those of operations.
    pub op_bytes_received: u64,
    /// Answers that were received.
    pub round_trips: u32,
    /// Operations that are known to be still to be sent.
    pub left_to_send: u64,
    /// Operations that are at least still to be received, by what the peer says it has.
    pub left_to_receive: u64,
}

/// A keyed digest over the operations of a session: 16 bytes, different for each session. The two sides of one session
/// have the same when they have the same operations; others tell nothing. To compare logs at leisure, see
/// [`OpLog::digest`](crate::OpLog::digest).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest(pub(super) [u8; 16]);

impl SessionDigest {
    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 hexadecimal digits.
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

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// What this replica held when the session began, and what came in through it, is what the peer held when the
    /// session began, and what it has taken since. This side has computed it from its own log; of the peer it believes
    /// what it says it held, and that it kept what it says it took.
    Converged {
        /// A keyed digest over the operations that the session compared: all, or those since the earlier session.
        digest: SessionDigest,
        /// Operations that both hold: all of them, also those from before.
        count: u64,
        /// For the next session with this peer, so that it leaves these out. `None` where too much arrived otherwise
        /// meanwhile for it to be worth remembering.
        base: Option<SyncBase>,
    },
    /// The two replicas hold different operations.
    NotConverged {
        /// What this replica refused.
        refused: Refusals,
        /// What the peer refused.
        refused_by_peer: Refusals,
    },
    /// [`SyncSession::cancel`](super::SyncSession::cancel) was called.
    Cancelled,
}

impl Finish {
    /// Whether both replicas hold the same.
    #[must_use]
    pub const fn is_converged(&self) -> bool {
        matches!(self, Self::Converged { .. })
    }
}
