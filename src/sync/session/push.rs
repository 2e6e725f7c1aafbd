//! Pushes: new operations both ways over a connection that stays open after a session.

use super::{SyncOptions, pack_op};
use crate::codec::{OpHash, OpPacker};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::replica::{CopySet, NewRefused, Replica};
use crate::sync::authors::PeerFilter;
use crate::sync::proto::limits::{DEFAULT_MESSAGE_BYTES, MAX_REFUSED, room_for_ops};
use crate::sync::proto::{LogSpace, ProtocolVersion, read_push, write_push};
use crate::sync::resume::{CommonOps, ResumeToken};
use crate::sync::{HashBudget, IngestedOps, Received, SyncError};

/// The exchange of new operations after a session that converged, over a connection that stays open.
///
/// Each side sends operations as they arrive in its log, except those that came from the peer and those of authors that
/// the peer did not know when the session began: when either side has learnt a key, begin another session. Messages are
/// not answered. The next session finds operations that were lost on the way.
pub struct Push {
    common: CommonOps,
    /// The next operation to look at.
    next: OpSeq,
    version: ProtocolVersion,
    /// The authors that the peer accepts.
    peer: PeerFilter,
    /// Operations of the peer that were refused.
    refused: u64,
    hashes: HashBudget,
    options: SyncOptions,
}

impl Push {
    pub(crate) fn new(
        common: CommonOps,
        version: ProtocolVersion,
        peer: PeerFilter,
        options: &SyncOptions,
    ) -> Self {
        let next = common.cursor();
        Self {
            common,
            next,
            version,
            peer,
            refused: 0,
            hashes: HashBudget::default(),
            options: options.clone(),
        }
    }

    /// Creates the initiator's side after a session that converged. `options` are those of the session.
    /// [`Responder::push_after`](crate::Responder::push_after) creates the responder's side.
    #[must_use]
    pub fn after(token: ResumeToken, options: &SyncOptions) -> Self {
        Self::new(token.common, token.version, token.peer, options)
    }

