//! Requests and answers, in bytes.

use super::base::BaseId;
use super::bound::Bound;
use super::error::{MessageFault, REFUSAL, Refusal, SyncError};
use super::intake::Refusals;
use super::limits::MAX_DOUBTS;
use super::ops::{self, OpWriter, Unpacked};
use super::ranges::{self, RangeWriter, Ranged};
use super::wire::{Reader, put_count, put_varint};
use crate::codec::OpHash;
use crate::op::OpSeq;

/// The version of the protocol, the second byte of every message.
pub const SYNC_VERSION: u8 = 1;

const REQUEST: u8 = 0xE1;
const ANSWER: u8 = 0xE2;
/// The first byte of pushed operations.
pub(crate) const PUSH: u8 = 0xE3;

/// What the initiator says in every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) nonce: [u8; 16],
    pub(super) space: [u8; 8],
    /// Which request of the session it is, from 0.
    pub(super) round: u64,
    /// Bytes of an answer that are taken.
    pub(super) limit: usize,
    /// An earlier session to go on from.
    pub(super) base: Option<BaseId>,
    pub(super) phase: Phase,
}

/// The first request, or a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Hello(Hello),
    /// How much of the responder's log the session is about, as it said itself.
    Later {
        cursor: OpSeq,
    },
}

/// What the initiator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Operations of the log.
    pub(super) count: u64,
    /// Operations since the earlier session; the same as `count` without one.
    pub(super) since: u64,
    pub(super) hint: [u8; 8],
}

pub(super) struct Request<'a> {
    pub(super) head: RequestHead,
    pub(super) doubts: Vec<OpHash>,
    pub(super) ranges: Vec<Ranged>,
    pub(super) ops: Vec<Unpacked<'a>>,
}

/// What the responder says in its first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    pub(super) nonce: [u8; 16],
    /// How much of its log the session is about.
    pub(super) cursor: OpSeq,
    /// Whether it goes on from the earlier session.
    pub(super) based: bool,
    /// How many operations those are.
    pub(super) count: u64,
    /// Their sum.
    pub(super) total: u128,
    /// Bytes of a request that it takes.
    pub(super) limit: usize,
}

/// What became of the operations of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ack {
    pub(super) accepted: u64,
    pub(super) known: u64,
    pub(super) refused: Refusals,
    /// The sum over those that are in the log now, each once: that they are the ones that were sent.
    pub(super) sum: u128,
}

/// What an answer could not hold: say again what you said from this bound on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resume {
    pub(super) from: Bound,
    /// How many places of the range that it lies in are done.
    pub(super) done: u64,
}

pub(super) struct Answer<'a> {
    pub(super) welcome: Option<Welcome>,
    pub(super) ack: Ack,
    pub(super) resume: Option<Resume>,
    pub(super) doubts: Vec<OpHash>,
    pub(super) ranges: Vec<Ranged>,
    pub(super) ops: Vec<Unpacked<'a>>,
    /// Bytes that the operations fill.
    pub(super) op_bytes: usize,
}

/// What follows the head of a message.
pub(super) struct Body {
    pub(super) doubts: Vec<OpHash>,
    pub(super) ranges: RangeWriter,
    pub(super) ops: OpWriter,
}

/// The first 8 bytes of the initiator's nonce, by which it knows its answers.
pub(super) fn tag(nonce: &[u8; 16]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *nonce;
    [a, b, c, d, e, f, g, h]
}

pub(super) fn write_request(head: &RequestHead, body: Body) -> Vec<u8> {
    let mut out = vec![REQUEST, SYNC_VERSION];
    out.extend_from_slice(&head.nonce);
    out.extend_from_slice(&head.space);
    put_varint(&mut out, head.round);
    put_count(&mut out, head.limit);
    match head.base {
        None => out.push(0),
        Some(base) => {
            out.push(1);
            out.extend_from_slice(&base.to_bytes());
        }
    }
    match head.phase {
        Phase::Hello(hello) => {
            out.push(0);
            put_varint(&mut out, hello.count);
            if head.base.is_some() {
                put_varint(&mut out, hello.since);
            }
            out.extend_from_slice(&hello.hint);
        }
        Phase::Later { cursor } => {
            out.push(1);
            put_varint(&mut out, cursor.into());
        }
    }
    write_body(body, &mut out);
    out
}

