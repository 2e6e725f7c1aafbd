//! Answers, the messages of a responder.

use super::alert::Alert;
use super::message::{LogSpace, ReadSections, Sections, open};
use super::request::RequestHead;
use crate::codec::tags::{ALERT, ANSWER, SYNC_VERSION};
use crate::codec::wire::{ByteReader, put_count, put_varint};
use crate::codec::{CodecError, CodecFault};
use crate::op::OpSeq;
use crate::sync::error::SyncError;
use crate::sync::ingest::Refusals;
use crate::sync::rbsr::Bound;

/// The responder's part of the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// The outcome of the operations of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Operations that were new in the responder's log.
    pub(crate) new_ops: u64,
    /// Operations that were in the responder's log already.
    pub(crate) duplicates: u64,
    pub(crate) refused: Refusals,
    /// The sum over the operations that are in the log now, each once. It shows that they are the ones that were sent.
    pub(crate) sum: u128,
}

/// The place from which a full answer asks the initiator to repeat its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Continuation {
    pub(crate) from: Bound,
    /// The number of operations of the range around `from` that were dealt with.
    pub(crate) done: u64,
}

/// An answer as it was read.
pub(crate) struct SyncAnswer<'a> {
    pub(crate) welcome: Option<Welcome>,
    pub(crate) ack: Ack,
    pub(crate) continuation: Option<Continuation>,
    pub(crate) sections: ReadSections<'a>,
}

/// Returns the answer to the request with this head.
pub(crate) fn write_answer(
    head: &RequestHead,
    welcome: Option<&Welcome>,
    ack: &Ack,
    continuation: Option<&Continuation>,
    sections: Sections,
) -> Vec<u8> {
    let mut out = vec![ANSWER, SYNC_VERSION];
    out.extend_from_slice(&head.tag());
    put_varint(&mut out, head.round);
    match welcome {
        None => out.push(0),
        Some(welcome) => {
            out.push(1);
            welcome.write(&mut out);
        }
    }
    ack.write(&mut out);
    match continuation {
        None => out.push(0),
        Some(Continuation { from, done }) => {
            out.push(1);
            from.write(&Bound::start(), &mut out);
            put_varint(&mut out, *done);
        }
    }
    sections.write(&mut out);
    out
}

impl<'a> SyncAnswer<'a> {
    /// Reads the answer to request number `round` of the session with this tag.
    pub(crate) fn read(
        bytes: &'a [u8],
        space: &'a LogSpace,
        tag: [u8; 8],
        round: u64,
    ) -> Result<Self, SyncError> {
        let mut reader = ByteReader::new(bytes);
        if reader.next_is(ALERT) {
            reader.byte()?;
            return Err(SyncError::AlertReceived(Alert::read(&mut reader)?));
        }
        open(&mut reader, ANSWER)?;
        let answered: ([u8; 8], u64) = (reader.array()?, reader.varint()?);
        if answered != (tag, round) {
            return Err(SyncError::Stray);
        }
        let welcome = if reader.flag()? { Some(Welcome::read(&mut reader)?) } else { None };
        let ack = Ack::read(&mut reader)?;
        let continuation = if reader.flag()? {
            Some(Continuation { from: Bound::read_first(&mut reader)?, done: reader.varint()? })
        } else {
            None
        };
        let sections = ReadSections::read(&mut reader, space)?;
        Ok(Self { welcome, ack, continuation, sections })
    }
}

impl Welcome {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.nonce);
        put_varint(out, self.cursor.into());
        out.push(u8::from(self.resumed));
        put_varint(out, self.count);
        out.extend_from_slice(&self.total.to_le_bytes());
        put_count(out, self.limit);
    }

    fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            nonce: reader.array()?,
            cursor: OpSeq::new(reader.varint_u32()?),
            resumed: reader.flag()?,
            count: reader.varint()?,
            total: u128::from_le_bytes(reader.array()?),
            limit: usize::try_from(reader.varint()?).unwrap_or(usize::MAX),
        })
    }
}

impl Ack {
    /// Returns the number of operations that are in the responder's log now.
    fn accepted(&self) -> u64 {
        self.new_ops.saturating_add(self.duplicates)
    }

    /// Returns the number of operations that the answer acknowledges.
    pub(crate) fn total(&self) -> u64 {
        self.accepted().saturating_add(self.refused.total())
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.new_ops);
        put_varint(out, self.duplicates);
        if self.accepted() > 0 {
            out.extend_from_slice(&self.sum.to_le_bytes());
        }
        let refused = self.refused.total() > 0;
        out.push(u8::from(refused));
        if refused {
            self.refused.to_array().into_iter().for_each(|count| put_varint(out, count));
        }
    }

    fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let mut ack = Self { new_ops: reader.varint()?, duplicates: reader.varint()?, ..Self::default() };
        if ack.accepted() > 0 {
            ack.sum = u128::from_le_bytes(reader.array()?);
        }
        if reader.flag()? {
            let mut counts = [0; Refusals::REASONS];
            for count in &mut counts {
                *count = reader.varint()?;
            }
            ack.refused = Refusals::from_array(counts);
            if ack.refused.total() == 0 {
                return Err(reader.fault(CodecFault::Integer));
            }
        }
        Ok(ack)
    }
}
