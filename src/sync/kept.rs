//! What two replicas have in common, in bytes that outlive the process.
//!
//! Nothing here can be seen to be true by looking at it: that an operation is common is known to whoever ran the
//! session. So the bytes are sealed with a key, and they say what the log began with, because a number means nothing in
//! another log.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::base::{BaseId, Common, SyncBase};
use super::error::{MessageFault, SyncError};
use super::limits::MAX_COMMON;
use super::responder::{Remembered, Responder};
use super::runs::Runs;
use super::wire::{Reader, put_count, put_varint};
use crate::crypto::Sodium;
use crate::op::OpSeq;
use crate::oplog::OpLog;
use crate::replica::Replica;

/// The version of both forms, the second byte of each.
pub const BASE_VERSION: u8 = 1;

const BASE: u8 = 0xE7;
const SESSIONS: u8 = 0xE8;
const BASE_LABEL: &[u8] = b"policysync/sync/kept/base/v1";
const SESSIONS_LABEL: &[u8] = b"policysync/sync/kept/sessions/v1";
/// Bytes of a session: name, four integers, sum.
const LEAST_SESSION: usize = 16 + 4 + 16;

/// Why bytes that should say what two replicas have in common are not believed. Go on without them: the next session
/// starts from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// The bytes have another form.
    #[error("not what is remembered of a session: {fault} at byte {at}")]
    Malformed {
        /// What is wrong.
        fault: MessageFault,
        /// The byte that the reader had reached.
        at: usize,
    },
    /// Another version has written them.
    #[error("what is remembered has version {found}, this library knows version {known}")]
    Version {
        /// Theirs.
        found: u8,
        /// Ours.
        known: u8,
    },
    /// They were sealed with another key, or changed since.
    #[error("what is remembered was sealed with another key, or has been changed")]
    Seal,
    /// They are about more operations than the log holds: it is another, or an older copy.
    #[error("what is remembered is about a log of at least {expected} operations, this one has {found}")]
    ShorterLog {
        /// So many operations there were.
        expected: u64,
        /// So many there are.
        found: u64,
    },
    /// The log does not begin with the operations that they are about, in the same order of arrival.
    #[error("what is remembered is about another log: its first {count} operations are others")]
    OtherLog {
        /// So many operations are compared.
        count: u64,
    },
    /// What should be written belongs to another replica, or to this one before it was opened again.
    #[error("what is remembered belongs to another replica")]
    OtherReplica,
}

impl SyncBase {
    /// The base in bytes, to be kept beside the replica's file and read with [`SyncBase::from_bytes`] when that is
    /// opened again. `key` is 32 random bytes that whoever can write the bytes does not know; it may be the store's
    /// [seal key](crate::ReplicaOptions::seal_key). With a key that is known, somebody could make the next session
    /// leave out what the peer does not have.
    ///
    /// The first call for a log costs a hash over the hashes of all its operations, later ones what has come since.
    ///
    /// # Errors
    ///
    /// [`BaseError::OtherReplica`] where the base is not about this replica as it is open now.
    pub fn to_bytes(&self, replica: &Replica, key: &[u8; 32]) -> Result<Vec<u8>, BaseError> {
        let log = Some(replica.log()).filter(|log| self.common.is_of(log));
        let prefix = log.and_then(|log| log.prefix_digest(self.common.end()));
        let prefix = prefix.ok_or(BaseError::OtherReplica)?;
        let mut out = vec![BASE, BASE_VERSION];
        out.extend_from_slice(&self.id.to_bytes());
        put_common(&self.common, &mut out);
        out.extend_from_slice(&prefix);
        seal(replica.crypto(), key, BASE_LABEL, &mut out);
        Ok(out)
    }

    /// Reads a base that the same replica has written before it was opened anew.
    ///
    /// # Errors
    ///
    /// [`BaseError`]: the bytes are damaged or were not sealed with this key, or the log does not begin with the
    /// operations that it began with then. Then the next session starts from the beginning.
    pub fn from_bytes(bytes: &[u8], replica: &Replica, key: &[u8; 32]) -> Result<Self, BaseError> {
        let mut reader = Reader::new(bytes);
        open(&mut reader, BASE)?;
        let id = reader.array().map_err(malformed)?;
        let id = BaseId::from_bytes(&id).ok_or(BaseError::Seal)?;
        let common = read_common(&mut reader, replica.log()).map_err(malformed)?;
        close(reader, bytes, replica, key, BASE_LABEL, common.end())?;
        Ok(Self { id, common })
    }
}

impl Responder {
    /// What the responder remembers of earlier sessions of this replica, in bytes, to be kept beside its file and given
    /// to [`Responder::restore`] when both begin anew. They are sealed with the responder's secret, which must be the
    /// same then. About fifty bytes for each of up to 1024 sessions, more where what was exchanged lay scattered.
    ///
    /// The first call for a log costs a hash over the hashes of all its operations, later ones what has come since.
    #[must_use]
    pub fn remembered(&self, replica: &Replica) -> Vec<u8> {
        let log = replica.log();
        let ours = || self.sessions.iter().filter(|session| session.common.is_of(log));
        let mut out = vec![SESSIONS, BASE_VERSION];
        put_count(&mut out, ours().count());
        for session in ours() {
            out.extend_from_slice(&session.name);
            put_common(&session.common, &mut out);
            session.given.write(OpSeq::FIRST, &mut out);
            put_varint(&mut out, session.count);
            out.extend_from_slice(&session.total.to_le_bytes());
        }
        let end = ours().map(|session| session.common.end()).max().unwrap_or_default();
        // A log only grows, so it is as long as what it has in common with others.
        out.extend_from_slice(&log.prefix_digest(end).unwrap_or_default());
        seal(replica.crypto(), &self.secret, SESSIONS_LABEL, &mut out);
        out
    }

