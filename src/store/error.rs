//! The errors of stores.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use crate::codec::DecodeError;
use crate::keys::VerifyError;
use crate::op::OpSeq;
use crate::value::Excerpt;

/// The longest path in an error, in characters: an excerpt has room for them.
const LONGEST_PATH: usize = 60;

/// The reason why a store failed. The disk or the database is at fault, never the peer.
///
/// An error of a file is in [`StoreError::InFile`], which names the file: match what [`StoreError::fault`] returns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for more operations: a log holds up to 2^32 - 2 operations, one in memory 32 GiB of values.
    #[error("the log is full")]
    Full,
    /// The error of a store in a file, with the path of the file.
    #[error("{path}: {error}")]
    InFile {
        /// The path: its end if it is long, escaped.
        path: Excerpt,
        /// The error, never another of this variant.
        #[source]
        error: Box<StoreError>,
    },
    /// The bytes that were read are not those that were written.
    #[error("{place} of the store is damaged: {damage}")]
    Corrupt {
        /// The damaged place.
        place: Place,
        /// The damage.
        damage: Damage,
    },
    /// Another writer has changed the store since it was read. Nothing was written: read what it has appended
    /// ([`Replica::catch_up`](crate::Replica::catch_up)) and try again.
    #[error("another writer has changed the store")]
    Conflict,
    /// It is unknown whether operations were saved, so the replica takes no others. Open it again from what is stored.
    #[error("it is unknown whether operations were saved")]
    OutcomeUnknown,
    /// This process has the file open already. Close that replica first, or share it.
    #[error("this process has the store open already")]
    OpenHere,
    /// Another process has the file open.
    #[error("another process has the store open")]
    Locked,
    /// The file was released: [`Replica::reacquire_store`](crate::Replica::reacquire_store) opens it again.
    #[error("the file was released")]
    Released,
    /// This is a copy that `fork` made: the replica belongs to the parent process, which can continue to use it. Open
    /// files in the process that uses them.
    #[error("the replica was opened by another process, of which this one is a fork")]
    OtherProcess,
    /// An earlier call has panicked while it changed memory, because of a bug of this library. Open the replica again
    /// from its store. Until then, calls that return no error may leave operations out.
    #[error("an earlier call panicked: open the replica again")]
    Poisoned,
    /// There is no room on the disk. Free some and try again.
    #[error("the disk is full: {0}")]
    DiskFull(#[source] Cause),
    /// The file, its directory or the disk may not be written to.
    #[error("the store may not be written to: {0}")]
    ReadOnly(#[source] Cause),
    /// The disk failed to read or to write.
    #[error("the disk failed: {0}")]
    Io(#[source] Cause),
    /// The file system failed to find, name or remove a file.
    #[error("the file system failed: {kind}")]
    FileSystem {
        /// The error of the system.
        kind: std::io::ErrorKind,
    },
    /// The file, or one that belongs to it, cannot be opened: no such directory, no permission, or no handles left.
    #[error("the store cannot be opened: {0}")]
    CannotOpen(#[source] Cause),
    /// The directory in which the file would be created does not exist.
    #[error("there is no directory \"{path}\"")]
    NoDirectory {
        /// The directory, shortened and escaped.
        path: Excerpt,
    },
    /// The path names a directory, a pipe or a device; or, where a file is created, a symbolic link.
    #[error("the path does not name a file")]
    NotAFile,
    /// A file exists already. It was not overwritten.
    #[error("there is a file already")]
    Exists,
    /// The file or its write-ahead log (`-wal`) has been moved, removed or replaced since it was opened. Further writes
    /// would be lost.
    #[error("the file or its write-ahead log has been moved or removed while it was open")]
    Moved,
    /// The file belongs to another program, or is no database.
    #[error("the file is not a store of this library")]
    Foreign,
    /// A newer version of this library wrote the store. It has not been touched.
    #[error("the store has version {found}, this library knows up to {known}")]
    Newer {
        /// The version of the store.
        found: i32,
        /// The newest that this library knows.
        known: i32,
    },
    /// The store holds the log of another space.
    #[error("the store belongs to {}, the replica to {}", space_name(.found), space_name(.expected))]
    WrongSpace {
        /// The store's space, shortened and escaped.
        found: Option<Excerpt>,
        /// The replica's space, shortened and escaped.
        expected: Option<Excerpt>,
    },
    /// The store was sealed with another key. Opened without a key, it verifies every signature.
    #[error("the store was sealed with another key")]
    WrongSealKey,
    /// The replica was not opened with a path, so there is no file to copy.
    #[error("the replica is not in a file")]
    NoFile,
    /// The store failed in another way.
    #[error("the store failed: {0}")]
    Other(#[source] Cause),
}

/// The reason that a system or a database gives for a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Cause {
    code: Option<i32>,
    text: Excerpt,
}

impl Cause {
    /// Creates a cause from a text, which is shortened and escaped, and the number that the system gives the failure,
    /// if it has one.
    #[must_use]
    pub fn new(text: &str, code: Option<i32>) -> Self {
        Self { code, text: Excerpt::of(text) }
    }

    /// Returns the number that the system gives the failure: of SQLite, its extended result code.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        self.code
    }
}

/// Returns a path, or its end if it is long: that tells files apart.
pub(crate) fn shown(path: &Path) -> Excerpt {
    let path = path.to_string_lossy();
    let cut = path.char_indices().rev().nth(LONGEST_PATH - 1).map_or(0, |(at, _)| at);
    let dots = if cut == 0 { "" } else { "..." };
    Excerpt::of(&format!("{dots}{}", path.get(cut..).unwrap_or_default()))
}

/// Names a space in an error.
pub(crate) fn space_name(space: &Option<Excerpt>) -> String {
    space.as_ref().map_or_else(|| String::from("no space"), |space| format!("space \"{space}\""))
}

impl StoreError {
    pub(crate) const fn unexpected(place: Place) -> Self {
        Self::Corrupt { place, damage: Damage::Unexpected }
    }

    /// Returns the error itself, without the name of the file.
    ///
    /// ```
    /// use policysync::{OpenError, Replica, ReplicaOptions, StoreError, system_wall_clock};
    ///
    /// let nowhere = ReplicaOptions::new().path("/no/such/directory/list.db", system_wall_clock());
    /// let Err(OpenError::Store(error)) = Replica::open(nowhere) else { panic!("it opens") };
    /// assert!(error.to_string().starts_with("/no/such/directory/list.db: there is no directory"));
    /// assert!(matches!(error.fault(), StoreError::NoDirectory { .. }));
    /// ```
    #[must_use]
    pub fn fault(&self) -> &Self {
        match self {
            Self::InFile { error, .. } => error,
            error => error,
        }
    }

    /// Returns the message for reports: without the path, and without the content of a damaged operation.
    pub(crate) fn without_content(&self) -> String {
        match self.fault() {
            Self::Corrupt { place, damage: Damage::Decode(error) } => {
                format!("{place} of the store is damaged: {}", error.rule())
            }
            Self::Corrupt { place, damage: Damage::Verify(_) } => {
                format!("{place} of the store is damaged: its signature does not verify here")
            }
            Self::NoDirectory { .. } => String::from("there is no directory"),
            Self::WrongSpace { .. } => String::from("the store belongs to another space"),
            fault => fault.to_string(),
        }
    }

    /// Names the file, unless the error names one or is about none.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        if matches!(self, Self::InFile { .. } | Self::NoFile) {
            return self;
        }
        Self::InFile { path: shown(path), error: Box::new(self) }
    }

    /// Creates the error for a damaged operation.
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
    /// The head, which describes the log.
    Head,
    /// The seal over all operations.
    Seal,
    /// One operation.
    Operation {
        /// The number of the operation.
        seq: OpSeq,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Schema => f.write_str("the schema"),
            Self::Head => f.write_str("the head"),
            Self::Seal => f.write_str("the seal"),
            Self::Operation { seq } => write!(f, "operation number {seq}"),
        }
    }
}

