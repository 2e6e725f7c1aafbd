//! The status of each error of the transports.

use crate::ffi::glue::error::Status;
use crate::ffi::glue::status::policysync_status_code::{self, *};
use crate::op::OpSeq;

#[cfg(any(feature = "http", feature = "websocket"))]
impl Status for crate::transport::ConnectionError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Url { .. } | Self::HostName | Self::Header(_) => POLICYSYNC_ERR_ARGUMENT,
            Self::NoTls => POLICYSYNC_ERR_UNSUPPORTED,
            Self::HostNotFound => POLICYSYNC_ERR_HOST,
            Self::Timeout => POLICYSYNC_ERR_TIMEOUT,
            Self::Io(_) => POLICYSYNC_ERR_CONNECTION,
            Self::Tls(_) => POLICYSYNC_ERR_TLS,
        }
    }
}

#[cfg(feature = "http")]
impl Status for crate::transport::HttpError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Connection(error) => error.status(),
            Self::Timeout(_) => POLICYSYNC_ERR_TIMEOUT,
            Self::Protocol(_) | Self::ContentType => POLICYSYNC_ERR_NOT_A_SERVER,
            Self::Redirect { .. } => POLICYSYNC_ERR_HTTP_STATUS,
            Self::Status { status } => of_http(*status, self.is_temporary()),
            Self::TooLarge { .. } => POLICYSYNC_ERR_LIMIT,
            Self::Sync(error) => error.status(),
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Sync(error) => error.seq(),
            _ => None,
        }
    }
}

#[cfg(feature = "websocket")]
impl Status for crate::transport::WebSocketError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Connection(error) => error.status(),
            Self::Silent { .. } | Self::SlowPeer { .. } => POLICYSYNC_ERR_TIMEOUT,
            Self::Cut | Self::Closed => POLICYSYNC_ERR_CONNECTION,
            Self::Protocol(_) | Self::Text => POLICYSYNC_ERR_NOT_A_SERVER,
            Self::Status { status } => of_http(*status, self.is_temporary()),
            Self::TurnedAway { .. } => POLICYSYNC_ERR_REFUSED,
            Self::TooLarge { .. } => POLICYSYNC_ERR_LIMIT,
            Self::Sync(error) => error.status(),
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Sync(error) => error.seq(),
            _ => None,
        }
    }
}

#[cfg(any(feature = "http", feature = "websocket"))]
const fn of_http(status: u16, temporary: bool) -> policysync_status_code {
    match status {
        401 | 403 => POLICYSYNC_ERR_UNAUTHORIZED,
        _ if temporary => POLICYSYNC_ERR_UNAVAILABLE,
        _ => POLICYSYNC_ERR_HTTP_STATUS,
    }
}

#[cfg(all(test, feature = "http", feature = "websocket"))]
mod tests {
    use super::*;

    /// A temporary failure has a number from -400 to -449.
    #[test]
    fn the_number_says_whether_it_is_temporary() {
        use crate::WallMillis;
        use crate::transport::{ConnectionError, HttpError, HttpStage, TlsError, WebSocketError};

        let may_pass = |status: policysync_status_code| (-449..=-400).contains(&status.number());
        for error in [
            ConnectionError::Url { scheme: "http" },
            ConnectionError::HostName,
            ConnectionError::NoTls,
            ConnectionError::HostNotFound,
            ConnectionError::Timeout,
            ConnectionError::Io(std::io::ErrorKind::NotConnected.into()),
            ConnectionError::Tls(TlsError::Expired),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for error in [
            HttpError::Connection(ConnectionError::NoTls),
            HttpError::Connection(ConnectionError::HostNotFound),
            HttpError::Timeout(HttpStage::Answer),
            HttpError::ContentType,
            HttpError::Redirect { status: 301 },
            HttpError::Status { status: 401 },
            HttpError::Status { status: 404 },
            HttpError::Status { status: 429 },
            HttpError::Status { status: 503 },
            HttpError::TooLarge { limit: 1 },
            HttpError::Sync(crate::SyncError::Stray),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for error in [
            WebSocketError::Connection(ConnectionError::Tls(TlsError::NotTls)),
            WebSocketError::Connection(ConnectionError::Timeout),
            WebSocketError::Text,
            WebSocketError::Status { status: 403 },
            WebSocketError::Status { status: 500 },
            WebSocketError::TurnedAway { status: 401 },
            WebSocketError::Silent { elapsed: WallMillis(1) },
            WebSocketError::SlowPeer { elapsed: WallMillis(1) },
            WebSocketError::Cut,
            WebSocketError::Closed,
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
    }
}
