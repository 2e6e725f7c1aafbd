//! A malicious peer that speaks the protocol: its messages are valid, and what they say is false.

use policysync::crypto::Signature;
use policysync::keys::sign_op;
use policysync::{Hlc, Op, OpHash, SignedOp};

use crate::common::{NOW, Random, crypto, key};
use crate::speaker::{
    Answer, Bound, Content, Filter, OpCopies, Phase, Range, Refused, Request, Sections, Welcome,
};

/// The registered actor whose key it holds.
pub const TRAITOR: &str = "traitor";
/// Claims about copies that a message may make.
const CLAIMS: usize = 16;
/// Bytes of the ranges of a message, and of the binary forms of the operations of a message that is not long.
const MAX_RANGES_BYTES: usize = 56 << 10;
const MAX_EXPANDED: usize = 16 << 20;
/// Junk operations in a message.
const JUNK: u64 = 2000;
/// Bytes of its long names, nearly the most that an id leaves room for.
const LONG: usize = 980;

/// The lie about ranges or operations that a session insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// Fingerprints that never match.
    Fingerprints,
    /// Ranges that are split without end, by time.
    Times,
    /// Ranges that are split by long names: few enough to be accepted, or too many.
    Names { is_accepted: bool },
    /// Operations that are never sent.
    Ids,
    /// All of the other side's operations are wanted.
    Wants,
    /// Operations by strangers.
    Junk,
    /// Other copies of genuine operations.
    Forgeries,
    /// Genuine operations that nobody asked for, also of the far future.
    Unasked,
    /// Operations whose names expand to too many bytes.
    Expansion,
    /// Nothing, as if all were equal.
    Equal,
}

const LIES: [Lie; 10] = [
    Lie::Fingerprints,
    Lie::Times,
    Lie::Names { is_accepted: true },
    Lie::Names { is_accepted: false },
    Lie::Ids,
    Lie::Wants,
    Lie::Forgeries,
    Lie::Unasked,
    Lie::Equal,
    // This takes long, so it is rare.
    Lie::Junk,
];

pub struct Liar {
    pub random: Random,
    /// Genuine operations that it has seen.
    pub seen: Vec<(OpHash, SignedOp)>,
    /// True if its last message exceeds a limit that every reader has.
    pub is_over_a_limit: bool,
    lie: Lie,
    told: u64,
}

impl Liar {
    pub fn new(seed: u64) -> Self {
        Self { random: Random(seed), seen: Vec::new(), is_over_a_limit: false, lie: Lie::Equal, told: 0 }
    }

