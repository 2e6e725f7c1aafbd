//! A session from its first request to its result, on the initiator's side.

use super::id::{SessionId, hint_of};
use super::transfer::{Inbox, Outbox};
use super::{Progress, SessionDigest, SessionResult, SyncOptions};
use crate::codec::{OpHash, OpPacker, wide};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::LogId;
use crate::replica::Replica;
use crate::sync::authors::{AuthorFilter, Declined, PeerFilter, UnknownAuthors};
use crate::sync::proto::limits::{
    MAX_ALTERNATES_WANTED, MAX_PENDING, MAX_PENDING_BYTES, MAX_RUNS, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES,
    REFUSED_AS_PROGRESS, max_idle_rounds, room_for_ranges,
};
use crate::sync::proto::{
    Continuation, Hello, LogSpace, Phase, ProtocolVersion, RangeContent, RangeItem, RangeWriter,
    ReadSections, RequestHead, Sections, ServingOrder, SyncAnswer, Welcome, first_8,
};
use crate::sync::rbsr::{Bound, Fingerprinter, OnFingerprint, OnIds, Snapshot, View, short};
use crate::sync::resume::{CommonOps, Exceptions, ResumeId, ResumeToken, Transferred};
use crate::sync::{IngestedOps, PeerMisbehaved, RefusalReason, Refusals, SyncError};

/// The facts about a session that are fixed by its first request.
pub(crate) struct Start {
    pub(crate) version: ProtocolVersion,
    pub(crate) nonce: [u8; 16],
    /// The limit of answers that this side announces, in bytes.
    pub(crate) limit: usize,
    /// The limit of this side's requests, in bytes.
    preferred: usize,
    /// The earlier session that was offered for resumption.
    pub(crate) offered: Option<ResumeToken>,
    pub(crate) space: LogSpace,
    /// The session covers the operations with numbers below this.
    pub(crate) cursor: OpSeq,
    /// The name of the peer, if the application has given one.
    peer: Option<Box<str>>,
    /// The authors whose operations this side accepts.
    filter: AuthorFilter,
    /// The replica's admission tag.
    tag: [u8; 8],
    /// The log of the session, to recognize the replica.
    log: LogId,
}

impl Start {
    /// Begins a session with this replica, in the version that the peer is known to speak, or in the newest.
    pub(crate) fn new(options: &SyncOptions, nonce: [u8; 16], replica: &Replica) -> Self {
        let tag = replica.admission_tag();
        let is_valid = |token: &ResumeToken| {
            // With other keys, what was refused may be welcome. A refused copy may be followed by a genuine one.
            token.common.is_of(replica.log())
                && (token.version == ProtocolVersion::V1 || token.except.tag == tag)
                && token.except.refused.bad_signature == 0
        };
        let offered = options.resume.clone().filter(is_valid);
        let is_old = |name: &str| replica.peers().speaks_version_1(name);
        let version = match &offered {
            Some(token) => token.version,
            None if options.peer.as_deref().is_some_and(is_old) => ProtocolVersion::V1,
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
            log: replica.log().id().clone(),
        }
    }

    /// Continues in version 1, because the peer knows no later one. It does not know a session in a later one either.
    pub(crate) fn fall_back(self, replica: &mut Replica) -> Self {
        if let Some(name) = &self.peer {
            replica.peers_mut().has_refused_version(name);
        }
        let limit = self.limit.max(ONE_OP_MESSAGE_BYTES);
        Self { version: ProtocolVersion::V1, limit, offered: None, filter: AuthorFilter::All, ..self }
    }

    /// Returns the first request.
    pub(crate) fn hello(&self, replica: &Replica) -> Vec<u8> {
        let count = u64::from(self.cursor);
        let since = self.offered.as_ref().map(|token| wide(token.common.others(self.cursor).count()));
        let hint = hint_of(replica.crypto(), replica.log().index(), self.cursor, &Declined::default());
        let hello = Hello { count, since: since.unwrap_or(count), hint };
        let head = self.head(0, self.offered.as_ref().map(|token| token.id), Phase::Hello(hello));
        // A replica that does not verify asks for other copies of the operations in doubt.
        let alternates_wanted = replica.wanted_alternates().take(MAX_ALTERNATES_WANTED).copied().collect();
        let sections = Sections {
            alternates_wanted,
            ranges: RangeWriter::new(ServingOrder::NewestFirst, 0),
            ops: OpPacker::new(0),
        };
        head.write(sections)
    }