/// A fault in a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A page is malformed; or the disk cannot read it (`EIO`), which SQLite reports in the same way.
    #[error("a page of the database is malformed or unreadable")]
    Malformed,
    /// SQLite's own check of the database found faults.
    #[error("the check of the database says: {first}")]
    Check {
        /// The first fault, shortened and escaped.
        first: Excerpt,
    },
    /// The place is empty: the content is gone.
    #[error("it is empty")]
    Empty,
    /// The place does not exist.
    #[error("it is missing")]
    Missing,
    /// The content is not what this library writes: another type, a wrong length, a value that it never writes.
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
    /// The signature does not verify, or its key is not registered.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The seal was made over other operations or another state of the clock, or, in a file of version 0.1.0, with
    /// another key.
    #[error("it does not fit the operations and the clock")]
    Seal,
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        let cause = || Cause::new(&error.to_string(), error.raw_os_error());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull(cause()),
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(cause()),
            kind => Self::FileSystem { kind },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_file_names_its_path_once() {
        let message = |path: &str| StoreError::Locked.in_file(Path::new(path)).to_string();
        assert_eq!(message("/a/b.db"), "/a/b.db: another process has the store open");
        assert_eq!(message("/a\n"), "/a\\u{a}: another process has the store open");
        let long = "x".repeat(100) + "/b.db";
        assert!(message(&long).starts_with(&format!("...{}/b.db: ", "x".repeat(55))), "{}", message(&long));
        let error = StoreError::Locked.in_file(Path::new("/a")).in_file(Path::new("/b"));
        assert_eq!((error.fault(), error.to_string().as_str()), (&StoreError::Locked, &*message("/a")));
        assert_eq!(StoreError::NoFile.in_file(Path::new("/a")), StoreError::NoFile);
    }

    #[test]
    fn a_message_for_reports_has_neither_path_nor_content() {
        let content = crate::value::Value::parse(r#"{"card":12345678901234567890}"#).unwrap_err();
        assert!(content.to_string().contains("12345678901234567890"));
        let damage = Damage::Decode(DecodeError::Json(content));
        let error = StoreError::operation(OpSeq::new(5), damage).in_file(Path::new("/a/b.db"));
        assert_eq!(error.without_content(), "operation number 5 of the store is damaged: unsafe-integer");
        let error = StoreError::Io(Cause::new("input/output error", Some(5))).in_file(Path::new("/a/b.db"));
        assert_eq!(error.without_content(), "the disk failed: input/output error");
    }

    #[test]
    fn the_message_contains_the_cause() {
        let cause = || Cause::new("no space left on device", Some(13));
        for (error, message) in [
            (StoreError::DiskFull(cause()), "the disk is full: no space left on device"),
            (StoreError::ReadOnly(cause()), "the store may not be written to: no space left on device"),
            (StoreError::Io(cause()), "the disk failed: no space left on device"),
            (StoreError::CannotOpen(cause()), "the store cannot be opened: no space left on device"),
            (StoreError::Other(cause()), "the store failed: no space left on device"),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
}
