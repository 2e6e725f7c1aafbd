//! The seal over a log that was verified.

use crate::codec::OpHash;
use crate::codec::tags::STORE_SEAL;
use crate::crypto::{Sodium, Zeroizing};
use crate::op::SignedOpRef;

/// The first byte of what is hashed: the beginning of a chain, or an operation.
const START: u8 = 0;
const OPERATION: u8 = 1;

/// A keyed digest over operations in the order of arrival: a chain with a link for each operation.
///
/// A link covers all that the binary form holds: the hash covers what the operation says, and beside it are the
/// signature and the kid. Nobody without the key can make a seal for operations that were not sealed in this order. A
/// seal that was once valid stays valid: it proves that operations were verified, not that none is missing at the end.
pub(crate) type Seal = [u8; 32];

/// The key that makes and checks seals.
pub(crate) struct Sealing {
    crypto: Sodium,
    key: Zeroizing<[u8; 32]>,
}

impl Sealing {
    pub(crate) const fn new(crypto: Sodium, key: Zeroizing<[u8; 32]>) -> Self {
        Self { crypto, key }
    }

    /// Returns the seal of an empty log.
    pub(crate) fn start(&self, space: Option<&str>) -> Seal {
        let mut message = vec![START];
        message.extend_from_slice(STORE_SEAL);
        // A space is never empty.
        message.extend_from_slice(space.unwrap_or_default().as_bytes());
        self.crypto.keyed_hash(&self.key, &message)
    }

    /// Returns the seal after one more operation. `scratch` saves an allocation.
    pub(crate) fn after(
        &self,
        seal: &Seal,
        hash: &OpHash,
        signed: SignedOpRef<'_>,
        scratch: &mut Vec<u8>,
    ) -> Seal {
        scratch.clear();
        scratch.push(OPERATION);
        scratch.extend_from_slice(seal);
        scratch.extend_from_slice(hash.as_bytes());
        scratch.extend_from_slice(signed.signature().as_bytes());
        scratch.extend_from_slice(signed.kid().as_bytes());
        self.crypto.keyed_hash(&self.key, scratch)
    }

    /// Compares two seals in constant time.
    pub(crate) fn is_same(&self, a: &Seal, b: &Seal) -> bool {
        self.crypto.equal(a, b)
    }
}
