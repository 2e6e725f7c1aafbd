//! The bounds of ranges in the total order.

use std::cmp::Ordering;

use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_text, put_varint};
use crate::hlc::Hlc;
use crate::op::{MAX_IDENTIFIER_BYTES, OpSeq};
use crate::sync::rbsr::Entries;
use crate::value::utf16_cmp;

/// A position in the total order (time, counter, actor, hash), before every operation that is equal or greater. There
/// need not be an equal operation. A key may be shortened to what tells two neighbours apart; the rest is then the
/// lowest possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderKey {
    t: u64,
    c: u32,
    actor: Box<str>,
    /// The first bytes of a hash. The last of them is not zero.
    hash: Vec<u8>,
}

/// A bound of a range.
// In this order: the derived `Ord` puts `End` after all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    At(OrderKey),
    /// After all operations.
    End,
}

// The last part of the key that is sent.
const TIME: u64 = 0;
const COUNTER: u64 = 1;
const ACTOR: u64 = 2;
const HASH: u64 = 3;

impl Bound {
    /// Returns the bytes that it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::At(key) => key.actor.len() + key.hash.capacity(),
            Self::End => 0,
        }
    }

    /// Returns the bound before all operations.
    pub(crate) fn start() -> Self {
        Self::At(OrderKey { t: 0, c: 0, actor: "".into(), hash: Vec::new() })
    }

    /// Returns the bound before all operations of this time.
    #[cfg(test)]
    pub(crate) fn at_time(t: u64) -> Self {
        Self::At(OrderKey { t, c: 0, actor: "".into(), hash: Vec::new() })
    }

    /// Returns the shortest bound between two neighbours in the order.
    pub(crate) fn between(entries: Entries<'_>, before: OpSeq, after: OpSeq) -> Self {
        let (earlier, later) = (entries.ts(before), entries.ts(after));
        let mut key = OrderKey { t: later.t(), c: 0, actor: "".into(), hash: Vec::new() };
        if earlier.t() == later.t() {
            key.c = later.c();
            if earlier.c() == later.c() {
                key.actor = entries.actor(after).into();
                if entries.actor(before) == entries.actor(after) {
                    let (low, high) = (entries.hash(before).as_bytes(), entries.hash(after).as_bytes());
                    let same = low.iter().zip(high).take_while(|(low, high)| low == high).count();
                    key.hash.extend(high.iter().take(same + 1));
                }
            }
        }
        Self::At(key)
    }

    /// Returns the last part of the key that [`Bound::between`] would need.
    pub(crate) fn level_between(entries: Entries<'_>, before: OpSeq, after: OpSeq) -> u64 {
        let (earlier, later) = (entries.ts(before), entries.ts(after));
        if earlier.t() != later.t() {
            TIME
        } else if earlier.c() != later.c() {
            COUNTER
        } else if entries.actor(before) != entries.actor(after) {
            ACTOR
        } else {
            HASH
        }
    }

    /// Returns true if the operation comes before the bound.
    pub(crate) fn is_after(&self, entries: Entries<'_>, number: OpSeq) -> bool {
        let Self::At(key) = self else { return true };
        let ts = entries.ts(number);
        (ts.t(), ts.c())
            .cmp(&(key.t, key.c))
            .then_with(|| utf16_cmp(entries.actor(number), &key.actor))
            .then_with(|| entries.hash(number).as_bytes().as_slice().cmp(&key.hash))
            .is_lt()
    }

    /// Returns the bound in bytes, to be kept.
    pub(crate) fn to_bytes(&self) -> Box<[u8]> {
        let mut bytes = Vec::new();
        self.write(&Self::start(), &mut bytes);
        bytes.into()
    }

    /// Reads a bound that was kept; `None` if the bytes have another form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        let bound = Self::read_first(&mut reader).ok()?;
        reader.end().ok().map(|()| bound)
    }

    /// Appends the bound, relative to a lower bound.
    pub(crate) fn write(&self, previous: &Self, out: &mut Vec<u8>) {
        let Self::At(key) = self else {
            out.push(0);
            return;
        };
        let level = match key {
            OrderKey { hash, .. } if !hash.is_empty() => HASH,
            OrderKey { actor, .. } if !actor.is_empty() => ACTOR,
            OrderKey { c: 1.., .. } => COUNTER,
            _ => TIME,
        };
        let base = if let Self::At(previous) = previous { previous.t } else { 0 };
        put_varint(out, ((key.t.saturating_sub(base) << 2) | level) + 1);
        if level >= COUNTER {
            put_varint(out, key.c.into());
        }
        if level >= ACTOR {
            put_text(out, &key.actor);
        }
        if level >= HASH {
            put_count(out, key.hash.len());
            out.extend_from_slice(&key.hash);
        }
    }

    /// Reads a bound without one before it.
    pub(crate) fn read_first(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let start = Self::start();
        if reader.next_is(1) {
            reader.byte()?;
            return Ok(start);
        }
        Self::read(reader, &start)
    }

    /// Reads a bound, which must be greater than the previous bound.
    pub(crate) fn read(reader: &mut ByteReader<'_>, previous: &Self) -> Result<Self, CodecError> {
        let Self::At(before) = previous else { return Err(reader.fault(CodecFault::Bound)) };
        let Some(code) = reader.varint()?.checked_sub(1) else { return Ok(Self::End) };
        let fault = |reader: &ByteReader<'_>| reader.fault(CodecFault::Bound);
        let t = before.t.checked_add(code >> 2).filter(|t| *t <= Hlc::MAX.t());
        let level = code & 3;
        let mut key =
            OrderKey { t: t.ok_or_else(|| fault(reader))?, c: 0, actor: "".into(), hash: Vec::new() };
        if level >= COUNTER {
            key.c = reader.varint_u32()?;
        }
        if level >= ACTOR {
            key.actor = reader.text()?.into();
        }
        if level >= HASH {
            let len = reader.count(1)?;
            key.hash = reader.bytes(len.min(33))?.to_vec();
        }
        let shortest = match level {
            TIME => true,
            COUNTER => key.c > 0,
            ACTOR => !key.actor.is_empty(),
            _ => key.hash.last().is_some_and(|last| *last != 0),
        };
        let in_range =
            key.c <= Hlc::MAX.c() && key.actor.len() <= MAX_IDENTIFIER_BYTES && key.hash.len() <= 32;
        let bound = Self::At(key);
        if !shortest || !in_range || bound <= *previous {
            return Err(fault(reader));
        }
        Ok(bound)
    }
}

impl Ord for OrderKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.t, self.c)
            .cmp(&(other.t, other.c))
            .then_with(|| utf16_cmp(&self.actor, &other.actor))
            // A shorter hash sorts as if zeros followed, because its last byte is not zero.
            .then_with(|| self.hash.cmp(&other.hash))
    }
}

impl PartialOrd for OrderKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
