//! A step of a scenario, whose members must all be read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A JSON object that remembers which of its members were read, so that a misspelt one fails.
pub struct Step<'s> {
    members: &'s Map<String, Value>,
    read: RefCell<BTreeSet<&'s str>>,
}

impl<'s> Step<'s> {
    pub fn new(step: &'s Value) -> Result<Self, String> {
        let members = step.as_object().ok_or("a step is an object")?;
        Ok(Self { members, read: RefCell::default() })
    }

    /// Returns the member, if there is one.
    pub fn get(&self, name: &str) -> Option<&'s Value> {
        let (name, value) = self.members.get_key_value(name)?;
        self.read.borrow_mut().insert(name);
        Some(value)
    }

    /// Returns the name of the step: the first known verb among its members.
    pub fn verb(&self, verbs: &[&'static str]) -> Result<&'static str, String> {
        verbs.iter().copied().find(|verb| self.members.contains_key(*verb)).ok_or_else(|| {
            let names: Vec<&String> = self.members.keys().collect();
            format!("unknown step {names:?}")
        })
    }

    pub fn need(&self, name: &str) -> Result<&'s Value, String> {
        self.get(name).ok_or_else(|| format!("member {name:?} is missing"))
    }

    pub fn text(&self, name: &str) -> Result<&'s str, String> {
        self.need(name)?.as_str().ok_or_else(|| format!("member {name:?} is not a string"))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'s str>, String> {
        self.get(name).map(|_| self.text(name)).transpose()
    }

    pub fn number(&self, name: &str) -> Result<u64, String> {
        self.need(name)?.as_u64().ok_or_else(|| format!("member {name:?} is not a number"))
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&'s str>, String> {
        let list = self.need(name)?.as_array().ok_or_else(|| format!("member {name:?} is not a list"))?;
        list.iter().map(|text| text.as_str().ok_or_else(|| format!("{name:?} holds no strings"))).collect()
    }

    /// Returns an entity, an entity id and a path.
    pub fn field(&self, name: &str) -> Result<(&'s str, &'s str, &'s str), String> {
        match self.texts(name)?.as_slice() {
            [entity, entity_id, path] => Ok((entity, entity_id, path)),
            _ => Err(format!("{name:?} is not an entity, an entity id and a path")),
        }
    }

    /// Compares what happened with the expectation of this name, where the step has it.
    pub fn expect(&self, name: &str, found: impl Into<Value>) -> Result<(), String> {
        let found = found.into();
        match self.get(name) {
            Some(expected) if *expected != found => {
                Err(format!("{name}: expected {expected}, found {found}"))
            }
            _ => Ok(()),
        }
    }

    /// Fails if a member was not read.
    pub fn end(&self) -> Result<(), String> {
        let read = self.read.borrow();
        match self.members.keys().find(|name| !read.contains(name.as_str())) {
            Some(name) => Err(format!("unknown member {name:?}")),
            None => Ok(()),
        }
    }
}
