//! Resume tokens, with which an initiator resumes a session.

use super::common::CommonOps;
use super::id::ResumeId;
use super::sealed::{ResumeError, SealedKind};
use crate::codec::tags::{RESUME_TOKEN, RESUME_TOKEN_SEAL};
use crate::codec::wire::ByteReader;
use crate::replica::Replica;

const TOKEN: SealedKind = SealedKind { first_byte: RESUME_TOKEN, label: RESUME_TOKEN_SEAL };

/// The result of a converged session, for the next session with the same peer
/// ([`SyncOptions::resume`](crate::SyncOptions::resume)), which then leaves out the operations that are common already.
///
/// A token belongs to one open replica and one responder. With another replica or responder a session starts from the
/// beginning. [`ResumeToken::to_bytes`] saves a token for after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeToken {
    pub(crate) id: ResumeId,
    pub(crate) common: CommonOps,
}

impl ResumeToken {
    /// The number of bytes of [`ResumeToken::id`].
    pub const ID_BYTES: usize = ResumeId::BYTES;

    /// Returns the id by which both sides know the session. It is not secret.
    #[must_use]
    pub fn id(&self) -> [u8; Self::ID_BYTES] {
        self.id.to_bytes()
    }

    /// Returns the token in bytes, to be kept beside the replica's file and read with [`ResumeToken::from_bytes`] after
    /// the file is opened again. `key` is 32 random bytes, unknown to anybody who can write the bytes; the store's
    /// [seal key](crate::ReplicaOptions::seal_key) will do. Whoever knows the key could make the next session leave out
    /// operations that the peer lacks.
    ///
    /// The first call for a log hashes the hashes of all its operations; a later call hashes those since the last.
    ///
    /// # Errors
    ///
    /// [`ResumeError::OtherReplica`] if the token belongs to another replica, or to this one before it was opened
    /// again.
    pub fn to_bytes(&self, replica: &Replica, key: &[u8; 32]) -> Result<Vec<u8>, ResumeError> {
        let log = Some(replica.log()).filter(|log| self.common.is_of(log));
        let prefix = log.and_then(|log| log.prefix_digest(self.common.end()));
        let prefix = prefix.ok_or(ResumeError::OtherReplica)?;
        let mut out = TOKEN.begin();
        out.extend_from_slice(&self.id.to_bytes());
        self.common.write(&mut out);
        Ok(TOKEN.end(replica.crypto(), key, &prefix, out))
    }

    /// Reads a token that was saved before the replica was opened again.
    ///
    /// # Errors
    ///
    /// [`ResumeError`]: the bytes are damaged or were sealed with another key, or the log no longer begins with the
    /// operations that it began with then. The next session then starts from the beginning.
    pub fn from_bytes(bytes: &[u8], replica: &Replica, key: &[u8; 32]) -> Result<Self, ResumeError> {
        let mut reader = ByteReader::new(bytes);
        TOKEN.open(&mut reader)?;
        let id = ResumeId::from_bytes(&reader.array()?).ok_or(ResumeError::Seal)?;
        let common = CommonOps::read(&mut reader, replica.log())?;
        TOKEN.close(reader, bytes, replica, key, common.end())?;
        Ok(Self { id, common })
    }
}