    /// Returns a message with operations that the peer has not been sent, or `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`SyncError::OtherReplica`] and [`SyncError::Store`].
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        if !self.common.is_of(replica.log()) {
            return Err(SyncError::OtherReplica);
        }
        // Every peer accepts this much.
        let limit = self.options.preferred().min(DEFAULT_MESSAGE_BYTES);
        let mut packer = OpPacker::new(room_for_ops(limit));
        let index = replica.log().index();
        let mut next = self.next;
        for number in self.next.until(replica.log().confirmed()) {
            let wanted =
                !self.common.contains(number) && self.peer.accepts(replica.crypto(), index.actor(number));
            if wanted && !pack_op(replica, number, &mut packer)? {
                break;
            }
            next = number.checked_add(1).unwrap_or(number);
        }
        self.next = next;
        // No earlier one is looked at again.
        self.common.forget_before(next);
        Ok((packer.count() > 0).then(|| write_push(self.version, &LogSpace::of(replica), packer)))
    }

    /// Returns a message without operations: this side accepts more than when the session began. `None` in version 1,
    /// which leaves out nothing.
    pub(crate) fn call_for_session(&self, replica: &Replica) -> Option<Vec<u8>> {
        let message = || write_push(self.version, &LogSpace::of(replica), OpPacker::new(0));
        (self.version > ProtocolVersion::V1).then(message)
    }

    /// Ingests the operations of a message from the peer, in one batch.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; no operation of the message was admitted, except with [`SyncError::TooManyRefused`]: the peer
    /// keeps sending what this side refuses. A new session continues.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<Received, SyncError> {
        self.options.check_length(message)?;
        let space = LogSpace::of(replica);
        let ingested = IngestedOps::ingest(replica, now, read_push(self.version, message, &space)?)?;
        self.remember(replica, &ingested);
        for number in ingested.numbers {
            self.common.add(number);
        }
        // Operations that are forgotten go back to the peer, which has them.
        self.common.forget_before(self.next);
        self.refused = self.refused.saturating_add(ingested.received.refused.total());
        if self.refused > MAX_REFUSED {
            return Err(SyncError::TooManyRefused { limit: MAX_REFUSED });
        }
        Ok(ingested.received)
    }

    /// Remembers operations that were refused, so that the next session does not bring them again.
    fn remember(&mut self, replica: &mut Replica, ingested: &IngestedOps<'_>) {
        let Some(name) = self.options.peer.as_ref().filter(|_| !ingested.refused.is_empty()) else {
            return;
        };
        let mut new = Vec::new();
        for refused in &ingested.refused {
            let Some(op) = refused.op else { continue };
            let is_doubtful = refused.is_doubtful_copy(replica);
            if !self.hashes.allows(refused, is_doubtful) {
                // An unknown actor is named in the filter instead. The others cost bytes.
                continue;
            }
            let crypto = replica.crypto();
            let Ok(hash) = OpHash::of(&crypto, op) else { continue };
            let mut copies = CopySet::default();
            if is_doubtful {
                copies.add(crypto, &hash, op.kid(), op.signature());
            }
            let copies = copies.digest(crypto, &hash);
            let (ts, actor) = (op.op().ts(), op.op().actor());
            new.push(NewRefused { ts, actor, hash, reason: refused.reason.code(), copies });
        }
        let tag = replica.admission_tag();
        // If there is no room for them, they are sent again.
        replica.peers_mut().remember(name, tag, new.into_iter());
    }

    /// Returns an upper bound for the number of operations that wait to be pushed.
    #[must_use]
    pub fn waiting(&self, replica: &Replica) -> u64 {
        replica.log().cursor().position().saturating_sub(self.next.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyPair;
    use crate::hlc::Hlc;
    use crate::keys::{SigningSecretKey, sign_op};
    use crate::op::Op;
    use crate::replica::ReplicaOptions;
    use crate::sync::proto::limits::MAX_RUNS;
    use crate::sync::resume::OpRuns;

    /// Operations of both sides in turn, over a connection that stays open for long.
    #[test]
    fn a_push_remembers_few_operations_however_many_it_has_exchanged() {
        const NOW: WallMillis = WallMillis(1_760_000_000_000);
        let key =
            |actor, seed| SigningSecretKey::new(actor, KeyPair::from_seed(&[seed; 32]).unwrap()).unwrap();
        let (alice, bob) = (key("alice", 1), key("bob", 2));
        let mut replica = Replica::open(ReplicaOptions::new().write_as(alice)).unwrap();
        replica.keys_mut().register(bob.public_key().clone()).unwrap();
        let common = CommonOps::new(replica.log(), OpSeq::FIRST, OpRuns::default());
        let mut push = Push::new(common, ProtocolVersion::V2, PeerFilter::default(), &SyncOptions::new());
        let exchange = |push: &mut Push, replica: &mut Replica, number: u64| {
            let op = Op::lww_set("bob", Hlc::new(number, 0).unwrap(), ("Task", "t1", "title"), "x").unwrap();
            let mut packer = OpPacker::new(1000);
            assert!(packer.push(sign_op(&replica.crypto(), op, &bob).unwrap().as_ref()));
            let message = write_push(ProtocolVersion::V2, &LogSpace::of(replica), packer);
            assert_eq!(push.receive(replica, NOW, &message).unwrap().new_ops(), 1);
            replica.set(NOW, ("Task", "t2", "title"), "x").unwrap();
        };
        for number in 0..100 {
            exchange(&mut push, &mut replica, number);
            push.next_message(&replica).unwrap().unwrap();
            assert_eq!(push.common.received().len(), 0);
        }
        // A line that takes nothing.
        for number in 100..100 + u64::try_from(MAX_RUNS).unwrap() + 10 {
            exchange(&mut push, &mut replica, number);
        }
        assert_eq!(push.common.received().len(), MAX_RUNS);
    }
}
