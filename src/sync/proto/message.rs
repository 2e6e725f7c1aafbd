//! The messages of the protocol.

use super::ack::Ack;
use super::alert::Alert;
use super::copies::{Copies, read_hashes, write_hashes};
use super::limits::MAX_CLAIMS;
use super::ranges::{self, RangeItem, RangeWriter};
use super::version::{ProtocolVersion, put_features, skip_features};
use crate::codec::tags::{ALERT, ANSWER, PUSH, REQUEST, SYNC_SPACE, SYNC_VERSION};
use crate::codec::{
    ByteReader, CodecError, CodecFault, OpHash, OpPacker, UnpackedOp, put_count, put_varint, unpack_ops,
};
use crate::crypto::first;
use crate::op::OpSeq;
use crate::replica::Replica;
use crate::sync::SyncError;
use crate::sync::authors::{AuthorFilter, UnknownAuthor, read_unknown, write_unknown};
use crate::sync::rbsr::Bound;
use crate::sync::resume::ResumeId;

/// The head of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) version: ProtocolVersion,
    pub(crate) nonce: [u8; 16],
    /// The tag of the log's space.
    pub(crate) space: [u8; 8],
    /// The number of the request in its session, from 0.
    pub(crate) round: u64,
    /// The longest answer that the initiator accepts, in bytes; in version 2, a single operation may exceed it.
    pub(crate) limit: usize,
    /// The earlier session to resume.
    pub(crate) resume: Option<ResumeId>,
    pub(crate) phase: Phase,
    /// The authors whose operations the initiator accepts.
    pub(crate) filter: AuthorFilter,
}

/// The part of the head in which the first request differs from later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Hello(Hello),
    Later {
        /// The number of operations of the responder's log that the session covers, as its welcome said.
        cursor: OpSeq,
    },
}

/// A summary of the initiator's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// Operations of the log.
    pub(crate) count: u64,
    /// Operations that the session to resume did not make common; `count` if there is none.
    pub(crate) since: u64,
    /// A digest over the newest operations.
    pub(crate) hint: [u8; 8],
}

/// A request as it was read.
pub(crate) struct SyncRequest<'a> {
    pub(crate) head: RequestHead,
    pub(crate) sections: ReadSections<'a>,
}

impl RequestHead {
    /// Returns the first 8 bytes of the nonce, by which the initiator recognizes its answers.
    pub(crate) fn tag(&self) -> [u8; 8] {
        first(&self.nonce)
    }

    /// Returns the request with this head.
    pub(crate) fn write(&self, sections: Sections) -> Vec<u8> {
        let mut out = vec![REQUEST, self.version.byte()];
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.space);
        put_varint(&mut out, self.round);
        put_count(&mut out, self.limit);
        ResumeId::put(self.resume, &mut out);
        match self.phase {
            Phase::Hello(hello) => {
                out.push(0);
                put_varint(&mut out, hello.count);
                if self.resume.is_some() {
                    put_varint(&mut out, hello.since);
                }
                out.extend_from_slice(&hello.hint);
                if self.version >= ProtocolVersion::V2 {
                    put_features(&mut out);
                }
            }
            Phase::Later { cursor } => {
                out.push(1);
                put_varint(&mut out, cursor.into());
            }
        }
        if self.version >= ProtocolVersion::V2 {
            self.filter.write(&mut out);
        }
        sections.write(self.version, &mut out);
        out
    }

    fn read(reader: &mut ByteReader<'_>, space: &LogSpace) -> Result<Self, SyncError> {
        let version = open(reader, REQUEST)?;
        let nonce = reader.array()?;
        space.read_tag(reader)?;
        let round = reader.varint()?;
        let limit = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        let resume = if reader.flag()? { ResumeId::from_bytes(&reader.array()?) } else { None };
        let phase = if reader.flag()? {
            Phase::Later { cursor: OpSeq::new(reader.varint_u32()?) }
        } else {
            let count = reader.varint()?;
            let since = if resume.is_some() { reader.varint()? } else { count };
            let hint = reader.array()?;
            if version >= ProtocolVersion::V2 {
                skip_features(reader)?;
            }
            Phase::Hello(Hello { count, since, hint })
        };
        let filter = match version {
            ProtocolVersion::V1 => AuthorFilter::All,
            ProtocolVersion::V2 => AuthorFilter::read(reader)?,
        };
        Ok(Self { version, nonce, space: space.tag, round, limit, resume, phase, filter })
    }
}

