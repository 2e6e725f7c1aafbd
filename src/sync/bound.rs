//! Where a range of the total order begins and ends.

use std::cmp::Ordering;

use super::error::{MessageFault, SyncError};
use super::wire::{Reader, put_text, put_varint};
use crate::hlc::Hlc;
use crate::op::{MAX_IDENTIFIER_BYTES, OpSeq};
use crate::oplog::Index;
use crate::value::utf16_cmp;

/// A place between operations in the total order (time, counter, actor, hash): before every operation that is at least
/// this. No operation need be there. As much of the key as is needed to tell two neighbours apart; what is left out is
/// the least there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    t: u64,
    c: u32,
    actor: Box<str>,
    /// The first bytes of a hash; the last is not zero.
    hash: Vec<u8>,
}

/// A bound of a range: a place, or behind everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    At(Key),
    End,
}

// How much of the key is told.
const TIME: u64 = 0;
const COUNTER: u64 = 1;
const ACTOR: u64 = 2;
const HASH: u64 = 3;

impl Bound {
    /// Before everything.
    pub(super) fn start() -> Self {
        Self::At(Key { t: 0, c: 0, actor: "".into(), hash: Vec::new() })
    }

    /// Before everything of this time.
    #[cfg(test)]
    pub(super) fn at_time(t: u64) -> Self {
        Self::At(Key { t, c: 0, actor: "".into(), hash: Vec::new() })
    }

    /// The shortest bound between two neighbours of the order.
    pub(super) fn between(index: &Index, before: OpSeq, after: OpSeq) -> Self {
        let (earlier, later) = (index.ts(before), index.ts(after));
        let mut key = Key { t: later.t(), c: 0, actor: "".into(), hash: Vec::new() };
        if earlier.t() == later.t() {
            key.c = later.c();
            if earlier.c() == later.c() {
                key.actor = index.actor(after).into();
                if index.actor(before) == index.actor(after) {
                    let (low, high) = (index.hash(before).as_bytes(), index.hash(after).as_bytes());
                    let same = low.iter().zip(high).take_while(|(low, high)| low == high).count();
                    key.hash.extend(high.iter().take(same + 1));
                }
            }
        }
        Self::At(key)
    }

    /// How much of the key [`Bound::between`] would need.
    pub(super) fn level_between(index: &Index, before: OpSeq, after: OpSeq) -> u64 {
        let (earlier, later) = (index.ts(before), index.ts(after));
        if earlier.t() != later.t() {
            TIME
        } else if earlier.c() != later.c() {
            COUNTER
        } else if index.actor(before) != index.actor(after) {
            ACTOR
        } else {
            HASH
        }
    }

    /// Whether the operation comes before the bound.
    pub(super) fn is_after(&self, index: &Index, seq: OpSeq) -> bool {
        let Self::At(key) = self else { return true };
        let ts = index.ts(seq);
        (ts.t(), ts.c())
            .cmp(&(key.t, key.c))
            .then_with(|| utf16_cmp(index.actor(seq), &key.actor))
            .then_with(|| index.hash(seq).as_bytes().as_slice().cmp(&key.hash))
            .is_lt()
    }

    /// Appends the bound, relative to one before it.
    pub(super) fn write(&self, previous: &Self, out: &mut Vec<u8>) {
        let Self::At(key) = self else {
            out.push(0);
            return;
        };
        let level = match key {
            Key { hash, .. } if !hash.is_empty() => HASH,
            Key { actor, .. } if !actor.is_empty() => ACTOR,
            Key { c: 1.., .. } => COUNTER,
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
            super::wire::put_count(out, key.hash.len());
            out.extend_from_slice(&key.hash);
        }
    }

    /// Reads a bound that nothing stands before.
    pub(super) fn read_first(reader: &mut Reader<'_>) -> Result<Self, SyncError> {
        let start = Self::start();
        if reader.next_is(1) {
            reader.byte()?;
            return Ok(start);
        }
        Self::read(reader, &start)
    }

    /// Reads a bound, which must be greater than the one before it.
    pub(super) fn read(reader: &mut Reader<'_>, previous: &Self) -> Result<Self, SyncError> {
        let Self::At(before) = previous else { return Err(reader.fault(MessageFault::Bound)) };
        let Some(code) = reader.varint()?.checked_sub(1) else { return Ok(Self::End) };
        let fault = |reader: &Reader<'_>| reader.fault(MessageFault::Bound);
        let t = before.t.checked_add(code >> 2).filter(|t| *t <= Hlc::MAX.t());
        let level = code & 3;
        let mut key = Key { t: t.ok_or_else(|| fault(reader))?, c: 0, actor: "".into(), hash: Vec::new() };
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

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.t, self.c)
            .cmp(&(other.t, other.c))
            .then_with(|| utf16_cmp(&self.actor, &other.actor))
            // Shorter is as if zeros followed, since the last byte is not zero.
            .then_with(|| self.hash.cmp(&other.hash))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a.cmp(b),
            (Self::At(_), Self::End) => Ordering::Less,
            (Self::End, Self::At(_)) => Ordering::Greater,
            (Self::End, Self::End) => Ordering::Equal,
        }
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
