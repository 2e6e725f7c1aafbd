//! The beginning of a session, on the initiator's side.

use std::collections::BTreeMap;

use super::SyncOptions;
use super::id::hint_of;
use crate::codec::{OpHash, OpPacker, wide};
use crate::crypto::first;
use crate::op::OpSeq;
use crate::oplog::LogId;
use crate::replica::{PeerName, Refused, RefusedOp, RefusedOps, Replica};
use crate::sync::authors::AuthorFilter;
use crate::sync::proto::limits::{MAX_ALTERNATES_WANTED, MAX_CLAIMS, ONE_OP_MESSAGE_BYTES};
use crate::sync::proto::{
    Copies, Hello, LogSpace, OpCopies, Phase, ProtocolVersion, RangeWriter, RequestHead, Sections,
    ServingOrder,
};
use crate::sync::rbsr::{Bound, Entries};
use crate::sync::resume::{ResumeId, ResumeToken};
use crate::sync::{RefusalReason, Refusals, SyncError};

/// The facts about a session that are fixed by its first request.
pub(crate) struct Start {
    pub(crate) version: ProtocolVersion,
    pub(crate) nonce: [u8; 16],
    /// The limit of answers that this side announces, in bytes.
    pub(crate) limit: usize,
    /// The limit of this side's requests, in bytes.
    pub(crate) preferred: usize,
    /// The earlier session that was offered for resumption.
    pub(crate) offered: Option<ResumeToken>,
    pub(crate) space: LogSpace,
    /// The session covers the operations with numbers below this.
    pub(crate) cursor: OpSeq,
    /// The name of the peer, if it has one.
    pub(crate) peer: Option<PeerName>,
    /// The authors whose operations this side accepts.
    pub(crate) filter: AuthorFilter,
    /// The replica's admission tag.
    pub(crate) tag: [u8; 8],
    /// The place in the total order that the last session reached before it had refused too many operations.
    pub(crate) reached: Option<Bound>,
    /// The log of the session, to recognize the replica.
    log: LogId,
}

impl Start {
    /// Begins a session with this replica, in the version that the peer is known to speak, or in the newest.
    pub(crate) fn new(options: &SyncOptions, nonce: [u8; 16], replica: &Replica) -> Self {
        let tag = replica.admission_tag();
        let memory = options.peer.as_ref().and_then(|name| replica.peers().refused(name));
        let named_old = options.peer.as_ref().map(|name| replica.peers().speaks_version_1(name));
        let may_be_old = named_old.unwrap_or(true);
        let offered =
            options.resume.clone().filter(|token| is_valid(token, replica, tag, memory, may_be_old));
        let version = match &offered {
            Some(token) => token.version,
            None if named_old == Some(true) => ProtocolVersion::V1,
            None => ProtocolVersion::V2,
        };
        Self {
            version,
            nonce,
            limit: options.announced(version),
            preferred: options.preferred(),
            offered,
            space: LogSpace::of(replica),
            cursor: replica.log().confirmed(),
            peer: options.peer.clone(),
            filter: match version {
                ProtocolVersion::V1 => AuthorFilter::All,
                ProtocolVersion::V2 => AuthorFilter::of(replica, &nonce),
            },
            tag,
            reached: memory
                .filter(|memory| version > ProtocolVersion::V1 && memory.tag == tag)
                .and_then(|memory| Bound::from_bytes(memory.reached.as_deref()?)),
            log: replica.log().id().clone(),
        }
    }

    /// Continues in version 1, because the peer knows no later one. It does not know a session in a later one either.
    pub(crate) fn fall_back(self, replica: &mut Replica) -> Self {
        if let Some(name) = &self.peer {
            replica.peers_mut().has_refused_version(name);
        }
        let limit = self.limit.max(ONE_OP_MESSAGE_BYTES);
        Self {
            version: ProtocolVersion::V1,
            limit,
            offered: None,
            filter: AuthorFilter::All,
            reached: None,
            ..self
        }
    }

