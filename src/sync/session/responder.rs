//! The responder of a session: answers requests.

use std::collections::VecDeque;
use std::ops::Range;

use super::id::{SessionId, hint_of, responder_nonce};
use super::start::copies_here;
use super::{Push, SyncOptions, pack_op};
use crate::codec::{OpHash, OpPacker, wide};
use crate::crypto::Zeroizing;
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::LogId;
use crate::replica::{Claim, Replica};
use crate::store::StoreError;
use crate::sync::authors::{AuthorFilter, Declined, PeerFilter};
use crate::sync::proto::limits::{
    MAX_ALTERNATES_WANTED, MAX_CLAIMS, MAX_SNAPSHOTS, MIN_MESSAGE_BYTES, NEWEST, ONE_OP_MESSAGE_BYTES,
    room_for_ops, room_for_ranges, room_for_runs,
};
use crate::sync::proto::{
    Ack, Alert, Continuation, Copies, Hello, LogSpace, OpCopies, Phase, ProtocolVersion, RangeItem,
    RangeWriter, ReadSections, RefusedRuns, RequestHead, Sections, ServingOrder, SyncAnswer, SyncRequest,
    Welcome,
};
use crate::sync::rbsr::{Bound, Entries, OnFingerprint, OnIds, RangeContent, Snapshot, Tally, View};
use crate::sync::resume::{CommonOps, OpRuns, PastSession, PastSessions, ResumeError, ResumeId, ResumeToken};
use crate::sync::{IngestedOps, PeerMisbehaved, Received, SyncError};

/// Answers the requests of any number of initiators, in any order.
///
/// Each request contains everything that its answer depends on. So requests may be answered by several processes behind
/// a load balancer, if they share the secret and the replica's store. State kept between requests only saves work.
pub struct Responder {
    secret: Zeroizing<[u8; 32]>,
    options: SyncOptions,
    snapshots: VecDeque<CachedSnapshot>,
    sessions: PastSessions,
}

/// A snapshot kept between the requests of a session. The responder's nonce in the id depends on the part of the log
/// that the session covers.
struct CachedSnapshot {
    id: SessionId,
    log: LogId,
    snapshot: Snapshot,
}

/// An answer, with counts of the operations that the request brought and that the answer contains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The message for the initiator.
    pub message: Vec<u8>,
    /// Operations of the request.
    pub received: Received,
    /// Operations in the answer.
    pub sent: u64,
    /// True if it answers the first request of a session.
    pub(crate) is_first: bool,
}

impl Responder {
    /// Creates a responder. `secret` is 32 random bytes. Whoever knows them can predict the keys of sessions.
    #[must_use]
    pub fn new(secret: [u8; 32], options: SyncOptions) -> Self {
        Self {
            secret: Zeroizing::new(secret),
            options,
            snapshots: VecDeque::new(),
            sessions: PastSessions::default(),
        }
    }

    /// Returns the length of the longest request that it accepts, in bytes. A server should limit bodies to this before
    /// it reads them.
    #[must_use]
    pub const fn max_message_bytes(&self) -> usize {
        self.options.limit()
    }

    /// Answers a request. Its operations are ingested in one batch. If that fails, the request has had no effect; after
    /// another error its operations may be in the log.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; [`SyncError::to_alert`] returns the message for the initiator.
    pub fn respond(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        request: &[u8],
    ) -> Result<Reply, SyncError> {
        self.options.check_length(request)?;
        let space = LogSpace::of(replica);
        let request = SyncRequest::read(request, &space)?;
        let head = &request.head;
        let least = match head.version {
            ProtocolVersion::V1 => ONE_OP_MESSAGE_BYTES,
            ProtocolVersion::V2 => MIN_MESSAGE_BYTES,
        };
        if head.limit < least {
            return Err(PeerMisbehaved::Limit.into());
        }
        if let Phase::Later { cursor } = head.phase {
            if cursor > replica.log().confirmed() {
                return Err(PeerMisbehaved::Position.into());
            }
            if head.resume.is_some() && self.resumed(replica, head.resume).is_none() {
                return Err(SyncError::AlertReceived(Alert::Forgotten));
            }
        }
        self.answer(replica, now, request)
    }

