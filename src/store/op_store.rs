//! The operations of one log in a store.

#[cfg(feature = "sqlite")]
use std::any::Any;
use std::ops::ControlFlow;
use std::path::Path;

use super::clock::StoredClock;
use super::head::Head;
use super::ledger::Ledger;
use super::process::Process;
use super::record::{Body, RecordForm, Records, decode, read_body, read_whole, recompute};
use super::seal::Seal;
#[cfg(feature = "sqlite")]
use super::sqlite::SqliteStore;
use super::{Commit, Damage, MemoryStore, Record, Store, StoreError};
use crate::codec::{OpHash, Scratch};
use crate::crypto::{Sodium, Zeroizing};
use crate::guard::PermittedOp;
use crate::op::OpSeq;

/// Records of a page, at most.
const PAGE_RECORDS: usize = 4096;
/// Bytes after which a page ends.
const PAGE_BYTES: usize = 4 << 20;

/// The operations of a log in a store: their records, the head, the seal.
pub(crate) struct OpStore {
    crypto: Sodium,
    store: Box<dyn Store>,
    form: RecordForm,
    space: Option<Box<str>>,
    ledger: Ledger,
    process: Process,
}

impl OpStore {
    /// Creates an empty store that ends with the process.
    pub(crate) fn in_memory(crypto: Sodium, space: Option<&str>) -> Self {
        Self {
            crypto,
            store: Box::new(MemoryStore::new()),
            form: RecordForm::Body,
            space: space.map(Into::into),
            ledger: Ledger::empty(crypto, space),
            process: Process::current(),
        }
    }

    /// Opens a store whose operations are still to be verified.
    pub(crate) fn open(
        crypto: Sodium,
        store: Box<dyn Store>,
        space: Option<&str>,
        seal_key: Option<Zeroizing<[u8; 32]>>,
    ) -> Result<Self, StoreError> {
        let ledger = Ledger::open(crypto, store.head()?, space, seal_key)?;
        let (form, space) = (RecordForm::Whole, space.map(Into::into));
        Ok(Self { crypto, store, form, space, ledger, process: Process::current() })
    }

    /// Names the file of the store in an error, if it is in one.
    pub(crate) fn name_file(&self, error: StoreError) -> StoreError {
        #[cfg(feature = "sqlite")]
        if let Some(file) = self.file() {
            return error.in_file(file.path());
        }
        error
    }

    /// Returns the kind of the store, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self.form {
            RecordForm::Body => "memory",
            #[cfg(feature = "sqlite")]
            RecordForm::Whole if self.file().is_some_and(Store::is_read_only) => "file, read only",
            #[cfg(feature = "sqlite")]
            RecordForm::Whole if self.file().is_some() => "file",
            RecordForm::Whole => "other",
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the notes beside the operations, if they can be read.
    pub(crate) fn notes(&self) -> Option<Vec<u8>> {
        self.store.notes().ok().flatten()
    }

    /// Keeps notes beside the operations. A store that is only read stays as it is.
    pub(crate) fn set_notes(&mut self, notes: &[u8]) -> Result<(), StoreError> {
        self.check_process()?;
        if self.store.is_read_only() { Ok(()) } else { self.store.set_notes(notes) }
    }

    /// Returns an error in another process than the one that opened the log: not even a log in memory may be written to
    /// there.
    pub(crate) fn check_process(&self) -> Result<(), StoreError> {
        self.process.check()
    }

