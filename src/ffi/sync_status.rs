//! Which status the errors of synchronisation have, and those of what carries its messages.

use super::status::policysync_status_code::{self, *};
use super::status::{Status, policysync_status};
use crate::SyncError;
use crate::bundle::BundleError;
use crate::op::OpSeq;
use crate::sync::{Alert, ResumeError};

impl Status for SyncError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Message(_) => POLICYSYNC_ERR_MALFORMED,
            Self::TooLarge { .. } | Self::TooManyRefused { .. } => POLICYSYNC_ERR_LIMIT,
            Self::Version { .. } => POLICYSYNC_ERR_PEER_VERSION,
            Self::OtherSpace => POLICYSYNC_ERR_WRONG_SPACE,
            Self::PeerMisbehaved(_) => POLICYSYNC_ERR_LIE,
            Self::Stray => POLICYSYNC_ERR_STRAY,
            Self::NoProgress { .. } => POLICYSYNC_ERR_NO_PROGRESS,
            Self::AlertReceived(alert) => match alert {
                Alert::Version => POLICYSYNC_ERR_PEER_VERSION,
                Alert::OtherSpace => POLICYSYNC_ERR_WRONG_SPACE,
                Alert::Forgotten => POLICYSYNC_ERR_FORGOTTEN,
                Alert::Message | Alert::TooLarge | Alert::Failed => POLICYSYNC_ERR_REFUSED,
            },
            Self::OutOfTurn => POLICYSYNC_ERR_OUT_OF_TURN,
            Self::Ended => POLICYSYNC_ERR_ENDED,
            Self::OtherReplica => POLICYSYNC_ERR_OTHER_REPLICA,
            Self::Ingest(error) => error.status(),
            Self::Store(error) => error.status(),
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Ingest(error) => error.seq(),
            Self::Store(error) => error.seq(),
            _ => None,
        }
    }
}

/// What a responder that failed with this status says: what [`SyncError::to_alert`] does, of the error's status.
pub(super) fn refusal_of(status: policysync_status) -> Alert {
    let of = |code: policysync_status_code| status == code.number();
    if of(POLICYSYNC_ERR_MALFORMED) || of(POLICYSYNC_ERR_LIE) || of(POLICYSYNC_ERR_OUT_OF_TURN) {
        Alert::Message
    } else if of(POLICYSYNC_ERR_PEER_VERSION) {
        Alert::Version
    } else if of(POLICYSYNC_ERR_WRONG_SPACE) {
        Alert::OtherSpace
    } else if of(POLICYSYNC_ERR_LIMIT) {
        Alert::TooLarge
    } else if of(POLICYSYNC_ERR_FORGOTTEN) {
        Alert::Forgotten
    } else {
        Alert::Failed
    }
}

impl Status for ResumeError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Malformed(_) => POLICYSYNC_ERR_MALFORMED,
            Self::Version { .. } => POLICYSYNC_ERR_PEER_VERSION,
            Self::Seal => POLICYSYNC_ERR_DAMAGED,
            Self::ShorterLog { .. } | Self::OtherLog { .. } | Self::OtherReplica => {
                POLICYSYNC_ERR_OTHER_REPLICA
            }
        }
    }
}

impl Status for BundleError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::NotABundle | Self::Frame { .. } => POLICYSYNC_ERR_MALFORMED,
            Self::Version { .. } => POLICYSYNC_ERR_PEER_VERSION,
            Self::OtherSpace => POLICYSYNC_ERR_WRONG_SPACE,
            Self::Truncated { .. } | Self::Altered { .. } | Self::TrailingBytes { .. } => {
                POLICYSYNC_ERR_DAMAGED
            }
            Self::Missing { .. } => POLICYSYNC_ERR_ARGUMENT,
            // Of a writer or a reader of the caller's: there are no others.
            Self::Io { .. } => POLICYSYNC_ERR_CALLBACK,
            Self::Ingest(error) => error.status(),
            Self::Store(error) => error.status(),
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Ingest(error) => error.seq(),
            Self::Store(error) => error.seq(),
            _ => None,
        }
    }
}

/// Neither transport may fail for a reason that has no number.
#[cfg(feature = "http")]
impl Status for crate::transport::HttpError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Url | Self::Header(_) => POLICYSYNC_ERR_ARGUMENT,
            Self::NoTls => POLICYSYNC_ERR_UNSUPPORTED,
            Self::HostNotFound => POLICYSYNC_ERR_HOST,
            Self::Timeout(_) => POLICYSYNC_ERR_TIMEOUT,
            Self::Io(_) => POLICYSYNC_ERR_CONNECTION,
            Self::Tls(_) => POLICYSYNC_ERR_TLS,
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
            Self::Url | Self::Header(_) => POLICYSYNC_ERR_ARGUMENT,
            Self::NoTls => POLICYSYNC_ERR_UNSUPPORTED,
            Self::HostNotFound => POLICYSYNC_ERR_HOST,
            Self::HandshakeTimeout | Self::Silent { .. } | Self::SlowPeer { .. } => POLICYSYNC_ERR_TIMEOUT,
            Self::Io(_) | Self::Cut | Self::Closed => POLICYSYNC_ERR_CONNECTION,
            Self::Tls(_) => POLICYSYNC_ERR_TLS,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;
    use crate::codec::{CodecError, CodecFault};
    use crate::sync::PeerMisbehaved;

    #[test]
    fn a_refusal_by_status_is_the_one_by_error() {
        let errors = [
            SyncError::Message(CodecError { fault: CodecFault::Truncated, at: 0 }),
            SyncError::TooLarge { len: 2, limit: 1 },
            SyncError::Version { found: 2, known: 1 },
            SyncError::OtherSpace,
            SyncError::PeerMisbehaved(PeerMisbehaved::Range),
            SyncError::OutOfTurn,
            SyncError::AlertReceived(Alert::Forgotten),
            SyncError::Store(StoreError::Full),
        ];
        for error in errors {
            let refusal = refusal_of(error.status().number());
            assert_eq!(SyncError::AlertReceived(refusal).to_alert(), error.to_alert(), "{error}");
        }
        assert_eq!(refusal_of(0), Alert::Failed);
    }

    /// What may pass by itself has a number from -400 to -449.
    #[cfg(all(feature = "http", feature = "websocket"))]
    #[test]
    fn the_number_says_whether_it_is_temporary() {
        use crate::WallMillis;
        use crate::transport::{HttpError, HttpStage, TlsError, WebSocketError};

        let may_pass = |status: policysync_status_code| (-449..=-400).contains(&status.number());
        for error in [
            HttpError::Url,
            HttpError::NoTls,
            HttpError::HostNotFound,
            HttpError::Timeout(HttpStage::Answer),
            HttpError::Io(std::io::ErrorKind::NotConnected.into()),
            HttpError::Tls(TlsError::Expired),
            HttpError::ContentType,
            HttpError::Redirect { status: 301 },
            HttpError::Status { status: 401 },
            HttpError::Status { status: 404 },
            HttpError::Status { status: 429 },
            HttpError::Status { status: 503 },
            HttpError::TooLarge { limit: 1 },
            HttpError::Sync(SyncError::Stray),
        ] {
            assert_eq!(may_pass(error.status()), error.is_temporary(), "{error:?}");
        }
        for error in [
            WebSocketError::Url,
            WebSocketError::HandshakeTimeout,
            WebSocketError::Tls(TlsError::NotTls),
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
