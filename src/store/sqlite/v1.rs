//! The tables of version 0.1.0.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::fault::fault;
use crate::store::head::Head;
use crate::store::{Place, StoreError};

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

/// Reads the description, which must be the only one, as a head of today.
pub(super) fn head(connection: &Connection) -> Result<Vec<u8>, StoreError> {
    let unexpected = || StoreError::unexpected(Place::Head);
    let mut statement =
        connection.prepare("SELECT space, count, seal, copied, one FROM meta").map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    let row = rows.next().map_err(fault)?.ok_or_else(unexpected)?;
    let column = |number| row.get_ref(number).map_err(fault);
    let number = |value: ValueRef<'_>| match value {
        ValueRef::Integer(number) => u32::try_from(number).map_err(|_| unexpected()),
        _ => Err(unexpected()),
    };
    let space = match column(0)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) if bytes.len() <= crate::op::MAX_IDENTIFIER_BYTES => {
            Some(std::str::from_utf8(bytes).map_err(|_| unexpected())?.into())
        }
        _ => return Err(unexpected()),
    };
    let count = number(column(1)?)?;
    let seal = match column(2)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => Some(bytes.try_into().map_err(|_| unexpected())?),
        _ => return Err(unexpected()),
    };
    let copied = match column(3)? {
        ValueRef::Null => None,
        copied => Some(number(copied)?),
    };
    if column(4)? != ValueRef::Integer(1) || rows.next().map_err(fault)?.is_some() {
        return Err(unexpected());
    }
    Ok(Head::converted(space, count, seal, copied))
}
