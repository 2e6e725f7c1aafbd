//! The beginning of a session, on the initiator's side.

use super::id::hint_of;
use super::options::SyncOptions;
use crate::codec::packed::OpPacker;
use crate::codec::wire::wide;
use crate::op::OpSeq;
use crate::oplog::LogId;
use crate::replica::Replica;
use crate::sync::error::SyncError;
use crate::sync::proto::limits::MAX_ALTERNATES_WANTED;
use crate::sync::proto::{Hello, LogSpace, Phase, RangeWriter, RequestHead, Sections, first_8};
use crate::sync::resume::{ResumeId, ResumeToken};

/// The facts about a session that are fixed by its first request.
pub(crate) struct Start {
    pub(crate) nonce: [u8; 16],
    /// The longest answer that this side accepts, in bytes.
    pub(crate) limit: usize,
    /// The earlier session that was offered for resumption.
    pub(crate) offered: Option<ResumeToken>,
    pub(crate) space: LogSpace,
    /// The session covers the operations with numbers below this.
    pub(crate) cursor: OpSeq,
    /// The log of the session, to recognize the replica.
    log: LogId,
}

impl Start {
    /// Begins a session with this replica. Returns the first request as well.
    pub(crate) fn new(options: &SyncOptions, nonce: [u8; 16], replica: &Replica) -> (Self, Vec<u8>) {
        let start = Self {
            nonce,
            limit: options.limit(),
            offered: options.resume.clone().filter(|token| token.common.is_of(replica.log())),
            space: LogSpace::of(replica),
            cursor: replica.log().confirmed(),
            log: replica.log().id().clone(),
        };
        let count = u64::from(start.cursor);
        let since = start.offered.as_ref().map(|token| wide(token.common.others(start.cursor).count()));
        let hint = hint_of(replica.crypto(), replica.log().index(), start.cursor);
        let hello = Hello { count, since: since.unwrap_or(count), hint };
        let head = start.head(0, start.offered.as_ref().map(|token| token.id), Phase::Hello(hello));
        // A replica that does not verify asks for other copies of the operations in doubt.
        let alternates_wanted = replica.wanted_alternates().take(MAX_ALTERNATES_WANTED).copied().collect();
        let sections = Sections { alternates_wanted, ranges: RangeWriter::new(), ops: OpPacker::new(0) };
        let message = head.write(sections);
        (start, message)
    }

    /// Returns the head of a request.
    pub(crate) const fn head(&self, round: u64, resume: Option<ResumeId>, phase: Phase) -> RequestHead {
        RequestHead { nonce: self.nonce, space: self.space.tag, round, limit: self.limit, resume, phase }
    }

    /// Returns the tag by which the session recognizes its answers.
    pub(crate) fn tag(&self) -> [u8; 8] {
        first_8(&self.nonce)
    }

    /// Checks that this is the replica with which the session began.
    pub(crate) fn check_replica(&self, replica: &Replica) -> Result<(), SyncError> {
        if self.log == *replica.log().id() { Ok(()) } else { Err(SyncError::OtherReplica) }
    }
}
