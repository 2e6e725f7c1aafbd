//! The operations that an initiator exchanges with its peer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Progress;
use crate::codec::{OpHash, OpPacker, wide};
use crate::crypto::Sodium;
use crate::op::{OpSeq, SignedOpRef};
use crate::oplog::OpLog;
use crate::packed::BitSet;
use crate::replica::{CopyDigest, CopySet, Replica};
use crate::store::StoreError;
use crate::sync::proto::limits::{
    CLAIMS_PER_COPY, MAX_ALTERNATES_SENT, MAX_ALTERNATES_WANTED, MAX_BAD_SIGNATURES, MAX_CLAIMS,
    MIN_MESSAGE_BYTES, room_for_ops,
};
use crate::sync::proto::{Ack, Copies, OpCopies, ProtocolVersion, ServingOrder};
use crate::sync::rbsr::{Fingerprinter, Tally};
use crate::sync::resume::OpRuns;
use crate::sync::{HashBudget, IngestedOps, PeerMisbehaved, RefusalReason, RefusedOp, SyncError};

/// The operations that an initiator sends, each once in a session.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<OpSeq>,
    /// Operations that were ever waiting.
    queued: BitSet<OpSeq>,
    /// Operations of which the peer wants this side's copy.
    alternates: VecDeque<OpSeq>,
    /// Operations that were ever among the alternates, and their number.
    queued_alternates: BitSet<OpSeq>,
    alternates_count: usize,
    /// The operations in the last request in their order, one for each copy.
    in_flight: Vec<OpSeq>,
    /// The sum over them, each once.
    in_flight_sum: u128,
    /// Those of them that the peer lacks, and those of which it wants this side's copy.
    in_flight_waiting: Vec<OpSeq>,
    in_flight_alternates: Vec<OpSeq>,
    /// The identity of the first of them.
    in_flight_first: Option<OpHash>,
    /// The bytes that they fill.
    in_flight_bytes: usize,
    /// The bytes that operations may fill, after a message was too long for somebody on the way.
    room: Option<usize>,
    /// Operations that are too long for somebody on the way.
    pub(crate) too_large: Vec<OpHash>,
    /// True if the peer took other operations than were sent: somebody alters them on the way.
    pub(crate) altered: bool,
    /// Operations sent that the peer lacked.
    pub(crate) sent: Tally,
    /// Their numbers.
    pub(crate) sent_numbers: Vec<OpSeq>,
    /// Those that the peer refused, as far as it named them.
    pub(crate) refused: BTreeMap<OpSeq, RefusalReason>,
    /// True if the peer refused operations that it did not name.
    pub(crate) unnamed: bool,
}

impl Outbox {
    /// Returns the number of operations that wait to be sent.
    pub(crate) fn waiting(&self) -> u64 {
        wide(self.waiting.len())
    }

    /// Adds operations, given from the oldest to the newest, unless they were added before.
    pub(crate) fn queue(&mut self, order: ServingOrder, mut numbers: Vec<OpSeq>) {
        if order == ServingOrder::NewestFirst {
            numbers.reverse();
        }
        self.waiting.extend(numbers.into_iter().filter(|number| self.queued.insert(*number)));
    }

    /// Adds this side's copies of operations whose signatures the peer doubts. A replica that does not verify doubts
    /// its own copies instead.
    pub(crate) fn queue_alternates(&mut self, replica: &mut Replica, wanted: &[OpHash]) {
        if replica.accepts_unverified() {
            return wanted.iter().for_each(|hash| replica.collect_alternates(hash));
        }
        for number in wanted.iter().filter_map(|hash| replica.log().find_confirmed(hash)) {
            self.queue_alternate(number);
        }
    }

    /// Adds this side's copies of an operation whose signature the peer doubts.
    pub(crate) fn queue_alternate(&mut self, number: OpSeq) {
        if self.alternates_count < MAX_ALTERNATES_SENT && self.queued_alternates.insert(number) {
            self.alternates.push_back(number);
            self.alternates_count += 1;
        }
    }

