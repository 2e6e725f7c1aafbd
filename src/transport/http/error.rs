//! Why a request failed.

use std::fmt;
use std::io;

use crate::sync::SyncError;
use crate::transport::headers::HeaderError;
use crate::transport::tls::TlsError;

/// Why a session over HTTP failed. What was admitted before stays, and the next session goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The URL is none, or neither `http` nor `https`. It is not shown, since it may hold a password.
    #[error("not an http or https URL")]
    Url,
    /// The URL is `https`, and the library was built without the feature `tls`.
    #[error("an https URL needs the feature tls, which this build does not have")]
    NoTls,
    /// A header or the token of the options cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The name of the host is not known.
    #[error("the host is not known")]
    HostNotFound,
    /// The request took too long.
    #[error("timed out {0}")]
    Timeout(HttpStage),
    /// The connection was refused, or broke.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What the server says is not HTTP.
    #[error("not an HTTP server that we understand")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server wants to send us elsewhere. Redirects are not followed: the application names the server.
    #[error("the server redirects (status {status}), which is not followed")]
    Redirect {
        /// 300 to 399.
        status: u16,
    },
    /// The server does not answer with a message. 401 and 403 say that it wants a token, or another one.
    #[error("the server answered with status {status}")]
    Status {
        /// 100 to 999, but not 200.
        status: u16,
    },
    /// The server says 200, and the body is of another type than [`HTTP_CONTENT_TYPE`](super::HTTP_CONTENT_TYPE): some
    /// proxy or login page answers in its place.
    #[error("the answer is of another content type; something else answers there")]
    ContentType,
    /// The answer is longer than this side said it would take. No more than that was read.
    #[error("the answer is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The session itself failed: what the server sends is no answer, or a lie, or our store failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// What was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpStage {
    /// The name's address, or the connection.
    Connecting,
    /// The server, to take the request.
    Sending,
    /// The head of the answer.
    Answer,
    /// The rest of the answer.
    Body,
    /// All together.
    Overall,
}

impl fmt::Display for HttpStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "while connecting",
            Self::Sending => "while sending the request",
            Self::Answer => "waiting for the answer",
            Self::Body => "in the middle of the answer",
            Self::Overall => "before the answer was complete",
        })
    }
}

impl HttpError {
    /// What became of a request, in our words. `limit` is that of the answer.
    pub(super) fn of(error: ureq::Error, limit: usize) -> Self {
        use ureq::{Error, Timeout};
        match error {
            Error::Timeout(timeout) => Self::Timeout(match timeout {
                Timeout::Resolve | Timeout::Connect => HttpStage::Connecting,
                Timeout::SendRequest | Timeout::SendBody | Timeout::Await100 => HttpStage::Sending,
                Timeout::RecvResponse => HttpStage::Answer,
                Timeout::RecvBody => HttpStage::Body,
                _ => HttpStage::Overall,
            }),
            Error::HostNotFound => Self::HostNotFound,
            Error::BadUri(_) => Self::Url,
            Error::TlsRequired => Self::NoTls,
            Error::BodyExceedsLimit(_) => Self::TooLarge { limit },
            Error::StatusCode(status) => Self::Status { status },
            Error::Io(error) => Self::of_io(error),
            Error::ConnectionFailed => Self::Io(io::ErrorKind::NotConnected.into()),
            Error::Other(error) => match error.downcast() {
                Ok(error) => Self::Tls(*error),
                Err(error) => Self::Protocol(error),
            },
            error => Self::Protocol(Box::new(error)),
        }
    }

    #[cfg(feature = "tls")]
    fn of_io(error: io::Error) -> Self {
        TlsError::of_io(error).map_or_else(Self::Io, Self::Tls)
    }

    #[cfg(not(feature = "tls"))]
    const fn of_io(error: io::Error) -> Self {
        Self::Io(error)
    }

    /// Whether the same call may well succeed later: the network or the server failed, not the program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::HostNotFound | Self::Timeout(_) | Self::Io(_) => true,
            Self::Status { status } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
