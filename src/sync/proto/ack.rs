//! Acknowledgements: the outcome of the operations of a request.

use super::version::ProtocolVersion;
use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::sync::{RefusalReason, Refusals};

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
                ack.refused_runs = RefusedRuns::read(reader, ack.refused.total())?;
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
    first: u32,
    len: u32,
    reason: RefusalReason,
}

impl RefusedRun {
    const fn end(self) -> u32 {
        self.first.saturating_add(self.len)
    }
}

impl RefusedRuns {
    /// Bytes of a run for each of its operations and of those before it, at most.
    const BYTES_PER_OP: usize = 3;
    /// Bytes of the number of runs, at most.
    const COUNT_BYTES: usize = 5;

    /// Returns the number of operations of a request of which any may be refused, so that the runs fit into this room.
    pub(crate) const fn most_ops(room: usize) -> usize {
        room.saturating_sub(Self::COUNT_BYTES) / Self::BYTES_PER_OP
    }

    /// Collects refused operations, in order, for at most `room` bytes. Others are only counted.
    pub(crate) fn within(room: usize, refused: impl Iterator<Item = (usize, RefusalReason)>) -> Self {
        let mut runs = Self::default();
        for (at, reason) in refused {
            let Ok(at) = u32::try_from(at) else { break };
            let continued = |run: &&mut RefusedRun| run.reason == reason && run.end() == at;
            match runs.0.last_mut().filter(continued) {
                Some(last) => last.len += 1,
                None => runs.0.push(RefusedRun { first: at, len: 1, reason }),
            }
        }
        while runs.len() > room {
            runs.0.truncate(runs.0.len() * 7 / 8);
        }
        runs
    }

    /// Returns the bytes that the runs take.
    pub(crate) fn len(&self) -> usize {
        if self.0.is_empty() {
            return 0;
        }
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes.len()
    }

    /// Returns the operations among the first `count` of the request, in order.
    pub(crate) fn positions(&self, count: usize) -> impl Iterator<Item = (usize, RefusalReason)> + '_ {
        self.0.iter().flat_map(move |run| {
            let end = crate::packed::index(run.end()).min(count);
            (crate::packed::index(run.first)..end).map(|at| (at, run.reason))
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_count(out, self.0.len());
        let mut reached = 0;
        for run in &self.0 {
            put_varint(out, run.first.saturating_sub(reached).into());
            put_varint(out, run.len.into());
            out.push(run.reason.code());
            reached = run.end();
        }
    }

    /// Reads runs of not more than `refused` operations.
    fn read(reader: &mut ByteReader<'_>, refused: u64) -> Result<Self, CodecError> {
        let count = reader.count(3)?;
        let mut left = refused;
        let mut runs = Vec::with_capacity(count);
        let mut reached = 0_u32;
        for _ in 0..count {
            let (gap, len) = (reader.varint_u32()?, reader.varint_u32()?);
            let code = reader.byte()?;
            let reason =
                RefusalReason::of_code(code).ok_or_else(|| reader.fault(CodecFault::Tag { found: code }))?;
            let first = reached.checked_add(gap);
            let end = first.and_then(|first| first.checked_add(len)).filter(|_| len > 0);
            let (Some(first), Some(end), Some(rest)) = (first, end, left.checked_sub(len.into())) else {
                return Err(reader.fault(CodecFault::Bound));
            };
            left = rest;
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
        let runs = RefusedRuns::within(100, refused.iter().map(|(at, code)| (*at, reason(*code))));
        let mut bytes = Vec::new();
        runs.write(&mut bytes);
        assert_eq!(bytes, [3, 0, 2, 1, 0, 1, 3, 4, 2, 3]);
        assert_eq!(runs.len(), bytes.len());
        let read = RefusedRuns::read(&mut ByteReader::new(&bytes), 5).unwrap();
        let positions: Vec<_> = read.positions(8).map(|(at, reason)| (at, reason.code())).collect();
        assert_eq!(positions, refused[..4]);
        for wrong in [&[1, 0, 0, 1][..], &[1, 0, 1, 6], &[1, 0, 1]] {
            assert!(RefusedRuns::read(&mut ByteReader::new(wrong), 9).is_err(), "{wrong:?}");
        }
        // More than were refused.
        assert!(RefusedRuns::read(&mut ByteReader::new(&bytes), 4).is_err());
    }

    #[test]
    fn too_many_runs_are_not_named() {
        let alternating = || (0..2000).map(|at| (2 * at, RefusalReason::Denied));
        let runs = RefusedRuns::within(4000 * RefusedRuns::BYTES_PER_OP, alternating());
        assert_eq!(runs.positions(usize::MAX).count(), 2000);
        assert!(runs.len() <= 4000 * RefusedRuns::BYTES_PER_OP);
        let runs = RefusedRuns::within(1000, alternating());
        assert!((200..334).contains(&runs.positions(usize::MAX).count()) && runs.len() <= 1000);
        // The worst: another reason each time.
        let worst =
            (0..3000).map(|at| (at, if at % 2 > 0 { RefusalReason::Denied } else { RefusalReason::Other }));
        let runs = RefusedRuns::within(3000 * RefusedRuns::BYTES_PER_OP + 2, worst);
        assert_eq!(runs.positions(usize::MAX).count(), 3000);
    }
}
