//! A session from its first request to its result, on the initiator's side.

use std::collections::{BTreeMap, BTreeSet};

use super::Progress;
use super::id::SessionId;
use super::start::{Start, copies_here};
use super::transfer::{HashedRefusal, Inbox, Outbox};
use crate::codec::{OpHash, wide};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::replica::{Claim, NewRefused, RefusedByPeer, RefusedOps, Replica};
use crate::sync::authors::{PeerFilter, UnknownAuthors};
use crate::sync::proto::limits::{
    MAX_CLAIMS, MAX_PENDING, MAX_PENDING_BYTES, MAX_REFUSED, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES,
    REFUSED_AS_PROGRESS, max_idle_rounds, room_for_ranges, room_for_runs,
};
use crate::sync::proto::{
    Continuation, Copies, Phase, ProtocolVersion, RangeItem, RangeWriter, ReadSections, RefusedRuns,
    Sections, ServingOrder, SyncAnswer, Welcome,
};
use crate::sync::rbsr::{
    Bound, Entries, Fingerprinter, OnFingerprint, OnIds, RangeContent, Snapshot, View, short,
};
use crate::sync::{IngestedOps, PeerMisbehaved, RefusalReason, SyncError};

/// A session whose welcome has arrived.
pub(crate) struct Reconciling {
    pub(crate) start: Start,
    /// The number of the next request.
    pub(crate) round: u64,
    pub(super) comparison: Comparison,
    /// Ranges to describe in later requests.
    pending: Vec<PendingRange>,
    /// The ranges of the last request, in order.
    asked: Vec<PendingRange>,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    /// Operations that this side refused earlier, and that the peer does not hold.
    pub(super) withdrawn: BTreeSet<OpHash>,
    /// The number of them that have counted as progress.
    counted_withdrawn: usize,
    /// True if there was no room to remember what was refused.
    pub(super) unremembered: bool,
    /// The number of answers in a row without progress.
    idle_rounds: u32,
    /// Bytes of the pending ranges.
    pending_bytes: usize,
    /// True if ranges are left to the next session.
    pub(super) is_cut_short: bool,
    /// The place at which the last session had refused too many operations. This one goes on below it when it has
    /// refused half as many above.
    resumes_at: Option<Bound>,
    /// The number of refused operations from which on it does, or ends.
    most_refused: u64,
    /// The place at which this session had refused too many operations.
    pub(super) reached: Option<Bound>,
    /// The part of the last request about copies.
    asked_copies: Copies,
    /// The length of the last request in bytes.
    asked_bytes: usize,
}