    /// Returns the first request.
    pub(crate) fn hello(&self, replica: &Replica) -> Vec<u8> {
        let index = replica.log().index();
        let refused = self.refused(replica, self.offered.is_some(), &[]);
        let by_peer = self.refused_by_peer(replica);
        let is_left_out = |number| by_peer.contains_key(&number);
        let covered = OpSeq::FIRST.until(self.cursor).filter(|number| !is_left_out(*number));
        let count =
            wide(if by_peer.is_empty() { crate::packed::index(self.cursor.get()) } else { covered.count() });
        let others = |token: &ResumeToken| {
            wide(token.common.others(self.cursor).filter(|number| !is_left_out(*number)).count())
        };
        let since = self.offered.as_ref().map_or(count, others).saturating_add(wide(refused.len()));
        let count = count.saturating_add(wide(refused.len()));
        // To a side without operations the peer would send the newest ones at once.
        let least = u64::from(self.reached.is_some());
        let (count, since) = (count.max(least), since.max(least));
        let entries = Entries::new(index, self.cursor, &refused);
        let hint = hint_of(replica.crypto(), entries, self.cursor, is_left_out);
        let hello = Hello { count, since, hint };
        let head = self.head(0, self.offered.as_ref().map(|token| token.id), Phase::Hello(hello));
        let copies = Copies { wanted: self.wanted_copies(replica), same: Vec::new() };
        let ranges = RangeWriter::new(ServingOrder::NewestFirst, 0);
        head.write(Sections { copies, ranges, ops: OpPacker::new(0) })
    }

    /// Returns the operations of which another copy is wanted, those that the first request names: those of which this
    /// side refused copies in doubt, and of a replica that does not verify, those in doubt.
    fn wanted_copies(&self, replica: &Replica) -> Vec<OpCopies> {
        if self.version == ProtocolVersion::V1 {
            let wanted = replica.wanted_alternates().take(MAX_ALTERNATES_WANTED);
            return wanted.map(|hash| copies_here(replica, hash)).collect();
        }
        let refused = self.refused_copies(replica).into_iter();
        refused
            .chain(replica.wanted_alternates().map(|hash| copies_here(replica, hash)))
            .take(MAX_CLAIMS)
            .collect()
    }

    /// Returns the operations of which this side refused copies in doubt: first those that the first request names,
    /// half of them always the same ones and half others in each session; then the rest.
    pub(crate) fn refused_copies(&self, replica: &Replica) -> Vec<OpCopies> {
        // All that were ever refused of this peer, whether the session covers them or not.
        let memory = self.memory(replica);
        let is_bad = |op: &RefusedOp| !op.copies.is_none();
        let mut bad: Vec<OpCopies> = memory
            .into_iter()
            .flat_map(Refused::latest)
            .filter(is_bad)
            .filter(|op| !replica.log().contains(&op.hash))
            .map(|op| OpCopies { hash: op.hash, digest: op.copies })
            .collect();
        let turn = usize::try_from(u32::from_le_bytes(first(&self.nonce))).unwrap_or(0);
        if let Some((_, others)) = bad.split_at_mut_checked(MAX_CLAIMS / 2)
            && let Some(last) = others.len().checked_sub(MAX_CLAIMS / 2)
        {
            let end = turn % (last + 1) + MAX_CLAIMS / 2;
            if let Some(others) = others.get_mut(..end) {
                others.rotate_right(MAX_CLAIMS / 2);
            }
        }
        bad
    }

