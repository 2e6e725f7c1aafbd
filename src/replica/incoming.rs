//! An operation in one of its forms, as it arrives.

use crate::codec::DecodeError;
use crate::op::{MaybeOwned, SignedOp, SignedOpRef};

/// An operation in one of its forms, as it arrives from a peer or a file: untrusted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// The JSON form.
    Json(&'a [u8]),
    /// The binary form.
    Binary(&'a [u8]),
    /// A decoded operation.
    Op(&'a SignedOp),
    /// A decoded operation, borrowed from the bytes that arrived.
    View(SignedOpRef<'a>),
}

/// Bytes that begin with the version byte of the binary form are the binary form, others are JSON text. No JSON text
/// begins with that byte.
impl<'a> From<&'a [u8]> for Incoming<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        match bytes.first() {
            Some(&crate::codec::BINARY_VERSION) => Self::Binary(bytes),
            _ => Self::Json(bytes),
        }
    }
}

impl<'a> From<&'a Vec<u8>> for Incoming<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Incoming<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<'a> From<&'a String> for Incoming<'a> {
    fn from(json: &'a String) -> Self {
        Self::from(json.as_str())
    }
}

impl<'a> From<&'a str> for Incoming<'a> {
    fn from(json: &'a str) -> Self {
        Self::Json(json.as_bytes())
    }
}

impl<'a> From<&'a SignedOp> for Incoming<'a> {
    fn from(op: &'a SignedOp) -> Self {
        Self::Op(op)
    }
}

impl<'a> Incoming<'a> {
    pub(super) fn decode(self) -> Result<MaybeOwned<'a>, DecodeError> {
        match self {
            Self::Json(json) => SignedOp::from_json(json).map(MaybeOwned::Owned),
            Self::Binary(bytes) => SignedOpRef::from_binary(bytes).map(MaybeOwned::Borrowed),
            Self::Op(op) => Ok(MaybeOwned::Borrowed(op.as_ref())),
            Self::View(op) => Ok(MaybeOwned::Borrowed(op)),
        }
    }
}
