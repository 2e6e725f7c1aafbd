//! The status of each error of operations, keys, stores and replicas.

use crate::codec::DecodeError;
use crate::crypto::{CryptoError, KeyError};
use crate::ffi::glue::error::Status;
use crate::ffi::glue::status::policysync_status_code::{self, *};
use crate::guard::Aborted;
use crate::hlc::HlcError;
use crate::keys::{
    KeyTextError, PaperError, RegistryError, RegistryTextError, RegistryTextFault, SignError, UnwrapError,
    VerifyError, WrapError,
};
use crate::op::{IdentifierError, OpError, OpSeq};
use crate::replica::StateCursorError;
use crate::value::JsonError;
use crate::{IngestError, OpRefusal, OpenError, StoreError, WriteError};

impl Status for CryptoError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Init | Self::SelfTest { .. } => POLICYSYNC_ERR_CRYPTO,
        }
    }
}

impl Status for KeyError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::InvalidPoint | Self::Encoding(_) => POLICYSYNC_ERR_KEY,
            Self::Crypto(error) => error.status(),
        }
    }
}

impl Status for IdentifierError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_IDENTIFIER
    }
}

impl Status for RegistryError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Taken { .. } => POLICYSYNC_ERR_KEY_TAKEN,
        }
    }
}

impl Status for KeyTextError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::NotAKey | Self::Version | Self::Incomplete | Self::Escape | Self::Encoding(_) => {
                POLICYSYNC_ERR_KEY_TEXT
            }
            Self::PublicKey(error) => error.status(),
            Self::Identifier(error) => error.status(),
        }
    }
}

impl Status for RegistryTextError {
    fn status(&self) -> policysync_status_code {
        match &self.fault {
            RegistryTextFault::Key(error) => error.status(),
            RegistryTextFault::Registry(error) => error.status(),
        }
    }
}

impl Status for WrapError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::EmptyPassphrase | Self::Cost { .. } => POLICYSYNC_ERR_ARGUMENT,
            Self::Memory { .. } => POLICYSYNC_ERR_MEMORY,
            Self::Crypto(error) => error.status(),
        }
    }
}

impl Status for UnwrapError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::NotASeed | Self::Version | Self::Damaged | Self::Key(WrapError::Cost { .. }) => {
                POLICYSYNC_ERR_KEY_TEXT
            }
            Self::WrongPassphrase => POLICYSYNC_ERR_PASSPHRASE,
            Self::Key(error) => error.status(),
        }
    }
}

impl Status for PaperError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Length { .. } | Self::Character { .. } | Self::Checksum { .. } | Self::Version => {
                POLICYSYNC_ERR_KEY_TEXT
            }
        }
    }
}

impl Status for HlcError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::TimeOutOfRange { .. }
            | Self::CounterOutOfRange { .. }
            | Self::WallOutOfRange { .. }
            | Self::Doubtful { .. }
            | Self::Exhausted { .. } => POLICYSYNC_ERR_CLOCK,
        }
    }
}

impl Status for JsonError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_VALUE
    }
}

impl Status for DecodeError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_MALFORMED
    }
}

/// Concerns an operation that the caller makes; for one from outside the error is a [`DecodeError`].
impl Status for OpError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Identifier(error) => error.status(),
            Self::Timestamp(error) => error.status(),
            Self::DeleteWithValue => POLICYSYNC_ERR_VALUE,
            Self::TooLarge { .. } => POLICYSYNC_ERR_TOO_LARGE,
        }
    }
}

impl Status for SignError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::OtherActor => POLICYSYNC_ERR_OTHER_ACTOR,
            Self::Op(error) => error.status(),
            Self::Identifier(error) => error.status(),
            Self::Crypto(error) => error.status(),
        }
    }
}

impl Status for VerifyError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::BadSignature => POLICYSYNC_ERR_BAD_SIGNATURE,
            Self::Op(_) => POLICYSYNC_ERR_MALFORMED,
        }
    }
}

