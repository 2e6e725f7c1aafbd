//! Ranges of the order and their contents, in bytes.

use super::limits::{MAX_IDS, MAX_RANGES, MAX_RANGES_BYTES};
use super::version::ProtocolVersion;
use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::sync::rbsr::{Bound, RangeContent, ShortId};

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

/// The order in which ranges are served: the oldest first in version 1, the newest first since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServingOrder {
    OldestFirst,
    NewestFirst,
}

impl ServingOrder {
    pub(crate) const fn of(version: ProtocolVersion) -> Self {
        match version {
            ProtocolVersion::V1 => Self::OldestFirst,
            ProtocolVersion::V2 => Self::NewestFirst,
        }
    }
}

/// Collects ranges in the order in which they are served, until the message is full. A message lists them in ascending
/// order.
pub(crate) struct RangeWriter {
    order: ServingOrder,
    limit: usize,
    ranges: Vec<WrittenRange>,
    /// Bytes of the ranges, and of the skips between them.
    bytes: usize,
    /// The number of ranges and of skips.
    items: usize,
    ids: usize,
}

struct WrittenRange {
    low: Bound,
    high: Bound,
    /// The item without the skip that may come before it.
    item: Vec<u8>,
}

impl RangeWriter {
    /// Creates a writer for at most `limit` bytes.
    pub(crate) fn new(order: ServingOrder, limit: usize) -> Self {
        Self { order, limit: limit.min(MAX_RANGES_BYTES), ranges: Vec::new(), bytes: 0, items: 0, ids: 0 }
    }

    pub(crate) const fn order(&self) -> ServingOrder {
        self.order
    }

    /// Adds a range that comes after those already written in the order of serving. Returns false, with nothing added,
    /// if the message is full.
    pub(crate) fn push(&mut self, low: &Bound, high: &Bound, content: &RangeContent) -> bool {
        let ids = if let RangeContent::Ids(ids) = content { ids.len() } else { 0 };
        if self.items + 2 > MAX_RANGES || self.ids + ids > MAX_IDS {
            return false;
        }
        let (mut bytes, mut items) = (self.bytes, self.items + 1);
        let mut skip = |from: &Bound, to: &Bound, count: fn(usize, usize) -> usize| {
            let len = skip_len(from, to);
            bytes = count(bytes, len);
            items = count(items, usize::from(len > 0));
        };
        let (start, last) = (Bound::start(), self.ranges.last());
        match (self.order, last) {
            (ServingOrder::OldestFirst, Some(last)) => skip(&last.high, low, usize::saturating_add),
            (ServingOrder::NewestFirst, Some(last)) => {
                // The range above was the lowest until now.
                skip(&start, &last.low, usize::saturating_sub);
                skip(high, &last.low, usize::saturating_add);
                skip(&start, low, usize::saturating_add);
            }
            (_, None) => skip(&start, low, usize::saturating_add),
        }
        let item = item_of(low, high, content);
        bytes += item.len();
        if bytes > self.limit {
            return false;
        }
        (self.bytes, self.items, self.ids) = (bytes, items, self.ids + ids);
        self.ranges.push(WrittenRange { low: low.clone(), high: high.clone(), item });
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        if self.order == ServingOrder::NewestFirst {
            self.ranges.reverse();
        }
        put_count(out, self.items);
        let mut reached = Bound::start();
        for WrittenRange { low, high, item } in self.ranges {
            if low != reached {
                out.push(SKIP);
                low.write(&reached, out);
            }
            out.extend_from_slice(&item);
            reached = high;
        }
    }
}

/// Returns the bytes of a skip from one bound to another, none if they are equal.
fn skip_len(from: &Bound, to: &Bound) -> usize {
    if from == to {
        return 0;
    }
    let mut bound = Vec::new();
    to.write(from, &mut bound);
    bound.len() + 1
}