    /// Creates the responder's side of a push after a session that converged. `id` is [`ResumeToken::id`], which the
    /// application transfers from the initiator. `None` if this responder no longer knows the session.
    #[must_use]
    pub fn push_after(&self, replica: &Replica, id: [u8; ResumeToken::ID_BYTES]) -> Option<Push> {
        let session = self.resumed(replica, ResumeId::from_bytes(&id))?;
        Some(Push::new(session.common.clone(), session.version, session.peer.clone(), &self.options))
    }

    /// Returns the sessions with this replica that can be resumed, in bytes, to be kept beside the replica's file and
    /// given to [`Responder::restore_sessions`] after a restart. They are sealed with the responder's secret, which
    /// must be the same then. They take about 50 bytes for each of up to 1024 sessions, more if a session transferred
    /// operations that are scattered over the log.
    ///
    /// The first call for a log hashes the hashes of all its operations; a later call hashes those since the last.
    #[must_use]
    pub fn save_sessions(&self, replica: &Replica) -> Vec<u8> {
        self.sessions.to_bytes(replica, &self.secret)
    }

    /// Restores sessions that a responder with the same secret saved before the replica was opened again. Sessions
    /// already in memory take precedence.
    ///
    /// # Errors
    ///
    /// [`ResumeError`]; the responder is unchanged, and sessions start from the beginning.
    pub fn restore_sessions(&mut self, replica: &Replica, bytes: &[u8]) -> Result<(), ResumeError> {
        self.sessions.restore(bytes, replica, &self.secret)
    }

    /// Returns an earlier session, if it is remembered as the peer remembers it.
    fn resumed(&self, replica: &Replica, id: Option<ResumeId>) -> Option<&PastSession> {
        self.sessions.find(replica, id?)
    }

