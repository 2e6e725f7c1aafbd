//! Replicas whose operations an asynchronous host saves.

use super::restore::Reading;
use super::{OpenError, Replica, ReplicaOptions};
use crate::codec::OpHash;
use crate::hlc::WallMillis;
use crate::op::{OpSeq, SignedOp};
use crate::store::{Head, Ledger, Record, RecordForm, Records, Seal, StoreError};

/// The part of a log that is saved.
pub(super) struct Journal {
    ledger: Ledger,
    /// A first seal over operations that were verified, which is still to be saved.
    first_seal: Option<Seal>,
    /// The head that is being saved.
    in_flight: Option<Head>,
}

/// A change that the host must save in one commit, like [`Commit`](crate::store::Commit): all of it or nothing, and
/// only if the stored head is [`known`](Self::known).
///
/// Tell the replica the outcome with [`Replica::confirm`], [`Replica::save_failed`] or [`Replica::save_unknown`].
#[must_use = "the replica waits for the outcome of saving it"]
pub struct Unsaved {
    known: Option<Vec<u8>>,
    head: Vec<u8>,
    records: Records,
}

impl Unsaved {
    /// Returns the head that is stored, `None` for a new log.
    #[must_use]
    pub fn known(&self) -> Option<&[u8]> {
        self.known.as_deref()
    }

    /// Returns the new head.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Returns the records to append.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.iter()
    }
}

/// The reason why a call about saving operations failed. The replica is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The replica was not opened with [`Restoring`].
    #[error("the replica has no journal")]
    NoJournal,
    /// The change is not the one that is being saved.
    #[error("these operations are not being saved")]
    NotInFlight,
    /// Operations are being saved: their outcome must be known first.
    #[error("operations are being saved")]
    InFlight,
    /// The operations could not be read, or the replica is closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A replica with a journal while its log is read back, in pieces that the caller chooses.
///
/// The replica keeps its log in memory, and the host saves it where and when it likes: in a browser's IndexedDB, on a
/// server. Like a store's, the saved bytes are not trusted: every signature is verified again, or a
/// [`seal_key`](ReplicaOptions::seal_key) proves that it was done before. Rust only; C has no journal.
///
/// Writes and ingests happen in memory at once. Sessions, pushes, bundles and the pages of a cursor contain only
/// operations that are confirmed to be saved, because after a crash this actor would use the timestamps of the others
/// again. For the same reason, do not send the operation that a write returns before it is confirmed, nor the answer of
/// a [`Responder`](crate::Responder) before the operations that it acknowledges are. The methods of [`Replica::log`],
/// and so [`OpLog::digest`](crate::OpLog::digest), include operations that are not confirmed.
///
/// ```
/// use policysync::replica::Restoring;
/// use policysync::store::Record;
/// use policysync::{ReplicaOptions, SigningSecretKey, WallMillis};
///
/// let now = WallMillis(1_760_000_000_000);
/// let alice = SigningSecretKey::generate("alice")?;
/// let options = ReplicaOptions::new().write_as(alice);
///
/// // From the host's database: the head, and the records in order, in one piece or several.
/// let (head, records): (Option<&[u8]>, Vec<Record>) = (None, Vec::new());
/// let mut replica = Restoring::new(options, head, now)?.take(&records)?.finish()?;
///
/// replica.set(now, ("Task", "t1", "title"), "Hello world")?;
/// while let Some(unsaved) = replica.unsaved(1 << 20)? {
///     // Here the host saves `unsaved.head()` and `unsaved.records()`.
///     replica.confirm(&unsaved)?;
/// }
/// assert_eq!(replica.log().cursor().position(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the replica is returned by finish"]
pub struct Restoring {
    replica: Replica,
    ledger: Ledger,
    reading: Reading,
    now: WallMillis,
}

impl Restoring {
    /// Begins with the stored head, `None` for a new log. `now` is the present time: operations that are stamped later
    /// than this and the drift are held.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the options contradict each other or the head is damaged.
    pub fn new(mut options: ReplicaOptions, head: Option<&[u8]>, now: WallMillis) -> Result<Self, OpenError> {
        if options.restore.is_some() {
            return Err(OpenError::TwoStores);
        }
        let expected = std::mem::take(&mut options.stored.expected);
        let mut replica = Replica::open(options)?;
        replica.check_before_reading(now, &expected)?;
        let head = head.map(<[u8]>::to_vec);
        let ledger = Ledger::open(replica.crypto, head, replica.log.space(), expected.seal_key)?;
        let reading = Reading::new(&mut replica, &ledger, expected.at_least);
        Ok(Self { replica, ledger, reading, now })
    }

    /// Returns the number of the first operation of the next record.
    #[must_use]
    pub fn next(&self) -> OpSeq {
        self.replica.log.index().end()
    }

    /// Returns the count of all operations, as the head says.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.ledger.head().count
    }

    /// Reads the next records. Some thousand at a time are faster than single ones.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when a record is missing or damaged, or its signature cannot be verified.
    pub fn take(mut self, records: &[Record<'_>]) -> Result<Self, OpenError> {
        for (seq, record) in self.next().onwards().zip(records) {
            record.check_number(seq)?;
        }
        self.reading.take(&mut self.replica, &self.ledger, records, false)?;
        Ok(self)
    }

    /// Ends reading and returns the replica.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when operations are missing, the seal does not fit, or this is a backup of the replica's actor.
    pub fn finish(self) -> Result<Replica, OpenError> {
        let Self { mut replica, ledger, reading, now } = self;
        let first_seal = reading.end(&replica, &ledger)?;
        replica.refuse_copied_actor(&ledger)?;
        replica.merge_restored(now, ledger.head().clock);
        replica.log.confirm(replica.log.index().end());
        replica.journal = Some(Journal { ledger, first_seal, in_flight: None });
        Ok(replica)
    }
}