impl Status for OpenError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Clock(error) => error.status(),
            Self::Crypto(error) => error.status(),
            Self::Space(error) => error.status(),
            Self::Key(error) => error.status(),
            Self::Store(error) => error.status(),
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::RolledBack { .. } => POLICYSYNC_ERR_ROLLED_BACK,
            Self::RestoredBackup { .. } => POLICYSYNC_ERR_RESTORED_BACKUP,
            Self::SealUnverified | Self::NoStore | Self::TwoStores => POLICYSYNC_ERR_ARGUMENT,
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Store(error) => error.seq(),
            Self::UnknownKey { seq, .. } => Some(*seq),
            _ => None,
        }
    }
}

impl Status for OpRefusal {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Malformed(error) => error.status(),
            Self::WrongSpace { .. } => POLICYSYNC_ERR_WRONG_SPACE,
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::BadSignature => POLICYSYNC_ERR_BAD_SIGNATURE,
            Self::Denied => POLICYSYNC_ERR_DENIED,
        }
    }
}

impl Status for Aborted {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_ABORTED
    }
}

impl Status for StoreError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::InFile { error, .. } => error.status(),
            Self::Full => POLICYSYNC_ERR_FULL,
            Self::Corrupt { .. } => POLICYSYNC_ERR_CORRUPT,
            Self::Locked | Self::Conflict => POLICYSYNC_ERR_LOCKED,
            Self::OpenHere => POLICYSYNC_ERR_OPEN_HERE,
            Self::DiskFull(_) => POLICYSYNC_ERR_NO_SPACE,
            Self::ReadOnly(_) => POLICYSYNC_ERR_NOT_WRITABLE,
            Self::Io(_)
            | Self::FileSystem { .. }
            | Self::CannotOpen(_)
            | Self::NoDirectory { .. }
            | Self::Other(_)
            | Self::OutcomeUnknown => POLICYSYNC_ERR_IO,
            Self::NotAFile | Self::Foreign => POLICYSYNC_ERR_NOT_A_STORE,
            Self::Exists => POLICYSYNC_ERR_EXISTS,
            Self::Released => POLICYSYNC_ERR_RELEASED,
            Self::Moved => POLICYSYNC_ERR_MOVED,
            Self::OtherProcess => POLICYSYNC_ERR_OTHER_PROCESS,
            Self::Poisoned => POLICYSYNC_ERR_PANIC,
            Self::Newer { .. } => POLICYSYNC_ERR_NEWER,
            Self::WrongSpace { .. } => POLICYSYNC_ERR_WRONG_SPACE,
            Self::WrongSealKey => POLICYSYNC_ERR_SEAL_KEY,
            Self::NoFile => POLICYSYNC_ERR_ARGUMENT,
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl Status for StateCursorError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Malformed(_) => POLICYSYNC_ERR_MALFORMED,
            Self::Version { .. } => POLICYSYNC_ERR_PEER_VERSION,
            Self::OtherLog => POLICYSYNC_ERR_OTHER_REPLICA,
            Self::Store(error) => error.status(),
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl Status for IngestError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Refused(error) => error.status(),
            Self::Clock(error) => error.status(),
            Self::Aborted(error) => error.status(),
            Self::Store(error) => error.status(),
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl Status for WriteError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::ReadOnly => POLICYSYNC_ERR_READ_ONLY,
            Self::Clock(error) => error.status(),
            Self::Op(error) => error.status(),
            Self::Value(error) => error.status(),
            Self::Sign(error) => error.status(),
            Self::Ingest(error) => error.status(),
            Self::ClockAhead { .. } => POLICYSYNC_ERR_CLOCK_AHEAD,
            Self::ClockReused => POLICYSYNC_ERR_OTHER_WRITER,
        }
    }

    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Ingest(error) => error.store_error(),
            _ => None,
        }
    }
}
