//! Opening a replica over a store.

use super::{OpenError, Replica};
use crate::codec::{OpHash, Scratch};
use crate::crypto::Zeroizing;
use crate::guard::PermittedOp;
use crate::hlc::{HlcError, WallMillis};
use crate::keys::{VerifiedOp, VerifyError};
use crate::op::OpSeq;
use crate::oplog::{LogDigest, OpLog};
use crate::state::State;
use crate::store::{
    Damage, Head, Ledger, OpStore, Place, Record, Records, Seal, Store, StoreError, StoredClock, decode,
    read_whole, recompute,
};
use crate::value::Excerpt;

/// The expectations of a stored log.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) seal_key: Option<Zeroizing<[u8; 32]>>,
    pub(super) at_least: Option<LogDigest>,
}

impl Expected {
    pub(super) fn is_some(&self) -> bool {
        self.seal_key.is_some() || self.at_least.is_some()
    }
}

/// The proof that a stored operation was signed by its actor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// Its signature.
    Signature,
    /// The seal over all of them, checked after all have been read.
    Seal,
    /// None: the replica accepts operations unverified.
    None,
}

impl Evidence {
    fn new(is_sealed: bool, unverified: bool) -> Self {
        match (unverified, is_sealed) {
            (true, _) => Self::None,
            (false, true) => Self::Seal,
            (false, false) => Self::Signature,
        }
    }
}

/// The state of reading a log back.
pub(super) struct Reading {
    evidence: Evidence,
    /// The seal over the operations read so far, if there is a key.
    seal: Option<Seal>,
    /// The seal that replaces the one of version 0.1.0.
    renewed: Option<Seal>,
    /// The digest that is still to be met.
    at_least: Option<LogDigest>,
    scratch: Vec<u8>,
}

impl Reading {
    /// Begins to read the log into an empty one.
    pub(super) fn new(replica: &mut Replica, ledger: &Ledger, at_least: Option<LogDigest>) -> Self {
        let evidence = Evidence::new(ledger.is_sealed(), replica.accepts_unverified());
        Self::with(replica, ledger, evidence, at_least)
    }

    fn with(replica: &mut Replica, ledger: &Ledger, evidence: Evidence, at_least: Option<LogDigest>) -> Self {
        let space = replica.log.space().map(Into::into);
        replica.log = OpLog::new_in(replica.crypto, space);
        let is_old = ledger.has_old_seal();
        let start = |is_old| ledger.sealing().map(|sealing| sealing.start(replica.log.space(), is_old));
        let (seal, renewed) = (start(is_old), start(false).filter(|_| is_old));
        Self { evidence, seal, renewed, at_least, scratch: Vec::new() }
    }