    /// Returns the head of a request.
    pub(crate) fn head(&self, round: u64, resume: Option<ResumeId>, phase: Phase) -> RequestHead {
        let Self { version, nonce, limit, .. } = *self;
        let filter = self.filter.clone();
        RequestHead { version, nonce, space: self.space.tag, round, limit, resume, phase, filter }
    }

    /// Returns the tag by which the session recognizes its answers.
    pub(crate) fn tag(&self) -> [u8; 8] {
        first_8(&self.nonce)
    }

    /// Checks that this is the replica with which the session began.
    pub(crate) fn check_replica(&self, replica: &Replica) -> Result<(), SyncError> {
        if self.log == *replica.log().id() { Ok(()) } else { Err(SyncError::OtherReplica) }
    }
}

/// A session whose welcome has arrived.
pub(crate) struct Reconciling {
    pub(crate) start: Start,
    /// The number of the next request.
    pub(crate) round: u64,
    comparison: Comparison,
    /// Ranges to describe in later requests.
    pending: Vec<PendingRange>,
    /// The ranges of the last request, in order.
    asked: Vec<PendingRange>,
    outbox: Outbox,
    inbox: Inbox,
    /// The number of answers in a row without progress.
    idle_rounds: u32,
    /// Bytes of the pending ranges.
    pending_bytes: usize,
    /// True if ranges are left to the next session.
    is_cut_short: bool,
    /// Operations of which the last request asked for another copy.
    asked_alternates: Vec<OpHash>,
}

/// The two sets of operations that are compared.
struct Comparison {
    id: SessionId,
    fingerprinter: Fingerprinter,
    snapshot: Snapshot,
    welcome: Welcome,
    /// The authors whose operations the peer accepts.
    peer: PeerFilter,
    /// Operations of this side of other authors.
    left_out: u64,
}

/// A range, and the content to send about it.
#[derive(Clone)]
struct PendingRange {
    low: Bound,
    high: Bound,
    content: PendingContent,
}

#[derive(Clone)]
enum PendingContent {
    Fingerprint,
    Ids,
    Wants(Vec<bool>),
}

impl PendingRange {
    /// Returns the bytes that it takes, at least.
    fn bytes(&self) -> usize {
        let wants = if let PendingContent::Wants(wants) = &self.content { wants.len() } else { 0 };
        size_of::<Self>().saturating_add(self.low.heap_bytes()).saturating_add(self.high.heap_bytes() + wants)
    }

    /// Takes away the part that an answer has dealt with, up to `from`, with this number of operations.
    fn cut(&mut self, version: ProtocolVersion, from: Bound, done: u64) -> Result<(), SyncError> {
        let order = ServingOrder::of(version);
        if let PendingContent::Wants(wants) = &mut self.content {
            let done = usize::try_from(done).ok().filter(|done| *done <= wants.len());
            let done = done.ok_or(PeerMisbehaved::Limit)?;
            match order {
                ServingOrder::OldestFirst => drop(wants.drain(..done)),
                ServingOrder::NewestFirst => wants.truncate(wants.len() - done),
            }
        }
        match order {
            ServingOrder::OldestFirst => self.low = from,
            ServingOrder::NewestFirst => self.high = from,
        }
        Ok(())
    }
}