pub(super) fn read_request<'a>(
    bytes: &'a [u8],
    space: Option<&'a str>,
    tag: &[u8; 8],
) -> Result<Request<'a>, SyncError> {
    let mut reader = Reader::new(bytes);
    open(&mut reader, REQUEST)?;
    let nonce = reader.array()?;
    let space_tag = reader.array()?;
    if space_tag != *tag {
        return Err(SyncError::OtherSpace);
    }
    let round = reader.varint()?;
    let limit = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    let base = if reader.flag()? { BaseId::from_bytes(&reader.array()?) } else { None };
    let phase = if reader.flag()? {
        Phase::Later { cursor: OpSeq::new(reader.varint_u32()?) }
    } else {
        let count = reader.varint()?;
        let since = if base.is_some() { reader.varint()? } else { count };
        Phase::Hello(Hello { count, since, hint: reader.array()? })
    };
    let head = RequestHead { nonce, space: space_tag, round, limit, base, phase };
    let ReadBody { doubts, ranges, ops, .. } = read_body(&mut reader, space)?;
    Ok(Request { head, doubts, ranges, ops })
}

pub(super) fn write_answer(
    head: &RequestHead,
    welcome: Option<&Welcome>,
    ack: &Ack,
    resume: Option<&Resume>,
    body: Body,
) -> Vec<u8> {
    let mut out = vec![ANSWER, SYNC_VERSION];
    out.extend_from_slice(&tag(&head.nonce));
    put_varint(&mut out, head.round);
    match welcome {
        None => out.push(0),
        Some(welcome) => {
            out.push(1);
            out.extend_from_slice(&welcome.nonce);
            put_varint(&mut out, welcome.cursor.into());
            out.push(u8::from(welcome.based));
            put_varint(&mut out, welcome.count);
            out.extend_from_slice(&welcome.total.to_le_bytes());
            put_count(&mut out, welcome.limit);
        }
    }
    put_varint(&mut out, ack.accepted);
    put_varint(&mut out, ack.known);
    if ack.taken() > 0 {
        out.extend_from_slice(&ack.sum.to_le_bytes());
    }
    out.push(u8::from(ack.refused.total() > 0));
    if ack.refused.total() > 0 {
        ack.refused.to_array().into_iter().for_each(|count| put_varint(&mut out, count));
    }
    match resume {
        None => out.push(0),
        Some(resume) => {
            out.push(1);
            resume.from.write(&Bound::start(), &mut out);
            put_varint(&mut out, resume.done);
        }
    }
    write_body(body, &mut out);
    out
}

