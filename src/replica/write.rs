//! Writing of fields.

use std::convert::Infallible;

use super::{IngestError, Replica};
use crate::codec::{HashedOp, Scratch};
use crate::hlc::{Hlc, HlcError, WallMillis, hlc_now};
use crate::keys::{SignError, sign_hashed};
use crate::op::{Field, Op, OpError, SignedOp};
use crate::value::{JsonError, Value};

/// One of several writes that belong together: see [`Replica::write_batch`].
#[derive(Clone, Debug)]
pub struct FieldWrite<'a> {
    field: Field<'a>,
    /// `None` deletes the field.
    value: Option<Value>,
}

impl<'a> FieldWrite<'a> {
    /// Sets a field.
    #[must_use]
    pub fn set(field: impl Into<Field<'a>>, value: impl Into<Value>) -> Self {
        Self { field: field.into(), value: Some(value.into()) }
    }

    /// Deletes a field.
    #[must_use]
    pub fn delete(field: impl Into<Field<'a>>) -> Self {
        Self { field: field.into(), value: None }
    }
}

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
        self.write(now, FieldWrite::set(field, value))
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
        self.write(now, FieldWrite::delete(field))
    }

    /// Writes several fields: stamps, signs and ingests an operation for each, in their order and with ascending
    /// timestamps. The store sees one transaction and the guard one batch. Returns the operations, to be sent to
    /// others.
    ///
    /// Other replicas may receive the operations one at a time.
    ///
    /// ```
    /// use policysync::replica::FieldWrite;
    /// use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
    ///
    /// let alice = SigningSecretKey::generate("alice")?;
    /// let mut replica = Replica::open(ReplicaOptions::new().write_as(alice))?;
    /// let writes = [
    ///     FieldWrite::set(("Task", "t1", "title"), "Buy bread"),
    ///     FieldWrite::set(("Task", "t1", "done"), false),
    ///     FieldWrite::delete(("Draft", "d1", "title")),
    /// ];
    /// let ops = replica.write_batch(WallMillis(1_760_000_000_000), writes)?;
    /// assert_eq!(ops.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError`] if one of them cannot be written; the replica is unchanged.
    pub fn write_batch<'f>(
        &mut self,
        now: WallMillis,
        writes: impl IntoIterator<Item = FieldWrite<'f>>,
    ) -> Result<Vec<SignedOp>, WriteError> {
        let reading = self.clock_reading(now)?;
        let actor = self.actor().ok_or(WriteError::ReadOnly)?;
        let mut last = None;
        let mut ops = Vec::new();
        for FieldWrite { field, value } in writes {
            let ts = self.timestamp_after(last, reading)?;
            last = Some(ts);
            ops.push(match value {
                Some(value) => Op::lww_set(actor, ts, field, value)?,
                None => Op::lww_delete(actor, ts, field)?,
            });
        }
        self.sign_and_ingest(now, ops)
    }

    /// Deletes an entity: all fields that it has here, in one transaction, like [`Replica::write_batch`]. Returns the
    /// operations, none if it has no field. Fields that others set at the same time, or that arrive later, are not
    /// deleted.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the replica is unchanged.
    pub fn delete_entity(
        &mut self,
        now: WallMillis,
        entity: &str,
        entity_id: &str,
    ) -> Result<Vec<SignedOp>, WriteError> {
        self.log.check_unpoisoned().map_err(IngestError::from)?;
        let paths = self.state.paths(&self.log, entity, entity_id);
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        self.write_batch(now, paths.iter().map(|path| FieldWrite::delete((entity, entity_id, path))))
    }

    /// Returns the time of a write, and the greatest timestamp of the operations that are merged or due.
    pub(super) fn clock_reading(&self, now: WallMillis) -> Result<Reading, WriteError> {
        let last = self.clock.last().max(self.greatest_due(self.horizon_at(now)));
        let wall = match last {
            _ if now.is_believable() || now > WallMillis::MAX => now,
            // The time of the last timestamp is the best guess.
            Some(last) => WallMillis(last.t()),
            None => return Err(HlcError::Doubtful { now }.into()),
        };
        Ok(Reading { now, wall, last })
    }

    /// Returns the timestamp of a write that follows another one with the timestamp `written`. It is greater than those
    /// of all operations that are merged or due, and no operation of this actor has it, held ones included.
    pub(super) fn timestamp_after(&self, written: Option<Hlc>, reading: Reading) -> Result<Hlc, WriteError> {
        let Reading { now, wall, last } = reading;
        let mut next = hlc_now(last.max(written), wall)?;
        while self.has_written_at(next) {
            next = hlc_now(Some(next), wall)?;
        }
        let by = WallMillis(next.t().saturating_sub(now.0));
        match last {
            Some(after) if now.is_believable() && by > self.max_drift => {
                Err(WriteError::ClockAhead { by, limit: self.max_drift, after })
            }
            _ => Ok(next),
        }
    }

    /// Returns true if the log has an operation of this replica's actor with this timestamp.
    fn has_written_at(&self, ts: Hlc) -> bool {
        let index = self.log.index();
        index
            .since_ts(ts)
            .take_while(|seq| index.ts(*seq) == ts)
            .any(|seq| Some(index.actor(seq)) == self.actor())
    }

    fn write(&mut self, now: WallMillis, write: FieldWrite<'_>) -> Result<SignedOp, WriteError> {
        let mut ops = self.write_batch(now, [write])?;
        ops.pop().ok_or(WriteError::ClockReused)
    }

    /// Signs operations and ingests them like any others, all or none.
    fn sign_and_ingest(&mut self, now: WallMillis, ops: Vec<Op>) -> Result<Vec<SignedOp>, WriteError> {
        let key = self.signing_key.as_ref().ok_or(WriteError::ReadOnly)?;
        if ops.is_empty() {
            return Ok(Vec::new());
        }
        self.log.check_usable().map_err(IngestError::from)?;
        let mut scratches: Vec<Scratch> = ops.iter().map(|_| Scratch::default()).collect();
        let mut signed = Vec::with_capacity(ops.len());
        for (op, scratch) in ops.into_iter().zip(&mut scratches) {
            let op = match self.log.space() {
                Some(space) => op.in_space(space)?,
                None => op,
            };
            let own = sign_hashed(&self.crypto, op, key, scratch)?;
            if self.log.contains(&own.hash()) {
                return Err(WriteError::ClockReused);
            }
            signed.push(own);
        }
        self.ingest_own(now, signed.iter().map(HashedOp::by_ref).collect())?;
        // Merging has moved the clock to their timestamps.
        Ok(signed.into_iter().map(|own| own.into_signed().into_owned()).collect())
    }
}

