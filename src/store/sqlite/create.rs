//! Creating a file: complete, or not at all.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::fault::fault;
use super::place::{beside, len, publish, reserve};
use super::schema;
use super::settings::{self, Links};
use crate::store::StoreError;

/// Creates an empty store at `path`, unless another process has created one meanwhile.
///
/// It is created under another name and then renamed, so that a file at `path` is never empty: a store that was cut to
/// nothing is not taken for a new one.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    match build(path, "-new", |connection| schema::create(connection).map_err(fault)) {
        Err(StoreError::Exists) => Ok(()),
        made => made,
    }
}

/// Creates a database with `fill` beside `path` and gives it that name when it is finished and on the disk.
pub(super) fn build(
    path: &Path,
    suffix: &str,
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let unfinished = reserve(&beside(path, suffix))?;
    // A file that an earlier attempt left there is used again, never removed: another process may be writing it, and
    // then this is `Locked`.
    let mut connection = settings::connect(&unfinished, Links::Refused)?;
    let filled = fill(&mut connection).and_then(|()| match len(path)? {
        Some(_) => Err(StoreError::Exists),
        None => Ok(()),
    });
    if let Err(error) = filled {
        // While the lock is still ours. If it cannot be removed, the next attempt uses it.
        _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    connection.close().map_err(|(_, error)| fault(error))?;
    publish(&unfinished, path)
}