/// The two sets of operations that are compared.
pub(super) struct Comparison {
    pub(super) id: SessionId,
    pub(super) fingerprinter: Fingerprinter,
    pub(super) snapshot: Snapshot,
    pub(super) welcome: Welcome,
    /// The authors whose operations the peer accepts.
    pub(super) peer: PeerFilter,
    /// Operations of this side of other authors.
    pub(super) left_out: u64,
    /// Operations that this side refused earlier, in the total order. They count as if they were in the log.
    pub(super) refused: RefusedOps,
    /// Operations of this side that the peer refused earlier.
    pub(super) by_peer: BTreeMap<OpSeq, RefusalReason>,
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
        let declined = peer.declined(replica.crypto(), index, start.cursor);
        let left_out = declined.count;
        let refused = start.refused(replica, welcome.resumed, &welcome.renewed);
        let by_peer = match start.peer_tag(replica) {
            // With other keys, the peer may accept what it refused.
            Some(tag) if tag == welcome.tag => start.refused_by_peer(replica),
            _ => BTreeMap::new(),
        };
        let is_left_out = |number| declined.contains(index, number) || by_peer.contains_key(&number);
        let entries = Entries::new(index, start.cursor, &refused);
        let snapshot = Snapshot::new(entries, start.cursor, common, is_left_out);
        // A side without operations has nothing to compare: it lacks all operations of the peer.
        let content = if snapshot.len() == 0 { PendingContent::Ids } else { PendingContent::Fingerprint };
        let inbox = begin_inbox(&start, &welcome, replica);
        let resumes_at = start.reached.clone();
        let most_refused = if resumes_at.is_some() { MAX_REFUSED / 2 } else { MAX_REFUSED };
        Ok(Self {
            start,
            round: 0,
            comparison: Comparison { id, fingerprinter, snapshot, welcome, peer, left_out, refused, by_peer },
            pending: Vec::new(),
            asked: vec![PendingRange { low: Bound::start(), high: Bound::End, content }],
            outbox: Outbox::default(),
            inbox,
            idle_rounds: 0,
            pending_bytes: 0,
            is_cut_short: false,
            resumes_at,
            most_refused,
            reached: None,
            asked_copies: Copies::default(),
            asked_bytes: 0,
            withdrawn: BTreeSet::new(),
            counted_withdrawn: 0,
            unremembered: false,
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
        let most = match self.start.version {
            ProtocolVersion::V1 => usize::MAX,
            // Few enough for an answer that names any of them as refused.
            ProtocolVersion::V2 => RefusedRuns::most_ops(room_for_runs(welcome.limit.min(self.start.limit))),
        };
        let ops = self.outbox.pack(replica, fingerprinter, limit, most)?;
        let copies = self.inbox.take_copies(replica.crypto(), self.start.version);
        self.asked_copies.clone_from(&copies);
        if ranges.is_empty() && ops.count() == 0 && copies.is_empty() {
            return Ok(None);
        }
        progress.op_bytes_sent = progress.op_bytes_sent.saturating_add(wide(ops.len()));
        let head = self.start.head(self.round, id.resume, Phase::Later { cursor: welcome.cursor });
        let request = head.write(Sections { copies, ranges, ops });
        self.asked_bytes = request.len();
        Ok(Some(request))
    }

    /// Describes pending ranges until the message is full. The rest stays pending.
    fn describe_pending(&mut self, replica: &Replica) -> RangeWriter {
        let view = self.comparison.view(replica, self.start.cursor);
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
        let (sent, refused_by_peer) = self.outbox.acknowledge(&ack, replica.log(), &fingerprinter)?;
        self.remember_by_peer(replica, refused_by_peer);
        progress.sent = progress.sent.saturating_add(sent);
        progress.refused_by_peer.add(&ack.refused);
        let is_empty = sections.ranges.is_empty() && continuation.is_none() && sections.ops.is_empty();
        let ingested = IngestedOps::ingest(replica, now, sections.ops)?;
        let received = ingested.received;
        let told = welcome.iter().flat_map(|welcome| &welcome.unknown);
        told.for_each(|author| unknown.add(&author.actor, &author.kid));
        let refused = ingested.refused.iter().filter(|refused| refused.reason == RefusalReason::UnknownKey);
        refused.filter_map(|refused| refused.op).for_each(|op| unknown.add(op.op().actor(), op.kid()));
        let cursor = self.start.cursor;
        let refused = self.inbox.record(replica, &fingerprinter, cursor, ingested, progress);
        self.remember(replica, &refused);
        if !self.has_refused_too_many() {
            self.take_copies(replica, &sections.copies);
        }

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
        self.cut_short_if_full();

        let Comparison { welcome, snapshot, .. } = &self.comparison;
        let limit = max_idle_rounds(welcome.count.max(snapshot.count()));
        let refused = if self.has_refused_too_many() { 0 } else { received.refused.total() };
        let withdrawn = wide(self.withdrawn.len() - self.counted_withdrawn);
        let worked = received.new_ops() > 0 || sent > 0 || refused.max(withdrawn) >= REFUSED_AS_PROGRESS;
        self.idle_rounds = if worked { 0 } else { self.idle_rounds + 1 };
        if worked {
            self.counted_withdrawn = self.withdrawn.len();
        }
        if self.idle_rounds > limit {
            return Err(SyncError::NoProgress { limit });
        }
        progress.left_to_send = self.outbox.waiting();
        let here = snapshot.count().saturating_add(self.inbox.received.count);
        progress.left_to_receive = welcome.count.saturating_sub(here);
        self.settle(replica);
        Ok(())
    }

    /// Returns true if nothing is left to be sent.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty() && self.outbox.is_empty() && self.inbox.is_empty(self.start.version)
    }

