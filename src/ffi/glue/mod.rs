//! The machinery that every C function uses.

pub(super) mod array;
pub(super) mod boundary;
pub(super) mod buffer;
pub(super) mod callback;
pub(super) mod codes;
pub(super) mod error;
pub(super) mod growing;
pub(super) mod json;
pub(super) mod shared;
pub(super) mod status;
