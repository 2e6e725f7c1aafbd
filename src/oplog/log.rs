//! The append-only log.

use std::fmt;
use std::sync::Arc;

use super::prefix_digests::PrefixDigests;
use super::{ForkProof, Index, Inserted};
use crate::codec::{OpHash, OpHashSet, Scratch};
use crate::crypto::{Hash, Sodium};
use crate::guard::PermittedOp;
use crate::keys::{VerifiedOp, VerifyError};
use crate::op::{OpError, OpRef, OpSeq, Parts, SignedOp, SignedOpRef};
use crate::store::{Damage, OpStore, StoreError, StoredClock, recompute};
use crate::threads::Threads;

/// The number of operations that are copied together when a log is cut.
const COPIED_TOGETHER: u32 = 512;

/// An append-only log of verified operations, each once, readable in the order of arrival and in the total order.
///
/// This is the low layer; a [`Replica`](crate::Replica) adds keys, a clock and the merged state. The caller passes a
/// function that verifies a new operation:
///
/// ```
/// use policysync::{Hlc, Op, OpLog, SigningSecretKey};
/// use policysync::crypto::Sodium;
/// use policysync::keys::{sign_op, verify_op};
/// use policysync::oplog::Added;
///
/// let crypto = Sodium::new()?;
/// let key = SigningSecretKey::generate("alice")?;
/// let op = Op::lww_set("alice", Hlc::new(1_760_000_000_000, 1)?, ("Task", "t1", "title"), "Hello world")?;
/// let op = sign_op(&crypto, op, &key)?;
///
/// let mut log = OpLog::new(crypto);
/// let added = log.add(&op, |op| verify_op(&crypto, op, key.public_key()))?;
/// assert!(matches!(added, Added::Appended { .. }));
/// assert_eq!(log.add(&op, |op| verify_op(&crypto, op, key.public_key()))?, Added::Duplicate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OpLog {
    crypto: Sodium,
    space: Option<Box<str>>,
    index: Index,
    store: OpStore,
    /// True if an actor has equivocated.
    forked: bool,
    /// The end of the operations that are saved; `None` where the store saves all of them at once.
    confirmed: Option<OpSeq>,
    /// True if it is unknown whether operations are saved.
    closed: bool,
    /// True while memory is changing, and for ever after a panic in such a change.
    changing: bool,
    id: LogId,
    prefix: PrefixDigests,
}

/// A position in the order of arrival of one log, between the operations before it and those after it.
///
/// It is valid for that log only. Unlike with a timestamp, no operation is missed: one with an old timestamp that
/// arrives late comes after the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(OpSeq);

impl Cursor {
    /// The position before all operations.
    pub const START: Self = Self(OpSeq::FIRST);

    /// Returns the number of operations before this position.
    #[must_use]
    pub fn position(self) -> u64 {
        self.0.into()
    }

    /// Returns the number of the first operation after this position.
    pub(crate) const fn next(self) -> OpSeq {
        self.0
    }

    /// Returns the position after `position` operations, or `None` past the capacity of a log.
    #[must_use]
    pub fn from_position(position: u64) -> Option<Self> {
        u32::try_from(position).ok().map(|count| Self(OpSeq::new(count)))
    }
}

/// An operation in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The operation.
    pub op: SignedOp,
    /// Its identity.
    pub hash: OpHash,
    /// The position after it, from which to continue.
    pub cursor: Cursor,
}

/// The outcome of adding an operation to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Added {
    /// The operation was appended.
    Appended {
        /// Its identity.
        hash: OpHash,
        /// Another operation of the same actor with the same timestamp: see [`OpLog::forks`].
        equivocates_with: Option<OpHash>,
    },
    /// The operation was in the log already. It was not verified again.
    Duplicate,
}

/// The reason why an operation was not added. The log is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The operation is too large.
    #[error(transparent)]
    Op(#[from] OpError),
    /// The operation belongs to another space than the log.
    #[error("the operation belongs to another space than the log")]
    OtherSpace,
    /// The guard did not verify the operation.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The guard returned another operation.
    #[error("the guard returned another operation")]
    OtherOperation,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The digest of a set of operations: two logs with equal digests contain the same operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "applications store a digest and create it again")]
pub struct LogDigest {
    /// The number of operations.
    pub count: u64,
    /// The SHA-256 over the hashes of the operations in the total order.
    pub hash: Hash,
}

impl fmt::Display for LogDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} operations, {}", self.count, self.hash)
    }
}

