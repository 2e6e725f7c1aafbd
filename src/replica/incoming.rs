//! What may arrive: an operation in one of its forms.

use super::Refused;
use crate::canonical::DecodeError;
use crate::op::{SignedOp, SignedOpRef};

/// An operation in one of its forms, as it arrives from a peer or a file. Nothing of it is believed yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// The JSON form.
    Json(&'a [u8]),
    /// The binary form.
    Binary(&'a [u8]),
    /// Decoded already.
    Op(&'a SignedOp),
}

/// Bytes are the binary form when they begin with its version byte, which no JSON text does; else JSON.
impl<'a> From<&'a [u8]> for Incoming<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        match bytes.first() {
            Some(&crate::canonical::BINARY_VERSION) => Self::Binary(bytes),
            _ => Self::Json(bytes),
        }
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

/// An operation that is decoded, or a view of one.
pub(super) enum Decoded<'a> {
    Owned(Box<SignedOp>),
    Borrowed(SignedOpRef<'a>),
}

impl Decoded<'_> {
    pub(super) fn as_ref(&self) -> SignedOpRef<'_> {
        match self {
            Self::Owned(op) => SignedOp::as_ref(op),
            Self::Borrowed(op) => *op,
        }
    }
}

impl<'a> Incoming<'a> {
    pub(super) fn decode(self) -> Result<Decoded<'a>, Refused> {
        let decoded = match self {
            Self::Json(json) => SignedOp::from_json(json).map(|op| Decoded::Owned(Box::new(op))),
            Self::Binary(bytes) => SignedOpRef::from_binary(bytes).map(Decoded::Borrowed),
            Self::Op(op) => Ok::<_, DecodeError>(Decoded::Borrowed(op.as_ref())),
        };
        decoded.map_err(Refused::Malformed)
    }
}
