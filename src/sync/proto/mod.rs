//! The messages of the sync protocol and their limits.

mod alert;
mod answer;
pub(crate) mod limits;
mod message;
mod push;
mod ranges;
mod request;

pub use alert::Alert;
pub(crate) use answer::{Ack, Continuation, SyncAnswer, Welcome, write_answer};
pub(crate) use message::{LogSpace, ReadSections, Sections, first_8, room_for_ops};
pub(crate) use push::{read_push, write_push};
pub(crate) use ranges::{RangeContent, RangeItem, RangeWriter};
pub(crate) use request::{Hello, Phase, RequestHead, SyncRequest};
