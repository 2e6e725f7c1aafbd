//! Saving the undamaged operations of a store.

use std::path::Path;

use super::{Durability, Finding, SqliteStore, StoreCheck, place};
use crate::crypto::Sodium;
use crate::store::{OpStore, StoreError, StoredClock};

/// The result of saving a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The count of operations in the new store.
    pub saved: u32,
    /// Everything that is wrong with the old one. An operation with a finding is not in the new store.
    pub lost: Vec<Finding>,
}

impl StoreCheck<'_> {
    /// Writes every operation that verifies into a new store at `to`, in the order of arrival, and reports what is
    /// lost. A [`Cursor`](crate::oplog::Cursor) of the old store is not valid in the new one, which has no seal yet.
    ///
    /// A backup stays a backup: the new file does not open for writing as an actor with operations in the old one. The
    /// same holds if the head of the old store, which says so, cannot be read.
    ///
    /// Operations of the device's own actor may be among those that are lost: it should continue as a new actor.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the old file cannot be read at all or the new one cannot be written;
    /// [`StoreError::Exists`] when there is a file at `to` already. When the disk fails on the way, the new store holds
    /// what was written until then.
    pub fn salvage(&self, crypto: Sodium, to: impl AsRef<Path>) -> Result<Salvaged, StoreError> {
        let to = to.as_ref();
        let in_new = |error: StoreError| error.in_file(to);
        if place::len(to).map_err(in_new)?.is_some() {
            return Err(in_new(StoreError::Exists));
        }
        let create = || {
            let store = SqliteStore::open(to, Durability::Full)?;
            OpStore::open(crypto, Box::new(store), self.space.as_deref(), None)
        };
        // Not before the old one is open: or a file would be left behind where that fails.
        let mut created: Option<OpStore> = None;
        let walked = self.walk(crypto, |ops| match &mut created {
            Some(store) => store.append(ops, StoredClock::default()).map_err(in_new),
            None => {
                let store = created.insert(create().map_err(in_new)?);
                store.append(ops, StoredClock::default()).map_err(in_new)
            }
        });
        let (report, copied) = walked.map_err(|error| error.in_file(self.path()))?;
        let mut store = match created {
            Some(store) => store,
            None => create().map_err(in_new)?,
        };
        store.settle_as(copied).map_err(in_new)?;
        Ok(Salvaged { saved: store.ledger().count(), lost: report.findings })
    }
}
