//! The timestamps and kinds of operations, eight bytes each.

use super::order::TsPrefix;
use crate::hlc::Hlc;
use crate::op::{Kind, OpSeq};
use crate::packed::ChunkedVec;

/// The least counter that is stored in a separate list. Honest clocks hardly reach it.
const LARGE: u32 = (1 << 10) - 1;

/// Timestamps and kinds: 53 bits of time, 10 of counter, one of kind.
#[derive(Default)]
pub(super) struct Stamps {
    stamps: ChunkedVec<u64, OpSeq>,
    /// The counters that do not fit, sorted by number of operation.
    large: Vec<(OpSeq, u32)>,
}

impl Stamps {
    pub(super) fn push(&mut self, ts: Hlc, kind: Kind) {
        let seq = self.stamps.push(prefix(ts).0 | u64::from(kind == Kind::Delete));
        if ts.c() >= LARGE {
            self.large.push((seq, ts.c()));
        }
    }

    pub(super) fn ts(&self, seq: OpSeq) -> Hlc {
        let stamp = *self.stamps.get(seq);
        let counter = u32::try_from((stamp >> 1) & u64::from(LARGE)).unwrap_or(LARGE);
        let counter = if counter == LARGE { self.large_counter(seq) } else { counter };
        Hlc::from_log(stamp >> 11, counter)
    }

    #[cold]
    fn large_counter(&self, seq: OpSeq) -> u32 {
        let place = self.large.binary_search_by_key(&seq, |(seq, _)| *seq);
        place.ok().and_then(|place| self.large.get(place)).map_or(LARGE, |(_, counter)| *counter)
    }

    pub(super) fn kind(&self, seq: OpSeq) -> Kind {
        if self.stamps.get(seq) & 1 == 1 { Kind::Delete } else { Kind::Set }
    }

    /// Returns the [`prefix`] of the timestamp.
    pub(super) fn prefix(&self, seq: OpSeq) -> TsPrefix {
        TsPrefix(self.stamps.get(seq) & !1)
    }
}

impl TsPrefix {
    /// Returns true if the prefix encodes the full timestamp.
    pub(super) fn is_whole(self) -> bool {
        (self.0 >> 1) & u64::from(LARGE) != u64::from(LARGE)
    }
}

/// Returns the prefix of a timestamp: 53 bits of time, 10 bits of counter, which saturates.
pub(super) fn prefix(ts: Hlc) -> TsPrefix {
    TsPrefix((ts.t() << 11) | u64::from(ts.c().min(LARGE)) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamps() -> Vec<Hlc> {
        let limits = [0, 1, LARGE - 1, LARGE, LARGE + 1, 2048, Hlc::MAX.c()];
        let times = [0, 1, 1_760_000_000_000, Hlc::MAX.t() - 1, Hlc::MAX.t()];
        times.iter().flat_map(|t| limits.map(|c| Hlc::new(*t, c).unwrap())).collect()
    }

    #[test]
    fn a_prefix_never_contradicts_the_timestamp() {
        for pair in timestamps().windows(2) {
            assert!(prefix(pair[0]) <= prefix(pair[1]), "{pair:?}");
        }
        assert!(prefix(Hlc::new(1, LARGE).unwrap()) < prefix(Hlc::new(2, 0).unwrap()));
    }

    #[test]
    fn timestamps_and_kinds_are_returned() {
        let mut stamps = Stamps::default();
        let all: Vec<(Hlc, Kind)> =
            timestamps().into_iter().flat_map(|ts| [(ts, Kind::Set), (ts, Kind::Delete)]).collect();
        for (ts, kind) in &all {
            stamps.push(*ts, *kind);
        }
        for (seq, (ts, kind)) in OpSeq::FIRST.onwards().zip(all) {
            assert_eq!((stamps.ts(seq), stamps.kind(seq)), (ts, kind));
            assert_eq!(stamps.prefix(seq), prefix(ts));
            assert_eq!(prefix(ts).is_whole(), ts.c() < LARGE);
        }
    }
}
