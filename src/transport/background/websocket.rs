//! A WebSocket in the background.

use std::ops::ControlFlow;
use std::time::Duration;

use super::status::Ended;
use super::{BackgroundOptions, BackgroundPhase, Task};
use crate::hlc::{WallMillis, steady_clock, system_wall_clock};
use crate::sync::{ResumeToken, SyncOptions};
use crate::transport::net::{Backoff, ConnectionError, ConnectionOptions, NetStream, Security, Url};
use crate::transport::websocket::{WaitResult, WebSocketClient, WebSocketError, WebSocketOptions};

/// The time after which a line that breaks was a good one: the next pause is the first again. A gateway that closes
/// each line early must not be called all the time.
const GOOD_LINE: Duration = Duration::from_secs(10);

/// The options of a WebSocket with the session to resume.
pub(super) struct WebSocketCarrier {
    url: Box<str>,
    connection: ConnectionOptions,
    sync: SyncOptions,
    resume: Option<ResumeToken>,
}

impl WebSocketCarrier {
    pub(super) fn new(options: &BackgroundOptions) -> Result<Self, ConnectionError> {
        let (url, connection, sync) = (options.url.clone(), options.connection.clone(), options.sync.clone());
        let server = Url::parse(&url, "ws")?;
        connection.headers.check()?;
        connection.proxy.as_ref().map(|proxy| proxy.read()).transpose()?;
        Security::new(&server, &connection)?;
        let resume = sync.resume.clone();
        Ok(Self { url, connection, sync, resume })
    }

    /// Connects, and keeps the line open until it breaks or the work stops.
    pub(super) fn work(&mut self, task: &Task, backoff: &mut Backoff) -> Result<(), WebSocketError> {
        let sync = self.resume.clone().map_or(self.sync.clone(), |token| self.sync.clone().resume(token));
        let options = WebSocketOptions::new().connection(self.connection.clone()).sync(sync);
        let mut proceed = || if task.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let mut line = WebSocketClient::connect_while(&self.url, options, line_time, &mut proceed)?;
        let (mut ended, mut connected) = (0, Some(steady_clock()));
        while !task.stops() {
            step(task, &mut line)?;
            if connected.is_some_and(|since| steady_clock().saturating_sub(since) >= GOOD_LINE) {
                backoff.reset();
                connected = None;
            }
            let progress = *line.progress();
            if line.line().ended() != ended
                && let Some(result) = line.result().cloned()
            {
                ended = line.line().ended();
                self.resume = result.resume_token().cloned().or(self.resume.take());
                let unknown_authors = line.line().unknown_authors().to_vec();
                task.note_result(BackgroundPhase::Idle, Ended { result, progress, unknown_authors });
            } else if progress.round_trips > 0 {
                let is_syncing = line.line().is_in_session();
                let phase = if is_syncing { BackgroundPhase::Syncing } else { BackgroundPhase::Idle };
                task.note(|status| (status.phase, status.progress) = (phase, progress));
            }
            if line.wait(line_time())? == WaitResult::Closed {
                return Err(WebSocketError::Closed);
            }
        }
        line.close();
        Ok(())
    }
}

/// Returns the time for the waits of a line, by a clock that nobody sets.
fn line_time() -> WallMillis {
    WallMillis(u64::try_from(steady_clock().as_millis()).unwrap_or(u64::MAX))
}

/// Processes the message that has arrived, if any, and sends what is due. The replica is locked only while a message is
/// processed or made.
fn step(task: &Task, line: &mut WebSocketClient<NetStream>) -> Result<(), WebSocketError> {
    line.take_message(|line, message| -> Result<(), WebSocketError> {
        let Some(mut replica) = task.lock() else { return Ok(()) };
        line.receive(&mut replica, system_wall_clock(), message)?;
        Ok(())
    })?;
    line.send_messages(line_time(), |line| -> Result<Option<Vec<u8>>, WebSocketError> {
        let Some(mut replica) = task.lock() else { return Ok(None) };
        Task::merge_due(&mut replica)?;
        Ok(line.next_message(&replica, line_time())?)
    })
}
