//! The store in an SQLite file.

mod backup;
mod create;
mod fault;
mod handle;
mod notes;
mod opened_here;
mod place;
mod rows;
mod salvage;
mod schema;
mod settings;
mod v1;
mod verify;

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{Cause, Commit, Damage, Place, Record, Store, StoreError};
use crate::op::OpSeq;
use fault::fault;
use opened_here::OpenedHere;
use place::FileId;

pub use salvage::Salvaged;
pub use settings::Durability;
pub use verify::{Finding, StoreCheck, StoreReport};

/// A store in an SQLite file: durable, for one replica at a time.
/// [`ReplicaOptions::path`](crate::ReplicaOptions::path) opens a replica over one.
pub struct SqliteStore {
    connection: handle::Handle,
    /// The absolute path: the working directory may change.
    path: PathBuf,
    /// The identity of the file.
    file: FileId,
    access: Access,
    /// The files, of a store that is written and not released.
    opened: Option<(place::Opened, OpenedHere)>,
    /// The version of the schema.
    version: i32,
}

/// The use of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Reading,
    Writing(Durability),
}

/// The time of opening: a store is checked as a whole the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    First,
    Again,
}

impl SqliteStore {
    /// Opens the store at `path`, or creates one where there is no file. A file of an older version of this library is
    /// converted first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be opened, is another program's, or its database is damaged.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Self, StoreError> {
        let path = std::path::absolute(path)?;
        if place::len(&path)?.is_none() {
            create::create(&path).map_err(|error| opened_here::explain(error, &path))?;
        }
        Self::open_as(path, Access::Writing(durability), Opening::First)
    }

    fn open_as(path: PathBuf, access: Access, opening: Opening) -> Result<Self, StoreError> {
        let opened = Self::open_file(&path, access, opening);
        let (connection, opened, version) = opened.map_err(|error| opened_here::explain(error, &path))?;
        let (connection, file) = (handle::Handle::new(connection), place::id(&path)?);
        Ok(Self { connection, path, file, access, opened, version })
    }

    fn open_file(path: &Path, access: Access, opening: Opening) -> Result<Parts, StoreError> {
        check_len(path)?;
        let mut connection = match access {
            Access::Reading => settings::connect_read_only(path)?,
            Access::Writing(_) => settings::connect(path, settings::Links::Followed)?,
        };
        let version = schema::version(&connection)?;
        schema::check(&connection, version)?;
        if opening == Opening::First {
            check_pages(&connection)?;
        }
        let Access::Writing(durability) = access else {
            if version == 1 {
                v1::show_records(&connection)?;
            }
            return Ok((connection, None, version));
        };
        schema::migrate(&mut connection, version)?;
        settings::prepare_for_writing(&connection, durability)?;
        let opened = Some((place::Opened::new(path)?, OpenedHere::new(path)?));
        Ok((connection, opened, schema::VERSION))
    }

    /// Opens the store at `path` for reading only: a commit is [`StoreError::ReadOnly`], and a file of an older version
    /// stays as it is.
    /// [`ReplicaOptions::path_read_only`](crate::ReplicaOptions::path_read_only) opens a replica over one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is no file, or it cannot be opened, is another program's, or its database is damaged.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_as(std::path::absolute(path)?, Access::Reading, Opening::First)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file and releases its lock. Until [`SqliteStore::reacquire`], nothing can be read or written.
    pub(crate) fn release(&mut self) -> Result<(), StoreError> {
        self.connection.close()?;
        self.opened = None;
        Ok(())
    }

    /// Opens the file again after [`SqliteStore::release`], without a check of its pages. Does nothing if it is open.
    pub(crate) fn reacquire(&mut self) -> Result<(), StoreError> {
        match self.connection.get() {
            Err(StoreError::Released) => {}
            other => return other.map(drop),
        }
        let again = match Self::open_as(self.path.clone(), self.access, Opening::Again) {
            Err(StoreError::FileSystem { kind: ErrorKind::NotFound }) => return Err(StoreError::Moved),
            opened => opened?,
        };
        if again.file != self.file {
            return Err(StoreError::Moved);
        }
        *self = again;
        Ok(())
    }

    /// Copies everything that is committed into a new file, which gets this head.
    pub(crate) fn copy_to(&self, path: &Path, head: &[u8]) -> Result<(), StoreError> {
        backup::copy(self.connection.get()?, path, head)
    }
}