    /// Returns true if nothing waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.alternates.is_empty()
    }

    /// Checks the acknowledgement of the last request's operations. Returns their number, and those that the
    /// peer refused.
    pub(crate) fn acknowledge(
        &mut self,
        ack: &Ack,
        log: &OpLog,
        fingerprinter: &Fingerprinter,
    ) -> Result<(u64, Vec<(OpSeq, RefusalReason)>), SyncError> {
        let in_flight = std::mem::take(&mut self.in_flight);
        self.in_flight_alternates.clear();
        for number in std::mem::take(&mut self.in_flight_waiting) {
            self.sent.add(fingerprinter.of(log.index().hash(number)));
            self.sent_numbers.push(number);
        }
        let (found, expected) = (ack.total(), wide(in_flight.len()));
        if found != expected {
            return Err(PeerMisbehaved::Ack { found, expected }.into());
        }
        let named: Vec<(usize, RefusalReason)> = ack.refused_runs.positions(in_flight.len()).collect();
        if wide(named.len()) != ack.refused.total() {
            self.unnamed = true;
            return Ok((expected, Vec::new()));
        }
        let mut refused: BTreeMap<OpSeq, RefusalReason> =
            named.iter().filter_map(|(at, reason)| Some((*in_flight.get(*at)?, *reason))).collect();
        // If the peer took one of several copies, it has the operation.
        let mut named = named.iter().map(|(at, _)| *at).peekable();
        for (at, number) in in_flight.iter().enumerate() {
            if named.next_if_eq(&at).is_none() {
                refused.remove(number);
            }
        }
        let taken_sum = self.in_flight_sum.wrapping_sub(fingerprinter.sum(log.index(), refused.keys()));
        self.altered |= ack.sum != taken_sum && expected > ack.refused.total();
        // Other copies than those of this session's own operations are sent twice.
        for number in in_flight {
            self.refused.remove(&number);
        }
        let newly = refused.iter().map(|(number, reason)| (*number, *reason)).collect();
        self.refused.append(&mut refused);
        Ok((expected, newly))
    }

    /// Takes back the last request of this length, which was too long for somebody on the way: the next one has half of
    /// its operations. A single one is left out. Returns false if there is nothing to take back, or if several are no
    /// longer than a message that everybody takes.
    pub(crate) fn take_back(&mut self, length: usize) -> bool {
        self.in_flight.clear();
        let mut waiting = std::mem::take(&mut self.in_flight_waiting);
        let mut alternates = std::mem::take(&mut self.in_flight_alternates);
        self.room = Some(self.in_flight_bytes / 2);
        let count = waiting.len().saturating_add(alternates.len());
        match count {
            0 => return false,
            1 => {
                alternates.clear();
                if let Some(number) = waiting.pop() {
                    // As if the peer had refused it.
                    self.sent.add(self.in_flight_sum);
                    self.sent_numbers.push(number);
                    self.refused.insert(number, RefusalReason::Other);
                    self.too_large.extend(self.in_flight_first);
                }
            }
            _ => {}
        }
        waiting.into_iter().rev().for_each(|number| self.waiting.push_front(number));
        alternates.into_iter().rev().for_each(|number| self.alternates.push_front(number));
        count == 1 || length > MIN_MESSAGE_BYTES
    }

    /// Packs operations for a message of at most `limit` bytes, about `most` of them, and remembers them as in flight.
    pub(crate) fn pack(
        &mut self,
        replica: &Replica,
        fingerprinter: &Fingerprinter,
        limit: usize,
        most: usize,
    ) -> Result<OpPacker, StoreError> {
        let index = replica.log().index();
        let room = room_for_ops(limit);
        let mut packer = OpPacker::new(self.room.map_or(room, |smaller| smaller.min(room)));
        let mut packed = BTreeSet::new();
        while let Some(number) = self.waiting.front() {
            if packer.count() >= most || !pack_op(replica, *number, &mut packer)? {
                break;
            }
            packed.insert(*number);
            self.in_flight.resize(packer.count(), *number);
            self.in_flight_waiting.extend(self.waiting.pop_front());
        }
        while let Some(number) = self.alternates.front() {
            if packer.count() >= most || !pack_op(replica, *number, &mut packer)? {
                break;
            }
            packed.insert(*number);
            self.in_flight.resize(packer.count(), *number);
            self.in_flight_alternates.extend(self.alternates.pop_front());
        }
        self.in_flight_bytes = packer.len();
        self.in_flight_first = self.in_flight.first().map(|number| *index.hash(*number));
        self.in_flight_sum = fingerprinter.sum(index, packed.iter());
        Ok(packer)
    }
}

/// The most bytes that an alternate of an operation takes besides its value: a signature and names.
const ALTERNATE_BYTES: usize = 2048;

