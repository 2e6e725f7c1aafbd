//! What is said of the ranges of the order, in bytes.

use super::bound::Bound;
use super::error::{MessageFault, SyncError};
use super::limits::{MAX_IDS, MAX_RANGES, MAX_RANGES_BYTES};
use super::prf::ShortId;
use super::wire::{Reader, put_count, put_varint};

/// What one side says of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// So many operations, with this fingerprint.
    Print { count: u64, print: ShortId },
    /// These operations and no others, in order.
    Ids(Vec<ShortId>),
    /// Send me those of yours in this range, by their places in order.
    Wants(Vec<bool>),
}

/// A range and what is said of it: from the bound of the one before, or from `low`, up to `high`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranged {
    pub(super) low: Bound,
    pub(super) high: Bound,
    pub(super) said: Said,
}

const SKIP: u8 = 0;
const PRINT: u8 = 1;
const IDS: u8 = 2;
const WANTS: u8 = 3;
/// Bytes of an item: its tag and its bound.
const LEAST_ITEM: usize = 2;

/// Writes ranges in ascending order, as far as a message takes them.
pub(super) struct RangeWriter {
    out: Vec<u8>,
    items: usize,
    ids: usize,
    reached: Bound,
}

impl RangeWriter {
    pub(super) fn new() -> Self {
        Self { out: Vec::new(), items: 0, ids: 0, reached: Bound::start() }
    }

    /// Adds what is said of a range that is not before those that are there; `false` where the message is full.
    pub(super) fn push(&mut self, low: &Bound, high: &Bound, said: &Said) -> bool {
        let ids = if let Said::Ids(ids) = said { ids.len() } else { 0 };
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
        match said {
            Said::Print { count, print } => {
                self.out.push(PRINT);
                high.write(low, &mut self.out);
                put_varint(&mut self.out, *count);
                self.out.extend_from_slice(print);
            }
            Said::Ids(ids) => {
                self.out.push(IDS);
                high.write(low, &mut self.out);
                put_count(&mut self.out, ids.len());
                self.out.extend(ids.iter().flatten());
            }
            Said::Wants(places) => {
                self.out.push(WANTS);
                high.write(low, &mut self.out);
                put_count(&mut self.out, places.len());
                write_places(places, &mut self.out);
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

    pub(super) fn is_empty(&self) -> bool {
        self.items == 0
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) {
        put_count(out, self.items);
        out.extend_from_slice(&self.out);
    }
}

/// Reads ranges; those that are skipped are left out.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<Ranged>, SyncError> {
    let items = reader.count(LEAST_ITEM)?;
    if items > MAX_RANGES {
        return Err(reader.fault(MessageFault::TooMany));
    }
    let mut ranges = Vec::new();
    let mut all_ids = 0;
    let mut low = Bound::start();
    let mut skipped = false;
    for _ in 0..items {
        let tag = reader.byte()?;
        let high = Bound::read(reader, &low)?;
        let said = match tag {
            // Two in a row, or one at the end, could be left out.
            SKIP if skipped || high == Bound::End => return Err(reader.fault(MessageFault::Bound)),
            SKIP => None,
            PRINT => Some(Said::Print { count: reader.varint()?, print: reader.array()? }),
            IDS => {
                let count = reader.count(8)?;
                all_ids += count;
                if all_ids > MAX_IDS {
                    return Err(reader.fault(MessageFault::TooMany));
                }
                let ids: Result<Vec<ShortId>, SyncError> = (0..count).map(|_| reader.array()).collect();
                Some(Said::Ids(ids?))
            }
            WANTS => Some(Said::Wants(read_places(reader)?)),
            found => return Err(reader.fault(MessageFault::Tag { found })),
        };
        skipped = said.is_none();
        if let Some(said) = said {
            ranges.push(Ranged { low, high: high.clone(), said });
        }
        low = high;
    }
    if skipped {
        return Err(reader.fault(MessageFault::Bound));
    }
    Ok(ranges)
}

/// Eight places a byte, the first in the lowest bit.
fn write_places(places: &[bool], out: &mut Vec<u8>) {
    for eight in places.chunks(8) {
        let byte = eight.iter().rev().fold(0, |byte, place| (byte << 1) | u8::from(*place));
        out.push(byte);
    }
}

fn read_places(reader: &mut Reader<'_>) -> Result<Vec<bool>, SyncError> {
    let count = usize::try_from(reader.varint()?).map_err(|_| reader.fault(MessageFault::Truncated))?;
    // They answer a list of ids. A place takes a bit on the line and a byte here.
    if count > MAX_IDS {
        return Err(reader.fault(MessageFault::TooMany));
    }
    let bytes = reader.bytes(count.div_ceil(8))?;
    let mut places = Vec::with_capacity(count);
    for byte in bytes {
        let here = (count - places.len()).min(8);
        if here < 8 && byte >> here != 0 {
            return Err(reader.fault(MessageFault::Integer));
        }
        places.extend((0..here).map(|bit| byte >> bit & 1 == 1));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        for count in [0, 1, 7, 8, 9, 64, 100] {
            let places: Vec<bool> = (0..count).map(|n| n % 3 == 0).collect();
            let mut bytes = Vec::new();
            put_count(&mut bytes, count);
            write_places(&places, &mut bytes);
            assert_eq!(read_places(&mut Reader::new(&bytes)), Ok(places));
        }
        // A place behind the last.
        assert!(read_places(&mut Reader::new(&[3, 0b1000])).is_err());
        // A place more than a list has ids.
        let mut bytes = Vec::new();
        put_count(&mut bytes, MAX_IDS + 1);
        bytes.extend(vec![0; MAX_IDS / 8 + 1]);
        assert!(matches!(
            read_places(&mut Reader::new(&bytes)),
            Err(SyncError::Message { fault: MessageFault::TooMany, .. })
        ));
    }

    #[test]
    fn a_message_ends_at_its_limits() {
        let mut writer = RangeWriter::new();
        let ids = Said::Ids(vec![[1; 8]; MAX_IDS]);
        assert!(writer.push(&Bound::start(), &Bound::End, &ids));
        assert!(!writer.push(&Bound::start(), &Bound::End, &ids));
        let mut bytes = Vec::new();
        writer.finish(&mut bytes);
        assert_eq!(read(&mut Reader::new(&bytes)).unwrap().len(), 1);
        // One id more than a message may have.
        let mut bytes = vec![1, IDS, 0];
        put_count(&mut bytes, MAX_IDS + 1);
        bytes.extend(vec![0; 8 * (MAX_IDS + 1)]);
        assert!(matches!(
            read(&mut Reader::new(&bytes)),
            Err(SyncError::Message { fault: MessageFault::TooMany, .. })
        ));
    }
}
