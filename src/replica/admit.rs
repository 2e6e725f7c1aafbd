//! The way of an operation into the replica.

use super::{Effect, Incoming, IngestError, Labels, Outcome, Refused, Replica};
use crate::canonical::{DecodeError, HashedOp, OpHashSet};
use crate::crypto::Sodium;
use crate::guard::{Guard, PermittedOp, permit};
use crate::hlc::{Hlc, HlcError, WallMillis};
use crate::keys::{KeyRegistry, VerifiedOp};
use crate::op::{OpRef, op_id};
use crate::oplog::Inserted;
use crate::state;
use crate::value::Excerpt;

/// What became of one operation.
type Answer = Result<Outcome, Refused>;

/// Something of a batch, with its place there.
type Numbered<T> = (usize, T);

impl Replica {
    /// Takes in one operation: JSON text, binary form, or decoded already.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; the replica is as it was.
    #[expect(clippy::expect_used, reason = "one operation has one answer")]
    pub fn ingest<'a>(
        &mut self,
        now: WallMillis,
        incoming: impl Into<Incoming<'a>>,
    ) -> Result<Outcome, IngestError> {
        let mut answers = self.ingest_batch(now, &[incoming.into()])?;
        Ok(answers.pop().expect("one operation has one answer")?)
    }

    /// Takes in many operations at once, with an answer for each, in their order: the same answers as one by one. The
    /// store sees one transaction, the guard one batch; [`ReplicaOptions::threads`](super::ReplicaOptions) share the
    /// work.
    ///
    /// # Errors
    ///
    /// [`IngestError`] when the guard stopped the batch or the store failed; then nothing of the batch is kept.
    pub fn ingest_batch(
        &mut self,
        now: WallMillis,
        batch: &[Incoming<'_>],
    ) -> Result<Vec<Result<Outcome, Refused>>, IngestError> {
        if now > WallMillis::MAX {
            return Err(IngestError::Clock(HlcError::WallOutOfRange { now }));
        }
        let mut answers = Answers::new(batch.len());

        let new = self.look_for_duplicates(batch, &mut answers);
        let (verified, copies) = self.verify(new, &mut answers);
        let permitted = ask(self.guard.as_deref_mut(), verified, &mut answers)?;
        let (numbers, permitted): (Vec<usize>, Vec<PermittedOp<'_>>) = permitted.into_iter().unzip();

        // First the store, then memory: up to here, and on an error, the replica is as it was.
        let inserted = self.log.append(&permitted)?;

        if !inserted.is_empty() {
            self.release_until(self.horizon_at(now).max(self.latest_own(&permitted)));
        }
        for (number, inserted) in numbers.into_iter().zip(inserted) {
            answers.set(number, Ok(self.merge(&inserted)));
        }
        for (number, copy) in copies {
            answers.set(number, self.answer_copy(copy));
        }
        Ok(answers.complete())
    }

    /// Up to which time operations are merged when the wall clock says `now`.
    pub(super) fn horizon_at(&self, now: WallMillis) -> WallMillis {
        let horizon = now.saturating_add(self.max_drift);
        // What we have seen and written stays, even when the wall clock goes back.
        self.clock.last().map_or(horizon, |last| horizon.max(WallMillis(last.t())))
    }

    /// The time of our latest own operation among these. What we wrote ourselves is never held: not after a counter
    /// ran over, not when a log is read again after the wall clock was set back.
    fn latest_own(&self, permitted: &[PermittedOp<'_>]) -> WallMillis {
        let actor = self.actor();
        let own = permitted.iter().map(PermittedOp::op).filter(|op| Some(op.actor()) == actor);
        own.map(|op| WallMillis(op.ts().t())).max().unwrap_or(WallMillis(0))
    }

    /// When an operation with this timestamp becomes due, by the wall clock.
    pub(super) fn due_at(&self, ts: Hlc) -> WallMillis {
        WallMillis(ts.t().saturating_sub(self.max_drift.0))
    }

    /// Merges what was held, up to this time.
    pub(super) fn release_until(&mut self, horizon: WallMillis) {
        if let Some(greatest) = self.state.advance(self.log.index(), horizon) {
            self.clock.observe(self.log.index().ts(greatest));
        }
    }

    /// Decodes and hashes what may be an operation of this log, and answers for what is not one, and for what is there
    /// already.
    fn look_for_duplicates<'a>(
        &self,
        batch: &[Incoming<'a>],
        answers: &mut Answers,
    ) -> Vec<Numbered<HashedOp<'a>>> {
        let (crypto, space, labels, index) = (self.crypto, self.log.space(), self.labels, self.log.index());
        let hashed = self.threads.map(batch.to_vec(), |incoming| {
            let signed = incoming.decode()?;
            belongs(signed.as_ref().op(), space, labels)?;
            Ok(HashedOp::new(&crypto, signed)?)
        });
        // All at once, so that no look-up waits for the memory of another.
        let known: Vec<bool> = hashed
            .iter()
            .map(|hashed: &Result<_, Refused>| {
                hashed.as_ref().is_ok_and(|hashed| index.find(&hashed.hash()).is_some())
            })
            .collect();
        let mut new = Vec::with_capacity(hashed.len());
        for (number, (hashed, known)) in hashed.into_iter().zip(known).enumerate() {
            match hashed {
                Ok(hashed) if known => answers.set(number, Ok(Outcome::Duplicate { hash: hashed.hash() })),
                Ok(hashed) => new.push((number, hashed)),
                Err(refused) => answers.set(number, Err(refused)),
            }
        }
        new
    }

    /// Verifies each operation once, and answers for what fails. Copies of one that is verified come back unverified,
    /// as they would be found in the log one by one; a copy of one that failed has its own chance, because the
    /// signature is not in the hash.
    fn verify<'a>(
        &self,
        new: Vec<Numbered<HashedOp<'a>>>,
        answers: &mut Answers,
    ) -> (Vec<Numbered<VerifiedOp<'a>>>, Vec<Numbered<HashedOp<'a>>>) {
        let mut hashes = OpHashSet::with_capacity_and_hasher(new.len(), Default::default());
        let (firsts, others): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|(_, hashed)| hashes.insert(hashed.hash()));

        let verifier = self.verifier();
        let results = self.threads.map(firsts, |(number, hashed)| {
            let hash = hashed.hash();
            (number, hash, verifier.verify(hashed))
        });
        let mut verified = Vec::with_capacity(results.len());
        for (number, hash, result) in results {
            match result {
                Ok(op) => verified.push((number, op)),
                Err(refused) => {
                    hashes.remove(&hash);
                    answers.set(number, Err(refused));
                }
            }
        }
        let mut copies = Vec::new();
        for (number, hashed) in others {
            let hash = hashed.hash();
            if hashes.contains(&hash) {
                copies.push((number, hashed));
                continue;
            }
            match verifier.verify(hashed) {
                Ok(op) => {
                    hashes.insert(hash);
                    verified.push((number, op));
                }
                Err(refused) => answers.set(number, Err(refused)),
            }
        }
        verified.sort_by_key(|(number, _)| *number);
        (verified, copies)
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier { crypto: self.crypto, keys: &self.keys, unverified: self.unverified }
    }

    /// The answer for a copy, later in its batch, of an operation that was verified.
    fn answer_copy(&self, copy: HashedOp<'_>) -> Answer {
        let hash = copy.hash();
        if self.log.contains(&hash) {
            return Ok(Outcome::Duplicate { hash });
        }
        // The guard refused the first, and sees nothing by which the copies differ: neither signature nor kid.
        self.verifier().verify(copy).and(Err(Refused::Denied))
    }

    /// Merges an operation that the log has just taken, or holds it.
    fn merge(&mut self, inserted: &Inserted) -> Outcome {
        let index = self.log.index();
        let ts = index.ts(inserted.arrival);
        let hash = *index.hash(inserted.arrival);
        let equivocates_with = inserted.equivocates_with.map(|other| *index.hash(other));
        match self.state.admit(index, inserted.arrival) {
            Some(effect) => {
                self.clock.observe(ts);
                let effect = match effect {
                    state::Effect::Won { over } => {
                        Effect::Won { superseded: over.map(|over| *index.hash(over)) }
                    }
                    state::Effect::Lost { to } => Effect::Lost { to: *index.hash(to) },
                };
                Outcome::Appended { hash, effect, equivocates_with }
            }
            None => Outcome::Held { hash, until: self.due_at(ts), equivocates_with },
        }
    }
}

