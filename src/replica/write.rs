//! Writing of fields.

use std::convert::Infallible;

use super::{IngestError, Outcome, Replica};
use crate::hlc::{Hlc, HlcError, WallMillis, hlc_now};
use crate::keys::{SignError, sign_op};
use crate::op::{Field, Op, OpError, SignedOp};
use crate::value::{JsonError, Value};

impl Replica {
    /// Sets a field: stamps, signs and ingests an operation. Returns it, to be sent to others.
    ///
    /// A value may be a string, a number, a `bool` or a `serde_json::Value`. [`Value::parse`] converts JSON text,
    /// [`Value::from_serde`] any type that serializes.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the replica is unchanged.
    pub fn set<'f>(
        &mut self,
        now: WallMillis,
        field: impl Into<Field<'f>>,
        value: impl TryInto<Value, Error: Into<WriteError>>,
    ) -> Result<SignedOp, WriteError> {
        let value = value.try_into().map_err(Into::into)?;
        let ts = self.next_timestamp(now)?;
        let actor = self.actor().ok_or(WriteError::ReadOnly)?;
        self.write(now, Op::lww_set(actor, ts, field, value)?)
    }

    /// Deletes a field: stamps, signs and ingests an operation. Returns it, to be sent to others. A later set restores
    /// the field.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the replica is unchanged.
    pub fn delete<'f>(
        &mut self,
        now: WallMillis,
        field: impl Into<Field<'f>>,
    ) -> Result<SignedOp, WriteError> {
        let ts = self.next_timestamp(now)?;
        let actor = self.actor().ok_or(WriteError::ReadOnly)?;
        self.write(now, Op::lww_delete(actor, ts, field)?)
    }

    /// Returns the timestamp of the next write. It is greater than those of all merged operations and of those that are
    /// due, which are merged before it.
    fn next_timestamp(&self, now: WallMillis) -> Result<Hlc, WriteError> {
        let index = self.log.index();
        let due = self.state.due(index, self.horizon_at(now)).last().map(|greatest| index.ts(greatest));
        Ok(hlc_now(self.clock.last().max(due), now)?)
    }

    /// Signs an operation and ingests it like any other.
    fn write(&mut self, now: WallMillis, op: Op) -> Result<SignedOp, WriteError> {
        let key = self.signing_key.as_ref().ok_or(WriteError::ReadOnly)?;
        let op = match self.log.space() {
            Some(space) => op.in_space(space)?,
            None => op,
        };
        let signed = sign_op(&self.crypto, op, key)?;
        match self.ingest(now, &signed)? {
            // Merging has moved the clock to its timestamp.
            Outcome::Appended { .. } => Ok(signed),
            Outcome::Held { .. } | Outcome::Duplicate { .. } => Err(WriteError::ClockReused),
        }
    }
}

/// The error of a write. The replica is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The replica was opened without a key to write with.
    #[error("the replica was opened without a key to write with")]
    ReadOnly,
    /// The wall clock is out of range, or the logical clock has reached its maximum.
    #[error(transparent)]
    Clock(#[from] HlcError),
    /// A name is not an identifier.
    #[error(transparent)]
    Op(#[from] OpError),
    /// The value is not allowed: a number that other readers would read differently, or nesting that is too deep.
    #[error(transparent)]
    Value(#[from] JsonError),
    /// The operation cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The replica did not ingest the operation: the guard refused it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The log has an operation of this actor with this timestamp and content already: two writers share the actor.
    #[error(
        "the log has an operation of this actor with this timestamp already: another writer uses the actor"
    )]
    ClockReused,
}

/// Allows values whose conversion cannot fail.
impl From<Infallible> for WriteError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
