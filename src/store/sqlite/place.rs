//! The path of the file.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

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

/// Returns the path with a suffix after its last letter.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Renames a finished file. Once this returns, the name survives a power failure as the content does.
pub(super) fn publish(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to)?;
    #[cfg(unix)]
    {
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// The files that were opened: the database and its write-ahead log. A write to a file that has lost its name is lost.
/// (SQLite keeps no third file, because the lock is exclusive.)
pub(super) struct Opened {
    files: [File; 2],
}

struct File {
    path: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        // The working directory may change; the file stays.
        let path = std::path::absolute(path)?;
        Ok(Self { files: [File::new(beside(&path, "-wal"))?, File::new(path)?] })
    }

    /// Returns an error if a path names another file now, or no file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.files.iter().try_for_each(File::check)
    }
}

impl File {
    fn new(path: PathBuf) -> Result<Self, StoreError> {
        Ok(Self {
            #[cfg(unix)]
            inode: inode(&path)?,
            path,
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        #[cfg(unix)]
        let same = inode(&self.path).is_ok_and(|inode| inode == self.inode);
        // Elsewhere an open file cannot be moved.
        #[cfg(not(unix))]
        let same = self.path.exists();
        if same { Ok(()) } else { Err(StoreError::Moved) }
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> Result<(u64, u64), StoreError> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
