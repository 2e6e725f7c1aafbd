//! New operations both ways over a line that stays open after a session.

use super::base::{BaseId, Common, SyncBase};
use super::error::SyncError;
use super::intake::{Intake, Refusals};
use super::limits::MIN_MESSAGE_BYTES;
use super::message::{read_push, room_for_ops, write_push};
use super::ops::OpWriter;
use super::options::SyncOptions;
use super::outbox::pack;
use super::prf;
use super::responder::Responder;
use super::wire::wide;
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::replica::Replica;

/// What follows a session on a line that stays open: operations that have arrived since, as they arrive, but not those
/// that came from the peer itself. Either side sends when it likes; nothing is answered. What gets lost on the way is
/// found by the next session.
pub struct Push {
    common: Common,
    next: OpSeq,
    max_message_bytes: usize,
}

/// What became of the operations of a pushed message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Operations that are new in this log.
    pub received: u64,
    /// Operations that were here already.
    pub known: u64,
    /// Operations that this replica refused.
    pub refused: Refusals,
}

impl Push {
    fn new(common: Common, options: &SyncOptions) -> Self {
        let next = common.cursor();
        Self { common, next, max_message_bytes: options.max_message_bytes }
    }

    /// What follows a session that converged, on the side that began it. `options` are those of the session.
    #[must_use]
    pub fn after(base: SyncBase, options: &SyncOptions) -> Self {
        Self::new(base.common, options)
    }

    /// A message with operations that the peer has not been sent, or `None` where there are none.
    ///
    /// # Errors
    ///
    /// [`SyncError::OtherReplica`] and [`SyncError::Store`].
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        let index = replica.log().index();
        if !self.common.is_of(replica.log()) {
            return Err(SyncError::OtherReplica);
        }
        // The least that a peer may have as its limit, which it has not told here.
        let mut writer = OpWriter::new(room_for_ops(MIN_MESSAGE_BYTES));
        let mut next = self.next;
        while next < index.end() {
            if !self.common.contains(next) && !pack(replica, next, &mut writer)? {
                break;
            }
            let Some(following) = next.checked_add(1) else { break };
            next = following;
        }
        self.next = next;
        if writer.count() == 0 {
            return Ok(None);
        }
        let space = prf::space_tag(replica.crypto(), replica.log().space());
        Ok(Some(write_push(&space, writer)))
    }

    /// Takes a message of the peer: its operations are offered to the replica, in one batch.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; nothing of the message was admitted.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<Pushed, SyncError> {
        let limit = self.max_message_bytes;
        if message.len() > limit {
            return Err(SyncError::TooLarge { len: message.len(), limit });
        }
        let space = replica.log().space().map(str::to_owned);
        let tag = prf::space_tag(replica.crypto(), space.as_deref());
        let intake = Intake::take(replica, now, read_push(message, space.as_deref(), &tag)?)?;
        for number in intake.numbers {
            self.common.add(number);
        }
        Ok(Pushed { received: intake.accepted, known: intake.known, refused: intake.refused })
    }

    /// How many operations are waiting to be pushed, at most.
    #[must_use]
    pub fn waiting(&self, replica: &Replica) -> u64 {
        wide(replica.log().len()).saturating_sub(self.next.into())
    }
}

impl Responder {
    /// What follows a session that converged, on the side that answered: `id` is [`SyncBase::id`], which the initiator
    /// tells in its own way. `None` where this responder no longer knows the session.
    #[must_use]
    pub fn push_after(&self, replica: &Replica, id: [u8; SyncBase::ID_BYTES]) -> Option<Push> {
        let common = self.find(replica, BaseId::from_bytes(&id))?;
        Some(Push::new(common.clone(), self.options()))
    }
}
