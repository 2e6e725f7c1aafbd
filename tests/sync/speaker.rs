//! The messages of protocol 2, read and written from the manual's page `format` and not with the library's own code: for
//! a peer that speaks the protocol and lies, and for counting what messages carry.

use std::collections::HashMap;

use policysync::crypto::Signature;
use policysync::op::Kind;
use policysync::{Hlc, Op, SignedOp, Value};

const REQUEST: u8 = 0xe1;
const ANSWER: u8 = 0xe2;
const PUSH: u8 = 0xe3;
const VERSION: u8 = 2;
/// Bytes of a digest of copies.
pub const COPIES_BYTES: usize = 16;
/// The reasons for which operations are refused.
const REASONS: usize = 6;

/// Reads a message, which is one of an honest side.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    fn flag(&mut self) -> bool {
        let byte = self.byte();
        assert!(byte < 2, "not a flag: {byte}");
        byte == 1
    }

    fn integer(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    fn count(&mut self) -> usize {
        usize::try_from(self.integer()).unwrap()
    }

    fn text(&mut self) -> String {
        let len = self.count();
        String::from_utf8(self.bytes(len).to_vec()).unwrap()
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.count()).map(|_| read(self)).collect()
    }
}

fn put_integer(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_integer(out, u64::try_from(count).unwrap());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// A position between operations. Actors are compared by bytes, which is right for ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    At { t: u64, c: u64, actor: String, hash: Vec<u8> },
    End,
}

impl Bound {
    pub fn at(t: u64, actor: &str) -> Self {
        Self::At { t, c: 0, actor: actor.into(), hash: Vec::new() }
    }

    pub fn start() -> Self {
        Self::at(0, "")
    }

    fn t(&self) -> u64 {
        if let Self::At { t, .. } = self { *t } else { 0 }
    }

    fn read(reader: &mut Reader<'_>, previous: &Self) -> Self {
        let Some(code) = reader.integer().checked_sub(1) else { return Self::End };
        let level = code & 3;
        let c = if level >= 1 { reader.integer() } else { 0 };
        let actor = if level >= 2 { reader.text() } else { String::new() };
        let len = if level >= 3 { reader.count() } else { 0 };
        Self::At { t: previous.t() + (code >> 2), c, actor, hash: reader.bytes(len).to_vec() }
    }

    fn write(&self, previous: &Self, out: &mut Vec<u8>) {
        let Self::At { t, c, actor, hash } = self else { return out.push(0) };
        let level = match () {
            () if !hash.is_empty() => 3,
            () if !actor.is_empty() => 2,
            () => u64::from(*c > 0),
        };
        put_integer(out, 1 + 4 * (t - previous.t()) + level);
        if level >= 1 {
            put_integer(out, *c);
        }
        if level >= 2 {
            put_text(out, actor);
        }
        if level >= 3 {
            put_count(out, hash.len());
            out.extend_from_slice(hash);
        }
    }
}

#[derive(Clone, Debug)]
pub enum Content {
    Fingerprint { count: u64, fingerprint: [u8; 8] },
    Ids(Vec<[u8; 8]>),
    Wants(Vec<bool>),
}

/// A range from `low` up to `high`.
#[derive(Clone, Debug)]
pub struct Range {
    pub low: Bound,
    pub high: Bound,
    pub content: Content,
}

impl Range {
    pub fn everything(content: Content) -> Self {
        Self { low: Bound::start(), high: Bound::End, content }
    }

    fn read_all(reader: &mut Reader<'_>) -> Vec<Self> {
        let mut low = Bound::start();
        let mut ranges = Vec::new();
        for _ in 0..reader.count() {
            let tag = reader.byte();
            let high = Bound::read(reader, &low);
            let content = match tag {
                0 => None,
                1 => Some(Content::Fingerprint { count: reader.integer(), fingerprint: reader.array() }),
                2 => Some(Content::Ids(reader.list(Reader::array))),
                3 => {
                    let count = reader.count();
                    let bytes = reader.bytes(count.div_ceil(8));
                    Some(Content::Wants((0..count).map(|at| bytes[at / 8] >> (at % 8) & 1 == 1).collect()))
                }
                tag => panic!("a range with the tag {tag}"),
            };
            ranges.extend(content.map(|content| Self { low, high: high.clone(), content }));
            low = high;
        }
        ranges
    }

