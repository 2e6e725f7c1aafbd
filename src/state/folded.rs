//! The merged state of a log without a replica.

use super::{State, Version};
use crate::crypto::{Hash, Sodium};
use crate::hlc::WallMillis;
use crate::oplog::OpLog;
use crate::store::StoreError;
use crate::value::Value;

/// The state of a log, computed from all its operations: for use without a [`Replica`](crate::Replica), or to check the
/// state of one.
///
/// ```
/// use policysync::{Hlc, Op, OpLog, SigningSecretKey, WallMillis};
/// use policysync::crypto::Sodium;
/// use policysync::keys::{sign_op, verify_op};
/// use policysync::state::Folded;
///
/// let crypto = Sodium::new()?;
/// let key = SigningSecretKey::generate("alice")?;
/// let op = Op::lww_set("alice", Hlc::new(1_760_000_000_000, 1)?, "Task", "t1", "title", "Hello world")?;
/// let op = sign_op(&crypto, op, &key)?;
/// let mut log = OpLog::new(crypto);
/// log.add(&op, |op| verify_op(&crypto, op, key.public_key()))?;
///
/// let state = Folded::of(&log, WallMillis(1_760_000_000_000));
/// assert_eq!(state.get("Task", "t1", "title")?, Some("Hello world".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Folded<'l> {
    log: &'l OpLog,
    state: State,
}

impl<'l> Folded<'l> {
    /// Merges all operations with a time up to `horizon`.
    #[must_use]
    pub fn of(log: &'l OpLog, horizon: WallMillis) -> Self {
        let mut state = State::new();
        for seq in log.index().seqs() {
            state.admit(log.index(), seq);
        }
        state.advance(log.index(), horizon);
        Self { log, state }
    }

    /// Returns the value of a field; see [`Replica::get`](crate::Replica::get).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read it.
    pub fn get(&self, entity: &str, entity_id: &str, path: &str) -> Result<Option<Value>, StoreError> {
        self.state.get(self.log, entity, entity_id, path)
    }

    /// Returns an entity as JSON text; see [`Replica::entity`](crate::Replica::entity).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read a field.
    pub fn entity(&self, entity: &str, entity_id: &str) -> Result<Option<String>, StoreError> {
        self.state.entity(self.log, entity, entity_id)
    }

    /// Returns the ids of the entities of a kind; see [`Replica::entities`](crate::Replica::entities).
    #[must_use]
    pub fn entities(&self, entity: &str) -> Vec<String> {
        self.state.entities(self.log, entity)
    }

    /// Returns every operation on a field; see [`Replica::history`](crate::Replica::history).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read one.
    pub fn history(&self, entity: &str, entity_id: &str, path: &str) -> Result<Vec<Version>, StoreError> {
        self.state.history(self.log, entity, entity_id, path)
    }

    /// Returns the digest of the state; see [`Replica::state_digest`](crate::Replica::state_digest).
    #[must_use]
    pub fn digest(&self, crypto: Sodium) -> Hash {
        self.state.digest(crypto, self.log)
    }
}
