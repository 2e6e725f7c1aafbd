//! What the log has at hand of every operation: enough to find, order and merge it.

use std::cmp::Ordering;

use super::authors::{AuthorId, Authors};
use super::order::{Neighbours, Order, Place};
use super::stamps::{Stamps, prefix};
use super::subjects::{RegisterId, Subjects};
use crate::codec::OpHash;
use crate::guard::PermittedOp;
use crate::hlc::Hlc;
use crate::op::{Kind, OpSeq};
use crate::packed::{Narrow, Numbers, Paged};
use crate::threads::Threads;
use crate::value::utf16_cmp;

/// Operations that are put in at once: what is read of them stays near.
const AT_ONCE: usize = 64;
/// Operations that are worth a second thread: with 1,000 it costs more than it saves, with 4,000 less (measured).
const WORTH: usize = 2048;

/// The operations of a log, by number of arrival: a column for each thing that is known of them.
pub(crate) struct Index {
    hashes: Paged<OpHash, OpSeq>,
    stamps: Stamps,
    authors: Narrow<OpSeq, AuthorId>,
    registers: Paged<RegisterId, OpSeq>,
    /// Numbers by hash. The hashes are SHA-256 already; nothing ever walks the table.
    by_hash: Numbers<OpSeq>,
    order: Order,
    pub(crate) authors_of: Authors,
    pub(crate) subjects: Subjects,
}

/// What came of putting an operation into the index.
pub(crate) struct Inserted {
    pub(crate) seq: OpSeq,
    /// Another operation of the same actor with the same timestamp.
    pub(crate) equivocates_with: Option<OpSeq>,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            hashes: Paged::new(),
            stamps: Stamps::new(),
            authors: Narrow::new(),
            registers: Paged::new(),
            by_hash: Numbers::new(),
            order: Order::new(),
            authors_of: Authors::new(),
            subjects: Subjects::new(),
        }
    }

    /// How many operations there are.
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
        self.by_hash.find(hash.front(), |seq| self.hashes.get(seq) == hash)
    }

    pub(crate) fn hash(&self, seq: OpSeq) -> &OpHash {
        self.hashes.get(seq)
    }

    pub(crate) fn ts(&self, seq: OpSeq) -> Hlc {
        self.stamps.ts(seq)
    }

    pub(crate) fn author(&self, seq: OpSeq) -> AuthorId {
        self.authors.get(seq)
    }

    pub(crate) fn register(&self, seq: OpSeq) -> RegisterId {
        *self.registers.get(seq)
    }

    pub(crate) fn kind(&self, seq: OpSeq) -> Kind {
        self.stamps.kind(seq)
    }

    pub(crate) fn actor(&self, seq: OpSeq) -> &str {
        self.authors_of.actor(self.author(seq))
    }

    /// Puts operations in that are not there yet, none of them twice. What they are about does not depend on where they
    /// stand, so another thread may look that up.
    pub(crate) fn insert(&mut self, ops: &[PermittedOp<'_>], threads: Threads) -> Vec<Inserted> {
        let threads = if ops.len() < WORTH { Threads::ONE } else { threads };
        let mut subjects = std::mem::replace(&mut self.subjects, Subjects::new());
        let mut inserted = Vec::with_capacity(ops.len());
        let ((), registers) = threads.both(
            || ops.chunks(AT_ONCE).for_each(|some| self.put_in_order(some, &mut inserted)),
            || {
                let mut registers = Vec::with_capacity(ops.len());
                ops.chunks(AT_ONCE).for_each(|some| registers.extend(subjects.intern(&names(some))));
                registers
            },
        );
        self.subjects = subjects;
        for register in registers {
            self.registers.push(register);
        }
        inserted
    }

    /// Numbers operations and puts them into the order; step by step for all, so that what one needs from memory
    /// does not wait for another.
    fn put_in_order(&mut self, ops: &[PermittedOp<'_>], inserted: &mut Vec<Inserted>) {
        let first = self.end();
        for permitted in ops {
            let signed = permitted.signed();
            let op = signed.op();
            self.hashes.push(permitted.hash());
            self.stamps.push(op.ts(), op.kind());
            self.authors.push(self.authors_of.intern(op.actor(), signed.kid()));
        }
        let hashes = &self.hashes;
        for seq in first.until(hashes.end()) {
            let front = hashes.get(seq).front();
            self.by_hash.push(seq, front, |seq| hashes.get(seq).front());
        }
        let place = |seq| Place { prefix: self.stamps.prefix(seq), seq };
        let places: Vec<Place> = first.until(self.end()).map(place).collect();
        let mut order = std::mem::replace(&mut self.order, Order::new());
        let neighbours = order.insert(&places, |seq| self.author(seq), |a, b| self.compare_tied(a, b));
        self.order = order;
        inserted
            .extend(places.into_iter().zip(neighbours).map(|(place, found)| self.inserted(place, &found)));
    }

    /// What came of an operation that has these neighbours in the order.
    fn inserted(&self, place: Place, neighbours: &Neighbours) -> Inserted {
        let mut others = [neighbours.before, neighbours.after].into_iter().flatten();
        let other = others.find(|other| {
            other.prefix == place.prefix
                && self.same_actor(other.seq, place.seq)
                && self.ts(other.seq) == self.ts(place.seq)
        });
        Inserted { seq: place.seq, equivocates_with: other.map(|other| other.seq) }
    }

    /// The total order: time, counter, actor by UTF-16 code units, hash.
    pub(crate) fn compare(&self, a: OpSeq, b: OpSeq) -> Ordering {
        self.ts(a).cmp(&self.ts(b)).then_with(|| self.compare_simultaneous(a, b))
    }

    /// The same for places with equal prefixes.
    fn compare_tied(&self, a: Place, b: Place) -> Ordering {
        let (prefix, a, b) = (a.prefix, a.seq, b.seq);
        if prefix.is_whole() { self.compare_simultaneous(a, b) } else { self.compare(a, b) }
    }

    /// The same for operations with equal timestamps.
    fn compare_simultaneous(&self, a: OpSeq, b: OpSeq) -> Ordering {
        let actors = match self.author(a) == self.author(b) {
            true => Ordering::Equal,
            false => utf16_cmp(self.actor(a), self.actor(b)),
        };
        actors.then_with(|| self.hash(a).cmp(self.hash(b)))
    }

    /// All operations in order.
    pub(crate) fn in_order(&self) -> impl DoubleEndedIterator<Item = OpSeq> + '_ {
        self.order.iter()
    }

    /// The operations with a timestamp of at least this, in order.
    pub(crate) fn since_ts(&self, ts: Hlc) -> impl Iterator<Item = OpSeq> + '_ {
        self.order.starting_at(prefix(ts)).skip_while(move |seq| self.ts(*seq) < ts)
    }

    /// Whether two operations are of one actor and carry one timestamp.
    pub(crate) fn same_actor_and_time(&self, a: OpSeq, b: OpSeq) -> bool {
        self.ts(a) == self.ts(b) && self.same_actor(a, b)
    }

    fn same_actor(&self, a: OpSeq, b: OpSeq) -> bool {
        self.authors_of.actor_of(self.author(a)) == self.authors_of.actor_of(self.author(b))
    }
}

/// What operations are about: entity, entity id, path.
fn names<'a>(ops: &'a [PermittedOp<'_>]) -> Vec<(&'a str, &'a str, &'a str)> {
    ops.iter().map(PermittedOp::op).map(|op| (op.entity(), op.entity_id(), op.path())).collect()
}
