//! Where the bodies of operations are kept: what the log need not have at hand to order and merge.

mod memory;

use crate::crypto::Signature;
use crate::guard::PermittedOp;

pub use memory::MemoryStore;

/// What the log does not keep itself of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// Reads the body of the operation that arrived as number `arrival`. `scratch` is for stores that must copy.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read or is not what was written.
    fn read<'a>(&'a self, arrival: u32, scratch: &'a mut Vec<u8>) -> Result<Body<'a>, StoreError>;
}

/// Why a store did not do its work. Our disk or its keeper is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for more operations: a log in memory holds up to 2^32 - 2 operations and 32 GiB of values.
    #[error("the log is full")]
    Full,
    /// What was read is not what was written.
    #[error("operation number {arrival} is damaged in the store")]
    Corrupt {
        /// The operation's number, by arrival.
        arrival: u32,
    },
}
