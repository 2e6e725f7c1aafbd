//! An account of what sessions and pushes carry, which finds what is carried in vain.

use std::collections::{BTreeMap, HashSet};

use policysync::SignedOp;
use policysync::sync::{Progress, Received};

use crate::common::crypto;
use crate::speaker::{Answer, COPIES_BYTES, Request, pushed};

/// Operations of which a session sends copies again because somebody claims that others are bad.
const CLAIMS: usize = 16;
/// Bytes of the longest operation here.
const MAX_OP_BYTES: u64 = 8 << 10;
/// Bytes of a claim.
const CLAIM_BYTES: usize = 32 + COPIES_BYTES;
/// Bytes of a session that has little to say: heads, filters, the newest ids, the first ranges.
const SESSION_BYTES: usize = 3072;
/// Bytes of ranges for each operation that is carried.
const BYTES_AN_OP: usize = 100;
/// The most answers of a session between honest sides.
const ROUND_TRIPS: u32 = 12;

/// In the place of the side that began the session.
const PUSH: usize = usize::MAX;

/// A copy of an operation that was carried: the side that began the session, the sender, the receiver, and the copy.
type Carried = (usize, usize, usize, [u8; 16]);

/// The account of all sides.
#[derive(Default)]
pub struct Ledger {
    carried: HashSet<Carried>,
    sides: BTreeMap<usize, Side>,
}

/// The account of what a side has received from honest sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// Copies of operations, and the bytes of their binary forms, which the side reads and hashes.
    ops: u64,
    bytes: u64,
    /// Those that it had not been sent before.
    new_ops: u64,
    new_bytes: u64,
    /// Messages about copies, each of which may bring a copy again.
    claims: u64,
    /// Signatures that it has verified. An operation that is new, denied or badly signed is verified once, and others
    /// are not, as unit tests beside the replica count.
    verified: u64,
    /// Operations that it has refused, from anybody.
    pub refused: u64,
}

/// The account of one session.
#[derive(Debug, Default)]
pub struct Session {
    sides: (usize, usize),
    pub bytes: usize,
    ops: usize,
    /// Copies that this session has carried, although the receiver has been sent them before.
    repeated: usize,
    claims: usize,
    /// Operations of which the responder has wanted a copy.
    pub wanted_by_peer: usize,
    /// Bytes of the names of unknown authors.
    names: usize,
}

impl Ledger {
    pub fn begin(from: usize, to: usize) -> Session {
        Session { sides: (from, to), ..Session::default() }
    }

    /// Forgets what this side has received: with other keys, another guard or an older file it may want it again.
    pub fn may_want_again(&mut self, side: usize) {
        self.carried.retain(|(_, _, to, _)| *to != side);
    }

    /// Forgets what this side has sent and received: it has lost operations.
    pub fn has_lost(&mut self, side: usize) {
        self.carried.retain(|(_, from, to, _)| *from != side && *to != side);
    }

    fn carry(&mut self, by: usize, from: usize, to: usize, op: &SignedOp) -> bool {
        let binary = op.to_binary();
        let copy = crypto().hash(&binary).as_bytes()[..16].try_into().unwrap();
        let is_new = self.carried.insert((by, from, to, copy));
        let (side, bytes) = (self.sides.entry(to).or_default(), u64::try_from(binary.len()).unwrap());
        side.ops += 1;
        side.bytes += bytes;
        if is_new {
            side.new_ops += 1;
            side.new_bytes += bytes;
        }
        is_new
    }

    fn add_ops(&mut self, session: &mut Session, from: usize, to: usize, ops: &[SignedOp]) {
        session.ops += ops.len();
        let repeated = ops.iter().filter(|op| !self.carry(session.sides.0, from, to, op)).count();
        session.repeated += repeated;
    }

    /// Adds claims, which may bring copies to either side.
    fn add_claims(&mut self, session: &mut Session, claims: usize) {
        session.claims += claims;
        let (from, other) = session.sides;
        for side in [from, other] {
            self.sides.entry(side).or_default().claims += u64::try_from(claims).unwrap();
        }
    }

    pub fn add_request(&mut self, session: &mut Session, request: &[u8]) {
        session.bytes += request.len();
        let read = Request::read(request, None).expect("it is in the newest version");
        let (from, to) = session.sides;
        self.add_claims(session, read.sections.wanted.len() + read.sections.same.len());
        self.add_ops(session, from, to, &read.sections.ops);
    }

    pub fn add_answer(&mut self, session: &mut Session, answer: &[u8]) {
        session.bytes += answer.len();
        let read = Answer::read(answer, None).expect("it is in the newest version");
        let (from, to) = session.sides;
        let renewed = read.welcome.as_ref().map_or(0, |welcome| welcome.renewed.len());
        let unknown = read.welcome.iter().flat_map(|welcome| &welcome.unknown);
        session.names += unknown.map(|(actor, kid)| actor.len() + kid.len()).sum::<usize>();
        session.wanted_by_peer += read.sections.wanted.len();
        self.add_claims(session, read.sections.wanted.len() + read.sections.same.len() + renewed);
        self.add_ops(session, to, from, &read.sections.ops);
    }

    /// Adds a pushed message. Nobody answers it, so a session may carry the same once more. Returns the number of its
    /// operations.
    pub fn add_push(&mut self, from: usize, to: usize, message: &[u8]) -> usize {
        let ops = pushed(message, None);
        let repeated = ops.iter().filter(|op| !self.carry(PUSH, from, to, op)).count();
        assert_eq!(repeated, 0, "{repeated} of {} operations were pushed before", ops.len());
        ops.len()
    }

    /// Counts the outcomes of operations at their receiver.
    pub fn count(&mut self, to: usize, received: &Received) {
        let refused = received.refused;
        let side = self.sides.entry(to).or_default();
        side.refused += refused.total();
        side.verified += received.new_ops() + refused.bad_signature + refused.denied;
    }

    /// Counts the operations that the liar has brought, which a side cannot help reading.
    pub fn count_lies(&mut self, to: usize, received: &Received) {
        self.count(to, received);
        let side = self.sides.entry(to).or_default();
        side.ops += received.total();
        side.new_ops += received.total();
    }

    pub fn side(&self, side: usize) -> Side {
        self.sides.get(&side).copied().unwrap_or_default()
    }

    /// Checks what a session between honest sides has cost.
    pub fn check(session: &Session, progress: &Progress) {
        let op_bytes = progress.op_bytes_sent + progress.op_bytes_received;
        let rest = session.bytes - usize::try_from(op_bytes).unwrap();
        let most = SESSION_BYTES + session.names + BYTES_AN_OP * session.ops + CLAIM_BYTES * session.claims;
        assert!(rest <= most, "{rest} bytes without the operations, at most {most}: {session:?}");
        assert!(session.repeated <= CLAIMS.min(session.claims), "carried in vain: {session:?}");
        assert!(progress.round_trips <= ROUND_TRIPS, "{progress:?}");
    }
}

impl Side {
    /// Checks that the side has read, hashed and verified only what was new to it, and what somebody has claimed.
    pub fn check(&self) {
        assert!(self.ops <= self.new_ops + self.claims, "{self:?}");
        assert!(self.bytes <= self.new_bytes + MAX_OP_BYTES * self.claims, "{self:?}");
        assert!(self.verified <= self.ops, "{self:?}");
    }
}
