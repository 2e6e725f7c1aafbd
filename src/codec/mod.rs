//! The encodings of an operation: signed text, hash, JSON, binary.

mod binary;
mod error;
mod fault;
mod hashed;
mod json;
pub(crate) mod packed;
pub(crate) mod tags;
mod text;
pub(crate) mod wire;

pub use error::{BinaryFault, DecodeError};
pub use fault::{CodecError, CodecFault};
pub use hashed::OpHash;
pub use tags::BINARY_VERSION;
pub use text::MAX_OP_BYTES;

pub(crate) use binary::check_members;
pub(crate) use hashed::{HashedOp, OpHashMap, OpHashSet, Scratch};
#[cfg(test)]
pub(crate) use text::SIGNED_TEXTS;
pub(crate) use text::signed_text;
