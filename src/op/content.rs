//! The content of an operation, without its signature.

use std::borrow::Cow;
use std::fmt;

use super::{Field, IdentifierError, IdentifierFault, MAX_IDENTIFIER_BYTES, Member, OpError, check};
use crate::hlc::Hlc;
use crate::value::Value;

/// An unsigned operation. [`sign_op`](crate::keys::sign_op) signs it.
///
/// Every `Op` obeys the rules of the format: its names are identifiers, its value is canonical JSON, a delete has no
/// value.
///
/// ```
/// use policysync::{Hlc, Op};
///
/// let ts = Hlc::new(1_760_000_000_000, 1)?;
/// let op = Op::lww_set("alice", ts, ("Task", "t1", "title"), "Hello world")?;
/// assert_eq!(op.id(), "alice:1760000000000:1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Op {
    label: Option<Box<str>>,
    actor: Box<str>,
    ts: Hlc,
    entity: Box<str>,
    entity_id: Box<str>,
    path: Box<str>,
    kind: Kind,
    value: Value,
    space: Option<Box<str>>,
}

impl Op {
    /// Creates an operation by which `actor` sets `field`.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] if a name is not an identifier.
    pub fn lww_set<'f>(
        actor: &str,
        ts: Hlc,
        field: impl Into<Field<'f>>,
        value: impl Into<Value>,
    ) -> Result<Self, OpError> {
        Self::new(actor, ts, field.into(), Kind::Set, value.into())
    }

    /// Creates an operation by which `actor` deletes `field`.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] if a name is not an identifier.
    pub fn lww_delete<'f>(actor: &str, ts: Hlc, field: impl Into<Field<'f>>) -> Result<Self, OpError> {
        Self::new(actor, ts, field.into(), Kind::Delete, Value::null())
    }

    fn new(actor: &str, ts: Hlc, field: Field<'_>, kind: Kind, value: Value) -> Result<Self, OpError> {
        let op = Self {
            label: None,
            actor: actor.into(),
            ts,
            entity: field.entity.into(),
            entity_id: field.entity_id.into(),
            path: field.path.into(),
            kind,
            value,
            space: None,
        };
        OpRef::new(op.as_ref().0)?;
        Ok(op)
    }

    /// Puts the operation into a space, the log that it belongs to. The space is signed, so that the operation cannot
    /// be replayed into another log.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] if the name is not an identifier.
    pub fn in_space(mut self, space: &str) -> Result<Self, OpError> {
        check(Member::Space, space)?;
        self.space = Some(space.into());
        Ok(self)
    }

    /// Sets a label for the `id` of the operation. Replicas refuse it unless they are opened to accept any label. It
    /// never affects identity, order or the detection of duplicates.
    ///
    /// # Errors
    ///
    /// [`OpError::Identifier`] if the label is not an identifier.
    pub fn labelled(mut self, label: &str) -> Result<Self, OpError> {
        check(Member::Id, label)?;
        self.label = (*label != *op_id(&self.actor, self.ts)).then(|| label.into());
        Ok(self)
    }

    /// Returns a view of this operation.
    #[must_use]
    pub fn as_ref(&self) -> OpRef<'_> {
        OpRef(Parts {
            label: self.label.as_deref(),
            actor: &self.actor,
            ts: self.ts,
            field: self.field(),
            kind: self.kind,
            value: self.value.as_str(),
            space: self.space.as_deref(),
        })
    }

    /// Returns the label of the author, `actor:t:c` unless [`Op::labelled`] set another.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        self.as_ref().id()
    }

    /// Returns the actor that wrote the operation.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Returns the timestamp of the operation.
    #[must_use]
    pub fn ts(&self) -> Hlc {
        self.ts
    }

    /// Returns the field that the operation writes.
    #[must_use]
    pub fn field(&self) -> Field<'_> {
        Field::new(&self.entity, &self.entity_id, &self.path)
    }

    /// Returns the kind of the entity.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// Returns the id of the entity.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Returns the path of the field.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the kind of the operation.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the value of the field, `null` for a delete.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the space that the operation belongs to.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        self.space.as_deref()
    }
}

