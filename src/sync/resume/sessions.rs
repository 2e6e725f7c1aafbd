//! The sessions that a responder remembers for resumption.

use std::collections::{BTreeSet, VecDeque};
use std::sync::OnceLock;

use super::common::{CommonOps, OpRuns};
use super::sealed::{ResumeError, SealedKind};
use super::token::{ResumeId, Transferred};
use crate::codec::tags::{RESUME_SESSIONS, RESUME_SESSIONS_SEAL};
use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::op::OpSeq;
use crate::oplog::OpLog;
use crate::replica::Replica;
use crate::sync::authors::PeerFilter;
use crate::sync::proto::ProtocolVersion;
use crate::sync::proto::limits::{MAX_RUNS, MAX_SESSIONS};
use crate::sync::rbsr::Tally;

const SESSIONS: SealedKind = SealedKind { first_byte: RESUME_SESSIONS, label: RESUME_SESSIONS_SEAL };
/// Bytes of the shortest session: name, four integers, sum.
const MIN_SESSION_BYTES: usize = 16 + 4 + 16;

/// A session, and the operations that are common to both sides if it converges.
pub(crate) struct PastSession {
    name: [u8; 16],
    /// The version in which the initiator speaks.
    pub(crate) version: ProtocolVersion,
    pub(crate) common: CommonOps,
    sent: OpRuns,
    /// The operations that its welcome announced.
    announced: Tally,
    /// The authors that the initiator accepts. Not saved: a session that was restored pushes operations of all.
    pub(crate) peer: PeerFilter,
    /// The replica's admission tag when the session began. With another one, operations that were refused or left out
    /// may be welcome now. In version 1 nothing is left out.
    tag: [u8; 8],
    /// The digest over the transferred operations, computed when the session is resumed.
    transferred: OnceLock<[u8; 32]>,
}

impl PastSession {
    /// Returns a session that has transferred nothing yet.
    pub(crate) fn new(name: [u8; 16], version: ProtocolVersion, common: CommonOps, announced: Tally) -> Self {
        let sent = OpRuns::default();
        let transferred = OnceLock::new();
        Self { name, version, common, sent, announced, peer: PeerFilter::default(), tag: [0; 8], transferred }
    }

    /// Adds the authors that the initiator accepts, and the replica's admission tag.
    pub(crate) fn with(self, peer: PeerFilter, replica: &Replica) -> Self {
        let tag = match self.version {
            ProtocolVersion::V1 => [0; 8],
            ProtocolVersion::V2 => replica.admission_tag(),
        };
        Self { peer, tag, ..self }
    }

    /// Returns true if the replica still refuses what it refused then.
    pub(crate) fn is_valid(&self, replica: &Replica) -> bool {
        self.version == ProtocolVersion::V1 || self.tag == replica.admission_tag()
    }

    /// Returns true if this is the session of this name with this log. The same name with another log, which a peer can
    /// bring about, is another session: its numbers refer to other operations.
    fn is(&self, name: [u8; 16], log: &OpLog) -> bool {
        self.name == name && self.common.is_of(log)
    }

    fn transferred(&self, replica: &Replica) -> &[u8; 32] {
        let index = replica.log().index();
        let hashes = |runs: &OpRuns| runs.numbers().map(|number| *index.hash(number)).collect();
        self.transferred.get_or_init(|| {
            let transferred = Transferred {
                count: self.announced.count,
                total: self.announced.sum,
                to_responder: hashes(self.common.received()),
                to_initiator: hashes(&self.sent),
            };
            transferred.digest(replica.crypto())
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.version.byte());
        out.extend_from_slice(&self.tag);
        out.extend_from_slice(&self.name);
        self.common.write(out);
        self.sent.write(OpSeq::FIRST, out);
        put_varint(out, self.announced.count);
        out.extend_from_slice(&self.announced.sum.to_le_bytes());
    }

    fn read(reader: &mut ByteReader<'_>, form: ProtocolVersion, log: &OpLog) -> Result<Self, CodecError> {
        let (version, tag) = match form {
            ProtocolVersion::V1 => (ProtocolVersion::V1, [0; 8]),
            ProtocolVersion::V2 => {
                let byte = reader.byte()?;
                let version = ProtocolVersion::of_byte(byte);
                (version.ok_or_else(|| reader.fault(CodecFault::Tag { found: byte }))?, reader.array()?)
            }
        };
        let name = reader.array()?;
        let common = CommonOps::read(reader, log)?;
        let sent = OpRuns::read(reader, OpSeq::FIRST)?;
        // Operations sent in a session arrived before it began.
        if sent.end() > common.cursor() {
            return Err(reader.fault(CodecFault::Bound));
        }
        let announced = Tally { count: reader.varint()?, sum: u128::from_le_bytes(reader.array()?) };
        Ok(Self { sent, tag, ..Self::new(name, version, common, announced) })
    }
}

/// Sessions, from the one that was used longest ago.
#[derive(Default)]
pub(crate) struct PastSessions(VecDeque<PastSession>);

impl PastSessions {
    /// Returns the session of this id, if both sides remember it alike.
    pub(crate) fn find(&self, replica: &Replica, id: ResumeId) -> Option<&PastSession> {
        let session = self.0.iter().find(|session| session.is(id.session, replica.log()))?;
        (*session.transferred(replica) == id.transferred).then_some(session)
    }

