//! A copy of an open store.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use super::fault::fault;
use super::{create, place};
use crate::store::{SqliteCode, StoreError};

/// Copies everything that is committed into a new file, which is marked as a copy made with `count` operations.
pub(super) fn copy(from: &Connection, to: &Path, count: u32) -> Result<(), StoreError> {
    if place::len(to)?.is_some() {
        return Err(StoreError::Exists);
    }
    create::build(to, "-copy", |copy| {
        match Backup::new(from, copy).and_then(|backup| backup.step(-1)).map_err(fault)? {
            StepResult::Done => {}
            StepResult::Busy | StepResult::Locked => return Err(StoreError::Locked),
            _ => return Err(StoreError::Sqlite(SqliteCode(rusqlite::ffi::SQLITE_ERROR))),
        }
        // The copy is not shared with anybody yet: it needs no second file.
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(fault)?;
        // A copy of a copy stays closed to the actors of both.
        copy.execute("UPDATE meta SET copied = ?1", params![count]).map_err(fault)?;
        Ok(())
    })
}
