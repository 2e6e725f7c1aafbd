//! The messages of the sync protocol and their limits.

mod ack;
mod copies;
pub(crate) mod limits;
mod message;
mod ranges;
mod version;

pub(crate) use ack::{Ack, RefusedRuns};
pub(crate) use copies::{Copies, WantedCopy};
pub use message::Alert;
pub(crate) use message::{
    Continuation, Hello, LogSpace, Phase, ReadSections, RequestHead, Sections, SyncAnswer, SyncRequest,
    Welcome, first_8, read_push, write_push,
};
pub(crate) use ranges::{RangeContent, RangeItem, RangeWriter, ServingOrder};
pub(crate) use version::ProtocolVersion;