    /// Adds the operations that a request transferred to the session of this name. The first request brings `new`.
    /// Without it an unknown session stays unknown, because its earlier transfers are lost.
    pub(crate) fn record(
        &mut self,
        log: &OpLog,
        name: [u8; 16],
        new: Option<PastSession>,
        received: &BTreeSet<OpSeq>,
        sent: &[OpSeq],
    ) {
        let known = self.0.iter().position(|session| session.is(name, log));
        let Some(mut session) = known.and_then(|at| self.0.remove(at)).or(new) else { return };
        received.iter().for_each(|number| session.common.add(*number));
        session.sent.extend(sent.to_vec());
        if !received.is_empty() || !sent.is_empty() {
            session.transferred = OnceLock::new();
        }
        if session.common.received().len() > MAX_RUNS || session.sent.len() > MAX_RUNS {
            return;
        }
        if self.0.len() >= MAX_SESSIONS {
            self.0.pop_front();
        }
        self.0.push_back(session);
    }

    /// Returns the sessions with this replica in bytes, sealed with `key`.
    pub(crate) fn to_bytes(&self, replica: &Replica, key: &[u8; 32]) -> Vec<u8> {
        let log = replica.log();
        let ours = || self.0.iter().filter(|session| session.common.is_of(log));
        let mut out = SESSIONS.begin(ProtocolVersion::V2);
        put_count(&mut out, ours().count());
        ours().for_each(|session| session.write(&mut out));
        let end = ours().map(|session| session.common.end()).max().unwrap_or_default();
        // A log only grows, so it holds all operations that it had in common with others.
        let prefix = log.prefix_digest(end).unwrap_or_default();
        SESSIONS.end(replica.crypto(), key, &prefix, out)
    }

    /// Adds sessions from bytes. Sessions already in memory take precedence.
    pub(crate) fn restore(
        &mut self,
        bytes: &[u8],
        replica: &Replica,
        key: &[u8; 32],
    ) -> Result<(), ResumeError> {
        let log = replica.log();
        let mut reader = ByteReader::new(bytes);
        let form = SESSIONS.open(&mut reader)?;
        let sessions = read_sessions(&mut reader, form, log)?;
        let end = sessions.iter().map(|session| session.common.end()).max().unwrap_or_default();
        SESSIONS.close(reader, bytes, replica, key, end)?;
        // The newest come last. Sessions of this process are newer.
        for session in sessions.into_iter().rev() {
            let known = self.0.iter().any(|other| other.is(session.name, log));
            if !known && self.0.len() < MAX_SESSIONS {
                self.0.push_front(session);
            }
        }
        Ok(())
    }
}

fn read_sessions(
    reader: &mut ByteReader<'_>,
    form: ProtocolVersion,
    log: &OpLog,
) -> Result<Vec<PastSession>, CodecError> {
    let count = reader.count(MIN_SESSION_BYTES)?;
    if count > MAX_SESSIONS {
        return Err(reader.fault(CodecFault::TooMany));
    }
    let mut names = BTreeSet::new();
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        let session = PastSession::read(reader, form, log)?;
        if !names.insert(session.name) {
            return Err(reader.fault(CodecFault::Reference));
        }
        sessions.push(session);
    }
    Ok(sessions)
}