/// Packs an operation with its alternates. Returns false, with nothing packed, if there is no room. In an empty message
/// there is always room for a single operation.
pub(crate) fn pack_op(replica: &Replica, number: OpSeq, packer: &mut OpPacker) -> Result<bool, StoreError> {
    let alternates = replica.alternates(number);
    replica.log().with_op(number, |signed| {
        let op_bytes = signed.op().value().len().saturating_add(ALTERNATE_BYTES);
        let needed = alternates.len().saturating_mul(op_bytes);
        if !alternates.is_empty() && packer.count() > 0 && needed > packer.room() {
            return false;
        }
        let fits = packer.push(signed) || packer.count() == 0 && packer.push_only(signed);
        if !fits {
            return false;
        }
        // If even an empty message has no room for all alternates, the last ones are left out.
        for (kid, signature) in alternates {
            packer.push(SignedOpRef::from_log(signed.op(), kid, *signature));
        }
        true
    })
}

/// The operations that an initiator received.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Operations received in this session that were not in the log when it began.
    pub(crate) numbers: OpRuns,
    pub(crate) received: Tally,
    /// Operations refused for their signature.
    bad_signatures: BTreeSet<OpHash>,
    /// Operations of which the peer has still to be asked for another copy than these.
    alternates_wanted: Vec<OpCopies>,
    /// The number of refused operations, repeated ones included.
    pub(crate) refused: u64,
    /// The refused operations whose hashes are known.
    pub(crate) refused_ops: BTreeMap<OpHash, RefusedCopies>,
    /// True if others were refused.
    pub(crate) unhashed: bool,
    /// The claims about bad copies that the session has made in version 2, and the number of good copies that came.
    claims: usize,
    claimed: BTreeSet<OpHash>,
    recovered: usize,
    hashes: HashBudget,
    /// True if a copy with an unknown key is in doubt as well: version 1 asks for others only of bad signatures.
    names_keys: bool,
    /// Operations of which the peer wanted a copy, and this side has the same ones.
    pub(crate) same: Vec<OpCopies>,
}

/// The reason why an operation was refused, and those of its copies that are in doubt.
pub(crate) struct RefusedCopies {
    pub(crate) reason: RefusalReason,
    copies: CopySet,
}

/// A refused operation with its identity.
pub(crate) struct HashedRefusal<'a> {
    pub(crate) op: SignedOpRef<'a>,
    pub(crate) hash: OpHash,
    pub(crate) reason: RefusalReason,
    /// The digest over all copies in doubt that the session refused.
    pub(crate) copies: CopyDigest,
}

impl Inbox {
    /// Begins a session in which the first request claimed that copies of these operations are bad. `is_exact` is true
    /// if it named all actors that are accepted.
    pub(crate) fn new(
        claimed: impl Iterator<Item = OpHash>,
        version: ProtocolVersion,
        is_exact: bool,
    ) -> Self {
        let names_keys = version > ProtocolVersion::V1;
        let hashes = HashBudget::new(names_keys && !is_exact);
        Self { claimed: claimed.collect(), names_keys, hashes, ..Self::default() }
    }

    /// Asks for other copies than these.
    pub(crate) fn want_copies(&mut self, wanted: impl IntoIterator<Item = OpCopies>) {
        self.alternates_wanted.extend(wanted);
    }

