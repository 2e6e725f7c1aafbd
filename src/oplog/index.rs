//! The in-memory index of a log: the parts of each operation needed to find, order and merge it.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use super::authors::{ActorId, AuthorId, Authors};
use super::order::{Neighbours, Order, OrderEntry};
use super::registers::{RegisterId, Registers};
use super::stamps::{Stamps, prefix};
use crate::codec::OpHash;
use crate::guard::PermittedOp;
use crate::hlc::Hlc;
use crate::op::{Field, Kind, OpSeq};
use crate::packed::{ChunkedVec, CompactVec, HashIndex, Key};
use crate::threads::Threads;
use crate::value::utf16_cmp;

/// The number of operations that are inserted together, so that their memory stays in the cache.
const GROUP: usize = 64;
/// The least number of operations for which a second thread saves time (measured: 1,000 do not, 4,000 do).
const WORTH: usize = 2048;

/// The operations of a log, one column for each property.
#[derive(Default)]
pub(crate) struct Index {
    hashes: ChunkedVec<OpHash, OpSeq>,
    stamps: Stamps,
    author_ids: CompactVec<OpSeq, AuthorId>,
    register_ids: ChunkedVec<RegisterId, OpSeq>,
    /// The table is never iterated.
    by_hash: HashIndex<OpSeq>,
    /// The hasher of the table. It has a random key, because actors choose operations and so, with work, their hashes.
    hasher: RandomState,
    order: Order,
    authors: Authors,
    registers: Registers,
}

/// The result of inserting an operation.
pub(crate) struct Inserted {
    pub(crate) seq: OpSeq,
    /// Another operation of the same actor with the same timestamp.
    pub(crate) equivocates_with: Option<OpSeq>,
}

impl Index {
    /// Returns the number of operations.
    pub(crate) fn len(&self) -> u32 {
        self.hashes.len()
    }

    /// Returns the number that the next operation gets.
    pub(crate) fn end(&self) -> OpSeq {
        self.hashes.end()
    }

    /// Returns the numbers of all operations.
    pub(crate) fn seqs(&self) -> impl DoubleEndedIterator<Item = OpSeq> + Clone + use<> {
        OpSeq::FIRST.until(self.end())
    }

    pub(crate) fn find(&self, hash: &OpHash) -> Option<OpSeq> {
        self.by_hash.find(self.hasher.hash_one(hash), |seq| self.hashes.get(seq) == hash)
    }

    pub(crate) fn hash(&self, seq: OpSeq) -> &OpHash {
        self.hashes.get(seq)
    }

    pub(crate) fn ts(&self, seq: OpSeq) -> Hlc {
        self.stamps.ts(seq)
    }

    pub(crate) fn register(&self, seq: OpSeq) -> RegisterId {
        *self.register_ids.get(seq)
    }

    pub(crate) fn kind(&self, seq: OpSeq) -> Kind {
        self.stamps.kind(seq)
    }

    pub(crate) fn actor(&self, seq: OpSeq) -> &str {
        self.authors.actor(self.author(seq))
    }

    pub(crate) fn kid(&self, seq: OpSeq) -> &str {
        self.authors.kid(self.author(seq))
    }

    /// Returns the actor and the kid of each author.
    pub(crate) fn authors(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> + ExactSizeIterator {
        self.authors.iter()
    }

    /// Returns the position among the authors of the one who signed this operation.
    pub(crate) fn author_position(&self, seq: OpSeq) -> usize {
        crate::packed::index(self.author(seq).position())
    }

    pub(crate) fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Exchanges the registers, so that a copy of an index gives them the same ids.
    pub(crate) fn swap_registers(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.registers, &mut other.registers);
    }

    /// Returns true if an operation in the index names this actor and this key.
    pub(crate) fn has_author(&self, actor: &str, kid: &str) -> bool {
        self.authors.contains(actor, kid)
    }

    /// Returns true if an operation in the index names this actor.
    pub(crate) fn has_actor(&self, actor: &str) -> bool {
        self.authors.contains_actor(actor)
    }

    fn author(&self, seq: OpSeq) -> AuthorId {
        self.author_ids.get(seq)
    }

    fn actor_id(&self, seq: OpSeq) -> ActorId {
        self.authors.actor_of(self.author(seq))
    }