    fn answer(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        request: SyncRequest<'_>,
    ) -> Result<Reply, SyncError> {
        let SyncRequest { head, sections } = request;
        let ReadSections { copies, ranges, ops, .. } = sections;
        let ingested = IngestedOps::ingest(replica, now, ops)?;
        let claims = take_copies(replica, &head, &copies);

        let (cursor, resume) = match head.phase {
            Phase::Hello(_) => (
                replica.log().confirmed(),
                // A resumed session would not cover other copies of operations that were refused before.
                head.resume.filter(|_| claims.renewed.is_empty()).filter(|id| {
                    let session = self.resumed(replica, Some(*id));
                    session
                        .is_some_and(|session| session.version == head.version && session.is_valid(replica))
                }),
            ),
            Phase::Later { cursor } => (cursor, head.resume),
        };
        let crypto = replica.crypto();
        let nonce = responder_nonce(crypto, &self.secret, &head.nonce, cursor, resume, &head.filter);
        let id = SessionId { initiator: head.nonce, responder: nonce, resume };
        let name = id.name(crypto);
        let fingerprinter = id.fingerprinter(crypto);
        let peer = PeerFilter::new(head.nonce, head.filter.clone());
        let index = replica.log().index();
        let entries = Entries::of_log(index);
        let cached = self.take_cached(replica, &id);
        let is_known = cached.is_some() && !matches!(head.phase, Phase::Hello(_));
        let declined = if is_known { Declined::default() } else { peer.declined(crypto, index, cursor) };
        let is_left_out = |number| declined.contains(index, number);
        let snapshot = cached.unwrap_or_else(|| {
            let common = self.resumed(replica, resume).map(|session| &session.common);
            Snapshot::new(entries, cursor, common, is_left_out)
        });
        let view = View { entries, fingerprinter: &fingerprinter, snapshot: &snapshot };
        let limit = head.limit.min(self.options.preferred());
        let refused = ingested.refused.iter().map(|refused| (refused.at, refused.reason));
        let refused_runs = match head.version {
            ProtocolVersion::V1 => RefusedRuns::default(),
            ProtocolVersion::V2 => RefusedRuns::within(room_for_runs(limit), refused),
        };
        let room = room_for_ops(limit).saturating_sub(refused_runs.len());
        let mut draft = Draft::new(replica, view, ServingOrder::of(head.version), limit, room);
        let welcome = match head.phase {
            Phase::Hello(hello) => {
                let hint = hint_of(crypto, entries, cursor, is_left_out);
                draft.answer_hello(hello.hint == hint, &hello, resume.is_some())?;
                Some(Welcome {
                    nonce,
                    cursor,
                    resumed: resume.is_some(),
                    count: snapshot.count(),
                    total: view.total(),
                    limit: self.options.announced(head.version),
                    filter: match head.version {
                        ProtocolVersion::V1 => AuthorFilter::All,
                        ProtocolVersion::V2 => AuthorFilter::of(replica, &head.nonce),
                    },
                    left_out: declined.count,
                    unknown: declined.authors(index),
                    tag: replica.admission_tag(),
                    renewed: claims.renewed,
                })
            }
            Phase::Later { .. } => {
                draft.answer_ranges(ranges)?;
                None
            }
        };
        let sent_numbers = std::mem::take(&mut draft.sent_numbers);
        draft.send_copies(&claims.to_send)?;
        let sent = wide(draft.ops.count());
        let received = ingested.received;
        let ack = Ack {
            refused_runs,
            new_ops: received.new_ops(),
            duplicates: received.duplicates,
            refused: received.refused,
            sum: fingerprinter.sum(replica.log().index(), &ingested.numbers),
        };
        let wanted = copies_to_request(replica, head.version, &ingested, welcome.is_some());
        let copies = Copies { wanted, same: claims.same };
        let sections = Sections { copies, ranges: draft.ranges, ops: draft.ops };
        let new = welcome.as_ref().map(|welcome| {
            let common = CommonOps::new(replica.log(), cursor, OpRuns::default());
            let announced = Tally { count: welcome.count, sum: welcome.total };
            PastSession::new(name, head.version, common, announced).with(peer, replica)
        });
        let is_first = welcome.is_some();
        let message = SyncAnswer { welcome, ack, continuation: draft.continuation, sections }.write(&head);
        self.sessions.record(replica.log(), name, new, &ingested.numbers, &sent_numbers);
        self.keep_snapshot(CachedSnapshot { id, log: replica.log().id().clone(), snapshot });
        Ok(Reply { message, received, sent, is_first })
    }

    /// Removes and returns the snapshot of an earlier request of the session.
    fn take_cached(&mut self, replica: &Replica, id: &SessionId) -> Option<Snapshot> {
        let log = replica.log().id();
        let at = self.snapshots.iter().position(|cached| cached.id == *id && cached.log == *log);
        at.and_then(|at| self.snapshots.remove(at)).map(|cached| cached.snapshot)
    }

