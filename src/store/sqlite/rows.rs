//! Operations as they lie in the file, and what must be true of each.

use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::fault::fault;
use crate::codec::{HashedOp, OpHash, Scratch};
use crate::crypto::Sodium;
use crate::op::{MaybeOwned, OpSeq, SignedOpRef};
use crate::store::{Damage, StoreError};

/// Rows of a page, at most.
const PAGE_ROWS: usize = 4096;
/// Bytes after which a page ends.
const PAGE_BYTES: usize = 4 << 20;

/// Some rows in the order of arrival: hash and binary form as stored.
pub(crate) struct Page {
    bytes: Vec<u8>,
    rows: Vec<(OpHash, Range<usize>)>,
}

impl Page {
    pub(crate) fn rows(&self) -> impl Iterator<Item = (OpHash, &[u8])> {
        self.rows.iter().map(|(hash, range)| (*hash, self.bytes.get(range.clone()).unwrap_or_default()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Reads rows from number `first` on: at least one, unless there is none.
pub(super) fn page(connection: &Connection, first: OpSeq) -> Result<Page, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT arrival, hash, op FROM ops WHERE arrival >= ?1 ORDER BY arrival")
        .map_err(fault)?;
    // A number below zero is none of ours, and must not go unseen.
    let from = if first == OpSeq::FIRST { i64::MIN } else { i64::from(first.get()) };
    let mut found = statement.query([from]).map_err(fault)?;
    let mut page = Page { bytes: Vec::new(), rows: Vec::new() };
    let mut seq = first;
    while page.rows.len() < PAGE_ROWS && page.bytes.len() < PAGE_BYTES {
        let Some(row) = found.next().map_err(|error| at(seq, error))? else { break };
        match row.get_ref(0).map_err(fault)? {
            ValueRef::Integer(number) if number == i64::from(seq.get()) => {}
            _ => return Err(StoreError::operation(seq, Damage::Missing)),
        }
        let (hash, op) = hash_and_op(row, 1).map_err(|damage| StoreError::operation(seq, damage))?;
        let start = page.bytes.len();
        page.bytes.extend_from_slice(op);
        page.rows.push((hash, start..page.bytes.len()));
        seq = seq.checked_add(1).ok_or(StoreError::Full)?;
    }
    Ok(page)
}

/// Copies the binary form of one operation into `out` and returns its hash as stored.
pub(super) fn one(connection: &Connection, seq: OpSeq, out: &mut Vec<u8>) -> Result<OpHash, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(hash_and_op(row, 0).map(|(hash, op)| {
            out.clear();
            out.extend_from_slice(op);
            hash
        }))
    };
    let mut statement =
        connection.prepare_cached("SELECT hash, op FROM ops WHERE arrival = ?1").map_err(fault)?;
    statement
        .query_row([seq.get()], read)
        .optional()
        .map_err(|error| at(seq, error))?
        .unwrap_or(Err(Damage::Missing))
        .map_err(|damage| StoreError::operation(seq, damage))
}

fn hash_and_op<'r>(row: &'r Row<'_>, first: usize) -> Result<(OpHash, &'r [u8]), Damage> {
    let blob = |column| match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes)) => Ok(bytes),
        _ => Err(Damage::Unexpected),
    };
    let hash = blob(first)?.try_into().map_err(|_| Damage::Unexpected)?;
    Ok((OpHash::from_bytes(hash), blob(first + 1)?))
}

/// Damage to the file, met while reading this operation.
fn at(seq: OpSeq, error: rusqlite::Error) -> StoreError {
    match fault(error) {
        StoreError::Corrupt { damage, .. } => StoreError::operation(seq, damage),
        other => other,
    }
}

/// Decodes an operation, which must be of the right space.
pub(crate) fn decode<'a>(bytes: &'a [u8], space: Option<&str>) -> Result<SignedOpRef<'a>, Damage> {
    let signed = SignedOpRef::from_binary(bytes)?;
    if signed.op().space() == space { Ok(signed) } else { Err(Damage::Space) }
}

/// Computes an operation's hash, which must be the one that is stored beside it. Whether the actor has signed it is
/// another question.
pub(crate) fn recompute<'a, 't>(
    crypto: Sodium,
    hash: OpHash,
    signed: SignedOpRef<'a>,
    scratch: &'t mut Scratch,
) -> Result<HashedOp<'a, 't>, Damage> {
    let hashed = HashedOp::new(&crypto, MaybeOwned::Borrowed(signed), scratch)
        .map_err(|error| Damage::Decode(error.into()))?;
    if hashed.hash() == hash { Ok(hashed) } else { Err(Damage::Hash) }
}
