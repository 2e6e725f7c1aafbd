//! The side that answers, and remembers nothing that it needs.

use std::collections::VecDeque;
use std::sync::OnceLock;

use super::base::{BaseId, Common, Moved};
use super::bound::Bound;
use super::error::{Lie, Refusal, SyncError};
use super::intake::{Intake, Refusals};
use super::limits::{MAX_COMMON, MAX_DOUBTS, MAX_GAPS, MAX_SNAPSHOTS, MIN_MESSAGE_BYTES, NEWEST};
use super::message::{Ack, Body, Phase, Request, Resume, Welcome, read_request, room_for_ops, write_answer};
use super::ops::OpWriter;
use super::options::SyncOptions;
use super::outbox::pack;
use super::prf::{self, SessionId};
use super::ranges::{RangeWriter, Ranged, Said};
use super::reconcile::{OnIds, OnPrint, View};
use super::runs::Runs;
use super::snapshot::Snapshot;
use super::wire::wide;
use crate::codec::OpHash;
use crate::crypto::Zeroizing;
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::{LogId, OpLog};
use crate::replica::Replica;

/// Answers the requests of any number of initiators, in any order.
///
/// All that it needs to know of a session stands in each request, so a request may be answered by one of several
/// processes behind a load balancer, if they share the secret and the replica's store. What it keeps between requests
/// only saves work.
pub struct Responder {
    pub(super) secret: Zeroizing<[u8; 32]>,
    options: SyncOptions,
    /// The responder's nonce in the id depends on how much of the log the session counts.
    snapshots: VecDeque<(SessionId, LogId, Snapshot)>,
    pub(super) sessions: VecDeque<Remembered>,
}

/// A session, and what will be common to both sides if it converges.
pub(super) struct Remembered {
    pub(super) name: [u8; 16],
    pub(super) common: Common,
    /// What was sent in it.
    pub(super) given: Runs,
    /// What was told of our log at its start.
    pub(super) count: u64,
    pub(super) total: u128,
    /// Computed when somebody goes on from it.
    pub(super) seal: OnceLock<[u8; 32]>,
}

impl Remembered {
    /// Whether it is the session of this name with this log. The same name with another log, which a peer can bring
    /// about, is another session: its numbers mean other operations.
    pub(super) fn is(&self, name: [u8; 16], log: &OpLog) -> bool {
        self.name == name && self.common.is_of(log)
    }
}

/// An answer, and what came with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// For the initiator.
    pub message: Vec<u8>,
    /// Operations of the request that are new in this log.
    pub received: u64,
    /// Operations of the request that were here already.
    pub known: u64,
    /// Operations of the request that this replica refused.
    pub refused: Refusals,
    /// Operations in the answer.
    pub sent: u64,
}

/// An answer while it is made.
struct Draft {
    ranges: RangeWriter,
    ops: OpWriter,
    /// The numbers of what was packed.
    given: Vec<OpSeq>,
    resume: Option<Resume>,
}

impl Responder {
    /// A responder. `secret` is 32 random bytes: whoever knows them can foresee the keys of sessions.
    #[must_use]
    pub fn new(secret: [u8; 32], options: SyncOptions) -> Self {
        Self {
            secret: Zeroizing::new(secret),
            options,
            snapshots: VecDeque::new(),
            sessions: VecDeque::new(),
        }
    }

    /// Bytes of the longest request that it takes: what a server should limit a body to before it reads it.
    #[must_use]
    pub const fn max_message_bytes(&self) -> usize {
        self.options.limit()
    }

    /// Answers a request. Operations in it are offered to the replica, in one batch; if the batch fails, nothing of the
    /// request has happened; after another error they may be in the log.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; [`SyncError::to_message`] makes the answer that tells the initiator.
    pub fn respond(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        request: &[u8],
    ) -> Result<Reply, SyncError> {
        let limit = self.options.max_message_bytes;
        if request.len() > limit {
            return Err(SyncError::TooLarge { len: request.len(), limit });
        }
        let space = replica.log().space().map(str::to_owned);
        let tag = prf::space_tag(replica.crypto(), space.as_deref());
        let request = read_request(request, space.as_deref(), &tag)?;
        if request.head.limit < MIN_MESSAGE_BYTES {
            return Err(SyncError::Lie(Lie::Limit));
        }
        match request.head.phase {
            Phase::Hello(_) => {}
            Phase::Later { cursor } if cursor > replica.log().index().end() => {
                return Err(SyncError::Lie(Lie::Position));
            }
            Phase::Later { .. } => self.check_base(replica, request.head.base)?,
        }
        self.answer(replica, now, request)
    }

    fn check_base(&self, replica: &Replica, base: Option<BaseId>) -> Result<(), SyncError> {
        match base {
            Some(_) if self.find(replica, base).is_none() => Err(SyncError::Refused(Refusal::Forgotten)),
            _ => Ok(()),
        }
    }

    pub(crate) fn options(&self) -> &SyncOptions {
        &self.options
    }

