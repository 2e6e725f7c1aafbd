//! The parts that several kinds of messages share.

use super::limits::{MAX_ALTERNATES_WANTED, MIN_MESSAGE_BYTES};
use super::ranges::{self, RangeItem, RangeWriter};
use crate::codec::packed::{OpPacker, UnpackedOp, unpack_ops};
use crate::codec::tags::{SYNC_SPACE, SYNC_VERSION};
use crate::codec::wire::{ByteReader, put_count};
use crate::codec::{CodecError, CodecFault, MAX_OP_BYTES, OpHash};
use crate::replica::Replica;
use crate::sync::error::SyncError;

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
        Self { tag: first_8(replica.crypto().hash(&message).as_bytes()), name }
    }

    /// Reads the tag of a message, which must be this one.
    pub(crate) fn read_tag(&self, reader: &mut ByteReader<'_>) -> Result<(), SyncError> {
        if reader.array()? == self.tag { Ok(()) } else { Err(SyncError::OtherSpace) }
    }
}

/// Reads the two bytes that every message begins with.
pub(crate) fn open(reader: &mut ByteReader<'_>, kind: u8) -> Result<(), SyncError> {
    let found = reader.byte()?;
    if found != kind {
        return Err(reader.fault(CodecFault::Tag { found }).into());
    }
    match reader.byte()? {
        SYNC_VERSION => Ok(()),
        found => Err(SyncError::Version { found, known: SYNC_VERSION }),
    }
}

/// The sections that follow the head of a request or an answer, to be written.
pub(crate) struct Sections {
    /// Operations of which the other side's copy is wanted.
    pub(crate) alternates_wanted: Vec<OpHash>,
    pub(crate) ranges: RangeWriter,
    pub(crate) ops: OpPacker,
}

impl Sections {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        put_count(out, self.alternates_wanted.len());
        for hash in &self.alternates_wanted {
            out.extend_from_slice(hash.as_bytes());
        }
        self.ranges.finish(out);
        self.ops.finish(out);
    }
}

/// The sections that follow the head of a request or an answer, as they were read.
pub(crate) struct ReadSections<'a> {
    pub(crate) alternates_wanted: Vec<OpHash>,
    pub(crate) ranges: Vec<RangeItem>,
    pub(crate) ops: Vec<UnpackedOp<'a>>,
    /// Bytes of the operations.
    pub(crate) op_bytes: usize,
}

impl<'a> ReadSections<'a> {
    /// Reads the sections, which end the message.
    pub(crate) fn read(reader: &mut ByteReader<'a>, space: &'a LogSpace) -> Result<Self, CodecError> {
        let count = reader.count(32)?;
        if count > MAX_ALTERNATES_WANTED {
            return Err(reader.fault(CodecFault::TooMany));
        }
        let hashes: Result<Vec<OpHash>, CodecError> =
            (0..count).map(|_| reader.array().map(OpHash::from_bytes)).collect();
        let alternates_wanted = hashes?;
        let ranges = ranges::read(reader)?;
        let op_bytes = reader.left();
        let ops = unpack_ops(reader, space.name.as_deref())?;
        reader.end()?;
        Ok(Self { alternates_wanted, ranges, ops, op_bytes })
    }
}

/// Returns the number of bytes that operations may fill in a message of at most `limit` bytes.
pub(crate) fn room_for_ops(limit: usize) -> usize {
    limit.saturating_sub(MIN_MESSAGE_BYTES - MAX_OP_BYTES)
}

/// Returns the first 8 bytes.
pub(crate) fn first_8<const N: usize>(bytes: &[u8; N]) -> [u8; 8] {
    const { assert!(N >= 8, "there are eight bytes to take") };
    bytes.first_chunk().copied().unwrap_or_default()
}
