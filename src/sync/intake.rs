//! Operations from a peer on their way into the replica, and what became of them.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::ops::Unpacked;
use super::wire::wide;
use crate::codec::OpHash;
use crate::hlc::WallMillis;
use crate::op::{OpSeq, SignedOpRef};
use crate::replica::{Incoming, OpRefusal, Outcome, Replica};

/// How many operations were refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusals {
    /// No operations: they break a rule of the format.
    pub malformed: u64,
    /// The key is not known. Register it and synchronise again.
    pub unknown_key: u64,
    /// Not signed by the actor that they name.
    pub bad_signature: u64,
    /// Refused by the guard.
    pub denied: u64,
    /// Another space's.
    pub other_space: u64,
    /// Refused for a reason that this version does not know.
    pub other: u64,
}

impl Refusals {
    pub(super) const REASONS: usize = 6;

    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.to_array().into_iter().fold(0, u64::saturating_add)
    }

    pub(super) const fn to_array(self) -> [u64; Self::REASONS] {
        [self.malformed, self.unknown_key, self.bad_signature, self.denied, self.other_space, self.other]
    }

    pub(super) const fn from_array(counts: [u64; Self::REASONS]) -> Self {
        let [malformed, unknown_key, bad_signature, denied, other_space, other] = counts;
        Self { malformed, unknown_key, bad_signature, denied, other_space, other }
    }

    pub(super) fn add(&mut self, others: &Self) {
        let mut sums = self.to_array();
        for (sum, other) in sums.iter_mut().zip(others.to_array()) {
            *sum = sum.saturating_add(other);
        }
        *self = Self::from_array(sums);
    }

    fn count(&mut self, refused: &OpRefusal) {
        let counter = match refused {
            OpRefusal::Malformed(_) => &mut self.malformed,
            OpRefusal::WrongSpace { .. } => &mut self.other_space,
            OpRefusal::UnknownKey { .. } => &mut self.unknown_key,
            OpRefusal::BadSignature => &mut self.bad_signature,
            OpRefusal::Denied => &mut self.denied,
        };
        *counter = counter.saturating_add(1);
    }
}

/// What became of the operations of a message.
#[derive(Default)]
pub(super) struct Intake {
    /// How many are new in the log.
    pub(super) accepted: u64,
    /// How many were there.
    pub(super) known: u64,
    pub(super) refused: Refusals,
    /// The numbers of all that are in the log.
    pub(super) numbers: BTreeSet<OpSeq>,
    /// Those refused for their signature. A good copy of one may be elsewhere.
    pub(super) bad: Vec<OpHash>,
}

impl Intake {
    /// How many operations were offered.
    pub(super) fn offered(&self) -> u64 {
        self.accepted.saturating_add(self.known).saturating_add(self.refused.total())
    }

    /// A bad copy of an operation that is in the log is only a copy of what is known.
    fn forgive(&mut self, replica: &Replica) {
        let before = self.bad.len();
        self.bad.retain(|hash| !replica.log().contains(hash));
        let met = wide(before - self.bad.len());
        self.refused.bad_signature = self.refused.bad_signature.saturating_sub(met);
        self.known = self.known.saturating_add(met);
    }

    /// Offers operations to the replica, in one batch.
    pub(super) fn take(
        replica: &mut Replica,
        now: WallMillis,
        unpacked: Vec<Unpacked<'_>>,
    ) -> Result<Self, SyncError> {
        let mut intake = Self::default();
        if unpacked.is_empty() {
            return Ok(intake);
        }
        let mut views: Vec<SignedOpRef<'_>> = Vec::with_capacity(unpacked.len());
        for op in unpacked {
            match op {
                Ok(view) => views.push(view),
                Err(_) => intake.refused.malformed = intake.refused.malformed.saturating_add(1),
            }
        }
        let batch: Vec<Incoming<'_>> = views.iter().copied().map(Incoming::View).collect();
        let answers = replica.ingest_batch(now, &batch)?;
        for (answer, view) in answers.iter().zip(views) {
            match answer {
                Ok(Outcome::Appended { hash, .. } | Outcome::Held { hash, .. }) => {
                    intake.accepted += 1;
                    intake.numbers.extend(replica.log().index().find(hash));
                }
                Ok(Outcome::Duplicate { hash }) => {
                    intake.known += 1;
                    intake.numbers.extend(replica.log().index().find(hash));
                    replica.add_alternate(hash, view.kid(), view.signature());
                }
                Err(refused) => {
                    intake.refused.count(refused);
                    if *refused == OpRefusal::BadSignature {
                        intake.bad.extend(OpHash::of(&replica.crypto(), view));
                    }
                }
            }
        }
        intake.forgive(replica);
        Ok(intake)
    }
}
