//! The registers that differ between two states of one log.

use std::collections::BTreeSet;

use super::State;
use super::merge::{first_after, is_due};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::{Index, RegisterId};

impl State {
    /// Returns the registers that had another winner in an earlier state: in that of the operations before `end` with a
    /// time up to `horizon`. Each register is returned once.
    ///
    /// The work is proportional to the operations that were appended since or whose time lies between the horizons.
    pub(crate) fn changed_since(
        &self,
        index: &Index,
        end: OpSeq,
        horizon: Option<WallMillis>,
    ) -> Vec<RegisterId> {
        let was_merged = |seq: OpSeq| seq < end && is_due(index.ts(seq), horizon);
        // The operations of then that only one of the two states has merged.
        let went_back = self.horizon() < horizon;
        let (low, high) = if went_back { (self.horizon(), horizon) } else { (horizon, self.horizon()) };
        let moved = first_after(low).into_iter().flat_map(|first| index.since_ts(first));
        let moved = moved.take_while(|seq| is_due(index.ts(*seq), high)).filter(|seq| *seq < end);
        let is_new = |register: RegisterId| self.winner(register).is_some_and(|winner| !was_merged(winner));
        let mut seen = BTreeSet::new();
        let mut changed = Vec::new();
        for (seq, is_gone) in
            moved.map(|seq| (seq, went_back)).chain(end.until(index.end()).map(|seq| (seq, false)))
        {
            let register = index.register(seq);
            // An operation that is held again was greater than all that are merged now.
            if (is_gone || is_new(register)) && seen.insert(register) {
                changed.push(register);
            }
        }
        changed
    }
}
