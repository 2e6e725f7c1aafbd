//! Sessions over HTTP in the background.

use std::time::Duration;

use super::status::Ended;
use super::{BackgroundOptions, BackgroundPhase, Task};
use crate::hlc::{steady_clock, system_wall_clock};
use crate::replica::Replica;
use crate::sync::{ResumeToken, SyncError, SyncOptions, SyncSession};
use crate::transport::http::{HttpClient, HttpError, HttpOptions, LocalSession, Received};
use crate::transport::net::{Backoff, ConnectionError};

/// An HTTP client with the session to resume.
pub(super) struct HttpCarrier {
    client: HttpClient,
    sync: SyncOptions,
    every: Duration,
    resume: Option<ResumeToken>,
}

/// The numbers of operations and keys of a replica, on which a session depends.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Extent {
    ops: u64,
    keys: usize,
}

impl Extent {
    fn of(replica: &Replica) -> Self {
        Self { ops: replica.log().cursor().position(), keys: replica.keys().len() }
    }
}

impl HttpCarrier {
    pub(super) fn new(options: &BackgroundOptions) -> Result<Self, ConnectionError> {
        // One pause for all failures, between sessions: what has arrived stays.
        let http = HttpOptions::new().connection(options.connection.clone()).retry_for(Duration::ZERO);
        let client = HttpClient::new(&options.url, http).map_err(|error| match error {
            HttpError::Connection(error) => error,
            // A client that connects to nothing fails in no other way.
            other => ConnectionError::Io(std::io::Error::other(other)),
        })?;
        let sync = options.sync.clone();
        let resume = sync.resume.clone();
        Ok(Self { client, sync, every: options.every, resume })
    }

    /// Runs one session, then waits for a change of the replica or the next turn.
    pub(super) fn work(&mut self, task: &Task, backoff: &mut Backoff) -> Result<(), HttpError> {
        let (session, before) = {
            let Some(replica) = task.lock() else { return Ok(()) };
            let options =
                self.resume.clone().map_or(self.sync.clone(), |token| self.sync.clone().resume(token));
            (self.client.session(options, &replica), Extent::of(&replica))
        };
        let mut shared = SharedSession { session, task };
        self.client.run(&mut shared, self.sync.limit())?;
        let session = shared.session;
        if task.stops() {
            return Ok(());
        }
        let progress = session.progress();
        let result = session.result().cloned().ok_or(SyncError::Ended)?;
        self.resume = result.resume_token().cloned();
        let unknown_authors = session.unknown_authors().to_vec();
        backoff.reset();
        task.note_result(BackgroundPhase::Idle, Ended { result, progress, unknown_authors });
        self.wait(task, before, progress.received.new_ops())
    }

    /// Waits until something was written since the session began, or for the next turn.
    fn wait(&self, task: &Task, before: Extent, received: u64) -> Result<(), HttpError> {
        let covered = Extent { ops: before.ops.saturating_add(received), ..before };
        let begin = steady_clock();
        loop {
            let left = self.every.saturating_sub(steady_clock().saturating_sub(begin));
            let changes = task.replica.changes();
            let Some(mut replica) = task.lock() else { return Ok(()) };
            Task::merge_due(&mut replica)?;
            let (is_other, due) = (Extent::of(&replica) != covered, replica.next_due());
            drop(replica);
            if is_other || left.is_zero() || task.is_due() {
                return Ok(());
            }
            let until_due = due.map(|due| due.0.saturating_sub(system_wall_clock().0).max(100));
            let left = until_due.map_or(left, |until_due| left.min(Duration::from_millis(until_due)));
            task.pause(left, |now| now != changes);
        }
    }
}

/// A session of a shared replica, which is locked only between two requests.
struct SharedSession<'t> {
    session: SyncSession,
    task: &'t Task,
}

impl LocalSession for SharedSession<'_> {
    type Error = HttpError;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        let Some(replica) = self.task.lock() else { return Ok(None) };
        Ok(self.session.next_message(&replica)?)
    }

    fn is_cancelled(&mut self) -> Result<bool, HttpError> {
        Ok(self.task.stops())
    }

    fn message_too_large(&mut self) -> Result<bool, HttpError> {
        Ok(self.session.message_too_large())
    }

    fn receive(&mut self, answer: &[u8]) -> Result<Received, HttpError> {
        let Some(mut replica) = self.task.lock() else { return Ok(Received::Cancelled) };
        let result = self.session.receive(&mut replica, system_wall_clock(), answer);
        drop(replica);
        let progress = match result {
            Err(SyncError::Stray) => return Ok(Received::Stray),
            result => result?,
        };
        self.task.note(|status| (status.phase, status.progress) = (BackgroundPhase::Syncing, progress));
        Ok(Received::Answer)
    }
}
