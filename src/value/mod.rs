//! Canonical JSON values.

mod canonicalizer;
mod error;
mod excerpt;
mod finite;
mod json_value;
mod number;
mod reader;
mod string;
mod to_serde;
mod utf16;
#[cfg(test)]
mod vectors_tests;

pub use error::{JsonError, JsonFault};
pub use excerpt::Excerpt;
pub use json_value::{Value, ValueType};

pub(crate) use canonicalizer::check_canonical;
pub(crate) use number::write_number;
pub(crate) use reader::JsonReader;
pub(crate) use string::write_string;
pub(crate) use utf16::utf16_cmp;

/// The greatest depth of nested arrays and objects: 64. A value nested 65 deep is refused.
pub const MAX_DEPTH: usize = 64;

/// The greatest length of the canonical text of a value in bytes: 1 MiB. No operation can contain a longer one.
pub const MAX_VALUE_BYTES: usize = 1 << 20;
