//! The connection of an open store.

use rusqlite::Connection;

use crate::store::StoreError;
use crate::store::process::Process;

/// A connection that only the process that opened it uses and closes.
pub(super) struct Handle {
    /// `None` while it is dropped only.
    connection: Option<Connection>,
    process: Process,
}

impl Handle {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Some(connection), process: Process::current() }
    }

    pub(super) fn get(&self) -> Result<&Connection, StoreError> {
        self.process.check()?;
        self.connection.as_ref().ok_or(StoreError::OtherProcess)
    }

    pub(super) fn get_mut(&mut self) -> Result<&mut Connection, StoreError> {
        self.process.check()?;
        self.connection.as_mut().ok_or(StoreError::OtherProcess)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.process.check().is_err() {
            // SQLite would write the journal back and remove it, while the parent continues with it.
            std::mem::forget(self.connection.take());
        }
    }
}
