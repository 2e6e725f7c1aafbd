//! The merge: the state of a register is the greatest operation on it that is due.

use crate::hlc::{Hlc, WallMillis};
use crate::op::OpSeq;
use crate::oplog::{Index, RegisterId};
use crate::packed::{Bits, PackedOption, Paged};

/// The merged state of a log: for every register the operation that won.
///
/// It is a function of the operations that are due, those with a time up to the horizon; never of their arrival.
pub(crate) struct State {
    /// For each register, its greatest operation.
    winners: Paged<PackedOption<OpSeq>, RegisterId>,
    /// For each operation, the next in the list of its register, which begins at the winner.
    next: Paged<PackedOption<OpSeq>, OpSeq>,
    /// Operations with a later time are held. It never goes back: what was merged stays merged.
    horizon: Option<WallMillis>,
    /// Registers that have changed since somebody asked, each once.
    pub(super) changed: Vec<RegisterId>,
    is_changed: Bits<RegisterId>,
}

/// What an operation did to its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is the greatest now; before, this one was.
    Won { over: Option<OpSeq> },
    /// Another is greater.
    Lost { to: OpSeq },
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            winners: Paged::new(),
            next: Paged::new(),
            horizon: None,
            changed: Vec::new(),
            is_changed: Bits::new(),
        }
    }

    /// The state of a log from scratch, and the greatest operation that is merged. Nothing counts as changed.
    pub(crate) fn restored(index: &Index, horizon: WallMillis) -> (Self, Option<OpSeq>) {
        let mut state = Self::new();
        for seq in index.seqs() {
            state.admit(index, seq);
        }
        let greatest = state.advance(index, horizon);
        state.take_changed();
        (state, greatest)
    }

    /// The time up to which operations are merged; `None` before any was asked for.
    pub(crate) fn horizon(&self) -> Option<WallMillis> {
        self.horizon
    }

    /// Takes the next operation of the log, in the order of arrival: merges it when it is due, otherwise holds it and
    /// returns `None`.
    pub(crate) fn admit(&mut self, index: &Index, seq: OpSeq) -> Option<Effect> {
        self.next.push(PackedOption::none());
        self.is_due(index.ts(seq)).then(|| self.merge(index, seq))
    }

    fn is_due(&self, ts: Hlc) -> bool {
        self.horizon.is_some_and(|horizon| ts.t() <= horizon.0)
    }

    /// Moves the horizon on and merges what has become due, in order. Returns the greatest of those operations.
    pub(crate) fn advance(&mut self, index: &Index, horizon: WallMillis) -> Option<OpSeq> {
        let due: Vec<OpSeq> = self.due(index, horizon).collect();
        self.horizon = self.horizon.max(Some(horizon));
        for seq in &due {
            self.merge(index, *seq);
        }
        due.last().copied()
    }

    /// The operations that would become due with this horizon, in order.
    pub(crate) fn due<'a>(
        &self,
        index: &'a Index,
        horizon: WallMillis,
    ) -> impl Iterator<Item = OpSeq> + use<'a> {
        // What the log has just taken is not admitted here yet.
        let known = self.next.end();
        self.held(index)
            .take_while(move |seq| index.ts(*seq).t() <= horizon.0)
            .filter(move |seq| *seq < known)
    }

    /// The operations that are not due yet, in order: the tail of the order.
    pub(crate) fn held<'a>(&self, index: &'a Index) -> impl Iterator<Item = OpSeq> + use<'a> {
        let first = match self.horizon {
            None => Some(Hlc::MIN),
            Some(horizon) => Hlc::new(horizon.0.saturating_add(1), 0).ok(),
        };
        first.into_iter().flat_map(|first| index.since_ts(first))
    }

    fn merge(&mut self, index: &Index, seq: OpSeq) -> Effect {
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
            return Effect::Lost { to: winner };
        }
        *self.next.get_mut(seq) = over;
        *self.winners.get_mut(register) = seq.into();
        if self.is_changed.insert(register) {
            self.changed.push(register);
        }
        Effect::Won { over: over.get() }
    }

    pub(super) fn take_changed(&mut self) -> Vec<RegisterId> {
        let changed = std::mem::take(&mut self.changed);
        for register in &changed {
            self.is_changed.remove(*register);
        }
        changed
    }

    /// The greatest operation on a register.
    pub(super) fn winner(&self, register: RegisterId) -> Option<OpSeq> {
        if register >= self.winners.end() {
            return None;
        }
        self.winners.get(register).get()
    }

    /// All merged operations on a register, the winner first, the others in no order.
    pub(super) fn merged(&self, register: RegisterId) -> impl Iterator<Item = OpSeq> + '_ {
        std::iter::successors(self.winner(register), |seq| self.next.get(*seq).get())
    }
}
