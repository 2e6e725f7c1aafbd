//! The keys that a replica knows, by actor and kid.

use super::SigningPublicKey;
use crate::packed::Interner;
use crate::value::Excerpt;

/// The keys that a replica knows, by actor and kid. The application fills it: how keys get from device to device is its
/// business.
///
/// A key is never taken back: what it signed is in the log.
pub struct KeyRegistry {
    keys: Interner<SigningPublicKey>,
}

impl KeyRegistry {
    /// A registry that knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Interner::new() }
    }

    /// Makes a key known. To register the same key again changes nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Taken`] when the actor has another key under this kid; the registry is as it was.
    pub fn register(&mut self, key: SigningPublicKey) -> Result<(), RegistryError> {
        match self.find(key.actor(), key.kid()) {
            Some(known) if *known == key => Ok(()),
            Some(_) => {
                Err(RegistryError::Taken { actor: Excerpt::of(key.actor()), kid: Excerpt::of(key.kid()) })
            }
            None => {
                let hash = self.keys.hash((key.actor(), key.kid()));
                self.keys.insert(hash, key, |key| (key.actor(), key.kid()));
                Ok(())
            }
        }
    }

    /// The key that this actor calls `kid`. Other actors' keys are never looked at.
    #[must_use]
    pub fn find(&self, actor: &str, kid: &str) -> Option<&SigningPublicKey> {
        let is = |key: &SigningPublicKey| key.actor() == actor && key.kid() == kid;
        self.keys.find(self.keys.hash((actor, kid)), is).map(|number| self.keys.get(number))
    }

    /// How many keys are known.
    #[must_use]
    pub fn len(&self) -> usize {
        crate::packed::index(self.keys.len())
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0
    }

    /// The keys in the order they were registered.
    pub fn iter(&self) -> impl Iterator<Item = &SigningPublicKey> {
        (0..self.keys.len()).map(|number| self.keys.get(number))
    }
}

impl Default for KeyRegistry {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a key was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The actor has another key under this kid.
    #[error("\"{actor}\" has another key under the kid \"{kid}\"")]
    Taken {
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
}
