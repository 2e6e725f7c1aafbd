//! Why a session ended early, and by whose fault.

use super::wire::Reader;
use crate::replica::IngestError;
use crate::store::StoreError;

/// Why a call of synchronisation failed. Operations that were admitted before stay; nothing else has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The bytes are not a message.
    #[error("not a message: {fault} at byte {at}")]
    Message {
        /// What is wrong.
        fault: MessageFault,
        /// The byte that the reader had reached.
        at: usize,
    },
    /// The message is longer than this side said it would take.
    #[error("a message of {len} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes that arrived.
        len: usize,
        /// The limit that was announced.
        limit: usize,
    },
    /// The peer speaks another version.
    #[error("the peer speaks version {found} of the protocol, this library version {known}")]
    Version {
        /// Its version.
        found: u8,
        /// Ours.
        known: u8,
    },
    /// The peer's log belongs to another space.
    #[error("the peer's log belongs to another space")]
    OtherSpace,
    /// What the peer says contradicts itself.
    #[error("the peer contradicts itself: {0}")]
    Lie(Lie),
    /// The message answers another one: an earlier one of this session, or another session's. The session still waits.
    #[error("an answer to another message")]
    Stray,
    /// The peer has sent so many operations that were refused.
    #[error("more than {limit} operations were refused")]
    TooManyRefused {
        /// How many may.
        limit: u64,
    },
    /// The peer neither brought nor took an operation for so many answers in a row.
    #[error("{limit} answers in a row have brought nothing new")]
    NoProgress {
        /// How many answers in a row may.
        limit: u32,
    },
    /// The peer ended the session.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
    /// A message was given to a session that is not waiting for one, or asked of one that is.
    #[error("it is not this side's turn")]
    OutOfTurn,
    /// The session has ended: it failed, was cancelled, or is finished.
    #[error("the session has ended")]
    Ended,
    /// The replica is not the one that the session began with: another, or the same opened again.
    #[error("the replica is not the one that the session began with")]
    OtherReplica,
    /// The replica took nothing of a message: the guard stopped it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store failed to read an operation that should be sent.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageFault {
    /// It ends too early, or a count promises more than there is.
    #[error("it is cut short")]
    Truncated,
    /// Bytes follow its end.
    #[error("bytes follow its end")]
    TrailingBytes,
    /// An integer that is too large, or written in more bytes than it needs.
    #[error("a bad integer")]
    Integer,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A byte with no meaning in its place.
    #[error("unknown tag {found}")]
    Tag {
        /// The byte.
        found: u8,
    },
    /// A bound that is not greater than the one before, or not in its shortest form.
    #[error("a bound out of order")]
    Bound,
    /// More ranges, ids, places or doubts than a message may have.
    #[error("too many of its parts")]
    TooMany,
    /// A reference to a name that has not been told, or a name told twice.
    #[error("a bad reference to a name")]
    Reference,
}

/// How a peer contradicts itself, or what we said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lie {
    /// It speaks of a range that it was not asked about.
    #[error("an answer about a range that was not asked for")]
    Range,
    /// It wants operations by their place, and gives another number of places than there are.
    #[error("a wish for {found} places in a range of {expected}")]
    Places {
        /// How many it gives.
        found: usize,
        /// How many there are.
        expected: usize,
    },
    /// It answers for another number of operations than were sent.
    #[error("an answer for {found} operations after {expected}")]
    Answers {
        /// How many it answers for.
        found: u64,
        /// How many were sent.
        expected: u64,
    },
    /// It names a position in the log beyond its end.
    #[error("a position behind the end of the log")]
    Position,
    /// Its first answer does not greet, or a later one does.
    #[error("a greeting in the wrong place")]
    Greeting,
    /// It goes on from a session that was not offered.
    #[error("a session to go on from that was not offered")]
    Base,
    /// It says that it would take no message, or that it stopped where it cannot have.
    #[error("a limit that cannot be kept")]
    Limit,
}

/// Why a responder ends a session: what [`SyncError::to_message`] says to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It did not understand the message.
    #[error("it did not understand")]
    Message,
    /// It speaks another version.
    #[error("it speaks another version")]
    Version,
    /// Its log belongs to another space.
    #[error("its log belongs to another space")]
    OtherSpace,
    /// The message was too long for it.
    #[error("the message was too long")]
    TooLarge,
    /// It no longer knows the earlier session to go on from. Begin anew.
    #[error("it no longer knows the session")]
    Forgotten,
    /// It could not do its work just now. Try again later.
    #[error("it failed")]
    Failed,
}

/// The first byte of a refusal on the wire.
pub(crate) const REFUSAL: u8 = 0xE5;

impl Refusal {
    const ALL: [Self; 6] =
        [Self::Message, Self::Version, Self::OtherSpace, Self::TooLarge, Self::Forgotten, Self::Failed];

    const fn code(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Version => 2,
            Self::OtherSpace => 3,
            Self::TooLarge => 4,
            Self::Forgotten => 5,
            Self::Failed => 6,
        }
    }

    /// Reads what follows the first byte of a refusal.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, SyncError> {
        let code = reader.byte()?;
        let found = Self::ALL.into_iter().find(|refusal| refusal.code() == code);
        let refusal = found.ok_or_else(|| reader.fault(MessageFault::Tag { found: code }))?;
        reader.end()?;
        Ok(refusal)
    }
}

impl SyncError {
    /// What a responder that failed with this error says to the initiator, in two bytes: the initiator then ends with
    /// [`SyncError::Refused`]. It tells nothing of the cause but its kind.
    #[must_use]
    pub fn to_message(&self) -> Vec<u8> {
        let refusal = match self {
            Self::Message { .. } | Self::Lie(_) | Self::OutOfTurn => Refusal::Message,
            Self::Version { .. } => Refusal::Version,
            Self::OtherSpace => Refusal::OtherSpace,
            Self::TooLarge { .. } => Refusal::TooLarge,
            Self::Refused(refusal) => *refusal,
            _ => Refusal::Failed,
        };
        vec![REFUSAL, refusal.code()]
    }
}
