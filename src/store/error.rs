//! Why a store did not do its work.

use std::fmt;

use crate::codec::DecodeError;
use crate::op::OpSeq;
use crate::value::Excerpt;

/// Why a store did not do its work. Our disk or its keeper is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for more operations: a log holds up to 2^32 - 2 operations, one in memory 32 GiB of values.
    #[error("the log is full")]
    Full,
    /// What was read is not what was written.
    #[error("{place} of the store is damaged: {damage}")]
    Corrupt {
        /// Where.
        place: Place,
        /// What is wrong there.
        damage: Damage,
    },
    /// Somebody else has the file open: one process, and in it one replica, at a time.
    #[error("somebody else has the store open")]
    Locked,
    /// There is no room on the disk. Free some and try again.
    #[error("the disk is full")]
    DiskFull(#[source] SqliteCode),
    /// The file, its directory or the disk may not be written to.
    #[error("the store may not be written to")]
    ReadOnly(#[source] SqliteCode),
    /// The disk failed to read or to write.
    #[error("the disk failed")]
    Io(#[source] SqliteCode),
    /// The file system refused something that is not SQLite's work: to look for, to name or to remove a file.
    #[error("the file system failed: {kind}")]
    FileSystem {
        /// What it said.
        kind: std::io::ErrorKind,
    },
    /// The file, or one that belongs to it, cannot be opened: no such directory, no right to, or no handles left.
    #[error("the store cannot be opened")]
    CannotOpen(#[source] SqliteCode),
    /// The path names a directory, a pipe or a device.
    #[error("the path does not name a file")]
    NotAFile,
    /// A file is there already, and nothing is written over it.
    #[error("there is a file already")]
    Exists,
    /// Since it was opened the file has been moved, removed or replaced. What would be written could not be found
    /// again.
    #[error("the file has been moved or removed while it was open")]
    Moved,
    /// The file is of another program, or no database.
    #[error("the file is not a store of this library")]
    Foreign,
    /// A newer version of this library wrote the file. It has not been touched.
    #[error("the store has schema version {found}, this library knows up to {known}")]
    Newer {
        /// The file's schema version.
        found: i32,
        /// The newest that this library knows.
        known: i32,
    },
    /// The file holds the log of another space.
    #[error("the store belongs to {}, the replica to {}", name(.found), name(.expected))]
    WrongSpace {
        /// The file's space, shortened and escaped.
        found: Option<Excerpt>,
        /// The replica's space, shortened and escaped.
        expected: Option<Excerpt>,
    },
    /// There is no file: the store is in memory.
    #[error("the store is in memory")]
    InMemory,
    /// SQLite failed in another way.
    #[error("the database failed")]
    Sqlite(#[source] SqliteCode),
}

fn name(space: &Option<Excerpt>) -> String {
    space.as_ref().map_or_else(|| String::from("no space"), |space| format!("space \"{space}\""))
}

impl StoreError {
    /// Damage to one operation.
    pub(crate) fn operation(seq: OpSeq, damage: Damage) -> Self {
        Self::Corrupt { place: Place::Operation { seq }, damage }
    }
}

/// A place in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The file as a database: its header, its pages.
    File,
    /// The tables and what else is defined in the file.
    Schema,
    /// The row that describes the log.
    Meta,
    /// The seal over all operations.
    Seal,
    /// One operation.
    Operation {
        /// Its number.
        seq: OpSeq,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Schema => f.write_str("the schema"),
            Self::Meta => f.write_str("the description"),
            Self::Seal => f.write_str("the seal"),
            Self::Operation { seq } => write!(f, "operation number {seq}"),
        }
    }
}

/// What is wrong in a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// SQLite cannot make sense of a page; or the disk says that it cannot read it (`EIO`), which SQLite takes for the
    /// same.
    #[error("a page of the database is malformed or unreadable")]
    Malformed,
    /// SQLite's own check of the database found faults.
    #[error("the check of the database says: {first}")]
    Check {
        /// The first fault, shortened and escaped.
        first: Excerpt,
    },
    /// It is empty: what was there is gone.
    #[error("it is empty")]
    Empty,
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is not what this library writes: another type, a wrong length, something that it never makes.
    #[error("it is not what this library writes")]
    Unexpected,
    /// The bytes are not the binary form of an operation.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The operation is not the one whose hash was stored, or that was there before.
    #[error("the operation has another hash")]
    Hash,
    /// The operation was there before, under another number.
    #[error("the operation is there twice")]
    Duplicate,
    /// The operation belongs to another space.
    #[error("the operation belongs to another space")]
    Space,
    /// The actor did not sign the operation.
    #[error("the signature is not the actor's")]
    Signature,
    /// No such key is known, so that nothing can be said of the signature.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known")]
    UnknownKey {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The operations are not those that the seal was made over, or it was made with another key.
    #[error("it does not fit the operations, or the key is another")]
    Seal,
}

/// SQLite's extended result code: the source of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SqliteCode(pub(super) i32);

impl SqliteCode {
    /// The number, as SQLite's documentation lists it ("Result and Error Codes").
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for SqliteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLite's result code {}", self.0)
    }
}

impl std::error::Error for SqliteCode {}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::FileSystem { kind: error.kind() }
    }
}
