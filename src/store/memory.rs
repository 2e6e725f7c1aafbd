//! A store in memory.

use std::collections::BTreeMap;

use super::{Commit, Damage, Record, Store, StoreError};
use crate::op::OpSeq;
use crate::packed::{ByteAddress, ByteArena, ChunkedVec};

/// A store in memory, which ends with the process. Records lie end to end; one of a single operation costs about ten
/// bytes beside its own. The bytes of a replaced record are not reused.
#[derive(Default)]
pub struct MemoryStore {
    head: Option<Vec<u8>>,
    records: ByteArena,
    /// For each operation, its record.
    addresses: ChunkedVec<ByteAddress, OpSeq>,
    /// The records of more than one operation: their counts, by their first.
    counts: BTreeMap<OpSeq, u32>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self { head: None, records: ByteArena::new(), addresses: ChunkedVec::new(), counts: BTreeMap::new() }
    }

    /// Returns the first operation of the record that holds `seq`, and the count of its operations.
    fn extent(&self, seq: OpSeq) -> (OpSeq, u32) {
        let before = self.counts.range(..=seq).next_back();
        let extent = before.map(|(first, count)| (*first, *count));
        extent.filter(|(first, count)| seq.get() - first.get() < *count).unwrap_or((seq, 1))
    }

    /// Returns an error unless the record fits the operations that are there.
    fn check_replaced(&self, record: &Record<'_>) -> Result<(), StoreError> {
        let is_there = record.first < self.addresses.end();
        match is_there && self.extent(record.first) == (record.first, record.count) {
            true => Ok(()),
            false => Err(StoreError::operation(record.first, Damage::Missing)),
        }
    }
}

impl Store for MemoryStore {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.head.clone())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.head.as_deref() != commit.known {
            return Err(StoreError::Conflict);
        }
        commit.replaced.iter().try_for_each(|record| self.check_replaced(record))?;
        // The bytes first: an address is what makes them reachable, so a commit that does not fit leaves unused room
        // only.
        let records = commit.replaced.iter().chain(commit.appended);
        let addresses: Option<Vec<ByteAddress>> =
            records.map(|record| self.records.push(record.bytes)).collect();
        let mut addresses = addresses.ok_or(StoreError::Full)?.into_iter();
        for (record, address) in commit.replaced.iter().zip(addresses.by_ref()) {
            for seq in record.first.until(record.end()) {
                *self.addresses.get_mut(seq) = address;
            }
        }
        for (record, address) in commit.appended.iter().zip(addresses) {
            if record.count > 1 {
                self.counts.insert(record.first, record.count);
            }
            for _ in 0..record.count {
                self.addresses.push(address);
            }
        }
        self.head = Some(commit.head.to_vec());
        Ok(())
    }

    fn read<'a>(&'a self, seq: OpSeq, _: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        if seq >= self.addresses.end() {
            return Ok(None);
        }
        let (first, count) = self.extent(seq);
        Ok(Some(Record { first, count, bytes: self.records.get(*self.addresses.get(seq)) }))
    }
}
