//! The stores that keep a log's operations.
//!
//! [`Store`] is the port: records and a head, as opaque bytes. What the bytes say, and everything about trust, lies
//! above it, the same for every store.

mod clock;
pub mod contract;
mod error;
mod head;
mod ledger;
mod memory;
mod op_store;
mod port;
mod process;
mod record;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "capi")]
pub(crate) use error::shown;
pub(crate) use error::space_name;
pub use error::{Cause, Damage, Place, StoreError};
pub use memory::MemoryStore;
pub use port::{Commit, MAX_RECORD_BYTES, Record, Store};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, Finding, Salvaged, SqliteStore, StoreCheck, StoreReport};

pub(crate) use clock::StoredClock;
pub(crate) use head::Head;
pub(crate) use ledger::Ledger;
pub(crate) use op_store::OpStore;
pub(crate) use record::{RecordForm, Records, decode, read_whole, recompute};
pub(crate) use seal::Seal;
