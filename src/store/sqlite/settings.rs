//! Opening the database.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

use super::fault::fault;
use super::place;
use crate::store::{Cause, MAX_RECORD_BYTES, StoreError};

/// The failures that an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// A crash of the process or the system, and a loss of power (SQLite's `synchronous=FULL`). The default.
    #[default]
    Full,
    /// A crash of the process only. When the system or the power fails, the **last writes may be gone, although they
    /// were acknowledged and may have been sent to others**; what is left is undamaged. A device that loses writes of
    /// its own this way can be made to say two things at one time: give it a new key and actor after such a failure.
    /// (SQLite's `synchronous=NORMAL`; it saves a wait for the disk with every batch.)
    ProcessOnly,
}

/// The treatment of symbolic links in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Followed,
    Refused,
}

/// Opens the database file, which must exist; sets it up to trust nothing; locks it.
pub(super) fn connect(path: &Path, links: Links) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    if links == Links::Refused {
        flags |= OpenFlags::SQLITE_OPEN_NOFOLLOW;
    }
    // Absolute, so that no name means something else to SQLite, as `:memory:` does.
    let connection = Connection::open_with_flags(std::path::absolute(path)?, flags).map_err(fault)?;
    // SQLite opens a file that it may not write to for reading, and then fails to lock it.
    if connection.is_readonly("main").map_err(fault)? {
        let read_only = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
        return Err(fault(rusqlite::Error::SqliteFailure(read_only, None)));
    }
    harden(&connection).map_err(fault)?;
    lock(&connection).map_err(fault)?;
    Ok(connection)
}

/// Opens the database file for reading only; sets it up to trust nothing.
///
/// A file that is open for writing, or was not closed, has a write-ahead log beside it. Without one nothing is locked
/// and no file is created, so the medium may be read-only.
pub(super) fn connect_read_only(path: &Path) -> Result<Connection, StoreError> {
    let path = std::path::absolute(path)?;
    let has_log = place::len(&place::beside(&path, "-wal"))?.is_some();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE
        | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = String::from(if cfg!(windows) { "file:///" } else { "file://" });
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str(if has_log { "?mode=ro" } else { "?mode=ro&immutable=1" });
    let connection = Connection::open_with_flags(uri, flags).map_err(fault)?;
    harden(&connection).map_err(fault)?;
    Ok(connection)
}

/// Sets what SQLite advises for files that may be hostile ("Defense Against The Dark Arts", sqlite.org/security.html).
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // A row that claims to be longer than a record can be is not read into memory.
    let limit = i32::try_from(MAX_RECORD_BYTES).unwrap_or(i32::MAX).saturating_add(4096);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, limit)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// Takes the lock that the connection keeps until it is closed. Nothing is written.
fn lock(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")
}

/// Sets up the journal for writing.
pub(super) fn prepare_for_writing(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    let set_up = || {
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::ProcessOnly => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        // Only macOS and iOS know the difference: there, an ordinary sync leaves the data in the drive's memory.
        connection.pragma_update(None, "fullfsync", durability == Durability::Full)?;
        // After a large batch the write-ahead log shrinks again.
        connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
        // SQLite opens the write-ahead log with the first transaction, and does so now.
        connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
        Ok(mode)
    };
    match set_up().map_err(fault)?.as_str() {
        "wal" => Ok(()),
        // The file system has no room, or no way, for a second file.
        _ => Err(StoreError::CannotOpen(Cause::new("SQLite cannot keep a write-ahead log", None))),
    }
}
