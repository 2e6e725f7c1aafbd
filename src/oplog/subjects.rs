//! What operations are about: kinds of entities, entities, paths, registers; each once.

use std::hint::black_box;

use crate::packed::{Interned, Names, PackedOption, Paged, TextAddress, Texts, impl_key};

/// The number of a register: one field of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RegisterId(u32);

impl_key!(RegisterId);

struct Entity {
    kind: u32,
    id: TextAddress,
    /// Head of the list of this entity's registers.
    newest_register: PackedOption<RegisterId>,
    /// Next in the list of entities of this kind.
    older: PackedOption<u32>,
}

#[derive(Clone, Copy)]
struct Register {
    entity: u32,
    path: u32,
    /// Next in the list of registers of this entity.
    older: PackedOption<RegisterId>,
}

/// Every register that an operation in the log is about.
pub(crate) struct Subjects {
    kinds: Names,
    /// For each kind, the head of the list of its entities.
    newest_entity: Paged<PackedOption<u32>>,
    entities: Interned<Entity>,
    entity_ids: Texts,
    paths: Names,
    registers: Interned<Register, RegisterId>,
}

impl Subjects {
    pub(crate) fn new() -> Self {
        Self {
            kinds: Names::new(),
            newest_entity: Paged::new(),
            entities: Interned::new(),
            entity_ids: Texts::new(),
            paths: Names::new(),
            registers: Interned::new(),
        }
    }

    /// The registers of a batch of names: entity, entity id, path.
    ///
    /// What is there already is looked up first, for the whole batch: look-ups do not wait for each other's memory,
    /// insertions do.
    pub(crate) fn intern(&mut self, batch: &[(&str, &str, &str)]) -> Vec<RegisterId> {
        let mut last = None;
        let keys: Vec<(u32, &str, u64)> = batch
            .iter()
            .map(|(entity, entity_id, _)| {
                let kind = match last {
                    Some(kind) if **self.kinds.get(kind) == **entity => kind,
                    _ => self.intern_kind(entity),
                };
                last = Some(kind);
                (kind, *entity_id, self.entities.hash((kind, *entity_id)))
            })
            .collect();
        self.bring_entities_near(&keys);
        let known: Vec<Option<u32>> = keys.iter().map(|key| self.known_entity(key)).collect();
        let entities =
            keys.iter().zip(known).map(|(key, known)| known.unwrap_or_else(|| self.intern_entity(key)));
        let entities: Vec<u32> = entities.collect();

        let keys: Vec<(u32, u32, u64)> = entities
            .into_iter()
            .zip(batch)
            .map(|(entity, (_, _, path))| {
                let path = self.paths.intern_name(path);
                (entity, path, self.registers.hash((entity, path)))
            })
            .collect();
        self.bring_registers_near(&keys);
        let known: Vec<Option<RegisterId>> = keys.iter().map(|key| self.known_register(key)).collect();
        let registers =
            keys.iter().zip(known).map(|(key, known)| known.unwrap_or_else(|| self.intern_register(key)));
        registers.collect()
    }

    /// Reads what looking for these entities will need, for all of them at once: each step is a short loop in which no
    /// read waits for another.
    fn bring_entities_near(&self, keys: &[(u32, &str, u64)]) {
        let numbers: Vec<u32> = keys.iter().filter_map(|key| self.entities.candidate(key.2)).collect();
        let ids: Vec<TextAddress> = numbers.iter().map(|number| self.entities.get(*number).id).collect();
        black_box(ids.iter().fold(0, |sum, id| sum ^ self.entity_ids.len(*id)));
    }

    /// The same for registers.
    fn bring_registers_near(&self, keys: &[(u32, u32, u64)]) {
        let numbers: Vec<RegisterId> =
            keys.iter().filter_map(|key| self.registers.candidate(key.2)).collect();
        black_box(numbers.iter().fold(0, |sum, number| sum ^ self.registers.get(*number).entity));
    }

    fn intern_kind(&mut self, name: &str) -> u32 {
        let kind = self.kinds.intern_name(name);
        if kind == self.newest_entity.len() {
            self.newest_entity.push(PackedOption::none());
        }
        kind
    }

    fn known_entity(&self, &(kind, id, hash): &(u32, &str, u64)) -> Option<u32> {
        self.entities.find(hash, |entity| entity.kind == kind && self.entity_ids.is(entity.id, id))
    }

    fn intern_entity(&mut self, key: &(u32, &str, u64)) -> u32 {
        // The same batch may have brought it.
        if let Some(entity) = self.known_entity(key) {
            return entity;
        }
        let &(kind, id, hash) = key;
        let newest = self.newest_entity.get_mut(kind);
        let id = self.entity_ids.push(id);
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
        // The same batch may have brought it.
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

    /// Whether the names of so many operations, with so many bytes of entity ids, will fit.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.entity_ids.has_room(count, bytes)
    }

