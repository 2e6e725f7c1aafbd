//! An operation as a C struct.

use super::boundary::{Call, Growing};
use super::buffer::policysync_bytes;
use super::error::Failure;
use crate::op::{Kind, OpRef, SignedOpRef};
use crate::{Hlc, Op, OpHash, SignedOp, Value};

/// What an operation does to its field: `kind` of `policysync_op`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_op_kind {
    /// The field has the value, until a later operation on it.
    POLICYSYNC_SET = 1,
    /// The field is gone, until a later set. The value is `null`.
    POLICYSYNC_DELETE = 2,
}

/// In which form an operation crosses. What arrives may have either.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_format {
    /// The canonical JSON form (RFC 8785), on one line.
    POLICYSYNC_JSON = 1,
    /// The binary form: smaller, and quicker to read.
    POLICYSYNC_BINARY = 2,
}

/// An operation. As an argument of a callback it lives until the callback returns; from a cursor, until the next call
/// on that cursor. Later versions may add members at the end: walk over an array by its stride.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_op {
    /// `sizeof(policysync_op)`.
    pub struct_size: u32,
    /// What it does to its field: a `policysync_op_kind`.
    pub kind: u32,
    /// When it was said: milliseconds since 1970, 0 to 2^53 - 1.
    pub t: u64,
    /// The logical counter, 0 to 2^32 - 2.
    pub c: u32,
    /// 0.
    pub reserved: u32,
    /// Its identity: SHA-256 of the text that is signed.
    pub hash: [u8; 32],
    /// Ed25519 signature. For a guard: zero, since it is no part of what is said.
    pub signature: [u8; 64],
    /// Who says it.
    pub actor: policysync_bytes,
    /// Which of the actor's keys signed. For a guard: empty.
    pub kid: policysync_bytes,
    /// The kind of thing that is changed.
    pub entity: policysync_bytes,
    /// Which thing of that kind.
    pub entity_id: policysync_bytes,
    /// Which field of it.
    pub path: policysync_bytes,
    /// What the field becomes: canonical JSON; `null` for a delete.
    pub value: policysync_bytes,
    /// The log that it belongs to; empty for none.
    pub space: policysync_bytes,
    /// Its `id`, where that is not `actor:t:c`; else empty.
    pub label: policysync_bytes,
}

// SAFETY: `repr(C)`, begins with its size. Zero is an empty operation.
unsafe impl Growing for policysync_op {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "op";
}

impl policysync_op {
    /// A view of an operation, which must outlive it.
    pub(super) fn of(signed: SignedOpRef<'_>, hash: OpHash) -> Self {
        Self {
            signature: *signed.signature().as_bytes(),
            kid: policysync_bytes::of(signed.kid()),
            ..Self::of_content(signed.op(), hash)
        }
    }

    /// A view of what an operation says, which must outlive it, without who signed.
    pub(super) fn of_content(op: OpRef<'_>, hash: OpHash) -> Self {
        let optional = |text: Option<&str>| text.map_or(policysync_bytes::NONE, policysync_bytes::of);
        Self {
            struct_size: u32::try_from(size_of::<Self>()).unwrap_or(u32::MAX),
            kind: policysync_op_kind::from(op.kind()).number(),
            t: op.ts().t(),
            c: op.ts().c(),
            reserved: 0,
            hash: *hash.as_bytes(),
            signature: [0; 64],
            actor: policysync_bytes::of(op.actor()),
            kid: policysync_bytes::NONE,
            entity: policysync_bytes::of(op.entity()),
            entity_id: policysync_bytes::of(op.entity_id()),
            path: policysync_bytes::of(op.path()),
            value: policysync_bytes::of(op.value()),
            space: optional(op.space()),
            label: optional(op.label()),
        }
    }

    /// What it says, checked. Hash, kid and signature are not looked at.
    pub(super) fn to_op(self, call: &Call) -> Result<Op, Failure> {
        let actor = self.actor.text(call, "op.actor")?;
        let entity = self.entity.text(call, "op.entity")?;
        let entity_id = self.entity_id.text(call, "op.entity_id")?;
        let path = self.path.text(call, "op.path")?;
        let value = self.value.text(call, "op.value")?;
        let ts = Hlc::new(self.t, self.c)?;
        let mut op = if self.kind == policysync_op_kind::POLICYSYNC_SET.number() {
            Op::lww_set(actor, ts, (entity, entity_id, path), Value::parse(value)?)?
        } else if self.kind == policysync_op_kind::POLICYSYNC_DELETE.number() {
            if !matches!(value, "" | "null") {
                return Err(crate::op::OpError::DeleteWithValue.into());
            }
            Op::lww_delete(actor, ts, (entity, entity_id, path))?
        } else {
            return Err(Failure::argument(format!("op.kind is {}, which means nothing", self.kind)));
        };
        let space = self.space.text(call, "op.space")?;
        if !space.is_empty() {
            op = op.in_space(space)?;
        }
        let label = self.label.text(call, "op.label")?;
        if !label.is_empty() {
            op = op.labelled(label)?;
        }
        Ok(op)
    }
}

impl policysync_op_kind {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
    }
}

impl From<Kind> for policysync_op_kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Set => Self::POLICYSYNC_SET,
            Kind::Delete => Self::POLICYSYNC_DELETE,
        }
    }
}

impl policysync_format {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    pub(super) fn from_number(number: u32) -> Result<Self, Failure> {
        [Self::POLICYSYNC_JSON, Self::POLICYSYNC_BINARY]
            .into_iter()
            .find(|format| *format as u32 == number)
            .ok_or_else(|| Failure::argument(format!("format is {number}, which means nothing")))
    }

    pub(super) fn write(self, op: &SignedOp, out: &mut Vec<u8>) {
        match self {
            Self::POLICYSYNC_JSON => out.extend_from_slice(op.to_json().as_bytes()),
            Self::POLICYSYNC_BINARY => op.as_ref().write_binary(out),
        }
    }

    /// One of many: they can be told apart.
    pub(super) fn frame(self, op: &SignedOp, out: &mut Vec<u8>) -> Result<(), Failure> {
        let bytes = self.bytes(op);
        match self {
            Self::POLICYSYNC_JSON => {
                out.extend_from_slice(&bytes);
                out.push(b'\n');
            }
            Self::POLICYSYNC_BINARY => {
                let len =
                    u32::try_from(bytes.len()).map_err(|_| Failure::argument("an operation of 4 GiB"))?;
                out.extend_from_slice(&len.to_le_bytes());
                out.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }

    pub(super) fn bytes(self, op: &SignedOp) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(op, &mut out);
        out
    }
}
