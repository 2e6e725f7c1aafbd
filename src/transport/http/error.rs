//! The error of a session over HTTP.

use std::fmt;
use std::time::Duration;

use crate::sync::{Alert, SyncError};
use crate::transport::net::{ConnectionError, HeadFault, WaitError, is_temporary_status};

/// An error of a session over HTTP. Operations that were admitted before stay, and the next session continues from
/// there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The server cannot be reached, or the connection broke.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The request took too long, or did not move.
    #[error("timed out {0}")]
    Timeout(HttpStage),
    /// The caller cancelled the request.
    #[error("the request was cancelled")]
    Cancelled,
    /// The server's bytes are not HTTP.
    #[error("the server does not speak HTTP")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server redirects the request. Redirects are not followed: the application names the server. One for a time
    /// (302, 303, 307) often comes from a network that wants its user to log in.
    #[error(
        "the answer redirects (status {status}), as the login page of a network does; it is not followed"
    )]
    Redirect {
        /// 300 to 399.
        status: u16,
    },
    /// The server, or a gateway before it, answers with an error. 401 and 403 ask for a token, or for another one.
    #[error("the server answered with status {status}")]
    Status {
        /// 100 to 999, but not 200.
        status: u16,
        /// The time after which the server wants the next request (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The server, or a gateway before it, does not take a request of this length (status 413).
    #[error("the server, or a gateway before it, takes no request of {len} bytes (status 413)")]
    RequestTooLarge {
        /// The bytes of the message.
        len: usize,
    },
    /// The server answers with status 200 and another content type than
    /// [`HTTP_CONTENT_TYPE`](super::HTTP_CONTENT_TYPE), as a proxy or the login page of a network does.
    #[error(
        "the answer has another content type; it may come from a proxy or from the login page of a network"
    )]
    ContentType,
    /// The answer is compressed or otherwise encoded, which was not asked for. A gateway before the server may do that.
    #[error("the answer has the content encoding {encoding}, which was not asked for")]
    ContentEncoding {
        /// Its name, at most 32 printable characters.
        encoding: Box<str>,
    },
    /// The answer is longer than the caller's limit. No more than the limit was read.
    #[error("the answer is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The session failed: the server's answer is invalid, or the local store failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// The part of a request that took too long, after connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpStage {
    /// Sending the request.
    Sending,
    /// The wait for the head of the answer.
    Answer,
    /// The transfer of the answer's body.
    Body,
    /// The request as a whole.
    Overall,
}

impl fmt::Display for HttpStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sending => "while sending the request",
            Self::Answer => "while waiting for the answer",
            Self::Body => "while reading the answer",
            Self::Overall => "before the answer was complete",
        })
    }
}

impl HttpError {
    /// Returns true if the same call may succeed later: the network, something on the way or the server failed, not the
    /// program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_temporary(),
            Self::Timeout(_) | Self::ContentType | Self::Sync(SyncError::AlertReceived(Alert::Failed)) => {
                true
            }
            Self::Redirect { status } => matches!(*status, 302 | 303 | 307),
            Self::Status { status, .. } => is_temporary_status(*status),
            _ => false,
        }
    }

    /// Returns the time after which the server wants the next request, if it says one.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<WaitError> for HttpError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Connection(error) => error.into(),
            WaitError::Cancelled => Self::Cancelled,
            WaitError::Overall => Self::Timeout(HttpStage::Overall),
        }
    }
}

impl From<HeadFault> for HttpError {
    fn from(fault: HeadFault) -> Self {
        Self::Protocol(Box::new(fault))
    }
}
