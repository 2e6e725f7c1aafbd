//! The changes of the state since a position that can be kept.

use std::collections::BTreeMap;

use super::Replica;
use crate::codec::tags::{STATE_CURSOR, STATE_CURSOR_VERSION};
use crate::codec::{ByteReader, CodecError, CodecFault, OpHash, put_count, put_text, put_varint};
use crate::hlc::WallMillis;
use crate::op::{Field, OpSeq, SignedOp};
use crate::oplog::RegisterId;
use crate::store::StoreError;
use crate::value::Value;

/// A position in the history of a replica's merged state, to be kept where the application keeps what it has derived
/// from the state: a view, a search index, a file.
///
/// [`Replica::changes_since`] returns every field that has changed since, for whatever reason: an operation was written
/// or ingested, a held one became due, the clock was reset, operations were taken back. Closing the replica and opening
/// it again loses nothing. A cursor is bound to its log.
///
/// ```
/// use policysync::replica::StateCursor;
/// use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
///
/// let now = WallMillis(1_760_000_000_000);
/// let mut replica = Replica::open(ReplicaOptions::new().write_as(SigningSecretKey::generate("alice")?))?;
/// let kept: Vec<u8> = replica.state_cursor().to_bytes();
///
/// replica.set(now, ("Task", "t1", "title"), "Hello world")?;
///
/// let changes = replica.changes_since(&StateCursor::from_bytes(&kept)?)?;
/// let next = changes.cursor().to_bytes();
/// for change in changes {
///     let change = change?;
///     assert_eq!((change.path.as_str(), change.value()), ("title", Some(&"Hello world".into())));
///     assert_eq!(change.author(), Some("alice"));
/// }
/// // Kept in one transaction with what was derived from the changes.
/// assert_eq!(replica.changes_since(&StateCursor::from_bytes(&next)?)?.count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateCursor {
    /// The end of the operations that others may have: they stay.
    end: OpSeq,
    /// The digest over the operations before `end`; zero if there are none.
    log: [u8; 32],
    horizon: Option<WallMillis>,
    /// The fields of operations that were not saved, with their winners at that time.
    unsaved: Vec<FieldWinner>,
}

/// A field with the hash of its winner.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldWinner {
    entity: String,
    entity_id: String,
    path: String,
    winner: Option<OpHash>,
}

impl FieldWinner {
    fn field(&self) -> Field<'_> {
        Field::new(&self.entity, &self.entity_id, &self.path)
    }
}

impl StateCursor {
    /// The position before the first change, in any log: all fields have changed since.
    pub const START: Self = Self { end: OpSeq::FIRST, log: [0; 32], horizon: None, unsaved: Vec::new() };

    /// Returns the cursor as bytes, to be kept. They have a version, and at most 50 bytes, with a
    /// [journal](super::Restoring) more by the fields that are not saved yet.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![STATE_CURSOR, STATE_CURSOR_VERSION];
        put_varint(&mut out, self.end.into());
        out.extend_from_slice(&self.log);
        // 0 for none. A horizon is at most 2^53 - 1.
        put_varint(&mut out, self.horizon.map_or(0, |horizon| horizon.0.saturating_add(1)));
        put_count(&mut out, self.unsaved.len());
        for field in &self.unsaved {
            put_text(&mut out, &field.entity);
            put_text(&mut out, &field.entity_id);
            put_text(&mut out, &field.path);
            out.push(u8::from(field.winner.is_some()));
            out.extend(field.winner.iter().flat_map(|winner| *winner.as_bytes()));
        }
        out
    }

    /// Returns the cursor of these bytes.
    ///
    /// # Errors
    ///
    /// [`StateCursorError::Malformed`] and [`StateCursorError::Version`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateCursorError> {
        let mut reader = ByteReader::new(bytes);
        let kind = reader.byte()?;
        if kind != STATE_CURSOR {
            return Err(reader.fault(CodecFault::Tag { found: kind }).into());
        }
        let version = reader.byte()?;
        if version != STATE_CURSOR_VERSION {
            return Err(StateCursorError::Version { found: version, known: STATE_CURSOR_VERSION });
        }
        let (end, log) = (OpSeq::new(reader.varint_u32()?), reader.array()?);
        let horizon = reader.varint()?.checked_sub(1).map(WallMillis);
        if horizon > Some(WallMillis::MAX) {
            return Err(reader.fault(CodecFault::Integer).into());
        }
        // Three lengths, three letters and a flag.
        let count = reader.count(7)?;
        let unsaved: Result<Vec<FieldWinner>, CodecError> =
            (0..count).map(|_| read_field(&mut reader)).collect();
        let cursor = Self { end, log, horizon, unsaved: unsaved? };
        reader.end()?;
        Ok(cursor)
    }
}

