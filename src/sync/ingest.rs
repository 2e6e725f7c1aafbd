//! Operations that a peer or a bundle brings, counted by their outcome.

use std::collections::BTreeSet;

use crate::codec::{OpHash, UnpackedOp, wide};
use crate::hlc::WallMillis;
use crate::op::{OpSeq, SignedOpRef};
use crate::replica::{Incoming, IngestError, OpRefusal, Outcome, Replica};
use crate::sync::proto::limits::{MAX_BAD_SIGNATURES, MAX_HASHED_NAMES};

/// Numbers of operations that came in, by their outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Operations that are new in this log and merged.
    pub appended: u64,
    /// Operations that are new in this log, but not merged yet: their timestamps are too far ahead of the wall clock.
    pub held: u64,
    /// Operations that were in this log already.
    pub duplicates: u64,
    /// Operations that this replica refused.
    pub refused: Refusals,
}

impl Received {
    /// Returns the number of operations that are new in this log.
    #[must_use]
    pub fn new_ops(&self) -> u64 {
        self.appended.saturating_add(self.held)
    }

    /// Returns the number of all operations that came in.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.new_ops().saturating_add(self.duplicates).saturating_add(self.refused.total())
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.appended = self.appended.saturating_add(other.appended);
        self.held = self.held.saturating_add(other.held);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.refused.add(&other.refused);
    }
}

/// Numbers of refused operations, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusals {
    /// The operation breaks a rule of the format.
    pub malformed: u64,
    /// The key is not registered. Register it and synchronize again.
    pub unknown_key: u64,
    /// The actor that the operation names did not sign it.
    pub bad_signature: u64,
    /// The guard denied the operation.
    pub denied: u64,
    /// The operation belongs to another space.
    pub other_space: u64,
    /// The reason is not known to this version.
    pub other: u64,
}

impl Refusals {
    pub(crate) const REASONS: usize = 6;

    /// Returns the sum over all reasons.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.to_array().into_iter().fold(0, u64::saturating_add)
    }

    /// Returns the counts since an earlier time.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.to_array();
        counts
            .iter_mut()
            .zip(earlier.to_array())
            .for_each(|(count, earlier)| *count = count.saturating_sub(earlier));
        Self::from_array(counts)
    }

    pub(crate) const fn to_array(self) -> [u64; Self::REASONS] {
        [self.malformed, self.unknown_key, self.bad_signature, self.denied, self.other_space, self.other]
    }

    pub(crate) const fn from_array(counts: [u64; Self::REASONS]) -> Self {
        let [malformed, unknown_key, bad_signature, denied, other_space, other] = counts;
        Self { malformed, unknown_key, bad_signature, denied, other_space, other }
    }

    pub(crate) fn add(&mut self, others: &Self) {
        let mut sums = self.to_array();
        for (sum, other) in sums.iter_mut().zip(others.to_array()) {
            *sum = sum.saturating_add(other);
        }
        *self = Self::from_array(sums);
    }

    /// Counts an operation.
    pub(crate) fn count(&mut self, reason: RefusalReason) {
        let mut counts = self.to_array();
        if let Some(counter) = counts.get_mut(usize::from(reason.code())) {
            *counter = counter.saturating_add(1);
        }
        *self = Self::from_array(counts);
    }
}

/// The reason of a refusal, as it is counted and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RefusalReason {
    Malformed,
    UnknownKey,
    BadSignature,
    Denied,
    OtherSpace,
    Other,
}

impl RefusalReason {
    const ALL: [Self; Refusals::REASONS] =
        [Self::Malformed, Self::UnknownKey, Self::BadSignature, Self::Denied, Self::OtherSpace, Self::Other];

    const fn of(refusal: &OpRefusal) -> Self {
        match refusal {
            OpRefusal::Malformed(_) => Self::Malformed,
            OpRefusal::WrongSpace { .. } => Self::OtherSpace,
            OpRefusal::UnknownKey { .. } => Self::UnknownKey,
            OpRefusal::BadSignature => Self::BadSignature,
            OpRefusal::Denied => Self::Denied,
        }
    }

    /// Returns the position of the reason among the counts.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Malformed => 0,
            Self::UnknownKey => 1,
            Self::BadSignature => 2,
            Self::Denied => 3,
            Self::OtherSpace => 4,
            Self::Other => 5,
        }
    }

    /// Returns true if another copy of the operation may be accepted.
    pub(crate) const fn may_concern_one_copy(self) -> bool {
        matches!(self, Self::BadSignature | Self::UnknownKey)
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// An operation that was refused.
pub(crate) struct RefusedOp<'a> {
    /// Its position among those that came together.
    pub(crate) at: usize,
    pub(crate) reason: RefusalReason,
    /// `None` if it breaks a rule of operations.
    pub(crate) op: Option<SignedOpRef<'a>>,
}

impl RefusedOp<'_> {
    /// Returns true if another copy of the operation may be genuine: the signature is not the actor's, or the actor is
    /// known and the copy names another key. The hash covers neither. An actor of the log is known, though its key may
    /// no longer be registered: the filter of a session accepts it.
    pub(crate) fn is_doubtful_copy(&self, replica: &Replica) -> bool {
        match self.reason {
            RefusalReason::BadSignature => true,
            RefusalReason::UnknownKey => self.op.is_some_and(|op| replica.knows_actor(op.op().actor())),
            _ => false,
        }
    }

    /// Returns true if the names of the operation are short enough to hash any number of them.
    fn has_short_names(&self) -> bool {
        self.op.map(|signed| signed.op()).is_some_and(|op| {
            let names = [op.actor(), op.entity(), op.entity_id(), op.path()];
            names.into_iter().map(str::len).sum::<usize>() <= MAX_HASHED_NAMES
        })
    }
}

