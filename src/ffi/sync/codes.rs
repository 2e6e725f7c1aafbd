//! The status of each error of sessions, bundles and resumption data.

use crate::bundle::BundleError;
use crate::ffi::glue::error::Status;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, *};
use crate::sync::{Alert, ResumeError};
use crate::{StoreError, SyncError};

impl Status for SyncError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Message(_) => POLICYSYNC_ERR_MALFORMED,
            Self::TooLarge { .. } | Self::TooManyRefused { .. } => POLICYSYNC_ERR_LIMIT,
            Self::Version { .. } => POLICYSYNC_ERR_PEER_VERSION,
            Self::OtherSpace => POLICYSYNC_ERR_WRONG_SPACE,
            Self::PeerMisbehaved(_) => POLICYSYNC_ERR_PROTOCOL,
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

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Ingest(error) => error.store_error(),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns the alert that [`SyncError::to_alert`] sends for an error with this status.
pub(in crate::ffi) fn alert_of(status: policysync_status) -> Alert {
    let of = |code: policysync_status_code| status == code.number();
    if of(POLICYSYNC_ERR_MALFORMED) || of(POLICYSYNC_ERR_PROTOCOL) || of(POLICYSYNC_ERR_OUT_OF_TURN) {
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
            // All readers and writers are callbacks of the caller.
            Self::Io { .. } => POLICYSYNC_ERR_CALLBACK,
            Self::Ingest(error) => error.status(),
            Self::Store(error) => error.status(),
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Ingest(error) => error.store_error(),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecError, CodecFault};
    use crate::sync::PeerMisbehaved;

    #[test]
    fn an_alert_by_status_is_the_one_by_error() {
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
            let alert = alert_of(error.status().number());
            assert_eq!(SyncError::AlertReceived(alert).to_alert(), error.to_alert(), "{error}");
        }
        assert_eq!(alert_of(0), Alert::Failed);
    }
}
