//! Operations on their way, with a table for each kind of name that repeats.

use std::collections::{HashMap, HashSet};

use super::error::{MessageFault, SyncError};
use super::wire::{Reader, put_count, put_text, put_varint};
use crate::codec::{DecodeError, check_members};
use crate::crypto::Signature;
use crate::hlc::Hlc;
use crate::op::{Kind, Parts, SignedOpRef};

/// Bytes of the shortest operation: flags, time, five names, signature.
const LEAST_OP: usize = 1 + 1 + 5 + 64;

const DELETE: u8 = 1;
const LABELLED: u8 = 2;
const COUNTED: u8 = 4;
const ALL_FLAGS: u8 = DELETE | LABELLED | COUNTED;

/// Names, numbered from 1 in the order in which they are first used.
#[derive(Default)]
struct Names {
    numbers: HashMap<Box<str>, u64>,
    /// The name that the last operation brought, to be taken back if the operation does not fit.
    last: Option<Box<str>>,
}

impl Names {
    /// Writes the name's number, or 0 and the name where it is new.
    fn put(&mut self, name: &str, out: &mut Vec<u8>) {
        self.last = None;
        if let Some(number) = self.numbers.get(name) {
            return put_varint(out, *number);
        }
        out.push(0);
        put_text(out, name);
        let number = super::wire::wide(self.numbers.len()) + 1;
        self.numbers.insert(name.into(), number);
        self.last = Some(name.into());
    }

    fn take_back(&mut self) {
        if let Some(name) = self.last.take() {
            self.numbers.remove(&name);
        }
    }
}

/// Packs operations of one space until a limit is reached.
pub(super) struct OpWriter {
    out: Vec<u8>,
    limit: usize,
    count: usize,
    last_t: u64,
    actors: Names,
    kids: Names,
    entities: Names,
    entity_ids: Names,
    paths: Names,
}

impl OpWriter {
    /// A writer for so many bytes. Into [`MAX_OP_BYTES`](crate::codec::MAX_OP_BYTES) bytes every operation fits.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            out: Vec::new(),
            limit,
            count: 0,
            last_t: 0,
            actors: Names::default(),
            kids: Names::default(),
            entities: Names::default(),
            entity_ids: Names::default(),
            paths: Names::default(),
        }
    }

    /// Adds an operation; `false` where it does not fit any more.
    pub(super) fn push(&mut self, signed: SignedOpRef<'_>) -> bool {
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
        self.actors.put(op.actor(), out);
        self.kids.put(signed.kid(), out);
        self.entities.put(op.entity(), out);
        self.entity_ids.put(op.entity_id(), out);
        self.paths.put(op.path(), out);
        if let Some(label) = op.label() {
            put_text(out, label);
        }
        if op.kind() == Kind::Set {
            put_text(out, op.value());
        }
        out.extend_from_slice(signed.signature().as_bytes());
        if out.len() > self.limit {
            out.truncate(before);
            for names in
                [&mut self.actors, &mut self.kids, &mut self.entities, &mut self.entity_ids, &mut self.paths]
            {
                names.take_back();
            }
            return false;
        }
        self.last_t = op.ts().t();
        self.count += 1;
        true
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes that the operations fill.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Bytes that are left.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    /// The number of operations and the operations.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        put_count(out, self.count);
        out.extend_from_slice(&self.out);
    }
}

/// One operation as it arrived: what it is, or why it is none.
pub(super) type Unpacked<'a> = Result<SignedOpRef<'a>, DecodeError>;

/// Names as they are told.
#[derive(Default)]
struct Told<'a> {
    names: Vec<&'a str>,
    known: HashSet<&'a str>,
}

impl<'a> Told<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<&'a str, SyncError> {
        let number = reader.varint()?;
        let Some(place) = number.checked_sub(1) else {
            let name = reader.text()?;
            if !self.known.insert(name) {
                return Err(reader.fault(MessageFault::Reference));
            }
            self.names.push(name);
            return Ok(name);
        };
        let place = usize::try_from(place).ok().and_then(|place| self.names.get(place));
        place.copied().ok_or_else(|| reader.fault(MessageFault::Reference))
    }
}

/// Reads operations of a space. What breaks the layout is an error for all; an operation that breaks a rule of
/// operations is none by itself.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    space: Option<&'a str>,
) -> Result<Vec<Unpacked<'a>>, SyncError> {
    let count = reader.count(LEAST_OP)?;
    let mut ops = Vec::with_capacity(count);
    let mut last_t = 0;
    let [mut actors, mut kids, mut entities, mut entity_ids, mut paths] = [(); 5].map(|()| Told::default());
    for _ in 0..count {
        let flags = reader.byte()?;
        if flags & !ALL_FLAGS != 0 {
            return Err(reader.fault(MessageFault::Tag { found: flags }));
        }
        let t = unzigzag(last_t, reader.varint()?).filter(|t| *t <= Hlc::MAX.t());
        let t = t.ok_or_else(|| reader.fault(MessageFault::Integer))?;
        last_t = t;
        let c = if flags & COUNTED != 0 { reader.varint_u32()? } else { 0 };
        let ts = Hlc::new(t, c).ok().filter(|_| flags & COUNTED == 0 || c > 0);
        let ts = ts.ok_or_else(|| reader.fault(MessageFault::Integer))?;
        let actor = actors.read(reader)?;
        let kid = kids.read(reader)?;
        let entity = entities.read(reader)?;
        let entity_id = entity_ids.read(reader)?;
        let path = paths.read(reader)?;
        let label = if flags & LABELLED != 0 { Some(reader.text()?) } else { None };
        let (kind, value) =
            if flags & DELETE != 0 { (Kind::Delete, "null") } else { (Kind::Set, reader.text()?) };
        let parts = Parts { label, actor, ts, entity, entity_id, path, kind, value, space };
        ops.push(check_members(parts, kid, Signature::from_bytes(reader.array()?)));
    }
    Ok(ops)
}

/// The step from one time to the next: forward even, back odd.
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