    /// Remembers sessions again that a responder with the same secret has written down
    /// ([`Responder::remembered`]) before the replica was opened anew. What it knows better it keeps.
    ///
    /// # Errors
    ///
    /// [`BaseError`]; the responder is as it was, and sessions start from the beginning.
    pub fn restore(&mut self, replica: &Replica, bytes: &[u8]) -> Result<(), BaseError> {
        let log = replica.log();
        let mut reader = Reader::new(bytes);
        open(&mut reader, SESSIONS)?;
        let sessions = read_sessions(&mut reader, log).map_err(malformed)?;
        let end = sessions.iter().map(|session| session.common.end()).max().unwrap_or_default();
        close(reader, bytes, replica, &self.secret, SESSIONS_LABEL, end)?;
        // The newest are behind; those of this process are newer.
        for session in sessions.into_iter().rev() {
            let known = self.sessions.iter().any(|other| other.is(session.name, log));
            if !known && self.sessions.len() < MAX_COMMON {
                self.sessions.push_front(session);
            }
        }
        Ok(())
    }
}

fn put_common(common: &Common, out: &mut Vec<u8>) {
    put_varint(out, common.cursor().into());
    common.also().write(common.cursor(), out);
}

fn read_common(reader: &mut Reader<'_>, log: &OpLog) -> Result<Common, SyncError> {
    let cursor = OpSeq::new(reader.varint_u32()?);
    Ok(Common::new(log, cursor, Runs::read(reader, cursor)?))
}

fn read_sessions(reader: &mut Reader<'_>, log: &OpLog) -> Result<Vec<Remembered>, SyncError> {
    let count = reader.count(LEAST_SESSION)?;
    if count > MAX_COMMON {
        return Err(reader.fault(MessageFault::TooMany));
    }
    let mut names = BTreeSet::new();
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        let name = reader.array()?;
        if !names.insert(name) {
            return Err(reader.fault(MessageFault::Reference));
        }
        let common = read_common(reader, log)?;
        let given = Runs::read(reader, OpSeq::FIRST)?;
        // What was sent had arrived before the session began.
        if given.end() > common.cursor() {
            return Err(reader.fault(MessageFault::Bound));
        }
        let (count, total) = (reader.varint()?, u128::from_le_bytes(reader.array()?));
        sessions.push(Remembered { name, common, given, count, total, seal: OnceLock::new() });
    }
    Ok(sessions)
}

/// The two bytes in front.
fn open(reader: &mut Reader<'_>, kind: u8) -> Result<(), BaseError> {
    let found = reader.byte().map_err(malformed)?;
    if found != kind {
        return Err(malformed(reader.fault(MessageFault::Tag { found })));
    }
    match reader.byte().map_err(malformed)? {
        BASE_VERSION => Ok(()),
        found => Err(BaseError::Version { found, known: BASE_VERSION }),
    }
}

/// The two digests at the end: of the operations of the log before `end`, and the seal over everything before it.
fn close(
    mut reader: Reader<'_>,
    bytes: &[u8],
    replica: &Replica,
    key: &[u8; 32],
    label: &[u8],
    end: OpSeq,
) -> Result<(), BaseError> {
    let prefix: [u8; 32] = reader.array().map_err(malformed)?;
    let sealed = bytes.get(..bytes.len().saturating_sub(reader.left())).unwrap_or_default();
    let found: [u8; 32] = reader.array().map_err(malformed)?;
    reader.end().map_err(malformed)?;
    let crypto = replica.crypto();
    if !crypto.equal(&found, &seal_of(crypto, key, label, sealed)) {
        return Err(BaseError::Seal);
    }
    match replica.log().prefix_digest(end) {
        None => {
            let found = replica.log().index().len().into();
            Err(BaseError::ShorterLog { expected: end.into(), found })
        }
        Some(is) if is != prefix => Err(BaseError::OtherLog { count: end.into() }),
        Some(_) => Ok(()),
    }
}

/// Appends the seal over what is there.
fn seal(crypto: Sodium, key: &[u8; 32], label: &[u8], out: &mut Vec<u8>) {
    let seal = seal_of(crypto, key, label, out);
    out.extend_from_slice(&seal);
}

fn seal_of(crypto: Sodium, key: &[u8; 32], label: &[u8], sealed: &[u8]) -> [u8; 32] {
    crypto.keyed_hash(key, &[label, sealed].concat())
}

/// What the reader found, of these bytes.
fn malformed(error: SyncError) -> BaseError {
    match error {
        SyncError::Message { fault, at } => BaseError::Malformed { fault, at },
        // The reader has no other.
        _ => BaseError::Malformed { fault: MessageFault::Truncated, at: 0 },
    }
}
