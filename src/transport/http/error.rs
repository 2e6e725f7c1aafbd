//! The error of a session over HTTP.

use std::fmt;
use std::io;

use crate::sync::SyncError;
use crate::transport::net::ConnectionError;

/// An error of a session over HTTP. Operations that were admitted before stay, and the next session continues from
/// there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The server cannot be reached, or the connection broke.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The request took too long.
    #[error("timed out {0}")]
    Timeout(HttpStage),
    /// The server's bytes are not HTTP.
    #[error("the server does not speak HTTP")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server redirects the request. Redirects are not followed: the application names the server.
    #[error("the server redirects (status {status}), which is not followed")]
    Redirect {
        /// 300 to 399.
        status: u16,
    },
    /// The server answers with an error. 401 and 403 ask for a token, or for another one.
    #[error("the server answered with status {status}")]
    Status {
        /// 100 to 999, but not 200.
        status: u16,
    },
    /// The server answers with status 200 and another content type than
    /// [`HTTP_CONTENT_TYPE`](super::HTTP_CONTENT_TYPE), as a proxy or a login page in its place does.
    #[error("the answer has another content type; it may come from a proxy or a login page")]
    ContentType,
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
    /// Converts an error of the HTTP library. `limit` is that of the answer.
    pub(super) fn of(error: ureq::Error, limit: usize) -> Self {
        use ureq::{Error, Timeout};
        let connection = match error {
            Error::Timeout(Timeout::Resolve | Timeout::Connect) => ConnectionError::Timeout,
            Error::Timeout(timeout) => {
                return Self::Timeout(match timeout {
                    Timeout::SendRequest | Timeout::SendBody | Timeout::Await100 => HttpStage::Sending,
                    Timeout::RecvResponse => HttpStage::Answer,
                    Timeout::RecvBody => HttpStage::Body,
                    _ => HttpStage::Overall,
                });
            }
            Error::HostNotFound => ConnectionError::HostNotFound,
            Error::BadUri(_) => ConnectionError::Url { scheme: super::SCHEME },
            Error::TlsRequired => ConnectionError::NoTls,
            Error::Io(error) => ConnectionError::of_io(error),
            Error::ConnectionFailed => ConnectionError::Io(io::ErrorKind::NotConnected.into()),
            Error::BodyExceedsLimit(_) => return Self::TooLarge { limit },
            Error::StatusCode(status) => return Self::Status { status },
            Error::Other(error) => match error.downcast() {
                Ok(error) => *error,
                Err(error) => return Self::Protocol(error),
            },
            error => return Self::Protocol(Box::new(error)),
        };
        connection.into()
    }

    /// Returns true if the same call may succeed later: the network or the server failed, not the program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_temporary(),
            Self::Timeout(_) => true,
            Self::Status { status } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