    /// Appends operations in one commit, with the state of the clock after it: all of them or none.
    pub(crate) fn append(&mut self, ops: &[PermittedOp<'_>], clock: StoredClock) -> Result<(), StoreError> {
        if ops.is_empty() {
            return Ok(());
        }
        let head = self.ledger.after(ops.iter().map(|op| (op.hash(), op.signed())), clock)?;
        let first = OpSeq::new(self.ledger.count());
        self.commit(head, &Records::encode(self.form, first, ops))
    }

    /// Stores the head of a log that has just been read: that of a new store, one with a first seal over operations
    /// that have all been verified, or one with a new state of the clock. A store that is only read stays as it is.
    pub(crate) fn settle(&mut self, seal: Option<Seal>, clock: StoredClock) -> Result<(), StoreError> {
        if self.store.is_read_only() {
            return Ok(());
        }
        match self.ledger.settled(seal, clock) {
            Some(head) => self.commit(head, &Records::empty(OpSeq::FIRST)),
            None => Ok(()),
        }
    }

    /// Stores the head of a log that was saved from another one: from a backup, with this count of its operations.
    #[cfg(feature = "sqlite")]
    pub(crate) fn settle_as(&mut self, copied: Option<u32>) -> Result<(), StoreError> {
        match copied {
            Some(_) => self.commit(self.ledger.marked(copied), &Records::empty(OpSeq::FIRST)),
            None => self.settle(None, StoredClock::default()),
        }
    }

    fn commit(&mut self, head: Head, records: &Records) -> Result<(), StoreError> {
        self.check_process()?;
        let bytes = head.encode(self.crypto);
        let appended: Vec<Record<'_>> = records.iter().collect();
        let mut commit = Commit::new(self.ledger.stored(), &bytes);
        commit.appended = &appended;
        self.store.commit(&commit)?;
        self.ledger.advance(head);
        Ok(())
    }

    /// Reads the body of an operation, which must have this hash. `scratch` is for stores that must copy.
    pub(crate) fn read<'a>(
        &'a self,
        seq: OpSeq,
        hash: &OpHash,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Body<'a>, StoreError> {
        let damaged = |damage| StoreError::operation(seq, damage);
        let record = self.store.read(seq, scratch)?.ok_or_else(|| damaged(Damage::Missing))?;
        if (record.first, record.count) != (seq, 1) {
            return Err(damaged(Damage::Unexpected));
        }
        match self.form {
            RecordForm::Body => read_body(record.bytes).map_err(damaged),
            RecordForm::Whole => {
                let (_, form) = read_whole(record.bytes).map_err(damaged)?;
                let signed = decode(form, self.space.as_deref()).map_err(damaged)?;
                recompute(self.crypto, *hash, signed, &mut Scratch::default()).map_err(damaged)?;
                let op = signed.op();
                Ok(Body { value: op.value(), label: op.label(), signature: signed.signature() })
            }
        }
    }

    /// Reads records from the operation `first` on, at least one if there are any. They are numbered as they should be,
    /// and their bytes are not checked.
    pub(crate) fn page(&self, first: OpSeq) -> Result<Records, StoreError> {
        let mut page = Records::empty(first);
        let mut numbers = first.onwards();
        let mut fault = None;
        self.store.scan(first, &mut |record| {
            let seq = numbers.next().unwrap_or(record.first);
            fault = record.check_number(seq).err();
            if fault.is_some() {
                return ControlFlow::Break(());
            }
            page.push_bytes(record.bytes);
            let is_full = page.count() >= PAGE_RECORDS || page.len() >= PAGE_BYTES;
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        fault.map_or(Ok(page), Err)
    }

    /// Returns the head that another writer has stored since, if there is one.
    pub(crate) fn newer(&self) -> Result<Option<Head>, StoreError> {
        let stored = self.store.head()?;
        let is_newer = stored.as_deref() != self.ledger.stored();
        is_newer.then(|| self.ledger.read(stored.as_deref())).transpose()
    }

    /// Notes that the operations up to another writer's head have been read.
    pub(crate) fn advance(&mut self, head: Head) {
        self.ledger.advance(head);
    }

    /// Closes the file and releases its lock.
    pub(crate) fn release(&mut self) -> Result<(), StoreError> {
        #[cfg(feature = "sqlite")]
        if let Some(file) = self.file_mut() {
            return file.release();
        }
        Err(StoreError::NoFile)
    }

    /// Opens the file again that was released.
    pub(crate) fn reacquire(&mut self) -> Result<(), StoreError> {
        #[cfg(feature = "sqlite")]
        if let Some(file) = self.file_mut() {
            return file.reacquire();
        }
        Err(StoreError::NoFile)
    }

    /// Copies everything that is committed into a new file, marked as a backup.
    #[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "there is no file without SQLite"))]
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        #[cfg(feature = "sqlite")]
        if let Some(file) = self.file() {
            return file.copy_to(path, &self.ledger.copy().encode(self.crypto));
        }
        Err(StoreError::NoFile)
    }

    #[cfg(feature = "sqlite")]
    fn file(&self) -> Option<&SqliteStore> {
        let store: &dyn Any = self.store.as_ref();
        store.downcast_ref()
    }

    #[cfg(feature = "sqlite")]
    fn file_mut(&mut self) -> Option<&mut SqliteStore> {
        let store: &mut dyn Any = self.store.as_mut();
        store.downcast_mut()
    }
}
