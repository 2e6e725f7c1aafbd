//! The operations that a replica and one of its peers have refused from each other, so that they are not transferred
//! again while nothing has changed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::CopyDigest;
use crate::codec::{ByteReader, CodecError, CodecFault, OpHash, put_varint};
use crate::hlc::Hlc;
use crate::value::utf16_cmp;

/// Bytes of the longest entry of a refused operation: two integers of up to 8 and 5 bytes, the position of a name of up
/// to 5, a hash, a reason and a digest.
const MAX_ENTRY_BYTES: usize = 8 + 5 + 5 + 32 + 1 + CopyDigest::BYTES;
/// Bytes of a name besides its text, in a list and in a tree.
pub(super) const NAME_BYTES: usize = 64;
/// Bytes by which the memory of a peer grows.
const STEP_BYTES: usize = 16 << 10;
/// The flag of an entry with a digest over copies.
const WITH_COPIES: u8 = 0x80;

/// A refused operation: its place in the total order, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefusedOp {
    t: u64,
    c: u32,
    /// The position of the actor among the names.
    pub(super) actor: u32,
    pub(crate) hash: OpHash,
    pub(crate) reason: u8,
    /// The digest over the refused copies, if another copy may be genuine.
    pub(crate) copies: CopyDigest,
}

impl RefusedOp {
    pub(crate) fn ts(&self) -> Hlc {
        // It was the timestamp of an operation.
        Hlc::new(self.t, self.c).unwrap_or(Hlc::MAX)
    }

    /// Appends the operation. `last` is the time of the one before.
    fn write(&self, last: u64, out: &mut Vec<u8>) {
        // Times are below 2^53.
        put_varint(out, if self.t >= last { (self.t - last) << 1 } else { ((last - self.t) << 1) - 1 });
        put_varint(out, self.c.into());
        put_varint(out, self.actor.into());
        out.extend_from_slice(self.hash.as_bytes());
        let with_copies = !self.copies.is_none();
        out.push(self.reason & !WITH_COPIES | if with_copies { WITH_COPIES } else { 0 });
        out.extend(self.copies.as_bytes().iter().filter(|_| with_copies));
    }

    /// Reads an operation of one of `names` actors.
    pub(crate) fn read(reader: &mut ByteReader<'_>, last: u64, names: usize) -> Result<Self, CodecError> {
        let difference = reader.varint()?;
        let t = match difference & 1 {
            0 => last.checked_add(difference >> 1),
            _ => last.checked_sub((difference >> 1) + 1),
        };
        let (c, actor) = (reader.varint_u32()?, reader.varint_u32()?);
        let ts = t.and_then(|t| Hlc::new(t, c).ok()).filter(|_| crate::packed::index(actor) < names);
        let ts = ts.ok_or_else(|| reader.fault(CodecFault::Integer))?;
        let (hash, flags) = (OpHash::from_bytes(reader.array()?), reader.byte()?);
        let copies = if flags & WITH_COPIES > 0 {
            CopyDigest::from_bytes(reader.array()?)
        } else {
            CopyDigest::default()
        };
        Ok(Self { t: ts.t(), c: ts.c(), actor, hash, reason: flags & !WITH_COPIES, copies })
    }
}

/// An operation that was refused just now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRefused<'a> {
    pub(crate) ts: Hlc,
    pub(crate) actor: &'a str,
    pub(crate) hash: OpHash,
    pub(crate) reason: u8,
    pub(crate) copies: CopyDigest,
}

impl NewRefused<'_> {
    /// Returns the bytes that it takes at most.
    pub(crate) const fn bytes(&self) -> usize {
        MAX_ENTRY_BYTES + NAME_BYTES + self.actor.len()
    }
}

/// An operation of this replica that the peer refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusedByPeer {
    pub(crate) hash: OpHash,
    pub(crate) reason: u8,
    /// The digest over this side's other copies then.
    pub(crate) alternates: CopyDigest,
}

