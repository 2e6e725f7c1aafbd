//! The list of the files that this process has open.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::place::{FileId, id};
use crate::store::StoreError;
use crate::store::process::Process;

/// A child of `fork` gets a copy of the list, in which the files are its parent's.
static OPEN: Mutex<BTreeMap<FileId, Process>> = Mutex::new(BTreeMap::new());

/// An entry in the list, which ends with it.
pub(super) struct OpenedHere {
    file: FileId,
    process: Process,
}

impl OpenedHere {
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let opened = Self { file: id(path)?, process: Process::current() };
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(opened.file.clone(), opened.process);
        Ok(opened)
    }
}

impl Drop for OpenedHere {
    fn drop(&mut self) {
        // In a child of `fork`, a thread that does not exist there may hold the lock.
        if self.process.check().is_ok() {
            OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.file);
        }
    }
}

/// Returns the error of opening a file, which says if it is this process that has locked it.
pub(super) fn explain(error: StoreError, path: &Path) -> StoreError {
    if error != StoreError::Locked {
        return error;
    }
    let (Ok(file), Ok(open)) = (id(path), OPEN.try_lock()) else { return error };
    match open.get(&file) {
        Some(process) if process.check().is_ok() => StoreError::OpenHere,
        _ => error,
    }
}