impl<'a> SyncRequest<'a> {
    pub(crate) fn read(bytes: &'a [u8], space: &'a LogSpace) -> Result<Self, SyncError> {
        let mut reader = ByteReader::new(bytes);
        let head = RequestHead::read(&mut reader, space)?;
        let sections = ReadSections::read(&mut reader, space, head.version)?;
        Ok(Self { head, sections })
    }
}

/// The responder's part of the first answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) nonce: [u8; 16],
    /// The number of operations of the responder's log that the session covers.
    pub(crate) cursor: OpSeq,
    /// True if the responder resumes the earlier session.
    pub(crate) resumed: bool,
    /// The number of operations to compare.
    pub(crate) count: u64,
    /// The sum over the operations to compare.
    pub(crate) total: u128,
    /// The longest request that the responder accepts, in bytes.
    pub(crate) limit: usize,
    /// The authors whose operations the responder accepts.
    pub(crate) filter: AuthorFilter,
    /// Operations that the responder leaves out because the initiator does not accept their authors.
    pub(crate) left_out: u64,
    /// Some of these authors.
    pub(crate) unknown: Vec<UnknownAuthor>,
    /// The responder's admission tag.
    pub(crate) tag: [u8; 8],
    /// Operations of which the initiator refused other copies than the responder's.
    pub(crate) renewed: Vec<OpHash>,
}

/// The place at which an answer was full. The initiator repeats its request: in version 1 from there on, since for what
/// lies before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Continuation {
    pub(crate) from: Bound,
    /// The number of operations of the range around `from` that were dealt with.
    pub(crate) done: u64,
}

/// An answer with its sections, to be written or as they were read.
pub(crate) struct SyncAnswer<S> {
    pub(crate) welcome: Option<Welcome>,
    pub(crate) ack: Ack,
    pub(crate) continuation: Option<Continuation>,
    pub(crate) sections: S,
}

impl SyncAnswer<Sections> {
    /// Returns the answer to the request with this head.
    pub(crate) fn write(self, head: &RequestHead) -> Vec<u8> {
        let mut out = vec![ANSWER, head.version.byte()];
        out.extend_from_slice(&head.tag());
        put_varint(&mut out, head.round);
        out.push(u8::from(self.welcome.is_some()));
        if let Some(welcome) = self.welcome {
            welcome.write(head.version, &mut out);
        }
        self.ack.write(head.version, &mut out);
        out.push(u8::from(self.continuation.is_some()));
        if let Some(Continuation { from, done }) = self.continuation {
            from.write(&Bound::start(), &mut out);
            put_varint(&mut out, done);
        }
        self.sections.write(head.version, &mut out);
        out
    }
}

impl<'a> SyncAnswer<ReadSections<'a>> {
    /// Reads the answer to request number `round` of the session with this tag.
    pub(crate) fn read(
        bytes: &'a [u8],
        space: &'a LogSpace,
        version: ProtocolVersion,
        tag: [u8; 8],
        round: u64,
    ) -> Result<Self, SyncError> {
        let mut reader = ByteReader::new(bytes);
        if reader.next_is(ALERT) {
            reader.byte()?;
            return Err(SyncError::AlertReceived(Alert::read(&mut reader)?));
        }
        expect_version(open(&mut reader, ANSWER)?, version)?;
        let answered: ([u8; 8], u64) = (reader.array()?, reader.varint()?);
        if answered != (tag, round) {
            return Err(SyncError::Stray);
        }
        let welcome = if reader.flag()? { Some(Welcome::read(&mut reader, version)?) } else { None };
        let ack = Ack::read(&mut reader, version)?;
        let continuation = if reader.flag()? {
            Some(Continuation { from: Bound::read_first(&mut reader)?, done: reader.varint()? })
        } else {
            None
        };
        let sections = ReadSections::read(&mut reader, space, version)?;
        Ok(Self { welcome, ack, continuation, sections })
    }
}

impl Welcome {
    fn write(&self, version: ProtocolVersion, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.nonce);
        put_varint(out, self.cursor.into());
        out.push(u8::from(self.resumed));
        put_varint(out, self.count);
        out.extend_from_slice(&self.total.to_le_bytes());
        put_count(out, self.limit);
        if version >= ProtocolVersion::V2 {
            self.filter.write(out);
            put_varint(out, self.left_out);
            write_unknown(&self.unknown, out);
            out.extend_from_slice(&self.tag);
            write_hashes(&self.renewed, out);
            put_features(out);
        }
    }

    fn read(reader: &mut ByteReader<'_>, version: ProtocolVersion) -> Result<Self, CodecError> {
        let mut welcome = Self {
            nonce: reader.array()?,
            cursor: OpSeq::new(reader.varint_u32()?),
            resumed: reader.flag()?,
            count: reader.varint()?,
            total: u128::from_le_bytes(reader.array()?),
            limit: usize::try_from(reader.varint()?).unwrap_or(usize::MAX),
            filter: AuthorFilter::All,
            left_out: 0,
            unknown: Vec::new(),
            tag: [0; 8],
            renewed: Vec::new(),
        };
        if version >= ProtocolVersion::V2 {
            welcome.filter = AuthorFilter::read(reader)?;
            welcome.left_out = reader.varint()?;
            welcome.unknown = read_unknown(reader)?;
            welcome.tag = reader.array()?;
            welcome.renewed = read_hashes(reader, MAX_CLAIMS)?;
            skip_features(reader)?;
        }
        Ok(welcome)
    }
}

