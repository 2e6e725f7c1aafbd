//! The path of the file.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::value::Excerpt;

/// Returns the length of the file at a path, if there is one. Never opens it: on Unix, closing a file releases the
/// locks that this process holds on it (POSIX, `fcntl`).
pub(super) fn len(path: &Path) -> Result<Option<u64>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(_) => Err(StoreError::NotAFile),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Appends a suffix to the file name of a path.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Creates an empty file that only its owner may read, or takes the one that an earlier attempt has left. Returns its
/// path, whose last part is no symbolic link.
pub(super) fn reserve(path: &Path) -> Result<PathBuf, StoreError> {
    let path = in_real_directory(path)?;
    loop {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        let left = fs::symlink_metadata(&path)?;
        if !left.is_file() {
            return Err(StoreError::NotAFile);
        }
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&left) > 1 {
            // After a crash, this is a second hard link to a finished store.
            fs::remove_file(&path)?;
            continue;
        }
        return Ok(path);
    }
}

/// Returns the path with all symbolic links of its directory resolved.
fn in_real_directory(path: &Path) -> Result<PathBuf, StoreError> {
    let path = std::path::absolute(path)?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(StoreError::NotAFile);
    };
    let real = fs::canonicalize(directory).map_err(|error| match error.kind() {
        ErrorKind::NotFound => StoreError::NoDirectory { path: Excerpt::of(&directory.to_string_lossy()) },
        _ => error.into(),
    })?;
    Ok(real.join(name))
}

/// Renames a finished file, unless there is one of the new name. Once this returns, the name survives a power failure
/// as the content does.
pub(super) fn publish(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::hard_link(from, to) {
        // If the other name cannot be removed, the next attempt removes it.
        Ok(()) => _ = fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(StoreError::Exists),
        // A file system without links; there a file that appears in between is overwritten.
        Err(_) if len(to)?.is_some() => return Err(StoreError::Exists),
        Err(_) => fs::rename(from, to)?,
    }
    #[cfg(unix)]
    {
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// The files that were opened: the database and its write-ahead log. A write to a file that has lost its name is lost.
/// (SQLite keeps no third file, because the lock is exclusive.)
pub(super) struct Opened([(PathBuf, FileId); 2]);

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        // The working directory may change; the file stays.
        let path = std::path::absolute(path)?;
        let log = beside(&path, "-wal");
        let (log_id, id) = (id(&log)?, id(&path)?);
        Ok(Self([(log, log_id), (path, id)]))
    }

    /// Returns an error if a path names another file now, or no file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let is_same = |(path, expected): &(PathBuf, FileId)| id(path).is_ok_and(|id| id == *expected);
        if self.0.iter().all(is_same) { Ok(()) } else { Err(StoreError::Moved) }
    }
}

/// The identity of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

/// Returns the identity of the file at a path.
pub(super) fn id(path: &Path) -> Result<FileId, StoreError> {
    #[cfg(unix)]
    let id = inode(path)?;
    #[cfg(not(unix))]
    let id = fs::canonicalize(path)?;
    Ok(FileId(id))
}

#[cfg(unix)]
fn inode(path: &Path) -> Result<(u64, u64), StoreError> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
