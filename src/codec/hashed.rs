//! The identity of an operation: the SHA-256 of its signed text.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

use super::text::write_signed_text;
use crate::crypto::{EncodingError, Hash, Signature, Sodium};
use crate::op::{MaybeOwned, Op, OpError, SignedOp, SignedOpRef};

/// The identity of an operation: the SHA-256 of its signed text. Duplicate detection, tie-breaking, sync and storage
/// use it.
///
/// It does not cover the signature: a key holder can make many valid signatures of one text, for one operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpHash(Hash);

impl OpHash {
    /// Creates a hash from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::from_bytes(bytes))
    }

    /// Computes the hash of an operation, without verifying it.
    pub(crate) fn of(crypto: &Sodium, signed: SignedOpRef<'_>) -> Result<Self, OpError> {
        Ok(HashedOp::new(crypto, MaybeOwned::Borrowed(signed), &mut Scratch::default())?.hash())
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// The first eight bytes suffice for a table whose hasher has a key, because a SHA-256 is as good as random.
impl std::hash::Hash for OpHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = *self.as_bytes();
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A set of operation hashes.
pub(crate) type OpHashSet = HashSet<OpHash>;

/// A map from operation hashes.
pub(crate) type OpHashMap<T> = HashMap<OpHash, T>;

impl From<Hash> for OpHash {
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

impl FromStr for OpHash {
    type Err = EncodingError;

    /// Parses 64 lower-case hexadecimal digits.
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

/// A reusable buffer for signed texts.
#[derive(Default)]
pub(crate) struct Scratch(String);

/// A signed operation with its signed text and hash, which are computed once and used for the duplicate check, the
/// verification and the log. The text is stored in a [`Scratch`].
pub(crate) struct HashedOp<'a, 't> {
    signed: MaybeOwned<'a>,
    text: &'t str,
    hash: OpHash,
}

impl<'a, 't> HashedOp<'a, 't> {
    pub(crate) fn new(
        crypto: &Sodium,
        signed: MaybeOwned<'a>,
        scratch: &'t mut Scratch,
    ) -> Result<Self, OpError> {
        let view = signed.as_ref();
        write_signed_text(view.op(), view.kid(), &mut scratch.0)?;
        let text = scratch.0.as_str();
        let hash = OpHash(crypto.hash(text.as_bytes()));
        Ok(Self { signed, text, hash })
    }

    /// Signs an operation with a function that signs its text.
    pub(crate) fn sign(
        crypto: &Sodium,
        op: Op,
        kid: &str,
        scratch: &'t mut Scratch,
        sign: impl FnOnce(&str) -> Signature,
    ) -> Result<Self, OpError> {
        write_signed_text(op.as_ref(), kid, &mut scratch.0)?;
        let text = scratch.0.as_str();
        let signed = MaybeOwned::Owned(SignedOp::new(op, kid, sign(text))?);
        Ok(Self { signed, text, hash: OpHash(crypto.hash(text.as_bytes())) })
    }

    /// Returns a copy that borrows the operation.
    pub(crate) fn by_ref(&self) -> HashedOp<'_, 't> {
        HashedOp { signed: MaybeOwned::Borrowed(self.signed()), text: self.text, hash: self.hash }
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'_> {
        self.signed.as_ref()
    }

    pub(crate) fn text(&self) -> &str {
        self.text
    }

    pub(crate) fn hash(&self) -> OpHash {
        self.hash
    }

    /// Returns the operation without its text.
    pub(crate) fn into_signed(self) -> MaybeOwned<'a> {
        self.signed
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn hashes_with_equal_first_bytes_are_distinct() {
        let with_end = |end| {
            let mut bytes = [7; 32];
            bytes[31] = end;
            OpHash::from_bytes(bytes)
        };
        let mut set = OpHashSet::default();
        assert!((0..=255).all(|end| set.insert(with_end(end))));
        assert!((0..=255).all(|end| set.contains(&with_end(end))));
    }

    #[test]
    fn no_two_tables_hash_alike() {
        let hash = OpHash::from_bytes([7; 32]);
        let (one, other) = (OpHashSet::default(), OpHashSet::default());
        assert_ne!(one.hasher().hash_one(hash), other.hasher().hash_one(hash));
    }
}
