//! The way of an operation into the replica.

use super::examine::{Claims, Examined, Examiner, Tool};
use super::{Effect, Incoming, IngestError, Outcome, Refused, Replica};
use crate::codec::OpHash;
use crate::guard::{Guard, PermittedOp, permit};
use crate::hlc::{Hlc, HlcError, WallMillis};
use crate::keys::VerifiedOp;
use crate::oplog::Inserted;
use crate::state;

/// What became of one operation.
pub(super) type Answer = Result<Outcome, Refused>;

/// Something of a batch, with its place there.
pub(super) type Numbered<T> = (usize, T);

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

        let (verified, repeats) = self.verify(batch, &mut answers);
        let permitted = ask(self.guard.as_deref_mut(), verified, &mut answers)?;
        let (numbers, permitted): (Vec<usize>, Vec<PermittedOp<'_>>) = permitted.into_iter().unzip();

        // First the store, then memory: up to here, and on an error, the replica is as it was.
        let inserted = self.log.append(&permitted, self.threads)?;

        if !inserted.is_empty() {
            self.release_until(self.horizon_at(now));
        }
        for ((number, inserted), op) in numbers.into_iter().zip(inserted).zip(&permitted) {
            // What we wrote ourselves is never held: not after a counter ran over, not when a log is read again after
            // the wall clock was set back.
            if Some(op.op().actor()) == self.actor() {
                self.release_until(WallMillis(op.op().ts().t()));
            }
            answers.set(number, Ok(self.merge(&inserted)));
        }
        for (number, hash) in repeats {
            answers.set(number, self.answer_repeat(batch, number, hash));
        }
        Ok(answers.complete())
    }

    /// Up to which time operations are merged when the wall clock says `now`.
    pub(super) fn horizon_at(&self, now: WallMillis) -> WallMillis {
        let horizon = now.saturating_add(self.max_drift);
        // What we have seen and written stays, even when the wall clock goes back.
        self.clock.last().map_or(horizon, |last| horizon.max(WallMillis(last.t())))
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

    /// Decodes and hashes each operation, looks for it in the log, verifies it when it is new, and answers for what is
    /// there already and what fails. What the batch repeats after it was verified comes back as it is: one by one, it
    /// would be found in the log.
    fn verify<'a>(
        &self,
        batch: &[Incoming<'a>],
        answers: &mut Answers,
    ) -> (Vec<Numbered<VerifiedOp<'a>>>, Vec<Numbered<OpHash>>) {
        let examiner = self.examiner();
        let claims = Claims::new(batch.len());
        let examined = self.threads.map(batch, Tool::default, |tool, group, examined| {
            examiner.examine(group, &claims, tool, examined);
        });
        let mut verified = Vec::with_capacity(batch.len());
        let (mut repeats, mut failed) = (Vec::new(), Vec::new());
        for (number, examined) in examined.into_iter().enumerate() {
            match examined {
                Ok(Examined::Verified(op)) => verified.push((number, op)),
                Ok(Examined::Unverified(hash, refused)) => {
                    failed.push((number, hash));
                    answers.set(number, Err(refused));
                }
                Ok(Examined::Known(hash)) => answers.set(number, Ok(Outcome::Duplicate { hash })),
                Ok(Examined::Repeated(hash)) => repeats.push((number, hash)),
                Err(refused) => answers.set(number, Err(refused)),
            }
        }
        if !repeats.is_empty() {
            repeats = examiner.settle(batch, repeats, failed, &mut verified, answers);
        }
        (verified, repeats)
    }

    fn examiner(&self) -> Examiner<'_> {
        Examiner {
            crypto: self.crypto,
            keys: &self.keys,
            unverified: self.unverified,
            space: self.log.space(),
            labels: self.labels,
            index: self.log.index(),
        }
    }

    /// The answer for what repeats an operation of its batch that was verified.
    fn answer_repeat(&self, batch: &[Incoming<'_>], number: usize, hash: OpHash) -> Answer {
        match batch.get(number) {
            // The guard refused the first, and sees nothing by which they differ: neither signature nor kid.
            Some(incoming) if !self.log.contains(&hash) => {
                self.examiner().verify(*incoming).and(Err(Refused::Denied))
            }
            _ => Ok(Outcome::Duplicate { hash }),
        }
    }

    /// Merges an operation that the log has just taken, or holds it.
    fn merge(&mut self, inserted: &Inserted) -> Outcome {
        let index = self.log.index();
        let ts = index.ts(inserted.seq);
        let hash = *index.hash(inserted.seq);
        let equivocates_with = inserted.equivocates_with.map(|other| *index.hash(other));
        match self.state.admit(index, inserted.seq) {
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

/// An answer for each operation of a batch, given as they become known.
pub(super) struct Answers(Vec<Option<Answer>>);

impl Answers {
    fn new(count: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(count).collect())
    }

    pub(super) fn set(&mut self, number: usize, answer: Answer) {
        if let Some(slot) = self.0.get_mut(number) {
            *slot = Some(answer);
        }
    }

    #[expect(clippy::expect_used, reason = "each step answers what it does not hand on")]
    fn complete(self) -> Vec<Answer> {
        self.0.into_iter().map(|answer| answer.expect("every operation is answered")).collect()
    }
}