    /// Remembers operations of the peer that were refused, so that it does not send them again.
    fn remember(&mut self, replica: &mut Replica, refused: &[HashedRefusal<'_>]) {
        let (Some(name), ProtocolVersion::V2) = (&self.start.peer, self.start.version) else { return };
        // Unknown actors are named in the filter instead.
        let is_named = |refused: &&HashedRefusal<'_>| {
            refused.reason == RefusalReason::UnknownKey && refused.copies.is_none()
        };
        let refused = refused.iter().filter(|refused| !is_named(refused));
        let new = refused.map(|refused| NewRefused {
            ts: refused.op.op().ts(),
            actor: refused.op.op().actor(),
            hash: refused.hash,
            reason: refused.reason.code(),
            copies: refused.copies,
        });
        self.unremembered |= !replica.peers_mut().remember(name, self.start.tag, new);
    }

    /// Remembers operations that the peer refused. Of a copy in doubt, another is wanted.
    fn remember_by_peer(&mut self, replica: &mut Replica, refused: Vec<(OpSeq, RefusalReason)>) {
        let mut new = Vec::with_capacity(refused.len());
        for (number, reason) in refused {
            let hash = *replica.log().index().hash(number);
            if reason.may_concern_one_copy() {
                replica.collect_alternates(&hash);
            }
            let alternates = replica.alternates_of(number);
            new.push(RefusedByPeer { hash, reason: reason.code(), alternates });
        }
        if let (Some(name), ProtocolVersion::V2, false) =
            (&self.start.peer, self.start.version, new.is_empty())
        {
            let tag = self.comparison.welcome.tag;
            self.unremembered |= !replica.peers_mut().remember_by_peer(name, tag, new.into_iter());
        }
    }

    /// Takes what the peer says about copies of operations.
    fn take_copies(&mut self, replica: &mut Replica, copies: &Copies) {
        if self.start.version == ProtocolVersion::V1 {
            let hashes: Vec<OpHash> = copies.wanted.iter().map(|wanted| wanted.hash).collect();
            return self.outbox.queue_alternates(replica, &hashes);
        }
        for wanted in &copies.wanted {
            match replica.examine_claim(&wanted.hash, wanted.digest) {
                Claim::Unknown => {}
                Claim::SameCopies => self.inbox.same.push(*wanted),
                Claim::OtherCopies(number) => self.outbox.queue_alternate(number),
            }
        }
        copies.same.iter().for_each(|same| replica.note_same_copies(&same.hash, same.digest));
    }

    /// Queues operations that the peer lacks, given from the oldest to the newest. Those that this side refused are not
    /// here to be sent.
    fn queue(&mut self, numbers: Vec<OpSeq>) {
        let (ours, refused): (Vec<OpSeq>, Vec<OpSeq>) =
            numbers.into_iter().partition(|number| *number < self.start.cursor);
        let position =
            |number: OpSeq| number.get().checked_sub(self.start.cursor.get()).map(crate::packed::index);
        let refused = refused.into_iter().filter_map(position);
        let hashes = refused.filter_map(|position| Some(self.comparison.refused.get(position)?.hash));
        self.withdrawn.extend(hashes);
        self.outbox.queue(ServingOrder::of(self.start.version), ours);
    }

    /// Returns true if the range lies within a range of the last request.
    fn was_asked(&self, item: &RangeItem) -> bool {
        let at = self.asked.partition_point(|asked| asked.high <= item.low);
        self.asked.get(at).is_some_and(|asked| asked.low <= item.low && item.high <= asked.high)
    }

