//! The registry of public keys.

use std::collections::HashSet;

use super::SigningPublicKey;
use crate::packed::Interner;
use crate::value::Excerpt;

/// The public keys that a replica knows, by actor and kid. The application fills it and distributes keys between
/// devices.
///
/// A key is never removed, because the log contains operations that it signed.
#[derive(Default)]
pub struct KeyRegistry {
    keys: Interner<SigningPublicKey>,
    actors: HashSet<Box<str>>,
}

impl KeyRegistry {
    /// Creates an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a key. Registering the same key again has no effect.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Taken`] if the actor has another key under this kid; the registry is unchanged.
    pub fn register(&mut self, key: SigningPublicKey) -> Result<(), RegistryError> {
        match self.find(key.actor(), key.kid()) {
            Some(known) if *known == key => Ok(()),
            Some(_) => Err(RegistryError::taken(&key)),
            None => {
                self.actors.insert(key.actor().into());
                let hash = self.keys.hash((key.actor(), key.kid()));
                self.keys.insert(hash, key, |key| (key.actor(), key.kid()));
                Ok(())
            }
        }
    }

    /// Registers every key of another registry: all of them or none.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Taken`] if an actor has another key under one of the kids; the registry is unchanged.
    pub fn register_all(&mut self, others: &Self) -> Result<(), RegistryError> {
        let taken =
            |key: &&SigningPublicKey| self.find(key.actor(), key.kid()).is_some_and(|known| known != *key);
        if let Some(key) = others.iter().find(taken) {
            return Err(RegistryError::taken(key));
        }
        others.iter().try_for_each(|key| self.register(key.clone()))
    }

    /// Returns the key of `actor` with the id `kid`. Keys of other actors are not considered.
    #[must_use]
    pub fn find(&self, actor: &str, kid: &str) -> Option<&SigningPublicKey> {
        let is = |key: &SigningPublicKey| key.actor() == actor && key.kid() == kid;
        self.keys.find(self.keys.hash((actor, kid)), is).map(|number| self.keys.get(number))
    }

    /// Returns true if the actor has a key.
    pub(crate) fn knows_actor(&self, actor: &str) -> bool {
        self.actors.contains(actor)
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        crate::packed::index(self.keys.len())
    }

    /// Returns true if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0
    }

    /// Returns the keys in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &SigningPublicKey> {
        (0..self.keys.len()).map(|number| self.keys.get(number))
    }
}

/// The reason why a key was not registered.
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

impl RegistryError {
    fn taken(key: &SigningPublicKey) -> Self {
        Self::Taken { actor: Excerpt::of(key.actor()), kid: Excerpt::of(key.kid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyPair;

    fn key(actor: &str, seed: u8) -> SigningPublicKey {
        let pair = KeyPair::from_seed(&[seed; 32]).unwrap();
        SigningPublicKey::with_kid(actor, "k", pair.public_key()).unwrap()
    }

    fn registry(keys: &[SigningPublicKey]) -> KeyRegistry {
        let mut registry = KeyRegistry::new();
        keys.iter().for_each(|key| registry.register(key.clone()).unwrap());
        registry
    }

    #[test]
    fn all_keys_of_another_registry_are_registered_or_none() {
        let mut known = registry(&[key("alice", 1)]);
        let error = known.register_all(&registry(&[key("bob", 2), key("alice", 3)])).unwrap_err();
        assert_eq!(error.to_string(), "\"alice\" has another key under the kid \"k\"");
        assert_eq!(known.len(), 1);
        known.register_all(&registry(&[key("bob", 2), key("alice", 1)])).unwrap();
        assert!(known.iter().eq([&key("alice", 1), &key("bob", 2)]));
    }
}
