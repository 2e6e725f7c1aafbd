//! Where the bodies of operations are kept: what the log need not have at hand to order and merge.

mod error;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::Path;

use crate::codec::OpHash;
use crate::crypto::Signature;
use crate::guard::PermittedOp;
use crate::op::OpSeq;

pub use error::{Damage, Place, SqliteCode, StoreError};
pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, Finding, Salvaged, StoreCheck, StoreReport};

#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{Page, Settings, SqliteStore, decode, recompute};

/// What the log does not keep itself of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores create it")]
pub struct Body<'a> {
    /// Canonical JSON.
    pub value: &'a str,
    /// The author's label, where it is not the default one.
    pub label: Option<&'a str>,
    /// The signature.
    pub signature: Signature,
}

/// Keeps operations in the order of their arrival, numbered from 0.
pub trait Store: Send {
    /// Appends a batch: all of it or nothing. When it returns, the batch is as durable as this store can make it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing of the batch is kept.
    fn append(&mut self, ops: &[PermittedOp<'_>]) -> Result<(), StoreError>;

    /// Reads the body of the operation of number `seq`. A store whose memory others can write to
    /// makes sure that it is still the operation with this hash. `scratch` is for stores that must copy.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read or is not what was written.
    fn read<'a>(
        &'a self,
        seq: OpSeq,
        hash: &OpHash,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Body<'a>, StoreError>;

    /// Copies everything that is committed into a new file.
    ///
    /// # Errors
    ///
    /// [`StoreError::InMemory`] where there are no files, [`StoreError::Exists`] where there is one already, others
    /// when the disk fails; then there is no file.
    fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        _ = path;
        Err(StoreError::InMemory)
    }
}
