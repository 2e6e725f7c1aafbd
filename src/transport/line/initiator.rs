//! The initiator of a line.

use super::resume;
use crate::crypto::Zeroizing;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{
    Alert, PUSH, Progress, Push, Received, ResumeToken, SessionResult, SyncError, SyncOptions, SyncSession,
    UnknownAuthor,
};

/// The client's side of a line that stays open (a WebSocket, a serial line): runs a session, and after it has converged
/// sends operations as they are written and ingests those of the other side. Messages in, messages out.
///
/// If a session does not converge, because one side refuses operations of the other, another one begins after the next
/// write, or [`LineInitiator::AGAIN`] after the last one began.
///
/// The replica's log is the queue: a message is made only when it can be sent, so a slow line costs no memory. The
/// first session of the next line sends what was lost when a line broke.
pub struct LineInitiator {
    options: SyncOptions,
    /// Made with the first session unless the caller has given one.
    seed: Option<Zeroizing<[u8; 32]>>,
    sessions: u64,
    session: Option<SyncSession>,
    /// The time at which the last session began.
    began: Option<WallMillis>,
    /// The length of the log at the end of the last session.
    covered: u64,
    /// The number of registered keys when the last session began.
    keys: usize,
    /// True if the other side has asked for a session, because it accepts more than when the last one began.
    is_called: bool,
    awaiting: bool,
    result: Option<SessionResult>,
    progress: Progress,
    /// The number of sessions that have ended.
    ended: u64,
    unknown_authors: Vec<UnknownAuthor>,
    resume_from: Option<ResumeToken>,
    push: Option<Push>,
}

/// The kind of a message of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineEvent {
    /// An answer in a session.
    Session(Progress),
    /// New operations.
    Pushed(Received),
    /// The other side no longer knows the last session; the next one begins later.
    Forgotten,
}

impl LineInitiator {
    /// The time from the start of a session that did not converge to the start of the next: a minute.
    pub const AGAIN: WallMillis = WallMillis(60_000);

    /// The time from the start of a session to the start of one that the other side has asked for, because it has
    /// learnt a key: a second.
    pub const AGAIN_WHEN_CALLED: WallMillis = WallMillis(1_000);

    /// The time from the start of a session in which the other side refused operations to the start of the next: ten
    /// minutes. If this side refused some, the next begins when it has learnt a key.
    pub const AGAIN_WITH_EXCEPTIONS: WallMillis = WallMillis(600_000);

    /// Returns a line without any messages. `seed` is 32 random bytes, new for each line and secret, from which the
    /// sessions' nonces are derived.
    #[must_use]
    pub fn new(options: SyncOptions, seed: [u8; 32]) -> Self {
        Self { seed: Some(Zeroizing::new(seed)), ..Self::unseeded(options) }
    }

    /// Returns a line that makes its own seed.
    pub(crate) fn unseeded(options: SyncOptions) -> Self {
        Self {
            options,
            seed: None,
            sessions: 0,
            session: None,
            began: None,
            covered: 0,
            keys: 0,
            is_called: false,
            awaiting: false,
            result: None,
            progress: Progress::default(),
            ended: 0,
            unknown_authors: Vec::new(),
            resume_from: None,
            push: None,
        }
    }

    /// Returns the next message for the other side, or `None` if there is nothing to send.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; then the line should be closed.
    pub fn next_message(&mut self, replica: &Replica, now: WallMillis) -> Result<Option<Vec<u8>>, SyncError> {
        if self.awaiting {
            return Ok(None);
        }
        let is_due = match self.push {
            Some(_) => self.may_admit_more(replica, now),
            None => self.is_due(replica, now),
        };
        if self.session.is_none() && is_due {
            self.begin(replica, now);
        }
        if let Some(session) = &mut self.session {
            if let Some(message) = session.next_message(replica)? {
                self.awaiting = true;
                return Ok(Some(message));
            }
            let result = session.result().cloned();
            self.unknown_authors = session.unknown_authors().to_vec();
            self.ended = self.ended.saturating_add(1);
            self.conclude(result);
        }
        if let Some(token) = self.resume_from.take() {
            return Ok(Some(resume::write(&token)));
        }
        self.push.as_mut().map_or(Ok(None), |push| push.next_message(replica))
    }

