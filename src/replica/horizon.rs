//! The horizon of a replica: the time up to which operations are merged.

use super::{IngestError, Replica, WriteError};
use crate::hlc::{Clock, Hlc, HlcError, WallMillis};
use crate::state::Change;
use crate::store::{StoreError, StoredClock};

impl Replica {
    /// The time up to which operations are merged; later operations are held. `None` before the first call that passes
    /// the time. Only [`Replica::reset_clock`] moves it back: a merged operation stays merged, also when the replica is
    /// closed and opened again.
    #[must_use]
    pub fn horizon(&self) -> Option<WallMillis> {
        self.state.horizon()
    }

    /// Merges the held operations that are due by `now`. Returns the fields that have another winner than at the last
    /// call, each once, in the order in which they first changed. A wall clock that is not
    /// [believed](WallMillis::BELIEVED) releases nothing.
    ///
    /// A merged operation stays merged, even if the wall clock was ahead when it was released, and even after closing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot keep the new horizon: nothing is released, and the next call returns the
    /// changes. With [`StoreError::Conflict`], call [`Replica::catch_up`] first.
    pub fn poll(&mut self, now: WallMillis) -> Result<Vec<Change>, StoreError> {
        self.merge_due(now)?;
        Ok(self.state.take_changes(&self.log))
    }

    /// Merges the held operations that are due by `now`. The next [`Replica::poll`] returns the changes.
    pub(crate) fn merge_due(&mut self, now: WallMillis) -> Result<(), StoreError> {
        self.note_clock(now);
        let horizon = self.horizon_at(now);
        // Nothing is written where the stored state is the same.
        let clock = self.stored_clock_with(self.greatest_due(horizon));
        self.log.keep_clock(clock)?;
        self.advance_horizon(horizon);
        Ok(())
    }

    /// Returns how far the next write would be stamped ahead of the wall clock, if that is more than
    /// [`max_drift`](crate::ReplicaOptions::max_drift): writes end with [`WriteError::ClockAhead`] until that time has
    /// passed, or [`Replica::reset_clock`] is called. Otherwise returns `None`.
    #[must_use]
    pub fn clock_ahead(&self, now: WallMillis) -> Option<WallMillis> {
        // The timestamp of the next write.
        match self.clock_reading(now).and_then(|reading| self.timestamp_after(None, reading)) {
            Err(WriteError::ClockAhead { by, .. }) => Some(by),
            _ => None,
        }
    }

    /// Returns the wall-clock time of the last call that passed one, if it was not [believed](WallMillis::BELIEVED).
    /// Then the horizon has not moved, and a write was stamped right after the greatest merged operation.
    #[must_use]
    pub fn doubted_clock(&self) -> Option<WallMillis> {
        self.doubted
    }

    /// Declares that `now` is right and that an earlier wall clock was ahead. Operations that are too far ahead of
    /// `now` are held again until they are due, as on other replicas, those of this replica's actor included. Writing
    /// works at once, and no timestamp is used twice. The next [`Replica::poll`] returns the fields whose winner
    /// changes.
    ///
    /// Call it when [`Replica::clock_ahead`] reports a time that is not worth waiting for and the wall clock has been
    /// set right. It is kept in the store. Takes time proportional to the log.
    ///
    /// # Errors
    ///
    /// [`WriteError::Clock`] if `now` is not [believed](WallMillis::BELIEVED), [`WriteError::Ingest`] if the store
    /// fails; the replica is unchanged.
    pub fn reset_clock(&mut self, now: WallMillis) -> Result<(), WriteError> {
        let horizon = self.believed_horizon(now).ok_or(HlcError::Doubtful { now })?;
        let index = self.log.index();
        let stays = index.in_order().rev().map(|seq| WallMillis(index.ts(seq).t())).find(|t| *t <= horizon);
        let clock = StoredClock { horizon: stays, was_reset: true };
        self.log.keep_clock(clock).map_err(IngestError::from)?;
        self.note_clock(now);
        self.clock_was_reset = true;
        self.hold_after(horizon);
        Ok(())
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

    /// Returns the time up to which operations are merged when the wall clock is at `now`. Merged operations stay
    /// merged, even if the wall clock goes back.
    pub(super) fn horizon_at(&self, now: WallMillis) -> Option<WallMillis> {
        self.believed_horizon(now).max(self.state.horizon())
    }

    /// Returns the time that operations may have when the wall clock is at `now`; `None` if that is not believed.
    pub(super) fn believed_horizon(&self, now: WallMillis) -> Option<WallMillis> {
        now.is_believable().then(|| now.saturating_add(self.max_drift))
    }

    /// Returns true if operations of this actor are merged at once, however far they are ahead: the replica must not
    /// write before what its own actor has written, unless that was under a wrong clock.
    pub(super) fn merges_at_once(&self, actor: &str) -> bool {
        !self.clock_was_reset && self.actor() == Some(actor)
    }

    /// Notes the wall clock of a call, to report it if it is not believed.
    pub(super) fn note_clock(&mut self, now: WallMillis) {
        self.doubted = Some(now).filter(|now| !now.is_believable());
    }

    /// Returns the wall-clock time at which an operation with this timestamp becomes due.
    pub(super) fn due_at(&self, ts: Hlc) -> WallMillis {
        WallMillis(ts.t().saturating_sub(self.max_drift.0))
    }

    /// Returns the state of the clock that must survive closing.
    pub(super) fn stored_clock(&self) -> StoredClock {
        self.stored_clock_with(None)
    }

    /// Returns that state after merging an operation with this timestamp.
    pub(super) fn stored_clock_with(&self, merged: Option<Hlc>) -> StoredClock {
        let greatest = self.clock.last().max(merged);
        StoredClock { horizon: greatest.map(|ts| WallMillis(ts.t())), was_reset: self.clock_was_reset }
    }

    /// Returns the greatest timestamp of the held operations that a horizon releases.
    pub(super) fn greatest_due(&self, horizon: Option<WallMillis>) -> Option<Hlc> {
        let index = self.log.index();
        self.state.due(index, horizon?).last().map(|greatest| index.ts(greatest))
    }

    /// Moves the horizon forward to this time and merges the held operations up to it.
    pub(super) fn advance_horizon(&mut self, horizon: Option<WallMillis>) {
        let index = self.log.index();
        if let Some(greatest) = horizon.and_then(|horizon| self.state.advance(index, horizon)) {
            self.clock.observe(index.ts(greatest));
        }
    }

    /// Moves the horizon back to this time and holds the later operations again.
    pub(super) fn hold_after(&mut self, horizon: WallMillis) {
        let index = self.log.index();
        let greatest = self.state.compute_again(index, Some(horizon));
        self.clock = greatest.map_or_else(Clock::new, |greatest| Clock::starting_after(index.ts(greatest)));
    }
}
