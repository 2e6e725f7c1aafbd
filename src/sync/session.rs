//! The side that begins, and says when it is over.

use super::base::{BaseId, Common, Moved, SyncBase};
use super::bound::Bound;
use super::error::{Lie, SyncError};
use super::inbox::Inbox;
use super::intake::Intake;
use super::limits::{MAX_DOUBTS, MAX_GAPS, MAX_PENDING, MIN_MESSAGE_BYTES, WORTHWHILE, max_idle_rounds};
use super::message::{
    Ack, Body, Hello, Phase, RequestHead, Resume, Welcome, read_answer, tag, write_request,
};
use super::ops::OpWriter;
use super::options::SyncOptions;
use super::outbox::Outbox;
use super::prf::{self, Prf, SessionId, short};
use super::progress::{Finish, Progress, SessionDigest};
use super::ranges::{RangeWriter, Ranged, Said};
use super::reconcile::{OnIds, OnPrint, View};
use super::snapshot::Snapshot;
use super::wire::wide;
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::LogId;
use crate::replica::Replica;

/// A session with a peer, from the side that begins it: what to send next, and what to do with the answer.
///
/// It opens no socket and borrows the replica only while it works: the application carries the bytes, and may write
/// into the replica meanwhile. What is written during a session waits for the next one.
///
/// ```
/// use policysync::{Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, SyncSession, WallMillis};
/// use policysync::sync::Finish;
///
/// let now = WallMillis(1_760_000_000_000);
/// let alice = SigningSecretKey::generate("alice")?;
/// let alices_key = alice.public_key().clone();
/// let mut phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
/// let mut laptop = Replica::open(ReplicaOptions::new())?;
/// laptop.keys_mut().register(alices_key)?;
/// phone.set(now, "Task", "t1", "title", "Hello world")?;
///
/// // 16 and 32 random bytes, from `Sodium::random`.
/// # let (nonce, secret) = ([7; 16], [8; 32]);
/// let mut session = SyncSession::new(SyncOptions::new(), nonce);
/// let mut responder = Responder::new(secret, SyncOptions::new());
/// while let Some(request) = session.next_message(&phone)? {
///     // Over a network, or on paper.
///     let reply = responder.respond(&mut laptop, now, &request)?;
///     session.receive(&mut phone, now, &reply.message)?;
/// }
/// assert!(matches!(session.finish(), Some(Finish::Converged { count: 1, .. })));
/// assert_eq!(phone.log().digest(), laptop.log().digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SyncSession {
    options: SyncOptions,
    nonce: [u8; 16],
    turn: Turn,
    start: Option<Start>,
    peer: Option<Peer>,
    /// What will be said.
    todo: Vec<Todo>,
    /// What was said in the last request, in order.
    asked: Vec<Todo>,
    outbox: Outbox,
    inbox: Inbox,
    progress: Progress,
    round: u64,
    idle: u32,
    finish: Option<Finish>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Ours,
    Peers,
    Over,
}

/// Our log when the session began.
struct Start {
    /// How much of it the session is about.
    cursor: OpSeq,
    /// To tell that the replica is still the same.
    log: LogId,
}

/// What is known since the first answer.
struct Peer {
    id: SessionId,
    prf: Prf,
    snapshot: Snapshot,
    welcome: Welcome,
}

/// A range that something is to be said of.
#[derive(Clone)]
struct Todo {
    low: Bound,
    high: Bound,
    say: Say,
}

#[derive(Clone)]
enum Say {
    Print,
    Ids,
    Wants(Vec<bool>),
}

impl SyncSession {
    /// A session that has not begun. `nonce` is 16 random bytes, new for each session: the safety of what is compared
    /// rests on nobody knowing them before it begins.
    #[must_use]
    pub fn new(options: SyncOptions, nonce: [u8; 16]) -> Self {
        Self {
            options,
            nonce,
            turn: Turn::Ours,
            start: None,
            peer: None,
            todo: Vec::new(),
            asked: Vec::new(),
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            progress: Progress::default(),
            round: 0,
            idle: 0,
            finish: None,
        }
    }

