//! The seal over a log that was verified.

use super::clock::StoredClock;
use crate::codec::OpHash;
use crate::codec::tags::{STORE_SEAL, STORE_SEAL_V1};
use crate::crypto::{Sodium, Zeroizing, first};
use crate::op::SignedOpRef;

/// The first byte of what is hashed: the beginning of a chain, an operation, the state of a clock, or the id of the
/// key.
const START: u8 = 0;
const OPERATION: u8 = 1;
const CLOCK: u8 = 2;
const KEY: u8 = 3;

/// A keyed digest over operations in the order of arrival: a chain with a link for each operation.
///
/// A link covers all that the binary form holds: the hash covers what the operation says, and beside it are the
/// signature and the kid. Nobody without the key can make a seal for operations that were not sealed in this order. A
/// seal that was once valid stays valid: it proves that operations were verified, not that none is missing at the end.
pub(crate) type Seal = [u8; 32];

/// A keyed digest over the state of a clock, bound to the seal over the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockSeal {
    /// The id of the key: it tells a wrong key from a changed file, and proves nothing.
    pub(crate) key: [u8; 8],
    pub(crate) seal: [u8; 16],
}

/// The key that makes and checks seals.
pub(crate) struct Sealing {
    crypto: Sodium,
    key: Zeroizing<[u8; 32]>,
}

impl Sealing {
    pub(crate) const fn new(crypto: Sodium, key: Zeroizing<[u8; 32]>) -> Self {
        Self { crypto, key }
    }

    /// Returns the seal of an empty log; for an old file, as version 0.1.0 made it.
    pub(crate) fn start(&self, space: Option<&str>, is_old: bool) -> Seal {
        let mut message = vec![START];
        message.extend_from_slice(if is_old { STORE_SEAL_V1 } else { STORE_SEAL });
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

    /// Returns the seal over the state of the clock beside this seal over the operations.
    pub(crate) fn of_clock(&self, ops: &Seal, clock: StoredClock) -> ClockSeal {
        let mut message = vec![CLOCK];
        message.extend_from_slice(ops);
        message.push(u8::from(clock.was_reset));
        // The greatest value means no horizon.
        message.extend_from_slice(&clock.horizon.map_or(u64::MAX, |horizon| horizon.0).to_le_bytes());
        let seal = self.crypto.keyed_hash(&self.key, &message);
        let key = self.crypto.keyed_hash(&self.key, &[&[KEY], STORE_SEAL].concat());
        ClockSeal { key: first(&key), seal: first(&seal) }
    }

    /// Compares two seals in constant time.
    pub(crate) fn is_same(&self, a: &[u8], b: &[u8]) -> bool {
        self.crypto.equal(a, b)
    }
}
