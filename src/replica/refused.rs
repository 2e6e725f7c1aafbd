//! The operations that a replica and one of its peers have refused from each other, so that they are not transferred
//! again while nothing has changed.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codec::OpHash;
use crate::hlc::Hlc;
use crate::value::utf16_cmp;

/// Bytes of a refused operation and of one that the peer refused, for the bound of all that is remembered.
const REFUSED_BYTES: usize = size_of::<RefusedOp>();
const REFUSED_BY_PEER_BYTES: usize = size_of::<RefusedByPeer>();
/// Bytes of a name besides its text.
const NAME_BYTES: usize = 32;
/// Names among which an actor is looked for.
const RECENT_NAMES: usize = 32;

/// A digest over copies of one operation, which differ in their signatures: 52 bits of the sum of a hash of each, and
/// in the low four bits the number of copies. Without the number, somebody who makes copies could find several with the
/// sum of another set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CopyDigest(u64);

impl CopyDigest {
    const MASK: u64 = (1 << 56) - 1;
    const COUNT: u64 = 15;

    /// Returns the digest over one copy, of a hash of it.
    pub(crate) const fn of_copy(hash: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(hash) & Self::MASK & !Self::COUNT | 1)
    }

    pub(crate) const fn of_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes) & Self::MASK)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// Returns the digest over the copies of both.
    pub(crate) const fn and(self, other: Self) -> Self {
        let sum = (self.0 & !Self::COUNT).wrapping_add(other.0 & !Self::COUNT) & Self::MASK;
        let count = (self.0 & Self::COUNT).wrapping_add(other.0 & Self::COUNT) & Self::COUNT;
        Self(sum | count)
    }
}

/// A refused operation: its place in the total order, and the reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusedOp {
    t: u64,
    c: u32,
    /// The position of the actor among the names.
    actor: u32,
    pub(crate) hash: OpHash,
    /// The reason in the highest byte, below it the digest over the refused copies of a bad signature.
    mark: u64,
}

impl RefusedOp {
    pub(crate) const fn reason(&self) -> u8 {
        let [.., reason] = self.mark.to_le_bytes();
        reason
    }

    pub(crate) const fn copies(&self) -> CopyDigest {
        CopyDigest(self.mark & CopyDigest::MASK)
    }

    pub(crate) fn ts(&self) -> Hlc {
        // It was the timestamp of an operation.
        Hlc::new(self.t, self.c).unwrap_or(Hlc::MAX)
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
        REFUSED_BYTES + NAME_BYTES + self.actor.len()
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

/// Refused operations with the names of their actors.
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

    /// Returns those from this position on that `keep` returns true for, in the total order.
    pub(crate) fn sorted(&self, from: usize, keep: impl Fn(&RefusedOp) -> bool) -> Self {
        let mut ops: Vec<RefusedOp> = self.ops.iter().skip(from).filter(|op| keep(op)).copied().collect();
        ops.sort_unstable_by(|a, b| self.compare(a, b));
        ops.dedup_by_key(|op| op.hash);
        Self { names: self.names.clone(), ops }
    }

    /// Adds an operation. Returns the bytes that it takes, those of a new name among them.
    fn add(&mut self, refused: NewRefused<'_>) -> usize {
        let NewRefused { ts, actor, hash, reason, copies } = refused;
        // Operations that come together are mostly of few actors. Looking for a name among all would be quadratic.
        let recent = self.names.len().saturating_sub(RECENT_NAMES);
        let known = self.names.iter().skip(recent).position(|name| **name == *actor);
        let position = known.map(|position| recent + position).unwrap_or_else(|| {
            self.names.push(actor.into());
            self.names.len() - 1
        });
        let name_bytes = if known.is_some() { 0 } else { NAME_BYTES.saturating_add(actor.len()) };
        let [a, b, c, d, e, f, g, _] = copies.to_bytes();
        self.ops.push(RefusedOp {
            t: ts.t(),
            c: ts.c(),
            actor: u32::try_from(position).unwrap_or(u32::MAX),
            hash,
            mark: u64::from_le_bytes([a, b, c, d, e, f, g, reason]),
        });
        REFUSED_BYTES.saturating_add(name_bytes)
    }
}

/// The operations that a replica and a peer have refused from each other.
#[derive(Default)]
pub(crate) struct Refused {
    /// The admission tags of both when they refused it.
    pub(crate) tag: [u8; 8],
    pub(crate) peer_tag: [u8; 8],
    pub(crate) ops: RefusedOps,
    /// The number of those of them that were refused before the last session with this name ended.
    pub(crate) settled: usize,
    pub(crate) last_session: Option<[u8; 16]>,
    pub(crate) by_peer: Vec<RefusedByPeer>,
}

impl Refused {
    /// Returns the bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let names: usize = self.ops.names.iter().map(|name| name.len() + NAME_BYTES).sum();
        names + self.ops.len() * REFUSED_BYTES + self.by_peer.len() * REFUSED_BY_PEER_BYTES
    }

    /// Adds an operation that was refused under this admission tag, and forgets those that were refused under another.
    /// Returns the bytes that it takes.
    pub(crate) fn add(&mut self, tag: [u8; 8], refused: NewRefused<'_>) -> usize {
        if self.tag != tag {
            let by_peer = std::mem::take(&mut self.by_peer);
            *self = Self { tag, peer_tag: self.peer_tag, by_peer, ..Self::default() };
        }
        self.ops.add(refused)
    }

    /// Adds an operation that the peer refused under this admission tag, and forgets those of another.
    pub(crate) fn add_by_peer(&mut self, tag: [u8; 8], refused: RefusedByPeer) {
        if self.peer_tag != tag {
            self.peer_tag = tag;
            self.by_peer.clear();
        }
        self.by_peer.push(refused);
    }

    /// Notes that a session has ended, and forgets these operations. `None` for a session that refused operations for
    /// which there was no room.
    pub(crate) fn settle(&mut self, session: Option<[u8; 16]>, forgotten: &BTreeSet<OpHash>) {
        let mut seen = BTreeSet::new();
        // The last entry of an operation has the digest over the copies that were refused last.
        self.ops.ops.reverse();
        self.ops.ops.retain(|op| !forgotten.contains(&op.hash) && seen.insert(op.hash));
        self.ops.ops.reverse();
        seen.clear();
        self.by_peer.reverse();
        self.by_peer.retain(|refused| seen.insert(refused.hash));
        self.by_peer.reverse();
        if self.ops.ops.is_empty() {
            self.ops.names.clear();
        }
        self.settled = self.ops.len();
        self.last_session = session;
    }
}