    /// Verifies the next records and adds their operations to the log, which has them `stored` or writes them.
    pub(super) fn take(
        &mut self,
        replica: &mut Replica,
        ledger: &Ledger,
        records: &[Record<'_>],
        stored: bool,
    ) -> Result<(), OpenError> {
        self.meet_digest(replica)?;
        let mut ops = replica.verify_records(records, self.evidence)?;
        self.seal = seal_after(self.seal, ledger, &ops, &mut self.scratch);
        self.renewed = seal_after(self.renewed, ledger, &ops, &mut self.scratch);
        // The expected digest is over a certain number of operations: stop there.
        let stop = self.at_least.and_then(|expected| usize::try_from(expected.count).ok());
        let here = stop.and_then(|stop| stop.checked_sub(replica.log.len()));
        if let Some(here) = here.filter(|here| *here < ops.len()) {
            let rest = ops.split_off(here);
            replica.log.restore(&ops, stored, replica.threads)?;
            self.meet_digest(replica)?;
            ops = rest;
        }
        Ok(replica.log.restore(&ops, stored, replica.threads)?)
    }

    /// Compares the log with the expected digest, once it has as many operations.
    fn meet_digest(&mut self, replica: &Replica) -> Result<(), OpenError> {
        let count = u64::from(replica.log.index().len());
        if let Some(expected) = self.at_least.take_if(|expected| expected.count == count) {
            let found = replica.log.digest();
            if found != expected {
                return Err(OpenError::RolledBack { expected, found });
            }
        }
        Ok(())
    }

    /// Compares the whole log with its head. Returns its first seal, or the one that replaces an old seal, if there is
    /// a key.
    pub(super) fn end(mut self, replica: &Replica, ledger: &Ledger) -> Result<Option<Seal>, OpenError> {
        self.meet_digest(replica)?;
        let (found, count) = (replica.log.index().len(), ledger.count());
        if found != count {
            return Err(wrong_count(found, count).into());
        }
        if let Some(expected) = self.at_least {
            return Err(OpenError::RolledBack { expected, found: replica.log.digest() });
        }
        match (self.evidence, self.seal) {
            (Evidence::Seal, Some(computed)) => {
                ledger.check_seal(ledger.head(), &computed)?;
                Ok(self.renewed)
            }
            (Evidence::Signature, Some(computed)) => Ok(Some(computed)),
            _ => Ok(None),
        }
    }
}

fn wrong_count(found: u32, claimed: u32) -> StoreError {
    let damage = if found < claimed { Damage::Missing } else { Damage::Unexpected };
    StoreError::operation(OpSeq::new(found.min(claimed)), damage)
}

fn seal_after(
    seal: Option<Seal>,
    ledger: &Ledger,
    ops: &[PermittedOp<'_>],
    scratch: &mut Vec<u8>,
) -> Option<Seal> {
    let (sealing, seal) = (ledger.sealing()?, seal?);
    Some(ops.iter().fold(seal, |seal, op| sealing.after(&seal, &op.hash(), op.signed(), scratch)))
}

impl OpenError {
    /// Names the file of the store in its error, if it is in one.
    fn in_store(self, store: &OpStore) -> Self {
        match self {
            Self::Store(error) => Self::Store(store.name_file(error)),
            other => other,
        }
    }

    /// Names the file in an error of its store.
    #[cfg(feature = "sqlite")]
    pub(super) fn in_file(self, path: &std::path::Path) -> Self {
        match self {
            Self::Store(error) => Self::Store(error.in_file(path)),
            other => other,
        }
    }
}

impl Replica {
    /// Ingests the operations that another process has appended to the store. After [`StoreError::Conflict`], call it
    /// and try again. They are verified as when the store is opened. Returns their
    /// count.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when they cannot be read, are damaged, or need a key that is not registered; the replica is
    /// unchanged.
    pub fn catch_up(&mut self, now: WallMillis) -> Result<usize, OpenError> {
        self.take_appended(now).map_err(|error| error.in_store(self.log.store()))
    }

    fn take_appended(&mut self, now: WallMillis) -> Result<usize, OpenError> {
        if now > WallMillis::MAX {
            return Err(OpenError::Clock(HlcError::WallOutOfRange { now }));
        }
        self.log.check_usable()?;
        self.note_clock(now);
        let first = self.log.index().end();
        let Some((pages, head)) = self.read_newer(first)? else { return Ok(0) };
        let is_sealed = self.log.store().ledger().is_sealed() && head.seal.is_some();
        let evidence = Evidence::new(is_sealed, self.accepts_unverified());
        let records: Vec<Record<'_>> = pages.iter().flat_map(Records::iter).collect();
        let ops = self.verify_records(&records, evidence)?;
        if evidence == Evidence::Seal {
            let ledger = self.log.store().ledger();
            let computed = seal_after(ledger.head().seal.map(|seal| seal.ops), ledger, &ops, &mut Vec::new());
            ledger.check_seal(&head, &computed.unwrap_or_default())?;
        }
        self.log.restore(&ops, true, self.threads)?;
        let theirs = head.clock;
        self.log.store_mut().advance(head);
        self.log.begin_change();
        self.merge_appended(first, now, theirs);
        self.log.end_change();
        Ok(ops.len())
    }

    /// Closes the replica's file and releases its lock, so that the replica can be kept in memory while it is not used:
    /// mobile systems end an application that is suspended with a lock. Until [`Replica::reacquire_store`], calls that
    /// need the file end with [`StoreError::Released`]: writes, ingests, and reads of values. Does nothing if the file
    /// is released already.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoFile`] if the replica was not opened with a path, others if the file cannot be closed; then it
    /// stays open.
    pub fn release_store(&mut self) -> Result<(), StoreError> {
        self.log.check_usable()?;
        let released = self.log.store_mut().release();
        released.map_err(|error| self.log.store().name_file(error))
    }

    /// Opens the replica's file again after [`Replica::release_store`], and ingests the operations that another process
    /// has appended meanwhile, as [`Replica::catch_up`] does. Returns their count. The time that this takes depends on
    /// that count, not on the length of the log: only the head of the log is compared. Damage to the rest is found when
    /// it is read.
    ///
    /// # Errors
    ///
    /// [`OpenError::Store`] with [`StoreError::Moved`] if the path names another file now, with [`StoreError::Locked`]
    /// or [`StoreError::OpenHere`] if somebody else has the file open, and others; the file stays released. If only the
    /// new operations cannot be taken in, the file is open, and the errors are those of [`Replica::catch_up`].
    pub fn reacquire_store(&mut self, now: WallMillis) -> Result<usize, OpenError> {
        self.log.check_usable()?;
        let opened = self.log.store_mut().reacquire();
        opened.map_err(|error| self.log.store().name_file(error))?;
        self.catch_up(now)
    }

    /// Reads the records from `first` up to the head that another process has stored.
    fn read_newer(&self, first: OpSeq) -> Result<Option<(Vec<Records>, Head)>, OpenError> {
        let store = self.log.store();
        let Some(mut head) = store.newer()? else { return Ok(None) };
        let (mut pages, mut next) = (Vec::new(), first);
        loop {
            let page = store.page(next)?;
            next = page.end();
            if page.count() > 0 {
                pages.push(page);
                continue;
            }
            if next.get() == head.count {
                return Ok(Some((pages, head)));
            }
            // Another process may have committed after the head or the last page was read.
            match store.newer()?.filter(|newer| *newer != head) {
                Some(newer) => head = newer,
                None => return Err(wrong_count(next.get(), head.count).into()),
            }
        }
    }

    /// Merges the operations from `first` on and adopts the clock state of the process that appended them.
    fn merge_appended(&mut self, first: OpSeq, now: WallMillis, theirs: StoredClock) {
        if theirs.was_reset && !self.clock_was_reset {
            self.clock_was_reset = true;
            let horizon = self.believed_horizon(now).max(theirs.horizon);
            self.hold_after(horizon.unwrap_or(WallMillis(0)));
        }
        self.advance_horizon(self.horizon_at(now).max(theirs.horizon));
        for seq in first.until(self.log.index().end()) {
            self.admit(seq);
        }
    }

    /// Opens the store and takes over the log that it holds.
    pub(super) fn restore(
        &mut self,
        now: WallMillis,
        expected: Expected,
        open: impl FnOnce() -> Result<Box<dyn Store>, StoreError>,
    ) -> Result<(), OpenError> {
        self.check_before_reading(now, &expected)?;
        let mut store = OpStore::open(self.crypto, open()?, self.log.space(), expected.seal_key)?;
        let first_seal = self.read_log(&mut store, expected.at_least)?;
        self.refuse_copied_actor(store.ledger())?;
        self.merge_restored(now, store.ledger().head().clock);
        self.restore_peers(store.notes().as_deref());
        self.log.keep_in(store);
        // Operations that have become due are shown from now on, so they must be at the next opening.
        let mut clock = self.stored_clock();
        let mut settled = self.log.store_mut().settle(first_seal, clock);
        while settled == Err(StoreError::Conflict) && self.log.store().newer()?.is_some() {
            // Another process has committed meanwhile. A first seal does not cover its operations.
            self.take_appended(now)?;
            clock = self.stored_clock();
            settled = self.log.store_mut().settle(None, clock);
        }
        Ok(settled?)
    }

    /// Returns an error for options that contradict each other.
    pub(super) fn check_before_reading(&self, now: WallMillis, expected: &Expected) -> Result<(), OpenError> {
        if now > WallMillis::MAX {
            return Err(OpenError::Clock(HlcError::WallOutOfRange { now }));
        }
        if self.accepts_unverified() && expected.seal_key.is_some() {
            return Err(OpenError::SealUnverified);
        }
        Ok(())
    }

    /// Reads all operations into the log. Returns its first seal, where it has none and there is a key.
    fn read_log(
        &mut self,
        store: &mut OpStore,
        at_least: Option<LogDigest>,
    ) -> Result<Option<Seal>, OpenError> {
        let mut reading = Reading::new(self, store.ledger(), at_least);
        self.read_pages(store, &mut reading)?;
        // Another process may have appended meanwhile.
        while self.log.index().len() != store.ledger().count()
            && let Some(head) = store.newer()?
        {
            store.advance(head);
            self.read_pages(store, &mut reading)?;
        }
        reading.end(self, store.ledger()).map_err(|error| match error {
            OpenError::Store(StoreError::Corrupt { place: Place::Seal, .. }) => self.locate(store, error),
            _ => error,
        })
    }

    fn read_pages(&mut self, store: &OpStore, reading: &mut Reading) -> Result<(), OpenError> {
        loop {
            let page = store.page(self.log.index().end())?;
            if page.count() == 0 {
                return Ok(());
            }
            let records: Vec<Record<'_>> = page.iter().collect();
            reading.take(self, store.ledger(), &records, true)?;
        }
    }

    /// Finds the operation because of which the seal does not fit, by its signature, if there is one.
    fn locate(&mut self, store: &OpStore, error: OpenError) -> OpenError {
        let mut reading = Reading::with(self, store.ledger(), Evidence::Signature, None);
        match self.read_pages(store, &mut reading) {
            Err(place @ OpenError::Store(_)) => place,
            _ => error,
        }
    }

    fn verify_records<'p>(
        &self,
        records: &[Record<'p>],
        evidence: Evidence,
    ) -> Result<Vec<PermittedOp<'p>>, OpenError> {
        let (crypto, space, keys) = (self.crypto, self.log.space(), &self.keys);
        let verify = |scratch: &mut Scratch, record: &Record<'p>| {
            let seq = record.first;
            let damaged = |damage| OpenError::Store(StoreError::operation(seq, damage));
            let (hash, form): (OpHash, &'p [u8]) = read_whole(record.bytes).map_err(damaged)?;
            let signed = decode(form, space).map_err(damaged)?;
            let hashed = recompute(crypto, hash, signed, scratch).map_err(damaged)?;
            match evidence {
                Evidence::Seal => Ok(VerifiedOp::stored_before(hashed)),
                Evidence::None => Ok(VerifiedOp::dangerously_unverified(hashed)),
                Evidence::Signature => keys.verify_hashed(&crypto, hashed).map_err(|error| match error {
                    VerifyError::UnknownKey { actor, kid } => OpenError::UnknownKey { seq, actor, kid },
                    error => damaged(error.into()),
                }),
            }
        };
        let verified = self.threads.map(records, Scratch::default, |scratch, group, verified| {
            verified.extend(group.iter().map(|record| verify(scratch, record)));
        });
        verified.into_iter().map(|op| op.map(PermittedOp::unguarded)).collect()
    }

    /// Returns an error if operations of the replica's actor came with a backup: since it was made the actor may have
    /// written more, and would use the same timestamps again.
    pub(super) fn refuse_copied_actor(&self, ledger: &Ledger) -> Result<(), OpenError> {
        let (Some(actor), Some(copied)) = (self.actor(), ledger.head().copied) else { return Ok(()) };
        let index = self.log.index();
        let end = OpSeq::new(copied).min(index.end());
        match OpSeq::FIRST.until(end).any(|seq| index.actor(seq) == actor) {
            true => Err(OpenError::RestoredBackup { actor: Excerpt::of(actor) }),
            false => Ok(()),
        }
    }

    /// Computes clock and state from the log, the stored state of the clock and the time.
    pub(super) fn merge_restored(&mut self, now: WallMillis, stored: StoredClock) {
        self.note_clock(now);
        self.clock_was_reset = stored.was_reset;
        let index = self.log.index();
        let is_own = |seq: &OpSeq| Some(index.actor(*seq)) == self.actor();
        // Stores of earlier versions have no horizon: what this actor wrote was merged.
        let own = index.seqs().filter(is_own).map(|seq| WallMillis(index.ts(seq).t())).max();
        let own = own.filter(|_| !stored.was_reset);
        let horizon = self.horizon_at(now).max(stored.horizon).max(own);
        let (state, greatest) = State::restored(self.log.index(), horizon);
        self.state = state;
        if let Some(greatest) = greatest {
            self.clock.observe(self.log.index().ts(greatest));
        }
    }
}
