//! Packed operations: many operations in bytes, with each name written once.

use std::collections::{HashMap, HashSet};

use super::error::{CodecError, CodecFault};
use super::wire::{ByteReader, put_count, put_text, put_varint, wide};
use super::{DecodeError, MAX_OP_BYTES, check_members};
use crate::crypto::Signature;
use crate::hlc::Hlc;
use crate::op::{Field, Kind, Parts, SignedOpRef};

/// Kinds of names: actor, kid, entity, entityId, path.
const NAMES: usize = 5;
/// Bytes of the shortest operation: flags, time, names, signature.
const MIN_OP_BYTES: usize = 1 + 1 + NAMES + 64;

// The flags of an operation.
const DELETE: u8 = 1;
const LABELLED: u8 = 2;
const COUNTED: u8 = 4;
const ALL_FLAGS: u8 = DELETE | LABELLED | COUNTED;

/// The names of one kind that were written, numbered from 1 in the order of their first use.
#[derive(Default)]
struct WrittenNames {
    numbers: HashMap<Box<str>, u64>,
    /// The name that the last operation added, to be removed if the operation does not fit.
    added: Option<Box<str>>,
}

impl WrittenNames {
    /// Writes the number of a name, or 0 and the name if it is new.
    fn put(&mut self, name: &str, out: &mut Vec<u8>) {
        self.added = None;
        if let Some(number) = self.numbers.get(name) {
            return put_varint(out, *number);
        }
        out.push(0);
        put_text(out, name);
        let number = wide(self.numbers.len()) + 1;
        self.numbers.insert(name.into(), number);
        self.added = Some(name.into());
    }

    fn undo(&mut self) {
        if let Some(name) = self.added.take() {
            self.numbers.remove(&name);
        }
    }
}

/// Packs operations of one space until a limit is reached.
pub(crate) struct OpPacker {
    out: Vec<u8>,
    limit: usize,
    count: usize,
    last_t: u64,
    names: [WrittenNames; NAMES],
}

impl OpPacker {
    /// Creates a packer with room for `limit` bytes. Every operation fits into
    /// [`MAX_OP_BYTES`](crate::codec::MAX_OP_BYTES).
    pub(crate) fn new(limit: usize) -> Self {
        let names = std::array::from_fn(|_| WrittenNames::default());
        Self { out: Vec::new(), limit, count: 0, last_t: 0, names }
    }

    /// Adds an operation. Returns false, with nothing added, if it does not fit.
    pub(crate) fn push(&mut self, signed: SignedOpRef<'_>) -> bool {
        let before = self.out.len();
        let op = signed.op();
        let kind = if op.kind() == Kind::Delete { DELETE } else { 0 };
        let labelled = if op.label().is_some() { LABELLED } else { 0 };
        let counted = if op.ts().c() > 0 { COUNTED } else { 0 };
        let out = &mut self.out;
        out.push(kind | labelled | counted);
        put_varint(out, zigzag(self.last_t, op.ts().t()));
        if op.ts().c() > 0 {
            put_varint(out, op.ts().c().into());
        }
        let names = [op.actor(), signed.kid(), op.entity(), op.entity_id(), op.path()];
        for (written, name) in self.names.iter_mut().zip(names) {
            written.put(name, out);
        }
        if let Some(label) = op.label() {
            put_text(out, label);
        }
        if op.kind() == Kind::Set {
            put_text(out, op.value());
        }
        out.extend_from_slice(signed.signature().as_bytes());
        if out.len() > self.limit {
            out.truncate(before);
            self.names.iter_mut().for_each(WrittenNames::undo);
            return false;
        }
        self.last_t = op.ts().t();
        self.count += 1;
        true
    }

    /// Adds the only operation, even if it takes more bytes than the limit allows. Then nothing else fits.
    pub(crate) fn push_only(&mut self, signed: SignedOpRef<'_>) -> bool {
        self.limit = self.limit.max(MAX_OP_BYTES);
        let fits = self.push(signed);
        self.limit = self.out.len();
        fits
    }

