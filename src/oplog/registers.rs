//! The registers that operations write to.

use std::hint::black_box;
use std::iter::successors;

use crate::op::Field;
use crate::packed::{ChunkedVec, Interner, PackedOption, StrAddress, StrArena, StrInterner, impl_key};

/// The number of a register: one field of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RegisterId(u32);

impl_key!(RegisterId);

/// A kind of entity, an entity id, and the list of the entity's registers.
struct Entity {
    kind: u32,
    id: StrAddress,
    /// The head of the list of this entity's registers.
    newest_register: PackedOption<RegisterId>,
    /// The next in the list of entities of this kind.
    older: PackedOption<u32>,
}

#[derive(Clone, Copy)]
struct Register {
    entity: u32,
    path: u32,
    /// The next in the list of registers of this entity.
    older: PackedOption<RegisterId>,
}

/// Every register that an operation in the log writes to, each stored once.
#[derive(Default)]
pub(crate) struct Registers {
    kinds: StrInterner,
    /// The head of the list of entities of each kind.
    newest_entity: ChunkedVec<PackedOption<u32>>,
    entities: Interner<Entity>,
    entity_ids: StrArena,
    paths: StrInterner,
    registers: Interner<Register, RegisterId>,
}

impl Registers {
    /// Returns the registers of a batch of fields, with new numbers for new ones.
    ///
    /// Known names are looked up first, for the whole batch: the cache misses of look-ups overlap, those of insertions
    /// do not.
    pub(crate) fn intern(&mut self, batch: &[Field<'_>]) -> Vec<RegisterId> {
        let mut last = None;
        let keys: Vec<(u32, &str, u64)> = batch
            .iter()
            .map(|Field { entity, entity_id, .. }| {
                let kind = match last {
                    Some(kind) if **self.kinds.get(kind) == **entity => kind,
                    _ => self.intern_kind(entity),
                };
                last = Some(kind);
                (kind, *entity_id, self.entities.hash((kind, *entity_id)))
            })
            .collect();
        self.prefetch_entities(&keys);
        let known: Vec<Option<u32>> = keys.iter().map(|key| self.known_entity(key)).collect();
        let entities =
            keys.iter().zip(known).map(|(key, known)| known.unwrap_or_else(|| self.intern_entity(key)));
        let entities: Vec<u32> = entities.collect();

        let keys: Vec<(u32, u32, u64)> = entities
            .into_iter()
            .zip(batch)
            .map(|(entity, field)| {
                let path = self.paths.intern_str(field.path);
                (entity, path, self.registers.hash((entity, path)))
            })
            .collect();
        self.prefetch_registers(&keys);
        let known: Vec<Option<RegisterId>> = keys.iter().map(|key| self.known_register(key)).collect();
        let registers =
            keys.iter().zip(known).map(|(key, known)| known.unwrap_or_else(|| self.intern_register(key)));
        registers.collect()
    }

    /// Reads ahead the memory that looking up these entities needs. Each step is a short loop whose reads do not depend
    /// on each other.
    fn prefetch_entities(&self, keys: &[(u32, &str, u64)]) {
        let numbers: Vec<u32> = keys.iter().filter_map(|key| self.entities.candidate(key.2)).collect();
        let ids: Vec<StrAddress> = numbers.iter().map(|number| self.entities.get(*number).id).collect();
        black_box(ids.iter().fold(0, |sum, id| sum ^ self.entity_ids.len(*id)));
    }

    /// Reads ahead the memory that looking up these registers needs.
    fn prefetch_registers(&self, keys: &[(u32, u32, u64)]) {
        let numbers: Vec<RegisterId> =
            keys.iter().filter_map(|key| self.registers.candidate(key.2)).collect();
        black_box(numbers.iter().fold(0, |sum, number| sum ^ self.registers.get(*number).entity));
    }

    fn intern_kind(&mut self, name: &str) -> u32 {
        let kind = self.kinds.intern_str(name);
        if kind == self.newest_entity.len() {
            self.newest_entity.push(PackedOption::none());
        }
        kind
    }

    fn known_entity(&self, &(kind, id, hash): &(u32, &str, u64)) -> Option<u32> {
        self.entities.find(hash, |entity| entity.kind == kind && self.entity_ids.is(entity.id, id))
    }

    fn intern_entity(&mut self, key: &(u32, &str, u64)) -> u32 {
        // An earlier entry of the batch may have added it.
        if let Some(entity) = self.known_entity(key) {
            return entity;
        }
        let &(kind, id, hash) = key;
        let newest = self.newest_entity.get_mut(kind);
        let id = self.entity_ids.add(id);
        let entity = Entity { kind, id, newest_register: PackedOption::none(), older: *newest };
        let ids = &self.entity_ids;
        let number = self.entities.insert(hash, entity, |entity| (entity.kind, ids.get(entity.id)));
        *newest = number.into();
        number
    }

    fn known_register(&self, &(entity, path, hash): &(u32, u32, u64)) -> Option<RegisterId> {
        self.registers.find(hash, |register| register.entity == entity && register.path == path)
    }

    fn intern_register(&mut self, key: &(u32, u32, u64)) -> RegisterId {
        // An earlier entry of the batch may have added it.
        if let Some(register) = self.known_register(key) {
            return register;
        }
        let &(entity, path, hash) = key;
        let newest = &mut self.entities.get_mut(entity).newest_register;
        let register = Register { entity, path, older: *newest };
        let number = self.registers.insert(hash, register, |register| (register.entity, register.path));
        *newest = number.into();
        number
    }

    /// Returns true if the names of `count` operations fit, with `bytes` bytes of entity ids in total.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.entity_ids.has_room(count, bytes)
    }