/// A reading of the wall clock, for the timestamps of writes.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    now: WallMillis,
    /// The time that the timestamps follow: `now` if it is believed.
    wall: WallMillis,
    /// The timestamp that theirs must be greater than.
    last: Option<Hlc>,
}

/// The error of a write. The replica is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The replica was opened without a key to write with.
    #[error("the replica was opened without a key to write with")]
    ReadOnly,
    /// The wall clock is out of range, or it is not [believed](WallMillis::BELIEVED) and no merged operation gives a
    /// time instead, or the logical clock has reached its maximum.
    #[error(transparent)]
    Clock(#[from] HlcError),
    /// The write would be stamped too far ahead of the wall clock, because an operation of that time is merged: other
    /// replicas would hold it. Wait until the wall clock is closer. Or, if an earlier wall clock was wrong, set it
    /// right and call [`Replica::reset_clock`].
    #[error(
        "the write would be stamped {by} ahead of the wall clock, past the limit of {limit}, because an operation with \
         timestamp {after} is merged"
    )]
    ClockAhead {
        /// The distance from the wall clock to the timestamp of the write.
        by: WallMillis,
        /// The limit of the distance, [`max_drift`](crate::ReplicaOptions::max_drift).
        limit: WallMillis,
        /// The timestamp of the greatest merged operation, which the write must be greater than.
        after: Hlc,
    },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::SIGNED_TEXTS;
    use crate::crypto::VERIFICATIONS;
    use crate::keys::SigningSecretKey;
    use crate::replica::ReplicaOptions;

    #[test]
    fn a_write_builds_its_signed_text_once_and_verifies_it() {
        let key = SigningSecretKey::generate("alice").unwrap();
        let mut replica = Replica::open(ReplicaOptions::new().write_as(key)).unwrap();
        let before = (SIGNED_TEXTS.get(), VERIFICATIONS.get());
        let signed = replica.set(WallMillis(1_760_000_000_000), ("Task", "t1", "title"), "x").unwrap();
        assert_eq!((SIGNED_TEXTS.get(), VERIFICATIONS.get()), (before.0 + 1, before.1 + 1));
        assert_eq!(replica.log().iter().next().unwrap().unwrap().op, signed);
    }
}
