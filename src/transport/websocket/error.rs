//! The error of a WebSocket.

use std::io;

use tungstenite::Error;
use tungstenite::error::{CapacityError, ProtocolError};

use crate::hlc::WallMillis;
use crate::sync::{Alert, SyncError};
use crate::transport::net::{ConnectionError, WaitError, is_temporary_status};

/// An error in opening a WebSocket, or one that ended it. Operations that were admitted before stay; the first session
/// of the next line sends the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// The server cannot be reached, the connection broke, or the caller's handshake took too long.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The server answered with this status instead of opening a WebSocket. 401 and 403 ask for a token, or for another
    /// one; 200, 302, 303 and 307 often come from the login page of a network.
    #[error("the server answered with status {status} instead of opening a WebSocket")]
    Status {
        /// 100 to 999, but not 101.
        status: u16,
    },
    /// This side answered the caller with this status instead of opening a WebSocket.
    #[error("the caller was turned away with status {status}")]
    TurnedAway {
        /// 400 to 599.
        status: u16,
    },
    /// The other side broke the WebSocket protocol (RFC 6455).
    #[error("the other side does not speak WebSocket")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A message or a frame is longer than this side's limit. It was not read.
    #[error("a message of {len} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes that were announced, or that had arrived.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The other side sent a text message. Only binary messages are used.
    #[error("a text message, only binary messages are used")]
    Text,
    /// The other side sent nothing, and did not answer a ping.
    #[error("nothing was received for {elapsed}")]
    Silent {
        /// The time since the last sign of it.
        elapsed: WallMillis,
    },
    /// The other side took fewer than 512 bytes of a message in time. Nothing is lost: the next session sends what it
    /// missed.
    #[error("the other side has taken nothing of a message for {elapsed}")]
    SlowPeer {
        /// The time since it last took 512 bytes.
        elapsed: WallMillis,
    },
    /// The connection broke without a close.
    #[error("the connection broke")]
    Cut,
    /// Either side closed the line.
    #[error("the line is closed")]
    Closed,
    /// The session failed: the other side's message is invalid, or the local store failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl WebSocketError {
    /// Converts an error of the WebSocket library.
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::Io(error) => Self::of_io(error),
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Closed,
            Error::Protocol(ProtocolError::SendAfterClosing) => Self::Closed,
            Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
            ) => Self::Cut,
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                Self::TooLarge { len: size, limit: max_size }
            }
            Error::Http(response) => Self::Status { status: response.status().as_u16() },
            error => Self::Protocol(Box::new(error)),
        }
    }

    fn of_io(error: io::Error) -> Self {
        match ConnectionError::of_io(error) {
            ConnectionError::Io(error) if is_cut(error.kind()) => Self::Cut,
            error => error.into(),
        }
    }

    /// Returns true if a new line may succeed later: the network or the other side failed, not the program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_temporary(),
            Self::Silent { .. }
            | Self::SlowPeer { .. }
            | Self::Cut
            | Self::Closed
            | Self::Sync(SyncError::AlertReceived(Alert::Failed)) => true,
            // Some networks answer every request with their login page, or redirect to it.
            Self::Status { status } => {
                matches!(*status, 200 | 302 | 303 | 307) || is_temporary_status(*status)
            }
            _ => false,
        }
    }
}

impl From<WaitError> for WebSocketError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Connection(error) => error.into(),
            // Neither can be asked for here.
            WaitError::Cancelled | WaitError::Overall => ConnectionError::Timeout.into(),
        }
    }
}

const fn is_cut(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof
    )
}
