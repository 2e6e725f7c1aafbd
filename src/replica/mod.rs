//! The replica: a log with its state, clock and keys.

mod admission;
mod alternates;
mod batch;
mod copies;
mod feed;
mod horizon;
mod incoming;
mod ingest;
mod journal;
#[cfg(test)]
mod junk_tests;
mod notes;
mod options;
mod outcome;
mod peers;
mod read;
mod refused;
mod report;
mod restore;
mod shared;
mod verify;
mod write;

use std::fmt;

use crate::crypto::{CryptoError, Sodium, random};
use crate::guard::Guard;
use crate::hlc::{Clock, HlcError, WallMillis};
use crate::keys::{KeyRegistry, RegistryError, SigningSecretKey};
use crate::op::{IdentifierError, OpSeq};
use crate::oplog::{LogDigest, OpLog};
use crate::state::State;
use crate::store::StoreError;
use crate::threads::Threads;
use crate::value::Excerpt;
use alternates::Alternates;
pub(crate) use alternates::Claim;
use journal::Journal;
use options::SignatureCheck;
use peers::Peers;

pub(crate) use copies::{CopyDigest, CopySet};
#[cfg(feature = "capi")]
pub(crate) use feed::ChangedFields;
pub use feed::{FieldChange, StateChanges, StateCursor, StateCursorError};
pub use incoming::Incoming;
pub use journal::{JournalError, Restoring, Unsaved};
pub use options::{Labels, ReplicaOptions};
pub use outcome::{Effect, IngestError, OpRefusal, Outcome};
pub(crate) use peers::PeerName;
pub(crate) use refused::{NewRefused, Refused, RefusedByPeer, RefusedOp, RefusedOps, SessionEnd};
pub use report::ReplicaReport;
pub use shared::{Observer, ReplicaGuard, SharedReplica};
pub use write::{FieldWrite, WriteError};

/// A copy of the data: the operations that this device has written and received, merged.
///
/// A replica opens no sockets, reads no clock, and starts no threads unless [`ReplicaOptions`] ask for them. Calls that
/// need the time take it as an argument. A replica can be sent to another thread; a [`SharedReplica`] is for several
/// threads.
///
/// - Write a field: [`set`](Self::set), [`delete`](Self::delete); several at once: [`write_batch`](Self::write_batch),
///   [`delete_entity`](Self::delete_entity).
/// - Ingest operations of others: [`ingest`](Self::ingest), [`ingest_batch`](Self::ingest_batch).
/// - Read: [`get`](Self::get), [`fields`](Self::fields), [`entity`](Self::entity), [`entities`](Self::entities),
///   [`kinds`](Self::kinds), [`history`](Self::history), [`explain`](Self::explain).
/// - Learn which fields have changed: [`poll`](Self::poll), or across restarts [`changes_since`](Self::changes_since).
///
/// ```
/// use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
///
/// let now = WallMillis(1_760_000_000_000);
/// let alice = SigningSecretKey::generate("alice")?;
/// let bob = SigningSecretKey::generate("bob")?;
/// let alices_key = alice.public_key().clone();
///
/// let mut on_alices_phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
/// let op = on_alices_phone.set(now, ("Task", "t1", "title"), "Hello world")?;
///
/// let mut on_bobs_phone = Replica::open(ReplicaOptions::new().write_as(bob))?;
/// on_bobs_phone.keys_mut().register(alices_key)?;
/// on_bobs_phone.ingest(now, op.to_json().as_bytes())?;
/// assert_eq!(on_bobs_phone.get(("Task", "t1", "title"))?, Some("Hello world".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Replica {
    crypto: Sodium,
    signing_key: Option<SigningSecretKey>,
    keys: KeyRegistry,
    guard: Option<Box<dyn Guard>>,
    /// The revision of the guard, 0 without one. A guard without a revision gets a random one.
    guard_revision: u128,
    max_drift: WallMillis,
    labels: Labels,
    signatures: SignatureCheck,
    threads: Threads,
    clock: Clock,
    /// True if the application has said that an earlier wall clock was wrong.
    clock_was_reset: bool,
    /// The wall clock of the last call, if it was not believed.
    doubted: Option<WallMillis>,
    log: OpLog,
    journal: Option<Journal>,
    state: State,
    alternates: Alternates,
    peers: Peers,
}

