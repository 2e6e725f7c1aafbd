//! The merge: the state of a register is the greatest operation on it that is due.

use crate::hlc::{Hlc, WallMillis};
use crate::oplog::{Index, NONE, RegisterId};
use crate::packed::{Bits, Paged};

/// The merged state of a log: for every register the operation that won.
///
/// It is a function of the operations that are due, those with a time up to the horizon; never of their arrival.
pub(crate) struct State {
    /// For each register, its greatest operation.
    winners: Paged<u32>,
    /// For each operation, the next in the list of its register, which begins at the winner.
    next: Paged<u32>,
    /// Operations with a later time are held. It never goes back: what was merged stays merged.
    horizon: Option<WallMillis>,
    /// Registers that have changed since somebody asked, each once.
    pub(super) changed: Vec<RegisterId>,
    is_changed: Bits,
}

/// The effect of merging an operation on its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The operation is the greatest; `over` was the greatest before it.
    Won { over: Option<u32> },
    /// The operation `to` is greater.
    Lost { to: u32 },
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
    #[cfg(feature = "sqlite")]
    pub(crate) fn restored(index: &Index, horizon: WallMillis) -> (Self, Option<u32>) {
        let mut state = Self::new();
        for arrival in 0..index.len() {
            state.admit(index, arrival);
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
    pub(crate) fn admit(&mut self, index: &Index, arrival: u32) -> Option<Merged> {
        self.next.push(NONE);
        self.is_due(index.ts(arrival)).then(|| self.merge(index, arrival))
    }

    fn is_due(&self, ts: Hlc) -> bool {
        self.horizon.is_some_and(|horizon| ts.t() <= horizon.0)
    }

    /// Moves the horizon on and merges what has become due, in order. Returns the greatest of those operations.
    pub(crate) fn advance(&mut self, index: &Index, horizon: WallMillis) -> Option<u32> {
        let due: Vec<u32> = self.due(index, horizon).collect();
        self.horizon = self.horizon.max(Some(horizon));
        for arrival in &due {
            self.merge(index, *arrival);
        }
        due.last().copied()
    }

    /// The operations that would become due with this horizon, in order.
    pub(crate) fn due<'a>(
        &self,
        index: &'a Index,
        horizon: WallMillis,
    ) -> impl Iterator<Item = u32> + use<'a> {
        // What the log has just taken is not admitted here yet.
        let known = self.next.len();
        self.held(index)
            .take_while(move |arrival| index.ts(*arrival).t() <= horizon.0)
            .filter(move |arrival| *arrival < known)
    }

    /// The operations that are not due yet, in order: the tail of the order.
    pub(crate) fn held<'a>(&self, index: &'a Index) -> impl Iterator<Item = u32> + use<'a> {
        let first = match self.horizon {
            None => Some(Hlc::MIN),
            Some(horizon) => Hlc::new(horizon.0.saturating_add(1), 0).ok(),
        };
        first.into_iter().flat_map(|first| index.since_ts(first))
    }

    fn merge(&mut self, index: &Index, arrival: u32) -> Merged {
        let register = index.register(arrival);
        while self.winners.len() <= register.0 {
            self.winners.push(NONE);
        }
        let winner = *self.winners.get(register.0);
        if winner != NONE && index.compare(arrival, winner).is_lt() {
            let after = std::mem::replace(self.next.get_mut(winner), arrival);
            *self.next.get_mut(arrival) = after;
            return Merged::Lost { to: winner };
        }
        *self.next.get_mut(arrival) = winner;
        *self.winners.get_mut(register.0) = arrival;
        if self.is_changed.insert(register.0) {
            self.changed.push(register);
        }
        Merged::Won { over: (winner != NONE).then_some(winner) }
    }

    pub(super) fn take_changed(&mut self) -> Vec<RegisterId> {
        let changed = std::mem::take(&mut self.changed);
        for register in &changed {
            self.is_changed.remove(register.0);
        }
        changed
    }

    /// The greatest operation on a register.
    pub(super) fn winner(&self, register: RegisterId) -> Option<u32> {
        if register.0 >= self.winners.len() {
            return None;
        }
        Some(*self.winners.get(register.0)).filter(|winner| *winner != NONE)
    }

    /// All merged operations on a register, the winner first, the others in no order.
    pub(super) fn merged(&self, register: RegisterId) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.winner(register), |arrival| {
            Some(*self.next.get(*arrival)).filter(|next| *next != NONE)
        })
    }
}