/// What verifying needs, and threads may share.
#[derive(Clone, Copy)]
struct Verifier<'r> {
    crypto: Sodium,
    keys: &'r KeyRegistry,
    unverified: bool,
}

impl Verifier<'_> {
    fn verify<'a>(self, hashed: HashedOp<'a>) -> Result<VerifiedOp<'a>, Refused> {
        if self.unverified {
            return Ok(VerifiedOp::dangerously_unverified(hashed));
        }
        Ok(self.keys.verify_hashed(&self.crypto, hashed)?)
    }
}

/// Asks the guard, and answers for what it refuses.
fn ask<'a>(
    guard: Option<&mut (dyn Guard + 'static)>,
    verified: Vec<Numbered<VerifiedOp<'a>>>,
    answers: &mut Answers,
) -> Result<Vec<Numbered<PermittedOp<'a>>>, IngestError> {
    let (numbers, verified): (Vec<usize>, Vec<VerifiedOp<'a>>) = verified.into_iter().unzip();
    let mut admitted = Vec::with_capacity(verified.len());
    for (number, permitted) in numbers.into_iter().zip(permit(guard, verified)?) {
        match permitted {
            Some(permitted) => admitted.push((number, permitted)),
            None => answers.set(number, Err(Refused::Denied)),
        }
    }
    Ok(admitted)
}

/// Whether an operation may belong to this log: its space, and its label where only the default one will do.
fn belongs(op: OpRef<'_>, space: Option<&str>, labels: Labels) -> Result<(), Refused> {
    if op.space() != space {
        return Err(Refused::WrongSpace {
            found: op.space().map(Excerpt::of),
            expected: space.map(Excerpt::of),
        });
    }
    match op.label() {
        Some(label) if labels == Labels::Derived => Err(Refused::Malformed(DecodeError::IdMismatch {
            found: Excerpt::of(label),
            expected: Excerpt::of(&op_id(op.actor(), op.ts())),
        })),
        _ => Ok(()),
    }
}

/// An answer for each operation of a batch, given as they become known.
struct Answers(Vec<Option<Answer>>);

impl Answers {
    fn new(count: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(count).collect())
    }

    fn set(&mut self, number: usize, answer: Answer) {
        if let Some(slot) = self.0.get_mut(number) {
            *slot = Some(answer);
        }
    }

    #[expect(clippy::expect_used, reason = "each step answers what it does not hand on")]
    fn complete(self) -> Vec<Answer> {
        self.0.into_iter().map(|answer| answer.expect("every operation is answered")).collect()
    }
}
