//! Reading the state: fields, entities, what has changed, and a digest of it all.

use super::State;
use crate::codec::OpHash;
use crate::crypto::{CryptoProvider, Hash, Sodium};
use crate::op::{Kind, OpSeq};
use crate::oplog::{OpLog, RegisterId};
use crate::store::StoreError;
use crate::value::{Value, utf16_cmp, write_string};

/// A field that has another winner than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of thing that changed.
    pub entity: String,
    /// Which one.
    pub entity_id: String,
    /// Which field of it.
    pub path: String,
    /// Whether the field was set or deleted.
    pub kind: Kind,
    /// The operation that won.
    pub winner: OpHash,
}

impl State {
    /// The value of a field, or `None` where it was never set or is deleted.
    pub(crate) fn get(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
        path: &str,
    ) -> Result<Option<Value>, StoreError> {
        let register = log.index().subjects.find(entity, entity_id, path);
        register.map_or(Ok(None), |register| self.value(log, register))
    }

    /// The fields of an entity whose path is `prefix` or begins with `prefix` and a `/`, sorted by path; all fields for
    /// an empty prefix. Deleted fields are left out.
    pub(crate) fn fields(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        let mut fields = Vec::new();
        for (path, register) in log.index().subjects.registers_of(entity, entity_id) {
            if is_under(path, prefix)
                && let Some(value) = self.value(log, register)?
            {
                fields.push((path.to_owned(), value));
            }
        }
        Ok(fields)
    }

    /// An entity as the canonical text of a JSON object, paths as member names; `None` where it has no field.
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

    /// The ids of the entities of a kind that have at least one field, sorted by their bytes.
    pub(crate) fn entities(&self, log: &OpLog, entity: &str) -> Vec<String> {
        let subjects = &log.index().subjects;
        let has_field = |id: &&str| {
            let registers = subjects.registers_of(entity, id);
            registers.into_iter().any(|(_, register)| self.live(log, register).is_some())
        };
        subjects.entities_of(entity).into_iter().filter(has_field).map(str::to_owned).collect()
    }

    /// The registers that have another winner than when this was last called, each once, in the order in which they
    /// first changed.
    pub(crate) fn take_changes(&mut self, log: &OpLog) -> Vec<Change> {
        let changed = self.take_changed();
        let change = |register: RegisterId| {
            let winner = self.winner(register)?;
            let (entity, entity_id, path) = log.index().subjects.names(register);
            Some(Change {
                entity: entity.to_owned(),
                entity_id: entity_id.to_owned(),
                path: path.to_owned(),
                kind: log.index().kind(winner),
                winner: *log.index().hash(winner),
            })
        };
        changed.into_iter().filter_map(change).collect()
    }

    /// Whether there is something to take.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// SHA-256 over every register, sorted by name, with the hash of its winner: equal states have equal digests.
    /// Costs a walk over all registers.
    pub(crate) fn digest(&self, crypto: Sodium, log: &OpLog) -> Hash {
        let subjects = &log.index().subjects;
        let mut winners: Vec<_> = subjects
            .all()
            .filter_map(|register| Some((subjects.names(register), self.winner(register)?)))
            .collect();
        winners.sort_unstable();
        let mut text = Vec::new();
        for ((entity, entity_id, path), winner) in winners {
            for name in [entity, entity_id, path] {
                // An identifier cannot contain a zero byte, so it ends the name.
                text.extend_from_slice(name.as_bytes());
                text.push(0);
            }
            text.extend_from_slice(log.index().hash(winner).as_bytes());
        }
        crypto.hash(&text)
    }

    /// The winner of a register, unless it is a delete.
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