fn read_head(connection: &Connection, version: i32) -> Result<Option<Vec<u8>>, StoreError> {
    if version == 1 { v1::head(connection).map(Some) } else { rows::head(connection) }
}

/// A connection that was opened, with its files if it is for writing, and the version of the schema.
type Parts = (Connection, Option<(place::Opened, OpenedHere)>, i32);

/// Checks that there is a file with something in it.
fn check_len(path: &Path) -> Result<(), StoreError> {
    match place::len(path)? {
        None => Err(StoreError::FileSystem { kind: ErrorKind::NotFound }),
        // SQLite would take it for a new database.
        Some(0) => Err(StoreError::Corrupt { place: Place::File, damage: Damage::Empty }),
        Some(_) => Ok(()),
    }
}

impl Store for SqliteStore {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        read_head(self.connection.get()?, self.version)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly(Cause::new("it was opened for reading only", None)));
        }
        let connection = self.connection.get_mut()?;
        let Some((opened, _)) = &self.opened else { return Err(StoreError::Released) };
        opened.check()?;
        // Unless it is committed, dropping the transaction undoes it.
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate);
        let transaction = transaction.map_err(fault)?;
        replace_head(&transaction, commit).map_err(fault)?.then_some(()).ok_or(StoreError::Conflict)?;
        for record in commit.replaced {
            let is_there = replace(&transaction, record).map_err(fault)?;
            is_there.then_some(()).ok_or(StoreError::operation(record.first, Damage::Missing))?;
        }
        append(&transaction, commit.appended).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        // If the file was moved, the commit went to a file that is no longer at the path.
        opened.check()
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        rows::read(self.connection.get()?, seq, scratch)
    }

    fn is_read_only(&self) -> bool {
        self.access == Access::Reading
    }

    fn scan(
        &self,
        from: OpSeq,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        rows::scan(self.connection.get()?, from, visit)
    }

    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.version == 1 { Ok(None) } else { notes::read(self.connection.get()?) }
    }

    fn set_notes(&mut self, notes: &[u8]) -> Result<(), StoreError> {
        let Some((opened, _)) = &self.opened else { return Ok(()) };
        opened.check()?;
        notes::write(self.connection.get_mut()?, notes)
    }
}

/// Replaces the head; returns false if the caller knows another.
fn replace_head(transaction: &Transaction<'_>, commit: &Commit<'_>) -> rusqlite::Result<bool> {
    let sql = "UPDATE head SET bytes = ?1 WHERE one = 1 AND bytes IS ?2";
    let changed = transaction.prepare_cached(sql)?.execute(params![commit.head, commit.known])?;
    Ok(changed == 1)
}

/// Replaces a record; returns false if there is none of the same operations.
fn replace(transaction: &Transaction<'_>, record: &Record<'_>) -> rusqlite::Result<bool> {
    let sql = "UPDATE records SET bytes = ?1 WHERE first = ?2 AND count = ?3";
    let mut update = transaction.prepare_cached(sql)?;
    Ok(update.execute(params![record.bytes, record.first.get(), record.count])? == 1)
}

fn append(transaction: &Transaction<'_>, records: &[Record<'_>]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO records (first, count, bytes) VALUES (?1, ?2, ?3)";
    let mut insert = transaction.prepare_cached(sql)?;
    for record in records {
        insert.execute(params![record.first.get(), record.count, record.bytes])?;
    }
    Ok(())
}

/// Runs SQLite's own check of the tree of pages, a walk that brings them into the cache.
fn check_pages(connection: &Connection) -> Result<(), StoreError> {
    let first: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault)?;
    if first == "ok" {
        return Ok(());
    }
    Err(fault::check_fault(&first))
}