impl Replica {
    /// Returns the next change to save: operations in the order of arrival, at least one and more until their records
    /// have `max_bytes`; or only a seal or a state of the clock. `None` when everything is saved.
    ///
    /// # Errors
    ///
    /// [`JournalError::InFlight`] until the outcome of the previous change is known, [`JournalError::Store`] with
    /// [`StoreError::OutcomeUnknown`] for a closed replica, and [`JournalError::NoJournal`].
    pub fn unsaved(&mut self, max_bytes: usize) -> Result<Option<Unsaved>, JournalError> {
        self.log.check_open()?;
        let clock = self.stored_clock();
        let journal = self.journal.as_mut().ok_or(JournalError::NoJournal)?;
        if journal.in_flight.is_some() {
            return Err(JournalError::InFlight);
        }
        let first = self.log.confirmed();
        let mut records = Records::empty(first);
        let head = if journal.first_seal.is_some() {
            journal.ledger.settled(journal.first_seal, clock)
        } else {
            let mut ops: Vec<(OpHash, SignedOp)> = Vec::new();
            for seq in first.until(self.log.index().end()) {
                let hash = *self.log.index().hash(seq);
                let op = self.log.read(seq)?;
                records.push(RecordForm::Whole, &hash, op.as_ref());
                ops.push((hash, op));
                if records.len() >= max_bytes {
                    break;
                }
            }
            if ops.is_empty() && clock == journal.ledger.head().clock {
                return Ok(None);
            }
            Some(journal.ledger.after(ops.iter().map(|(hash, op)| (*hash, op.as_ref())), clock)?)
        };
        let Some(head) = head else { return Ok(None) };
        let known = journal.ledger.stored().map(<[u8]>::to_vec);
        let unsaved = Unsaved { known, head: head.encode(self.crypto), records };
        journal.in_flight = Some(head);
        Ok(Some(unsaved))
    }

    /// Notes that these operations are saved and survive a crash: from now on others may have them.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when they are not being saved.
    pub fn confirm(&mut self, saved: &Unsaved) -> Result<(), JournalError> {
        let head = self.take_in_flight(saved)?;
        let journal = self.journal.as_mut().ok_or(JournalError::NoJournal)?;
        if head.seal.is_some() {
            journal.first_seal = None;
        }
        self.log.confirm(OpSeq::new(head.count));
        journal.ledger.advance(head);
        Ok(())
    }

    /// Notes that saving these operations has **certainly** failed: the host's transaction was aborted. They are to be
    /// saved again ([`Replica::unsaved`]), or taken back ([`Replica::take_back`]).
    ///
    /// # Errors
    ///
    /// [`JournalError`] when they are not being saved.
    pub fn save_failed(&mut self, failed: &Unsaved) -> Result<(), JournalError> {
        self.take_in_flight(failed).map(drop)
    }

    /// Closes the replica after a save with an unknown outcome. Reading still works; writes and
    /// ingests end with [`StoreError::OutcomeUnknown`]. Open it again from what the host has stored: an actor that
    /// continued here might use a timestamp twice.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when they are not being saved.
    pub fn save_unknown(&mut self, lost: &Unsaved) -> Result<(), JournalError> {
        self.take_in_flight(lost)?;
        self.log.close();
        Ok(())
    }

    /// Removes all unsaved operations, as if they had never been added. The fields whose winner changes are returned
    /// by the next [`Replica::poll`]. The clock does not go back, so no timestamp is used twice. Sessions that were
    /// begun end with [`SyncError::OtherReplica`](crate::SyncError::OtherReplica). Costs as much as reading the log
    /// back under a seal. Returns the count of operations.
    ///
    /// # Errors
    ///
    /// [`JournalError::InFlight`] while operations are being saved, [`JournalError::Store`] for a closed replica.
    pub fn take_back(&mut self) -> Result<usize, JournalError> {
        self.log.check_open()?;
        let journal = self.journal.as_ref().ok_or(JournalError::NoJournal)?;
        if journal.in_flight.is_some() {
            return Err(JournalError::InFlight);
        }
        let end = self.log.confirmed();
        let gone = self.log.index().len() - end.get();
        if gone == 0 {
            return Ok(0);
        }
        self.log.cut(end, self.threads)?;
        self.state.compute_again(self.log.index(), self.state.horizon());
        self.log.end_change();
        Ok(crate::packed::index(gone))
    }

    /// Takes the change in flight and returns its head.
    fn take_in_flight(&mut self, unsaved: &Unsaved) -> Result<Head, JournalError> {
        let journal = self.journal.as_mut().ok_or(JournalError::NoJournal)?;
        let crypto = self.crypto;
        let is_same = |head: &mut Head| head.encode(crypto) == unsaved.head;
        journal.in_flight.take_if(is_same).ok_or(JournalError::NotInFlight)
    }
}
