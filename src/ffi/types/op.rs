//! The view of an operation.

use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::growing::Growing;
use crate::op::{Kind, OpRef};
use crate::replica::FieldChange;
use crate::{Hlc, Op, OpHash, SignedOp, Value};

/// The effect of an operation on its field: `kind` of `policysync_op`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_op_kind {
    /// The field has the value, until a later operation on it.
    POLICYSYNC_SET = 1,
    /// The field is removed, until a later operation sets it. The value is `null`.
    POLICYSYNC_DELETE = 2,
}

/// The form of a signature: `scheme` of `policysync_op`. Later versions may add schemes.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_scheme {
    /// No signature: the view of a guard.
    POLICYSYNC_SCHEME_NONE = 0,
    /// An Ed25519 signature (RFC 8032) of this operation alone.
    POLICYSYNC_SCHEME_ED25519 = 1,
}

/// The form of an operation in bytes. Functions that read operations accept both.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_format {
    /// The canonical JSON form (RFC 8785), on one line.
    POLICYSYNC_JSON = 1,
    /// The binary form: smaller, and faster to read.
    POLICYSYNC_BINARY = 2,
}

/// A view of an operation. As an argument of a callback it lives until the callback returns; from a cursor, until the
/// next call on that cursor. In an array, step by the stride.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_op {
    /// `sizeof(policysync_op)`.
    pub struct_size: u32,
    /// The effect on its field: a `policysync_op_kind`.
    pub kind: u32,
    /// The time of the write: milliseconds since 1970, 0 to 2^53 - 1.
    pub t: u64,
    /// The logical counter, 0 to 2^32 - 2.
    pub c: u32,
    /// The form of the signature: a `policysync_scheme`. For a guard: `POLICYSYNC_SCHEME_NONE`.
    pub scheme: u32,
    /// The identity of the operation: SHA-256 of the signed text.
    pub hash: [u8; 32],
    /// The proof of the scheme: for `POLICYSYNC_SCHEME_ED25519` the signature, 64 bytes. For a guard: empty.
    pub proof: policysync_bytes,
    /// The actor that wrote it.
    pub actor: policysync_bytes,
    /// The id of the actor's key that signed it. For a guard: empty.
    pub kid: policysync_bytes,
    /// The kind of thing that it changes.
    pub entity: policysync_bytes,
    /// The thing of that kind.
    pub entity_id: policysync_bytes,
    /// The field of that thing.
    pub path: policysync_bytes,
    /// The new value of the field as canonical JSON; `null` for a delete.
    pub value: policysync_bytes,
    /// The space that it belongs to; empty for none.
    pub space: policysync_bytes,
    /// Its `id`, if that is not `actor:t:c`; otherwise empty.
    pub label: policysync_bytes,
}

// SAFETY: `repr(C)`, begins with its size. Zero is an empty operation.
unsafe impl Growing for policysync_op {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "op";
}

impl policysync_op {
    /// Views a signed operation, which must outlive the view.
    pub(in crate::ffi) fn signed(op: &SignedOp, hash: OpHash) -> Self {
        let signed = op.as_ref();
        let proof = op.signature().as_bytes();
        Self {
            scheme: policysync_scheme::POLICYSYNC_SCHEME_ED25519.number(),
            proof: policysync_bytes { data: proof.as_ptr().cast(), len: proof.len() },
            kid: policysync_bytes::of(signed.kid()),
            ..Self::unsigned(signed.op(), hash)
        }
    }

    /// Views the content of an operation, which must outlive the view, without its signature.
    pub(in crate::ffi) fn unsigned(op: OpRef<'_>, hash: OpHash) -> Self {
        let optional = |text: Option<&str>| text.map_or(policysync_bytes::NONE, policysync_bytes::of);
        Self {
            struct_size: u32::try_from(size_of::<Self>()).unwrap_or(u32::MAX),
            kind: policysync_op_kind::from(op.kind()).number(),
            t: op.ts().t(),
            c: op.ts().c(),
            scheme: policysync_scheme::POLICYSYNC_SCHEME_NONE.number(),
            hash: *hash.as_bytes(),
            proof: policysync_bytes::NONE,
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

    /// Views a changed field, which must outlive the view, as the operation that determines it.
    pub(in crate::ffi) fn change(change: &FieldChange) -> Self {
        if let (Some(winner), Some(hash)) = (&change.winner, change.hash) {
            return Self::signed(winner, hash);
        }
        Self {
            struct_size: u32::try_from(size_of::<Self>()).unwrap_or(u32::MAX),
            kind: policysync_op_kind::POLICYSYNC_DELETE.number(),
            t: 0,
            c: 0,
            scheme: policysync_scheme::POLICYSYNC_SCHEME_NONE.number(),
            hash: [0; 32],
            proof: policysync_bytes::NONE,
            actor: policysync_bytes::NONE,
            kid: policysync_bytes::NONE,
            entity: policysync_bytes::of(&change.entity),
            entity_id: policysync_bytes::of(&change.entity_id),
            path: policysync_bytes::of(&change.path),
            value: policysync_bytes::of("null"),
            space: policysync_bytes::NONE,
            label: policysync_bytes::NONE,
        }
    }

    /// Builds an operation from the content. Hash, kid and proof are ignored.
    pub(in crate::ffi) fn to_op(self, call: &Call) -> Result<Op, Failure> {
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
            return Err(Failure::argument(format!("op.kind is {}, which is not defined", self.kind)));
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

impl policysync_scheme {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
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
    pub(in crate::ffi) fn from_number(number: u32) -> Result<Self, Failure> {
        [Self::POLICYSYNC_JSON, Self::POLICYSYNC_BINARY]
            .into_iter()
            .find(|format| *format as u32 == number)
            .ok_or_else(|| Failure::argument(format!("format is {number}, which is not defined")))
    }

    pub(in crate::ffi) fn write(self, op: &SignedOp, out: &mut Vec<u8>) {
        match self {
            Self::POLICYSYNC_JSON => out.extend_from_slice(op.to_json().as_bytes()),
            Self::POLICYSYNC_BINARY => op.as_ref().write_binary(out),
        }
    }

    /// Writes one of several operations, so that a reader can separate them.
    pub(in crate::ffi) fn frame(self, op: &SignedOp, out: &mut Vec<u8>) -> Result<(), Failure> {
        let bytes = self.bytes(op);
        match self {
            Self::POLICYSYNC_JSON => {
                out.extend_from_slice(&bytes);
                out.push(b'\n');
            }
            Self::POLICYSYNC_BINARY => {
                let len = u32::try_from(bytes.len())
                    .map_err(|_| Failure::argument("an operation is longer than 4 GiB"))?;
                out.extend_from_slice(&len.to_le_bytes());
                out.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }

    pub(in crate::ffi) fn bytes(self, op: &SignedOp) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(op, &mut out);
        out
    }
}
