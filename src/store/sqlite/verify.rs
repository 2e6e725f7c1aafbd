//! The check of a whole store.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::fault::{check_fault, fault};
use super::{opened_here, place, read_head, rows, schema, settings, v1};
use crate::codec::{OpHash, OpHashSet, Scratch};
use crate::crypto::{Sodium, Zeroizing};
use crate::guard::PermittedOp;
use crate::keys::{KeyRegistry, VerifiedOp};
use crate::op::{OpSeq, SignedOpRef};
use crate::store::{Damage, Ledger, Place, Record, Seal, StoreError, decode, read_whole, recompute};

/// The count of operations that are checked together.
const BATCH: u32 = 1000;
/// The least length of a row, in bytes: a bound on the count of rows, whatever the file says.
const LEAST_ROW_BYTES: u64 = 128;
/// The most faults that SQLite's own check may report.
const MAX_CHECK_FINDINGS: u32 = 100;

/// Checks a store in a file that is not open, without changing it: everything, not only up to the first fault.
///
/// ```
/// # use policysync::{Replica, ReplicaOptions, WallMillis};
/// use policysync::KeyRegistry;
/// use policysync::crypto::Sodium;
/// use policysync::store::StoreCheck;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("household.db");
/// # drop(Replica::open(ReplicaOptions::new().path(&path, WallMillis(1_760_000_000_000)))?);
/// let keys = KeyRegistry::new();
/// let report = StoreCheck::new(&path, &keys).verify(Sodium::new()?)?;
/// assert!(report.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StoreCheck<'k> {
    path: PathBuf,
    keys: &'k KeyRegistry,
    pub(super) space: Option<Box<str>>,
    seal_key: Option<Zeroizing<[u8; 32]>>,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreReport {
    /// The count of operations that verify.
    pub verified: u32,
    /// True if the seal fits the operations; `None` where there is no seal, or no key to check it with.
    pub sealed: Option<bool>,
    /// Everything that is wrong or cannot be checked.
    pub findings: Vec<Finding>,
}

/// A fault of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The damaged place.
    pub place: Place,
    /// The damage.
    pub damage: Damage,
}