fn read_field(reader: &mut ByteReader<'_>) -> Result<FieldWinner, CodecError> {
    let (entity, entity_id, path) = (reader.text()?.into(), reader.text()?.into(), reader.text()?.into());
    let winner = if reader.flag()? { Some(OpHash::from_bytes(reader.array()?)) } else { None };
    Ok(FieldWinner { entity, entity_id, path, winner })
}

/// A field that has changed, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldChange {
    /// The kind of the entity.
    pub entity: String,
    /// The id of the entity.
    pub entity_id: String,
    /// The path of the field.
    pub path: String,
    /// The winning operation, a set or a delete. `None` if no operation on the field is merged any more.
    pub winner: Option<SignedOp>,
    /// The hash of the winning operation.
    pub hash: Option<OpHash>,
}

impl FieldChange {
    /// Returns the field that changed.
    #[must_use]
    pub fn field(&self) -> Field<'_> {
        Field::new(&self.entity, &self.entity_id, &self.path)
    }

    /// Returns the value of the field; `None` if it is deleted.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        let winner = self.winner.as_ref()?.op();
        (winner.kind() == crate::op::Kind::Set).then(|| winner.value())
    }

    /// Returns the actor that has set or deleted the field.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        self.winner.as_ref().map(|winner| winner.op().actor())
    }
}

/// The fields that have changed since a [`StateCursor`], each once. They are read from the store one by one.
pub struct StateChanges<'r> {
    replica: &'r Replica,
    changed: ChangedFields,
}

impl StateChanges<'_> {
    /// Returns the position after all of these changes. Keep it when the last of them has been dealt with.
    #[must_use]
    pub fn cursor(&self) -> &StateCursor {
        &self.changed.cursor
    }
}

impl Iterator for StateChanges<'_> {
    type Item = Result<FieldChange, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.changed.next(self.replica)
    }
}

/// The fields that have changed, without the replica.
pub(crate) struct ChangedFields {
    registers: Vec<RegisterId>,
    /// Fields of operations that are gone, in a log that has no register for them.
    gone: Vec<FieldWinner>,
    /// The number of fields that were returned.
    pub(crate) returned: usize,
    pub(crate) cursor: StateCursor,
}

impl ChangedFields {
    /// Reads the next field of the replica.
    pub(crate) fn next(&mut self, replica: &Replica) -> Option<Result<FieldChange, StoreError>> {
        let at = self.returned;
        let change = match self.registers.get(at) {
            Some(register) => replica.field_change(*register),
            None => {
                let gone = self.gone.get(at - self.registers.len())?.clone();
                let FieldWinner { entity, entity_id, path, .. } = gone;
                Ok(FieldChange { entity, entity_id, path, winner: None, hash: None })
            }
        };
        self.returned += 1;
        Some(change)
    }
}