pub(crate) fn write_push(version: ProtocolVersion, space: &LogSpace, ops: OpPacker) -> Vec<u8> {
    let mut out = vec![PUSH, version.byte()];
    out.extend_from_slice(&space.tag);
    ops.finish(&mut out);
    out
}

pub(crate) fn read_push<'a>(
    version: ProtocolVersion,
    bytes: &'a [u8],
    space: &'a LogSpace,
) -> Result<Vec<UnpackedOp<'a>>, SyncError> {
    let mut reader = ByteReader::new(bytes);
    expect_version(open(&mut reader, PUSH)?, version)?;
    space.read_tag(&mut reader)?;
    let ops = unpack_ops(&mut reader, space.name.as_deref())?;
    reader.end()?;
    Ok(ops)
}

/// The space of a log: its name, and its tag in messages.
#[derive(Clone)]
pub(crate) struct LogSpace {
    pub(crate) name: Option<String>,
    /// Shows two sides that their spaces differ, without telling a stranger the name.
    pub(crate) tag: [u8; 8],
}

impl LogSpace {
    pub(crate) fn of(replica: &Replica) -> Self {
        let name = replica.log().space().map(str::to_owned);
        let mut message = SYNC_SPACE.to_vec();
        // A space is never empty.
        message.extend_from_slice(name.as_deref().unwrap_or_default().as_bytes());
        Self { tag: replica.crypto().hash(&message).first(), name }
    }

    /// Reads the tag of a message, which must be this one.
    pub(crate) fn read_tag(&self, reader: &mut ByteReader<'_>) -> Result<(), SyncError> {
        if reader.array()? == self.tag { Ok(()) } else { Err(SyncError::OtherSpace) }
    }
}

/// Reads the two bytes that every message begins with. Returns the version.
fn open(reader: &mut ByteReader<'_>, kind: u8) -> Result<ProtocolVersion, SyncError> {
    let found = reader.byte()?;
    if found != kind {
        return Err(reader.fault(CodecFault::Tag { found }).into());
    }
    let found = reader.byte()?;
    ProtocolVersion::of_byte(found).ok_or(SyncError::Version { found, known: SYNC_VERSION })
}

/// Checks that a message has the version in which the two sides speak.
fn expect_version(found: ProtocolVersion, expected: ProtocolVersion) -> Result<(), SyncError> {
    if found == expected {
        Ok(())
    } else {
        Err(SyncError::Version { found: found.byte(), known: expected.byte() })
    }
}

/// The sections that follow the head of a request or an answer, to be written.
pub(crate) struct Sections {
    pub(crate) copies: Copies,
    pub(crate) ranges: RangeWriter,
    pub(crate) ops: OpPacker,
}

impl Sections {
    pub(crate) fn write(self, version: ProtocolVersion, out: &mut Vec<u8>) {
        self.copies.write(version, out);
        self.ranges.finish(out);
        self.ops.finish(out);
    }
}

/// The sections that follow the head of a request or an answer, as they were read.
pub(crate) struct ReadSections<'a> {
    pub(crate) copies: Copies,
    pub(crate) ranges: Vec<RangeItem>,
    pub(crate) ops: Vec<UnpackedOp<'a>>,
    /// Bytes of the operations.
    pub(crate) op_bytes: usize,
}

impl<'a> ReadSections<'a> {
    /// Reads the sections, which end the message.
    pub(crate) fn read(
        reader: &mut ByteReader<'a>,
        space: &'a LogSpace,
        version: ProtocolVersion,
    ) -> Result<Self, CodecError> {
        let copies = Copies::read(reader, version)?;
        let ranges = ranges::read(reader)?;
        let op_bytes = reader.left();
        let ops = unpack_ops(reader, space.name.as_deref())?;
        reader.end()?;
        Ok(Self { copies, ranges, ops, op_bytes })
    }
}
