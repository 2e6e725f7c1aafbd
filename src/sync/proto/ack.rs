//! Acknowledgements: the outcome of the operations of a request.

use super::version::ProtocolVersion;
use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::sync::{RefusalReason, Refusals};

/// Runs of refused operations that an acknowledgement names. Others are only counted.
const MAX_REFUSED_RUNS: usize = 1024;

/// The outcome of the operations of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Operations that were new in the responder's log.
    pub(crate) new_ops: u64,
    /// Operations that were in the responder's log already.
    pub(crate) duplicates: u64,
    pub(crate) refused: Refusals,
    /// The sum over the operations that are in the log now, each once. It shows that they are the ones that were sent.
    pub(crate) sum: u128,
    /// The refused operations, by their position in the request.
    pub(crate) refused_runs: RefusedRuns,
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

    pub(crate) fn write(&self, version: ProtocolVersion, out: &mut Vec<u8>) {
        put_varint(out, self.new_ops);
        put_varint(out, self.duplicates);
        if self.accepted() > 0 {
            out.extend_from_slice(&self.sum.to_le_bytes());
        }
        let refused = self.refused.total() > 0;
        out.push(u8::from(refused));
        if refused {
            self.refused.to_array().into_iter().for_each(|count| put_varint(out, count));
            if version >= ProtocolVersion::V2 {
                self.refused_runs.write(out);
            }
        }
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>, version: ProtocolVersion) -> Result<Self, CodecError> {
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
            if version >= ProtocolVersion::V2 {
                ack.refused_runs = RefusedRuns::read(reader)?;
            }
        }
        Ok(ack)
    }
}

/// Refused operations of a request, in runs that were refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RefusedRuns(Vec<RefusedRun>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RefusedRun {
    first: usize,
    len: usize,
    reason: RefusalReason,
}

impl RefusedRuns {
    /// Adds an operation, which comes after those already added.
    pub(crate) fn add(&mut self, at: usize, reason: RefusalReason) {
        let continued = |run: &&mut RefusedRun| run.reason == reason && run.first + run.len == at;
        if let Some(last) = self.0.last_mut().filter(continued) {
            last.len += 1;
        } else if self.0.len() < MAX_REFUSED_RUNS {
            self.0.push(RefusedRun { first: at, len: 1, reason });
        }
    }

    /// Returns the operations among the first `count` of the request, in order.
    pub(crate) fn positions(&self, count: usize) -> impl Iterator<Item = (usize, RefusalReason)> + '_ {
        self.0.iter().flat_map(move |run| {
            let end = run.first.saturating_add(run.len).min(count);
            (run.first..end).map(|at| (at, run.reason))
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_count(out, self.0.len());
        let mut reached = 0;
        for run in &self.0 {
            put_count(out, run.first - reached);
            put_count(out, run.len);
            out.push(run.reason.code());
            reached = run.first + run.len;
        }
    }

    fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let count = reader.count(3)?;
        if count > MAX_REFUSED_RUNS {
            return Err(reader.fault(CodecFault::TooMany));
        }
        let mut runs = Vec::with_capacity(count);
        let mut reached = 0_usize;
        for _ in 0..count {
            let (gap, len) = (reader.varint_u32()?, reader.varint_u32()?);
            let code = reader.byte()?;
            let reason =
                RefusalReason::of_code(code).ok_or_else(|| reader.fault(CodecFault::Tag { found: code }))?;
            let first = reached.checked_add(crate::packed::index(gap));
            let len = crate::packed::index(len);
            let end = first.and_then(|first| first.checked_add(len)).filter(|_| len > 0);
            let (Some(first), Some(end)) = (first, end) else {
                return Err(reader.fault(CodecFault::Bound));
            };
            runs.push(RefusedRun { first, len, reason });
            reached = end;
        }
        Ok(Self(runs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_as_they_were_written() {
        let refused = [(0, 1), (1, 1), (2, 3), (7, 3), (8, 3)];
        let reason = |code| RefusalReason::of_code(code).unwrap();
        let mut runs = RefusedRuns::default();
        refused.iter().for_each(|(at, code)| runs.add(*at, reason(*code)));
        let mut bytes = Vec::new();
        runs.write(&mut bytes);
        assert_eq!(bytes, [3, 0, 2, 1, 0, 1, 3, 4, 2, 3]);
        let read = RefusedRuns::read(&mut ByteReader::new(&bytes)).unwrap();
        let positions: Vec<_> = read.positions(8).map(|(at, reason)| (at, reason.code())).collect();
        assert_eq!(positions, refused[..4]);
        for wrong in [&[1, 0, 0, 1][..], &[1, 0, 1, 6], &[1, 0, 1]] {
            assert!(RefusedRuns::read(&mut ByteReader::new(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn too_many_runs_are_not_named() {
        let mut runs = RefusedRuns::default();
        (0..2 * MAX_REFUSED_RUNS).for_each(|at| runs.add(2 * at, RefusalReason::Denied));
        assert_eq!(runs.positions(usize::MAX).count(), MAX_REFUSED_RUNS);
    }
}
