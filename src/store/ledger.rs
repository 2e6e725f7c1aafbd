//! The head of a log while it is open, with the key of its seal.

use super::clock::StoredClock;
use super::head::{Head, LogSeal};
use super::seal::{Seal, Sealing};
use super::{Damage, Place, StoreError};
use crate::codec::OpHash;
use crate::crypto::{Sodium, Zeroizing};
use crate::op::SignedOpRef;
use crate::value::Excerpt;

/// The head that a store is known to have, and how the next one follows from it.
pub(crate) struct Ledger {
    crypto: Sodium,
    head: Head,
    /// The head as it is stored; `None` for a new store.
    stored: Option<Vec<u8>>,
    sealing: Option<Sealing>,
}

impl Ledger {
    /// Creates the ledger of an empty log without a seal.
    pub(crate) fn empty(crypto: Sodium, space: Option<&str>) -> Self {
        Self { crypto, head: Head::new(space.map(Into::into)), stored: None, sealing: None }
    }

    /// Reads the stored head of a log in this space, `None` for a new store, and checks the seal over its clock.
    pub(crate) fn open(
        crypto: Sodium,
        stored: Option<Vec<u8>>,
        space: Option<&str>,
        seal_key: Option<Zeroizing<[u8; 32]>>,
    ) -> Result<Self, StoreError> {
        let ledger = Self::examine(crypto, stored, space, seal_key)?;
        ledger.check_clock_seal(&ledger.head)?;
        Ok(ledger)
    }

    /// Reads the stored head of a log in this space and leaves the seal over its clock to the caller.
    pub(crate) fn examine(
        crypto: Sodium,
        stored: Option<Vec<u8>>,
        space: Option<&str>,
        seal_key: Option<Zeroizing<[u8; 32]>>,
    ) -> Result<Self, StoreError> {
        let head = read(crypto, stored.as_deref(), space)?;
        let sealing = seal_key.map(|key| Sealing::new(crypto, key));
        Ok(Self { crypto, head, stored, sealing })
    }

    /// Reads a head that another writer has stored.
    pub(crate) fn read(&self, stored: Option<&[u8]>) -> Result<Head, StoreError> {
        let head = read(self.crypto, stored, self.head.space.as_deref())?;
        self.check_clock_seal(&head)?;
        Ok(head)
    }

    /// Returns the count of operations.
    pub(crate) fn count(&self) -> u32 {
        self.head.count
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn stored(&self) -> Option<&[u8]> {
        self.stored.as_deref()
    }

    pub(crate) fn sealing(&self) -> Option<&Sealing> {
        self.sealing.as_ref()
    }

    /// Returns true if there is a seal, and a key to check it with.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealing.is_some() && self.head.seal.is_some()
    }

    /// Returns true if version 0.1.0 made the seal.
    pub(crate) fn has_old_seal(&self) -> bool {
        self.head.seal.is_some_and(|seal| seal.clock.is_none())
    }

    /// Checks the seal of a head against the one that was computed over its operations.
    pub(crate) fn check_seal(&self, head: &Head, computed: &Seal) -> Result<(), StoreError> {
        match (&self.sealing, &head.seal) {
            (Some(sealing), Some(stored)) if sealing.is_same(computed, &stored.ops) => Ok(()),
            _ => Err(broken_seal()),
        }
    }

    /// Checks the seal over the clock of a head, if it has one and there is a key.
    pub(crate) fn check_clock_seal(&self, head: &Head) -> Result<(), StoreError> {
        let Some((sealing, seal)) = self.sealing.as_ref().zip(head.seal) else { return Ok(()) };
        let Some(stored) = seal.clock else { return Ok(()) };
        let expected = sealing.of_clock(&seal.ops, head.clock);
        match (stored.key == expected.key, sealing.is_same(&stored.seal, &expected.seal)) {
            (true, true) => Ok(()),
            (true, false) => Err(broken_seal()),
            (false, _) => Err(StoreError::WrongSealKey),
        }
    }

    /// Returns the head after these operations, with this state of the clock. A log that has lost its seal, because it
    /// was written to without the key, or that never had one, stays without.
    pub(crate) fn after<'o>(
        &self,
        ops: impl ExactSizeIterator<Item = (OpHash, SignedOpRef<'o>)> + Clone,
        clock: StoredClock,
    ) -> Result<Head, StoreError> {
        let added = u32::try_from(ops.len()).map_err(|_| StoreError::Full)?;
        let count = self.head.count.checked_add(added).ok_or(StoreError::Full)?;
        let trace = self.head.trace_after(self.crypto, ops.clone().map(|(hash, _)| hash));
        let seal = self.sealing.as_ref().zip(self.head.seal).map(|(sealing, seal)| {
            let mut scratch = Vec::new();
            let ops =
                ops.fold(seal.ops, |seal, (hash, signed)| sealing.after(&seal, &hash, signed, &mut scratch));
            LogSeal { ops, clock: Some(sealing.of_clock(&ops, clock)) }
        });
        Ok(Head { count, trace, seal, clock, ..self.head.clone() })
    }

    /// Returns the head with a first seal over operations that have all been verified, and with this state of the
    /// clock; `None` if the head is stored and neither is new. A new state of the clock without the key removes the
    /// seal.
    pub(crate) fn settled(&self, seal: Option<Seal>, clock: StoredClock) -> Option<Head> {
        if seal.is_none() && self.stored.is_some() && clock == self.head.clock {
            return None;
        }
        let trace = self.head.trace_after(self.crypto, std::iter::empty());
        let ops = seal.or(self.head.seal.map(|seal| seal.ops));
        let renewed = self
            .sealing
            .as_ref()
            .zip(ops)
            .map(|(sealing, ops)| LogSeal { ops, clock: Some(sealing.of_clock(&ops, clock)) });
        let seal = renewed.or(self.head.seal.filter(|_| clock == self.head.clock));
        Some(Head { trace, seal, clock, ..self.head.clone() })
    }

    /// Returns the head for a backup. A backup of a backup refuses the actors of both.
    #[cfg(feature = "sqlite")]
    pub(crate) fn copy(&self) -> Head {
        Head { copied: Some(self.head.count), ..self.head.clone() }
    }

    /// Returns the head of a log that was saved from a backup with this count of operations.
    #[cfg(feature = "sqlite")]
    pub(crate) fn marked(&self, copied: Option<u32>) -> Head {
        let trace = self.head.trace_after(self.crypto, std::iter::empty());
        Head { trace, copied, ..self.head.clone() }
    }

    /// Notes that a head is stored now.
    pub(crate) fn advance(&mut self, head: Head) {
        self.stored = Some(head.encode(self.crypto));
        self.head = head;
    }
}

fn broken_seal() -> StoreError {
    StoreError::Corrupt { place: Place::Seal, damage: Damage::Seal }
}

fn read(crypto: Sodium, stored: Option<&[u8]>, space: Option<&str>) -> Result<Head, StoreError> {
    let Some(bytes) = stored else { return Ok(Head::new(space.map(Into::into))) };
    let head = Head::decode(crypto, bytes)?;
    if head.space.as_deref() == space {
        return Ok(head);
    }
    Err(StoreError::WrongSpace {
        found: head.space.as_deref().map(Excerpt::of),
        expected: space.map(Excerpt::of),
    })
}