/// Returns a range in bytes.
fn item_of(low: &Bound, high: &Bound, content: &RangeContent) -> Vec<u8> {
    let mut out = vec![match content {
        RangeContent::Fingerprint { .. } => FINGERPRINT,
        RangeContent::Ids(_) => IDS,
        RangeContent::Wants(_) => WANTS,
    }];
    high.write(low, &mut out);
    match content {
        RangeContent::Fingerprint { count, fingerprint } => {
            put_varint(&mut out, *count);
            out.extend_from_slice(fingerprint);
        }
        RangeContent::Ids(ids) => {
            put_count(&mut out, ids.len());
            out.extend(ids.iter().flatten());
        }
        RangeContent::Wants(wants) => {
            put_count(&mut out, wants.len());
            write_wants(wants, &mut out);
        }
    }
    out
}

/// Reads ranges. Skipped ranges are left out.
pub(crate) fn read(reader: &mut ByteReader<'_>) -> Result<Vec<RangeItem>, CodecError> {
    let items = reader.count(MIN_ITEM_BYTES)?;
    if items > MAX_RANGES {
        return Err(reader.fault(CodecFault::TooMany));
    }
    let before = reader.left();
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
        if before - reader.left() > MAX_RANGES_BYTES {
            return Err(reader.fault(CodecFault::TooMany));
        }
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
        let mut writer = RangeWriter::new(ServingOrder::OldestFirst, MAX_RANGES_BYTES);
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

    #[test]
    fn ranges_are_written_alike_in_either_order() {
        let bound = |t| Bound::at_time(t);
        let fingerprint = RangeContent::Fingerprint { count: 7, fingerprint: [1; 8] };
        let ids = RangeContent::Ids(vec![[2; 8]; 3]);
        // With gaps and without, from the start and to the end.
        let ranges = [
            (Bound::start(), bound(5), fingerprint.clone()),
            (bound(5), bound(9_000_000), ids.clone()),
            (bound(9_000_100), bound(9_000_200), RangeContent::Wants(vec![true; 9])),
            (bound(1 << 40), Bound::End, ids),
        ];
        for part in [&ranges[..], &ranges[1..], &ranges[..3], &ranges[2..3]] {
            let mut forward = RangeWriter::new(ServingOrder::OldestFirst, MAX_RANGES_BYTES);
            let mut backward = RangeWriter::new(ServingOrder::NewestFirst, MAX_RANGES_BYTES);
            part.iter().for_each(|(low, high, content)| assert!(forward.push(low, high, content)));
            part.iter().rev().for_each(|(low, high, content)| assert!(backward.push(low, high, content)));
            assert_eq!((forward.bytes, forward.items), (backward.bytes, backward.items));
            let bytes = forward.bytes;
            let (mut one, mut other) = (Vec::new(), Vec::new());
            forward.finish(&mut one);
            backward.finish(&mut other);
            assert_eq!(one, other);
            assert_eq!(one.len(), bytes + 1);
            assert_eq!(read(&mut ByteReader::new(&one)).unwrap().len(), part.len());
        }
    }

    /// The bounds of ranges may hold names, which a reader keeps.
    #[test]
    fn ranges_with_long_names_are_limited_by_their_bytes() {
        let name = |number: usize| format!("{number:0>1000}");
        let message = |count: usize| {
            let mut bytes = Vec::new();
            put_count(&mut bytes, count);
            for number in 0..count {
                // An empty list up to this actor at time 0.
                bytes.push(IDS);
                put_varint(&mut bytes, 3);
                put_varint(&mut bytes, 0);
                crate::codec::put_text(&mut bytes, &name(number));
                put_count(&mut bytes, 0);
            }
            bytes
        };
        let few = message(MAX_RANGES_BYTES / 1100);
        assert!(read(&mut ByteReader::new(&few)).is_ok());
        let many = message(MAX_RANGES_BYTES / 900);
        assert!(matches!(
            read(&mut ByteReader::new(&many)),
            Err(CodecError { fault: CodecFault::TooMany, .. })
        ));
    }
}
