//! The end of a session, on the initiator's side.

use std::collections::BTreeSet;

use super::reconciling::Reconciling;
use super::{Progress, SessionDigest, SessionResult};
use crate::codec::{OpHash, wide};
use crate::replica::{Replica, SessionEnd};
use crate::sync::proto::ProtocolVersion;
use crate::sync::proto::limits::MAX_RUNS;
use crate::sync::rbsr::{Bound, Tally};
use crate::sync::resume::{CommonOps, Exceptions, ResumeId, ResumeToken, Transferred};
use crate::sync::{RefusalReason, Refusals};

impl Reconciling {
    /// Returns the result of a complete reconciliation.
    pub(crate) fn conclude(self, replica: &Replica, progress: &Progress) -> SessionResult {
        let comparison = &self.comparison;
        let fingerprinter = &comparison.fingerprinter;
        let (received, sent) = (self.inbox.received, self.outbox.sent);
        let log = replica.log();
        let refused = self.newly_refused(replica);
        // If this side's operations and the peer's that arrived are the peer's operations and those sent, each side
        // has seen all of the other. All of this is computed from our own log, except for the peer's count and sum,
        // which it announced before any operation was exchanged.
        let view = comparison.view(replica, self.start.cursor);
        let mut ours = Tally { count: comparison.snapshot.count(), sum: view.total() };
        let recovered = self.recovered(replica);
        // They are among those that were received, or not there.
        self.withdrawn.iter().chain(&recovered).for_each(|hash| ours.remove(fingerprinter.of(hash)));
        let mut all = ours;
        all.count = all.count.saturating_add(received.count).saturating_add(wide(refused.len()));
        all.sum = all.sum.wrapping_add(received.sum);
        refused.iter().for_each(|(hash, _)| all.sum = all.sum.wrapping_add(fingerprinter.of(hash)));
        let same_count = all.count.checked_sub(sent.count) == Some(comparison.welcome.count);
        let same_sum = all.sum.wrapping_sub(sent.sum) == comparison.welcome.total;
        let is_named = !self.outbox.unnamed && !self.inbox.unhashed;
        // Version 1 has no exceptions.
        let is_told = is_named && (self.start.version > ProtocolVersion::V1 || refused.is_empty());
        if !same_count || !same_sum || self.outbox.altered || !is_told || self.is_cut_short {
            let (refused, refused_by_peer) = (progress.received.refused, progress.refused_by_peer);
            return SessionResult::NotConverged { refused, refused_by_peer };
        }
        // Both hold all of these except what one of them refused.
        let mut both = ours;
        both.sum = both.sum.wrapping_add(received.sum);
        self.remembered(replica).for_each(|(hash, _)| both.remove(fingerprinter.of(&hash)));
        self.outbox
            .refused
            .keys()
            .for_each(|number| both.remove(fingerprinter.of(log.index().hash(*number))));
        let digest = SessionDigest::of_sum(both.sum);
        let except = self.exceptions(replica, &refused);
        let with = |refused: Refusals, left_out: u64| Refusals {
            unknown_key: refused.unknown_key.saturating_add(left_out),
            ..refused
        };
        let refused_by_peer = with(except.refused_by_peer, comparison.left_out);
        let refused_here = with(except.refused, comparison.welcome.left_out);
        let ours = u64::from(self.start.cursor).saturating_add(received.count);
        let count = ours.saturating_sub(refused_by_peer.total());
        let hashes = refused.into_iter().map(|(hash, _)| hash).collect();
        let resume = self.into_token(replica, except, hashes, &recovered);
        if refused_here.total() == 0 && refused_by_peer.total() == 0 {
            SessionResult::Converged { digest, count, resume }
        } else {
            SessionResult::ConvergedExcept { digest, count, resume, refused: refused_here, refused_by_peer }
        }
    }

    /// Returns the operations that this session refused. A genuine copy may have followed a refused one.
    fn newly_refused(&self, replica: &Replica) -> Vec<(OpHash, RefusalReason)> {
        let known: BTreeSet<OpHash> = match self.inbox.refused_ops.is_empty() {
            true => BTreeSet::new(),
            false => self.remembered(replica).map(|(hash, _)| hash).collect(),
        };
        let refused = self.inbox.refused_ops.iter().map(|(hash, refused)| (*hash, refused.reason));
        refused.filter(|(hash, _)| !replica.log().contains(hash) && !known.contains(hash)).collect()
    }

