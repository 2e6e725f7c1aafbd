//! Packed operations: many operations in bytes, with each name written once.

use std::collections::{HashMap, HashSet};

use super::binary::{binary_len, check_with_checked_names};
use super::error::{CodecError, CodecFault};
use super::wire::{ByteReader, put_count, put_text, put_varint, wide};
use super::{DecodeError, MAX_OP_BYTES};
use crate::crypto::Signature;
use crate::hlc::Hlc;
use crate::op::{Field, IdentifierError, Kind, Member, OpError, Parts, SignedOpRef, check};

/// The kinds of names.
const NAMES: [Member; 5] = [Member::Actor, Member::Kid, Member::Entity, Member::EntityId, Member::Path];
/// Bytes of the shortest operation: flags, time, names, signature.
const MIN_OP_BYTES: usize = 1 + 1 + NAMES.len() + 64;

/// The factor by which packed operations may be shorter than the sum of their binary forms.
const MAX_EXPANSION: usize = 16;

/// Returns the most bytes that the binary forms of operations may have that are packed in `len` bytes. Names that are
/// written once and used often make the difference: without a limit, 1 MiB could expand to 80 MiB.
fn max_expanded(len: usize) -> usize {
    len.max(MAX_OP_BYTES).saturating_mul(MAX_EXPANSION)
}

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
    /// The sum of the binary forms, in bytes.
    expanded: usize,
    names: [WrittenNames; NAMES.len()],
}

impl OpPacker {
    /// Creates a packer with room for `limit` bytes. Every operation fits into
    /// [`MAX_OP_BYTES`].
    pub(crate) fn new(limit: usize) -> Self {
        let names = std::array::from_fn(|_| WrittenNames::default());
        Self { out: Vec::new(), limit, count: 0, last_t: 0, expanded: 0, names }
    }

    /// Adds an operation. Returns false, with nothing added, if it does not fit: the bytes would exceed the limit, or
    /// expand to more than a reader accepts.
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
        let expanded = self.expanded.saturating_add(signed.binary_len());
        if out.len() > self.limit || expanded > max_expanded(out.len()) {
            out.truncate(before);
            self.names.iter_mut().for_each(WrittenNames::undo);
            return false;
        }
        self.last_t = op.ts().t();
        self.expanded = expanded;
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

/// A name that was read, and its fault if it is not an identifier. It is checked once, however many operations use it.
type ReadName<'a> = (&'a str, Option<IdentifierError>);

/// The names of one kind that were read.
struct ReadNames<'a> {
    member: Member,
    names: Vec<ReadName<'a>>,
    known: HashSet<&'a str>,
}

impl<'a> ReadNames<'a> {
    fn new(member: Member) -> Self {
        Self { member, names: Vec::new(), known: HashSet::new() }
    }

