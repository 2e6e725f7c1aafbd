//! The forms of an operation: the text that is signed, its hash, JSON and binary.

mod binary;
mod error;
mod fault;
mod hashed;
mod json;
pub(crate) mod packed;
mod text;
pub(crate) mod wire;

pub use binary::BINARY_VERSION;
pub use error::{BinaryFault, DecodeError};
pub use fault::{CodecError, CodecFault};
pub use hashed::OpHash;
pub use text::MAX_OP_BYTES;

pub(crate) use binary::check_members;
pub(crate) use hashed::{HashedOp, OpHashMap, OpHashSet, Scratch};
pub(crate) use text::signed_text;