/// The members of an operation, before any check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// `None` for the default id.
    pub(crate) label: Option<&'a str>,
    pub(crate) actor: &'a str,
    pub(crate) ts: Hlc,
    pub(crate) field: Field<'a>,
    pub(crate) kind: Kind,
    /// Canonical JSON.
    pub(crate) value: &'a str,
    pub(crate) space: Option<&'a str>,
}

/// A view of an unsigned operation. It obeys the same rules as [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpRef<'a>(Parts<'a>);

impl<'a> OpRef<'a> {
    /// Checks the names, and that a delete has no value. The text of the value must be canonical JSON already.
    pub(crate) fn new(parts: Parts<'a>) -> Result<Self, OpError> {
        check(Member::Actor, parts.actor)?;
        check(Member::Entity, parts.field.entity)?;
        check(Member::EntityId, parts.field.entity_id)?;
        check(Member::Path, parts.field.path)?;
        if let Some(space) = parts.space {
            check(Member::Space, space)?;
        }
        Self::with_checked_names(parts)
    }

    /// Checks the label, and that a delete has no value. The names must be identifiers already, and the text of the
    /// value canonical JSON.
    pub(crate) fn with_checked_names(parts: Parts<'a>) -> Result<Self, OpError> {
        match parts.label {
            Some(label) => check(Member::Id, label)?,
            None => check_default_id(parts.actor, parts.ts)?,
        }
        if parts.kind == Kind::Delete && parts.value != "null" {
            return Err(OpError::DeleteWithValue);
        }
        Ok(Self(parts))
    }

    /// Creates a view of members that the log checked when it appended them.
    pub(crate) fn from_log(parts: Parts<'a>) -> Self {
        Self(parts)
    }

    /// Returns the members.
    pub(crate) fn parts(&self) -> &Parts<'a> {
        &self.0
    }

    /// Returns an owned copy.
    #[must_use]
    pub fn to_op(self) -> Op {
        Op {
            label: self.0.label.map(Into::into),
            actor: self.0.actor.into(),
            ts: self.0.ts,
            entity: self.0.field.entity.into(),
            entity_id: self.0.field.entity_id.into(),
            path: self.0.field.path.into(),
            kind: self.0.kind,
            value: Value::from_canonical_unchecked(self.0.value.into()),
            space: self.0.space.map(Into::into),
        }
    }

    /// Returns the label of the author, `actor:t:c` unless the author set another.
    #[must_use]
    pub fn id(self) -> Cow<'a, str> {
        self.0.label.map_or_else(|| Cow::Owned(op_id(self.0.actor, self.0.ts)), Cow::Borrowed)
    }

    /// Returns the label if it is not the default `actor:t:c`.
    #[must_use]
    pub fn label(self) -> Option<&'a str> {
        self.0.label
    }

    /// Returns the actor that wrote the operation.
    #[must_use]
    pub fn actor(self) -> &'a str {
        self.0.actor
    }

    /// Returns the timestamp of the operation.
    #[must_use]
    pub fn ts(self) -> Hlc {
        self.0.ts
    }

    /// Returns the field that the operation writes.
    #[must_use]
    pub fn field(self) -> Field<'a> {
        self.0.field
    }

    /// Returns the kind of the entity.
    #[must_use]
    pub fn entity(self) -> &'a str {
        self.0.field.entity
    }

    /// Returns the id of the entity.
    #[must_use]
    pub fn entity_id(self) -> &'a str {
        self.0.field.entity_id
    }

    /// Returns the path of the field.
    #[must_use]
    pub fn path(self) -> &'a str {
        self.0.field.path
    }

    /// Returns the kind of the operation.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.0.kind
    }

    /// Returns the value of the field as canonical JSON text, `null` for a delete.
    #[must_use]
    pub fn value(self) -> &'a str {
        self.0.value
    }

    /// Returns the space that the operation belongs to.
    #[must_use]
    pub fn space(self) -> Option<&'a str> {
        self.0.space
    }
}

