//! The error of synchronization in the background.

use std::time::Duration;

#[cfg(feature = "http")]
use crate::transport::http::HttpError;
#[cfg(feature = "websocket")]
use crate::transport::websocket::WebSocketError;

/// The reason why an attempt to synchronize in the background failed. Another one follows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackgroundError {
    /// Over HTTP.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Over a WebSocket.
    #[cfg(feature = "websocket")]
    #[error(transparent)]
    WebSocket(#[from] WebSocketError),
}

impl BackgroundError {
    /// Returns true if the next attempt may succeed without a change of the program, its options or its store.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            #[cfg(feature = "http")]
            Self::Http(error) => error.is_temporary(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(error) => error.is_temporary(),
        }
    }

    /// Returns the time after which the server wants the next attempt, if it says one.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            #[cfg(feature = "http")]
            Self::Http(error) => error.retry_after(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(_) => None,
        }
    }
}
