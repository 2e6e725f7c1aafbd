//! Reading the state: fields, entities, changes, the digest.

use super::{State, Version};
use crate::codec::OpHash;
use crate::crypto::{Hash, Sodium};
use crate::hlc::WallMillis;
use crate::op::{Field, Kind, OpSeq};
use crate::oplog::{OpLog, RegisterId};
use crate::store::StoreError;
use crate::value::{Value, utf16_cmp, write_string};

/// A change of a field: the field has another winner than before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The kind of the entity.
    pub entity: String,
    /// The id of the entity.
    pub entity_id: String,
    /// The path of the field.
    pub path: String,
    /// The kind of the winning operation: a set or a delete; a delete if there is none.
    pub kind: Kind,
    /// The hash of the winning operation. `None` if all operations on the field were taken back
    /// ([`Replica::take_back`](crate::Replica::take_back)) or are held again
    /// ([`Replica::reset_clock`](crate::Replica::reset_clock)).
    pub winner: Option<OpHash>,
}

impl Change {
    /// The field that changed.
    #[must_use]
    pub fn field(&self) -> Field<'_> {
        Field::new(&self.entity, &self.entity_id, &self.path)
    }
}

/// A part of a sorted list of names: see [`Replica::entities_page`](crate::Replica::entities_page).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: usize,
}

impl<'a> Page<'a> {
    /// Selects all names.
    #[must_use]
    pub fn new() -> Self {
        Self { prefix: "", after: "", limit: usize::MAX }
    }

    /// Selects only names that begin with `prefix`.
    #[must_use]
    pub fn prefix(self, prefix: &'a str) -> Self {
        Self { prefix, ..self }
    }

    /// Selects only names after this one, which need not exist: the last name of the previous page.
    #[must_use]
    pub fn after(self, name: &'a str) -> Self {
        Self { after: name, ..self }
    }

    /// Selects at most `limit` names, the first ones.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl Default for Page<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Returns the value of a field, or `None` if it was never set or is deleted.
    pub(crate) fn get(&self, log: &OpLog, field: Field<'_>) -> Result<Option<Value>, StoreError> {
        let register = log.index().registers().find(field);
        register.map_or(Ok(None), |register| self.value(log, register))
    }

    /// Returns the fields of an entity whose path is `prefix` or begins with `prefix` and a `/`, sorted by path. An
    /// empty prefix selects all fields. Deleted fields are left out.
    pub(crate) fn fields(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        let mut fields = Vec::new();
        for (path, register) in log.index().registers().of_entity(entity, entity_id) {
            if is_under(path, prefix)
                && let Some(value) = self.value(log, register)?
            {
                fields.push((path.to_owned(), value));
            }
        }
        Ok(fields)
    }

    /// Returns an entity as the canonical text of a JSON object with paths as member names, or `None` if it has no
    /// field.
    pub(crate) fn entity(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut fields = self.fields(log, entity, entity_id, "")?;
        if fields.is_empty() {
            return Ok(None);
        }
        fields.sort_unstable_by(|(a, _), (b, _)| utf16_cmp(a, b));
        let mut text = String::from("{");
        for (n, (path, value)) in fields.iter().enumerate() {
            if n > 0 {
                text.push(',');
            }
            write_string(&mut text, path);
            text.push(':');
            text.push_str(value.as_str());
        }
        text.push('}');
        Ok(Some(text))
    }

    /// Returns the ids of a page of the entities of a kind that have at least one field, sorted by their bytes.
    pub(crate) fn entities(&self, log: &OpLog, entity: &str, page: Page<'_>) -> Vec<String> {
        let ids = log.index().registers().entities_of(entity).into_iter();
        ids.filter(|id| id.starts_with(page.prefix) && *id > page.after)
            .filter(|id| self.has_field(log, entity, id))
            .take(page.limit)
            .map(str::to_owned)
            .collect()
    }

    /// Returns the number of entities of a kind that have at least one field and whose id begins with `prefix`.
    pub(crate) fn count_entities(&self, log: &OpLog, entity: &str, prefix: &str) -> usize {
        let ids = log.index().registers().entities_of(entity).into_iter();
        ids.filter(|id| id.starts_with(prefix)).filter(|id| self.has_field(log, entity, id)).count()
    }

    /// Returns the kinds of entities that have at least one field, sorted by their bytes.
    pub(crate) fn kinds(&self, log: &OpLog) -> Vec<String> {
        let registers = log.index().registers();
        let is_used =
            |kind: &&str| registers.entities_of(kind).into_iter().any(|id| self.has_field(log, kind, id));
        registers.kinds().into_iter().filter(is_used).map(str::to_owned).collect()
    }