    /// Chooses the lie of the next session.
    pub fn begin(&mut self) {
        self.lie = match self.random.below(40) {
            0 => Lie::Expansion,
            1 => Lie::Junk,
            lie => LIES[lie % (LIES.len() - 1)],
        };
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.random.below(256)).unwrap())
    }

    /// Returns a number that has not been returned before.
    fn next(&mut self) -> u64 {
        self.told += 1;
        self.told
    }

    fn hashes(&mut self, most: usize) -> Vec<[u8; 32]> {
        let count = self.random.below(most + 1);
        let hash = |liar: &mut Self| match liar.seen.len() {
            0 => liar.array(),
            seen => *liar.seen[liar.random.below(seen)].0.as_bytes(),
        };
        (0..count).map(|_| hash(self)).collect()
    }

    fn claims(&mut self) -> Vec<OpCopies> {
        self.hashes(CLAIMS).into_iter().map(|hash| (hash, self.array())).collect()
    }

    /// Returns operations by strangers, `name` being most of each name.
    fn junk(&mut self, count: u64, name: &str) -> Vec<SignedOp> {
        let first = self.told;
        self.told += count;
        let stranger = format!("stranger {name}");
        let op = |n: u64| {
            let ts = Hlc::new(NOW.0 + n, 0).unwrap();
            let op = Op::lww_set(&stranger, ts, (&stranger, &*stranger, &*stranger), "x").unwrap();
            SignedOp::new(op, &stranger, Signature::from_bytes([7; 64])).unwrap()
        };
        (first..first + count).map(op).collect()
    }

    /// Returns another copy of an operation that it has seen.
    fn forgery(&mut self) -> Option<SignedOp> {
        let at = self.random.below(self.seen.len().max(1));
        let (op, signature) = (self.seen.get(at)?.1.clone(), Signature::from_bytes(self.array()));
        Some(match self.random.below(3) {
            0 => SignedOp::new(op.op().clone(), "made up", *op.signature()).unwrap(),
            _ => SignedOp::new(op.op().clone(), op.kid(), signature).unwrap(),
        })
    }

    fn unasked(&mut self) -> SignedOp {
        let years = [0, 0, 3][self.random.below(3)];
        let t = NOW.0 + years * 365 * 86_400_000 + self.next();
        let op = Op::lww_set(TRAITOR, Hlc::new(t, 0).unwrap(), ("Task", "t1", "path1"), "lie").unwrap();
        sign_op(&crypto(), op, &key(TRAITOR)).unwrap()
    }

    /// Returns the operations of a message.
    fn ops(&mut self) -> Vec<SignedOp> {
        match self.lie {
            Lie::Junk => self.junk(JUNK, ""),
            Lie::Expansion => self.junk(4500, &"x".repeat(LONG)),
            Lie::Forgeries => (0..self.random.below(4)).filter_map(|_| self.forgery()).collect(),
            Lie::Unasked => (0..self.random.below(4)).map(|_| self.unasked()).collect(),
            _ => {
                let name = "x".repeat(self.random.below(LONG));
                if self.chance(10) { self.junk(3, &name) } else { Vec::new() }
            }
        }
    }

    /// Returns what it says about ranges of which the other side has told it.
    fn ranges(&mut self, asked: &[Range]) -> Vec<Range> {
        let mut ranges = Vec::new();
        for Range { low, high, content } in asked {
            let mut bounds = vec![low.clone(), high.clone()];
            let mut split = |parts: u64, bound: &dyn Fn(u64) -> Bound| {
                let within = (0..parts).map(bound).filter(|bound| low < bound && bound < high);
                bounds.splice(1..1, within);
            };
            let (round, salt) = (self.next(), self.array());
            match self.lie {
                Lie::Times => split(500, &|part| Bound::at(round * 1000 + part, "")),
                Lie::Names { is_accepted } => {
                    let name = |part| format!("{round:09}{part:0>991}");
                    split(if is_accepted { 20 } else { 70 }, &|part| Bound::at(NOW.0, &name(part)));
                }
                Lie::Equal => continue,
                _ => {}
            }
            for pair in bounds.windows(2) {
                let content = match (self.lie, content) {
                    (Lie::Ids, _) => Content::Ids((0..32).map(|_| self.array()).collect()),
                    (Lie::Wants, Content::Ids(ids)) => Content::Wants(vec![true; ids.len()]),
                    (Lie::Unasked, Content::Ids(ids)) => Content::Wants(vec![true; ids.len() + 1]),
                    _ => Content::Fingerprint { count: 1000, fingerprint: salt },
                };
                ranges.push(Range { low: pair[0].clone(), high: pair[1].clone(), content });
            }
        }
        ranges.truncate(1500);
        ranges
    }

    fn sections(&mut self, asked: &[Range]) -> Sections {
        Sections {
            wanted: if self.chance(30) { self.claims() } else { Vec::new() },
            same: if self.chance(30) { self.claims() } else { Vec::new() },
            ranges: self.ranges(asked),
            ops: self.ops(),
        }
    }

    /// Returns a filter, which may accept nobody.
    fn filter(&mut self) -> Filter {
        let mut named: Vec<[u8; 8]> = (0..self.random.below(257)).map(|_| self.array()).collect();
        named.sort_unstable();
        match self.random.below(4) {
            0 => Filter(1, named),
            1 => Filter(2, named),
            _ => Filter::default(),
        }
    }

    /// Returns true if no reader may accept these sections.
    fn is_too_much(sections: &Sections) -> bool {
        let name = |range: &Range| if let Bound::At { actor, .. } = &range.high { actor.len() } else { 0 };
        let names: usize = sections.ranges.iter().map(name).sum();
        let binary: usize = sections.ops.iter().map(|op| op.to_binary().len()).sum();
        names > MAX_RANGES_BYTES || binary > MAX_EXPANDED
    }

    /// Returns an answer to a request of an honest side.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let Request { nonce, round, phase, sections, resume, .. } =
            Request::read(request, None).expect("an honest side speaks the newest version");
        let everything = Range::everything(Content::Ids(Vec::new()));
        let (welcome, asked) = match phase {
            Phase::Hello { count, .. } => {
                let cursor = self.random.next() >> 32;
                let welcome = Welcome {
                    nonce: self.array(),
                    cursor,
                    resumed: resume.is_some() && self.chance(50),
                    count: [count, 0, 1000, u64::MAX][self.random.below(4)],
                    sum: self.array(),
                    limit: 64 << 10,
                    filter: self.filter(),
                    left_out: [0, 1, u64::MAX][self.random.below(3)],
                    unknown: (0..self.random.below(3)).map(|n| (format!("a{n}"), "k".repeat(LONG))).collect(),
                    tag: self.array(),
                    renewed: self.hashes(CLAIMS),
                };
                (Some(welcome), vec![everything])
            }
            Phase::Later { .. } => (None, sections.ranges),
        };
        let count = u64::try_from(sections.ops.len()).unwrap();
        let mut ack = (count, None);
        if count > 0 && self.chance(40) {
            // It has refused them, and names them or does not.
            let reason = self.random.below(6);
            let mut counts = [0; 6];
            counts[reason] = count;
            let runs = vec![(0, count, u8::try_from(reason).unwrap())];
            ack = (0, Some(Refused(counts, if self.chance(70) { runs } else { Vec::new() })));
        }
        let continues = matches!(self.lie, Lie::Junk | Lie::Wants) || self.chance(10);
        let sections = self.sections(&asked);
        self.is_over_a_limit = Self::is_too_much(&sections);
        let answer = Answer {
            tag: nonce[..8].try_into().unwrap(),
            round,
            welcome,
            new_ops: ack.0 + u64::from(self.chance(2)),
            duplicates: 0,
            sum: self.array(),
            refused: ack.1,
            continuation: continues.then_some((Bound::End, 0)),
            sections,
        };
        answer.write()
    }

    /// Returns the requests of a session, from what the answers to those before said.
    pub fn requests(&mut self) -> impl FnMut(&mut Self, Option<&[u8]>) -> Option<Vec<u8>> + use<> {
        self.begin();
        let nonce = self.array();
        let (mut round, mut cursor) = (0, 0);
        let last = self.random.below(6);
        move |liar: &mut Self, answer| {
            let answer = answer.and_then(|answer| Answer::read(answer, None));
            cursor =
                answer.iter().flat_map(|answer| &answer.welcome).fold(cursor, |_, welcome| welcome.cursor);
            let asked = match answer.map(|answer| answer.sections.ranges) {
                Some(ranges) if !ranges.is_empty() => ranges,
                _ => vec![Range::everything(Content::Ids(Vec::new()))],
            };
            let phase = match round {
                0 => {
                    Phase::Hello { count: liar.random.next(), since: liar.random.next(), hint: liar.array() }
                }
                _ => Phase::Later { cursor: cursor + u64::from(liar.chance(5)) },
            };
            let sections = liar.sections(&asked);
            liar.is_over_a_limit = Self::is_too_much(&sections);
            let limits = [64 << 10, 1 << 20, u64::MAX];
            let too_low = liar.chance(5);
            let limit = if too_low { 100 } else { limits[liar.random.below(3)] };
            let request = Request {
                nonce,
                space: crypto().hash(b"policysync/sync/space/v1").as_bytes()[..8].try_into().unwrap(),
                round,
                limit,
                resume: liar.chance(10).then(|| liar.array()),
                phase,
                filter: liar.filter(),
                sections,
            };
            round += 1;
            (round <= 1 + u64::try_from(last).unwrap()).then(|| request.write())
        }
    }
}