    fn read(&mut self, reader: &mut ByteReader<'a>) -> Result<ReadName<'a>, CodecError> {
        let number = reader.varint()?;
        let Some(position) = number.checked_sub(1) else {
            let text = reader.text()?;
            if !self.known.insert(text) {
                return Err(reader.fault(CodecFault::Reference));
            }
            let name = (text, check(self.member, text).err());
            self.names.push(name.clone());
            return Ok(name);
        };
        let name = usize::try_from(position).ok().and_then(|position| self.names.get(position));
        name.cloned().ok_or_else(|| reader.fault(CodecFault::Reference))
    }
}

/// Reads packed operations of a space, which take the rest of a message. Bytes that break the layout are an error, and
/// so are operations that expand to too many bytes. An operation that breaks a rule of operations is an error by
/// itself.
pub(crate) fn unpack_ops<'a>(
    reader: &mut ByteReader<'a>,
    space: Option<&'a str>,
) -> Result<Vec<UnpackedOp<'a>>, CodecError> {
    let mut room = max_expanded(reader.left());
    let count = reader.count(MIN_OP_BYTES)?;
    let mut ops = Vec::with_capacity(count);
    let mut last_t = 0;
    let mut tables = NAMES.map(ReadNames::new);
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
        let mut names = [""; NAMES.len()];
        let mut fault = None;
        for (name, table) in names.iter_mut().zip(&mut tables) {
            let (text, found) = table.read(reader)?;
            *name = text;
            fault = fault.or(found);
        }
        let [actor, kid, entity, entity_id, path] = names;
        let label = if flags & LABELLED != 0 { Some(reader.text()?) } else { None };
        let (kind, value) =
            if flags & DELETE != 0 { (Kind::Delete, "null") } else { (Kind::Set, reader.text()?) };
        let field = Field::new(entity, entity_id, path);
        let parts = Parts { label, actor, ts, field, kind, value, space };
        let signature = Signature::from_bytes(reader.array()?);
        let len = binary_len(&parts, kid);
        room = room.checked_sub(len).ok_or_else(|| reader.fault(CodecFault::Expansion))?;
        ops.push(match fault {
            None => check_with_checked_names(parts, kid, signature),
            Some(fault) => Err(OpError::from(fault).into()),
        });
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
    use crate::op::{Op, SignedOp};

    #[test]
    fn steps_of_time_go_both_ways() {
        for (from, to) in [(0, 0), (0, Hlc::MAX.t()), (Hlc::MAX.t(), 0), (5, 4), (4, 5)] {
            assert_eq!(unzigzag(from, zigzag(from, to)), Some(to));
        }
        assert_eq!(unzigzag(3, 7), None);
    }

    /// Returns the longest operation of names that are used again and again, number `n`.
    fn with_names(n: u64, len: usize) -> SignedOp {
        let names = ["a", "e", "i", "p", "k"].map(|name| name.repeat(len));
        let [actor, entity, id, path, kid] = names.each_ref().map(String::as_str);
        let op = Op::lww_set(actor, Hlc::new(n, 0).unwrap(), (entity, id, path), "x").unwrap();
        SignedOp::new(op, kid, Signature::from_bytes([7; 64])).unwrap()
    }

    /// Packs operations without the limit of a writer.
    fn pack_without_limit(ops: impl Iterator<Item = SignedOp>) -> Vec<u8> {
        let (mut packer, mut bytes) = (OpPacker::new(usize::MAX), Vec::new());
        for op in ops {
            packer.expanded = 0;
            assert!(packer.push(op.as_ref()));
        }
        packer.finish(&mut bytes);
        bytes
    }

    #[test]
    fn a_writer_stops_where_a_reader_refuses() {
        let op_len = with_names(0, 1000).to_binary().len();
        let most = max_expanded(MAX_OP_BYTES) / op_len;
        let mut packer = OpPacker::new(MAX_OP_BYTES);
        let count = (0..).take_while(|n| packer.push(with_names(*n, 1000).as_ref())).count();
        assert_eq!(count, most);
        let mut bytes = Vec::new();
        packer.finish(&mut bytes);
        assert_eq!(unpack_ops(&mut ByteReader::new(&bytes), None).unwrap().len(), most);

        let number = |count: usize| u64::try_from(count).unwrap();
        for (count, expected) in [(most, None), (most + 1, Some(CodecFault::Expansion))] {
            let bytes = pack_without_limit((0..number(count)).map(|n| with_names(n, 1000)));
            assert!(bytes.len() < MAX_OP_BYTES / 2);
            let read = unpack_ops(&mut ByteReader::new(&bytes), None);
            assert_eq!(read.err().map(|error| error.fault), expected);
        }
    }

    #[test]
    fn more_bytes_may_expand_to_more() {
        // Three times the bytes of the shortest message with a limit of its own.
        let len = 3 * MAX_OP_BYTES;
        let mut packer = OpPacker::new(len);
        let count = (0..).take_while(|n| packer.push(with_names(*n, 100).as_ref())).count();
        assert!(packer.len() > len - 100, "names of 100 bytes expand to about nine times the bytes");
        let mut bytes = Vec::new();
        packer.finish(&mut bytes);
        assert_eq!(unpack_ops(&mut ByteReader::new(&bytes), None).unwrap().len(), count);
    }

    #[test]
    fn an_operation_with_a_bad_name_is_an_error_each_time_and_the_others_are_not() {
        let good = |n| with_names(n, 4);
        let (mut packer, mut bytes) = (OpPacker::new(MAX_OP_BYTES), Vec::new());
        for n in 0..4 {
            assert!(packer.push(good(n).as_ref()));
            let op = Op::lww_set("bad!", Hlc::new(n, 0).unwrap(), ("eeee", "iiii", "pppp"), "x").unwrap();
            assert!(packer.push(SignedOp::new(op, "kkkk", Signature::from_bytes([7; 64])).unwrap().as_ref()));
        }
        packer.finish(&mut bytes);
        let at = bytes.windows(4).position(|window| window == b"bad!").unwrap();
        bytes[at + 3] = 7;
        let read = unpack_ops(&mut ByteReader::new(&bytes), None).unwrap();
        for (n, op) in read.into_iter().enumerate() {
            let rule = op.err().map(|error| error.rule());
            assert_eq!(rule, (n % 2 == 1).then_some("identifier-control"), "{n}");
        }
    }
}