    /// Returns the memory of the peer.
    fn memory<'r>(&self, replica: &'r Replica) -> Option<&'r Refused> {
        let name = self.peer.as_ref().filter(|_| self.version > ProtocolVersion::V1)?;
        replica.peers().refused(name)
    }

    /// Returns the operations of the peer that this side refused and still refuses, among those that the session
    /// covers, except these.
    pub(crate) fn refused(&self, replica: &Replica, resumed: bool, renewed: &[OpHash]) -> RefusedOps {
        let Some(memory) = self.memory(replica).filter(|memory| memory.tag == self.tag) else {
            return RefusedOps::new();
        };
        // A resumed session leaves out what the earlier one has dealt with.
        let from = if resumed { memory.settled } else { 0 };
        memory.ops.sorted(from, |op| !replica.log().contains(&op.hash) && !renewed.contains(&op.hash))
    }

    /// Returns the operations of this side that the peer refused.
    pub(crate) fn refused_by_peer(&self, replica: &Replica) -> BTreeMap<OpSeq, RefusalReason> {
        let mut refused = BTreeMap::new();
        for op in self.memory(replica).into_iter().flat_map(|memory| &memory.by_peer) {
            let Some(seq) = replica.log().index().find(&op.hash).filter(|seq| *seq < self.cursor) else {
                continue;
            };
            let reason = RefusalReason::of_code(op.reason).unwrap_or(RefusalReason::Other);
            // The peer refused a copy, not the operation.
            let has_others = reason.may_concern_one_copy() && replica.alternates_of(seq) != op.alternates;
            if !has_others {
                refused.insert(seq, reason);
            }
        }
        refused
    }

    /// Returns the admission tag under which the peer refused operations of this side.
    pub(crate) fn peer_tag(&self, replica: &Replica) -> Option<[u8; 8]> {
        self.memory(replica).map(|memory| memory.peer_tag)
    }

    /// Returns the head of a request.
    pub(crate) fn head(&self, round: u64, resume: Option<ResumeId>, phase: Phase) -> RequestHead {
        let Self { version, nonce, limit, .. } = *self;
        let filter = self.filter.clone();
        RequestHead { version, nonce, space: self.space.tag, round, limit, resume, phase, filter }
    }

    /// Returns the tag by which the session recognizes its answers.
    pub(crate) fn tag(&self) -> [u8; 8] {
        first(&self.nonce)
    }

    /// Checks that this is the replica with which the session began.
    pub(crate) fn check_replica(&self, replica: &Replica) -> Result<(), SyncError> {
        if self.log == *replica.log().id() { Ok(()) } else { Err(SyncError::OtherReplica) }
    }
}

/// Returns the copies of an operation that are here.
pub(crate) fn copies_here(replica: &Replica, hash: &OpHash) -> OpCopies {
    let seq = replica.log().index().find(hash);
    OpCopies { hash: *hash, digest: seq.map(|seq| replica.copies_of(seq)).unwrap_or_default() }
}

/// Returns true if a session that resumes with this token hides nothing that may be welcome now. A token of version 1
/// is for a peer that is known to speak no other, or of which nothing is known.
fn is_valid(
    token: &ResumeToken,
    replica: &Replica,
    tag: [u8; 8],
    memory: Option<&Refused>,
    speaks_version_1: bool,
) -> bool {
    if !token.common.is_of(replica.log()) {
        return false;
    }
    if token.version == ProtocolVersion::V1 {
        return speaks_version_1;
    }
    let is_last = memory.is_some_and(|memory| memory.last_session == Some(token.id.session));
    let has_memory = memory.is_some_and(|memory| memory.bytes() > 0);
    if replica.accepts_unverified() && !still_refuses_copies(token, replica, memory) {
        return false;
    }
    // With other keys, what was refused may be welcome. A refused copy may be followed by a genuine one, which is only
    // noticed if the copy is remembered. What was refused since another session cannot be told apart.
    let Refusals { bad_signature, unknown_key, .. } = token.except.refused;
    token.except.tag == tag && (is_last || (!has_memory && bad_signature == 0 && unknown_key == 0))
}

/// Returns true if the peer has been sent all that is here of the operations whose copies it refused: a replica that
/// does not verify may have found others since.
fn still_refuses_copies(token: &ResumeToken, replica: &Replica, memory: Option<&Refused>) -> bool {
    let Refusals { bad_signature, unknown_key, .. } = token.except.refused_by_peer;
    let refused = memory.into_iter().flat_map(|memory| &memory.by_peer);
    let same = refused.filter(|op| {
        let concerns_copy =
            RefusalReason::of_code(op.reason).is_some_and(RefusalReason::may_concern_one_copy);
        let seq = replica.log().index().find(&op.hash).filter(|_| concerns_copy);
        seq.is_some_and(|seq| replica.alternates_of(seq) == op.alternates)
    });
    wide(same.count()) >= bad_signature.saturating_add(unknown_key)
}
