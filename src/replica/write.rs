//! Writing of fields.

use std::convert::Infallible;

use super::{IngestError, Outcome, Replica};
use crate::codec::Scratch;
use crate::hlc::{Hlc, HlcError, WallMillis, hlc_now};
use crate::keys::{SignError, sign_hashed};
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
    /// due, which are merged before it, and no operation of this actor has it, held ones included.
    pub(super) fn next_timestamp(&self, now: WallMillis) -> Result<Hlc, WriteError> {
        let last = self.clock.last().max(self.greatest_due(self.horizon_at(now)));
        let believed = now.is_believable();
        let wall = match last {
            _ if believed || now > WallMillis::MAX => now,
            // The time of the last timestamp is the best guess.
            Some(last) => WallMillis(last.t()),
            None => return Err(HlcError::Doubtful { now }.into()),
        };
        let mut next = hlc_now(last, wall)?;
        while self.has_written_at(next) {
            next = hlc_now(Some(next), wall)?;
        }
        let by = WallMillis(next.t().saturating_sub(now.0));
        match last {
            Some(after) if believed && by > self.max_drift => {
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

    /// Signs an operation and ingests it like any other.
    fn write(&mut self, now: WallMillis, op: Op) -> Result<SignedOp, WriteError> {
        let key = self.signing_key.as_ref().ok_or(WriteError::ReadOnly)?;
        let op = match self.log.space() {
            Some(space) => op.in_space(space)?,
            None => op,
        };
        let mut scratch = Scratch::default();
        let own = sign_hashed(&self.crypto, op, key, &mut scratch)?;
        match self.ingest_hashed(now, own.by_ref())? {
            // Merging has moved the clock to its timestamp.
            Outcome::Appended { .. } => Ok(own.into_signed().into_owned()),
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