    fn keep_snapshot(&mut self, cached: CachedSnapshot) {
        if self.snapshots.len() >= MAX_SNAPSHOTS {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(cached);
    }
}

/// The outcome of what a request says about copies of operations.
#[derive(Default)]
struct Claims {
    /// Operations of which the initiator refused other copies than those that are here.
    renewed: Vec<OpHash>,
    /// Operations of which this side's copies are sent.
    to_send: Vec<OpSeq>,
    /// Operations of which this side has the same copies.
    same: Vec<OpCopies>,
}

fn take_copies(replica: &mut Replica, head: &RequestHead, copies: &Copies) -> Claims {
    let mut claims = Claims::default();
    for OpCopies { hash, digest } in &copies.wanted {
        if head.version == ProtocolVersion::V1 {
            replica.collect_alternates(hash);
            let verified = Some(replica.log()).filter(|_| !replica.accepts_unverified());
            claims.to_send.extend(verified.and_then(|log| log.find_confirmed(hash)));
            continue;
        }
        match replica.examine_claim(hash, *digest) {
            Claim::Unknown => {}
            Claim::SameCopies => claims.same.push(OpCopies { hash: *hash, digest: *digest }),
            Claim::OtherCopies(number) => {
                let is_first = matches!(head.phase, Phase::Hello(_));
                if is_first {
                    claims.renewed.push(*hash);
                }
                if !is_first || !replica.accepts_unverified() {
                    claims.to_send.push(number);
                }
            }
        }
    }
    copies.same.iter().for_each(|same| replica.note_same_copies(&same.hash, same.digest));
    claims
}

/// Returns the operations of which the initiator is asked for another copy: with the welcome, those in doubt here, and
/// when it has sent others, more of them; in version 1 those that it sent with a bad signature. Later versions name
/// these where they acknowledge.
fn copies_to_request(
    replica: &Replica,
    version: ProtocolVersion,
    ingested: &IngestedOps<'_>,
    with_welcome: bool,
) -> Vec<OpCopies> {
    let asks = with_welcome || version > ProtocolVersion::V1 && ingested.new_alternates > 0;
    let in_doubt = asks.then(|| replica.wanted_alternates()).into_iter().flatten();
    let wanted = |hash: &OpHash| copies_here(replica, hash);
    match version {
        ProtocolVersion::V1 => {
            let refused = ingested.bad_signatures.iter().filter(|hash| !replica.log().contains(hash));
            in_doubt.chain(refused).take(MAX_ALTERNATES_WANTED).map(wanted).collect()
        }
        ProtocolVersion::V2 => in_doubt.take(MAX_CLAIMS).map(wanted).collect(),
    }
}

/// An answer that is being written.
struct Draft<'v> {
    replica: &'v Replica,
    view: View<'v>,
    ranges: RangeWriter,
    ops: OpPacker,
    /// The numbers of the operations in it.
    sent_numbers: Vec<OpSeq>,
    /// The place where it was full.
    continuation: Option<Continuation>,
}

impl<'v> Draft<'v> {
    /// Creates an answer of at most `limit` bytes, of which operations may fill `room`, unless it carries a single one.
    fn new(replica: &'v Replica, view: View<'v>, order: ServingOrder, limit: usize, room: usize) -> Self {
        Self {
            replica,
            view,
            ranges: RangeWriter::new(order, room_for_ranges(limit)),
            ops: OpPacker::new(room),
            sent_numbers: Vec::new(),
            continuation: None,
        }
    }

    /// Answers the first request: sends everything to a side without operations, and describes everything to a side
    /// that seems to have others.
    fn answer_hello(&mut self, hints_equal: bool, hello: &Hello, resumed: bool) -> Result<(), StoreError> {
        let theirs = if resumed { hello.since } else { hello.count };
        let seems_equal = hints_equal && theirs == self.view.snapshot.count();
        if theirs == 0 {
            let everything = 0..self.view.snapshot.len();
            self.send(&Bound::start(), &Bound::End, vec![everything])?;
        } else if !seems_equal {
            self.describe_all();
        }
        Ok(())
    }

    /// Lists the newest operations, and sends the fingerprints of ranges that double in length from there back. So
    /// recent operations are found at once, regardless of the length of the log.
    fn describe_all(&mut self) {
        let mut bounds = vec![Bound::End];
        let mut length = NEWEST;
        while let Some(cut) = self.view.snapshot.len().checked_sub(length).filter(|cut| *cut > 0) {
            bounds.push(self.view.bound_at(cut));
            length = length.saturating_mul(2);
        }
        bounds.push(Bound::start());
        let mut ranges: Vec<(&Bound, &Bound)> = bounds.iter().skip(1).zip(&bounds).collect();
        if self.ranges.order() == ServingOrder::OldestFirst {
            ranges.reverse();
        }
        for (low, high) in ranges {
            let content = match high {
                Bound::End => self.view.ids(low, high),
                Bound::At(_) => self.view.fingerprint(low, high),
            };
            if !self.describe(low, high, &content) {
                break;
            }
        }
    }

    /// Answers the ranges of a later request, until the answer is full.
    fn answer_ranges(&mut self, mut ranges: Vec<RangeItem>) -> Result<(), SyncError> {
        if self.ranges.order() == ServingOrder::NewestFirst {
            ranges.reverse();
        }
        for item in ranges {
            if self.continuation.is_some() {
                break;
            }
            self.on_range(item)?;
        }
        Ok(())
    }

