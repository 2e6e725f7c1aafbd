//! The way of an operation into the replica.

use super::batch::{OpResult, Positioned, Results};
use super::verify::{VerifiedBatch, Verifier};
use super::{Effect, Incoming, IngestError, OpRefusal, Outcome, Replica};
use crate::codec::{HashedOp, OpHash};
use crate::guard::{PermittedOp, permit};
use crate::hlc::{Hlc, HlcError, WallMillis};
use crate::keys::VerifiedOp;
use crate::op::OpSeq;
use crate::oplog::Inserted;
use crate::state::Merged;

impl Replica {
    /// Ingests one operation: JSON text, the binary form, or a decoded operation.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; the replica is unchanged.
    #[expect(clippy::expect_used, reason = "one operation has one result")]
    pub fn ingest<'a>(
        &mut self,
        now: WallMillis,
        incoming: impl Into<Incoming<'a>>,
    ) -> Result<Outcome, IngestError> {
        let mut results = self.ingest_batch(now, &[incoming.into()])?;
        Ok(results.pop().expect("one operation has one result")?)
    }

    /// Ingests many operations and returns a result for each, in their order. The results are the same as if they were
    /// ingested one at a time, but the store sees one transaction and the guard one batch, and
    /// [`ReplicaOptions::threads`](super::ReplicaOptions) share the work.
    ///
    /// # Errors
    ///
    /// [`IngestError`] if the guard stopped the batch or the store failed; the replica is unchanged.
    pub fn ingest_batch(
        &mut self,
        now: WallMillis,
        batch: &[Incoming<'_>],
    ) -> Result<Vec<Result<Outcome, OpRefusal>>, IngestError> {
        if now > WallMillis::MAX {
            return Err(IngestError::Clock(HlcError::WallOutOfRange { now }));
        }
        self.log.check_usable()?;
        let mut results = Results::new(batch.len());
        let VerifiedBatch { ops, repeats } = self.verifier().verify_batch(batch, self.threads, &mut results);
        self.append(now, ops, None, &mut results)?;
        for (position, hash) in repeats {
            results.set(position, self.repeat_result(batch, position, hash));
        }
        Ok(results.complete())
    }

    /// Ingests new operations of this replica in one commit, with the texts and the hashes that were computed to sign
    /// them: all of them or none.
    pub(super) fn ingest_own(
        &mut self,
        now: WallMillis,
        own: Vec<HashedOp<'_, '_>>,
    ) -> Result<Vec<Outcome>, IngestError> {
        let written = own.iter().map(|own| WallMillis(own.signed().op().ts().t())).max();
        let mut results = Results::new(own.len());
        let mut verified = Vec::with_capacity(own.len());
        for (position, own) in own.into_iter().enumerate() {
            verified.push((position, self.verifier().check_signature(own)?));
        }
        self.append(now, verified, written, &mut results)?;
        results.complete().into_iter().map(|result| Ok(result?)).collect()
    }

    /// Asks the guard about verified operations, appends those that it permits and merges them. If this replica has
    /// `written` them, with timestamps up to that time, they are merged whatever the wall clock says, and the guard
    /// must permit all of them.
    fn append(
        &mut self,
        now: WallMillis,
        ops: Vec<Positioned<VerifiedOp<'_>>>,
        written: Option<WallMillis>,
        results: &mut Results,
    ) -> Result<(), IngestError> {
        self.note_clock(now);
        let (positions, verified): (Vec<usize>, Vec<VerifiedOp<'_>>) = ops.into_iter().unzip();
        let (mut admitted, mut permitted) = (Vec::new(), Vec::with_capacity(verified.len()));
        for (position, op) in positions.into_iter().zip(permit(self.guard.as_deref_mut(), verified)?) {
            match op {
                Some(op) => {
                    admitted.push(position);
                    permitted.push(op);
                }
                None if written.is_some() => return Err(OpRefusal::Denied.into()),
                None => results.set(position, Err(OpRefusal::Denied)),
            }
        }

        let horizon = self.horizon_at(now).max(written);
        let merged = self.greatest_merged(horizon, &permitted);

        // The store comes before memory: up to here, and if this fails, the replica is unchanged.
        let inserted = self.log.append(&permitted, self.stored_clock_with(merged), self.threads)?;

        self.log.begin_change();
        if !inserted.is_empty() {
            self.advance_horizon(horizon);
        }
        for (position, inserted) in admitted.into_iter().zip(inserted) {
            results.set(position, Ok(self.outcome(&inserted)));
        }
        self.log.end_change();
        Ok(())
    }

    /// Returns the greatest timestamp that is merged when these operations are appended and the horizon moves.
    fn greatest_merged(&self, horizon: Option<WallMillis>, ops: &[PermittedOp<'_>]) -> Option<Hlc> {
        let own = ops.iter().filter(|op| self.merges_at_once(op.op().actor()));
        let horizon = horizon.max(own.map(|op| WallMillis(op.op().ts().t())).max());
        let new = ops.iter().map(|op| op.op().ts()).filter(|ts| Some(WallMillis(ts.t())) <= horizon).max();
        self.greatest_due(horizon).max(new)
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier {
            crypto: self.crypto,
            keys: &self.keys,
            signatures: self.signatures,
            space: self.log.space(),
            labels: self.labels,
            index: self.log.index(),
        }
    }

    /// Merges an operation that is in the log, unless it is held.
    pub(super) fn admit(&mut self, seq: OpSeq) -> Option<Merged> {
        let ts = self.log.index().ts(seq);
        // For example when the log is fetched again after the wall clock was set back.
        if self.merges_at_once(self.log.index().actor(seq)) {
            self.advance_horizon(Some(WallMillis(ts.t())));
        }
        let merged = self.state.admit(self.log.index(), seq)?;
        self.clock.observe(ts);
        Some(merged)
    }

    fn outcome(&mut self, inserted: &Inserted) -> Outcome {
        let merged = self.admit(inserted.seq);
        let index = self.log.index();
        let hash_of = |seq| *index.hash(seq);
        let (hash, equivocates_with) = (hash_of(inserted.seq), inserted.equivocates_with.map(hash_of));
        let effect = match merged {
            Some(Merged::Won { over }) => Effect::Won { superseded: over.map(hash_of) },
            Some(Merged::Lost { to }) => Effect::Lost { to: hash_of(to) },
            None => {
                return Outcome::Held { hash, until: self.due_at(index.ts(inserted.seq)), equivocates_with };
            }
        };
        Outcome::Appended { hash, effect, equivocates_with }
    }

    /// Returns the result for a later copy of an operation of the same batch.
    fn repeat_result(&self, batch: &[Incoming<'_>], position: usize, hash: OpHash) -> OpResult {
        match batch.get(position) {
            // The guard refused the first copy. It sees neither signature nor kid, so it would refuse this one too.
            Some(incoming) if !self.log.contains(&hash) => {
                self.verifier().verify(*incoming).and(Err(OpRefusal::Denied))
            }
            _ => Ok(Outcome::Duplicate { hash }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::keys::SigningSecretKey;
    use crate::oplog::INDEX_PANICS;
    use crate::replica::{ReplicaOptions, WriteError};
    use crate::store::StoreError;

    #[test]
    fn a_replica_whose_index_has_panicked_answers_with_errors() {
        let now = WallMillis(1_760_000_000_000);
        let field = ("Task", "t1", "title");
        let key = SigningSecretKey::generate("alice").unwrap();
        let mut replica = Replica::open(ReplicaOptions::new().write_as(key)).unwrap();
        let first = replica.set(now, field, "before").unwrap();
        INDEX_PANICS.set(true);
        let panicked = catch_unwind(AssertUnwindSafe(|| replica.set(now, field, "lost")));
        INDEX_PANICS.set(false);
        assert!(panicked.is_err());
        let poisoned = StoreError::Poisoned;
        let refused = Err(WriteError::Ingest(IngestError::Store(poisoned.clone())));
        assert_eq!(replica.set(now, field, "after"), refused);
        assert_eq!(replica.ingest(now, &first), Err(IngestError::Store(poisoned.clone())));
        assert_eq!(replica.get(field), Err(poisoned.clone()));
        assert_eq!(replica.entity("Task", "t1"), Err(poisoned.clone()));
        assert_eq!(replica.fields("Task", "t1", ""), Err(poisoned.clone()));
        assert_eq!(replica.history(field), Err(poisoned.clone()));
        assert_eq!(replica.explain(field), Err(poisoned.clone()));
        assert_eq!(replica.log().get(&OpHash::of(&replica.crypto, first.as_ref()).unwrap()), Err(poisoned));
    }
}