    /// Records ingested operations, and returns those that were refused. Operations with numbers below `cursor` were in
    /// the log when the session began.
    pub(crate) fn record<'a>(
        &mut self,
        replica: &Replica,
        fingerprinter: &Fingerprinter,
        cursor: OpSeq,
        ingested: IngestedOps<'a>,
        progress: &mut Progress,
    ) -> Vec<HashedRefusal<'a>> {
        let log = replica.log();
        for number in ingested.numbers {
            if number >= cursor && self.numbers.insert(number) {
                let hash = log.index().hash(number);
                self.received.add(fingerprinter.of(hash));
                self.recovered += usize::from(self.claimed.contains(hash));
            }
        }
        for hash in ingested.bad_signatures {
            if self.bad_signatures.len() < MAX_BAD_SIGNATURES && self.bad_signatures.insert(hash) {
                self.alternates_wanted.push(OpCopies { hash, digest: CopyDigest::default() });
            }
        }
        let mut hashed = Vec::with_capacity(ingested.refused.len());
        for refused in ingested.refused {
            match self.identity(replica, &refused) {
                Some((op, hash)) => {
                    let (reason, copies) = self.count_refused(&refused, replica, hash);
                    hashed.push(HashedRefusal { op, hash, reason, copies });
                }
                None => self.unhashed = true,
            }
        }
        progress.received.add(&ingested.received);
        // A genuine copy may have followed a bad one.
        let refused_ops = &self.refused_ops;
        self.alternates_wanted.retain(|OpCopies { hash, .. }| {
            let refused = refused_ops.get(hash);
            (replica.accepts_unverified() || !log.contains(hash))
                && refused.is_none_or(|refused| refused.reason.may_concern_one_copy())
        });
        if self.bad_signatures.len() < MAX_BAD_SIGNATURES {
            let missing = self.bad_signatures.iter().filter(|hash| !log.contains(hash)).count();
            progress.received.refused.bad_signature = wide(missing);
        }
        self.refused = self.refused.saturating_add(ingested.received.refused.total());
        hashed
    }

    /// Returns a refused operation with its hash, if it may be hashed.
    fn identity<'a>(
        &mut self,
        replica: &Replica,
        refused: &RefusedOp<'a>,
    ) -> Option<(SignedOpRef<'a>, OpHash)> {
        let signed = refused.op?;
        let may_hash = self.hashes.allows(refused, refused.is_doubtful_copy(replica));
        Some((signed, may_hash.then(|| OpHash::of(&replica.crypto(), signed).ok())??))
    }

    /// Records a refused operation. Returns the reason, and the digest over all of its copies in doubt that the session
    /// refused. Once a copy is refused for what all copies have in common, no other one is wanted.
    fn count_refused(
        &mut self,
        refused: &RefusedOp<'_>,
        replica: &Replica,
        hash: OpHash,
    ) -> (RefusalReason, CopyDigest) {
        let reason = refused.reason;
        let copies = self.refused_ops.entry(hash);
        let copies = copies.or_insert(RefusedCopies { reason, copies: CopySet::default() });
        if !copies.reason.may_concern_one_copy() {
            return (copies.reason, CopyDigest::default());
        }
        copies.reason = reason;
        if !reason.may_concern_one_copy() {
            copies.copies = CopySet::default();
        }
        if let Some(op) = refused.op.filter(|_| refused.is_doubtful_copy(replica)) {
            let is_first = copies.copies == CopySet::default();
            copies.copies.add(replica.crypto(), &hash, op.kid(), op.signature());
            if is_first
                && self.names_keys
                && reason == RefusalReason::UnknownKey
                && self.alternates_wanted.len() < MAX_BAD_SIGNATURES
            {
                self.alternates_wanted.push(OpCopies { hash, digest: CopyDigest::default() });
            }
        }
        (reason, copies.copies.digest(replica.crypto(), &hash))
    }

    /// Returns true if it has nothing to say about copies, or may not say more in this session.
    pub(crate) fn is_empty(&self, version: ProtocolVersion) -> bool {
        let may_claim = version == ProtocolVersion::V1 || self.claims < self.most_claims();
        (self.alternates_wanted.is_empty() || !may_claim) && self.same.is_empty()
    }

    /// Leaves what was to be said about copies to the next session.
    pub(crate) fn leave_copies(&mut self) {
        self.alternates_wanted.clear();
        self.same.clear();
    }

    /// Returns the number of claims that the session may make.
    const fn most_claims(&self) -> usize {
        self.recovered.saturating_mul(CLAIMS_PER_COPY).saturating_add(MAX_CLAIMS)
    }

    /// Adds what a message that was taken back said about copies.
    pub(crate) fn ask_for_copies(&mut self, asked: Copies) {
        self.claims = self.claims.saturating_sub(asked.wanted.len());
        self.alternates_wanted.extend(asked.wanted);
        self.same.extend(asked.same);
    }

    /// Removes and returns what is to be said about copies, as much as a message may say.
    pub(crate) fn take_copies(&mut self, crypto: Sodium, version: ProtocolVersion) -> Copies {
        let most = match version {
            ProtocolVersion::V1 => MAX_ALTERNATES_WANTED,
            ProtocolVersion::V2 => self.most_claims().saturating_sub(self.claims).min(MAX_CLAIMS),
        };
        // The first ones first, as the next session does: then others have had time to bring their copies.
        let most = most.min(self.alternates_wanted.len());
        let mut wanted: Vec<OpCopies> = self.alternates_wanted.drain(..most).collect();
        self.claims = self.claims.saturating_add(wanted.len());
        for OpCopies { hash, digest } in &mut wanted {
            self.claimed.insert(*hash);
            if let Some(refused) = self.refused_ops.get(hash) {
                *digest = refused.copies.digest(crypto, hash);
            }
        }
        let same = self.same.split_off(self.same.len().saturating_sub(MAX_CLAIMS));
        Copies { wanted, same }
    }
}
