//! The options of a replica.

use super::restore::Expected;
use crate::guard::Guard;
use crate::hlc::WallMillis;
use crate::keys::{KeyRegistry, SigningSecretKey};
use crate::oplog::LogDigest;
use crate::store::Store;
#[cfg(feature = "sqlite")]
use crate::store::Durability;
use crate::threads::Threads;

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
    pub(super) place: Place,
    #[cfg(feature = "sqlite")]
    pub(super) durability: Durability,
    pub(super) expected: Expected,
}

/// The place where a replica keeps its log, with the present time.
pub(super) enum Place {
    Memory,
    Store(Box<dyn Store>, WallMillis),
    #[cfg(feature = "sqlite")]
    File(std::path::PathBuf, WallMillis),
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
            place: Place::Memory,
            #[cfg(feature = "sqlite")]
            durability: Durability::default(),
            expected: Expected::default(),
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

    /// Verifies the signatures of a batch on up to so many threads, which live as long as the call, and looks up what
    /// the operations of a large one are about on a second. Outcomes and their order are the same as with one.
    #[cfg(feature = "parallel")]
    #[must_use]
    pub fn threads(mut self, threads: std::num::NonZeroUsize) -> Self {
        self.threads = Threads::up_to(threads);
        self
    }

    /// Keeps the replica in a store instead of in memory. `now` is the present time: stored operations that are stamped
    /// later than this and the drift are held.
    ///
    /// The store is not trusted. Every operation's hash is computed and its signature verified again, for which the
    /// registry must know the keys of all of them ([`OpenError::UnknownKey`](crate::OpenError)), unless a
    /// [`seal_key`](Self::seal_key) proves that it was done before. The guard is not asked again. The fields that are
    /// there count as known, not as changes ([`Replica::poll`](crate::Replica::poll)).
    #[must_use]
    pub fn store(mut self, store: impl Store + 'static, now: WallMillis) -> Self {
        self.place = Place::Store(Box::new(store), now);
        self
    }

    /// Keeps the replica in an SQLite file, which is created if it does not exist. It is read like any other
    /// [`store`](Self::store).
    ///
    /// One replica, in one process, can have a file open at a time: for others it is
    /// [`StoreError::Locked`](crate::StoreError::Locked). SQLite keeps a second file beside it while it is open
    /// (`-wal`), which belongs to it. Do not touch either meanwhile: on Unix, a process that opens and closes the file
    /// in another way releases its lock. To copy an open file, use [`Replica::back_up`](crate::Replica::back_up).
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn path(mut self, path: impl Into<std::path::PathBuf>, now: WallMillis) -> Self {
        self.place = Place::File(path.into(), now);
        self
    }

    /// Sets the failures that an acknowledged write to the file survives. Default: [`Durability::Full`].
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Seals the store with 32 bytes that are secret from whoever can write to it, kept in the platform's key store. A
    /// keyed digest over all operations, renewed with every commit, then proves at the next opening that they were
    /// verified before, which saves a curve operation each. A store without a seal is verified and sealed.
    ///
    /// A replica that is opened without the key verifies signatures; its first write removes the seal.
    #[must_use]
    pub fn seal_key(mut self, key: [u8; 32]) -> Self {
        self.expected.seal_key = Some(crate::crypto::Zeroizing::new(key));
        self
    }

    /// Refuses a store that holds less than it once did. `head` is the [digest](crate::OpLog::digest) of this log at an
    /// earlier time, kept where nobody who can replace the store can change it: the operations of that time must all be
    /// there, as the first to have arrived ([`OpenError::RolledBack`](crate::OpenError)). Without it, nothing in an old
    /// copy of the store shows that it is old.
    #[must_use]
    pub fn at_least(mut self, head: LogDigest) -> Self {
        self.expected.at_least = Some(head);
        self
    }

    /// Admits operations **without checking any signature**, whoever made them. Only for a relay that stores for others
    /// and knows no keys; what it serves must be verified by whoever fetches it.
    ///
    /// Such a relay cannot tell a copy with a junk signature from the genuine one, which has the same identity. Whoever
    /// is refused a copy tells it so, and others bring it theirs: see [the manual](crate::manual::design). A relay that
    /// knows the keys does not have this weakness. The guard, too, sees operations that nobody has verified.
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
