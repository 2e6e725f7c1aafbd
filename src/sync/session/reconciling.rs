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
    MAX_ALTERNATES_WANTED, MAX_PENDING, MAX_RUNS, MIN_MESSAGE_BYTES, REFUSED_AS_PROGRESS, max_idle_rounds,
};
use crate::sync::proto::{
    Continuation, Hello, LogSpace, Phase, ProtocolVersion, RangeContent, RangeItem, RangeWriter,
    ReadSections, RequestHead, Sections, SyncAnswer, Welcome, first_8,
};
use crate::sync::rbsr::{Bound, Fingerprinter, OnFingerprint, OnIds, Snapshot, View, short};
use crate::sync::resume::{CommonOps, Exceptions, ResumeId, ResumeToken, Transferred};
use crate::sync::{IngestedOps, PeerMisbehaved, RefusalReason, Refusals, SyncError};

/// The facts about a session that are fixed by its first request.
pub(crate) struct Start {
    pub(crate) version: ProtocolVersion,
    pub(crate) nonce: [u8; 16],
    /// The longest answer that this side accepts, in bytes.
    pub(crate) limit: usize,
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
            limit: options.limit(),
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
        Self { version: ProtocolVersion::V1, offered: None, filter: AuthorFilter::All, ..self }
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
        let sections = Sections { alternates_wanted, ranges: RangeWriter::new(), ops: OpPacker::new(0) };
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

impl Reconciling {
    /// Begins the comparison that the welcome announces.
    pub(crate) fn new(start: Start, welcome: Welcome, replica: &Replica) -> Result<Self, SyncError> {
        let token = start.offered.as_ref().filter(|_| welcome.resumed);
        if welcome.resumed && token.is_none() {
            return Err(PeerMisbehaved::Resume.into());
        }
        if welcome.limit < MIN_MESSAGE_BYTES {
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
        let limit = welcome.limit.min(self.start.limit);
        let ops = self.outbox.pack(replica, fingerprinter, limit)?;
        let alternates_wanted = self.inbox.take_alternates_wanted();
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
        let mut writer = RangeWriter::new();
        let mut reached = Bound::start();
        let mut left = Vec::new();
        self.asked.clear();
        self.pending.sort_by(|a, b| a.low.cmp(&b.low));
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        for next in pending.by_ref() {
            // A peer that describes a range twice is answered once.
            if next.low < reached {
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
            reached = next.high.clone();
            self.asked.push(next);
        }
        left.extend(pending);
        self.pending = left;
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
        self.inbox.record(crypto, replica.log(), &fingerprinter, cursor, ingested, progress)?;
        self.outbox.queue_alternates(replica, &sections.alternates_wanted);

        if welcome.is_some() && is_empty {
            // Only the fingerprint of everything is known.
            let Welcome { count, total, .. } = self.comparison.welcome;
            let content = RangeContent::Fingerprint { count, fingerprint: short(total) };
            self.on_range(replica, RangeItem { low: Bound::start(), high: Bound::End, content })?;
        }
        for item in sections.ranges {
            if !self.was_asked(&item) {
                return Err(PeerMisbehaved::Range.into());
            }
            self.on_range(replica, item)?;
        }
        if let Some(continuation) = continuation {
            self.ask_again(continuation)?;
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
        let RangeItem { low, high, content } = item;
        let content = match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                match view.on_fingerprint(&low, &high, count, fingerprint) {
                    OnFingerprint::Same => return Ok(()),
                    OnFingerprint::SendAll => {
                        self.outbox.queue(view.numbers(view.range(&low, &high)));
                        return Ok(());
                    }
                    OnFingerprint::Split(parts) if self.pending.len() + parts.len() <= MAX_PENDING => {
                        let content = PendingContent::Fingerprint;
                        let pending = |(low, high)| PendingRange { low, high, content: content.clone() };
                        self.pending.extend(parts.into_iter().map(pending));
                        return Ok(());
                    }
                    OnFingerprint::List => PendingContent::Ids,
                    OnFingerprint::Fingerprint | OnFingerprint::Split(_) => PendingContent::Fingerprint,
                }
            }
            RangeContent::Ids(ids) => {
                let OnIds { send, wants } = view.on_ids(&low, &high, &ids);
                self.outbox.queue(view.numbers(send));
                if wants.is_empty() {
                    return Ok(());
                }
                PendingContent::Wants(wants)
            }
            RangeContent::Wants(wants) => {
                self.outbox.queue(view.numbers(view.wanted(&low, &high, &wants)?));
                return Ok(());
            }
        };
        self.pending.push(PendingRange { low, high, content });
        Ok(())
    }

    /// Repeats the last request from the place that a full answer reached.
    fn ask_again(&mut self, continuation: Continuation) -> Result<(), SyncError> {
        let Continuation { from, done } = continuation;
        for mut asked in std::mem::take(&mut self.asked) {
            if asked.high <= from {
                continue;
            }
            if asked.low < from {
                asked.low = from.clone();
                if let PendingContent::Wants(wants) = &mut asked.content {
                    let done = usize::try_from(done).ok().filter(|done| *done <= wants.len());
                    wants.drain(..done.ok_or(PeerMisbehaved::Limit)?);
                }
            }
            self.pending.push(asked);
        }
        Ok(())
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
        if !same_count || !same_sum || self.outbox.altered || !is_told {
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