    /// What is common since this session, if it is remembered as the peer remembers it.
    pub(super) fn find(&self, replica: &Replica, base: Option<BaseId>) -> Option<&Common> {
        let base = base?;
        let index = replica.log().index();
        let session = self.sessions.iter().find(|session| session.is(base.session, replica.log()))?;
        let seal = session.seal.get_or_init(|| {
            let hashes = |runs: &Runs| runs.numbers().map(|number| *index.hash(number)).collect();
            let moved = Moved {
                count: session.count,
                total: session.total,
                to_responder: hashes(session.common.also()),
                to_initiator: hashes(&session.given),
            };
            moved.seal(replica.crypto())
        });
        (*seal == base.seal).then_some(&session.common)
    }

    fn answer(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        request: Request<'_>,
    ) -> Result<Reply, SyncError> {
        let Request { head, doubts, ranges, ops } = request;
        let intake = Intake::take(replica, now, ops)?;
        doubts.iter().for_each(|hash| replica.collect_alternates(hash));

        let (cursor, base) = match head.phase {
            Phase::Hello(_) => (
                replica.log().index().end(),
                head.base.filter(|base| self.find(replica, Some(*base)).is_some()),
            ),
            Phase::Later { cursor } => (cursor, head.base),
        };
        let crypto = replica.crypto();
        let nonce = prf::responder_nonce(crypto, &self.secret, &head.nonce, cursor, base);
        let id = SessionId { initiator: head.nonce, responder: nonce, base };
        let snapshot = self.snapshot(replica, &id, cursor);
        let prf = id.prf(crypto);
        let view = View { index: replica.log().index(), prf: &prf, snapshot: &snapshot };
        let limit = head.limit.min(self.options.max_message_bytes);
        let mut draft = Draft {
            ranges: RangeWriter::new(),
            ops: OpWriter::new(room_for_ops(limit)),
            given: Vec::new(),
            resume: None,
        };
        let welcome = match head.phase {
            Phase::Hello(hello) => {
                let theirs = if base.is_some() { hello.since } else { hello.count };
                let alike = theirs == snapshot.count() && hello.hint == prf::hint_of(crypto, view.index);
                if theirs == 0 {
                    draft.send(replica, view, &Bound::start(), 0..snapshot.len())?;
                } else if !alike {
                    draft.describe(view);
                }
                Some(Welcome {
                    nonce,
                    cursor,
                    based: base.is_some(),
                    count: snapshot.count(),
                    total: snapshot.total(),
                    limit: self.options.max_message_bytes,
                })
            }
            Phase::Later { .. } => {
                for ranged in ranges {
                    if draft.resume.is_none() {
                        draft.on_range(replica, view, ranged)?;
                    } else {
                        break;
                    }
                }
                None
            }
        };
        let given = std::mem::take(&mut draft.given);
        draft.repeat(replica, &doubts)?;
        let new = welcome.map(|welcome| Remembered {
            name: id.name(crypto),
            common: Common::new(replica.log(), cursor, Runs::new()),
            given: Runs::new(),
            count: welcome.count,
            total: welcome.total,
            seal: OnceLock::new(),
        });
        let ack = Ack {
            accepted: intake.accepted,
            known: intake.known,
            refused: intake.refused,
            sum: prf.sum(view.index, &intake.numbers),
        };
        let sent = wide(draft.ops.count());
        let mut doubts: Vec<OpHash> = replica.wanted_alternates().take(MAX_DOUBTS).copied().collect();
        // Once in a session is enough, with the greeting; and what we refused ourselves.
        if welcome.is_none() {
            doubts.clear();
        }
        doubts.extend(intake.bad.iter().copied().filter(|hash| !replica.log().contains(hash)));
        doubts.truncate(MAX_DOUBTS);
        let body = Body { doubts, ranges: draft.ranges, ops: draft.ops };
        let message = write_answer(&head, welcome.as_ref(), &ack, draft.resume.as_ref(), body);
        self.remember(replica.log(), id.name(crypto), new, &intake, &given);
        self.keep(id, replica.log().id().clone(), snapshot);
        Ok(Reply { message, received: intake.accepted, known: intake.known, refused: intake.refused, sent })
    }

    /// Remembers what the session will have made common if it converges: from its first request on, because what was
    /// moved before it was forgotten is not known any more.
    fn remember(
        &mut self,
        log: &OpLog,
        name: [u8; 16],
        new: Option<Remembered>,
        intake: &Intake,
        given: &[OpSeq],
    ) {
        let known = self.sessions.iter().position(|session| session.is(name, log));
        let Some(mut session) = known.and_then(|at| self.sessions.remove(at)).or(new) else { return };
        intake.numbers.iter().for_each(|number| session.common.add(*number));
        for number in given {
            session.given.insert(*number);
        }
        session.seal = OnceLock::new();
        if session.common.gaps() > MAX_GAPS || session.given.len() > MAX_GAPS {
            return;
        }
        if self.sessions.len() >= MAX_COMMON {
            self.sessions.pop_front();
        }
        self.sessions.push_back(session);
    }