/// Refused operations with the names of their actors, in memory for one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefusedOps {
    names: Vec<Arc<str>>,
    ops: Vec<RefusedOp>,
}

impl RefusedOps {
    pub(crate) const fn new() -> Self {
        Self { names: Vec::new(), ops: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ops.len()
    }

    pub(crate) fn get(&self, position: usize) -> Option<&RefusedOp> {
        self.ops.get(position)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &RefusedOp> {
        self.ops.iter()
    }

    pub(crate) fn actor(&self, op: &RefusedOp) -> &str {
        self.names.get(crate::packed::index(op.actor)).map_or("", |name| name)
    }

    /// Compares by the total order.
    fn compare(&self, a: &RefusedOp, b: &RefusedOp) -> Ordering {
        let actors = || utf16_cmp(self.actor(a), self.actor(b));
        (a.t, a.c).cmp(&(b.t, b.c)).then_with(actors).then_with(|| a.hash.cmp(&b.hash))
    }
}

/// Refused operations in the order in which they came, in few bytes: each name once, and the times as differences.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefusedList {
    names: Vec<Arc<str>>,
    positions: BTreeMap<Arc<str>, u32>,
    name_bytes: usize,
    entries: Vec<u8>,
    len: usize,
    /// The time of the last one.
    last: u64,
}

impl RefusedList {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the names of the actors, each once.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Returns the entries in bytes.
    pub(crate) fn entries(&self) -> &[u8] {
        &self.entries
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = RefusedOp> + '_ {
        let (mut reader, mut last) = (ByteReader::new(&self.entries), 0);
        std::iter::from_fn(move || {
            let op = RefusedOp::read(&mut reader, last, self.names.len()).ok()?;
            last = op.t;
            Some(op)
        })
    }

    pub(crate) fn actor(&self, op: &RefusedOp) -> &str {
        self.names.get(crate::packed::index(op.actor)).map_or("", |name| name)
    }

    /// Returns those from this position on that `keep` returns true for, in the total order, each by its last entry.
    pub(crate) fn sorted(&self, from: usize, keep: impl Fn(&RefusedOp) -> bool) -> RefusedOps {
        let mut ops: Vec<RefusedOp> = self.iter().skip(from).filter(keep).collect();
        let mut refused = RefusedOps { names: self.names.clone(), ops: Vec::new() };
        // The order of entries of one operation stays, so the last one comes first.
        ops.reverse();
        ops.sort_by(|a, b| refused.compare(a, b));
        ops.dedup_by_key(|op| op.hash);
        refused.ops = ops;
        refused
    }

    /// Returns the bytes that it takes.
    const fn bytes(&self) -> usize {
        self.entries.len() + self.name_bytes
    }

    fn add(&mut self, refused: NewRefused<'_>) {
        let NewRefused { ts, actor, hash, reason, copies } = refused;
        let position = self.positions.get(actor).copied().unwrap_or_else(|| {
            let (name, position): (Arc<str>, _) = (actor.into(), self.names.len());
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            self.names.push(Arc::clone(&name));
            self.positions.insert(name, position);
            self.name_bytes += NAME_BYTES + actor.len();
            position
        });
        if self.entries.capacity() - self.entries.len() < MAX_ENTRY_BYTES {
            // Not twice as much as it takes.
            self.entries.reserve_exact(STEP_BYTES);
        }
        let op = RefusedOp { t: ts.t(), c: ts.c(), actor: position, hash, reason, copies };
        op.write(self.last, &mut self.entries);
        (self.last, self.len) = (ts.t(), self.len + 1);
    }

