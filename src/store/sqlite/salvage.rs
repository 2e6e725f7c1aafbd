//! What is left of a damaged store, in a new one.

use std::path::Path;

use super::{Finding, Settings, SqliteStore, StoreCheck, place};
use crate::crypto::Sodium;
use crate::store::{Durability, Store as _, StoreError};

/// What came of saving a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// How many operations are in the new store.
    pub saved: u32,
    /// Everything that was wrong. What is found at an operation is the reason why it is not in the new store.
    pub lost: Vec<Finding>,
}

impl StoreCheck<'_> {
    /// Writes every operation that verifies into a new store at `to`, in the order of arrival, and says what is lost.
    /// Positions in the old store ([`Cursor`](crate::oplog::Cursor)) mean nothing in the new one.
    /// It has no seal yet.
    ///
    /// What was lost may be operations of the device's own actor: it should go on as a new one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read at all, or the new one not be written; [`StoreError::Exists`] when
    /// there is a file at `to` already. When the disk fails on the way, the new store holds what was written until
    /// then.
    pub fn salvage(&self, crypto: Sodium, to: impl AsRef<Path>) -> Result<Salvaged, StoreError> {
        let to = to.as_ref();
        if place::len(to)?.is_some() {
            return Err(StoreError::Exists);
        }
        let create = || {
            let settings = Settings {
                space: self.space_name().map(Into::into),
                durability: Durability::Full,
                seal_key: None,
            };
            SqliteStore::open(crypto, to, settings)
        };
        // Not before the old one is open: or a file would be left behind where that fails.
        let mut created: Option<SqliteStore> = None;
        let report = self.walk(crypto, |ops| match &mut created {
            Some(store) => store.append(ops),
            None => created.insert(create()?).append(ops),
        })?;
        let store = match created {
            Some(store) => store,
            None => create()?,
        };
        Ok(Salvaged { saved: store.count(), lost: report.findings })
    }
}
