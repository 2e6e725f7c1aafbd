//! Ranges of the order and their contents, in bytes.

use super::limits::{MAX_IDS, MAX_RANGES, MAX_RANGES_BYTES};
use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::sync::rbsr::{Bound, ShortId};

/// One side's description of its operations in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RangeContent {
    /// The number of operations and their fingerprint.
    Fingerprint { count: u64, fingerprint: ShortId },
    /// All operations, in order.
    Ids(Vec<ShortId>),
    /// For each operation of the other side's range, in order, true if it should be sent.
    Wants(Vec<bool>),
}

/// A range, from `low` up to but not including `high`, and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RangeItem {
    pub(crate) low: Bound,
    pub(crate) high: Bound,
    pub(crate) content: RangeContent,
}

const SKIP: u8 = 0;
const FINGERPRINT: u8 = 1;
const IDS: u8 = 2;
const WANTS: u8 = 3;
/// Bytes of the shortest item: its tag and its bound.
const MIN_ITEM_BYTES: usize = 2;

/// Writes ranges in ascending order until the message is full.
pub(crate) struct RangeWriter {
    out: Vec<u8>,
    items: usize,
    ids: usize,
    reached: Bound,
}

impl RangeWriter {
    pub(crate) fn new() -> Self {
        Self { out: Vec::new(), items: 0, ids: 0, reached: Bound::start() }
    }

    /// Adds a range that is not before those already written. Returns false, with nothing added, if the message is
    /// full.
    pub(crate) fn push(&mut self, low: &Bound, high: &Bound, content: &RangeContent) -> bool {
        let ids = if let RangeContent::Ids(ids) = content { ids.len() } else { 0 };
        if self.items + 2 > MAX_RANGES || self.ids + ids > MAX_IDS {
            return false;
        }
        let before = self.out.len();
        let mut items = 1;
        if *low != self.reached {
            self.out.push(SKIP);
            low.write(&self.reached, &mut self.out);
            items = 2;
        }
        self.out.push(match content {
            RangeContent::Fingerprint { .. } => FINGERPRINT,
            RangeContent::Ids(_) => IDS,
            RangeContent::Wants(_) => WANTS,
        });
        high.write(low, &mut self.out);
        match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                put_varint(&mut self.out, *count);
                self.out.extend_from_slice(fingerprint);
            }
            RangeContent::Ids(ids) => {
                put_count(&mut self.out, ids.len());
                self.out.extend(ids.iter().flatten());
            }
            RangeContent::Wants(wants) => {
                put_count(&mut self.out, wants.len());
                write_wants(wants, &mut self.out);
            }
        }
        if self.out.len() > MAX_RANGES_BYTES {
            self.out.truncate(before);
            return false;
        }
        self.items += items;
        self.ids += ids;
        self.reached = high.clone();
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items == 0
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        put_count(out, self.items);
        out.extend_from_slice(&self.out);
    }
}

/// Reads ranges. Skipped ranges are left out.
pub(crate) fn read(reader: &mut ByteReader<'_>) -> Result<Vec<RangeItem>, CodecError> {
    let items = reader.count(MIN_ITEM_BYTES)?;
    if items > MAX_RANGES {
        return Err(reader.fault(CodecFault::TooMany));
    }
    let mut ranges = Vec::new();
    let mut all_ids = 0;
    let mut low = Bound::start();
    let mut skipped = false;
    for _ in 0..items {
        let tag = reader.byte()?;
        let high = Bound::read(reader, &low)?;
        let content = match tag {
            // A second skip in a row, or a skip at the end, is redundant.
            SKIP if skipped || high == Bound::End => return Err(reader.fault(CodecFault::Bound)),
            SKIP => None,
            FINGERPRINT => {
                Some(RangeContent::Fingerprint { count: reader.varint()?, fingerprint: reader.array()? })
            }
            IDS => {
                let count = reader.count(8)?;
                all_ids += count;
                if all_ids > MAX_IDS {
                    return Err(reader.fault(CodecFault::TooMany));
                }
                let ids: Result<Vec<ShortId>, CodecError> = (0..count).map(|_| reader.array()).collect();
                Some(RangeContent::Ids(ids?))
            }
            WANTS => Some(RangeContent::Wants(read_wants(reader)?)),
            found => return Err(reader.fault(CodecFault::Tag { found })),
        };
        skipped = content.is_none();
        if let Some(content) = content {
            ranges.push(RangeItem { low, high: high.clone(), content });
        }
        low = high;
    }
    if skipped {
        return Err(reader.fault(CodecFault::Bound));
    }
    Ok(ranges)
}

/// Writes eight flags a byte, the first in the lowest bit.
fn write_wants(wants: &[bool], out: &mut Vec<u8>) {
    for eight in wants.chunks(8) {
        let byte = eight.iter().rev().fold(0, |byte, wanted| (byte << 1) | u8::from(*wanted));
        out.push(byte);
    }
}

fn read_wants(reader: &mut ByteReader<'_>) -> Result<Vec<bool>, CodecError> {
    let count = usize::try_from(reader.varint()?).map_err(|_| reader.fault(CodecFault::Truncated))?;
    // They answer a list of ids. A flag takes a bit in the message and a byte here.
    if count > MAX_IDS {
        return Err(reader.fault(CodecFault::TooMany));
    }
    let bytes = reader.bytes(count.div_ceil(8))?;
    let mut wants = Vec::with_capacity(count);
    for byte in bytes {
        let here = (count - wants.len()).min(8);
        if here < 8 && byte >> here != 0 {
            return Err(reader.fault(CodecFault::Integer));
        }
        wants.extend((0..here).map(|bit| byte >> bit & 1 == 1));
    }
    Ok(wants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_are_read_as_they_were_written() {
        for count in [0, 1, 7, 8, 9, 64, 100] {
            let wants: Vec<bool> = (0..count).map(|n| n % 3 == 0).collect();
            let mut bytes = Vec::new();
            put_count(&mut bytes, count);
            write_wants(&wants, &mut bytes);
            assert_eq!(read_wants(&mut ByteReader::new(&bytes)), Ok(wants));
        }
        // A flag after the last.
        assert!(read_wants(&mut ByteReader::new(&[3, 0b1000])).is_err());
        // One flag more than a list has ids.
        let mut bytes = Vec::new();
        put_count(&mut bytes, MAX_IDS + 1);
        bytes.extend(vec![0; MAX_IDS / 8 + 1]);
        assert!(matches!(
            read_wants(&mut ByteReader::new(&bytes)),
            Err(CodecError { fault: CodecFault::TooMany, .. })
        ));
    }

    #[test]
    fn a_message_ends_at_its_limits() {
        let mut writer = RangeWriter::new();
        let ids = RangeContent::Ids(vec![[1; 8]; MAX_IDS]);
        assert!(writer.push(&Bound::start(), &Bound::End, &ids));
        assert!(!writer.push(&Bound::start(), &Bound::End, &ids));
        let mut bytes = Vec::new();
        writer.finish(&mut bytes);
        assert_eq!(read(&mut ByteReader::new(&bytes)).unwrap().len(), 1);
        // One id more than a message may have.
        let mut bytes = vec![1, IDS, 0];
        put_count(&mut bytes, MAX_IDS + 1);
        bytes.extend(vec![0; 8 * (MAX_IDS + 1)]);
        assert!(matches!(
            read(&mut ByteReader::new(&bytes)),
            Err(CodecError { fault: CodecFault::TooMany, .. })
        ));
    }
}