    /// Writes ranges in ascending order, with what they skip.
    fn write_all(ranges: &[Self], out: &mut Vec<u8>) {
        let mut items = Vec::new();
        let (mut count, mut reached) = (0, Bound::start());
        for Self { low, high, content } in ranges {
            if *low != reached {
                items.push(0);
                low.write(&reached, &mut items);
                count += 1;
            }
            items.push(match content {
                Content::Fingerprint { .. } => 1,
                Content::Ids(_) => 2,
                Content::Wants(_) => 3,
            });
            high.write(low, &mut items);
            match content {
                Content::Fingerprint { count, fingerprint } => {
                    put_integer(&mut items, *count);
                    items.extend_from_slice(fingerprint);
                }
                Content::Ids(ids) => {
                    put_count(&mut items, ids.len());
                    items.extend(ids.iter().flatten());
                }
                Content::Wants(wants) => {
                    put_count(&mut items, wants.len());
                    items.extend(wants.chunks(8).map(|eight| {
                        eight.iter().rev().fold(0, |byte: u8, wanted| (byte << 1) | u8::from(*wanted))
                    }));
                }
            }
            count += 1;
            reached = high.clone();
        }
        put_count(out, count);
        out.extend_from_slice(&items);
    }
}

fn read_ops(reader: &mut Reader<'_>, space: Option<&str>) -> Vec<SignedOp> {
    let mut tables: [Vec<String>; 5] = Default::default();
    let mut last_t = 0;
    let read = |reader: &mut Reader<'_>| {
        let flags = reader.byte();
        let step = reader.integer();
        last_t = if step & 1 == 0 { last_t + (step >> 1) } else { last_t - (step >> 1) - 1 };
        let c = if flags & 4 != 0 { reader.integer() } else { 0 };
        let names = tables.each_mut().map(|table| {
            let number = reader.count();
            if number == 0 {
                table.push(reader.text());
            }
            table[number.checked_sub(1).unwrap_or(table.len() - 1)].clone()
        });
        let [actor, kid, entity, id, path] = names.each_ref().map(String::as_str);
        let label = (flags & 2 != 0).then(|| reader.text());
        let ts = Hlc::new(last_t, u32::try_from(c).unwrap()).unwrap();
        let op = match flags & 1 {
            0 => Op::lww_set(actor, ts, (entity, id, path), Value::parse(&reader.text()).unwrap()),
            _ => Op::lww_delete(actor, ts, (entity, id, path)),
        };
        let op = space.into_iter().fold(op.unwrap(), |op, space| op.in_space(space).unwrap());
        let op = label.iter().fold(op, |op, label| op.labelled(label).unwrap());
        SignedOp::new(op, kid, Signature::from_bytes(reader.array())).unwrap()
    };
    let ops = reader.list(read);
    assert!(reader.0.is_empty(), "bytes are left");
    ops
}

/// Writes operations without labels, which nothing keeps from expanding to too many bytes.
fn write_ops(ops: &[SignedOp], out: &mut Vec<u8>) {
    let mut tables: [HashMap<&str, u64>; 5] = Default::default();
    let mut last_t = 0;
    put_count(out, ops.len());
    for signed in ops {
        let (op, ts) = (signed.op(), signed.op().ts());
        out.push(u8::from(op.kind() == Kind::Delete) | if ts.c() > 0 { 4 } else { 0 });
        put_integer(out, if ts.t() >= last_t { 2 * (ts.t() - last_t) } else { 2 * (last_t - ts.t()) - 1 });
        last_t = ts.t();
        if ts.c() > 0 {
            put_integer(out, ts.c().into());
        }
        let names = [op.actor(), signed.kid(), op.entity(), op.entity_id(), op.path()];
        for (table, name) in tables.iter_mut().zip(names) {
            let next = u64::try_from(table.len()).unwrap() + 1;
            if let Some(number) = table.get(name) {
                put_integer(out, *number);
                continue;
            }
            table.insert(name, next);
            out.push(0);
            put_text(out, name);
        }
        if op.kind() == Kind::Set {
            put_text(out, op.value().as_str());
        }
        out.extend_from_slice(signed.signature().as_bytes());
    }
}

/// The hash of an operation, and a digest of copies of it.
pub type OpCopies = ([u8; 32], [u8; COPIES_BYTES]);

