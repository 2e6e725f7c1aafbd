//! The notes of the replica, in parts: a row has a limit.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::fault::fault;
use crate::store::StoreError;

/// Bytes of a part.
const PART_BYTES: usize = 512 << 10;
/// Parts that are read.
const MAX_PARTS: u32 = 32;

pub(super) fn read(connection: &Connection) -> Result<Option<Vec<u8>>, StoreError> {
    let parts = || {
        let mut statement = connection.prepare("SELECT bytes FROM notes ORDER BY part LIMIT ?1")?;
        let rows = statement.query_map([MAX_PARTS], |row| row.get::<_, Vec<u8>>(0))?;
        rows.collect::<rusqlite::Result<Vec<Vec<u8>>>>()
    };
    let parts = parts().map_err(fault)?;
    Ok((!parts.is_empty()).then(|| parts.concat()))
}

pub(super) fn write(connection: &mut Connection, notes: &[u8]) -> Result<(), StoreError> {
    let mut replace = || {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM notes", [])?;
        for (part, bytes) in (0_u32..).zip(notes.chunks(PART_BYTES)) {
            transaction.execute("INSERT INTO notes (part, bytes) VALUES (?1, ?2)", params![part, bytes])?;
        }
        transaction.commit()
    };
    replace().map_err(fault)
}