impl Replica {
    /// Opens a replica: an empty one in memory, or with [`ReplicaOptions::path`] or [`ReplicaOptions::store`] the one
    /// that is kept there.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the options contradict each other, libsodium does not work here, or the file cannot be opened
    /// or is damaged.
    pub fn open(options: ReplicaOptions) -> Result<Self, OpenError> {
        if options.restore.is_none() && options.stored.expected.is_some() {
            return Err(OpenError::NoStore);
        }
        let crypto = Sodium::new()?;
        let mut keys = options.keys;
        if let Some(own) = &options.signing_key {
            keys.register(own.public_key().clone())?;
        }
        if let Some(space) = &options.space {
            crate::op::check(crate::op::Member::Space, space)?;
        }
        let mut replica = Self {
            crypto,
            signing_key: options.signing_key,
            keys,
            guard_revision: match (&options.guard, options.guard_revision) {
                (None, _) => 0,
                (Some(_), Some(revision)) => u128::from(revision) + 1,
                // A revision that no other opened replica has.
                (Some(_), None) => u128::from_le_bytes(random()?),
            },
            guard: options.guard,
            max_drift: options.max_drift,
            labels: options.labels,
            signatures: options.signatures,
            threads: options.threads,
            clock: Clock::new(),
            clock_was_reset: false,
            doubted: None,
            log: OpLog::new_in(crypto, options.space),
            journal: None,
            state: State::default(),
            alternates: Alternates::default(),
            peers: Peers::default(),
        };
        if let Some(restore) = options.restore {
            restore(&mut replica, options.stored)?;
        }
        Ok(replica)
    }

    /// Copies the replica's file into a new file, for use as a backup. The replica stays open. The copy is marked: it
    /// does not open for writing as an actor with operations in it ([`OpenError::RestoredBackup`]), because that actor
    /// may have written more since and would reuse the timestamps.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoFile`] if the replica was not opened with a path, [`StoreError::Exists`] if there is a file
    /// already, others if the disk fails. Then there is no copy, unless only making its name durable failed.
    pub fn back_up(&self, path: impl AsRef<std::path::Path>) -> Result<(), StoreError> {
        self.log.copy_to(path.as_ref())
    }

    /// The keys that this replica knows.
    #[must_use]
    pub fn keys(&self) -> &KeyRegistry {
        &self.keys
    }

    /// The keys that this replica knows, to register more.
    pub fn keys_mut(&mut self) -> &mut KeyRegistry {
        &mut self.keys
    }

    /// The log of all operations that this replica has.
    #[must_use]
    pub fn log(&self) -> &OpLog {
        &self.log
    }

    /// The clock that stamps this replica's own operations.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The actor that this replica writes as.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        self.signing_key.as_ref().map(|key| key.public_key().actor())
    }

    /// Returns true if this replica accepts operations without checking their signatures.
    #[must_use]
    pub fn accepts_unverified(&self) -> bool {
        self.signatures == SignatureCheck::Skipped
    }

    pub(crate) fn crypto(&self) -> Sodium {
        self.crypto
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("actor", &self.actor())
            .field("log", &self.log)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// The error of opening a replica.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// libsodium does not work here, or its verdicts differ from those that this crate relies on.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The space is not an identifier.
    #[error(transparent)]
    Space(#[from] IdentifierError),
    /// The registry has another key under the kid of the replica's own key.
    #[error(transparent)]
    Key(#[from] RegistryError),
    /// The wall clock is out of range. Nothing was opened.
    #[error(transparent)]
    Clock(#[from] HlcError),
    /// The file cannot be opened, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file holds an operation whose key is not in the registry. Register it, or open with the seal key.
    #[error("no key \"{kid}\" of actor \"{actor}\" is known here, which operation number {seq} needs")]
    UnknownKey {
        /// The operation's number.
        seq: OpSeq,
        /// The actor, shortened and escaped.
        actor: Excerpt,
        /// The kid, shortened and escaped.
        kid: Excerpt,
    },
    /// The file does not hold the operations that it once did: it is an old copy, or something was taken out.
    #[error("the log should begin with {expected}; there are {found}")]
    RolledBack {
        /// The digest that the log had at an earlier time.
        expected: LogDigest,
        /// The digest of the log now, of as many operations if it has them.
        found: LogDigest,
    },
    /// The file is a backup, and the actor has written into it before it was made. What the actor has written since is
    /// not there; it would use the same timestamps again. A new installation is a new actor.
    #[error("actor \"{actor}\" has written into this backup before; a new installation needs a new actor")]
    RestoredBackup {
        /// The actor, shortened and escaped.
        actor: Excerpt,
    },
    /// A seal proves that operations were verified, which this replica does not do.
    #[error("a replica that accepts unverified operations cannot seal them")]
    SealUnverified,
    /// The options have a seal key or expect a digest, but name no store.
    #[error("a seal key or an expected digest needs a store")]
    NoStore,
    /// The options name a store for a replica that has a journal.
    #[error("a replica with a journal has no other store")]
    TwoStores,
}