impl fmt::Debug for OpLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpLog").field("space", &self.space).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl OpLog {
    /// Creates an empty log in memory, for operations without a space.
    #[must_use]
    pub fn new(crypto: Sodium) -> Self {
        Self::new_in(crypto, None)
    }

    /// Creates an empty log in memory, for operations of this space.
    pub(crate) fn new_in(crypto: Sodium, space: Option<Box<str>>) -> Self {
        let store = OpStore::in_memory(crypto, space.as_deref());
        Self {
            crypto,
            space,
            index: Index::default(),
            store,
            forked: false,
            confirmed: None,
            closed: false,
            changing: false,
            id: LogId::default(),
            prefix: PrefixDigests::default(),
        }
    }

    /// Adds operations that were read from a store, which must be new. Those that the log has `stored` already (in the
    /// store that [`OpLog::keep_in`] sets afterwards, if it is not set) are not written.
    pub(crate) fn restore(
        &mut self,
        ops: &[PermittedOp<'_>],
        stored: bool,
        threads: Threads,
    ) -> Result<(), StoreError> {
        let mut hashes = OpHashSet::with_capacity_and_hasher(ops.len(), Default::default());
        for (seq, op) in self.index.end().onwards().zip(ops) {
            if self.index.find(&op.hash()).is_some() || !hashes.insert(op.hash()) {
                return Err(StoreError::operation(seq, Damage::Duplicate));
            }
        }
        if !stored {
            return self.append(ops, StoredClock::default(), threads).map(drop);
        }
        self.expect_room(ops)?;
        self.enter(ops, threads);
        Ok(())
    }

    /// Returns the end of the operations that others may have.
    pub(crate) fn confirmed(&self) -> OpSeq {
        self.confirmed.unwrap_or_else(|| self.index.end())
    }

    /// Returns the number of an operation that others may have.
    pub(crate) fn find_confirmed(&self, hash: &OpHash) -> Option<OpSeq> {
        self.index.find(hash).filter(|seq| *seq < self.confirmed())
    }

    /// Notes that the operations before `end` are saved.
    pub(crate) fn confirm(&mut self, end: OpSeq) {
        self.confirmed = Some(end);
    }

    /// Refuses operations from now on, because it is unknown which are saved.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        self.check_usable()?;
        if self.closed { Err(StoreError::OutcomeUnknown) } else { Ok(()) }
    }

    /// Returns an error in a child process, or after a panic.
    pub(crate) fn check_usable(&self) -> Result<(), StoreError> {
        self.store.check_process()?;
        self.check_unpoisoned()
    }

    /// Returns an error if an earlier call has panicked while it changed memory, which may then lack operations.
    pub(crate) fn check_unpoisoned(&self) -> Result<(), StoreError> {
        if self.changing { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    /// Notes that a change of the log or of the state over it begins.
    pub(crate) fn begin_change(&mut self) {
        self.changing = true;
    }

    /// Notes that a change has been completed.
    pub(crate) fn end_change(&mut self) {
        self.changing = false;
    }

    /// Removes the operations from `end` on, of a log that keeps them in memory. Their numbers are used again, so the
    /// log gets a new identity. Registers keep their ids. The change has begun then: the caller ends it.
    pub(crate) fn cut(&mut self, end: OpSeq, threads: Threads) -> Result<(), StoreError> {
        let mut log = Self::new_in(self.crypto, self.space.clone());
        let mut first = OpSeq::FIRST;
        while first < end {
            let next = OpSeq::new(first.get().saturating_add(COPIED_TOGETHER)).min(end);
            let ops: Vec<SignedOp> = first.until(next).map(|seq| self.read(seq)).collect::<Result<_, _>>()?;
            let mut scratch = Scratch::default();
            let mut permitted = Vec::with_capacity(ops.len());
            for (seq, op) in first.onwards().zip(&ops) {
                let hashed = recompute(self.crypto, *self.index.hash(seq), op.as_ref(), &mut scratch)
                    .map_err(|damage| StoreError::operation(seq, damage))?;
                permitted.push(PermittedOp::unguarded(VerifiedOp::stored_before(hashed)));
            }
            // Reading needs the registers too.
            self.begin_change();
            log.index.swap_registers(&mut self.index);
            let appended = log.append(&permitted, StoredClock::default(), threads);
            log.index.swap_registers(&mut self.index);
            self.end_change();
            appended?;
            first = next;
        }
        self.begin_change();
        log.index.swap_registers(&mut self.index);
        log.confirmed = self.confirmed;
        log.changing = true;
        *self = log;
        Ok(())
    }

    /// Sets the store that the operations are read from and written to.
    pub(crate) fn keep_in(&mut self, store: OpStore) {
        self.store = store;
    }

    /// Returns the store of the operations.
    pub(crate) fn store(&self) -> &OpStore {
        &self.store
    }

    /// Returns the store of the operations, to take over what another writer has appended.
    pub(crate) fn store_mut(&mut self) -> &mut OpStore {
        &mut self.store
    }

    /// Keeps notes beside the operations.
    pub(crate) fn set_notes(&mut self, notes: &[u8]) -> Result<(), StoreError> {
        self.check_open()?;
        self.store.set_notes(notes).map_err(|error| self.store.name_file(error))
    }

    /// Stores a state of the replica's clock, if it is another than the stored one.
    pub(crate) fn keep_clock(&mut self, clock: StoredClock) -> Result<(), StoreError> {
        self.store.settle(None, clock).map_err(|error| self.store.name_file(error))
    }

    /// Copies the store into a new file.
    pub(crate) fn copy_to(&self, path: &std::path::Path) -> Result<(), StoreError> {
        self.store.copy_to(path).map_err(|error| error.in_file(path))
    }

    /// Adds an operation. A duplicate is found by its hash before anything is verified; `guard` must verify any other,
    /// with [`verify_op`](crate::keys::verify_op) or
    /// [`KeyRegistry::verify`](crate::KeyRegistry::verify).
    ///
    /// # Errors
    ///
    /// [`AddError`]. The log is unchanged, and a genuine copy of the same operation can still be added.
    pub fn add<'a, G>(&mut self, op: &'a SignedOp, guard: G) -> Result<Added, AddError>
    where
        G: FnOnce(&'a SignedOp) -> Result<VerifiedOp<'a>, VerifyError>,
    {
        if op.op().space() != self.space.as_deref() {
            return Err(AddError::OtherSpace);
        }
        let hash = OpHash::of(&self.crypto, op.as_ref())?;
        if self.index.find(&hash).is_some() {
            return Ok(Added::Duplicate);
        }
        let verified = guard(op)?;
        if verified.hash() != hash {
            return Err(AddError::OtherOperation);
        }
        let inserted =
            self.append(&[PermittedOp::unguarded(verified)], StoredClock::default(), Threads::ONE)?;
        let equivocates_with = inserted
            .first()
            .and_then(|inserted| inserted.equivocates_with)
            .map(|other| *self.index.hash(other));
        Ok(Added::Appended { hash, equivocates_with })
    }

    /// Appends operations that are not in the log, each once, and stores the state of the clock after them. The store
    /// is written before memory, so that the log is unchanged on an error.
    pub(crate) fn append(
        &mut self,
        ops: &[PermittedOp<'_>],
        clock: StoredClock,
        threads: Threads,
    ) -> Result<Vec<Inserted>, StoreError> {
        self.check_open()?;
        self.expect_room(ops)?;
        self.store.append(ops, clock).map_err(|error| self.store.name_file(error))?;
        Ok(self.enter(ops, threads))
    }

    fn enter(&mut self, ops: &[PermittedOp<'_>], threads: Threads) -> Vec<Inserted> {
        self.begin_change();
        let inserted = self.index.insert(ops, threads);
        self.end_change();
        self.forked |= inserted.iter().any(|inserted| inserted.equivocates_with.is_some());
        inserted
    }

    /// Checks that more operations can be numbered and their names stored.
    fn expect_room(&self, ops: &[PermittedOp<'_>]) -> Result<(), StoreError> {
        let free = crate::packed::index(u32::MAX - 1 - self.index.len());
        let bytes = ops.iter().map(|op| op.op().entity_id().len()).sum();
        let room = ops.len() <= free && self.index.registers().has_room(ops.len(), bytes);
        if room { Ok(()) } else { Err(StoreError::Full) }
    }

    /// Returns the number of operations.
    #[must_use]
    pub fn len(&self) -> usize {
        crate::packed::index(self.index.len())
    }

    /// Returns true if there are no operations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Returns the space that the log's operations belong to.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        self.space.as_deref()
    }

    /// Returns true if the log contains the operation with this hash.
    #[must_use]
    pub fn contains(&self, hash: &OpHash) -> bool {
        self.index.find(hash).is_some()
    }

    /// Returns the operation with this hash, if the log contains it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read it.
    pub fn get(&self, hash: &OpHash) -> Result<Option<SignedOp>, StoreError> {
        self.check_unpoisoned()?;
        self.index.find(hash).map(|seq| self.read(seq)).transpose()
    }

    /// Returns all operations in the total order: time, counter, actor, hash.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Result<LogEntry, StoreError>> + '_ {
        self.index.in_order().map(|seq| self.entry(seq))
    }

    /// Returns the operations after `cursor`, in the order of arrival, without those that a journal has not saved yet.
    pub fn since(
        &self,
        cursor: Cursor,
    ) -> impl DoubleEndedIterator<Item = Result<LogEntry, StoreError>> + '_ {
        cursor.0.until(self.confirmed()).map(|seq| self.entry(seq))
    }

    /// Returns the position after all operations, without those that a journal has not saved yet.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor(self.confirmed())
    }

    /// Returns the digest of the log. It costs a hash over the hashes of all operations.
    #[must_use]
    pub fn digest(&self) -> LogDigest {
        let mut hashes = Vec::with_capacity(self.len().saturating_mul(32));
        for seq in self.index.in_order() {
            hashes.extend_from_slice(self.index.hash(seq).as_bytes());
        }
        LogDigest { count: self.index.len().into(), hash: self.crypto.hash(&hashes) }
    }

    /// Returns a proof for each actor and timestamp with more than one operation: of the two that come first in the
    /// total order. Logs with the same operations return equal proofs. If there is a fork, this reads the whole index.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read an operation.
    pub fn forks(&self) -> Result<Vec<ForkProof>, StoreError> {
        if !self.forked {
            return Ok(Vec::new());
        }
        let mut proofs = Vec::new();
        let mut proved = false;
        // Operations of one actor with one timestamp are adjacent in the total order.
        for (first, second) in self.index.in_order().zip(self.index.in_order().skip(1)) {
            if !self.index.same_actor_and_time(first, second) {
                proved = false;
            } else if !proved {
                proofs.push(ForkProof::new(self.read(first)?, self.read(second)?));
                proved = true;
            }
        }
        Ok(proofs)
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Returns the identity of this open log.
    pub(crate) fn id(&self) -> &LogId {
        &self.id
    }

    /// Returns a digest over the operations before `end`, in the order of arrival, or `None` if the log is shorter.
    pub(crate) fn prefix_digest(&self, end: OpSeq) -> Option<[u8; 32]> {
        (end <= self.index.end()).then(|| self.prefix.digest(self.crypto, &self.index, end))
    }

    fn entry(&self, seq: OpSeq) -> Result<LogEntry, StoreError> {
        Ok(LogEntry {
            op: self.read(seq)?,
            hash: *self.index.hash(seq),
            cursor: Cursor(seq.checked_add(1).unwrap_or(seq)),
        })
    }

    /// Reads the operation of this number.
    pub(crate) fn read(&self, seq: OpSeq) -> Result<SignedOp, StoreError> {
        self.with_op(seq, |signed| signed.to_signed_op())
    }

    /// Calls `read` with the operation of this number.
    pub(crate) fn with_op<T>(
        &self,
        seq: OpSeq,
        read: impl FnOnce(SignedOpRef<'_>) -> T,
    ) -> Result<T, StoreError> {
        self.check_unpoisoned()?;
        let mut scratch = Vec::new();
        let body = self.store.read(seq, self.index.hash(seq), &mut scratch);
        let body = body.map_err(|error| self.store.name_file(error))?;
        let op = OpRef::from_log(Parts {
            label: body.label,
            actor: self.index.actor(seq),
            ts: self.index.ts(seq),
            field: self.index.registers().names(self.index.register(seq)),
            kind: self.index.kind(seq),
            value: body.value,
            space: self.space.as_deref(),
        });
        Ok(read(SignedOpRef::from_log(op, self.index.kid(seq), body.signature)))
    }
}

/// The identity of an open log. It differs from that of every other log, even with the same operations, and from that
/// of its own file when it is opened again. An [`OpSeq`] is only valid in the log with the same
/// identity.
#[derive(Clone, Default)]
pub(crate) struct LogId(Arc<()>);

impl PartialEq for LogId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LogId {}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_equals_only_itself() {
        let (one, other) = (LogId::default(), LogId::default());
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "LogId");
    }
}