impl Replica {
    /// Returns the present position in the history of the merged state.
    #[must_use]
    pub fn state_cursor(&self) -> StateCursor {
        let (index, end) = (self.log.index(), self.log.confirmed());
        let log = if end == OpSeq::FIRST { [0; 32] } else { self.log.prefix_digest(end).unwrap_or_default() };
        let mut registers: Vec<RegisterId> = end.until(index.end()).map(|seq| index.register(seq)).collect();
        registers.sort_unstable();
        registers.dedup();
        let unsaved = registers.into_iter().map(|register| {
            let Field { entity, entity_id, path } = index.registers().names(register);
            FieldWinner {
                entity: entity.into(),
                entity_id: entity_id.into(),
                path: path.into(),
                winner: self.winner_hash(register),
            }
        });
        StateCursor { end, log, horizon: self.state.horizon(), unsaved: unsaved.collect() }
    }

    /// Returns every field that has another winner than at the position, each once, with its value and author of now.
    /// [`Replica::poll`] merges the operations that have become due before. Takes time proportional to the operations
    /// that were appended or became due since.
    ///
    /// Keep [`StateChanges::cursor`] with what was derived from the changes. To begin, or after
    /// [`StateCursorError::OtherLog`], derive everything again from [`StateCursor::START`].
    ///
    /// # Errors
    ///
    /// [`StateCursorError::OtherLog`] if the cursor is not of this log, or the log has lost operations since;
    /// [`StateCursorError::Store`] if the replica is unusable. Each change may be a [`StoreError`] of its own.
    pub fn changes_since(&self, cursor: &StateCursor) -> Result<StateChanges<'_>, StateCursorError> {
        Ok(StateChanges { replica: self, changed: self.changed_fields(cursor)? })
    }

    pub(crate) fn changed_fields(&self, cursor: &StateCursor) -> Result<ChangedFields, StateCursorError> {
        self.log.check_unpoisoned()?;
        let is_of_log = cursor.end == OpSeq::FIRST || self.log.prefix_digest(cursor.end) == Some(cursor.log);
        if !is_of_log {
            return Err(StateCursorError::OtherLog);
        }
        let index = self.log.index();
        // The winners of these fields were not saved, so they are compared by hash.
        let (mut unsaved, mut gone) = (BTreeMap::new(), Vec::new());
        for field in &cursor.unsaved {
            match index.registers().find(field.field()) {
                Some(register) => _ = unsaved.insert(register, field.winner),
                None => gone.extend(field.winner.is_some().then(|| field.clone())),
            }
        }
        let mut registers = self.state.changed_since(index, cursor.end, cursor.horizon);
        registers.retain(|register| !unsaved.contains_key(register));
        let is_other = |(register, winner): &(RegisterId, _)| self.winner_hash(*register) != *winner;
        registers.extend(unsaved.into_iter().filter(is_other).map(|(register, _)| register));
        Ok(ChangedFields { registers, gone, returned: 0, cursor: self.state_cursor() })
    }

    fn winner_hash(&self, register: RegisterId) -> Option<OpHash> {
        self.state.winner(register).map(|winner| *self.log.index().hash(winner))
    }

    fn field_change(&self, register: RegisterId) -> Result<FieldChange, StoreError> {
        self.log.check_unpoisoned()?;
        let winner = self.state.winner(register);
        let Field { entity, entity_id, path } = self.log.index().registers().names(register);
        Ok(FieldChange {
            entity: entity.into(),
            entity_id: entity_id.into(),
            path: path.into(),
            winner: winner.map(|winner| self.log.read(winner)).transpose()?,
            hash: self.winner_hash(register),
        })
    }
}

/// Why changes cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateCursorError {
    /// The bytes are not a cursor.
    #[error("not a cursor of a state: {0}")]
    Malformed(#[from] CodecError),
    /// A later version of this library wrote the cursor.
    #[error("the cursor has version {found}, this library knows version {known}")]
    Version {
        /// The version of the cursor.
        found: u8,
        /// The version that this library knows.
        known: u8,
    },
    /// The cursor is not of this log, or the log has lost operations since: it is an older copy, or was salvaged.
    #[error("the cursor is not of this log, or the log has lost operations since")]
    OtherLog,
    /// The replica is unusable.
    #[error(transparent)]
    Store(#[from] StoreError),
}
