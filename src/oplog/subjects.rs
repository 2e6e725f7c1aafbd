//! What operations are about: kinds of entities, entities, paths, registers; each once.

use crate::columns::{Entry, Interned, Names, Paged};

/// The end of a list of numbers.
pub(crate) const NONE: u32 = u32::MAX;

/// The number of a register: one field of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RegisterId(pub(crate) u32);

struct Entity {
    kind: u32,
    id: Box<str>,
    /// Head of the list of this entity's registers.
    newest_register: u32,
    /// Next in the list of entities of this kind.
    older: u32,
}

impl Entry for Entity {
    type Key<'k> = (u32, &'k str);

    fn key(&self) -> (u32, &str) {
        (self.kind, &self.id)
    }

    fn is(&self, (kind, id): (u32, &str)) -> bool {
        self.kind == kind && *self.id == *id
    }
}

#[derive(Clone, Copy)]
struct Register {
    entity: u32,
    path: u32,
    /// Next in the list of registers of this entity.
    older: u32,
}

impl Entry for Register {
    type Key<'k> = (u32, u32);

    fn key(&self) -> (u32, u32) {
        (self.entity, self.path)
    }

    fn is(&self, (entity, path): (u32, u32)) -> bool {
        self.entity == entity && self.path == path
    }
}

/// Every register that an operation in the log is about.
pub(crate) struct Subjects {
    kinds: Names,
    /// For each kind, the head of the list of its entities.
    newest_entity: Paged<u32>,
    entities: Interned<Entity>,
    paths: Names,
    registers: Interned<Register>,
}

impl Subjects {
    pub(crate) fn new() -> Self {
        Self {
            kinds: Names::new(),
            newest_entity: Paged::new(),
            entities: Interned::new(),
            paths: Names::new(),
            registers: Interned::new(),
        }
    }

    pub(crate) fn intern(&mut self, entity: &str, entity_id: &str, path: &str) -> RegisterId {
        let (kind, new) = self.kinds.intern(entity, || entity.into());
        if new {
            self.newest_entity.push(NONE);
        }
        let older = *self.newest_entity.get(kind);
        let (entity, new) = self.entities.intern((kind, entity_id), || Entity {
            kind,
            id: entity_id.into(),
            newest_register: NONE,
            older,
        });
        if new {
            *self.newest_entity.get_mut(kind) = entity;
        }
        let (path, _) = self.paths.intern(path, || path.into());
        let entities = &self.entities;
        let (register, new) = self.registers.intern((entity, path), || Register {
            entity,
            path,
            older: entities.get(entity).newest_register,
        });
        if new {
            self.entities.get_mut(entity).newest_register = register;
        }
        RegisterId(register)
    }

    /// How many registers there are; they are numbered from 0.
    pub(crate) fn len(&self) -> u32 {
        self.registers.len()
    }

    pub(crate) fn find(&self, entity: &str, entity_id: &str, path: &str) -> Option<RegisterId> {
        let entity = self.find_entity(entity, entity_id)?;
        let path = self.paths.find(path)?;
        self.registers.find((entity, path)).map(RegisterId)
    }

    /// The names of a register: entity, entity id, path.
    pub(crate) fn names(&self, register: RegisterId) -> (&str, &str, &str) {
        let register = self.registers.get(register.0);
        let entity = self.entities.get(register.entity);
        (self.kinds.get(entity.kind), &entity.id, self.paths.get(register.path))
    }

    /// The registers of an entity, sorted by path.
    pub(crate) fn registers_of(&self, entity: &str, entity_id: &str) -> Vec<(&str, RegisterId)> {
        let mut registers = Vec::new();
        let entity = self.find_entity(entity, entity_id);
        let mut next = entity.map_or(NONE, |entity| self.entities.get(entity).newest_register);
        while next != NONE {
            let register = self.registers.get(next);
            registers.push((&**self.paths.get(register.path), RegisterId(next)));
            next = register.older;
        }
        registers.sort_unstable();
        registers
    }

    /// The ids of the entities of a kind, sorted.
    pub(crate) fn entities_of(&self, entity: &str) -> Vec<&str> {
        let mut ids = Vec::new();
        let mut next = self.kinds.find(entity).map_or(NONE, |kind| *self.newest_entity.get(kind));
        while next != NONE {
            let entity = self.entities.get(next);
            ids.push(&*entity.id);
            next = entity.older;
        }
        ids.sort_unstable();
        ids
    }

    fn find_entity(&self, entity: &str, entity_id: &str) -> Option<u32> {
        self.entities.find((self.kinds.find(entity)?, entity_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_are_the_same_register() {
        let mut subjects = Subjects::new();
        let title = subjects.intern("Task", "t1", "title");
        let done = subjects.intern("Task", "t1", "done");
        let other = subjects.intern("Tas", "kt1", "title");
        assert_eq!(subjects.intern("Task", "t1", "title"), title);
        assert!(title != done && title != other);
        assert_eq!(subjects.find("Task", "t1", "done"), Some(done));
        assert_eq!(subjects.find("Task", "t2", "done"), None);
        assert_eq!(subjects.names(other), ("Tas", "kt1", "title"));
        assert_eq!(subjects.registers_of("Task", "t1"), [("done", done), ("title", title)]);
    }

    #[test]
    fn entities_of_a_kind_are_sorted() {
        let mut subjects = Subjects::new();
        for id in ["b", "c", "a", "b"] {
            subjects.intern("Task", id, "title");
        }
        subjects.intern("Note", "n", "title");
        assert_eq!(subjects.entities_of("Task"), ["a", "b", "c"]);
        assert_eq!(subjects.entities_of("Nobody"), Vec::<&str>::new());
    }
}
