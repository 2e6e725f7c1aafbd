//! Requests, the messages of an initiator.

use super::message::{LogSpace, ReadSections, Sections, first_8, open};
use crate::codec::tags::{REQUEST, SYNC_VERSION};
use crate::codec::wire::{ByteReader, put_count, put_varint};
use crate::op::OpSeq;
use crate::sync::error::SyncError;
use crate::sync::resume::ResumeId;

/// The head of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) nonce: [u8; 16],
    /// The tag of the log's space.
    pub(crate) space: [u8; 8],
    /// The number of the request in its session, from 0.
    pub(crate) round: u64,
    /// The longest answer that the initiator accepts, in bytes.
    pub(crate) limit: usize,
    /// The earlier session to resume.
    pub(crate) resume: Option<ResumeId>,
    pub(crate) phase: Phase,
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
        first_8(&self.nonce)
    }

    /// Returns the request with this head.
    pub(crate) fn write(&self, sections: Sections) -> Vec<u8> {
        let mut out = vec![REQUEST, SYNC_VERSION];
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.space);
        put_varint(&mut out, self.round);
        put_count(&mut out, self.limit);
        match self.resume {
            None => out.push(0),
            Some(id) => {
                out.push(1);
                out.extend_from_slice(&id.to_bytes());
            }
        }
        match self.phase {
            Phase::Hello(hello) => {
                out.push(0);
                put_varint(&mut out, hello.count);
                if self.resume.is_some() {
                    put_varint(&mut out, hello.since);
                }
                out.extend_from_slice(&hello.hint);
            }
            Phase::Later { cursor } => {
                out.push(1);
                put_varint(&mut out, cursor.into());
            }
        }
        sections.write(&mut out);
        out
    }

    fn read(reader: &mut ByteReader<'_>, space: &LogSpace) -> Result<Self, SyncError> {
        open(reader, REQUEST)?;
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
            Phase::Hello(Hello { count, since, hint: reader.array()? })
        };
        Ok(Self { nonce, space: space.tag, round, limit, resume, phase })
    }
}

impl<'a> SyncRequest<'a> {
    pub(crate) fn read(bytes: &'a [u8], space: &'a LogSpace) -> Result<Self, SyncError> {
        let mut reader = ByteReader::new(bytes);
        let head = RequestHead::read(&mut reader, space)?;
        Ok(Self { head, sections: ReadSections::read(&mut reader, space)? })
    }
}
