//! The replica.

pub(super) mod ask;
pub(super) mod clock;
pub(super) mod clocks;
pub(super) mod cursor;
pub(super) mod guard;
pub(super) mod handle;
pub(super) mod ingest;
pub(super) mod keys;
pub(super) mod list;
pub(super) mod log;
pub(super) mod observer;
pub(super) mod options;
pub(super) mod read;
pub(super) mod read_typed;
pub(super) mod write;
pub(super) mod write_typed;
