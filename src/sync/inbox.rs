//! What came in through a session.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::intake::Intake;
use super::limits::{MAX_BAD, MAX_DOUBTS, MAX_REFUSED};
use super::prf::{Prf, Tally};
use super::progress::Progress;
use super::runs::Runs;
use super::wire::wide;
use crate::codec::OpHash;
use crate::op::OpSeq;
use crate::oplog::OpLog;

/// What an initiator received.
#[derive(Default)]
pub(super) struct Inbox {
    /// The numbers of what came in through this session, and was not there when it began.
    pub(super) numbers: Runs,
    pub(super) received: Tally,
    /// Operations that were refused for their signature.
    bad: BTreeSet<OpHash>,
    /// Those that the peer has still to be told of.
    doubts: Vec<OpHash>,
    /// How often anything was refused, the same again too.
    refusals: u64,
}

impl Inbox {
    /// Notes what came in, of which what is below `cursor` was there.
    pub(super) fn note(
        &mut self,
        log: &OpLog,
        prf: &Prf,
        cursor: OpSeq,
        intake: Intake,
        progress: &mut Progress,
    ) -> Result<(), SyncError> {
        for number in intake.numbers {
            if number >= cursor && self.numbers.insert(number) {
                self.received.add(prf.of(log.index().hash(number)));
            }
        }
        for hash in intake.bad {
            if self.bad.len() < MAX_BAD && self.bad.insert(hash) {
                self.doubts.push(hash);
            }
        }
        progress.received = progress.received.saturating_add(intake.accepted);
        progress.known = progress.known.saturating_add(intake.known);
        progress.refused.add(&intake.refused);
        // A good copy may have come behind a bad one.
        self.doubts.retain(|hash| !log.contains(hash));
        if self.bad.len() < MAX_BAD {
            let unmet = self.bad.iter().filter(|hash| !log.contains(hash)).count();
            progress.refused.bad_signature = wide(unmet);
        }
        self.refusals = self.refusals.saturating_add(intake.refused.total());
        if self.refusals > MAX_REFUSED {
            return Err(SyncError::TooManyRefused { limit: MAX_REFUSED });
        }
        Ok(())
    }

    /// Operations in doubt to tell the peer of, as many as a message takes.
    pub(super) fn take_doubts(&mut self) -> Vec<OpHash> {
        self.doubts.split_off(self.doubts.len().saturating_sub(MAX_DOUBTS))
    }
}
