//! Digests over copies of one operation, which differ in their signatures and the names of their keys.

use crate::codec::OpHash;
use crate::codec::tags::{SYNC_COPIES, SYNC_COPY};
use crate::crypto::{Signature, Sodium, first};

/// Copies of an operation that a digest covers. A side holds at most five; others are left out.
const MAX_COPIES: usize = 8;

/// A hash of one copy of an operation.
type CopyHash = [u8; 16];

/// Copies of one operation, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CopySet(Vec<CopyHash>);

/// A digest over a set of copies of one operation. It is zero for no copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CopyDigest([u8; 16]);

impl CopySet {
    /// Adds a copy of the operation with this hash.
    pub(crate) fn add(&mut self, crypto: Sodium, hash: &OpHash, kid: &str, signature: Signature) {
        let copy = first_half(crypto, hash, &[SYNC_COPY, signature.as_bytes(), kid.as_bytes()].concat());
        if let Err(at) = self.0.binary_search(&copy)
            && self.0.len() < MAX_COPIES
        {
            self.0.insert(at, copy);
        }
    }

    /// Returns the digest over these copies of the operation with this hash. Nobody can find two sets with one digest.
    pub(crate) fn digest(&self, crypto: Sodium, hash: &OpHash) -> CopyDigest {
        if self.0.is_empty() {
            return CopyDigest::default();
        }
        CopyDigest(first_half(crypto, hash, &[SYNC_COPIES, self.0.as_flattened()].concat()))
    }
}

impl CopyDigest {
    pub(crate) const BYTES: usize = 16;

    /// Returns true if it is the digest over no copies.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// Returns the first half of the BLAKE2b of a message, with the identity of the operation as its key.
fn first_half(crypto: Sodium, hash: &OpHash, message: &[u8]) -> [u8; 16] {
    first(&crypto.keyed_hash(hash.as_bytes(), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(op: u8, copies: &[u8]) -> CopyDigest {
        let (crypto, hash) = (Sodium::new().unwrap(), OpHash::from_bytes([op; 32]));
        let mut set = CopySet::default();
        copies.iter().for_each(|copy| set.add(crypto, &hash, "k", Signature::from_bytes([*copy; 64])));
        set.digest(crypto, &hash)
    }

    #[test]
    fn a_digest_is_over_a_set_of_copies_of_one_operation() {
        assert!(digest(1, &[]).is_none());
        assert_eq!(digest(1, &[1, 2]), digest(1, &[2, 1, 2]));
        // A sum over copies, with their number modulo 16, would be the same for all of one copy again and again.
        let all = [digest(1, &[1]), digest(1, &[2]), digest(1, &[1, 2]), digest(2, &[1]), digest(1, &[])];
        for (at, digest) in all.iter().enumerate() {
            assert!(!all[..at].contains(digest));
        }
        let many: Vec<u8> = (0..20).collect();
        assert_eq!(digest(1, &many), digest(1, &many[..MAX_COPIES]));
    }
}
