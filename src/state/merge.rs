//! The merge: the greatest due operation on a register is its state.

use crate::hlc::{Hlc, WallMillis};
use crate::op::OpSeq;
use crate::oplog::{Index, RegisterId};
use crate::packed::{BitSet, ChunkedVec, PackedOption};

/// The merged state of a log: the winning operation of every register.
///
/// It is a function of the due operations, those with a time up to the horizon. It does not depend on their arrival.
#[derive(Default)]
pub(crate) struct State {
    /// The greatest operation of each register.
    winners: ChunkedVec<PackedOption<OpSeq>, RegisterId>,
    /// The next operation in the list of the same register, which begins at the winner.
    next: ChunkedVec<PackedOption<OpSeq>, OpSeq>,
    /// Operations with a later time are held. Only [`State::compute_again`] moves it back: a merged operation stays
    /// merged.
    horizon: Option<WallMillis>,
    /// Registers that have changed since [`State::take_changed`], each once.
    pub(super) changed: Vec<RegisterId>,
    is_changed: BitSet<RegisterId>,
}

/// The effect of merging an operation on its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The operation is the greatest; `over` was the greatest before it.
    Won { over: Option<OpSeq> },
    /// The operation `to` is greater.
    Lost { to: OpSeq },
}

impl State {
    /// Computes the state of a log, and the greatest merged operation. No register counts as changed.
    pub(crate) fn restored(index: &Index, horizon: Option<WallMillis>) -> (Self, Option<OpSeq>) {
        let mut state = Self::default();
        for seq in index.seqs() {
            state.admit(index, seq);
        }
        let greatest = horizon.and_then(|horizon| state.advance(index, horizon));
        state.take_changed();
        (state, greatest)
    }

    /// Computes the state again after operations were removed from the end of the log, or for an earlier horizon, after
    /// which operations are held again. The registers with another winner, or none, count as changed. Returns the
    /// greatest operation that stays merged.
    pub(crate) fn compute_again(&mut self, index: &Index, horizon: Option<WallMillis>) -> Option<OpSeq> {
        let (mut state, greatest) = Self::restored(index, horizon);
        let is_other = |register: &RegisterId| self.winner(*register) != state.winner(*register);
        let others: Vec<RegisterId> = index.registers().all().filter(is_other).collect();
        for register in self.changed.iter().copied().chain(others) {
            if state.is_changed.insert(register) {
                state.changed.push(register);
            }
        }
        *self = state;
        greatest
    }

    /// Returns the time up to which operations are merged, or `None` before the first [`State::advance`].
    pub(crate) fn horizon(&self) -> Option<WallMillis> {
        self.horizon
    }

    /// Adds the next operation of the log, in the order of arrival. Merges it if it is due; otherwise holds it and
    /// returns `None`.
    pub(crate) fn admit(&mut self, index: &Index, seq: OpSeq) -> Option<Merged> {
        self.next.push(PackedOption::none());
        is_due(index.ts(seq), self.horizon).then(|| self.merge(index, seq))
    }

    /// Advances the horizon and merges the operations that become due, in order. Returns the greatest of them.
    pub(crate) fn advance(&mut self, index: &Index, horizon: WallMillis) -> Option<OpSeq> {
        let due: Vec<OpSeq> = self.due(index, horizon).collect();
        self.horizon = self.horizon.max(Some(horizon));
        for seq in &due {
            self.merge(index, *seq);
        }
        due.last().copied()
    }

    /// Returns the operations that would become due with this horizon, in order.
    pub(crate) fn due<'a>(
        &self,
        index: &'a Index,
        horizon: WallMillis,
    ) -> impl Iterator<Item = OpSeq> + use<'a> {
        // The log may contain new operations that are not admitted here yet.
        let known = self.next.end();
        self.held(index)
            .take_while(move |seq| index.ts(*seq).t() <= horizon.0)
            .filter(move |seq| *seq < known)
    }

    /// Returns the operations that are not due yet: the end of the total order.
    pub(crate) fn held<'a>(&self, index: &'a Index) -> impl Iterator<Item = OpSeq> + use<'a> {
        let first = first_after(self.horizon);
        first.into_iter().flat_map(|first| index.since_ts(first))
    }

    fn merge(&mut self, index: &Index, seq: OpSeq) -> Merged {
        let register = index.register(seq);
        while self.winners.end() <= register {
            self.winners.push(PackedOption::none());
        }
        let over = *self.winners.get(register);
        if let Some(winner) = over.get()
            && index.compare(seq, winner).is_lt()
        {
            let after = std::mem::replace(self.next.get_mut(winner), seq.into());
            *self.next.get_mut(seq) = after;
            return Merged::Lost { to: winner };
        }
        *self.next.get_mut(seq) = over;
        *self.winners.get_mut(register) = seq.into();
        if self.is_changed.insert(register) {
            self.changed.push(register);
        }
        Merged::Won { over: over.get() }
    }

    pub(super) fn take_changed(&mut self) -> Vec<RegisterId> {
        let changed = std::mem::take(&mut self.changed);
        for register in &changed {
            self.is_changed.remove(*register);
        }
        changed
    }

    /// Returns the greatest operation on a register.
    pub(crate) fn winner(&self, register: RegisterId) -> Option<OpSeq> {
        if register >= self.winners.end() {
            return None;
        }
        self.winners.get(register).get()
    }

    /// Returns all merged operations on a register: the winner first, the others unordered.
    pub(super) fn merged(&self, register: RegisterId) -> impl Iterator<Item = OpSeq> + '_ {
        std::iter::successors(self.winner(register), |seq| self.next.get(*seq).get())
    }
}

/// Returns the first timestamp after a horizon, if there is one.
pub(super) fn first_after(horizon: Option<WallMillis>) -> Option<Hlc> {
    horizon.map_or(Some(Hlc::MIN), |horizon| Hlc::new(horizon.0.saturating_add(1), 0).ok())
}

pub(super) fn is_due(ts: Hlc, horizon: Option<WallMillis>) -> bool {
    horizon.is_some_and(|horizon| ts.t() <= horizon.0)
}
