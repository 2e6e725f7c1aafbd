//! The encodings of an operation: signed text, hash, JSON, binary.

mod binary;
mod error;
mod hashed;
mod json;
pub(crate) mod packed;
pub(crate) mod tags;
mod text;
pub(crate) mod wire;

pub use error::{BinaryFault, CodecError, CodecFault, DecodeError};
pub use hashed::OpHash;
pub use tags::BINARY_VERSION;
pub use text::MAX_OP_BYTES;

pub(crate) use hashed::{HashedOp, OpHashMap, OpHashSet, Scratch};
pub(crate) use packed::{OpPacker, UnpackedOp, unpack_ops};
#[cfg(test)]
pub(crate) use text::SIGNED_TEXTS;
pub(crate) use wire::{ByteReader, put_count, put_text, put_varint, wide};