/// The bound on hashing operations with unknown keys: somebody could make it expensive with long names.
#[derive(Default)]
pub(crate) struct HashBudget {
    /// True if operations of unknown actors are hashed too, those with short names: the peer cannot know who is
    /// unknown.
    unknown_actors: bool,
    /// The number of operations with long names that were hashed.
    long_names: usize,
}

impl HashBudget {
    pub(crate) const fn new(unknown_actors: bool) -> Self {
        Self { unknown_actors, long_names: 0 }
    }

    /// Returns true if a refused operation may be hashed, and counts it. An unknown key of a known actor may belong to
    /// a copy of a genuine operation; of these with long names, few are hashed.
    pub(crate) fn allows(&mut self, refused: &RefusedOp<'_>, is_doubtful: bool) -> bool {
        if refused.reason != RefusalReason::UnknownKey {
            return true;
        }
        if refused.has_short_names() {
            return is_doubtful || self.unknown_actors;
        }
        let allows = is_doubtful && self.long_names < MAX_BAD_SIGNATURES;
        self.long_names += usize::from(allows);
        allows
    }
}

/// The operations of one message or frame after they were ingested.
#[derive(Default)]
pub(crate) struct IngestedOps<'a> {
    pub(crate) received: Received,
    /// The numbers of all these operations that are in the log now.
    pub(crate) numbers: BTreeSet<OpSeq>,
    /// Operations refused for their signature, of which no other copy is in the log. A genuine copy may exist
    /// elsewhere.
    pub(crate) bad_signatures: Vec<OpHash>,
    /// Copies of operations in doubt that were not here.
    pub(crate) new_alternates: u64,
    /// The refused operations, in order.
    pub(crate) refused: Vec<RefusedOp<'a>>,
}

impl<'a> IngestedOps<'a> {
    /// Ingests operations in one batch.
    pub(crate) fn ingest(
        replica: &mut Replica,
        now: WallMillis,
        unpacked: Vec<UnpackedOp<'a>>,
    ) -> Result<Self, IngestError> {
        let mut ingested = Self::default();
        if unpacked.is_empty() {
            return Ok(ingested);
        }
        let mut ops = Vec::with_capacity(unpacked.len());
        for (at, unpacked) in unpacked.into_iter().enumerate() {
            match unpacked {
                Ok(op) => ops.push((at, op)),
                Err(_) => ingested.refuse(RefusedOp { at, reason: RefusalReason::Malformed, op: None }),
            }
        }
        let batch: Vec<Incoming<'_>> = ops.iter().map(|(_, op)| Incoming::View(*op)).collect();
        let outcomes = replica.ingest_batch(now, &batch)?;
        for (outcome, (at, op)) in outcomes.iter().zip(ops) {
            ingested.note(replica, outcome, at, op);
        }
        ingested.recount_bad_copies(replica);
        ingested.refused.sort_by_key(|refused| refused.at);
        Ok(ingested)
    }

    fn refuse(&mut self, refused: RefusedOp<'a>) {
        self.received.refused.count(refused.reason);
        self.refused.push(refused);
    }

    fn note(
        &mut self,
        replica: &mut Replica,
        outcome: &Result<Outcome, OpRefusal>,
        at: usize,
        op: SignedOpRef<'a>,
    ) {
        let received = &mut self.received;
        let (hash, counter) = match outcome {
            Ok(Outcome::Appended { hash, .. }) => (hash, &mut received.appended),
            Ok(Outcome::Held { hash, .. }) => (hash, &mut received.held),
            Ok(Outcome::Duplicate { hash }) => (hash, &mut received.duplicates),
            Err(refused) => {
                let reason = RefusalReason::of(refused);
                match reason {
                    RefusalReason::BadSignature => {
                        self.bad_signatures.extend(OpHash::of(&replica.crypto(), op));
                    }
                    RefusalReason::UnknownKey => {
                        replica.peers_mut().has_refused_author(op.op().actor(), op.kid());
                    }
                    _ => {}
                }
                return self.refuse(RefusedOp { at, reason, op: Some(op) });
            }
        };
        *counter = counter.saturating_add(1);
        self.numbers.extend(replica.log().index().find(hash));
        if matches!(outcome, Ok(Outcome::Duplicate { .. })) {
            let is_new = replica.add_alternate(hash, op.kid(), op.signature());
            self.new_alternates += u64::from(is_new);
        }
    }

    /// Counts a copy with a bad signature as a duplicate if the operation itself is in the log.
    fn recount_bad_copies(&mut self, replica: &Replica) {
        let before = self.bad_signatures.len();
        self.bad_signatures.retain(|hash| !replica.log().contains(hash));
        if self.bad_signatures.len() < before {
            let crypto = replica.crypto();
            self.refused.retain(|refused| {
                let is_here = |op| OpHash::of(&crypto, op).is_ok_and(|hash| replica.log().contains(&hash));
                refused.reason != RefusalReason::BadSignature || !refused.op.is_some_and(is_here)
            });
        }
        let in_log = wide(before - self.bad_signatures.len());
        let received = &mut self.received;
        received.refused.bad_signature = received.refused.bad_signature.saturating_sub(in_log);
        received.duplicates = received.duplicates.saturating_add(in_log);
    }
}
