//! The errors of synchronization.

use super::proto::Alert;
use crate::codec::CodecError;
use crate::replica::IngestError;
use crate::store::StoreError;

/// Why a call of a session, a responder or a push failed. Operations admitted before stay; nothing else has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The bytes are not a message.
    #[error("not a message: {0}")]
    Message(CodecError),
    /// The message is longer than the limit that this side announced.
    #[error("a message of {len} bytes, the limit is {limit}")]
    TooLarge {
        /// The length of the message in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The peer uses another version of the protocol.
    #[error("the peer speaks version {found} of the protocol, this library version {known}")]
    Version {
        /// The version of the peer.
        found: u8,
        /// The version that this library knows.
        known: u8,
    },
    /// The peer's log belongs to another space.
    #[error("the peer's log belongs to another space")]
    OtherSpace,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    PeerMisbehaved(PeerMisbehaved),
    /// The message answers an earlier request, or belongs to another session. The session still awaits its answer.
    #[error("an answer to another message")]
    Stray,
    /// This replica refused more operations of the peer than a session allows.
    #[error("more than {limit} operations were refused")]
    TooManyRefused {
        /// The number of refused operations that a session allows.
        limit: u64,
    },
    /// Too many answers in a row transferred no operation.
    #[error("{limit} answers in a row have brought nothing new")]
    NoProgress {
        /// The number of such answers in a row that a session allows.
        limit: u32,
    },
    /// The peer ended the session with an alert.
    #[error("the peer ended the session: {0}")]
    AlertReceived(Alert),
    /// A message was given to a session that awaits none, or was asked of a session that awaits an answer.
    #[error("it is not this side's turn")]
    OutOfTurn,
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
    /// The replica is not the one that the session began with: it is another, or it was closed and opened again.
    #[error("the replica is not the one that the session began with")]
    OtherReplica,
    /// The replica rejected a whole batch: the guard stopped it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store could not read an operation.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A rule of the protocol that the peer broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// The answer describes a range that was not part of the request.
    #[error("an answer about a range that was not asked for")]
    Range,
    /// A list of wanted operations has another length than the range that it refers to.
    #[error("a list of {found} wanted operations for a range of {expected}")]
    Wants {
        /// The length of the list.
        found: usize,
        /// The number of operations in the range.
        expected: usize,
    },
    /// The answer acknowledges another number of operations than were sent.
    #[error("an acknowledgement of {found} operations after {expected}")]
    Ack {
        /// The number of operations acknowledged.
        found: u64,
        /// The number of operations sent.
        expected: u64,
    },
    /// The peer names a position beyond the end of the log.
    #[error("a position beyond the end of the log")]
    Position,
    /// The first answer has no welcome, or a later answer has one.
    #[error("a welcome in the wrong place")]
    Welcome,
    /// The peer resumes a session that was not offered.
    #[error("resumption of a session that was not offered")]
    Resume,
    /// The peer's message limit is too low, or it continues from a place that it cannot have reached.
    #[error("a limit that cannot be kept")]
    Limit,
}

// Not by `#[from]`: the messages above contain those of these errors, so they are no sources.
impl From<CodecError> for SyncError {
    fn from(error: CodecError) -> Self {
        Self::Message(error)
    }
}

impl From<PeerMisbehaved> for SyncError {
    fn from(fault: PeerMisbehaved) -> Self {
        Self::PeerMisbehaved(fault)
    }
}

impl SyncError {
    /// Returns the alert, two bytes, that tells the initiator why its request was not answered: its session then ends
    /// with [`SyncError::AlertReceived`]. The alert reveals only the kind of error.
    #[must_use]
    pub fn to_alert(&self) -> Vec<u8> {
        let alert = match self {
            Self::Message(_) | Self::PeerMisbehaved(_) | Self::OutOfTurn => Alert::Message,
            Self::Version { .. } => Alert::Version,
            Self::OtherSpace => Alert::OtherSpace,
            Self::TooLarge { .. } => Alert::TooLarge,
            Self::AlertReceived(alert) => *alert,
            _ => Alert::Failed,
        };
        alert.to_message()
    }
}
