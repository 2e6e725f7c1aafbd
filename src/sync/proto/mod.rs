//! The messages of the sync protocol and their limits.

mod ack;
mod alert;
mod copies;
pub(crate) mod limits;
mod message;
mod ranges;
mod version;

pub(crate) use ack::{Ack, RefusedRuns};
pub use alert::Alert;
pub(crate) use copies::{Copies, OpCopies};
pub(crate) use message::{
    Continuation, Hello, LogSpace, Phase, ReadSections, RequestHead, Sections, SyncAnswer, SyncRequest,
    Welcome, read_push, write_push,
};
pub(crate) use ranges::{RangeItem, RangeWriter, ServingOrder};
pub(crate) use version::ProtocolVersion;