    /// Forgets these operations, all but the last entry of each other one, and the names that are of none.
    fn compact(&mut self, forgotten: &BTreeSet<OpHash>) {
        let mut last: BTreeMap<OpHash, usize> = BTreeMap::new();
        self.iter().enumerate().for_each(|(at, op)| _ = last.insert(op.hash, at));
        if last.len() == self.len && !last.keys().any(|hash| forgotten.contains(hash)) {
            return;
        }
        let mut kept = Self::default();
        for (at, op) in self.iter().enumerate() {
            if last.get(&op.hash) == Some(&at) && !forgotten.contains(&op.hash) {
                let RefusedOp { hash, reason, copies, .. } = op;
                kept.add(NewRefused { ts: op.ts(), actor: self.actor(&op), hash, reason, copies });
            }
        }
        *self = kept;
    }
}

/// The end of a session.
#[derive(Default)]
pub(crate) struct SessionEnd {
    /// Its name; `None` if it refused operations for which there was no room.
    pub(crate) session: Option<[u8; 16]>,
    /// Operations that are no longer refused.
    pub(crate) forgotten: BTreeSet<OpHash>,
    /// The bound at which it ended because it had refused too many.
    pub(crate) reached: Option<Box<[u8]>>,
}

/// The operations that a replica and a peer have refused from each other.
#[derive(Default)]
pub(crate) struct Refused {
    /// The admission tags of both when they refused it.
    pub(crate) tag: [u8; 8],
    pub(crate) peer_tag: [u8; 8],
    pub(crate) ops: RefusedList,
    /// The number of those of them that were refused before the last session with this name ended.
    pub(crate) settled: usize,
    pub(crate) last_session: Option<[u8; 16]>,
    /// The place in the total order at which the last session ended because it had refused too many: a bound in bytes.
    pub(crate) reached: Option<Box<[u8]>>,
    pub(crate) by_peer: Vec<RefusedByPeer>,
}

impl Refused {
    /// Returns the bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let reached = self.reached.as_ref().map_or(0, |reached| reached.len());
        self.ops.bytes() + self.by_peer.len() * size_of::<RefusedByPeer>() + reached
    }

