//! The status of synchronization in the background.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::BackgroundError;
use crate::hlc::WallMillis;
use crate::sync::{Progress, SessionResult, UnknownAuthor};

/// The status of [`BackgroundSync`](super::BackgroundSync), for display.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BackgroundStatus {
    /// The present phase.
    pub phase: BackgroundPhase,
    /// The progress of the present session, or of the last one.
    pub progress: Progress,
    /// The result of the last session that ended; `None` before the first.
    pub result: Option<SessionResult>,
    /// The time at which that session ended.
    pub ended: Option<WallMillis>,
    /// The sessions that have ended with a result.
    pub sessions: u64,
    /// The authors that the last session did not know: see
    /// [`SyncSession::unknown_authors`](crate::SyncSession::unknown_authors).
    pub unknown_authors: Vec<UnknownAuthor>,
    /// The attempts that have failed since the last session with a result.
    pub failures: u32,
    /// The last failure; `None` after a session with a result.
    pub error: Option<Arc<BackgroundError>>,
}

/// The phase of synchronization in the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackgroundPhase {
    /// Before the first answer of the server.
    #[default]
    Connecting,
    /// A session is under way.
    Syncing,
    /// No session is under way, and the last one did not fail. [`BackgroundStatus::result`] says whether both sides
    /// hold the same operations; if so, a WebSocket sends what is written and receives what others write.
    Idle,
    /// After a failure, until the next attempt.
    Waiting {
        /// The length of the pause.
        pause: Duration,
    },
    /// The thread has ended by a panic, in a guard or in
    /// [`BackgroundOptions::on_status`](super::BackgroundOptions::on_status).
    Stopped,
}

/// The end of a session.
pub(super) struct Ended {
    pub(super) result: SessionResult,
    pub(super) progress: Progress,
    pub(super) unknown_authors: Vec<UnknownAuthor>,
}

impl BackgroundStatus {
    pub(super) fn succeed(&mut self, phase: BackgroundPhase, ended: Ended, now: WallMillis) {
        (self.phase, self.progress, self.result) = (phase, ended.progress, Some(ended.result));
        (self.ended, self.unknown_authors) = (Some(now), ended.unknown_authors);
        self.sessions = self.sessions.saturating_add(1);
        (self.failures, self.error) = (0, None);
    }

    pub(super) fn fail(&mut self, error: BackgroundError, pause: Duration) {
        self.phase = BackgroundPhase::Waiting { pause };
        self.failures = self.failures.saturating_add(1);
        self.error = Some(Arc::new(error));
    }

    /// Returns true if an application should be told of the difference.
    pub(super) fn differs(&self, other: &Self) -> bool {
        (self.phase, self.sessions, self.failures) != (other.phase, other.sessions, other.failures)
    }
}

/// Formats the phase, the number of sessions and the last failure on one line.
impl fmt::Display for BackgroundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.phase {
            BackgroundPhase::Connecting => f.write_str("connecting")?,
            BackgroundPhase::Syncing => f.write_str("synchronizing")?,
            BackgroundPhase::Idle => f.write_str("idle")?,
            BackgroundPhase::Stopped => f.write_str("stopped by a panic")?,
            BackgroundPhase::Waiting { pause } => write!(f, "waiting for {} ms", pause.as_millis())?,
        }
        write!(f, ", sessions: {}", self.sessions)?;
        match &self.error {
            Some(error) => write!(f, ", failures: {}, the last: {error}", self.failures),
            None => Ok(()),
        }
    }
}
