//! What two replicas were found to have in common, for the next session to leave out.

use super::runs::Runs;
use super::wire::wide;
use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::op::OpSeq;
use crate::oplog::{LogId, OpLog};

/// The name of an earlier session, known to both sides, and a seal over what it made common: that both remember the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BaseId {
    pub(super) session: [u8; 16],
    pub(super) seal: [u8; 32],
}

impl BaseId {
    pub(super) const BYTES: usize = 48;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.session.iter().chain(&self.seal);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk()?;
        Some(Self { session: *session, seal: *rest.first_chunk()? })
    }
}

/// What a session moved, and from where: what both sides must remember alike. A hash without a key, because the
/// session's key is known once it runs.
pub(super) struct Moved {
    /// How many operations the responder had at the start, and their sum.
    pub(super) count: u64,
    pub(super) total: u128,
    /// What the responder took.
    pub(super) to_responder: Vec<OpHash>,
    /// What the initiator took.
    pub(super) to_initiator: Vec<OpHash>,
}

impl Moved {
    pub(super) fn seal(mut self, crypto: Sodium) -> [u8; 32] {
        let mut message = b"policysync/sync/moved/v1".to_vec();
        message.extend_from_slice(&self.count.to_le_bytes());
        message.extend_from_slice(&self.total.to_le_bytes());
        for hashes in [&mut self.to_responder, &mut self.to_initiator] {
            hashes.sort_unstable();
            message.extend_from_slice(&wide(hashes.len()).to_le_bytes());
            hashes.iter().for_each(|hash| message.extend_from_slice(hash.as_bytes()));
        }
        *crypto.hash(&message).as_bytes()
    }
}

/// A set of operations that two replicas have in common, as one of them sees it: everything that had arrived up to a
/// position, and what came in through the session itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Common {
    /// Numbers below this are common.
    cursor: OpSeq,
    /// Numbers from there on that are common too.
    also: Runs,
    /// What the numbers are of.
    log: LogId,
}

impl Common {
    pub(super) fn new(log: &OpLog, cursor: OpSeq, also: Runs) -> Self {
        Self { cursor, also, log: log.id().clone() }
    }

    pub(super) const fn cursor(&self) -> OpSeq {
        self.cursor
    }

    /// Adds something that came in through the session.
    pub(super) fn add(&mut self, number: OpSeq) {
        if number >= self.cursor {
            self.also.insert(number);
        }
    }

    /// What came in through the session.
    pub(super) const fn also(&self) -> &Runs {
        &self.also
    }

    /// How many runs without gaps came in through the session.
    pub(super) fn gaps(&self) -> usize {
        self.also.len()
    }

    /// The end of the numbers that are common.
    pub(super) fn end(&self) -> OpSeq {
        self.also.end().max(self.cursor)
    }

    /// Whether this is about the log that it was made from.
    pub(super) fn is_of(&self, log: &OpLog) -> bool {
        self.log == *log.id()
    }

    pub(super) fn contains(&self, number: OpSeq) -> bool {
        number < self.cursor || self.also.contains(number)
    }

    /// The numbers below `end` that are not common, by arrival.
    pub(super) fn others(&self, end: OpSeq) -> impl Iterator<Item = OpSeq> + '_ {
        self.cursor.until(end).filter(|number| !self.also.contains(*number))
    }
}

/// What a session has found to be common to two replicas, to be given to the next session with the same peer
/// ([`SyncOptions::since`](super::SyncOptions::since)), which then leaves it out. It is about one open replica and one
/// responder; others do not know it, and start from the beginning. To have it outlive the process, see
/// [`SyncBase::to_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncBase {
    pub(super) id: BaseId,
    pub(super) common: Common,
}

impl SyncBase {
    /// Bytes of [`SyncBase::id`].
    pub const ID_BYTES: usize = BaseId::BYTES;

    /// By what both sides know the session, and what it did: 48 bytes, no secret.
    #[must_use]
    pub fn id(&self) -> [u8; Self::ID_BYTES] {
        self.id.to_bytes()
    }
}
