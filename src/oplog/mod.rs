//! The append-only log of operations, indexed by arrival, by hash and by the total order.

mod authors;
mod fork;
mod index;
mod log;
mod order;
mod prefix_digests;
mod registers;
mod stamps;

pub use fork::{ForkError, ForkProof};
pub use log::{AddError, Added, Cursor, LogDigest, LogEntry, OpLog};

#[cfg(test)]
pub(crate) use index::tests::PANICS as INDEX_PANICS;
pub(crate) use index::{Index, Inserted};
pub(crate) use log::LogId;
pub(crate) use registers::RegisterId;
