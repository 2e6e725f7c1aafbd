//! The horizon of a replica: the time up to which operations are merged.

use super::Replica;
use crate::hlc::{Hlc, WallMillis};
use crate::state::Change;

impl Replica {
    /// The time up to which operations are merged; later operations are held. `None` before the first call that passes
    /// the time. It never goes back: a merged operation stays merged.
    #[must_use]
    pub fn horizon(&self) -> Option<WallMillis> {
        self.state.horizon()
    }

    /// Merges the held operations that are due by `now`. Returns the fields that have another winner than at the last
    /// call, each once, in the order in which they first changed. A wall clock out of range releases nothing.
    ///
    /// A merged operation stays merged, even if the wall clock was ahead when it was released.
    pub fn poll(&mut self, now: WallMillis) -> Vec<Change> {
        if now <= WallMillis::MAX {
            self.advance_horizon(self.horizon_at(now));
        }
        self.state.take_changes(&self.log)
    }

    /// Returns true if [`Replica::poll`] has changes to return, apart from operations that have become due since.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.state.has_changes()
    }

    /// Returns the number of operations that are held because their timestamps are too far ahead. Walks over them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.state.held(self.log.index()).count()
    }

    /// Returns the wall-clock time at which [`Replica::poll`] merges the first held operation; `None` if no operation
    /// is held.
    #[must_use]
    pub fn next_due(&self) -> Option<WallMillis> {
        let first = self.state.held(self.log.index()).next()?;
        Some(self.due_at(self.log.index().ts(first)))
    }

    /// Returns the time up to which operations are merged when the wall clock is at `now`.
    pub(super) fn horizon_at(&self, now: WallMillis) -> WallMillis {
        let horizon = now.saturating_add(self.max_drift);
        // Merged operations stay merged, even if the wall clock goes back.
        self.clock.last().map_or(horizon, |last| horizon.max(WallMillis(last.t())))
    }

    /// Returns the wall-clock time at which an operation with this timestamp becomes due.
    pub(super) fn due_at(&self, ts: Hlc) -> WallMillis {
        WallMillis(ts.t().saturating_sub(self.max_drift.0))
    }

    /// Moves the horizon forward to this time and merges the held operations up to it.
    pub(super) fn advance_horizon(&mut self, horizon: WallMillis) {
        if let Some(greatest) = self.state.advance(self.log.index(), horizon) {
            self.clock.observe(self.log.index().ts(greatest));
        }
    }
}