    /// Returns the paths of the fields of an entity, sorted by their bytes. Deleted fields are left out.
    pub(crate) fn paths<'l>(&self, log: &'l OpLog, entity: &str, entity_id: &str) -> Vec<&'l str> {
        let fields = log.index().registers().of_entity(entity, entity_id).into_iter();
        fields.filter(|(_, register)| self.live(log, *register).is_some()).map(|(path, _)| path).collect()
    }

    fn has_field(&self, log: &OpLog, entity: &str, entity_id: &str) -> bool {
        let fields = log.index().registers().of_entity(entity, entity_id);
        fields.into_iter().any(|(_, register)| self.live(log, register).is_some())
    }

    /// Returns the registers whose winner has changed since the last call, each once, in the order of their first
    /// change.
    pub(crate) fn take_changes(&mut self, log: &OpLog) -> Vec<Change> {
        let changed = self.take_changed();
        let change = |register: RegisterId| {
            let winner = self.winner(register);
            let Field { entity, entity_id, path } = log.index().registers().names(register);
            Change {
                entity: entity.to_owned(),
                entity_id: entity_id.to_owned(),
                path: path.to_owned(),
                kind: winner.map_or(Kind::Delete, |winner| log.index().kind(winner)),
                winner: winner.map(|winner| *log.index().hash(winner)),
            }
        };
        changed.into_iter().map(change).collect()
    }

    /// Returns true if [`State::take_changes`] would return a change.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Returns the SHA-256 over every register, sorted by name, with the hash of its winner. Equal states have equal
    /// digests. It reads all registers.
    pub(crate) fn digest(&self, crypto: Sodium, log: &OpLog) -> Hash {
        let registers = log.index().registers();
        let mut winners: Vec<_> = registers
            .all()
            .filter_map(|register| Some((registers.names(register), self.winner(register)?)))
            .collect();
        winners.sort_unstable();
        let mut text = Vec::new();
        for (field, winner) in winners {
            for name in [field.entity, field.entity_id, field.path] {
                // An identifier contains no zero byte, so a zero byte ends the name.
                text.extend_from_slice(name.as_bytes());
                text.push(0);
            }
            text.extend_from_slice(log.index().hash(winner).as_bytes());
        }
        crypto.hash(&text)
    }

    /// Returns the winner of a register, unless it is a delete.
    fn live(&self, log: &OpLog, register: RegisterId) -> Option<OpSeq> {
        self.winner(register).filter(|winner| log.index().kind(*winner) != Kind::Delete)
    }

    fn value(&self, log: &OpLog, register: RegisterId) -> Result<Option<Value>, StoreError> {
        self.live(log, register)
            .map(|winner| {
                log.with_op(winner, |signed| Value::from_canonical_unchecked(signed.op().value().into()))
            })
            .transpose()
    }
}

fn is_under(path: &str, prefix: &str) -> bool {
    prefix.is_empty()
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

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
/// let op = Op::lww_set("alice", Hlc::new(1_760_000_000_000, 1)?, ("Task", "t1", "title"), "Hello world")?;
/// let op = sign_op(&crypto, op, &key)?;
/// let mut log = OpLog::new(crypto);
/// log.add(&op, |op| verify_op(&crypto, op, key.public_key()))?;
///
/// let state = Folded::of(&log, WallMillis(1_760_000_000_000));
/// assert_eq!(state.get(("Task", "t1", "title"))?, Some("Hello world".into()));
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
        let (state, _) = State::restored(log.index(), Some(horizon));
        Self { log, state }
    }

    /// Returns the value of a field; see [`Replica::get`](crate::Replica::get).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read it.
    pub fn get<'f>(&self, field: impl Into<Field<'f>>) -> Result<Option<Value>, StoreError> {
        self.state.get(self.log, field.into())
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
        self.state.entities(self.log, entity, Page::new())
    }

    /// Returns every operation on a field; see [`Replica::history`](crate::Replica::history).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot read one.
    pub fn history<'f>(&self, field: impl Into<Field<'f>>) -> Result<Vec<Version>, StoreError> {
        self.state.history(self.log, field.into())
    }

    /// Returns the digest of the state; see [`Replica::state_digest`](crate::Replica::state_digest).
    #[must_use]
    pub fn digest(&self, crypto: Sodium) -> Hash {
        self.state.digest(crypto, self.log)
    }
}