/// Reads the answer to request number `round` of the session with this tag.
pub(super) fn read_answer<'a>(
    bytes: &'a [u8],
    space: Option<&'a str>,
    tag: [u8; 8],
    round: u64,
) -> Result<Answer<'a>, SyncError> {
    let mut reader = Reader::new(bytes);
    if bytes.first() == Some(&REFUSAL) {
        reader.byte()?;
        return Err(SyncError::Refused(Refusal::read(&mut reader)?));
    }
    open(&mut reader, ANSWER)?;
    let answered: ([u8; 8], u64) = (reader.array()?, reader.varint()?);
    if answered != (tag, round) {
        return Err(SyncError::Stray);
    }
    let welcome = if reader.flag()? {
        Some(Welcome {
            nonce: reader.array()?,
            cursor: OpSeq::new(reader.varint_u32()?),
            based: reader.flag()?,
            count: reader.varint()?,
            total: u128::from_le_bytes(reader.array()?),
            limit: usize::try_from(reader.varint()?).unwrap_or(usize::MAX),
        })
    } else {
        None
    };
    let mut ack = Ack { accepted: reader.varint()?, known: reader.varint()?, ..Ack::default() };
    if ack.taken() > 0 {
        ack.sum = u128::from_le_bytes(reader.array()?);
    }
    if reader.flag()? {
        let mut counts = [0; Refusals::REASONS];
        for count in &mut counts {
            *count = reader.varint()?;
        }
        ack.refused = Refusals::from_array(counts);
        if ack.refused.total() == 0 {
            return Err(reader.fault(MessageFault::Integer));
        }
    }
    let resume = if reader.flag()? {
        Some(Resume { from: Bound::read_first(&mut reader)?, done: reader.varint()? })
    } else {
        None
    };
    let ReadBody { doubts, ranges, ops, op_bytes } = read_body(&mut reader, space)?;
    Ok(Answer { welcome, ack, resume, doubts, ranges, ops, op_bytes })
}

pub(super) fn write_push(space: &[u8; 8], ops: OpWriter) -> Vec<u8> {
    let mut out = vec![PUSH, SYNC_VERSION];
    out.extend_from_slice(space);
    ops.finish(&mut out);
    out
}

pub(super) fn read_push<'a>(
    bytes: &'a [u8],
    space: Option<&'a str>,
    tag: &[u8; 8],
) -> Result<Vec<Unpacked<'a>>, SyncError> {
    let mut reader = Reader::new(bytes);
    open(&mut reader, PUSH)?;
    if reader.array::<8>()? != *tag {
        return Err(SyncError::OtherSpace);
    }
    let ops = ops::read(&mut reader, space)?;
    reader.end()?;
    Ok(ops)
}

/// The two bytes that every message begins with.
fn open(reader: &mut Reader<'_>, kind: u8) -> Result<(), SyncError> {
    let found = reader.byte()?;
    if found != kind {
        return Err(reader.fault(MessageFault::Tag { found }));
    }
    match reader.byte()? {
        SYNC_VERSION => Ok(()),
        found => Err(SyncError::Version { found, known: SYNC_VERSION }),
    }
}

fn write_body(body: Body, out: &mut Vec<u8>) {
    put_count(out, body.doubts.len());
    for hash in &body.doubts {
        out.extend_from_slice(hash.as_bytes());
    }
    body.ranges.finish(out);
    body.ops.finish(out);
}

struct ReadBody<'a> {
    doubts: Vec<OpHash>,
    ranges: Vec<Ranged>,
    ops: Vec<Unpacked<'a>>,
    op_bytes: usize,
}

fn read_body<'a>(reader: &mut Reader<'a>, space: Option<&'a str>) -> Result<ReadBody<'a>, SyncError> {
    let doubts = reader.count(32)?;
    if doubts > MAX_DOUBTS {
        return Err(reader.fault(MessageFault::TooMany));
    }
    let doubts: Result<Vec<OpHash>, SyncError> =
        (0..doubts).map(|_| reader.array().map(OpHash::from_bytes)).collect();
    let doubts = doubts?;
    let ranges = ranges::read(reader)?;
    let op_bytes = reader.left();
    let ops = ops::read(reader, space)?;
    reader.end()?;
    Ok(ReadBody { doubts, ranges, ops, op_bytes })
}

impl Ack {
    /// How many operations are in the log now.
    fn taken(&self) -> u64 {
        self.accepted.saturating_add(self.known)
    }

    /// How many operations it answers for.
    pub(super) fn total(&self) -> u64 {
        self.taken().saturating_add(self.refused.total())
    }
}

/// Bytes of a message that operations may fill, when it may have `limit`.
pub(super) fn room_for_ops(limit: usize) -> usize {
    limit.saturating_sub(super::limits::MIN_MESSAGE_BYTES - crate::codec::MAX_OP_BYTES)
}
