//! Reading the rows of the file.

use std::ops::ControlFlow;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::fault::fault;
use crate::op::OpSeq;
use crate::store::{Damage, Place, Record, StoreError};

/// Reads the head, which must be the only one.
pub(super) fn head(connection: &Connection) -> Result<Option<Vec<u8>>, StoreError> {
    let unexpected = || StoreError::unexpected(Place::Head);
    let mut statement = connection.prepare("SELECT bytes, one FROM head").map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    let row = rows.next().map_err(fault)?.ok_or_else(unexpected)?;
    let (head, one) = (row.get(0), row.get::<_, i64>(1));
    match (head, one, rows.next().map_err(fault)?) {
        (Ok(head), Ok(1), None) => Ok(head),
        _ => Err(unexpected()),
    }
}

/// Copies the record that holds an operation into `out`.
pub(super) fn read<'o>(
    connection: &Connection,
    seq: OpSeq,
    out: &'o mut Vec<u8>,
) -> Result<Option<Record<'o>>, StoreError> {
    let sql = "SELECT first, count, bytes FROM records WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query([seq.get()]).map_err(fault)?;
    let Some(row) = rows.next().map_err(|error| at(seq, error))? else { return Ok(None) };
    let record = record(row).map_err(|damage| StoreError::operation(seq, damage))?;
    let Some(record) = record.filter(|record| record.holds(seq)) else { return Ok(None) };
    out.clear();
    out.extend_from_slice(record.bytes);
    Ok(Some(Record { bytes: out, ..record }))
}

/// Visits the record that holds an operation and those after it.
pub(super) fn scan(
    connection: &Connection,
    from: OpSeq,
    visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let sql = "SELECT first, count, bytes FROM records
        WHERE first >= coalesce((SELECT max(first) FROM records WHERE first <= ?1), ?1) ORDER BY first";
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    // A number below zero is damage, which a scan from the beginning must meet.
    let least = if from == OpSeq::FIRST { i64::MIN } else { from.get().into() };
    let mut rows = statement.query([least]).map_err(fault)?;
    let mut seq = from;
    while let Some(row) = rows.next().map_err(|error| at(seq, error))? {
        let damaged = |damage| StoreError::operation(seq, damage);
        let record = record(row).map_err(damaged)?.ok_or_else(|| damaged(Damage::Missing))?;
        if record.end() <= from {
            // The last before a gap.
            continue;
        }
        seq = record.end();
        if visit(record).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads a row; `None` where the number is that of no operation.
fn record<'r>(row: &'r Row<'_>) -> Result<Option<Record<'r>>, Damage> {
    let number = |column| row.get::<_, i64>(column).map_err(|_| Damage::Unexpected);
    let Ok(ValueRef::Blob(bytes)) = row.get_ref(2) else { return Err(Damage::Unexpected) };
    let count = u32::try_from(number(1)?).ok().filter(|count| *count > 0).ok_or(Damage::Unexpected)?;
    let Ok(first) = u32::try_from(number(0)?) else { return Ok(None) };
    Ok(Some(Record { first: OpSeq::new(first), count, bytes }))
}

/// Returns the error for damage to the file that was met while reading this operation.
fn at(seq: OpSeq, error: rusqlite::Error) -> StoreError {
    match fault(error) {
        StoreError::Corrupt { damage, .. } => StoreError::operation(seq, damage),
        other => other,
    }
}
