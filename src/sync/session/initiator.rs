//! The initiator of a session: begins it and determines its result.

use super::reconciling::Reconciling;
use super::start::Start;
use super::{Progress, SessionResult, SyncOptions};
use crate::codec::{OpHash, wide};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::authors::{UnknownAuthor, UnknownAuthors};
use crate::sync::proto::{Alert, ProtocolVersion, SyncAnswer};
use crate::sync::trace::TracedSession;
use crate::sync::{PeerMisbehaved, SyncError};

/// A session with a peer, on the side that begins it.
///
/// A session does no I/O: [`SyncSession::next_message`] returns each request, the application carries it to the peer's
/// [`Responder`](crate::Responder), and [`SyncSession::receive`] takes the answer. Between calls the application may
/// write to the replica; operations written during a session are left to the next one.
///
/// ```
/// use policysync::{Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, SyncSession, WallMillis};
/// use policysync::sync::SessionResult;
///
/// let now = WallMillis(1_760_000_000_000);
/// let alice = SigningSecretKey::generate("alice")?;
/// let alices_key = alice.public_key().clone();
/// let mut phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
/// let mut laptop = Replica::open(ReplicaOptions::new())?;
/// laptop.keys_mut().register(alices_key)?;
/// phone.set(now, ("Task", "t1", "title"), "Hello world")?;
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
/// assert!(matches!(session.result(), Some(SessionResult::Converged { count: 1, .. })));
/// assert_eq!(phone.log().digest(), laptop.log().digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SyncSession {
    options: SyncOptions,
    nonce: [u8; 16],
    stage: Stage,
    progress: Progress,
    unknown: UnknownAuthors,
    too_large: Vec<OpHash>,
    traced: Option<TracedSession>,
}

enum Stage {
    /// Nothing has been sent.
    Idle,
    /// The first request was sent.
    AwaitingWelcome(Start),
    /// The peer has refused the newest version, so the first request is sent again in version 1.
    FallenBack(Start),
    /// An answer was received.
    Ready(Box<Reconciling>),
    /// A later request was sent.
    AwaitingAnswer(Box<Reconciling>),
    Done(SessionResult),
    /// An error ended the session.
    Failed,
}

impl SyncSession {
    /// Creates a session that has not begun. `nonce` is 16 random bytes, new for each session. The security of the
    /// comparison depends on nobody knowing them before the session begins.
    #[must_use]
    pub fn new(options: SyncOptions, nonce: [u8; 16]) -> Self {
        Self {
            traced: options.trace.as_ref().map(TracedSession::begin),
            options,
            nonce,
            stage: Stage::Idle,
            progress: Progress::default(),
            unknown: UnknownAuthors::default(),
            too_large: Vec::new(),
        }
    }

