//! Writing: our own operations take the same way in as everybody's.

use std::convert::Infallible;

use super::{IngestError, Outcome, Replica};
use crate::hlc::{Hlc, HlcError, WallMillis, hlc_now};
use crate::keys::{SignError, sign_op};
use crate::op::{Op, OpError, SignedOp};
use crate::value::{JsonError, Value};

impl Replica {
    /// Sets a field: stamps, signs and admits an operation, and returns it, to be sent to others.
    ///
    /// Text, numbers, `true` and `false` and `serde_json::Value` are values; [`Value::parse`] makes one of JSON text,
    /// [`Value::from_serde`] of anything that serializes.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the replica is as it was.
    pub fn set(
        &mut self,
        now: WallMillis,
        entity: &str,
        entity_id: &str,
        path: &str,
        value: impl TryInto<Value, Error: Into<WriteError>>,
    ) -> Result<SignedOp, WriteError> {
        let value = value.try_into().map_err(Into::into)?;
        let ts = self.next_timestamp(now)?;
        let actor = self.actor().ok_or(WriteError::ReadOnly)?;
        self.write(now, Op::lww_set(actor, ts, entity, entity_id, path, value)?)
    }

    /// Deletes a field: stamps, signs and admits an operation, and returns it, to be sent to others. A later set brings
    /// the field back.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the replica is as it was.
    pub fn delete(
        &mut self,
        now: WallMillis,
        entity: &str,
        entity_id: &str,
        path: &str,
    ) -> Result<SignedOp, WriteError> {
        let ts = self.next_timestamp(now)?;
        let actor = self.actor().ok_or(WriteError::ReadOnly)?;
        self.write(now, Op::lww_delete(actor, ts, entity, entity_id, path)?)
    }

    /// The actor that this replica writes as.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        self.signing_key.as_ref().map(|key| key.public_key().actor())
    }

    /// The timestamp of what is written now: after everything that is merged, and all that has become due, which is
    /// merged first.
    fn next_timestamp(&self, now: WallMillis) -> Result<Hlc, WriteError> {
        let index = self.log.index();
        let due = self.state.due(index, self.horizon_at(now)).last().map(|greatest| index.ts(greatest));
        Ok(hlc_now(self.clock.last().max(due), now)?)
    }

    fn write(&mut self, now: WallMillis, op: Op) -> Result<SignedOp, WriteError> {
        let key = self.signing_key.as_ref().ok_or(WriteError::ReadOnly)?;
        let op = match self.log.space() {
            Some(space) => op.in_space(space)?,
            None => op,
        };
        let signed = sign_op(&self.crypto, op, key)?;
        match self.ingest(now, &signed)? {
            // Merging it has moved the clock on to its timestamp.
            Outcome::Appended { .. } => Ok(signed),
            Outcome::Held { .. } | Outcome::Duplicate { .. } => Err(WriteError::ClockReused),
        }
    }
}

/// Why a write did not happen. The replica is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The replica was opened without a key to write with.
    #[error("the replica was opened without a key to write with")]
    ReadOnly,
    /// The wall clock is out of range, or the logical clock is at its end.
    #[error(transparent)]
    Clock(#[from] HlcError),
    /// A name is not an identifier.
    #[error(transparent)]
    Op(#[from] OpError),
    /// The value is none: a number that other readers would read differently, or nested too deep.
    #[error(transparent)]
    Value(#[from] JsonError),
    /// The operation cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The replica did not take it: the guard refused it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The log had an operation of this actor with this timestamp and content already: two writers share the actor.
    #[error("another writer uses this actor")]
    ClockReused,
}

/// For values that are always good.
impl From<Infallible> for WriteError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
