//! Operations on their way out.

use std::collections::{BTreeSet, VecDeque};

use super::bits::Bits;
use super::limits::MAX_REPEATS;
use super::message::room_for_ops;
use super::ops::OpWriter;
use super::prf::{Prf, Tally};
use super::wire::wide;
use crate::codec::OpHash;
use crate::op::{OpSeq, SignedOpRef};
use crate::replica::Replica;
use crate::store::StoreError;

/// What an initiator sends: each operation once in a session.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) waiting: VecDeque<OpSeq>,
    /// Numbers that were ever waiting.
    queued: Bits,
    /// Operations of which the peer asked for our copy.
    repeats: VecDeque<OpSeq>,
    /// Numbers that were ever among these, and how many those are.
    repeated: Bits,
    repeated_count: usize,
    /// How many operations the last request held, copies too.
    pub(super) in_flight: u64,
    /// The sum over them, each once.
    pub(super) in_flight_sum: u128,
    /// Whether the peer took other operations than were sent: somebody changes them on the way.
    pub(super) altered: bool,
    /// What was sent that the peer did not have.
    pub(super) sent: Tally,
    pub(super) gone: Vec<OpSeq>,
}

impl Outbox {
    /// Sends these operations, each once in a session.
    pub(super) fn queue(&mut self, numbers: &[OpSeq]) {
        for number in numbers {
            if self.queued.insert(*number) {
                self.waiting.push_back(*number);
            }
        }
    }

    /// Sends our copies of operations whose copies at the peer are in doubt; or takes note, where we cannot judge our
    /// own.
    pub(super) fn repeat(&mut self, replica: &mut Replica, doubts: &[OpHash]) {
        if replica.accepts_unverified() {
            return doubts.iter().for_each(|hash| replica.collect_alternates(hash));
        }
        for number in doubts.iter().filter_map(|hash| replica.log().index().find(hash)) {
            if self.repeated_count < MAX_REPEATS && self.repeated.insert(number) {
                self.repeats.push_back(number);
                self.repeated_count += 1;
            }
        }
    }

    /// Packs operations, as far as a message takes them that may have so many bytes.
    pub(super) fn pack(
        &mut self,
        replica: &Replica,
        prf: &Prf,
        limit: usize,
    ) -> Result<OpWriter, StoreError> {
        let index = replica.log().index();
        let mut writer = OpWriter::new(room_for_ops(limit));
        let mut packed = BTreeSet::new();
        while let Some(number) = self.waiting.front() {
            if !pack(replica, *number, &mut writer)? {
                break;
            }
            packed.insert(*number);
            self.gone.push(*number);
            self.sent.add(prf.of(index.hash(*number)));
            self.waiting.pop_front();
        }
        while let Some(number) = self.repeats.front() {
            if !pack(replica, *number, &mut writer)? {
                break;
            }
            packed.insert(*number);
            self.repeats.pop_front();
        }
        self.in_flight = wide(writer.count());
        self.in_flight_sum = prf.sum(index, &packed);
        Ok(writer)
    }
}

/// Room that a further copy of an operation takes beside its value, at most: a signature, and names of its own.
const COPY_BYTES: usize = 2048;

/// Packs an operation, with other copies of it where there are any; `false` where there is no more room.
pub(super) fn pack(replica: &Replica, number: OpSeq, writer: &mut OpWriter) -> Result<bool, StoreError> {
    let copies = replica.alternates(number);
    replica.log().with_op(number, |signed| {
        let needed = copies.len().saturating_mul(signed.op().value().len().saturating_add(COPY_BYTES));
        if !copies.is_empty() && writer.count() > 0 && needed > writer.room() {
            return false;
        }
        if !writer.push(signed) {
            return false;
        }
        // Where the first of a message has too many copies for it, the last ones wait until others are gone.
        for (kid, signature) in copies {
            writer.push(SignedOpRef::from_log(signed.op(), kid, *signature));
        }
        true
    })
}
