//! Signed operations whose signature has not been verified.

use super::{Member, Op, OpError, OpRef, check};
use crate::crypto::Signature;

/// An operation with a signature that **has not been verified**, such as one from a peer or a file.
///
/// [`verify_op`](crate::keys::verify_op) verifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOp {
    op: Op,
    kid: Box<str>,
    signature: Signature,
}

impl SignedOp {
    /// Combines an operation with a signature.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] if `kid` is not an identifier.
    pub fn new(op: Op, kid: &str, signature: Signature) -> Result<Self, OpError> {
        check(Member::Kid, kid)?;
        Ok(Self { op, kid: kid.into(), signature })
    }

    /// Returns a view of this operation.
    #[must_use]
    pub fn as_ref(&self) -> SignedOpRef<'_> {
        SignedOpRef { op: self.op.as_ref(), kid: &self.kid, signature: self.signature }
    }

    /// Returns the unsigned operation.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Returns the id of the key that is claimed to have signed.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// A view of a [`SignedOp`]. Its signature has not been verified either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedOpRef<'a> {
    op: OpRef<'a>,
    kid: &'a str,
    signature: Signature,
}

impl<'a> SignedOpRef<'a> {
    pub(crate) fn new(op: OpRef<'a>, kid: &'a str, signature: Signature) -> Result<Self, OpError> {
        check(Member::Kid, kid)?;
        Ok(Self { op, kid, signature })
    }

    /// Creates a view of members that were checked before, as those in the log are.
    pub(crate) fn from_log(op: OpRef<'a>, kid: &'a str, signature: Signature) -> Self {
        Self { op, kid, signature }
    }

    /// Returns an owned copy.
    #[must_use]
    pub fn to_signed_op(self) -> SignedOp {
        SignedOp { op: self.op.to_op(), kid: self.kid.into(), signature: self.signature }
    }

    /// Returns the unsigned operation.
    #[must_use]
    pub fn op(self) -> OpRef<'a> {
        self.op
    }

    /// Returns the id of the key that is claimed to have signed.
    #[must_use]
    pub fn kid(self) -> &'a str {
        self.kid
    }

    /// Returns the signature.
    #[must_use]
    pub fn signature(self) -> Signature {
        self.signature
    }
}

/// A signed operation or a view of one: the result of decoding.
#[derive(Clone, Debug)]
pub(crate) enum MaybeOwned<'a> {
    Owned(SignedOp),
    Borrowed(SignedOpRef<'a>),
}

impl MaybeOwned<'_> {
    pub(crate) fn as_ref(&self) -> SignedOpRef<'_> {
        match self {
            Self::Owned(op) => op.as_ref(),
            Self::Borrowed(op) => *op,
        }
    }

    pub(crate) fn into_owned(self) -> SignedOp {
        match self {
            Self::Owned(op) => op,
            Self::Borrowed(op) => op.to_signed_op(),
        }
    }
}
