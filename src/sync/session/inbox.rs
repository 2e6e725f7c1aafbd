//! The operations that an initiator receives.

use std::collections::BTreeSet;

use super::progress::Progress;
use crate::codec::OpHash;
use crate::codec::wire::wide;
use crate::op::OpSeq;
use crate::oplog::OpLog;
use crate::sync::error::SyncError;
use crate::sync::ingest::IngestedOps;
use crate::sync::proto::limits::{MAX_ALTERNATES_WANTED, MAX_BAD_SIGNATURES, MAX_REFUSED};
use crate::sync::rbsr::{Fingerprinter, Tally};
use crate::sync::resume::OpRuns;

/// The operations that an initiator received.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Operations received in this session that were not in the log when it began.
    pub(crate) numbers: OpRuns,
    pub(crate) received: Tally,
    /// Operations refused for their signature.
    bad_signatures: BTreeSet<OpHash>,
    /// Those of them of which the peer has still to be asked for another copy.
    alternates_wanted: Vec<OpHash>,
    /// The number of refused operations, repeated ones included.
    refused: u64,
}

impl Inbox {
    /// Records ingested operations. Operations with numbers below `cursor` were in the log when the session began.
    pub(crate) fn record(
        &mut self,
        log: &OpLog,
        fingerprinter: &Fingerprinter,
        cursor: OpSeq,
        ingested: IngestedOps,
        progress: &mut Progress,
    ) -> Result<(), SyncError> {
        for number in ingested.numbers {
            if number >= cursor && self.numbers.insert(number) {
                self.received.add(fingerprinter.of(log.index().hash(number)));
            }
        }
        for hash in ingested.bad_signatures {
            if self.bad_signatures.len() < MAX_BAD_SIGNATURES && self.bad_signatures.insert(hash) {
                self.alternates_wanted.push(hash);
            }
        }
        progress.received.add(&ingested.received);
        // A genuine copy may have followed a bad one.
        self.alternates_wanted.retain(|hash| !log.contains(hash));
        if self.bad_signatures.len() < MAX_BAD_SIGNATURES {
            let missing = self.bad_signatures.iter().filter(|hash| !log.contains(hash)).count();
            progress.received.refused.bad_signature = wide(missing);
        }
        self.refused = self.refused.saturating_add(ingested.received.refused.total());
        if self.refused > MAX_REFUSED {
            return Err(SyncError::TooManyRefused { limit: MAX_REFUSED });
        }
        Ok(())
    }

    /// Removes and returns operations of which another copy is wanted, as many as a message may ask for.
    pub(crate) fn take_alternates_wanted(&mut self) -> Vec<OpHash> {
        let kept = self.alternates_wanted.len().saturating_sub(MAX_ALTERNATES_WANTED);
        self.alternates_wanted.split_off(kept)
    }
}
