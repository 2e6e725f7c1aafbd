//! Reading of fields and entities.

use super::Replica;
use crate::crypto::Hash;
use crate::op::Field;
use crate::state::{Explanation, Page, Version};
use crate::store::StoreError;
use crate::value::Value;

impl Replica {
    /// Returns the value of a field; `None` if it was never set or is deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read it.
    pub fn get<'f>(&self, field: impl Into<Field<'f>>) -> Result<Option<Value>, StoreError> {
        self.log.check_unpoisoned()?;
        self.state.get(&self.log, field.into())
    }

    /// Returns an entity as the canonical text of a JSON object, with paths as member names; `None` if it has no field.
    ///
    /// The result is text, not a [`Value`], because the fields together may be longer and deeper than a value can be.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read a field.
    pub fn entity(&self, entity: &str, entity_id: &str) -> Result<Option<String>, StoreError> {
        self.log.check_unpoisoned()?;
        self.state.entity(&self.log, entity, entity_id)
    }

    /// Returns the ids of the entities of a kind that have at least one field, sorted by their bytes.
    #[must_use]
    pub fn entities(&self, entity: &str) -> Vec<String> {
        self.entities_page(entity, Page::new())
    }

    /// Returns a part of [`entities`](Self::entities): those with a prefix, after an id, up to a number. Takes time
    /// proportional to the number of entities of the kind.
    ///
    /// ```
    /// use policysync::state::Page;
    /// # use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
    /// # let alice = SigningSecretKey::generate("alice")?;
    /// # let mut replica = Replica::open(ReplicaOptions::new().write_as(alice))?;
    /// for id in ["a1", "b1", "b2", "b3"] {
    ///     replica.set(WallMillis(1_760_000_000_000), ("Task", id, "title"), "x")?;
    /// }
    /// let page = Page::new().prefix("b").limit(2);
    /// let first = replica.entities_page("Task", page);
    /// assert_eq!(first, ["b1", "b2"]);
    /// let last = first.last().unwrap();
    /// assert_eq!(replica.entities_page("Task", page.after(last)), ["b3"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn entities_page(&self, entity: &str, page: Page<'_>) -> Vec<String> {
        self.state.entities(&self.log, entity, page)
    }

    /// Returns the number of entities of a kind that have at least one field and whose id begins with `prefix`.
    #[must_use]
    pub fn count_entities(&self, entity: &str, prefix: &str) -> usize {
        self.state.count_entities(&self.log, entity, prefix)
    }

    /// Returns the kinds of entities that have at least one field, sorted by their bytes.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.state.kinds(&self.log)
    }

    /// Returns the fields of an entity whose path is `prefix` or begins with `prefix` and a `/`, sorted by path. An
    /// empty prefix returns all fields.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read one.
    pub fn fields(
        &self,
        entity: &str,
        entity_id: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        self.log.check_unpoisoned()?;
        self.state.fields(&self.log, entity, entity_id, prefix)
    }

    /// Returns every operation on a field: first the held ones, then the merged ones, each from the greatest to the
    /// least. Walks over all held operations.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read one.
    pub fn history<'f>(&self, field: impl Into<Field<'f>>) -> Result<Vec<Version>, StoreError> {
        self.log.check_unpoisoned()?;
        self.state.history(&self.log, field.into())
    }

    /// Returns the operation that won a field, the one that it won over, and the rule that decided; `None` if no
    /// operation on the field is merged.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read one.
    pub fn explain<'f>(&self, field: impl Into<Field<'f>>) -> Result<Option<Explanation>, StoreError> {
        self.log.check_unpoisoned()?;
        self.state.explain(&self.log, field.into())
    }

    /// Returns a digest of the merged state: equal states have equal digests. Replicas with the same operations have
    /// equal states once the same of them are due. [`OpLog::digest`](crate::OpLog::digest) covers all operations in the
    /// log, due or not.
    #[must_use]
    pub fn state_digest(&self) -> Hash {
        self.state.digest(self.crypto, &self.log)
    }
}