    /// Processes a message of the other side: operations in it are ingested in one batch.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; then the line should be closed. Operations that were admitted before stay.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<LineEvent, SyncError> {
        if message.first() == Some(&PUSH) {
            let push = self.push.as_mut().ok_or(SyncError::OutOfTurn)?;
            let received = push.receive(replica, now, message)?;
            self.is_called |= received.total() == 0;
            return Ok(LineEvent::Pushed(received));
        }
        let forgotten = SyncError::AlertReceived(Alert::Forgotten).to_alert();
        if !self.awaiting && message == forgotten {
            self.push = None;
            return Ok(LineEvent::Forgotten);
        }
        let session = self.session.as_mut().filter(|_| self.awaiting).ok_or(SyncError::OutOfTurn)?;
        self.progress = session.receive(replica, now, message)?;
        self.awaiting = false;
        Ok(LineEvent::Session(self.progress))
    }

    /// Returns the progress of the session, or of the last one.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns the result of the last session; `None` before the first has ended.
    #[must_use]
    pub const fn result(&self) -> Option<&SessionResult> {
        self.result.as_ref()
    }

    /// Returns the state from which the next line to the same peer can resume, for [`SyncOptions::resume`].
    #[must_use]
    pub const fn resume_token(&self) -> Option<&ResumeToken> {
        match &self.result {
            Some(result) => result.resume_token(),
            None => None,
        }
    }

    /// Returns authors that the last session did not know: see [`SyncSession::unknown_authors`].
    #[must_use]
    pub fn unknown_authors(&self) -> &[UnknownAuthor] {
        &self.unknown_authors
    }

    /// Returns the number of sessions that have ended.
    #[cfg(feature = "websocket")]
    pub(crate) const fn ended(&self) -> u64 {
        self.ended
    }

    /// Returns true if a session is under way.
    #[cfg(feature = "websocket")]
    pub(crate) const fn is_in_session(&self) -> bool {
        self.session.is_some()
    }

    /// Returns true if new operations are sent as they are written: the last session has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.push.is_some()
    }

    fn is_due(&self, replica: &Replica, now: WallMillis) -> bool {
        self.began.is_none_or(|began| {
            length(replica) != self.covered || now.0.saturating_sub(began.0) >= Self::AGAIN.0
        })
    }

    /// Returns true if a session may bring what the last one left out: this side has learnt a key, or the other side
    /// has, or may have.
    fn may_admit_more(&self, replica: &Replica, now: WallMillis) -> bool {
        // The other side leaves out what is written with a key that this side did not know.
        if replica.keys().len() != self.keys {
            return true;
        }
        let began = self.began.map_or(0, |began| began.0);
        if self.is_called && now.0.saturating_sub(began) >= Self::AGAIN_WHEN_CALLED.0 {
            return true;
        }
        let Some(SessionResult::ConvergedExcept { refused, refused_by_peer, .. }) = &self.result else {
            return false;
        };
        let is_long_ago = now.0.saturating_sub(began) >= Self::AGAIN_WITH_EXCEPTIONS.0;
        is_long_ago && (refused_by_peer.total() > 0 || refused.bad_signature > 0)
    }

    fn begin(&mut self, replica: &Replica, now: WallMillis) {
        let seed = self.seed.get_or_insert_with(|| {
            let mut seed = Zeroizing::new([0; 32]);
            replica.crypto().random(seed.as_mut_slice());
            seed
        });
        let mut text = crate::codec::tags::LINE_NONCE.to_vec();
        text.extend_from_slice(seed.as_slice());
        text.extend_from_slice(&self.sessions.to_le_bytes());
        let nonce = replica.crypto().hash(&text).first();
        self.sessions = self.sessions.saturating_add(1);
        // Without a name, the other side may be anybody.
        text.extend_from_slice(b"peer");
        let line = replica.crypto().hash(&text).first();
        let options = std::mem::take(&mut self.options).peer_or_connection(line);
        self.options = options.clone();
        let options = self.resume_token().cloned().map_or(options.clone(), |token| options.resume(token));
        self.session = Some(SyncSession::new(options, nonce));
        self.began = Some(now);
        self.covered = length(replica);
        self.keys = replica.keys().len();
        self.is_called = false;
    }

    fn conclude(&mut self, result: Option<SessionResult>) {
        (self.session, self.push) = (None, None);
        // The session covers what was there when it began, and what it brought.
        self.covered = self.covered.saturating_add(self.progress.received.new_ops());
        self.result = result;
        if let Some(resume_token) = self.resume_token().cloned() {
            self.resume_from = Some(resume_token.clone());
            self.push = Some(Push::after(resume_token, &self.options));
        }
    }
}

fn length(replica: &Replica) -> u64 {
    replica.log().cursor().position()
}