    /// All registers.
    pub(crate) fn all(&self) -> impl Iterator<Item = RegisterId> + use<> {
        (0..self.registers.len()).map(RegisterId)
    }

    pub(crate) fn find(&self, entity: &str, entity_id: &str, path: &str) -> Option<RegisterId> {
        let entity = self.find_entity(entity, entity_id)?;
        let path = self.paths.find_name(path)?;
        self.known_register(&(entity, path, self.registers.hash((entity, path))))
    }

    /// The names of a register: entity, entity id, path.
    pub(crate) fn names(&self, register: RegisterId) -> (&str, &str, &str) {
        let register = self.registers.get(register);
        let entity = self.entities.get(register.entity);
        (self.kinds.get(entity.kind), self.entity_ids.get(entity.id), self.paths.get(register.path))
    }

    /// The registers of an entity, sorted by path.
    pub(crate) fn registers_of(&self, entity: &str, entity_id: &str) -> Vec<(&str, RegisterId)> {
        let mut registers = Vec::new();
        let entity = self.find_entity(entity, entity_id);
        let mut next = entity.and_then(|entity| self.entities.get(entity).newest_register.get());
        while let Some(id) = next {
            let register = self.registers.get(id);
            registers.push((&**self.paths.get(register.path), id));
            next = register.older.get();
        }
        registers.sort_unstable();
        registers
    }

    /// The ids of the entities of a kind, sorted.
    pub(crate) fn entities_of(&self, entity: &str) -> Vec<&str> {
        let mut ids = Vec::new();
        let mut next = self.kinds.find_name(entity).and_then(|kind| self.newest_entity.get(kind).get());
        while let Some(number) = next {
            let entity = self.entities.get(number);
            ids.push(self.entity_ids.get(entity.id));
            next = entity.older.get();
        }
        ids.sort_unstable();
        ids
    }

    fn find_entity(&self, entity: &str, entity_id: &str) -> Option<u32> {
        let kind = self.kinds.find_name(entity)?;
        self.known_entity(&(kind, entity_id, self.entities.hash((kind, entity_id))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_are_the_same_register() {
        let mut subjects = Subjects::new();
        let batch = [
            ("Task", "t1", "title"),
            ("Task", "t1", "done"),
            ("Tas", "kt1", "title"),
            ("Task", "t1", "title"),
            ("Task", "t1title", "x"),
        ];
        let registers = subjects.intern(&batch);
        assert_eq!(registers, [0, 1, 2, 0, 3].map(RegisterId));
        assert_eq!(subjects.intern(&batch), registers);
        assert_eq!(subjects.find("Task", "t1", "done"), Some(RegisterId(1)));
        assert_eq!(subjects.find("Task", "t2", "done"), None);
        assert_eq!(subjects.names(RegisterId(2)), ("Tas", "kt1", "title"));
        assert_eq!(subjects.registers_of("Task", "t1"), [("done", RegisterId(1)), ("title", RegisterId(0))]);
    }

    /// So many that a table which compared only a part of a name would find a wrong one.
    #[test]
    fn each_name_has_its_own_register() {
        let ids: Vec<String> = (0..1000).map(|n| format!("t{n}")).collect();
        let kinds = ["Task", "Note"];
        let of_id = |id| kinds.map(|kind| ["title", "done"].map(|path| (kind, id, path))).concat();
        let batch: Vec<(&str, &str, &str)> = ids.iter().flat_map(|id| of_id(id.as_str())).collect();
        let mut subjects = Subjects::new();
        let registers = subjects.intern(&batch);
        assert_eq!(registers, (0..4000).map(RegisterId).collect::<Vec<_>>());
        for (name, register) in batch.into_iter().zip(registers) {
            assert_eq!(subjects.names(register), name);
            assert_eq!(subjects.find(name.0, name.1, name.2), Some(register));
        }
        assert!(subjects.has_room(4000, 100_000));
        assert!(!subjects.has_room(1, usize::MAX));
    }

    #[test]
    fn entities_of_a_kind_are_sorted() {
        let mut subjects = Subjects::new();
        subjects.intern(&["b", "c", "a", "b"].map(|id| ("Task", id, "title")));
        subjects.intern(&[("Note", "n", "title")]);
        assert_eq!(subjects.entities_of("Task"), ["a", "b", "c"]);
        assert_eq!(subjects.entities_of("Nobody"), Vec::<&str>::new());
    }
}