    /// Describes a range. Returns false, and asks the initiator to continue from there, if the answer is full.
    fn describe(&mut self, low: &Bound, high: &Bound, content: &RangeContent) -> bool {
        let fits = self.ranges.push(low, high, content);
        if !fits {
            let from = match self.ranges.order() {
                ServingOrder::OldestFirst => low,
                ServingOrder::NewestFirst => high,
            };
            self.continuation = Some(Continuation { from: from.clone(), done: 0 });
        }
        fits
    }

    fn on_range(&mut self, item: RangeItem) -> Result<(), SyncError> {
        let RangeItem { low, high, content } = item;
        let range = self.view.range(&low, &high);
        match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                match self.view.on_fingerprint(&low, &high, count, fingerprint) {
                    OnFingerprint::Same => {}
                    OnFingerprint::SendAll => self.send(&low, &high, vec![range])?,
                    OnFingerprint::List => _ = self.describe(&low, &high, &self.view.ids(&low, &high)),
                    OnFingerprint::Fingerprint => {
                        self.describe(&low, &high, &self.view.fingerprint(&low, &high));
                    }
                    OnFingerprint::Split(mut parts) => {
                        if self.ranges.order() == ServingOrder::NewestFirst {
                            parts.reverse();
                        }
                        for (low, high) in &parts {
                            if !self.describe(low, high, &self.view.fingerprint(low, high)) {
                                break;
                            }
                        }
                    }
                }
            }
            RangeContent::Ids(ids) => {
                let OnIds { send, wants } = self.view.on_ids(&low, &high, &ids);
                if wants.is_empty() || self.describe(&low, &high, &RangeContent::Wants(wants)) {
                    self.send(&low, &high, send)?;
                }
            }
            RangeContent::Wants(wants) => {
                let wanted = self.view.wanted(&low, &high, &wants)?;
                self.send(&low, &high, wanted.into_iter().map(|position| position..position + 1).collect())?;
                if let Some(continuation) = &mut self.continuation {
                    // The flags of the operations that were dealt with are not repeated.
                    let reached = self.view.range(&low, &continuation.from).end;
                    continuation.done = wide(match self.ranges.order() {
                        ServingOrder::OldestFirst => reached - range.start,
                        ServingOrder::NewestFirst => range.end - reached.min(range.end),
                    });
                }
            }
        }
        Ok(())
    }

    /// Sends the operations at these ascending runs of positions of a range. If the answer is full, asks the initiator
    /// to continue from there.
    fn send(&mut self, low: &Bound, high: &Bound, runs: Vec<Range<usize>>) -> Result<(), StoreError> {
        let order = self.ranges.order();
        let stopped = match order {
            ServingOrder::OldestFirst => self.send_until_full(runs.into_iter().flatten()),
            ServingOrder::NewestFirst => self.send_until_full(runs.into_iter().rev().flat_map(Range::rev)),
        };
        if let Some(stopped) = stopped? {
            let from = match order {
                ServingOrder::OldestFirst => self.view.bound_at(stopped).max(low.clone()),
                ServingOrder::NewestFirst => self.view.bound_at(stopped + 1).min(high.clone()),
            };
            self.continuation = Some(Continuation { from, done: 0 });
        }
        Ok(())
    }

    /// Sends operations. Returns the position of the first that does not fit.
    fn send_until_full(
        &mut self,
        positions: impl Iterator<Item = usize>,
    ) -> Result<Option<usize>, StoreError> {
        for position in positions {
            let Some(number) = self.view.number(position) else { continue };
            if !pack_op(self.replica, number, &mut self.ops)? {
                return Ok(Some(position));
            }
            self.sent_numbers.push(number);
        }
        Ok(None)
    }

    /// Sends this side's copies of operations whose signatures the initiator doubts, until the answer is full.
    fn send_copies(&mut self, wanted: &[OpSeq]) -> Result<(), StoreError> {
        for number in wanted {
            if !pack_op(self.replica, *number, &mut self.ops)? {
                break;
            }
        }
        Ok(())
    }
}
