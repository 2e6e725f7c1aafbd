//! The operations that two replicas have in common, by their numbers in one log.

use super::runs::OpRuns;
use crate::codec::CodecError;
use crate::codec::wire::{ByteReader, put_varint};
use crate::op::OpSeq;
use crate::oplog::{LogId, OpLog};

/// The operations that a session made common: everything that arrived before it began, and what it transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommonOps {
    /// Numbers below this are common.
    cursor: OpSeq,
    /// Numbers from the cursor on that are common too, because the session received them.
    received: OpRuns,
    /// The log that the numbers refer to.
    log: LogId,
}

impl CommonOps {
    pub(crate) fn new(log: &OpLog, cursor: OpSeq, received: OpRuns) -> Self {
        Self { cursor, received, log: log.id().clone() }
    }

    pub(crate) const fn cursor(&self) -> OpSeq {
        self.cursor
    }

    /// Adds an operation that the session received.
    pub(crate) fn add(&mut self, number: OpSeq) {
        if number >= self.cursor {
            self.received.insert(number);
        }
    }

    /// Returns the operations that the session received.
    pub(crate) const fn received(&self) -> &OpRuns {
        &self.received
    }

    /// Returns the number after the last common operation.
    pub(crate) fn end(&self) -> OpSeq {
        self.received.end().max(self.cursor)
    }

    /// Returns true if the numbers refer to this log.
    pub(crate) fn is_of(&self, log: &OpLog) -> bool {
        self.log == *log.id()
    }

    pub(crate) fn contains(&self, number: OpSeq) -> bool {
        number < self.cursor || self.received.contains(number)
    }

    /// Returns the numbers below `end` that are not common, in order of arrival.
    pub(crate) fn others(&self, end: OpSeq) -> impl Iterator<Item = OpSeq> + '_ {
        self.cursor.until(end).filter(|number| !self.received.contains(*number))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.cursor.into());
        self.received.write(self.cursor, out);
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>, log: &OpLog) -> Result<Self, CodecError> {
        let cursor = OpSeq::new(reader.varint_u32()?);
        Ok(Self::new(log, cursor, OpRuns::read(reader, cursor)?))
    }
}