/// The sections that requests and answers have in common.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    /// Operations of which other copies are wanted than these.
    pub wanted: Vec<OpCopies>,
    /// Operations of which the other side wanted copies, and of which the sender has just these.
    pub same: Vec<OpCopies>,
    pub ranges: Vec<Range>,
    pub ops: Vec<SignedOp>,
}

impl Sections {
    fn read(reader: &mut Reader<'_>, space: Option<&str>) -> Self {
        Self {
            wanted: reader.list(|reader| (reader.array(), reader.array())),
            same: reader.list(|reader| (reader.array(), reader.array())),
            ranges: Range::read_all(reader),
            ops: read_ops(reader, space),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        for list in [&self.wanted, &self.same] {
            put_count(out, list.len());
            for (hash, digest) in list {
                out.extend_from_slice(hash);
                out.extend_from_slice(digest);
            }
        }
        Range::write_all(&self.ranges, out);
        write_ops(&self.ops, out);
    }
}

/// The actors that a side accepts: a kind and short actors.
#[derive(Clone, Debug, Default)]
pub struct Filter(pub u8, pub Vec<[u8; 8]>);

impl Filter {
    fn read(reader: &mut Reader<'_>) -> Self {
        match reader.byte() {
            0 => Self::default(),
            kind => Self(kind, reader.list(Reader::array)),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.0);
        if self.0 > 0 {
            put_count(out, self.1.len());
            out.extend(self.1.iter().flatten());
        }
    }
}

/// Reads features, which are not defined yet.
fn read_features(reader: &mut Reader<'_>) {
    reader.list(Reader::integer);
    let len = reader.count();
    reader.bytes(len);
}

#[derive(Clone, Debug)]
pub enum Phase {
    Hello { count: u64, since: u64, hint: [u8; 8] },
    Later { cursor: u64 },
}

#[derive(Clone, Debug)]
pub struct Request {
    pub nonce: [u8; 16],
    pub space: [u8; 8],
    pub round: u64,
    pub limit: u64,
    pub resume: Option<[u8; 48]>,
    pub phase: Phase,
    pub filter: Filter,
    pub sections: Sections,
}

impl Request {
    /// Returns a request of an honest side in the newest version, or `None` if it is another message.
    pub fn read(bytes: &[u8], space: Option<&str>) -> Option<Self> {
        let reader = &mut Reader(bytes);
        if reader.array() != [REQUEST, VERSION] {
            return None;
        }
        let (nonce, tag, round, limit) = (reader.array(), reader.array(), reader.integer(), reader.integer());
        let resume = reader.flag().then(|| reader.array());
        let phase = if reader.flag() {
            Phase::Later { cursor: reader.integer() }
        } else {
            let count = reader.integer();
            let since = if resume.is_some() { reader.integer() } else { count };
            let hint = reader.array();
            read_features(reader);
            Phase::Hello { count, since, hint }
        };
        let filter = Filter::read(reader);
        let sections = Sections::read(reader, space);
        Some(Self { nonce, space: tag, round, limit, resume, phase, filter, sections })
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![REQUEST, VERSION];
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.space);
        put_integer(&mut out, self.round);
        put_integer(&mut out, self.limit);
        out.push(u8::from(self.resume.is_some()));
        out.extend(self.resume.iter().flatten());
        match &self.phase {
            Phase::Hello { count, since, hint } => {
                out.push(0);
                put_integer(&mut out, *count);
                if self.resume.is_some() {
                    put_integer(&mut out, *since);
                }
                out.extend_from_slice(hint);
                out.extend_from_slice(&[0, 0]);
            }
            Phase::Later { cursor } => {
                out.push(1);
                put_integer(&mut out, *cursor);
            }
        }
        self.filter.write(&mut out);
        self.sections.write(&mut out);
        out
    }
}

#[derive(Clone, Debug)]
pub struct Welcome {
    pub nonce: [u8; 16],
    pub cursor: u64,
    pub resumed: bool,
    pub count: u64,
    pub sum: [u8; 16],
    pub limit: u64,
    pub filter: Filter,
    pub left_out: u64,
    pub unknown: Vec<(String, String)>,
    pub tag: [u8; 8],
    pub renewed: Vec<[u8; 32]>,
}

