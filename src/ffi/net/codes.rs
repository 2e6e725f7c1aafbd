//! The status of each error of the transports.

use crate::ffi::glue::error::Status;
use crate::ffi::glue::status::policysync_status_code::{self, *};
#[cfg(any(feature = "http", feature = "websocket"))]
use crate::store::StoreError;
#[cfg(any(feature = "http", feature = "websocket"))]
use crate::sync::{Alert, SyncError};

#[cfg(any(feature = "http", feature = "websocket"))]
impl Status for crate::transport::ConnectionError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Url { .. } | Self::ProxyUrl | Self::HostName | Self::Header(_) => POLICYSYNC_ERR_ARGUMENT,
            Self::NoTls => POLICYSYNC_ERR_UNSUPPORTED,
            Self::HostNotFound => POLICYSYNC_ERR_HOST,
            Self::Timeout => POLICYSYNC_ERR_TIMEOUT,
            Self::Io(_) => POLICYSYNC_ERR_CONNECTION,
            Self::Tls(_) => POLICYSYNC_ERR_TLS,
            Self::Proxy { status: 407 } => POLICYSYNC_ERR_UNAUTHORIZED,
            Self::Proxy { status } => of_http(*status, self.is_temporary()),
            Self::NotAProxy(_) => POLICYSYNC_ERR_NOT_A_SERVER,
        }
    }
}

#[cfg(feature = "http")]
impl Status for crate::transport::HttpError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Connection(error) => error.status(),
            Self::Timeout(_) => POLICYSYNC_ERR_TIMEOUT,
            Self::Cancelled => POLICYSYNC_ERR_ENDED,
            Self::Protocol(_) | Self::ContentEncoding { .. } => POLICYSYNC_ERR_NOT_A_SERVER,
            // Of a network that wants its user to log in.
            Self::ContentType => POLICYSYNC_ERR_UNAVAILABLE,
            Self::Redirect { status } | Self::Status { status, .. } => of_http(*status, self.is_temporary()),
            Self::RequestTooLarge { .. } => POLICYSYNC_ERR_HTTP_STATUS,
            Self::TooLarge { .. } => POLICYSYNC_ERR_LIMIT,
            Self::Sync(SyncError::AlertReceived(Alert::Failed)) => POLICYSYNC_ERR_UNAVAILABLE,
            Self::Sync(error) => error.status(),
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Sync(error) => error.store_error(),
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
            Self::Sync(SyncError::AlertReceived(Alert::Failed)) => POLICYSYNC_ERR_UNAVAILABLE,
            Self::Sync(error) => error.status(),
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Sync(error) => error.store_error(),
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
            ConnectionError::ProxyUrl,
            ConnectionError::Proxy { status: 407 },
            ConnectionError::Proxy { status: 504 },
            ConnectionError::NotAProxy("".into()),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for error in [
            HttpError::Connection(ConnectionError::NoTls),
            HttpError::Connection(ConnectionError::HostNotFound),
            HttpError::Timeout(HttpStage::Answer),
            HttpError::ContentType,
            HttpError::Cancelled,
            HttpError::ContentEncoding { encoding: "gzip".into() },
            HttpError::Redirect { status: 301 },
            HttpError::Redirect { status: 302 },
            HttpError::RequestTooLarge { len: 1 },
            HttpError::TooLarge { limit: 1 },
            HttpError::Sync(SyncError::Stray),
            HttpError::Sync(SyncError::AlertReceived(Alert::Failed)),
            HttpError::Sync(SyncError::AlertReceived(Alert::OtherSpace)),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for status in 100..=999 {
            let error = HttpError::Status { status, retry_after: None };
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
            let error = WebSocketError::Status { status };
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for error in [
            WebSocketError::Connection(ConnectionError::Tls(TlsError::NotTls)),
            WebSocketError::Connection(ConnectionError::Timeout),
            WebSocketError::Text,
            WebSocketError::TurnedAway { status: 401 },
            WebSocketError::Silent { elapsed: WallMillis(1) },
            WebSocketError::SlowPeer { elapsed: WallMillis(1) },
            WebSocketError::Cut,
            WebSocketError::Closed,
            WebSocketError::Sync(SyncError::AlertReceived(Alert::Failed)),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
    }
}
