//! Reading, and what has changed since.

use super::Replica;
use crate::crypto::Hash;
use crate::hlc::WallMillis;
use crate::state::{Change, Explanation, Version};
use crate::store::StoreError;
use crate::value::Value;

impl Replica {
    /// The value of a field, or `None` where it was never set or is deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot read it.
    pub fn get(&self, entity: &str, entity_id: &str, path: &str) -> Result<Option<Value>, StoreError> {
        self.state.get(&self.log, entity, entity_id, path)
    }

    /// An entity as the canonical text of a JSON object, paths as member names; `None` where it has no field.
    ///
    /// Text, not a [`Value`]: many fields together may be longer and deeper than the value of one operation.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot read a field.
    pub fn entity(&self, entity: &str, entity_id: &str) -> Result<Option<String>, StoreError> {
        self.state.entity(&self.log, entity, entity_id)
    }

    /// The ids of the entities of a kind that have at least one field, sorted by their bytes.
    #[must_use]
    pub fn entities(&self, entity: &str) -> Vec<String> {
        self.state.entities(&self.log, entity)
    }

    /// The fields of an entity whose path is `prefix` or begins with `prefix` and a `/`, sorted by path; all fields for
    /// an empty prefix.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot read one.
    pub fn fields(
        &self,
        entity: &str,
        entity_id: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        self.state.fields(&self.log, entity, entity_id, prefix)
    }

    /// Every operation on a field: those held and then those merged, each from the greatest down. Costs a walk over all
    /// that is held.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot read one.
    pub fn history(&self, entity: &str, entity_id: &str, path: &str) -> Result<Vec<Version>, StoreError> {
        self.state.history(&self.log, entity, entity_id, path)
    }

    /// Which operation won a field, over which, and by what rule.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot read one.
    pub fn explain(
        &self,
        entity: &str,
        entity_id: &str,
        path: &str,
    ) -> Result<Option<Explanation>, StoreError> {
        self.state.explain(&self.log, entity, entity_id, path)
    }

    /// Equal states have equal digests. Replicas with the same operations have equal states once the same of them are
    /// due. What the log holds, due or not, has a digest of its own: [`OpLog::digest`](crate::OpLog::digest).
    #[must_use]
    pub fn state_digest(&self) -> Hash {
        self.state.digest(self.crypto, &self.log)
    }

    /// Merges what was held and has become due by `now`, and returns the fields that have another winner than at the
    /// last call, each once, in the order in which they first changed. A wall clock out of range releases nothing.
    ///
    /// What is merged stays merged: a wall clock that was wrongly ahead, once, has let in what was up to so far ahead.
    pub fn poll(&mut self, now: WallMillis) -> Vec<Change> {
        if now <= WallMillis::MAX {
            self.release_until(self.horizon_at(now));
        }
        self.state.take_changes(&self.log)
    }

    /// Whether [`Replica::poll`] has changes to hand out, without what has become due since the last call.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.state.has_changes()
    }

    /// Copies the replica's file, while it is open, into a new one; for use as a backup. The copy is marked: who opens
    /// it cannot write into it as an actor whose operations are in it
    /// ([`OpenError::RestoredBackup`](crate::OpenError)), because that actor may have written more since, and would use
    /// the same timestamps again.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoFile`] for a replica that was not opened with a path, [`StoreError::Exists`] when there is a file already, others
    /// when the disk fails; then there is no copy, unless only making its name durable failed.
    pub fn back_up(&self, path: impl AsRef<std::path::Path>) -> Result<(), StoreError> {
        self.log.copy_to(path.as_ref())
    }

    /// How many operations are held because their timestamp is too far ahead. Costs a walk over them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.state.held(self.log.index()).count()
    }

    /// When the wall clock says this, [`Replica::poll`] merges the first of the operations that are held; `None` where
    /// none is.
    #[must_use]
    pub fn next_due(&self) -> Option<WallMillis> {
        let first = self.state.held(self.log.index()).next()?;
        Some(self.due_at(self.log.index().ts(first)))
    }
}