    /// The next message for the peer, or `None` when the session is over: then [`SyncSession::finish`] says how it
    /// ended. The first call decides which operations of the replica the session is about.
    ///
    /// # Errors
    ///
    /// [`SyncError::OutOfTurn`] while the peer's answer is awaited, [`SyncError::Ended`] after an error,
    /// [`SyncError::OtherReplica`] and [`SyncError::Store`] for what is wrong with the replica; these end the session.
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        match self.turn {
            Turn::Peers => return Err(SyncError::OutOfTurn),
            Turn::Over if self.finish.is_some() => return Ok(None),
            Turn::Over => return Err(SyncError::Ended),
            Turn::Ours => {}
        }
        self.turn = Turn::Over;
        let message = match self.peer.take() {
            None => Some(self.hello(replica)),
            Some(peer) => {
                self.check_replica(replica)?;
                let message = self.request(replica, &peer)?;
                if message.is_none() {
                    self.conclude(replica, &peer);
                }
                self.peer = Some(peer);
                message
            }
        };
        if let Some(message) = &message {
            self.turn = Turn::Peers;
            self.progress.bytes_sent = self.progress.bytes_sent.saturating_add(wide(message.len()));
        }
        Ok(message)
    }

    /// Takes the peer's answer: operations in it are offered to the replica, in one batch. Returns how far the session
    /// is.
    ///
    /// # Errors
    ///
    /// [`SyncError`]. After [`SyncError::Stray`] and [`SyncError::OutOfTurn`] the session is as it was; every other
    /// error ends it. What was admitted before stays.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        answer: &[u8],
    ) -> Result<Progress, SyncError> {
        match self.turn {
            Turn::Ours => return Err(SyncError::OutOfTurn),
            Turn::Over => return Err(SyncError::Ended),
            Turn::Peers => {}
        }
        match self.take_answer(replica, now, answer) {
            Ok(()) => self.turn = Turn::Ours,
            Err(SyncError::Stray) => return Err(SyncError::Stray),
            Err(error) => {
                self.turn = Turn::Over;
                return Err(error);
            }
        }
        Ok(self.progress)
    }

    /// How far the session is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether the session is over: finished, cancelled, or ended by an error.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.turn == Turn::Over
    }

    /// How the session ended; `None` before its end, and after an error.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// Ends the session. What was admitted stays; a later session goes on from there.
    pub fn cancel(&mut self) {
        if self.finish.is_none() {
            self.finish = Some(Finish::Cancelled);
        }
        self.turn = Turn::Over;
    }

    // Requests

    fn hello(&mut self, replica: &Replica) -> Vec<u8> {
        let index = replica.log().index();
        let cursor = index.end();
        self.start = Some(Start { cursor, log: replica.log().id().clone() });
        self.options.since = self.options.since.take().filter(|base| base.common.is_of(replica.log()));
        let since = self.options.since.as_ref();
        let count = u64::from(cursor);
        let hello = Hello {
            count,
            since: since.map_or(count, |base| wide(base.common.others(cursor).count())),
            hint: prf::hint_of(replica.crypto(), index),
        };
        let head = self.head(replica, since.map(|base| base.id), Phase::Hello(hello));
        self.asked = vec![Todo { low: Bound::start(), high: Bound::End, say: Say::Print }];
        // A replica that cannot judge asks those who can.
        let doubts = replica.wanted_alternates().take(MAX_DOUBTS).copied().collect();
        write_request(&head, Body { doubts, ranges: RangeWriter::new(), ops: OpWriter::new(0) })
    }

    fn head(&self, replica: &Replica, base: Option<BaseId>, phase: Phase) -> RequestHead {
        RequestHead {
            nonce: self.nonce,
            space: prf::space_tag(replica.crypto(), replica.log().space()),
            round: self.round,
            limit: self.options.max_message_bytes,
            base,
            phase,
        }
    }

    /// A later request; `None` where nothing is left to say.
    fn request(&mut self, replica: &Replica, peer: &Peer) -> Result<Option<Vec<u8>>, SyncError> {
        let ranges = self.say(replica, peer);
        let limit = peer.welcome.limit.min(self.options.max_message_bytes);
        let ops = self.outbox.pack(replica, &peer.prf, limit)?;
        let doubts = self.inbox.take_doubts();
        if ranges.is_empty() && ops.count() == 0 && doubts.is_empty() {
            return Ok(None);
        }
        self.progress.op_bytes_sent = self.progress.op_bytes_sent.saturating_add(wide(ops.len()));
        let phase = Phase::Later { cursor: peer.welcome.cursor };
        let head = self.head(replica, peer.id.base, phase);
        Ok(Some(write_request(&head, Body { doubts, ranges, ops })))
    }

    /// Says of ranges what is to be said, as far as a message takes it.
    fn say(&mut self, replica: &Replica, peer: &Peer) -> RangeWriter {
        let view = peer.view(replica);
        let mut writer = RangeWriter::new();
        let mut reached = Bound::start();
        let mut left = Vec::new();
        self.asked.clear();
        self.todo.sort_by(|a, b| a.low.cmp(&b.low));
        let mut todo = std::mem::take(&mut self.todo).into_iter();
        for next in todo.by_ref() {
            // A peer that speaks of one range twice is answered once.
            if next.low < reached {
                continue;
            }
            let said = match &next.say {
                Say::Print => view.print(&next.low, &next.high),
                Say::Ids => view.ids(&next.low, &next.high),
                Say::Wants(places) => Said::Wants(places.clone()),
            };
            if !writer.push(&next.low, &next.high, &said) {
                left.push(next);
                break;
            }
            reached = next.high.clone();
            self.asked.push(next);
        }
        left.extend(todo);
        self.todo = left;
        writer
    }

    // Answers

    fn take_answer(&mut self, replica: &mut Replica, now: WallMillis, bytes: &[u8]) -> Result<(), SyncError> {
        let limit = self.options.max_message_bytes;
        if bytes.len() > limit {
            return Err(SyncError::TooLarge { len: bytes.len(), limit });
        }
        self.check_replica(replica)?;
        let space = replica.log().space().map(str::to_owned);
        let answer = read_answer(bytes, space.as_deref(), tag(&self.nonce), self.round)?;
        self.progress.bytes_received = self.progress.bytes_received.saturating_add(wide(bytes.len()));
        self.progress.op_bytes_received =
            self.progress.op_bytes_received.saturating_add(wide(answer.op_bytes));
        self.progress.round_trips = self.progress.round_trips.saturating_add(1);
        self.round += 1;

        let peer = match (self.peer.take(), &answer.welcome) {
            (None, Some(welcome)) => self.meet(replica, *welcome)?,
            (Some(peer), None) => peer,
            _ => return Err(SyncError::Lie(Lie::Greeting)),
        };
        let sent = self.take_ack(&answer.ack)?;
        let brought = wide(answer.ops.len());
        let intake = Intake::take(replica, now, answer.ops)?;
        let accepted = intake.accepted;
        let refused = intake.refused.total();
        let cursor = self.start.as_ref().map_or(OpSeq::FIRST, |start| start.cursor);
        self.inbox.note(replica.log(), &peer.prf, cursor, intake, &mut self.progress)?;
        self.outbox.repeat(replica, &answer.doubts);

        let said_nothing = answer.ranges.is_empty() && answer.resume.is_none() && brought == 0;
        if answer.welcome.is_some() && said_nothing {
            // All that is known is that the whole is different, if it is.
            let (count, print) = (peer.welcome.count, short(peer.welcome.total));
            let said = Said::Print { count, print };
            self.on_range(replica, &peer, Ranged { low: Bound::start(), high: Bound::End, said })?;
        }
        for ranged in answer.ranges {
            if !self.was_asked(&ranged) {
                return Err(SyncError::Lie(Lie::Range));
            }
            self.on_range(replica, &peer, ranged)?;
        }
        if let Some(resume) = answer.resume {
            self.ask_again(resume)?;
        }

        let limit = max_idle_rounds(peer.welcome.count.max(peer.snapshot.count()));
        let worked = accepted > 0 || sent > 0 || refused >= WORTHWHILE;
        self.idle = if worked { 0 } else { self.idle + 1 };
        if self.idle > limit {
            return Err(SyncError::NoProgress { limit });
        }
        self.progress.left_to_send = wide(self.outbox.waiting.len());
        let here = peer.snapshot.count().saturating_add(self.inbox.received.count);
        self.progress.left_to_receive = peer.welcome.count.saturating_sub(here);
        self.peer = Some(peer);
        Ok(())
    }

    /// What follows from the first answer.
    fn meet(&mut self, replica: &Replica, welcome: Welcome) -> Result<Peer, SyncError> {
        let base = match (&self.options.since, welcome.based) {
            (Some(base), true) => Some(base),
            (None, true) => return Err(SyncError::Lie(Lie::Base)),
            (_, false) => None,
        };
        if welcome.limit < MIN_MESSAGE_BYTES {
            return Err(SyncError::Lie(Lie::Limit));
        }
        let id =
            SessionId { initiator: self.nonce, responder: welcome.nonce, base: base.map(|base| base.id) };
        let prf = id.prf(replica.crypto());
        let cursor = self.start.as_ref().map_or(OpSeq::FIRST, |start| start.cursor);
        let common = base.map(|base| &base.common);
        let snapshot = Snapshot::new(replica.log().index(), &prf, cursor, common);
        if snapshot.len() == 0 {
            // Nothing here is nothing to compare: everything that the peer has is missing.
            self.asked = vec![Todo { low: Bound::start(), high: Bound::End, say: Say::Ids }];
        }
        Ok(Peer { id, prf, snapshot, welcome })
    }

    /// Takes the peer's word for what became of the operations of the last request; returns how many those were.
    fn take_ack(&mut self, ack: &Ack) -> Result<u64, SyncError> {
        let (found, expected) = (ack.total(), std::mem::take(&mut self.outbox.in_flight));
        if found != expected {
            return Err(SyncError::Lie(Lie::Answers { found, expected }));
        }
        self.outbox.altered |= ack.refused.total() == 0 && ack.sum != self.outbox.in_flight_sum;
        self.progress.sent = self.progress.sent.saturating_add(expected);
        self.progress.refused_by_peer.add(&ack.refused);
        Ok(expected)
    }

    /// Whether the range lies within one that the last request spoke of.
    fn was_asked(&self, ranged: &Ranged) -> bool {
        let at = self.asked.partition_point(|asked| asked.high <= ranged.low);
        self.asked.get(at).is_some_and(|asked| asked.low <= ranged.low && ranged.high <= asked.high)
    }

    fn on_range(&mut self, replica: &Replica, peer: &Peer, ranged: Ranged) -> Result<(), SyncError> {
        let view = peer.view(replica);
        let Ranged { low, high, said } = ranged;
        match said {
            Said::Print { count, print } => match view.on_print(&low, &high, count, print) {
                OnPrint::Same => {}
                OnPrint::SendAll => self.outbox.queue(peer.snapshot.numbers(view.range(&low, &high))),
                OnPrint::List => self.todo.push(Todo { low, high, say: Say::Ids }),
                OnPrint::Split(parts) if self.todo.len() + parts.len() <= MAX_PENDING => {
                    let todo = |(low, high)| Todo { low, high, say: Say::Print };
                    self.todo.extend(parts.into_iter().map(todo));
                }
                OnPrint::Print | OnPrint::Split(_) => {
                    self.todo.push(Todo { low, high, say: Say::Print });
                }
            },
            Said::Ids(ids) => {
                let OnIds { send, wants } = view.on_ids(&low, &high, &ids);
                for position in send {
                    self.outbox.queue(peer.snapshot.numbers(position..position + 1));
                }
                if !wants.is_empty() {
                    self.todo.push(Todo { low, high, say: Say::Wants(wants) });
                }
            }
            Said::Wants(places) => {
                let numbers = peer.snapshot.numbers(view.range(&low, &high));
                let (found, expected) = (places.len(), numbers.len());
                if found != expected {
                    return Err(SyncError::Lie(Lie::Places { found, expected }));
                }
                let wanted = numbers.iter().zip(places).filter(|(_, wanted)| *wanted);
                let wanted: Vec<OpSeq> = wanted.map(|(number, _)| *number).collect();
                self.outbox.queue(&wanted);
            }
        }
        Ok(())
    }

    /// Says again what was said from a bound on.
    fn ask_again(&mut self, resume: Resume) -> Result<(), SyncError> {
        for mut asked in std::mem::take(&mut self.asked) {
            if asked.high <= resume.from {
                continue;
            }
            if asked.low < resume.from {
                asked.low = resume.from.clone();
                if let Say::Wants(places) = &mut asked.say {
                    let done = usize::try_from(resume.done).ok().filter(|done| *done <= places.len());
                    places.drain(..done.ok_or(SyncError::Lie(Lie::Limit))?);
                }
            }
            self.todo.push(asked);
        }
        Ok(())
    }

    // The end

    fn conclude(&mut self, replica: &Replica, peer: &Peer) {
        let (received, sent) = (self.inbox.received, self.outbox.sent);
        let refused = self.progress.refused;
        let refused_by_peer = self.progress.refused_by_peer;
        // What we had and what we got is what the peer had and what it got. All of it is from our own log, but what the
        // peer said of its own before any operation was exchanged.
        let count = peer.snapshot.count().checked_add(received.count);
        let same_count = count.and_then(|count| count.checked_sub(sent.count)) == Some(peer.welcome.count);
        let sum = peer.snapshot.total().wrapping_add(received.sum);
        let same_sum = sum.wrapping_sub(sent.sum) == peer.welcome.total;
        let all_taken = refused.total() == 0 && refused_by_peer.total() == 0 && !self.outbox.altered;
        self.finish = Some(if same_count && same_sum && all_taken {
            let cursor = self.start.as_ref().map_or(OpSeq::FIRST, |start| start.cursor);
            Finish::Converged {
                digest: SessionDigest(sum.to_le_bytes()),
                count: u64::from(cursor).saturating_add(received.count),
                base: self.base(replica, peer, cursor),
            }
        } else {
            Finish::NotConverged { refused, refused_by_peer }
        });
    }

    /// What the next session may leave out.
    fn base(&mut self, replica: &Replica, peer: &Peer, cursor: OpSeq) -> Option<SyncBase> {
        let index = replica.log().index();
        let numbers = std::mem::take(&mut self.inbox.numbers);
        if numbers.len() > MAX_GAPS {
            return None;
        }
        let moved = Moved {
            count: peer.welcome.count,
            total: peer.welcome.total,
            to_responder: self.outbox.gone.iter().map(|number| *index.hash(*number)).collect(),
            to_initiator: numbers.numbers().map(|number| *index.hash(number)).collect(),
        };
        let crypto = replica.crypto();
        let id = BaseId { session: peer.id.name(crypto), seal: moved.seal(crypto) };
        Some(SyncBase { id, common: Common::new(replica.log(), cursor, numbers) })
    }

    /// How many ranges are still to be spoken of.
    #[cfg(test)]
    pub(super) fn to_say(&self) -> usize {
        self.todo.len()
    }

    /// Whether the replica is the one that the session began with.
    fn check_replica(&self, replica: &Replica) -> Result<(), SyncError> {
        let same = self.start.as_ref().is_none_or(|start| start.log == *replica.log().id());
        if same { Ok(()) } else { Err(SyncError::OtherReplica) }
    }
}

impl Peer {
    fn view<'v>(&'v self, replica: &'v Replica) -> View<'v> {
        View { index: replica.log().index(), prf: &self.prf, snapshot: &self.snapshot }
    }
}
