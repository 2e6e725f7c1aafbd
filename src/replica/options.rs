//! How a replica is opened.

use super::threads::Threads;
use crate::guard::Guard;
use crate::hlc::WallMillis;
use crate::keys::{KeyRegistry, SigningSecretKey};

/// Which `id` an operation may carry. It is only ever a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Labels {
    /// Exactly `actor:t:c`. The default.
    #[default]
    Derived,
    /// Any identifier, as the quick start of the TypeScript reference uses it.
    Any,
}

/// How a replica is opened.
///
/// ```
/// use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
///
/// let replica = Replica::open(
///     ReplicaOptions::new()
///         .write_as(SigningSecretKey::generate("alice")?)
///         .space("household")
///         .max_drift(WallMillis(60_000)),
/// )?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReplicaOptions {
    pub(super) signing_key: Option<SigningSecretKey>,
    pub(super) keys: KeyRegistry,
    pub(super) space: Option<Box<str>>,
    pub(super) guard: Option<Box<dyn Guard>>,
    pub(super) max_drift: WallMillis,
    pub(super) labels: Labels,
    pub(super) unverified: bool,
    pub(super) threads: Threads,
}

impl ReplicaOptions {
    /// How far ahead of the wall clock an operation may be before it is held: ten minutes.
    pub const DEFAULT_MAX_DRIFT: WallMillis = WallMillis(600_000);

    /// A replica that only reads: no key of its own, an empty registry, no space, no guard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            signing_key: None,
            keys: KeyRegistry::new(),
            space: None,
            guard: None,
            max_drift: Self::DEFAULT_MAX_DRIFT,
            labels: Labels::Derived,
            unverified: false,
            threads: Threads::ONE,
        }
    }

    /// The actor that this replica writes as, with its key, which is registered too. One actor is one writer: do not
    /// give two devices the same.
    #[must_use]
    pub fn write_as(mut self, key: SigningSecretKey) -> Self {
        self.signing_key = Some(key);
        self
    }

    /// The keys that are known from the start.
    #[must_use]
    pub fn keys(mut self, keys: KeyRegistry) -> Self {
        self.keys = keys;
        self
    }

    /// The log's name, 1 to 1024 bytes. Operations are signed for it, and no others are admitted. Without one, only
    /// operations without a space are.
    #[must_use]
    pub fn space(mut self, space: &str) -> Self {
        self.space = Some(space.into());
        self
    }

    /// Refuses operations that the application does not want. See [`Guard`] for what it must not depend on.
    #[must_use]
    pub fn guard(mut self, guard: impl Guard + 'static) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// How far ahead of the wall clock an operation may be, in milliseconds. One that is further ahead is kept but not
    /// merged until its time comes. Default: [`ReplicaOptions::DEFAULT_MAX_DRIFT`].
    #[must_use]
    pub fn max_drift(mut self, max_drift: WallMillis) -> Self {
        self.max_drift = max_drift;
        self
    }

    /// Which `id` an operation may carry. Default: [`Labels::Derived`].
    #[must_use]
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Verifies the signatures of a batch on up to so many threads, which live as long as the call. Outcomes and their
    /// order are the same as with one.
    #[cfg(feature = "parallel")]
    #[must_use]
    pub fn threads(mut self, threads: std::num::NonZeroUsize) -> Self {
        self.threads = Threads::up_to(threads);
        self
    }

    /// Admits operations **without checking any signature**, whoever made them. Only for a relay that stores for others
    /// and knows no keys; what it serves must be verified by whoever fetches it.
    ///
    /// Anybody can make such a relay useless for an operation that they can guess: the signature is not part of an
    /// operation's identity, so a copy with a junk signature that comes first shuts the genuine one out *there*. A
    /// relay that knows the keys does not have this weakness. The guard, too, sees operations that nobody has verified.
    #[must_use]
    pub fn dangerously_accept_unverified(mut self) -> Self {
        self.unverified = true;
        self
    }
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self::new()
    }
}