    /// Returns the operations that were refused earlier and of which a good copy has come in this session.
    fn recovered(&self, replica: &Replica) -> BTreeSet<OpHash> {
        let index = replica.log().index();
        let has_come = |hash: &OpHash| index.find(hash).is_some_and(|seq| self.inbox.numbers.contains(seq));
        self.comparison.refused.iter().map(|op| op.hash).filter(has_come).collect()
    }

    /// Returns the operations that were refused earlier, that the peer still holds and that are not here.
    fn remembered<'s>(&'s self, replica: &'s Replica) -> impl Iterator<Item = (OpHash, RefusalReason)> + 's {
        let reason = |code| RefusalReason::of_code(code).unwrap_or(RefusalReason::Other);
        let all = self.comparison.refused.iter().map(move |op| (op.hash, reason(op.reason)));
        all.filter(|(hash, _)| !self.withdrawn.contains(hash) && !replica.log().contains(hash))
    }

    /// Returns what either side has refused in this session and in those before.
    fn exceptions(&self, replica: &Replica, refused: &[(OpHash, RefusalReason)]) -> Exceptions {
        let resumed = self.start.offered.as_ref().filter(|_| self.comparison.welcome.resumed);
        let mut except = resumed.map_or_else(Exceptions::default, |token| token.except);
        except.tag = self.start.tag;
        self.remembered(replica).for_each(|(_, reason)| except.refused.count(reason));
        refused.iter().for_each(|(_, reason)| except.refused.count(*reason));
        // A resumed session has counted them already.
        let earlier = self.comparison.by_peer.values().filter(|_| resumed.is_none());
        earlier.chain(self.outbox.refused.values()).for_each(|reason| except.refused_by_peer.count(*reason));
        except
    }

    /// Returns the token for the next session with this peer. `refused` are the operations of the peer that were
    /// refused in this session. The responder does not count copies of `recovered` ones among those that it has sent.
    fn into_token(
        self,
        replica: &Replica,
        except: Exceptions,
        refused: Vec<OpHash>,
        recovered: &BTreeSet<OpHash>,
    ) -> Option<ResumeToken> {
        let index = replica.log().index();
        let received = self.inbox.numbers;
        // The next session tries again what nobody took in this one.
        if received.len() > MAX_RUNS || !self.outbox.too_large.is_empty() {
            return None;
        }
        let (id, welcome) = (self.comparison.id, self.comparison.welcome);
        let hash = |number| *index.hash(number);
        let taken =
            self.outbox.sent_numbers.iter().filter(|number| !self.outbox.refused.contains_key(number));
        let sent_to_us = received.numbers().map(hash).filter(|hash| !recovered.contains(hash));
        let transferred = Transferred {
            count: welcome.count,
            total: welcome.total,
            to_responder: taken.map(|number| hash(*number)).collect(),
            to_initiator: sent_to_us.chain(refused).collect(),
        };
        let crypto = replica.crypto();
        let id = ResumeId { session: id.name(crypto), transferred: transferred.digest(crypto) };
        let common = CommonOps::new(replica.log(), self.start.cursor, received);
        let peer = self.comparison.peer;
        Some(ResumeToken { id, version: self.start.version, common, peer, except })
    }

    /// Notes the end of the session in the memory of the peer, if the reconciliation is complete.
    pub(super) fn settle(&self, replica: &mut Replica) {
        let Some(name) = self.start.peer.as_ref().filter(|_| self.start.version > ProtocolVersion::V1) else {
            return;
        };
        if !self.is_complete() {
            return;
        }
        let session = self.comparison.id.name(replica.crypto());
        let arrived =
            self.comparison.refused.iter().map(|op| op.hash).filter(|hash| replica.log().contains(hash));
        let renewed =
            self.comparison.welcome.renewed.iter().filter(|hash| !self.inbox.refused_ops.contains_key(hash));
        let end = SessionEnd {
            session: Some(session).filter(|_| !self.unremembered),
            forgotten: arrived.chain(renewed.copied()).chain(self.withdrawn.iter().copied()).collect(),
            reached: self.reached.as_ref().map(Bound::to_bytes),
        };
        replica.peers_mut().settle(name, self.start.tag, end);
        replica.keep_peers();
    }
}