/// Checks that the default id is an identifier. The actor has been checked, so only the length can exceed the limit.
fn check_default_id(actor: &str, ts: Hlc) -> Result<(), IdentifierError> {
    let len = actor.len() + 2 + decimals(ts.t()) + decimals(ts.c().into());
    if len > MAX_IDENTIFIER_BYTES {
        return Err(IdentifierError { member: Member::Id, fault: IdentifierFault::TooLong { len } });
    }
    Ok(())
}

/// Returns the number of decimal digits.
fn decimals(number: u64) -> usize {
    itoa::Buffer::new().format(number).len()
}

/// The kind of an operation. The names on the wire are `lww_set` and `lww_delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `lww_set`: sets the field to a value.
    Set,
    /// `lww_delete`: deletes the field. The value of the operation is `null`.
    Delete,
}

impl Kind {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "lww_set",
            Self::Delete => "lww_delete",
        }
    }

    /// Returns the kind with this name. Names are compared byte by byte.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Set, Self::Delete].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns the default `id` of an operation: `actor:t:c`, with the numbers in decimal. It is a label for people, and
/// never used for identity, order or the detection of duplicates, because actors may contain colons.
#[must_use]
pub fn op_id(actor: &str, ts: Hlc) -> String {
    format!("{actor}:{}:{}", ts.t(), ts.c())
}

/// Returns true if a label is the default `id`. It does not build that `id`: actors are not checked yet and may be
/// long, and many operations of a message may name the same one.
pub(crate) fn is_op_id(label: &str, actor: &str, ts: Hlc) -> bool {
    label.strip_prefix(actor).is_some_and(|rest| rest == op_id("", ts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_id_is_at_most_1024_bytes() {
        let ts = Hlc::new(1_760_000_000_000, 1).unwrap();
        let longest = "a".repeat(1024 - 16);
        let op = Op::lww_set(&longest, ts, ("E", "i", "p"), true).unwrap();
        assert_eq!(op.id().len(), 1024);
        let error = Op::lww_set(&format!("{longest}a"), ts, ("E", "i", "p"), true).unwrap_err();
        assert_eq!(error.to_string(), "id has 1025 bytes, the limit is 1024");
    }

    fn ts() -> Hlc {
        Hlc::new(5, 6).unwrap()
    }

    #[test]
    fn an_id_is_actor_time_and_counter_unless_labelled() {
        let op = Op::lww_set("team:dave", ts(), ("Task", "t1", "title"), true).unwrap();
        assert_eq!(op.id(), "team:dave:5:6");
        assert_eq!(op.as_ref().label(), None);
        let default_spelt_out = op.clone().labelled("team:dave:5:6").unwrap();
        assert_eq!(default_spelt_out, op);
        assert_eq!(op.labelled("alice:1").unwrap().id(), "alice:1");
    }

    #[test]
    fn a_view_and_its_owner_say_the_same() {
        let op = Op::lww_delete("a", ts(), ("Task", "t1", "title")).unwrap().in_space("home").unwrap();
        assert_eq!(op.as_ref().to_op(), op);
        assert_eq!((op.kind(), op.value().as_str(), op.space()), (Kind::Delete, "null", Some("home")));
    }

    #[test]
    fn every_name_is_checked() {
        assert!(Op::lww_set("", ts(), ("E", "i", "p"), true).is_err());
        assert!(Op::lww_set("a", ts(), ("\n", "i", "p"), true).is_err());
        assert!(Op::lww_set("a", ts(), ("E", "\0", "p"), true).is_err());
        assert!(Op::lww_set("a", ts(), ("E", "i", "\u{202E}"), true).is_err());
        let op = Op::lww_set("a", ts(), ("E", "i", "p"), true).unwrap();
        assert!(op.clone().in_space("").is_err());
        assert!(op.labelled("\u{7f}").is_err());
    }
}
