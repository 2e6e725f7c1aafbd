//! A whole store checked, with everything that is wrong with it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::fault::{check_fault, fault};
use super::seal::Sealing;
use super::{Meta, decode, place, recompute, rows, schema, settings};
use crate::codec::{OpHash, OpHashSet, Scratch};
use crate::crypto::{Sodium, Zeroizing};
use crate::guard::PermittedOp;
use crate::keys::{KeyRegistry, VerifiedOp, VerifyError};
use crate::op::{OpSeq, SignedOpRef};
use crate::store::{Damage, Place, StoreError};

/// Operations that are looked at together.
const BATCH: u32 = 1000;
/// Bytes that a row takes at least: a bound on how many there can be, whatever the file says.
const LEAST_ROW_BYTES: u64 = 128;
/// Faults that SQLite's own check may report.
const MAX_CHECK_FINDINGS: u32 = 100;

/// Checks a store in a file that nobody has open, without changing what it holds: everything, not only up to the first
/// fault.
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
    space: Option<Box<str>>,
    seal_key: Option<Zeroizing<[u8; 32]>>,
}

/// What a check of a store found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreReport {
    /// How many operations are there and verified.
    pub verified: u32,
    /// Whether the seal fits the operations; `None` where there is no seal, or no key to check it with.
    pub sealed: Option<bool>,
    /// Everything that is wrong, or cannot be told.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub damage: Damage,
}

impl<'k> StoreCheck<'k> {
    /// A check of the store at `path`, which holds operations without a space, against these keys.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, keys: &'k KeyRegistry) -> Self {
        Self { path: path.as_ref().to_owned(), keys, space: None, seal_key: None }
    }

    /// The space that the operations should belong to.
    #[must_use]
    pub fn space(mut self, space: &str) -> Self {
        self.space = Some(space.into());
        self
    }

    /// The key of the seal. A seal that fits stands for signatures by keys that are not known.
    #[must_use]
    pub fn seal_key(mut self, key: [u8; 32]) -> Self {
        self.seal_key = Some(Zeroizing::new(key));
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read at all: it is locked, another program's, or the disk fails.
    pub fn verify(&self, crypto: Sodium) -> Result<StoreReport, StoreError> {
        self.walk(crypto, |_| Ok(()))
    }

    pub(super) fn space_name(&self) -> Option<&str> {
        self.space.as_deref()
    }

    /// Checks everything, and hands on what is good, in the order of arrival.
    pub(super) fn walk(
        &self,
        crypto: Sodium,
        mut sink: impl FnMut(&[PermittedOp<'_>]) -> Result<(), StoreError>,
    ) -> Result<StoreReport, StoreError> {
        let mut findings = Findings(Vec::new());
        let store = self.open(crypto, &mut findings)?;
        let mut report = StoreReport { verified: 0, sealed: store.sealed, findings: Vec::new() };
        if store.sealed == Some(false) {
            findings.add(Place::Seal, Damage::Seal);
        }
        let mut known = OpHashSet::default();
        let mut first = OpSeq::FIRST;
        while first < store.end {
            let next = first.checked_add(BATCH).map_or(store.end, |next| next.min(store.end));
            let mut stored: Vec<(OpSeq, OpHash, Vec<u8>)> = Vec::new();
            for seq in first.until(next) {
                let mut bytes = Vec::new();
                match findings.take(rows::one(&store.connection, seq, &mut bytes))? {
                    Some(hash) => stored.push((seq, hash, bytes)),
                    None => continue,
                }
            }
            let mut good = Vec::new();
            for (seq, hash, bytes) in &stored {
                let checked = self.check(&store, *hash, bytes).and_then(|op| match known.insert(*hash) {
                    true => Ok(op),
                    false => Err(Damage::Duplicate),
                });
                match checked {
                    Ok(op) => good.push(PermittedOp::unguarded(op)),
                    Err(damage) => findings.add(Place::Operation { seq: *seq }, damage),
                }
            }
            sink(&good)?;
            report.verified = report.verified.saturating_add(u32::try_from(good.len()).unwrap_or(u32::MAX));
            first = next;
        }
        report.findings = findings.0;
        Ok(report)
    }

    /// Opens the file, believing as little as possible.
    fn open(&self, crypto: Sodium, findings: &mut Findings) -> Result<Opened, StoreError> {
        let len = match place::len(&self.path)? {
            None => return Err(StoreError::FileSystem { kind: std::io::ErrorKind::NotFound }),
            Some(0) => return Err(StoreError::Corrupt { place: Place::File, damage: Damage::Empty }),
            // After a crash most of it may still be in the journal.
            Some(len) => len + place::len(&place::beside(&self.path, "-wal"))?.unwrap_or(0),
        };
        let connection = settings::connect(&self.path, false)?;
        findings.take(schema::check(&connection))?;
        for fault in findings.take(check_pages(&connection))?.unwrap_or_default() {
            findings.take::<()>(Err(fault))?;
        }
        let meta = findings.take(Meta::read(&connection, self.space.as_deref()))?;
        let last = connection.query_row("SELECT max(arrival) FROM ops", [], |row| row.get(0));
        let last: Option<i64> = findings.take(last.map_err(fault))?.flatten();
        let present = last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last.saturating_add(1));
        let claimed = meta.as_ref().map_or(0, |meta| u64::from(meta.count));
        if meta.is_some() && present > claimed {
            findings.add(Place::Meta, Damage::Unexpected);
        }
        let unreadable = if last.is_none() && meta.is_none() { u64::MAX } else { 0 };
        let end = present.max(claimed).max(unreadable).min(len / LEAST_ROW_BYTES + 1);
        if end < present.max(claimed) {
            findings.add(Place::Meta, Damage::Missing);
        }
        let end = OpSeq::new(u32::try_from(end).unwrap_or(u32::MAX - 1));
        let mut store = Opened { connection, crypto, end, sealed: None };
        if let (Some(key), Some(seal)) = (&self.seal_key, meta.and_then(|meta| meta.seal)) {
            let sealing = Sealing::new(crypto, key.clone());
            let fits = store.seal(&sealing, self.space.as_deref())?;
            store.sealed = Some(fits.is_some_and(|computed| sealing.is_same(&computed, &seal)));
        }
        Ok(store)
    }

    fn check<'b>(&self, store: &Opened, hash: OpHash, bytes: &'b [u8]) -> Result<VerifiedOp<'b>, Damage> {
        let mut scratch = Scratch::default();
        let hashed = recompute(store.crypto, hash, decode(bytes, self.space.as_deref())?, &mut scratch)?;
        if store.sealed == Some(true) {
            return Ok(VerifiedOp::under_seal(hashed));
        }
        self.keys.verify_hashed(&store.crypto, hashed).map_err(|error| match error {
            VerifyError::UnknownKey { actor, kid } => Damage::UnknownKey { actor, kid },
            VerifyError::BadSignature => Damage::Signature,
            VerifyError::Op(error) => Damage::Decode(error.into()),
        })
    }
}

