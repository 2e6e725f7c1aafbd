//! The tables of version 0.1.0.

use rusqlite::Connection;

use super::fault::fault;
use crate::store::head::Head;
use crate::store::{Place, Seal, StoreError};

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

pub(super) const EXPECTED: [(&str, &str, &str); 2] = [("table", "meta", META), ("table", "ops", OPS)];

/// Selects the rows of today's table `records`.
pub(super) const RECORDS: &str =
    "SELECT arrival AS first, 1 AS count, CAST(hash || op AS BLOB) AS bytes FROM main.ops ORDER BY arrival";

/// Lets the statements of today read the rows, without changing the file.
pub(super) fn show_records(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(&format!("CREATE TEMP VIEW records AS {RECORDS}")).map_err(fault)
}

/// The columns of the description, and the number of its row.
type Members = (Option<String>, u32, Option<Seal>, Option<u32>, i64);

/// Reads the description, which must be the only one, as a head of today.
pub(super) fn head(connection: &Connection) -> Result<Vec<u8>, StoreError> {
    let unexpected = || StoreError::unexpected(Place::Head);
    let mut statement =
        connection.prepare("SELECT space, count, seal, copied, one FROM meta").map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    let row = rows.next().map_err(fault)?.ok_or_else(unexpected)?;
    let members = || Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let members: rusqlite::Result<Members> = members();
    let (space, count, seal, copied, one) = members.map_err(|_| unexpected())?;
    let is_space = space.as_ref().is_none_or(|space| space.len() <= crate::op::MAX_IDENTIFIER_BYTES);
    if !is_space || one != 1 || rows.next().map_err(fault)?.is_some() {
        return Err(unexpected());
    }
    Ok(Head::converted(space.map(Into::into), count, seal, copied))
}
