//! An answer that is being written.

use super::id::hint_of;
use super::outbox::pack_op;
use crate::codec::OpHash;
use crate::codec::packed::OpPacker;
use crate::codec::wire::wide;
use crate::op::OpSeq;
use crate::replica::Replica;
use crate::store::StoreError;
use crate::sync::error::SyncError;
use crate::sync::proto::limits::NEWEST;
use crate::sync::proto::{
    Ack, Continuation, Hello, RangeContent, RangeItem, RangeWriter, RequestHead, Sections, Welcome,
    write_answer,
};
use crate::sync::rbsr::{Bound, OnFingerprint, OnIds, View};

/// An answer that is being written.
pub(crate) struct Draft {
    ranges: RangeWriter,
    pub(crate) ops: OpPacker,
    /// The numbers of the operations in it.
    pub(crate) sent_numbers: Vec<OpSeq>,
    /// The place where it was full.
    continuation: Option<Continuation>,
}

impl Draft {
    /// Creates an answer with room for `op_bytes` bytes of operations.
    pub(crate) fn new(op_bytes: usize) -> Self {
        Self {
            ranges: RangeWriter::new(),
            ops: OpPacker::new(op_bytes),
            sent_numbers: Vec::new(),
            continuation: None,
        }
    }

    /// Answers the first request: sends everything to a side without operations, and describes everything to a side
    /// that seems to have others.
    pub(crate) fn answer_hello(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        cursor: OpSeq,
        hello: &Hello,
        resumed: bool,
    ) -> Result<(), StoreError> {
        let theirs = if resumed { hello.since } else { hello.count };
        let seems_equal =
            theirs == view.snapshot.count() && hello.hint == hint_of(replica.crypto(), view.index, cursor);
        if theirs == 0 {
            self.send(replica, view, &Bound::start(), 0..view.snapshot.len())?;
        } else if !seems_equal {
            self.describe_all(view);
        }
        Ok(())
    }

    /// Lists the newest operations, and sends the fingerprints of ranges that double in length from there back. So
    /// recent operations are found at once, regardless of the length of the log.
    fn describe_all(&mut self, view: View<'_>) {
        let mut cuts = Vec::new();
        let mut length = NEWEST;
        while let Some(cut) = view.snapshot.len().checked_sub(length).filter(|cut| *cut > 0) {
            cuts.push(view.snapshot.bound_at(view.index, cut));
            length = length.saturating_mul(2);
        }
        let mut low = Bound::start();
        for high in cuts.into_iter().rev() {
            self.describe(&low, &high, &view.fingerprint(&low, &high));
            low = high;
        }
        self.describe(&low, &Bound::End, &view.ids(&low, &Bound::End));
    }

    /// Answers the ranges of a later request, until the answer is full.
    pub(crate) fn answer_ranges(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        ranges: Vec<RangeItem>,
    ) -> Result<(), SyncError> {
        for item in ranges {
            if self.continuation.is_some() {
                break;
            }
            self.on_range(replica, view, item)?;
        }
        Ok(())
    }

    /// Describes a range. Returns false, and asks the initiator to continue from there, if the answer is full.
    fn describe(&mut self, low: &Bound, high: &Bound, content: &RangeContent) -> bool {
        let fits = self.ranges.push(low, high, content);
        if !fits {
            self.continuation = Some(Continuation { from: low.clone(), done: 0 });
        }
        fits
    }

    fn on_range(&mut self, replica: &Replica, view: View<'_>, item: RangeItem) -> Result<(), SyncError> {
        let RangeItem { low, high, content } = item;
        let range = view.range(&low, &high);
        match content {
            RangeContent::Fingerprint { count, fingerprint } => {
                match view.on_fingerprint(&low, &high, count, fingerprint) {
                    OnFingerprint::Same => {}
                    OnFingerprint::SendAll => self.send(replica, view, &low, range)?,
                    OnFingerprint::List => _ = self.describe(&low, &high, &view.ids(&low, &high)),
                    OnFingerprint::Fingerprint => {
                        self.describe(&low, &high, &view.fingerprint(&low, &high));
                    }
                    OnFingerprint::Split(parts) => {
                        for (low, high) in &parts {
                            if !self.describe(low, high, &view.fingerprint(low, high)) {
                                break;
                            }
                        }
                    }
                }
            }
            RangeContent::Ids(ids) => {
                let OnIds { send, wants } = view.on_ids(&low, &high, &ids);
                if wants.is_empty() || self.describe(&low, &high, &RangeContent::Wants(wants)) {
                    self.send(replica, view, &low, send)?;
                }
            }
            RangeContent::Wants(wants) => {
                let start = range.start;
                let wanted = view.wanted(&low, &high, &wants)?;
                if let Some(stopped) = self.send_until_full(replica, view, wanted)? {
                    let from =
                        if stopped == start { low } else { view.snapshot.bound_at(view.index, stopped) };
                    self.continuation = Some(Continuation { from, done: wide(stopped - start) });
                }
            }
        }
        Ok(())
    }

    /// Sends the operations at these positions, in order, of a range that begins at `low`. If the answer is full, asks
    /// the initiator to continue from there.
    fn send(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        low: &Bound,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<(), StoreError> {
        if let Some(stopped) = self.send_until_full(replica, view, positions)? {
            let from = view.snapshot.bound_at(view.index, stopped).max(low.clone());
            self.continuation = Some(Continuation { from, done: 0 });
        }
        Ok(())
    }

    /// Sends operations. Returns the position of the first that does not fit.
    fn send_until_full(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<Option<usize>, StoreError> {
        for position in positions {
            let Some(number) = view.snapshot.number(position) else { continue };
            if !pack_op(replica, number, &mut self.ops)? {
                return Ok(Some(position));
            }
            self.sent_numbers.push(number);
        }
        Ok(None)
    }

    /// Sends this side's copies of operations whose signatures the initiator doubts, until the answer is full.
    pub(crate) fn send_alternates(&mut self, replica: &Replica, wanted: &[OpHash]) -> Result<(), StoreError> {
        if replica.accepts_unverified() {
            return Ok(());
        }
        for number in wanted.iter().filter_map(|hash| replica.log().find_confirmed(hash)) {
            if !pack_op(replica, number, &mut self.ops)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns the message.
    pub(crate) fn finish(
        self,
        head: &RequestHead,
        welcome: Option<&Welcome>,
        ack: &Ack,
        alternates_wanted: Vec<OpHash>,
    ) -> Vec<u8> {
        let sections = Sections { alternates_wanted, ranges: self.ranges, ops: self.ops };
        write_answer(head, welcome, ack, self.continuation.as_ref(), sections)
    }
}