    /// Decides how to continue with a range that the peer describes.
    fn on_range(&mut self, replica: &Replica, item: RangeItem) -> Result<(), SyncError> {
        let view = self.comparison.view(replica, self.start.cursor);
        let RangeItem { low, high, content } = item;
        let content = match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                match view.on_fingerprint(&low, &high, count, fingerprint) {
                    OnFingerprint::Same => return Ok(()),
                    OnFingerprint::SendAll => {
                        let numbers = view.numbers(view.range(&low, &high)).collect();
                        self.queue(numbers);
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
                let numbers = view.numbers(send.into_iter().flatten()).collect();
                self.queue(numbers);
                if wants.is_empty() {
                    return Ok(());
                }
                PendingContent::Wants(wants)
            }
            RangeContent::Wants(wants) => {
                let numbers = view.numbers(view.wanted(&low, &high, &wants)?).collect();
                self.queue(numbers);
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

    /// Returns true if the session has refused too many operations, and sends only what waits to be sent.
    const fn has_refused_too_many(&self) -> bool {
        self.resumes_at.is_none() && self.inbox.refused > self.most_refused
    }

    /// If the session has refused too many operations: goes on below the place that the last session reached, or ends
    /// with what it has. So each session makes progress towards operations that are older than what is refused.
    fn cut_short_if_full(&mut self) {
        if self.inbox.refused <= self.most_refused {
            return;
        }
        self.is_cut_short = true;
        let mut left = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let Some(below) = self.resumes_at.take() else {
            // A peer may say something about copies in each answer, without end.
            self.inbox.leave_copies();
            // A range is complete when those above it are.
            self.reached = left.into_iter().map(|range| range.high).max();
            return;
        };
        self.most_refused = self.inbox.refused.saturating_add(MAX_REFUSED / 2);
        left.retain(|range| range.low < below);
        for mut range in left {
            if range.high > below {
                range.high = below.clone();
                if let PendingContent::Wants(_) = range.content {
                    // They refer to the whole range.
                    range.content = PendingContent::Fingerprint;
                }
            }
            self.keep(range);
        }
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
        let asked = std::mem::take(&mut self.asked_copies);
        self.inbox.ask_for_copies(asked);
        self.outbox.take_back(self.asked_bytes)
    }

    /// Returns the operations that were left out because they are too long for somebody on the way.
    pub(crate) fn too_large(&self) -> &[OpHash] {
        &self.outbox.too_large
    }

    // The end

    /// Returns the number of pending ranges.
    #[cfg(test)]
    pub(crate) fn pending_ranges(&self) -> usize {
        self.pending.len()
    }
}

/// Returns the inbox of a session with this welcome. If the peer has other copies of some operations that the first
/// request named, it is asked about all others whose copies were refused; a replica that does not verify asks for those
/// other copies.
fn begin_inbox(start: &Start, welcome: &Welcome, replica: &Replica) -> Inbox {
    let refused = start.refused_copies(replica);
    let (named, others) = refused.split_at(refused.len().min(MAX_CLAIMS));
    let named = named.iter().map(|copies| copies.hash);
    let mut inbox = Inbox::new(named, start.version, start.filter.is_exact());
    if !welcome.renewed.is_empty() {
        inbox.want_copies(others.iter().copied());
    }
    if replica.accepts_unverified() {
        inbox.want_copies(welcome.renewed.iter().map(|hash| copies_here(replica, hash)));
    }
    inbox
}

impl Comparison {
    pub(super) fn view<'v>(&'v self, replica: &'v Replica, cursor: OpSeq) -> View<'v> {
        let entries = Entries::new(replica.log().index(), cursor, &self.refused);
        View { entries, fingerprinter: &self.fingerprinter, snapshot: &self.snapshot }
    }
}