    /// Returns the operations, each by its last entry.
    pub(crate) fn latest(&self) -> impl Iterator<Item = RefusedOp> + '_ {
        // Those before have one entry each.
        let new = self.ops.iter().enumerate().skip(self.settled);
        let last: BTreeMap<OpHash, usize> = new.map(|(at, op)| (op.hash, at)).collect();
        let all = self.ops.iter().enumerate();
        all.filter(move |(at, op)| last.get(&op.hash).is_none_or(|last| last == at)).map(|(_, op)| op)
    }

    /// Forgets the operations if the replica's admission tag is another.
    fn set_tag(&mut self, tag: [u8; 8]) {
        if self.tag != tag {
            let by_peer = std::mem::take(&mut self.by_peer);
            *self = Self { tag, peer_tag: self.peer_tag, by_peer, ..Self::default() };
        }
    }

    /// Adds an operation that was refused under this admission tag, and forgets those that were refused under another.
    /// Returns the bytes that it takes.
    pub(crate) fn add(&mut self, tag: [u8; 8], refused: NewRefused<'_>) -> usize {
        self.set_tag(tag);
        let before = self.ops.bytes();
        self.ops.add(refused);
        self.ops.bytes() - before
    }

    /// Adds an operation that the peer refused under this admission tag, and forgets those of another.
    pub(crate) fn add_by_peer(&mut self, tag: [u8; 8], refused: RefusedByPeer) {
        if self.peer_tag != tag {
            self.peer_tag = tag;
            self.by_peer.clear();
        }
        if self.by_peer.len() == self.by_peer.capacity() {
            self.by_peer.reserve_exact(STEP_BYTES / size_of::<RefusedByPeer>());
        }
        self.by_peer.push(refused);
    }

    /// Notes the end of a session under this admission tag, and forgets operations.
    pub(crate) fn settle(&mut self, tag: [u8; 8], end: SessionEnd) {
        let SessionEnd { session, forgotten, reached } = end;
        if self.reached != reached {
            self.set_tag(tag);
            self.reached = reached;
        }
        if self.settled < self.ops.len() || !forgotten.is_empty() {
            // The last entry of an operation has the digest over the copies that were refused last.
            self.ops.compact(&forgotten);
        }
        let mut seen = BTreeSet::new();
        self.by_peer.reverse();
        self.by_peer.retain(|refused| seen.insert(refused.hash));
        self.by_peer.reverse();
        self.settled = self.ops.len();
        self.last_session = session;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(number: u32, actor: &str) -> NewRefused<'_> {
        // Times that go up and down.
        let t = 1_700_000_000_000 + u64::from(number) * 7919 % 1000;
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_le_bytes());
        let copies = CopyDigest::from_bytes([u8::from(number.is_multiple_of(2)); 16]);
        NewRefused {
            ts: Hlc::new(t, number % 3).unwrap(),
            actor,
            hash: OpHash::from_bytes(hash),
            reason: 2,
            copies,
        }
    }

    #[test]
    fn operations_are_read_as_they_were_added_and_take_few_bytes() {
        let mut list = Refused::default();
        let names = ["alice", "bob", "carol"];
        let name = |number: u32| names[usize::try_from(number).unwrap() % 3];
        let mut counted = 0;
        for number in 0..1000 {
            counted += list.add([1; 8], refused(number, name(number)));
        }
        assert_eq!(list.bytes(), counted);
        for (number, op) in (0..).zip(list.ops.iter()) {
            let NewRefused { ts, actor, hash, reason, copies } = refused(number, name(number));
            assert_eq!((op.ts(), list.ops.actor(&op)), (ts, actor));
            assert_eq!((op.hash, op.reason, op.copies), (hash, reason, copies));
        }
        assert_eq!(list.ops.names().len(), 3);
        // 70,000 with copies in doubt fit into 4 MiB.
        assert!(counted < 1000 * 48, "{counted}");
        let sorted = list.ops.sorted(10, |op| op.ts().c() == 1);
        assert_eq!(sorted.len(), 330);
        assert!(sorted.iter().is_sorted_by(|a, b| sorted.compare(a, b).is_lt()));
    }

    /// Each name is kept once, and those of no operation are forgotten.
    #[test]
    fn long_names_are_kept_once_and_not_longer_than_needed() {
        let mut list = Refused::default();
        let names: Vec<String> = (0..100).map(|number| format!("{number:0>1000}")).collect();
        for number in 0..5000 {
            list.add([1; 8], refused(number, &names[usize::try_from(number).unwrap() % 100]));
        }
        assert!(list.bytes() < 100 * 1100 + 5000 * 60, "{}", list.bytes());
        let forgotten =
            (0..5000).filter(|number| number % 100 > 0).map(|number| refused(number, "").hash).collect();
        list.settle([1; 8], SessionEnd { forgotten, ..SessionEnd::default() });
        assert_eq!((list.ops.len(), list.ops.names().len(), list.settled), (50, 1, 50));
        assert!(list.bytes() < 1100 + 50 * 60, "{}", list.bytes());
    }

    #[test]
    fn the_last_entry_of_an_operation_counts() {
        let mut list = Refused::default();
        let first = refused(1, "alice");
        let copies = CopyDigest::from_bytes([9; 16]);
        list.add([1; 8], first);
        list.add([1; 8], NewRefused { copies, ..first });
        let copies_of = |op: &RefusedOp| op.copies;
        assert_eq!(list.ops.sorted(0, |_| true).iter().map(copies_of).collect::<Vec<_>>(), [copies]);
        assert_eq!(list.latest().map(|op| op.copies).collect::<Vec<_>>(), [copies]);
        list.settle([1; 8], SessionEnd::default());
        assert_eq!(list.ops.iter().map(|op| op.copies).collect::<Vec<_>>(), [copies]);
    }
}