    /// Returns the next message for the peer, or `None` if the session is over and [`SyncSession::result`] has its
    /// result. The first call fixes the operations of the replica that the session covers.
    ///
    /// # Errors
    ///
    /// [`SyncError::OutOfTurn`] if the peer's answer is awaited, [`SyncError::Ended`] after an error. These end the
    /// session: [`SyncError::OtherReplica`] and [`SyncError::Store`].
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        let message = match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Idle => {
                let start = Start::new(&self.options, self.nonce, replica);
                let message = start.hello(replica);
                self.stage = Stage::AwaitingWelcome(start);
                message
            }
            Stage::FallenBack(start) => {
                start.check_replica(replica)?;
                let message = start.hello(replica);
                self.stage = Stage::AwaitingWelcome(start);
                message
            }
            Stage::Ready(mut reconciling) => {
                reconciling.start.check_replica(replica)?;
                let Some(message) = reconciling.next_request(replica, &mut self.progress)? else {
                    self.stage = Stage::Done(reconciling.conclude(replica, &self.progress));
                    return Ok(None);
                };
                self.stage = Stage::AwaitingAnswer(reconciling);
                message
            }
            awaiting @ (Stage::AwaitingWelcome(_) | Stage::AwaitingAnswer(_)) => {
                self.stage = awaiting;
                return Err(SyncError::OutOfTurn);
            }
            Stage::Done(result) => {
                self.stage = Stage::Done(result);
                return Ok(None);
            }
            Stage::Failed => return Err(SyncError::Ended),
        };
        self.progress.bytes_sent = self.progress.bytes_sent.saturating_add(wide(message.len()));
        Ok(Some(message))
    }

    /// Takes the peer's answer and ingests its operations, in one batch. Returns the progress of the session.
    ///
    /// # Errors
    ///
    /// [`SyncError`]. [`SyncError::Stray`] and [`SyncError::OutOfTurn`] leave the session unchanged; any other error
    /// ends it. Operations admitted before stay.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        answer: &[u8],
    ) -> Result<Progress, SyncError> {
        let result = self.take_answer(replica, now, answer);
        if let Some(traced) = &mut self.traced {
            traced.note(now, &self.progress, result.as_ref().err());
        }
        result
    }

    fn take_answer(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        answer: &[u8],
    ) -> Result<Progress, SyncError> {
        let (start, round) = match &self.stage {
            Stage::AwaitingWelcome(start) => (start, 0),
            Stage::AwaitingAnswer(reconciling) => (&reconciling.start, reconciling.round),
            Stage::Idle | Stage::FallenBack(_) | Stage::Ready(_) => return Err(SyncError::OutOfTurn),
            Stage::Done(_) | Stage::Failed => return Err(SyncError::Ended),
        };
        let space = start.space.clone();
        let read = self
            .options
            .check_length(answer)
            .and_then(|()| start.check_replica(replica))
            .and_then(|()| SyncAnswer::read(answer, &space, start.version, start.tag(), round));
        if matches!(read, Err(SyncError::Stray)) {
            return Err(SyncError::Stray);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        let progress = &mut self.progress;
        let stage = match (stage, &read) {
            (Stage::AwaitingWelcome(start), Err(SyncError::AlertReceived(Alert::Version)))
                if start.version > ProtocolVersion::V1 =>
            {
                self.stage = Stage::FallenBack(start.fall_back(replica));
                progress.count_answer(answer.len());
                return Ok(self.progress);
            }
            (stage, _) => stage,
        };
        let read = read?;
        progress.count_answer(answer.len());
        let op_bytes = wide(read.sections.op_bytes);
        progress.op_bytes_received = progress.op_bytes_received.saturating_add(op_bytes);
        let mut reconciling = match (stage, &read.welcome) {
            (Stage::AwaitingWelcome(start), Some(welcome)) => {
                Box::new(Reconciling::new(start, welcome.clone(), replica)?)
            }
            (Stage::AwaitingAnswer(reconciling), None) => reconciling,
            _ => return Err(PeerMisbehaved::Welcome.into()),
        };
        reconciling.take_answer(replica, now, read, progress, &mut self.unknown)?;
        self.stage = Stage::Ready(reconciling);
        Ok(self.progress)
    }

    /// Returns the progress of the session.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Returns authors whose operations were left out or refused because their keys are not registered here, at most
    /// 32, so that an application can ask whether to register them. Each claims to be that actor; nothing proves it.
    #[must_use]
    pub fn unknown_authors(&self) -> &[UnknownAuthor] {
        self.unknown.as_slice()
    }

    /// Returns true if the session is over: it has a result, or an error ended it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done(_) | Stage::Failed)
    }

    /// Returns the result of the session, or `None` before its end and after an error.
    #[must_use]
    pub fn result(&self) -> Option<&SessionResult> {
        match &self.stage {
            Stage::Done(result) => Some(result),
            _ => None,
        }
    }

    /// Takes back the last message, which was refused because of its length: by the peer, or on the way by a gateway
    /// (for HTTP, status 413). Returns true if the session goes on: the next message has half of the operations, or no
    /// longer an operation that was alone ([`SyncSession::too_large`]). Returns false if the message cannot be shorter,
    /// or had several operations in at most 64 KiB: whoever refuses that takes no message.
    pub fn message_too_large(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::AwaitingAnswer(mut reconciling) => {
                let goes_on = reconciling.take_back();
                self.too_large.extend(reconciling.too_large().iter().skip(self.too_large.len()));
                self.stage = Stage::Ready(reconciling);
                goes_on
            }
            stage => {
                self.stage = stage;
                false
            }
        }
    }

    /// Returns the operations that were not sent because the peer or a gateway accepts no message with them. The result
    /// counts them as refused by the peer for another reason.
    #[must_use]
    pub fn too_large(&self) -> &[OpHash] {
        &self.too_large
    }

    /// Ends the session, unless it has a result. Operations admitted before stay.
    pub fn cancel(&mut self) {
        if self.result().is_none() {
            self.stage = Stage::Done(SessionResult::Cancelled);
        }
    }

    /// Returns the number of ranges to describe in later requests.
    #[cfg(test)]
    pub(crate) fn pending_ranges(&self) -> usize {
        match &self.stage {
            Stage::Ready(reconciling) | Stage::AwaitingAnswer(reconciling) => reconciling.pending_ranges(),
            _ => 0,
        }
    }
}