/// A store that is being checked.
struct Opened {
    connection: Connection,
    crypto: Sodium,
    /// Behind the last number that there may be.
    end: OpSeq,
    sealed: Option<bool>,
}

impl Opened {
    /// The seal over what is there, if all of it can be read.
    fn seal(&self, sealing: &Sealing, space: Option<&str>) -> Result<Option<[u8; 32]>, StoreError> {
        let mut seal = sealing.start(space);
        let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
        for seq in OpSeq::FIRST.until(self.end) {
            let hash = match rows::one(&self.connection, seq, &mut bytes) {
                Ok(hash) => hash,
                Err(StoreError::Corrupt { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let Ok(signed) = SignedOpRef::from_binary(&bytes) else { return Ok(None) };
            seal = sealing.after(&seal, &hash, signed, &mut scratch);
        }
        Ok(Some(seal))
    }
}

/// What is wrong, as it is found.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, place: Place, damage: Damage) {
        self.0.push(Finding { place, damage });
    }

    /// Notes damage and goes on without what it was met at; other errors end the check.
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

/// All that SQLite's own check finds, up to a limit.
fn check_pages(connection: &Connection) -> Result<Vec<StoreError>, StoreError> {
    let sql = format!("PRAGMA integrity_check({MAX_CHECK_FINDINGS})");
    let mut statement = connection.prepare(&sql).map_err(fault)?;
    let faults = statement.query_map([], |row| row.get::<_, String>(0)).map_err(fault)?;
    let faults: rusqlite::Result<Vec<String>> = faults.collect();
    Ok(faults.map_err(fault)?.iter().filter(|fault| *fault != "ok").map(|line| check_fault(line)).collect())
}
