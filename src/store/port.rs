//! The port behind which operations are kept.

use std::any::Any;
use std::ops::ControlFlow;

use super::{Damage, StoreError};
use crate::codec::MAX_OP_BYTES;
use crate::op::OpSeq;

/// The length of the longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = MAX_OP_BYTES + 4096;

/// One or more consecutive operations, as bytes that only this library reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores create it")]
pub struct Record<'a> {
    /// The number of its first operation.
    pub first: OpSeq,
    /// The count of its operations, at least 1.
    pub count: u32,
    /// At most [`MAX_RECORD_BYTES`].
    pub bytes: &'a [u8],
}

impl Record<'_> {
    /// Returns true if the operation `seq` is in this record.
    #[must_use]
    pub fn holds(&self, seq: OpSeq) -> bool {
        seq.get().checked_sub(self.first.get()).is_some_and(|place| place < self.count)
    }

    /// Returns an error unless this is the record of the operation `seq` alone.
    pub(crate) fn check_number(&self, seq: OpSeq) -> Result<(), StoreError> {
        match (self.first == seq, self.count) {
            (true, 1) => Ok(()),
            (true, _) => Err(StoreError::operation(seq, Damage::Unexpected)),
            (false, _) => Err(StoreError::operation(seq, Damage::Missing)),
        }
    }

    /// Returns the number after that of the last operation.
    #[must_use]
    pub fn end(&self) -> OpSeq {
        OpSeq::new(self.first.get().saturating_add(self.count))
    }
}

/// A change of a store: it happens as a whole, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit<'a> {
    /// The stored head as of the caller's last commit or read; `None` for a new store.
    pub known: Option<&'a [u8]>,
    /// The new head, at most about 1.3 KiB. It differs from every earlier head of this store.
    pub head: &'a [u8],
    /// Records to replace, each with the same operations as the one that is there.
    pub replaced: &'a [Record<'a>],
    /// Records to append. The first begins after the last operation that is there, the others follow without gaps.
    pub appended: &'a [Record<'a>],
}

impl<'a> Commit<'a> {
    /// Creates a commit that replaces the head only.
    #[must_use]
    pub const fn new(known: Option<&'a [u8]>, head: &'a [u8]) -> Self {
        Self { known, head, replaced: &[], appended: &[] }
    }
}

/// A place where a replica keeps its log: records of operations, and a head that describes them.
///
/// Records and head are opaque: a store keeps bytes, and neither reads nor checks them. What it returns is not
/// trusted: a replica computes every hash and verifies every signature again, or checks its own seal over all of them.
///
/// [`contract::check`](super::contract::check) tests an implementation. `examples/file_store.rs` has one over a plain
/// file; [`MemoryStore`](super::MemoryStore) and, with the feature `sqlite`, `SqliteStore` are others.
/// [`ReplicaOptions::store`](crate::ReplicaOptions::store) opens a replica over one. From C, only SQLite files are
/// available.
///
/// # Several processes
///
/// The comparison of the head is what keeps two processes over one database from overwriting each other: the second
/// gets [`StoreError::Conflict`], reads what the first has appended, and tries again. A store that only one process can
/// open at a time makes the comparison too.
pub trait Store: Any + Send {
    /// Returns the head of the last commit, `None` for a store without any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Commits a change. Returns `Ok` once the change is durable. Comparing the head and making the change are one
    /// atomic step, for other handles and processes too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the stored head is not [`Commit::known`]; the store is unchanged. After any other
    /// error the commit took effect completely or not at all. If it did, the next commit fails with `Conflict`.
    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError>;

    /// Returns the record that holds the operation `seq`, `None` if there is none. A store that must copy the bytes
    /// copies them into `scratch`, whatever that held before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError>;

    /// Returns true if the store is only read: a replica then stores neither its clock nor notes.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Calls `visit` with the record that holds the operation `from` and those after it, in order, until it breaks or
    /// there are no more. Override it where reading many records at once is faster than reading each.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a record cannot be read.
    fn scan(
        &self,
        from: OpSeq,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (mut next, mut scratch) = (from, Vec::new());
        while let Some(record) = self.read(next, &mut scratch)? {
            next = record.end();
            if visit(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Returns the notes that [`Store::set_notes`] kept last, `None` if nothing was kept, as by default.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read; the replica then begins without notes.
    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    /// Keeps notes of the replica about its peers in place of those before, up to about 8 MiB. They save bytes in later
    /// sessions and may be lost; by default nothing is kept. The head does not change.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be kept; the replica goes on.
    fn set_notes(&mut self, notes: &[u8]) -> Result<(), StoreError> {
        let _ = notes;
        Ok(())
    }
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        (**self).commit(commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        (**self).read(seq, scratch)
    }

    fn is_read_only(&self) -> bool {
        (**self).is_read_only()
    }

    fn scan(
        &self,
        from: OpSeq,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        (**self).scan(from, visit)
    }

    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).notes()
    }

    fn set_notes(&mut self, notes: &[u8]) -> Result<(), StoreError> {
        (**self).set_notes(notes)
    }
}
