//! The errors of writing or reading a bundle.

use std::io;

use crate::codec::{CodecFault, OpHash};
use crate::replica::IngestError;
use crate::store::StoreError;

/// Why a bundle could not be written, or not read to its end. Operations admitted from earlier frames stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes do not begin as a bundle does.
    #[error("not a bundle")]
    NotABundle,
    /// The bundle was written by another version of this library.
    #[error("the bundle has version {found}, this library knows version {known}")]
    Version {
        /// The version of the bundle.
        found: u8,
        /// The version that this library knows.
        known: u8,
    },
    /// The bundle holds operations of another space.
    #[error("the bundle belongs to another space")]
    OtherSpace,
    /// The bundle is incomplete.
    #[error("the bundle is cut short at byte {at}")]
    Truncated {
        /// The number of bytes that were read.
        at: u64,
    },
    /// The frame differs from the one that was written. None of its operations was admitted.
    #[error("the bundle is damaged in the frame at byte {at}")]
    Altered {
        /// The first byte of the frame.
        at: u64,
    },
    /// The frame is undamaged, but breaks a rule of the format.
    #[error("the frame at byte {at} of the bundle is malformed: {fault}")]
    Frame {
        /// The first byte of the frame.
        at: u64,
        /// The rule that it breaks.
        fault: CodecFault,
    },
    /// Bytes follow the end of the bundle.
    #[error("bytes follow the end of the bundle at byte {at}")]
    TrailingBytes {
        /// The end of the bundle.
        at: u64,
    },
    /// An operation to export is not in the log.
    #[error("operation {hash} is not in the log")]
    Missing {
        /// The operation.
        hash: OpHash,
    },
    /// Reading or writing the bundle failed.
    #[error("reading or writing the bundle failed: {kind}")]
    Io {
        /// The error of the reader or writer.
        kind: io::ErrorKind,
    },
    /// The replica rejected a whole frame: the guard stopped it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store could not read an operation.
    #[error(transparent)]
    Store(#[from] StoreError),
}
