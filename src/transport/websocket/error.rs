//! Why a WebSocket ended.

use std::io;

use tungstenite::Error;
use tungstenite::error::{CapacityError, ProtocolError};

use crate::hlc::WallMillis;
use crate::sync::SyncError;
use crate::transport::headers::HeaderError;
use crate::transport::tls::TlsError;

/// Why a line over a WebSocket was not opened, or ended early. What was admitted before stays; the first session of the
/// next line finds whatever was on its way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// The URL is none, or neither `ws` nor `wss`. It is not shown, since it may hold a password.
    #[error("not a ws or wss URL")]
    Url,
    /// The URL is `wss`, and the library was built without the feature `tls`.
    #[error("a wss URL needs the feature tls, which this build does not have")]
    NoTls,
    /// A header or the token of the options cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The name of the host is not known.
    #[error("the host is not known")]
    HostNotFound,
    /// The connection was refused, or broke.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// The other side did not open a WebSocket: the server answered with this status. 401 and 403 say that it wants a
    /// token, or another one.
    #[error("the server answered with status {status} instead of opening a WebSocket")]
    Status {
        /// 100 to 999, but not 101.
        status: u16,
    },
    /// This side did not open a WebSocket for the caller, and told it so with this status.
    #[error("the caller was turned away with status {status}")]
    TurnedAway {
        /// 400 to 599.
        status: u16,
    },
    /// The handshake took too long.
    #[error("timed out in the handshake")]
    HandshakeTimeout,
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The other side breaks the rules of WebSocket (RFC 6455).
    #[error("not a WebSocket that we understand")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A message or a frame is longer than this side takes. It was not read.
    #[error("a message of {len} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes that were announced, or that had arrived.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// A message of text: ours are binary.
    #[error("a text message, where only binary ones are spoken")]
    Text,
    /// No message came for so long, and no answer to a ping.
    #[error("nothing was heard for {elapsed}")]
    Silent {
        /// How long.
        elapsed: WallMillis,
    },
    /// The other side has not taken a whole message for so long. Nothing is lost: the next session sends what it
    /// missed.
    #[error("the other side has not taken a message for {elapsed}")]
    SlowPeer {
        /// How long.
        elapsed: WallMillis,
    },
    /// The line broke without being closed.
    #[error("the line broke")]
    Cut,
    /// The line was closed, by either side.
    #[error("the line is closed")]
    Closed,
    /// What the other side says is no message, or a lie, or our store failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl WebSocketError {
    /// What happened, in our words.
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

    pub(super) fn of_io(error: io::Error) -> Self {
        #[cfg(feature = "tls")]
        let error = match TlsError::of_io(error) {
            Ok(error) => return Self::Tls(error),
            Err(error) => error,
        };
        if is_cut(error.kind()) { Self::Cut } else { Self::Io(error) }
    }

    /// Whether a new line may well succeed later: the network or the other side failed, not the program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::HostNotFound
            | Self::Io(_)
            | Self::HandshakeTimeout
            | Self::Silent { .. }
            | Self::SlowPeer { .. }
            | Self::Cut
            | Self::Closed => true,
            Self::Status { status } => *status == 429 || *status >= 500,
            _ => false,
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