    /// Returns all registers.
    pub(crate) fn all(&self) -> impl Iterator<Item = RegisterId> + use<> {
        (0..self.registers.len()).map(RegisterId)
    }

    pub(crate) fn find(&self, field: Field<'_>) -> Option<RegisterId> {
        let entity = self.find_entity(field.entity, field.entity_id)?;
        let path = self.paths.find_str(field.path)?;
        self.known_register(&(entity, path, self.registers.hash((entity, path))))
    }

    /// Returns the names of a register.
    pub(crate) fn names(&self, register: RegisterId) -> Field<'_> {
        let register = self.registers.get(register);
        let entity = self.entities.get(register.entity);
        Field::new(self.kinds.get(entity.kind), self.entity_ids.get(entity.id), self.paths.get(register.path))
    }

    /// Returns the registers of an entity, sorted by path.
    pub(crate) fn of_entity(&self, entity: &str, entity_id: &str) -> Vec<(&str, RegisterId)> {
        let entity = self.find_entity(entity, entity_id);
        let newest = entity.and_then(|entity| self.entities.get(entity).newest_register.get());
        let ids = successors(newest, |id| self.registers.get(*id).older.get());
        let path = |id| &**self.paths.get(self.registers.get(id).path);
        let mut registers: Vec<(&str, RegisterId)> = ids.map(|id| (path(id), id)).collect();
        registers.sort_unstable();
        registers
    }

    /// Returns the ids of the entities of a kind, sorted.
    pub(crate) fn entities_of(&self, entity: &str) -> Vec<&str> {
        let newest = self.kinds.find_str(entity).and_then(|kind| self.newest_entity.get(kind).get());
        let entities = successors(newest, |entity| self.entities.get(*entity).older.get());
        let mut ids: Vec<&str> =
            entities.map(|entity| self.entity_ids.get(self.entities.get(entity).id)).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns the kinds of entity, sorted.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = (0..self.kinds.len()).map(|kind| &**self.kinds.get(kind)).collect();
        kinds.sort_unstable();
        kinds
    }

    fn find_entity(&self, entity: &str, entity_id: &str) -> Option<u32> {
        let kind = self.kinds.find_str(entity)?;
        self.known_entity(&(kind, entity_id, self.entities.hash((kind, entity_id))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_are_the_same_register() {
        let mut known = Registers::default();
        let batch = [
            ("Task", "t1", "title"),
            ("Task", "t1", "done"),
            ("Tas", "kt1", "title"),
            ("Task", "t1", "title"),
            ("Task", "t1title", "x"),
        ]
        .map(Field::from);
        let registers = known.intern(&batch);
        assert_eq!(registers, [0, 1, 2, 0, 3].map(RegisterId));
        assert_eq!(known.intern(&batch), registers);
        assert_eq!(known.find(("Task", "t1", "done").into()), Some(RegisterId(1)));
        assert_eq!(known.find(("Task", "t2", "done").into()), None);
        assert_eq!(known.names(RegisterId(2)), Field::new("Tas", "kt1", "title"));
        assert_eq!(known.of_entity("Task", "t1"), [("done", RegisterId(1)), ("title", RegisterId(0))]);
    }

    /// Enough names that a table which compared only a part of them would find a wrong one.
    #[test]
    fn each_name_has_its_own_register() {
        let ids: Vec<String> = (0..1000).map(|n| format!("t{n}")).collect();
        let kinds = ["Task", "Note"];
        let of_id = |id| kinds.map(|kind| ["title", "done"].map(|path| Field::new(kind, id, path))).concat();
        let batch: Vec<Field<'_>> = ids.iter().flat_map(|id| of_id(id.as_str())).collect();
        let mut known = Registers::default();
        let registers = known.intern(&batch);
        assert_eq!(registers, (0..4000).map(RegisterId).collect::<Vec<_>>());
        for (name, register) in batch.into_iter().zip(registers) {
            assert_eq!(known.names(register), name);
            assert_eq!(known.find(name), Some(register));
        }
        assert!(known.has_room(4000, 100_000));
        assert!(!known.has_room(1, usize::MAX));
    }

    #[test]
    fn entities_of_a_kind_are_sorted() {
        let mut known = Registers::default();
        known.intern(&["b", "c", "a", "b"].map(|id| Field::new("Task", id, "title")));
        known.intern(&[Field::new("Note", "n", "title")]);
        assert_eq!(known.entities_of("Task"), ["a", "b", "c"]);
        assert_eq!(known.entities_of("Nobody"), Vec::<&str>::new());
        assert_eq!(known.kinds(), ["Note", "Task"]);
    }
}
