//! The process that a log belongs to.

use super::StoreError;

/// The process that opened a log. After a `fork` the child has a copy of everything in memory, and must not use it: it
/// would write to the same file as its parent, or use the same timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    #[cfg(unix)]
    id: u32,
}

impl Process {
    /// Returns this process.
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(unix)]
            id: std::process::id(),
        }
    }

    /// Returns an error in any other process.
    pub(crate) fn check(self) -> Result<(), StoreError> {
        if self == Self::current() { Ok(()) } else { Err(StoreError::OtherProcess) }
    }
}
