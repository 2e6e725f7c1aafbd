//! The tables of the file.

use rusqlite::Connection;

use super::fault::fault;
use super::v1;
use crate::store::{Place, StoreError};

/// `PoSy`: tells our files from those of other programs (SQLite's header, bytes 68 to 71).
pub(super) const APPLICATION_ID: i32 = 0x506F_5379;

/// The schema version that this library writes (SQLite's header, bytes 60 to 63).
pub(super) const VERSION: i32 = 2;

const HEAD: &str = "CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1), -- 1: there is one row
  bytes BLOB -- describes the log; NULL for a new one
) STRICT";

const RECORDS: &str = "CREATE TABLE records (
  first INTEGER PRIMARY KEY, -- number of the first operation, from 0, without gaps
  count INTEGER NOT NULL, -- operations in the record
  bytes BLOB NOT NULL -- the operations
) STRICT";

const NOTES: &str = "CREATE TABLE notes (
  part INTEGER PRIMARY KEY, -- number of the part, from 0
  bytes BLOB NOT NULL -- what is remembered of peers; may be lost
) STRICT";

/// A table, index, trigger or view: type, name, text.
type Definition = (&'static str, &'static str, &'static str);

const EXPECTED: [Definition; 3] =
    [("table", "head", HEAD), ("table", "notes", NOTES), ("table", "records", RECORDS)];

/// Creates a new, empty store in the database, whatever it held.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "DROP TABLE IF EXISTS head; DROP TABLE IF EXISTS notes; DROP TABLE IF EXISTS records",
    )?;
    for (_, _, definition) in EXPECTED {
        transaction.execute_batch(definition)?;
    }
    transaction.execute("INSERT INTO head (one) VALUES (1)", [])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Returns the version of the store, after checking that the database is one of this library.
pub(super) fn version(connection: &Connection) -> Result<i32, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(fault);
    if number("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    match number("user_version")? {
        found @ 1..=VERSION => Ok(found),
        found if found > VERSION => Err(StoreError::Newer { found, known: VERSION }),
        _ => Err(StoreError::unexpected(Place::Schema)),
    }
}

/// Compares what is defined in the file with the definitions of its version, text by text: a trigger or a view would
/// run with every statement of ours, an index could hide rows from it.
pub(super) fn check(connection: &Connection, version: i32) -> Result<(), StoreError> {
    let expected: &[Definition] = if version == VERSION { &EXPECTED } else { &v1::EXPECTED };
    let definitions = || {
        let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String, String)>>>()
    };
    let found = definitions().map_err(|error| match fault(error) {
        // "malformed database schema".
        StoreError::Corrupt { .. } => StoreError::unexpected(Place::Schema),
        other => other,
    })?;
    let found = found.iter().map(|(kind, name, text)| (kind.as_str(), name.as_str(), text.as_str()));
    if found.eq(expected.iter().copied()) { Ok(()) } else { Err(StoreError::unexpected(Place::Schema)) }
}

/// Converts a store of an older version, in one transaction. The pages that this frees are used for later operations.
pub(super) fn migrate(connection: &mut Connection, version: i32) -> Result<(), StoreError> {
    if version == VERSION {
        return Ok(());
    }
    let head = v1::head(connection)?;
    let convert = || {
        let transaction = connection.transaction()?;
        transaction.execute_batch(HEAD)?;
        transaction.execute_batch(NOTES)?;
        transaction.execute("INSERT INTO head (one, bytes) VALUES (1, ?1)", [head])?;
        transaction.execute_batch(RECORDS)?;
        transaction.execute_batch(&format!("INSERT INTO records {}", v1::RECORDS))?;
        transaction.execute_batch("DROP TABLE meta; DROP TABLE ops")?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    convert().map_err(fault)
}
