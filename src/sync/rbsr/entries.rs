//! The operations that a side compares.

use std::cmp::Ordering;

use crate::codec::OpHash;
use crate::hlc::Hlc;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::replica::{RefusedOp, RefusedOps};
use crate::value::utf16_cmp;

static NONE: RefusedOps = RefusedOps::new();

/// The operations of a log, and with the numbers after them those that this side refused: it compares them as if it
/// held them, so that they are not sent again.
#[derive(Clone, Copy)]
pub(crate) struct Entries<'v> {
    index: &'v Index,
    refused: &'v RefusedOps,
    first_refused: OpSeq,
}

impl<'v> Entries<'v> {
    /// Returns the operations of a log alone.
    pub(crate) fn of_log(index: &'v Index) -> Self {
        Self { index, refused: &NONE, first_refused: OpSeq::new(u32::MAX) }
    }

    /// Returns the operations of a log before `cursor`, and after them refused ones.
    pub(crate) const fn new(index: &'v Index, cursor: OpSeq, refused: &'v RefusedOps) -> Self {
        Self { index, refused, first_refused: cursor }
    }

    pub(crate) const fn index(&self) -> &'v Index {
        self.index
    }

    /// Returns the refused operation of this number, `None` for one of the log.
    pub(crate) fn refused(&self, number: OpSeq) -> Option<&'v RefusedOp> {
        let position = number.get().checked_sub(self.first_refused.get())?;
        self.refused.get(crate::packed::index(position))
    }

    /// Returns the numbers of the refused operations, in the total order.
    pub(crate) fn refused_numbers(&self) -> impl DoubleEndedIterator<Item = OpSeq> + use<> {
        let count = u32::try_from(self.refused.len()).unwrap_or(u32::MAX);
        let end = self.first_refused.checked_add(count).unwrap_or(self.first_refused);
        self.first_refused.until(end)
    }

    pub(crate) fn ts(&self, number: OpSeq) -> Hlc {
        self.refused(number).map_or_else(|| self.index.ts(number), RefusedOp::ts)
    }

    pub(crate) fn actor(&self, number: OpSeq) -> &'v str {
        self.refused(number).map_or_else(|| self.index.actor(number), |op| self.refused.actor(op))
    }

    pub(crate) fn hash(&self, number: OpSeq) -> &'v OpHash {
        self.refused(number).map_or_else(|| self.index.hash(number), |op| &op.hash)
    }

    /// Compares by the total order.
    pub(crate) fn compare(&self, a: OpSeq, b: OpSeq) -> Ordering {
        let actors = || utf16_cmp(self.actor(a), self.actor(b));
        self.ts(a).cmp(&self.ts(b)).then_with(actors).then_with(|| self.hash(a).cmp(self.hash(b)))
    }

    /// Merges the refused operations into numbers of the log that are in the total order.
    pub(crate) fn with_refused(&self, ours: Vec<OpSeq>) -> Vec<OpSeq> {
        if self.refused.len() == 0 {
            return ours;
        }
        let mut merged = Vec::with_capacity(ours.len() + self.refused.len());
        let mut refused = self.refused_numbers().peekable();
        for number in ours {
            while let Some(other) = refused.next_if(|other| self.compare(*other, number).is_lt()) {
                merged.push(other);
            }
            merged.push(number);
        }
        merged.extend(refused);
        merged
    }
}
