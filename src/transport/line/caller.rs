//! The side of a line that calls.

use super::go_on;
use crate::crypto::Zeroizing;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{
    Alert, PUSH, Progress, Push, Received, ResumeToken, SessionResult, SyncError, SyncOptions, SyncSession,
};

/// What a client says over a line that stays open (a WebSocket, a serial line): it runs a session, and when that has
/// converged it sends what is written here as it is written, and takes in what the other side sends. Messages in,
/// messages out.
///
/// A session that does not converge, because one side refuses what the other holds, is run again when something was
/// written here, and once in [`LineCaller::AGAIN`].
///
/// The replica's log is the queue: a message is made only when there is room for it, so a slow line costs no memory.
/// What is lost with a line that breaks is found by the first session of the next.
pub struct LineCaller {
    options: SyncOptions,
    seed: Zeroizing<[u8; 32]>,
    sessions: u64,
    session: Option<SyncSession>,
    /// When the last session began, and how long the log was when it ended.
    began: Option<WallMillis>,
    covered: u64,
    awaiting: bool,
    finish: Option<SessionResult>,
    progress: Progress,
    go_on: Option<[u8; ResumeToken::ID_BYTES]>,
    push: Option<Push>,
}

/// What a message of the other side was.
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

impl LineCaller {
    /// How long after a session began that did not converge the next one begins: a minute.
    pub const AGAIN: WallMillis = WallMillis(60_000);

    /// A line on which nothing has been said. `seed` is 32 random bytes, new for each line, of which the sessions'
    /// nonces are made; nobody else may know it.
    #[must_use]
    pub fn new(options: SyncOptions, seed: [u8; 32]) -> Self {
        Self {
            options,
            seed: Zeroizing::new(seed),
            sessions: 0,
            session: None,
            began: None,
            covered: 0,
            awaiting: false,
            finish: None,
            progress: Progress::default(),
            go_on: None,
            push: None,
        }
    }

    /// The next message for the other side, or `None` where there is nothing to say now.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; then the line should be closed.
    pub fn next_message(&mut self, replica: &Replica, now: WallMillis) -> Result<Option<Vec<u8>>, SyncError> {
        if self.awaiting {
            return Ok(None);
        }
        if self.session.is_none() && self.push.is_none() && self.is_due(replica, now) {
            self.begin(replica, now);
        }
        if let Some(session) = &mut self.session {
            if let Some(message) = session.next_message(replica)? {
                self.awaiting = true;
                return Ok(Some(message));
            }
            let finish = session.result().cloned();
            self.conclude(replica, finish);
        }
        if let Some(id) = self.go_on.take() {
            return Ok(Some(go_on::write(id)));
        }
        self.push.as_mut().map_or(Ok(None), |push| push.next_message(replica))
    }

    /// Takes a message of the other side: operations in it are offered to the replica, in one batch.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; then the line should be closed. What was admitted before stays.
    pub fn receive(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<LineEvent, SyncError> {
        if message.first() == Some(&PUSH) {
            let push = self.push.as_mut().ok_or(SyncError::OutOfTurn)?;
            return Ok(LineEvent::Pushed(push.receive(replica, now, message)?));
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

    /// How far the session is, or how far the last one came.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How the last session ended; `None` before the first has.
    #[must_use]
    pub const fn finish(&self) -> Option<&SessionResult> {
        self.finish.as_ref()
    }

    /// What the next line to the same peer may leave out, for [`SyncOptions::resume`].
    #[must_use]
    pub const fn base(&self) -> Option<&ResumeToken> {
        match &self.finish {
            Some(SessionResult::Converged { resume, .. }) => resume.as_ref(),
            _ => None,
        }
    }

    /// Whether new operations are sent as they are written: the last session has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.push.is_some()
    }

    fn is_due(&self, replica: &Replica, now: WallMillis) -> bool {
        self.began.is_none_or(|began| {
            length(replica) != self.covered || now.0.saturating_sub(began.0) >= Self::AGAIN.0
        })
    }

    fn begin(&mut self, replica: &Replica, now: WallMillis) {
        let mut text = crate::codec::tags::LINE_NONCE.to_vec();
        text.extend_from_slice(self.seed.as_slice());
        text.extend_from_slice(&self.sessions.to_le_bytes());
        let mut nonce = [0; 16];
        nonce.iter_mut().zip(replica.crypto().hash(&text).as_bytes()).for_each(|(to, from)| *to = *from);
        self.sessions = self.sessions.saturating_add(1);
        self.session = Some(SyncSession::new(self.options.clone(), nonce));
        self.began = Some(now);
    }

    fn conclude(&mut self, replica: &Replica, finish: Option<SessionResult>) {
        self.session = None;
        self.covered = length(replica);
        self.finish = finish;
        if let Some(base) = self.base().cloned() {
            self.go_on = Some(base.id());
            self.push = Some(Push::after(base, &self.options));
        }
    }
}

fn length(replica: &Replica) -> u64 {
    replica.log().cursor().position()
}
