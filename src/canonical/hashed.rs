//! The identity of an operation: the SHA-256 of its signed text.

use std::fmt;
use std::str::FromStr;

use super::signed_text;
use crate::crypto::{CryptoProvider, EncodingError, Hash};
use crate::op::{OpError, SignedOpRef};

/// The identity of an operation: the SHA-256 of the text that is signed. Finding duplicates, breaking ties, sync and
/// storage all go by it.
///
/// The signature is not in it: a key holder can make many valid signatures of one text, and they are one operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpHash(Hash);

impl OpHash {
    /// A hash from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::from_bytes(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl From<Hash> for OpHash {
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

impl FromStr for OpHash {
    type Err = EncodingError;

    /// Reads 64 hexadecimal digits.
    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        hex.parse().map(Self)
    }
}

impl fmt::Display for OpHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for OpHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpHash({})", self.0)
    }
}

/// An operation that claims a signature, with the text to check it against and the text's hash: computed once, used
/// for the duplicate, the signature and the log.
#[derive(Clone, Debug)]
pub(crate) struct HashedOp<'a> {
    signed: SignedOpRef<'a>,
    text: String,
    hash: OpHash,
}

impl<'a> HashedOp<'a> {
    pub(crate) fn new<C: CryptoProvider + ?Sized>(crypto: &C, signed: SignedOpRef<'a>) -> Result<Self, OpError> {
        let text = signed_text(signed.op(), signed.kid())?;
        let hash = OpHash(crypto.hash(text.as_bytes()));
        Ok(Self { signed, text, hash })
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'a> {
        self.signed
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn hash(&self) -> OpHash {
        self.hash
    }
}