    /// Returns the number of operations.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of bytes that the operations take.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Returns the number of bytes that are free.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    /// Appends the number of operations and the operations.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        put_count(out, self.count);
        out.extend_from_slice(&self.out);
    }
}

/// An unpacked operation, or the rule of operations that it breaks.
pub(crate) type UnpackedOp<'a> = Result<SignedOpRef<'a>, DecodeError>;

/// The names of one kind that were read.
#[derive(Default)]
struct ReadNames<'a> {
    names: Vec<&'a str>,
    known: HashSet<&'a str>,
}

impl<'a> ReadNames<'a> {
    fn read(&mut self, reader: &mut ByteReader<'a>) -> Result<&'a str, CodecError> {
        let number = reader.varint()?;
        let Some(position) = number.checked_sub(1) else {
            let name = reader.text()?;
            if !self.known.insert(name) {
                return Err(reader.fault(CodecFault::Reference));
            }
            self.names.push(name);
            return Ok(name);
        };
        let name = usize::try_from(position).ok().and_then(|position| self.names.get(position));
        name.copied().ok_or_else(|| reader.fault(CodecFault::Reference))
    }
}

/// Reads packed operations of a space. Bytes that break the layout are an error. An operation that breaks a rule of
/// operations is an error by itself.
pub(crate) fn unpack_ops<'a>(
    reader: &mut ByteReader<'a>,
    space: Option<&'a str>,
) -> Result<Vec<UnpackedOp<'a>>, CodecError> {
    let count = reader.count(MIN_OP_BYTES)?;
    let mut ops = Vec::with_capacity(count);
    let mut last_t = 0;
    let mut tables: [ReadNames<'a>; NAMES] = std::array::from_fn(|_| ReadNames::default());
    for _ in 0..count {
        let flags = reader.byte()?;
        if flags & !ALL_FLAGS != 0 {
            return Err(reader.fault(CodecFault::Tag { found: flags }));
        }
        let t = unzigzag(last_t, reader.varint()?).filter(|t| *t <= Hlc::MAX.t());
        let t = t.ok_or_else(|| reader.fault(CodecFault::Integer))?;
        last_t = t;
        let c = if flags & COUNTED != 0 { reader.varint_u32()? } else { 0 };
        let ts = Hlc::new(t, c).ok().filter(|_| flags & COUNTED == 0 || c > 0);
        let ts = ts.ok_or_else(|| reader.fault(CodecFault::Integer))?;
        let mut names = [""; NAMES];
        for (name, table) in names.iter_mut().zip(&mut tables) {
            *name = table.read(reader)?;
        }
        let [actor, kid, entity, entity_id, path] = names;
        let label = if flags & LABELLED != 0 { Some(reader.text()?) } else { None };
        let (kind, value) =
            if flags & DELETE != 0 { (Kind::Delete, "null") } else { (Kind::Set, reader.text()?) };
        let field = Field::new(entity, entity_id, path);
        let parts = Parts { label, actor, ts, field, kind, value, space };
        ops.push(check_members(parts, kid, Signature::from_bytes(reader.array()?)));
    }
    Ok(ops)
}

/// Encodes the step from one time to the next: even forward, odd backward.
fn zigzag(from: u64, to: u64) -> u64 {
    match to.checked_sub(from) {
        Some(forward) => forward << 1,
        None => ((from - to) << 1) - 1,
    }
}

fn unzigzag(from: u64, step: u64) -> Option<u64> {
    if step & 1 == 0 { from.checked_add(step >> 1) } else { from.checked_sub((step >> 1) + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_time_go_both_ways() {
        for (from, to) in [(0, 0), (0, Hlc::MAX.t()), (Hlc::MAX.t(), 0), (5, 4), (4, 5)] {
            assert_eq!(unzigzag(from, zigzag(from, to)), Some(to));
        }
        assert_eq!(unzigzag(3, 7), None);
    }
}