impl<'k> StoreCheck<'k> {
    /// Creates a check of the store at `path`, which holds operations without a space, against these keys.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, keys: &'k KeyRegistry) -> Self {
        Self { path: path.as_ref().to_owned(), keys, space: None, seal_key: None }
    }

    /// Sets the space that the operations should belong to.
    #[must_use]
    pub fn space(mut self, space: &str) -> Self {
        self.space = Some(space.into());
        self
    }

    /// Sets the key of the seal. A seal that fits replaces signatures by keys that are not known.
    #[must_use]
    pub fn seal_key(mut self, key: [u8; 32]) -> Self {
        self.seal_key = Some(Zeroizing::new(key));
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read at all: it is locked, belongs to another program, or the disk fails.
    pub fn verify(&self, crypto: Sodium) -> Result<StoreReport, StoreError> {
        let walked = self.walk(crypto, |_| Ok(())).map(|(report, _)| report);
        walked.map_err(|error| error.in_file(&self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks everything, and passes on the good operations, in the order of arrival. For a backup, also returns the
    /// number of them that it had when it was made.
    pub(super) fn walk(
        &self,
        crypto: Sodium,
        mut sink: impl FnMut(&[PermittedOp<'_>]) -> Result<(), StoreError>,
    ) -> Result<(StoreReport, Option<u32>), StoreError> {
        let mut findings = Findings(Vec::new());
        let store = self.open(crypto, &mut findings)?;
        let mut report = StoreReport { verified: 0, sealed: store.sealed, findings: Vec::new() };
        if store.sealed == Some(false) {
            findings.add(Place::Seal, Damage::Seal);
        }
        let mut copied = store.copied.map(|_| 0_u32);
        let mut known = OpHashSet::default();
        let mut first = 0;
        while first < store.end {
            let next = store.end.min(first.saturating_add(BATCH));
            let mut stored: Vec<(OpSeq, Vec<u8>)> = Vec::new();
            for seq in OpSeq::new(first).until(OpSeq::new(next)) {
                let mut bytes = Vec::new();
                if findings.take(store.read(seq, &mut bytes))?.is_some() {
                    stored.push((seq, bytes));
                }
            }
            let mut good = Vec::new();
            for (seq, bytes) in &stored {
                let checked = self.check(&store, bytes).and_then(|op| match known.insert(op.hash()) {
                    true => Ok(op),
                    false => Err(Damage::Duplicate),
                });
                match checked {
                    Ok(op) => {
                        let is_copied = store.copied.is_some_and(|end| seq.get() < end);
                        copied = copied.map(|count| count.saturating_add(is_copied.into()));
                        good.push(PermittedOp::unguarded(op));
                    }
                    Err(damage) => findings.add(Place::Operation { seq: *seq }, damage),
                }
            }
            sink(&good)?;
            report.verified = report.verified.saturating_add(u32::try_from(good.len()).unwrap_or(u32::MAX));
            first = next;
        }
        report.findings = findings.0;
        Ok((report, copied))
    }

    /// Opens the file, trusting as little as possible.
    fn open(&self, crypto: Sodium, findings: &mut Findings) -> Result<Opened, StoreError> {
        let len = match place::len(&self.path)? {
            None => return Err(StoreError::FileSystem { kind: std::io::ErrorKind::NotFound }),
            Some(0) => return Err(StoreError::Corrupt { place: Place::File, damage: Damage::Empty }),
            // After a crash most of it may still be in the journal.
            Some(len) => len + place::len(&place::beside(&self.path, "-wal"))?.unwrap_or(0),
        };
        let connection = settings::connect(&self.path, settings::Links::Followed)
            .map_err(|error| opened_here::explain(error, &self.path))?;
        let version = findings.take(schema::version(&connection))?.unwrap_or(schema::VERSION);
        findings.take(schema::check(&connection, version))?;
        for fault in findings.take(check_pages(&connection))?.unwrap_or_default() {
            findings.take::<()>(Err(fault))?;
        }
        if version == 1 {
            v1::show_records(&connection)?;
        }
        let space = self.space.as_deref();
        let ledger = read_head(&connection, version)
            .and_then(|head| Ledger::examine(crypto, head, space, self.seal_key.clone()));
        let ledger = findings.take(ledger)?;
        let last = connection.query_row("SELECT max(first) FROM records", [], |row| row.get(0));
        let last: Option<i64> = findings.take(last.map_err(fault))?.flatten();
        let present = last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last.saturating_add(1));
        let claimed = ledger.as_ref().map_or(0, |ledger| u64::from(ledger.count()));
        if ledger.is_some() && present > claimed {
            findings.add(Place::Head, Damage::Unexpected);
        }
        let unreadable = if last.is_none() && ledger.is_none() { u64::MAX } else { 0 };
        let end = present.max(claimed).max(unreadable).min(len / LEAST_ROW_BYTES + 1);
        if end < present.max(claimed) {
            findings.add(Place::Head, Damage::Missing);
        }
        let end = u32::try_from(end).unwrap_or(u32::MAX - 1);
        // Without a head nobody knows whether it was a backup.
        let copied = ledger.as_ref().map_or(Some(u32::MAX), |ledger| ledger.head().copied);
        let mut store = Opened { connection, crypto, end, sealed: None, copied };
        if let Some(ledger) = ledger.filter(Ledger::is_sealed) {
            let (head, seal) = (ledger.head(), store.seal(&ledger, space)?);
            let of_clock = ledger.check_clock_seal(head);
            if of_clock == Err(StoreError::WrongSealKey) {
                return Err(StoreError::WrongSealKey);
            }
            store.sealed = Some(
                of_clock.is_ok() && seal.is_some_and(|computed| ledger.check_seal(head, &computed).is_ok()),
            );
        }
        Ok(store)
    }

    fn check<'b>(&self, store: &Opened, bytes: &'b [u8]) -> Result<VerifiedOp<'b>, Damage> {
        let (hash, form) = read_whole(bytes)?;
        let mut scratch = Scratch::default();
        let hashed = recompute(store.crypto, hash, decode(form, self.space.as_deref())?, &mut scratch)?;
        if store.sealed == Some(true) {
            return Ok(VerifiedOp::stored_before(hashed));
        }
        Ok(self.keys.verify_hashed(&store.crypto, hashed)?)
    }
}

/// A store that is being checked.
struct Opened {
    connection: Connection,
    crypto: Sodium,
    /// The number after the last that there may be.
    end: u32,
    sealed: Option<bool>,
    /// In a backup, the count of operations when it was made.
    copied: Option<u32>,
}

impl Opened {
    /// Reads the record of one operation.
    fn read(&self, seq: OpSeq, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        let damage = match rows::read(&self.connection, seq, bytes)? {
            Some(Record { first, count: 1, .. }) if first == seq => return Ok(()),
            Some(_) => Damage::Unexpected,
            None => Damage::Missing,
        };
        Err(StoreError::operation(seq, damage))
    }

    /// Computes the seal over the operations that are there, if all of them can be read.
    fn seal(&self, ledger: &Ledger, space: Option<&str>) -> Result<Option<Seal>, StoreError> {
        let Some(sealing) = ledger.sealing() else { return Ok(None) };
        let mut seal = sealing.start(space, ledger.has_old_seal());
        let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
        for seq in OpSeq::FIRST.until(OpSeq::new(self.end)) {
            match self.read(seq, &mut bytes) {
                Ok(()) => {}
                Err(StoreError::Corrupt { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
            let read: Result<(OpHash, SignedOpRef<'_>), Damage> =
                read_whole(&bytes).and_then(|(hash, form)| Ok((hash, SignedOpRef::from_binary(form)?)));
            let Ok((hash, signed)) = read else { return Ok(None) };
            seal = sealing.after(&seal, &hash, signed, &mut scratch);
        }
        Ok(Some(seal))
    }
}

/// The faults that were found so far.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, place: Place, damage: Damage) {
        self.0.push(Finding { place, damage });
    }

    /// Notes damage and continues without the place; other errors end the check.
    fn take<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { place, damage }) => {
                self.add(place, damage);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Returns the faults that SQLite's own check finds, up to a limit.
fn check_pages(connection: &Connection) -> Result<Vec<StoreError>, StoreError> {
    let sql = format!("PRAGMA integrity_check({MAX_CHECK_FINDINGS})");
    let mut statement = connection.prepare(&sql).map_err(fault)?;
    let faults = statement.query_map([], |row| row.get::<_, String>(0)).map_err(fault)?;
    let faults: rusqlite::Result<Vec<String>> = faults.collect();
    Ok(faults.map_err(fault)?.iter().filter(|fault| *fault != "ok").map(|line| check_fault(line)).collect())
}