impl Reconciling {
    /// Begins the comparison that the welcome announces.
    pub(crate) fn new(start: Start, welcome: Welcome, replica: &Replica) -> Result<Self, SyncError> {
        let token = start.offered.as_ref().filter(|_| welcome.resumed);
        if welcome.resumed && token.is_none() {
            return Err(PeerMisbehaved::Resume.into());
        }
        let least = match start.version {
            ProtocolVersion::V1 => ONE_OP_MESSAGE_BYTES,
            ProtocolVersion::V2 => MIN_MESSAGE_BYTES,
        };
        if welcome.limit < least {
            return Err(PeerMisbehaved::Limit.into());
        }
        let id = SessionId {
            initiator: start.nonce,
            responder: welcome.nonce,
            resume: token.map(|token| token.id),
        };
        let fingerprinter = id.fingerprinter(replica.crypto());
        let common = token.map(|token| &token.common);
        let index = replica.log().index();
        let peer = PeerFilter::new(start.nonce, welcome.filter.clone());
        let declined = peer.declined(replica.crypto(), index);
        let left_out = declined.count(index, start.cursor);
        let snapshot = Snapshot::new(index, &fingerprinter, start.cursor, common, &declined);
        // A side without operations has nothing to compare: it lacks all operations of the peer.
        let content = if snapshot.len() == 0 { PendingContent::Ids } else { PendingContent::Fingerprint };
        Ok(Self {
            start,
            round: 0,
            comparison: Comparison { id, fingerprinter, snapshot, welcome, peer, left_out },
            pending: Vec::new(),
            asked: vec![PendingRange { low: Bound::start(), high: Bound::End, content }],
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            idle_rounds: 0,
            pending_bytes: 0,
            is_cut_short: false,
            asked_alternates: Vec::new(),
        })
    }

    // Requests

    /// Returns the next request, or `None` if the reconciliation is complete.
    pub(crate) fn next_request(
        &mut self,
        replica: &Replica,
        progress: &mut Progress,
    ) -> Result<Option<Vec<u8>>, SyncError> {
        let ranges = self.describe_pending(replica);
        let Comparison { id, fingerprinter, welcome, .. } = &self.comparison;
        let limit = welcome.limit.min(self.start.preferred);
        let ops = self.outbox.pack(replica, fingerprinter, limit)?;
        let alternates_wanted = self.inbox.take_alternates_wanted();
        self.asked_alternates.clone_from(&alternates_wanted);
        if ranges.is_empty() && ops.count() == 0 && alternates_wanted.is_empty() {
            return Ok(None);
        }
        progress.op_bytes_sent = progress.op_bytes_sent.saturating_add(wide(ops.len()));
        let head = self.start.head(self.round, id.resume, Phase::Later { cursor: welcome.cursor });
        Ok(Some(head.write(Sections { alternates_wanted, ranges, ops })))
    }

    /// Describes pending ranges until the message is full. The rest stays pending.
    fn describe_pending(&mut self, replica: &Replica) -> RangeWriter {
        let view = self.comparison.view(replica);
        let order = ServingOrder::of(self.start.version);
        let limit = self.comparison.welcome.limit.min(self.start.preferred);
        let mut writer = RangeWriter::new(order, room_for_ranges(limit));
        let mut reached: Option<Bound> = None;
        let mut left = Vec::new();
        self.asked.clear();
        self.pending.sort_by(|a, b| a.low.cmp(&b.low));
        if order == ServingOrder::NewestFirst {
            self.pending.reverse();
        }
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        for next in pending.by_ref() {
            // A peer that describes a range twice is answered once.
            let is_answered = reached.as_ref().is_some_and(|reached| match order {
                ServingOrder::OldestFirst => next.low < *reached,
                ServingOrder::NewestFirst => next.high > *reached,
            });
            if is_answered {
                continue;
            }
            let content = match &next.content {
                PendingContent::Fingerprint => view.fingerprint(&next.low, &next.high),
                PendingContent::Ids => view.ids(&next.low, &next.high),
                PendingContent::Wants(wants) => RangeContent::Wants(wants.clone()),
            };
            if !writer.push(&next.low, &next.high, &content) {
                left.push(next);
                break;
            }
            reached = Some(match order {
                ServingOrder::OldestFirst => next.high.clone(),
                ServingOrder::NewestFirst => next.low.clone(),
            });
            self.asked.push(next);
        }
        left.extend(pending);
        self.pending_bytes = left.iter().map(PendingRange::bytes).sum();
        self.pending = left;
        if order == ServingOrder::NewestFirst {
            self.asked.reverse();
        }
        writer
    }

