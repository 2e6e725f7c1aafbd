//! The tables: what is in the file, and what it looked like in earlier versions.

use rusqlite::{Connection, params};

use super::fault::fault;
use crate::store::{Damage, Place, StoreError};

/// `PoSy`: tells our files from those of other programs (SQLite's header, bytes 68 to 71).
pub(super) const APPLICATION_ID: i32 = 0x506F_5379;

/// The schema version that this library writes (SQLite's header, bytes 60 to 63).
pub(super) const VERSION: i32 = 1;

const META: &str = "CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1), -- 1: there is one row
  space TEXT, -- the space that all operations belong to; NULL for a log without one
  count INTEGER NOT NULL, -- how many operations there are
  seal BLOB, -- keyed digest over all operations; NULL where the log is not sealed
  copied INTEGER -- in a backup: how many operations it had when it was made; else NULL
) STRICT";

const OPS: &str = "CREATE TABLE ops (
  arrival INTEGER PRIMARY KEY, -- number by arrival, from 0 without gaps
  hash BLOB NOT NULL, -- SHA-256 of the signed text, 32 bytes
  op BLOB NOT NULL -- binary form of the operation, signature included
) STRICT";

/// Every table, index, trigger and view: type, name, text.
const EXPECTED: [(&str, &str, &str); 2] = [("table", "meta", META), ("table", "ops", OPS)];

/// What leads from each schema version to the next: number n, counted from 1, from version n to n + 1.
const MIGRATIONS: [&str; 0] = [];

/// Makes a new, empty store of the database, whatever it held.
pub(super) fn create(connection: &mut Connection, space: Option<&str>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch("DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS ops")?;
    for (_, _, text) in EXPECTED {
        transaction.execute_batch(text)?;
    }
    transaction.execute("INSERT INTO meta (one, space, count) VALUES (1, ?1, 0)", params![space])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Whether the database is a store of ours, of this version or an older one, and holds nothing but what we define.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(fault);
    if number("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    match number("user_version")? {
        1..=VERSION => {}
        found if found > VERSION => return Err(StoreError::Newer { found, known: VERSION }),
        _ => return Err(unexpected()),
    }
    compare(connection)
}

/// Compares what is defined in the file with what should be, text by text: a trigger or a view would run with every
/// statement of ours, an index could hide rows from it.
fn compare(connection: &Connection) -> Result<(), StoreError> {
    let definitions = || {
        let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String, String)>>>()
    };
    let found = definitions().map_err(|error| match fault(error) {
        // "malformed database schema".
        StoreError::Corrupt { .. } => unexpected(),
        other => other,
    })?;
    let is_expected = found.len() == EXPECTED.len()
        && found
            .iter()
            .zip(EXPECTED)
            .all(|((kind, name, text), expected)| (kind.as_str(), name.as_str(), text.as_str()) == expected);
    if is_expected { Ok(()) } else { Err(unexpected()) }
}

/// Brings an older database up to this version, all in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let steps = || {
        let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == VERSION {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for step in MIGRATIONS.iter().skip(usize::try_from(found - 1).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    let mut steps = steps;
    steps().map_err(fault)
}

fn unexpected() -> StoreError {
    StoreError::Corrupt { place: Place::Schema, damage: Damage::Unexpected }
}
