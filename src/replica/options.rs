//! The options that a replica is opened with.

use super::restore::Expected;
use super::{OpenError, Replica};
use crate::guard::Guard;
use crate::hlc::WallMillis;
use crate::keys::{KeyRegistry, SigningSecretKey};
use crate::oplog::LogDigest;
use crate::store::Store;
#[cfg(feature = "sqlite")]
use crate::store::{Durability, SqliteStore};
use crate::threads::Threads;

/// The rule for the `id` of an operation, which is only a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Labels {
    /// Exactly `actor:t:c`. The default.
    #[default]
    Derived,
    /// Any identifier. The quick start of the TypeScript reference uses labels like `alice:1`.
    Any,
}

/// Options for [`Replica::open`](crate::Replica::open).
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
    pub(super) guard_revision: Option<u64>,
    pub(super) max_drift: WallMillis,
    pub(super) labels: Labels,
    pub(super) signatures: SignatureCheck,
    pub(super) threads: Threads,
    pub(super) restore: Option<Restore>,
    pub(super) stored: StoredOptions,
}

/// The options of a replica in a store.
#[derive(Default)]
pub(super) struct StoredOptions {
    pub(super) expected: Expected,
    #[cfg(feature = "sqlite")]
    pub(super) durability: Durability,
}

/// Opens a store and reads its log into a new replica. It is a value, so that a program that keeps all of its replicas
/// in memory is linked without this code.
pub(super) type Restore = Box<dyn FnOnce(&mut Replica, StoredOptions) -> Result<(), OpenError> + Send>;

/// The treatment of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureCheck {
    Required,
    /// Operations are accepted unverified.
    Skipped,
}

impl ReplicaOptions {
    /// The default of [`max_drift`](Self::max_drift): ten minutes.
    pub const DEFAULT_MAX_DRIFT: WallMillis = WallMillis(600_000);