    /// Inserts operations that are not in the index, each once. Their registers do not depend on their place in the
    /// order, so another thread may look them up. A panic leaves the index without some of them, or empty.
    pub(crate) fn insert(&mut self, ops: &[PermittedOp<'_>], threads: Threads) -> Vec<Inserted> {
        let threads = if ops.len() < WORTH { Threads::ONE } else { threads };
        let mut known = std::mem::take(&mut self.registers);
        let mut inserted = Vec::with_capacity(ops.len());
        let ((), registers) = threads.both(
            || ops.chunks(GROUP).for_each(|group| self.insert_into_order(group, &mut inserted)),
            || {
                let mut registers = Vec::with_capacity(ops.len());
                for group in ops.chunks(GROUP) {
                    let fields: Vec<Field<'_>> = group.iter().map(|op| op.op().field()).collect();
                    registers.extend(known.intern(&fields));
                }
                registers
            },
        );
        self.registers = known;
        for register in registers {
            self.register_ids.push(register);
        }
        inserted
    }

    /// Numbers operations and inserts them into the order. Each step runs for all of them, so that their cache misses
    /// overlap.
    fn insert_into_order(&mut self, ops: &[PermittedOp<'_>], inserted: &mut Vec<Inserted>) {
        let first = self.end();
        #[cfg(test)]
        assert!(!tests::PANICS.get(), "a test asked for a panic");
        for permitted in ops {
            let signed = permitted.signed();
            let op = signed.op();
            self.hashes.push(permitted.hash());
            self.stamps.push(op.ts(), op.kind());
            self.author_ids.push(self.authors.intern(op.actor(), signed.kid()));
        }
        let (hashes, hasher) = (&self.hashes, &self.hasher);
        let hash_of = |seq| hasher.hash_one(hashes.get(seq));
        for seq in first.until(hashes.end()) {
            self.by_hash.push(seq, hash_of(seq), hash_of);
        }
        let entry = |seq| OrderEntry { prefix: self.stamps.prefix(seq), seq };
        let entries: Vec<OrderEntry> = first.until(self.end()).map(entry).collect();
        let mut order = std::mem::take(&mut self.order);
        let neighbours = order.insert(&entries, |seq| self.author(seq), |a, b| self.compare_tied(a, b));
        self.order = order;
        inserted
            .extend(entries.into_iter().zip(neighbours).map(|(entry, found)| self.inserted(entry, &found)));
    }

    /// Returns the result for an operation with these neighbours in the order.
    fn inserted(&self, entry: OrderEntry, neighbours: &Neighbours) -> Inserted {
        let mut others = [neighbours.before, neighbours.after].into_iter().flatten();
        let other = others
            .find(|other| other.prefix == entry.prefix && self.same_actor_and_time(other.seq, entry.seq));
        Inserted { seq: entry.seq, equivocates_with: other.map(|other| other.seq) }
    }

    /// Compares by the total order: time, counter, actor by UTF-16 code units, hash.
    pub(crate) fn compare(&self, a: OpSeq, b: OpSeq) -> Ordering {
        self.ts(a).cmp(&self.ts(b)).then_with(|| self.compare_simultaneous(a, b))
    }

    /// Compares two entries with equal prefixes by the total order.
    fn compare_tied(&self, a: OrderEntry, b: OrderEntry) -> Ordering {
        let (prefix, a, b) = (a.prefix, a.seq, b.seq);
        if prefix.is_whole() { self.compare_simultaneous(a, b) } else { self.compare(a, b) }
    }

    /// Compares two operations with equal timestamps by the total order.
    fn compare_simultaneous(&self, a: OpSeq, b: OpSeq) -> Ordering {
        let actors = match self.author(a) == self.author(b) {
            true => Ordering::Equal,
            false => utf16_cmp(self.actor(a), self.actor(b)),
        };
        actors.then_with(|| self.hash(a).cmp(self.hash(b)))
    }

    /// Returns all operations in the total order.
    pub(crate) fn in_order(&self) -> impl DoubleEndedIterator<Item = OpSeq> + '_ {
        self.order.iter()
    }

    /// Returns the operations with a timestamp of at least `ts`, in the total order.
    pub(crate) fn since_ts(&self, ts: Hlc) -> impl Iterator<Item = OpSeq> + '_ {
        self.order.starting_at(prefix(ts)).skip_while(move |seq| self.ts(*seq) < ts)
    }

    /// Returns true if two operations have the same actor and the same timestamp.
    pub(crate) fn same_actor_and_time(&self, a: OpSeq, b: OpSeq) -> bool {
        self.actor_id(a) == self.actor_id(b) && self.ts(a) == self.ts(b)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// Set to let this thread panic while it inserts operations.
        pub(crate) static PANICS: Cell<bool> = const { Cell::new(false) };
    }
}
