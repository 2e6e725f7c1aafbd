//! Copying an open store.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::fault::fault;
use super::{create, place};
use crate::store::{Cause, StoreError};

/// Copies everything that is committed into a new file, which gets this head.
pub(super) fn copy(from: &Connection, to: &Path, head: &[u8]) -> Result<(), StoreError> {
    if place::len(to)?.is_some() {
        return Err(StoreError::Exists);
    }
    create::build(to, "-copy", |copy| {
        match Backup::new(from, copy).and_then(|backup| backup.step(-1)).map_err(fault)? {
            StepResult::Done => {}
            StepResult::Busy | StepResult::Locked => return Err(StoreError::Locked),
            _ => return Err(StoreError::Other(Cause::new("SQLite has not finished the copy", None))),
        }
        // The copy is not shared with anybody yet, so it needs no second file.
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(fault)?;
        copy.execute("UPDATE head SET bytes = ?1", [head]).map_err(fault)?;
        Ok(())
    })
}
