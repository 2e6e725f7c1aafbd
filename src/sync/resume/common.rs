//! The operations that two replicas have in common, by their numbers in one log.

use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_varint};
use crate::op::OpSeq;
use crate::oplog::{LogId, OpLog};
use crate::sync::proto::limits::MAX_RUNS;

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

    /// Forgets the operations that the session received before this one, and the first of those after it if there are
    /// too many scattered ones.
    pub(crate) fn forget_before(&mut self, number: OpSeq) {
        self.received.remove_before(number);
        let too_many = self.received.len().saturating_sub(MAX_RUNS);
        self.received.0.drain(..too_many);
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

/// A set of operations: their numbers in order, as runs without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpRuns(Vec<OpRun>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpRun {
    first: OpSeq,
    /// The number after the last.
    end: OpSeq,
}

impl OpRuns {
    pub(crate) fn contains(&self, number: OpSeq) -> bool {
        let at = self.0.partition_point(|run| run.end <= number);
        self.0.get(at).is_some_and(|run| run.first <= number)
    }

    /// Adds a number. Returns false if it was there already.
    pub(crate) fn insert(&mut self, number: OpSeq) -> bool {
        let at = self.0.partition_point(|run| run.end <= number);
        if self.0.get(at).is_some_and(|run| run.first <= number) {
            return false;
        }
        let Some(end) = number.checked_add(1) else { return false };
        if let Some(before) = at.checked_sub(1).and_then(|before| self.0.get_mut(before))
            && before.end == number
        {
            before.end = end;
            let joined = self.0.get(at).filter(|after| after.first == end).map(|after| after.end);
            if let (Some(end), Some(before)) = (joined, self.0.get_mut(at - 1)) {
                before.end = end;
                self.0.remove(at);
            }
            return true;
        }
        match self.0.get_mut(at) {
            Some(after) if after.first == end => after.first = number,
            _ => self.0.insert(at, OpRun { first: number, end }),
        }
        true
    }

    /// Removes all numbers before this one.
    pub(crate) fn remove_before(&mut self, number: OpSeq) {
        let gone = self.0.partition_point(|run| run.end <= number);
        self.0.drain(..gone);
        if let Some(run) = self.0.first_mut() {
            run.first = run.first.max(number);
        }
    }

    /// Adds numbers in any order, in one pass over the runs.
    pub(crate) fn extend(&mut self, mut numbers: Vec<OpSeq>) {
        numbers.sort_unstable();
        let mut added: Vec<OpRun> = Vec::new();
        for number in numbers {
            let Some(end) = number.checked_add(1) else { continue };
            match added.last_mut() {
                Some(last) if number < last.end => {}
                Some(last) if number == last.end => last.end = end,
                _ => added.push(OpRun { first: number, end }),
            }
        }
        let mut all = std::mem::take(&mut self.0);
        all.append(&mut added);
        all.sort_unstable_by_key(|run| run.first);
        for run in all {
            match self.0.last_mut() {
                Some(last) if run.first <= last.end => last.end = last.end.max(run.end),
                _ => self.0.push(run),
            }
        }
    }

    /// Returns the numbers in order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = OpSeq> + '_ {
        self.0.iter().flat_map(|run| run.first.until(run.end))
    }

    /// Returns the number of runs.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the number after the last; 0 for an empty set.
    pub(crate) fn end(&self) -> OpSeq {
        self.0.last().map_or(OpSeq::FIRST, |last| last.end)
    }

    /// Appends the number of runs, and of each run the gap before it and its length. The first gap begins at `from`.
    pub(crate) fn write(&self, from: OpSeq, out: &mut Vec<u8>) {
        put_count(out, self.0.len());
        let mut reached = from;
        for run in &self.0 {
            put_varint(out, run.first.get().saturating_sub(reached.get()).into());
            put_varint(out, run.end.get().saturating_sub(run.first.get()).into());
            reached = run.end;
        }
    }

    /// Reads runs, in the one form that [`OpRuns::write`] gives them.
    pub(crate) fn read(reader: &mut ByteReader<'_>, from: OpSeq) -> Result<Self, CodecError> {
        let count = reader.count(2)?;
        if count > MAX_RUNS {
            return Err(reader.fault(CodecFault::TooMany));
        }
        let mut runs: Vec<OpRun> = Vec::with_capacity(count);
        let mut reached = from;
        for _ in 0..count {
            let (gap, length) = (reader.varint_u32()?, reader.varint_u32()?);
            let first = reached.checked_add(gap).filter(|_| gap > 0 || runs.is_empty());
            let end = first.and_then(|first| first.checked_add(length)).filter(|_| length > 0);
            let (Some(first), Some(end)) = (first, end) else {
                return Err(reader.fault(CodecFault::Bound));
            };
            runs.push(OpRun { first, end });
            reached = end;
        }
        Ok(Self(runs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn runs_are_a_set(numbers in prop::collection::vec(0..60_u32, 0..80)) {
            let (mut runs, mut set) = (OpRuns::default(), BTreeSet::new());
            for number in numbers.into_iter().map(OpSeq::new) {
                prop_assert_eq!(runs.insert(number), set.insert(number));
                let gaps = set.iter().filter(|n| !set.contains(&n.checked_add(1).unwrap())).count();
                prop_assert_eq!(runs.len(), gaps);
            }
            for number in (0..61).map(OpSeq::new) {
                prop_assert_eq!(runs.contains(number), set.contains(&number));
            }
            prop_assert_eq!(runs.end(), set.last().map_or(OpSeq::FIRST, |last| last.checked_add(1).unwrap()));
            let mut bytes = Vec::new();
            runs.write(OpSeq::FIRST, &mut bytes);
            prop_assert_eq!(OpRuns::read(&mut ByteReader::new(&bytes), OpSeq::FIRST), Ok(runs));
        }
    }

    proptest! {
        #[test]
        fn numbers_are_added_together_as_one_by_one(
            first in prop::collection::vec(0..60_u32, 0..40),
            second in prop::collection::vec(0..60_u32, 0..40),
        ) {
            let (mut together, mut one_by_one) = (OpRuns::default(), OpRuns::default());
            for numbers in [first, second] {
                let numbers: Vec<OpSeq> = numbers.into_iter().map(OpSeq::new).collect();
                numbers.iter().for_each(|number| _ = one_by_one.insert(*number));
                together.extend(numbers);
                prop_assert_eq!(&together, &one_by_one);
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_before_one_are_removed(numbers in prop::collection::vec(0..60_u32, 0..40), before in 0..61_u32) {
            let mut runs = OpRuns::default();
            runs.extend(numbers.iter().copied().map(OpSeq::new).collect());
            runs.remove_before(OpSeq::new(before));
            let left: BTreeSet<OpSeq> =
                numbers.into_iter().filter(|number| *number >= before).map(OpSeq::new).collect();
            prop_assert_eq!(runs.numbers().collect::<BTreeSet<_>>(), left);
        }
    }

    #[test]
    fn runs_have_one_form() {
        let read = |bytes: &[u8]| {
            OpRuns::read(&mut ByteReader::new(bytes), OpSeq::new(10)).map(|runs| runs.numbers().collect())
        };
        assert_eq!(read(&[0]), Ok(vec![]));
        assert_eq!(read(&[2, 0, 2, 1, 1]), Ok([10, 11, 13].map(OpSeq::new).to_vec()));
        // An empty run, two that touch, one past the last number, more than there are bytes for.
        for wrong in [&[1, 0, 0][..], &[2, 0, 2, 0, 1], &[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], &[2, 0, 2, 1]]
        {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