    /// Returns the default options: a replica in memory with no key to write with, an empty registry, no space and no
    /// guard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            signing_key: None,
            keys: KeyRegistry::new(),
            space: None,
            guard: None,
            guard_revision: None,
            max_drift: Self::DEFAULT_MAX_DRIFT,
            labels: Labels::Derived,
            signatures: SignatureCheck::Required,
            threads: Threads::ONE,
            restore: None,
            stored: StoredOptions::default(),
        }
    }

    /// Sets the key that this replica writes with, and registers it. Default: none, the replica only reads.
    ///
    /// One actor is one writer: do not give two devices the same key.
    #[must_use]
    pub fn write_as(mut self, key: SigningSecretKey) -> Self {
        self.signing_key = Some(key);
        self
    }

    /// Sets the registry of known keys. Default: empty.
    #[must_use]
    pub fn keys(mut self, keys: KeyRegistry) -> Self {
        self.keys = keys;
        self
    }

    /// Sets the space, the name of the log: an identifier of 1 to 1024 bytes. Operations are signed for it, and the
    /// replica refuses operations of other spaces. Default: none, the replica accepts only operations without a space.
    #[must_use]
    pub fn space(mut self, space: &str) -> Self {
        self.space = Some(space.into());
        self
    }

    /// Sets a guard, which may refuse verified operations. Default: none. [`Guard`] says what it must not depend on.
    #[must_use]
    pub fn guard(mut self, guard: impl Guard + 'static) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// Sets the revision of the guard's rules: another number whenever it may admit what it denied before. Operations
    /// that it denied are then requested again, and without a revision after each opening. Without a guard it has no
    /// effect.
    #[must_use]
    pub fn guard_revision(mut self, revision: u64) -> Self {
        self.guard_revision = Some(revision);
        self
    }

    /// Sets how far ahead of the wall clock an operation may be, in milliseconds. An operation further ahead is held:
    /// it is kept, but merged only when it is due. Default: [`ReplicaOptions::DEFAULT_MAX_DRIFT`].
    #[must_use]
    pub fn max_drift(mut self, max_drift: WallMillis) -> Self {
        self.max_drift = max_drift;
        self
    }

    /// Sets the rule for the `id` of an operation. Default: [`Labels::Derived`].
    #[must_use]
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Sets the number of threads that verify the signatures of a batch, the calling thread included. They live as long
    /// as the call. With two or more, the names in a large batch are looked up on a second thread. Results and their
    /// order do not depend on the number. Default: one.
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
        self.restore = Some(Box::new(move |replica, options| {
            replica.restore(now, options.expected, || Ok(Box::new(store)))
        }));
        self
    }

    /// Keeps the replica in an SQLite file, which is created if it does not exist. It is read like any other
    /// [`store`](Self::store).
    ///
    /// One replica, in one process, can have a file open at a time: for others it is
    /// [`StoreError::Locked`](crate::StoreError::Locked) or, in the same process,
    /// [`StoreError::OpenHere`](crate::StoreError::OpenHere). SQLite keeps a second file beside it while it is open
    /// (`-wal`), which belongs to it. Do not touch either meanwhile: on Unix, a process that opens and closes the file
    /// in another way releases its lock. To copy an open file, use [`Replica::back_up`](crate::Replica::back_up). After
    /// a `fork` only the parent may use the replica: see [`StoreError::OtherProcess`](crate::StoreError::OtherProcess).
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn path(mut self, path: impl Into<std::path::PathBuf>, now: WallMillis) -> Self {
        let path = path.into();
        self.restore = Some(Box::new(move |replica, options| {
            let open = || SqliteStore::open(&path, options.durability);
            let opened = replica.restore(now, options.expected, || Ok(Box::new(open()?)));
            opened.map_err(|error| error.in_file(&path))
        }));
        self
    }

    /// Reads the replica from an SQLite file, which must exist and is not changed: writes and ingests are
    /// [`StoreError::ReadOnly`](crate::StoreError::ReadOnly). A file that was closed after the last write can be on
    /// read-only media; one that was not needs a directory that may be written to. A file that another replica has open
    /// for writing is [`StoreError::Locked`](crate::StoreError::Locked). Do not write to it meanwhile: not every medium
    /// has a lock. Rust only.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn path_read_only(mut self, path: impl Into<std::path::PathBuf>, now: WallMillis) -> Self {
        let path = path.into();
        self.restore = Some(Box::new(move |replica, options| {
            let open = || SqliteStore::open_read_only(&path);
            let opened = replica.restore(now, options.expected, || Ok(Box::new(open()?)));
            opened.map_err(|error| error.in_file(&path))
        }));
        self
    }

    /// Sets the failures that an acknowledged write to the file survives. Default: [`Durability::Full`].
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.stored.durability = durability;
        self
    }

    /// Seals the store with 32 bytes that are secret from whoever can write to it, kept in the platform's key store. A
    /// keyed digest over all operations, renewed with every commit, then proves at the next opening that they were
    /// verified before, which saves a curve operation each. A store without a seal is verified and sealed.
    ///
    /// A replica that is opened without the key verifies signatures; its first write removes the seal.
    #[must_use]
    pub fn seal_key(mut self, key: [u8; 32]) -> Self {
        self.stored.expected.seal_key = Some(crate::crypto::Zeroizing::new(key));
        self
    }

    /// Refuses a store that holds less than it once did. `digest` is the [digest](crate::OpLog::digest) of this log at
    /// an earlier time, kept where nobody who can replace the store can change it: the operations of that time must all
    /// be there, as the first to have arrived ([`OpenError::RolledBack`](crate::OpenError)). Without it, nothing in an
    /// old copy of the store shows that it is old.
    #[must_use]
    pub fn at_least(mut self, digest: LogDigest) -> Self {
        self.stored.expected.at_least = Some(digest);
        self
    }

    /// Accepts operations **without checking any signature**. Only for a relay that stores operations for others and
    /// knows no keys; those who fetch operations from it must verify them.
    ///
    /// Such a relay cannot tell a copy with a forged signature from the genuine one, which has the same identity. Peers
    /// that refuse a copy report it, and the relay then collects the copies of other peers: see
    /// [the manual](crate::manual::design). A relay that knows the keys does not have this weakness. The guard of a
    /// relay without keys sees operations that nobody has verified.
    #[must_use]
    pub fn dangerously_accept_unverified(mut self) -> Self {
        self.signatures = SignatureCheck::Skipped;
        self
    }
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self::new()
    }
}