/// Numbers of refused operations by reason, and runs of them: the gap before it, its length, and the reason.
#[derive(Clone, Debug)]
pub struct Refused(pub [u64; REASONS], pub Vec<(u64, u64, u8)>);

#[derive(Clone, Debug)]
pub struct Answer {
    /// The first bytes of the nonce of the request.
    pub tag: [u8; 8],
    pub round: u64,
    pub welcome: Option<Welcome>,
    pub new_ops: u64,
    pub duplicates: u64,
    pub sum: [u8; 16],
    pub refused: Option<Refused>,
    pub continuation: Option<(Bound, u64)>,
    pub sections: Sections,
}

impl Answer {
    /// Returns an answer of an honest side in the newest version, or `None` if it is another message.
    pub fn read(bytes: &[u8], space: Option<&str>) -> Option<Self> {
        let reader = &mut Reader(bytes);
        if reader.array() != [ANSWER, VERSION] {
            return None;
        }
        let (tag, round) = (reader.array(), reader.integer());
        let welcome = reader.flag().then(|| {
            let welcome = Welcome {
                nonce: reader.array(),
                cursor: reader.integer(),
                resumed: reader.flag(),
                count: reader.integer(),
                sum: reader.array(),
                limit: reader.integer(),
                filter: Filter::read(reader),
                left_out: reader.integer(),
                unknown: reader.list(|reader| (reader.text(), reader.text())),
                tag: reader.array(),
                renewed: reader.list(Reader::array),
            };
            read_features(reader);
            welcome
        });
        let (new_ops, duplicates) = (reader.integer(), reader.integer());
        let sum = if new_ops + duplicates > 0 { reader.array() } else { [0; 16] };
        let refused = reader.flag().then(|| {
            let counts = [(); REASONS].map(|()| reader.integer());
            Refused(counts, reader.list(|reader| (reader.integer(), reader.integer(), reader.byte())))
        });
        let continuation = reader.flag().then(|| (Bound::read(reader, &Bound::start()), reader.integer()));
        let sections = Sections::read(reader, space);
        Some(Self { tag, round, welcome, new_ops, duplicates, sum, refused, continuation, sections })
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![ANSWER, VERSION];
        out.extend_from_slice(&self.tag);
        put_integer(&mut out, self.round);
        out.push(u8::from(self.welcome.is_some()));
        if let Some(welcome) = &self.welcome {
            out.extend_from_slice(&welcome.nonce);
            put_integer(&mut out, welcome.cursor);
            out.push(u8::from(welcome.resumed));
            put_integer(&mut out, welcome.count);
            out.extend_from_slice(&welcome.sum);
            put_integer(&mut out, welcome.limit);
            welcome.filter.write(&mut out);
            put_integer(&mut out, welcome.left_out);
            put_count(&mut out, welcome.unknown.len());
            for (actor, kid) in &welcome.unknown {
                put_text(&mut out, actor);
                put_text(&mut out, kid);
            }
            out.extend_from_slice(&welcome.tag);
            put_count(&mut out, welcome.renewed.len());
            out.extend(welcome.renewed.iter().flatten());
            out.extend_from_slice(&[0, 0]);
        }
        put_integer(&mut out, self.new_ops);
        put_integer(&mut out, self.duplicates);
        if self.new_ops + self.duplicates > 0 {
            out.extend_from_slice(&self.sum);
        }
        out.push(u8::from(self.refused.is_some()));
        if let Some(Refused(counts, runs)) = &self.refused {
            counts.iter().for_each(|count| put_integer(&mut out, *count));
            put_count(&mut out, runs.len());
            for (gap, len, reason) in runs {
                put_integer(&mut out, *gap);
                put_integer(&mut out, *len);
                out.push(*reason);
            }
        }
        out.push(u8::from(self.continuation.is_some()));
        if let Some((from, done)) = &self.continuation {
            from.write(&Bound::start(), &mut out);
            put_integer(&mut out, *done);
        }
        self.sections.write(&mut out);
        out
    }
}

/// Returns the operations of a push in the newest version.
pub fn pushed(bytes: &[u8], space: Option<&str>) -> Vec<SignedOp> {
    let reader = &mut Reader(bytes);
    assert_eq!(reader.array(), [PUSH, VERSION]);
    let _tag: [u8; 8] = reader.array();
    read_ops(reader, space)
}
