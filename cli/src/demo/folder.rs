//! A new directory that goes when it is dropped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policysync::crypto::{CryptoError, Sodium};

/// A new directory among the system's temporary ones, for this user only.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Result<Self, FolderError> {
        let mut random = [0; 8];
        Sodium::new()?.random(&mut random);
        let name = format!("policysync-demo-{:016x}", u64::from_le_bytes(random));
        let path = std::env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left for the system to clear.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Why there is no directory.
#[derive(Debug)]
pub enum FolderError {
    Crypto(CryptoError),
    Io(io::Error),
}

impl From<CryptoError> for FolderError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
