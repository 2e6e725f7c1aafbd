//! Resume tokens, with which an initiator resumes a session.

use super::common::CommonOps;
use super::sealed::{ResumeError, SealedKind};
use crate::codec::tags::{RESUME_TOKEN, RESUME_TOKEN_SEAL, SYNC_TRANSFERRED};
use crate::codec::{ByteReader, CodecError, OpHash, put_varint, wide};
use crate::crypto::Sodium;
use crate::replica::Replica;
use crate::sync::Refusals;
use crate::sync::authors::PeerFilter;
use crate::sync::proto::ProtocolVersion;

const TOKEN: SealedKind = SealedKind { first_byte: RESUME_TOKEN, label: RESUME_TOKEN_SEAL };

/// The part of a session that converged, with or without exceptions, that shortens the next one with the same peer
/// ([`SyncOptions::resume`](crate::SyncOptions::resume)), which then leaves out the operations that are common already.
///
/// A token belongs to one open replica and one responder. With another replica or responder a session starts from the
/// beginning. [`ResumeToken::to_bytes`] saves a token for after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeToken {
    pub(crate) id: ResumeId,
    /// The version in which the peer speaks.
    pub(crate) version: ProtocolVersion,
    pub(crate) common: CommonOps,
    /// The authors that the peer accepts. Not saved: a push after a restart follows a new session.
    pub(crate) peer: PeerFilter,
    pub(crate) except: Exceptions,
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
        let mut out = TOKEN.begin(self.version);
        out.extend_from_slice(&self.id.to_bytes());
        self.common.write(&mut out);
        if self.version >= ProtocolVersion::V2 {
            self.except.write(&mut out);
        }
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
        let version = TOKEN.open(&mut reader)?;
        let id = ResumeId::from_bytes(&reader.array()?).ok_or(ResumeError::Seal)?;
        let common = CommonOps::read(&mut reader, replica.log())?;
        let except = match version {
            ProtocolVersion::V1 => Exceptions::default(),
            ProtocolVersion::V2 => Exceptions::read(&mut reader)?,
        };
        TOKEN.close(reader, bytes, replica, key, common.end())?;
        Ok(Self { id, version, common, peer: PeerFilter::default(), except })
    }
}

/// The operations that either side refused in the sessions so far, without those that were left out beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exceptions {
    /// The replica's admission tag: with another one, it may admit what it refused.
    pub(crate) tag: [u8; 8],
    pub(crate) refused: Refusals,
    pub(crate) refused_by_peer: Refusals,
}

impl Exceptions {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tag);
        let counts = [self.refused, self.refused_by_peer].map(Refusals::to_array);
        counts.into_iter().flatten().for_each(|count| put_varint(out, count));
    }

    fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let tag = reader.array()?;
        let mut counts = [[0; Refusals::REASONS]; 2];
        for count in counts.iter_mut().flatten() {
            *count = reader.varint()?;
        }
        let [refused, refused_by_peer] = counts.map(Refusals::from_array);
        Ok(Self { tag, refused, refused_by_peer })
    }
}

/// The name of a session, and a digest over the operations that it transferred. The digest shows that both sides
/// remember the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResumeId {
    pub(crate) session: [u8; 16],
    pub(crate) transferred: [u8; 32],
}

impl ResumeId {
    pub(crate) const BYTES: usize = 48;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.session.iter().chain(&self.transferred);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk()?;
        Some(Self { session: *session, transferred: *rest.first_chunk()? })
    }

    /// Appends an optional id to a message.
    pub(crate) fn put(id: Option<Self>, message: &mut Vec<u8>) {
        message.push(u8::from(id.is_some()));
        message.extend(id.map(Self::to_bytes).into_iter().flatten());
    }
}

/// The operations that a session transferred, and the responder's log before it.
pub(crate) struct Transferred {
    /// The number of the responder's operations at the start.
    pub(crate) count: u64,
    /// The sum over them.
    pub(crate) total: u128,
    pub(crate) to_responder: Vec<OpHash>,
    pub(crate) to_initiator: Vec<OpHash>,
}

impl Transferred {
    /// Returns the digest for [`ResumeId::transferred`]. It has no key, because the session's key is known once the
    /// session runs.
    pub(crate) fn digest(mut self, crypto: Sodium) -> [u8; 32] {
        let mut message = SYNC_TRANSFERRED.to_vec();
        message.extend_from_slice(&self.count.to_le_bytes());
        message.extend_from_slice(&self.total.to_le_bytes());
        for hashes in [&mut self.to_responder, &mut self.to_initiator] {
            hashes.sort_unstable();
            message.extend_from_slice(&wide(hashes.len()).to_le_bytes());
            hashes.iter().for_each(|hash| message.extend_from_slice(hash.as_bytes()));
        }
        *crypto.hash(&message).as_bytes()
    }
}