    /// The session's view of the log: kept from an earlier request, or made again.
    fn snapshot(&mut self, replica: &Replica, id: &SessionId, cursor: OpSeq) -> Snapshot {
        let log = replica.log().id();
        let at = self.snapshots.iter().position(|(kept, of, _)| kept == id && of == log);
        if let Some((_, _, snapshot)) = at.and_then(|at| self.snapshots.remove(at)) {
            return snapshot;
        }
        let prf = id.prf(replica.crypto());
        Snapshot::new(replica.log().index(), &prf, cursor, self.find(replica, id.base))
    }

    fn keep(&mut self, id: SessionId, log: LogId, snapshot: Snapshot) {
        if self.snapshots.len() >= MAX_SNAPSHOTS {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back((id, log, snapshot));
    }
}

impl Draft {
    /// Describes everything: lists the newest operations, and tells the fingerprints of ranges that double in length
    /// from there back. So what was written lately is found at once, however much lies before it.
    fn describe(&mut self, view: View<'_>) {
        let mut cuts = Vec::new();
        let mut length = NEWEST;
        while let Some(cut) = view.snapshot.len().checked_sub(length).filter(|cut| *cut > 0) {
            cuts.push(view.snapshot.bound_at(view.index, cut));
            length = length.saturating_mul(2);
        }
        let mut low = Bound::start();
        for high in cuts.into_iter().rev() {
            let said = view.print(&low, &high);
            self.say(&low, &high, &said);
            low = high;
        }
        let said = view.ids(&low, &Bound::End);
        self.say(&low, &Bound::End, &said);
    }

    /// Says something of a range; where there is no room, the initiator is asked to come back to it.
    fn say(&mut self, low: &Bound, high: &Bound, said: &Said) -> bool {
        let fits = self.ranges.push(low, high, said);
        if !fits {
            self.resume = Some(Resume { from: low.clone(), done: 0 });
        }
        fits
    }

    fn on_range(&mut self, replica: &Replica, view: View<'_>, ranged: Ranged) -> Result<(), SyncError> {
        let Ranged { low, high, said } = ranged;
        let range = view.range(&low, &high);
        match said {
            Said::Print { count, print } => match view.on_print(&low, &high, count, print) {
                OnPrint::Same => {}
                OnPrint::SendAll => self.send(replica, view, &low, range)?,
                OnPrint::List => _ = self.say(&low, &high, &view.ids(&low, &high)),
                OnPrint::Print => _ = self.say(&low, &high, &view.print(&low, &high)),
                OnPrint::Split(parts) => {
                    for (low, high) in &parts {
                        if !self.say(low, high, &view.print(low, high)) {
                            break;
                        }
                    }
                }
            },
            Said::Ids(ids) => {
                let OnIds { send, wants } = view.on_ids(&low, &high, &ids);
                if wants.is_empty() || self.say(&low, &high, &Said::Wants(wants)) {
                    self.send(replica, view, &low, send)?;
                }
            }
            Said::Wants(places) => {
                let (found, expected) = (places.len(), range.len());
                if found != expected {
                    return Err(SyncError::Lie(Lie::Places { found, expected }));
                }
                let start = range.start;
                let wanted = range.zip(places).filter(|(_, wanted)| *wanted).map(|(position, _)| position);
                let wanted: Vec<usize> = wanted.collect();
                if let Some(stopped) = self.send_until_full(replica, view, wanted)? {
                    self.resume = Some(Resume {
                        from: if stopped == start {
                            low
                        } else {
                            view.snapshot.bound_at(view.index, stopped)
                        },
                        done: wide(stopped - start),
                    });
                }
            }
        }
        Ok(())
    }

    /// Sends the operations at these positions, in order, of a range that begins at `low`; where there is no more room,
    /// the initiator is asked to come back.
    fn send(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        low: &Bound,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<(), SyncError> {
        if let Some(stopped) = self.send_until_full(replica, view, positions)? {
            let from = view.snapshot.bound_at(view.index, stopped).max(low.clone());
            self.resume = Some(Resume { from, done: 0 });
        }
        Ok(())
    }

    /// Sends operations; returns the position of the first that does not fit.
    fn send_until_full(
        &mut self,
        replica: &Replica,
        view: View<'_>,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<Option<usize>, SyncError> {
        for position in positions {
            for number in view.snapshot.numbers(position..position + 1) {
                if !pack(replica, *number, &mut self.ops)? {
                    return Ok(Some(position));
                }
                self.given.push(*number);
            }
        }
        Ok(None)
    }

    /// Sends our copies of operations whose copies at the initiator are in doubt, as far as there is room.
    fn repeat(&mut self, replica: &Replica, doubts: &[OpHash]) -> Result<(), SyncError> {
        if replica.accepts_unverified() {
            return Ok(());
        }
        for number in doubts.iter().filter_map(|hash| replica.log().index().find(hash)) {
            if !pack(replica, number, &mut self.ops)? {
                break;
            }
        }
        Ok(())
    }
}