    // Answers

    /// Takes an answer and ingests its operations.
    pub(crate) fn take_answer(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        answer: SyncAnswer<ReadSections<'_>>,
        progress: &mut Progress,
        unknown: &mut UnknownAuthors,
    ) -> Result<(), SyncError> {
        let SyncAnswer { welcome, ack, continuation, sections } = answer;
        self.round += 1;
        if let (Some(_), ProtocolVersion::V1, Some(name)) = (&welcome, self.start.version, &self.start.peer) {
            replica.peers_mut().has_spoken_version_1(name);
        }

        let fingerprinter = self.comparison.fingerprinter;
        let sent = self.outbox.acknowledge(&ack, replica.log(), &fingerprinter)?;
        progress.sent = progress.sent.saturating_add(sent);
        progress.refused_by_peer.add(&ack.refused);
        let is_empty = sections.ranges.is_empty() && continuation.is_none() && sections.ops.is_empty();
        let ingested = IngestedOps::ingest(replica, now, sections.ops)?;
        let received = ingested.received;
        let told = welcome.iter().flat_map(|welcome| &welcome.unknown);
        told.for_each(|author| unknown.add(&author.actor, &author.kid));
        let refused = ingested.refused.iter().filter(|refused| refused.reason == RefusalReason::UnknownKey);
        refused.filter_map(|refused| refused.op).for_each(|op| unknown.add(op.op().actor(), op.kid()));
        let (crypto, cursor) = (replica.crypto(), self.start.cursor);
        self.inbox.record(crypto, replica.log(), &fingerprinter, cursor, ingested, progress);
        self.outbox.queue_alternates(replica, &sections.alternates_wanted);

        if welcome.is_some() && is_empty {
            // Only the fingerprint of everything is known.
            let Welcome { count, total, .. } = self.comparison.welcome;
            let content = RangeContent::Fingerprint { count, fingerprint: short(total) };
            self.on_range(replica, RangeItem { low: Bound::start(), high: Bound::End, content })?;
        }
        let mut ranges = sections.ranges;
        if self.start.version > ProtocolVersion::V1 {
            ranges.reverse();
        }
        for item in ranges {
            if !self.was_asked(&item) {
                return Err(PeerMisbehaved::Range.into());
            }
            self.on_range(replica, item)?;
        }
        if let Some(continuation) = continuation {
            self.ask_again(continuation)?;
        }
        if self.inbox.is_full() {
            self.is_cut_short = true;
            self.pending.clear();
        }

        let Comparison { welcome, snapshot, .. } = &self.comparison;
        let limit = max_idle_rounds(welcome.count.max(snapshot.count()));
        let refused = received.refused.total();
        let worked = received.new_ops() > 0 || sent > 0 || refused >= REFUSED_AS_PROGRESS;
        self.idle_rounds = if worked { 0 } else { self.idle_rounds + 1 };
        if self.idle_rounds > limit {
            return Err(SyncError::NoProgress { limit });
        }
        progress.left_to_send = self.outbox.waiting();
        let here = snapshot.count().saturating_add(self.inbox.received.count);
        progress.left_to_receive = welcome.count.saturating_sub(here);
        Ok(())
    }

    /// Returns true if the range lies within a range of the last request.
    fn was_asked(&self, item: &RangeItem) -> bool {
        let at = self.asked.partition_point(|asked| asked.high <= item.low);
        self.asked.get(at).is_some_and(|asked| asked.low <= item.low && item.high <= asked.high)
    }

