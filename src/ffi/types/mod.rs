//! The structs that several objects share.

pub(super) mod counts;
pub(super) mod digest;
pub(super) mod field;
pub(super) mod hlc;
pub(super) mod item;
pub(super) mod op;
pub(super) mod outcome;
