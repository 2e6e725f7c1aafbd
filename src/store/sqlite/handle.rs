//! The connection of an open store.

use rusqlite::Connection;

use super::fault::fault;
use crate::store::StoreError;
use crate::store::process::Process;

/// A connection that only the process that opened it uses and closes.
pub(super) struct Handle {
    /// `None` while the file is released.
    connection: Option<Connection>,
    process: Process,
}

impl Handle {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Some(connection), process: Process::current() }
    }

    pub(super) fn get(&self) -> Result<&Connection, StoreError> {
        self.process.check()?;
        self.connection.as_ref().ok_or(StoreError::Released)
    }

    pub(super) fn get_mut(&mut self) -> Result<&mut Connection, StoreError> {
        self.process.check()?;
        self.connection.as_mut().ok_or(StoreError::Released)
    }

    /// Closes the connection. If that fails, it stays open.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        self.process.check()?;
        let Some(connection) = self.connection.take() else { return Ok(()) };
        connection.close().map_err(|(connection, error)| {
            self.connection = Some(connection);
            fault(error)
        })
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
