//! An operation with a signature that nobody has checked yet.

use super::{Member, Op, OpError, OpRef, check};
use crate::crypto::Signature;
use crate::hlc::Hlc;

/// An operation with a signature that **nobody has checked yet**: what arrives from a peer or a file. Only
/// [`verify_op`](crate::keys::verify_op) makes a verified one of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOp {
    op: Op,
    kid: Box<str>,
    signature: Signature,
}

impl SignedOp {
    /// Joins an operation with a signature from elsewhere.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] when `kid` is not an identifier.
    pub fn new(op: Op, kid: &str, signature: Signature) -> Result<Self, OpError> {
        check(Member::Kid, kid)?;
        Ok(Self { op, kid: kid.into(), signature })
    }

    /// A view of this operation.
    #[must_use]
    pub fn as_ref(&self) -> SignedOpRef<'_> {
        SignedOpRef { op: self.op.as_ref(), kid: &self.kid, signature: self.signature }
    }

    /// What the operation says.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Which of the actor's keys is said to have signed.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// A view of a [`SignedOp`]; as unchecked as that.
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

    /// Members that the log has checked when it took them in.
    pub(crate) fn from_log(op: OpRef<'a>, kid: &'a str, signature: Signature) -> Self {
        Self { op, kid, signature }
    }

    /// The owned form.
    #[must_use]
    pub fn to_signed_op(self) -> SignedOp {
        SignedOp { op: self.op.to_op(), kid: self.kid.into(), signature: self.signature }
    }

    /// What the operation says.
    #[must_use]
    pub fn op(self) -> OpRef<'a> {
        self.op
    }

    /// Which of the actor's keys is said to have signed.
    #[must_use]
    pub fn kid(self) -> &'a str {
        self.kid
    }

    /// The signature.
    #[must_use]
    pub fn signature(self) -> Signature {
        self.signature
    }
}

/// A signed operation that is owned, or a view of one: what decoding gives.
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

/// The default `id` of an operation: `actor:t:c`, the numbers in shortest decimals. A label for people: it is never
/// used for identity, order or finding duplicates, since actors may contain colons.
#[must_use]
pub fn op_id(actor: &str, ts: Hlc) -> String {
    format!("{actor}:{}:{}", ts.t(), ts.c())
}

/// Whether a label is the default `id`, without putting that together: many operations of a message may name one actor,
/// and what has not been checked yet may be long.
pub(crate) fn is_op_id(label: &str, actor: &str, ts: Hlc) -> bool {
    label.strip_prefix(actor).is_some_and(|rest| rest == op_id("", ts))
}