    /// Decides how to continue with a range that the peer describes.
    fn on_range(&mut self, replica: &Replica, item: RangeItem) -> Result<(), SyncError> {
        let view = self.comparison.view(replica);
        let order = ServingOrder::of(self.start.version);
        let RangeItem { low, high, content } = item;
        let content = match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                match view.on_fingerprint(&low, &high, count, fingerprint) {
                    OnFingerprint::Same => return Ok(()),
                    OnFingerprint::SendAll => {
                        self.outbox.queue(order, view.numbers(view.range(&low, &high)).collect());
                        return Ok(());
                    }
                    OnFingerprint::Split(parts) if self.pending.len() + parts.len() <= MAX_PENDING => {
                        let content = PendingContent::Fingerprint;
                        for (low, high) in parts {
                            self.keep(PendingRange { low, high, content: content.clone() });
                        }
                        return Ok(());
                    }
                    OnFingerprint::List => PendingContent::Ids,
                    OnFingerprint::Fingerprint | OnFingerprint::Split(_) => PendingContent::Fingerprint,
                }
            }
            RangeContent::Ids(ids) => {
                let OnIds { send, wants } = view.on_ids(&low, &high, &ids);
                self.outbox.queue(order, view.numbers(send).collect());
                if wants.is_empty() {
                    return Ok(());
                }
                PendingContent::Wants(wants)
            }
            RangeContent::Wants(wants) => {
                self.outbox.queue(order, view.numbers(view.wanted(&low, &high, &wants)?).collect());
                return Ok(());
            }
        };
        self.keep(PendingRange { low, high, content });
        Ok(())
    }

    /// Keeps a range for a later request, unless there are too many: a peer may describe any number.
    fn keep(&mut self, range: PendingRange) {
        let bytes = self.pending_bytes.saturating_add(range.bytes());
        if self.pending.len() >= 2 * MAX_PENDING || bytes > MAX_PENDING_BYTES {
            self.is_cut_short = true;
            return;
        }
        self.pending_bytes = bytes;
        self.pending.push(range);
    }

    /// Repeats the last request from the place that a full answer reached.
    fn ask_again(&mut self, continuation: Continuation) -> Result<(), SyncError> {
        let Continuation { from, done } = continuation;
        for mut asked in std::mem::take(&mut self.asked) {
            let (is_done, is_cut) = match ServingOrder::of(self.start.version) {
                ServingOrder::OldestFirst => (asked.high <= from, asked.low < from),
                ServingOrder::NewestFirst => (asked.low >= from, asked.high > from),
            };
            if is_done {
                continue;
            }
            if is_cut {
                asked.cut(self.start.version, from.clone(), done)?;
            }
            self.keep(asked);
        }
        Ok(())
    }

    /// Takes back the last request, which was too long for somebody on the way. Returns false if it cannot be shorter.
    pub(crate) fn take_back(&mut self) -> bool {
        for range in std::mem::take(&mut self.asked) {
            self.keep(range);
        }
        let asked = std::mem::take(&mut self.asked_alternates);
        self.inbox.ask_for_alternates(asked);
        self.outbox.take_back()
    }

    /// Returns the operations that were given up because they are too long for somebody on the way.
    pub(crate) fn too_large(&self) -> &[OpHash] {
        &self.outbox.too_large
    }

    // The end

    /// Returns the result of a complete reconciliation.
    pub(crate) fn conclude(self, replica: &Replica, progress: &Progress) -> SessionResult {
        let Comparison { snapshot, welcome, fingerprinter, .. } = &self.comparison;
        let (received, sent) = (self.inbox.received, self.outbox.sent);
        let log = replica.log();
        // A genuine copy may have followed a refused one.
        let refused: Vec<(OpHash, RefusalReason)> =
            self.inbox.refused_ops.iter().map(|(hash, reason)| (*hash, *reason)).collect();
        let refused: Vec<_> = refused.into_iter().filter(|(hash, _)| !log.contains(hash)).collect();
        let refused_sum =
            refused.iter().fold(0, |sum: u128, (hash, _)| sum.wrapping_add(fingerprinter.of(hash)));
        // If this side's operations and the peer's that arrived are the peer's operations and those sent, each side
        // has seen all of the other. All of this is computed from our own log, except for the peer's count and sum,
        // which it announced before any operation was exchanged.
        let here = snapshot.count().saturating_add(received.count).saturating_add(wide(refused.len()));
        let sum = snapshot.total().wrapping_add(received.sum);
        let same_count = here.checked_sub(sent.count) == Some(welcome.count);
        let same_sum = sum.wrapping_add(refused_sum).wrapping_sub(sent.sum) == welcome.total;
        let except = self.exceptions(&refused);
        let all = all_refused(&except, self.comparison.left_out, welcome.left_out);
        let is_named = !self.outbox.unnamed && !self.inbox.unhashed;
        // Version 1 has no exceptions.
        let is_told = is_named && (self.start.version > ProtocolVersion::V1 || refused.is_empty());
        if !same_count || !same_sum || self.outbox.altered || !is_told || self.is_cut_short {
            let (refused, refused_by_peer) = (progress.received.refused, progress.refused_by_peer);
            return SessionResult::NotConverged { refused, refused_by_peer };
        }
        let taken = self
            .outbox
            .refused
            .keys()
            .fold(sum, |sum, number| sum.wrapping_sub(fingerprinter.of(log.index().hash(*number))));
        let digest = SessionDigest::of_sum(taken);
        let (refused_here, refused_by_peer) = all;
        let ours = u64::from(self.start.cursor).saturating_add(received.count);
        let count = ours.saturating_sub(refused_by_peer.total());
        let exceptional = refused_here.total() > 0 || refused_by_peer.total() > 0;
        let hashes = refused.iter().map(|(hash, _)| *hash).collect();
        let resume = self.into_token(replica, except, hashes);
        if exceptional {
            let refused = refused_here;
            SessionResult::ConvergedExcept { digest, count, resume, refused, refused_by_peer }
        } else {
            SessionResult::Converged { digest, count, resume }
        }
    }

    /// Returns what either side has refused in this session and in those that it resumes.
    fn exceptions(&self, refused: &[(OpHash, RefusalReason)]) -> Exceptions {
        let resumed = self.start.offered.as_ref().filter(|_| self.comparison.welcome.resumed);
        let mut except = resumed.map_or_else(Exceptions::default, |token| token.except);
        except.tag = self.start.tag;
        refused.iter().for_each(|(_, reason)| except.refused.count(*reason));
        self.outbox.refused.values().for_each(|reason| except.refused_by_peer.count(*reason));
        except
    }

    /// Returns the token for the next session with this peer. `refused` are the operations of the peer that were
    /// refused in this session.
    fn into_token(self, replica: &Replica, except: Exceptions, refused: Vec<OpHash>) -> Option<ResumeToken> {
        let index = replica.log().index();
        let received = self.inbox.numbers;
        if received.len() > MAX_RUNS {
            return None;
        }
        let Comparison { id, welcome, peer, .. } = self.comparison;
        let hash = |number: OpSeq| *index.hash(number);
        let taken =
            self.outbox.sent_numbers.iter().filter(|number| !self.outbox.refused.contains_key(number));
        let transferred = Transferred {
            count: welcome.count,
            total: welcome.total,
            to_responder: taken.map(|number| hash(*number)).collect(),
            to_initiator: received.numbers().map(hash).chain(refused).collect(),
        };
        let crypto = replica.crypto();
        let id = ResumeId { session: id.name(crypto), transferred: transferred.digest(crypto) };
        let common = CommonOps::new(replica.log(), self.start.cursor, received);
        Some(ResumeToken { id, version: self.start.version, common, peer, except })
    }

    /// Returns the number of pending ranges.
    #[cfg(test)]
    pub(crate) fn pending_ranges(&self) -> usize {
        self.pending.len()
    }
}

/// Returns all operations that this side refuses of the peer, and the peer of this side, with those that were left out.
fn all_refused(except: &Exceptions, left_out: u64, left_out_by_peer: u64) -> (Refusals, Refusals) {
    let with = |refused: Refusals, left_out: u64| Refusals {
        unknown_key: refused.unknown_key.saturating_add(left_out),
        ..refused
    };
    (with(except.refused, left_out_by_peer), with(except.refused_by_peer, left_out))
}

impl Comparison {
    fn view<'v>(&'v self, replica: &'v Replica) -> View<'v> {
        View { index: replica.log().index(), fingerprinter: &self.fingerprinter, snapshot: &self.snapshot }
    }
}
