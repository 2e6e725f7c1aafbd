//! The sealed form in which what is known of earlier sessions survives a restart.
//!
//! That an operation is common to two replicas cannot be checked, only remembered. So the bytes are sealed with a key.
//! They also hold a digest over the beginning of the log, because numbers of operations are meaningless in another log.

use crate::codec::tags::RESUME_VERSION;
use crate::codec::{ByteReader, CodecError, CodecFault};
use crate::crypto::Sodium;
use crate::op::OpSeq;
use crate::replica::Replica;
use crate::sync::proto::ProtocolVersion;

/// Why a saved token, or saved sessions, cannot be used. Continue without them: the next session starts from the
/// beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The bytes have another form.
    #[error("not a resume token or saved sessions: {0}")]
    Malformed(CodecError),
    /// The bytes were written by another version of this library.
    #[error("saved in version {found}, this library knows version {known}")]
    Version {
        /// The version of the bytes.
        found: u8,
        /// The version that this library knows.
        known: u8,
    },
    /// The bytes were sealed with another key, or changed since.
    #[error("sealed with another key, or changed since it was saved")]
    Seal,
    /// The log has fewer operations than the bytes refer to: it is another log, or an older copy.
    #[error("saved for a log of at least {expected} operations, this one has {found}")]
    ShorterLog {
        /// The number of operations that the bytes refer to.
        expected: u64,
        /// The number of operations in the log.
        found: u64,
    },
    /// The log does not begin with the operations that the bytes refer to, in the same order of arrival.
    #[error("saved for another log: the first {count} operations differ")]
    OtherLog {
        /// The number of operations that were compared.
        count: u64,
    },
    /// The token belongs to another replica, or to this one before it was closed and opened again.
    #[error("the resume token belongs to another replica")]
    OtherReplica,
}

// Not by `#[from]`: the message above contains that of the error, so it is no source.
impl From<CodecError> for ResumeError {
    fn from(error: CodecError) -> Self {
        Self::Malformed(error)
    }
}

/// A kind of sealed bytes.
pub(crate) struct SealedKind {
    pub(crate) first_byte: u8,
    pub(crate) label: &'static [u8],
}

impl SealedKind {
    /// Returns the first two bytes. The form of the rest has the number of the protocol's version.
    pub(crate) fn begin(&self, form: ProtocolVersion) -> Vec<u8> {
        vec![self.first_byte, form.byte()]
    }

    /// Appends the digest over the beginning of the log, and the seal.
    pub(crate) fn end(&self, crypto: Sodium, key: &[u8; 32], prefix: &[u8; 32], mut out: Vec<u8>) -> Vec<u8> {
        out.extend_from_slice(prefix);
        let seal = self.seal(crypto, key, &out);
        out.extend_from_slice(&seal);
        out
    }

    /// Reads the first two bytes. Returns the form of the rest.
    pub(crate) fn open(&self, reader: &mut ByteReader<'_>) -> Result<ProtocolVersion, ResumeError> {
        let found = reader.byte()?;
        if found != self.first_byte {
            return Err(reader.fault(CodecFault::Tag { found }).into());
        }
        let found = reader.byte()?;
        ProtocolVersion::of_byte(found).ok_or(ResumeError::Version { found, known: RESUME_VERSION })
    }

    /// Reads and checks the seal over everything before it, and the digest over the operations before `end`.
    pub(crate) fn close(
        &self,
        mut reader: ByteReader<'_>,
        bytes: &[u8],
        replica: &Replica,
        key: &[u8; 32],
        end: OpSeq,
    ) -> Result<(), ResumeError> {
        let expected: [u8; 32] = reader.array()?;
        let sealed = bytes.get(..bytes.len().saturating_sub(reader.left())).unwrap_or_default();
        let seal: [u8; 32] = reader.array()?;
        reader.end()?;
        let crypto = replica.crypto();
        if !crypto.equal(&seal, &self.seal(crypto, key, sealed)) {
            return Err(ResumeError::Seal);
        }
        match replica.log().prefix_digest(end) {
            None => {
                let found = replica.log().index().len().into();
                Err(ResumeError::ShorterLog { expected: end.into(), found })
            }
            Some(prefix) if prefix != expected => Err(ResumeError::OtherLog { count: end.into() }),
            Some(_) => Ok(()),
        }
    }

    fn seal(&self, crypto: Sodium, key: &[u8; 32], sealed: &[u8]) -> [u8; 32] {
        crypto.keyed_hash(key, &[self.label, sealed].concat())
    }
}
