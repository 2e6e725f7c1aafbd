//! The message that ends a session with a reason.

use crate::codec::tags::ALERT;
use crate::codec::{ByteReader, CodecError, CodecFault};

/// The reason why a responder ended a session. [`SyncError::to_alert`](crate::SyncError::to_alert) makes the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Alert {
    /// The responder did not understand the message.
    #[error("it did not understand")]
    Message,
    /// The responder uses another version of the protocol.
    #[error("it speaks another version")]
    Version,
    /// The responder's log belongs to another space.
    #[error("its log belongs to another space")]
    OtherSpace,
    /// The message was longer than the responder accepts.
    #[error("the message was too long")]
    TooLarge,
    /// The responder no longer knows the session that this one resumed. A new session works.
    #[error("it no longer knows the session")]
    Forgotten,
    /// The responder failed. A later session may work.
    #[error("it failed")]
    Failed,
}

impl Alert {
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

    /// Returns the message that carries the alert.
    #[must_use]
    pub fn to_message(self) -> Vec<u8> {
        vec![ALERT, self.code()]
    }

    /// Reads an alert after its first byte.
    pub(crate) fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let code = reader.byte()?;
        let found = Self::ALL.into_iter().find(|alert| alert.code() == code);
        let alert = found.ok_or_else(|| reader.fault(CodecFault::Tag { found: code }))?;
        reader.end()?;
        Ok(alert)
    }
}
