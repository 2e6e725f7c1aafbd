//! A WebSocket in the background.

use std::ops::ControlFlow;

use super::status::Ended;
use super::{BackgroundOptions, BackgroundPhase, Task};
use crate::hlc::system_wall_clock;
use crate::sync::{ResumeToken, SyncOptions};
use crate::transport::net::{Backoff, ConnectionError, ConnectionOptions, NetStream, Security, Url};
use crate::transport::websocket::{WaitResult, WebSocketClient, WebSocketError, WebSocketOptions};

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
        let mut line = WebSocketClient::connect_while(&self.url, options, system_wall_clock, &mut proceed)?;
        let mut ended = 0;
        while !task.stops() {
            step(task, &mut line)?;
            let progress = *line.progress();
            if line.line().ended() != ended
                && let Some(result) = line.result().cloned()
            {
                ended = line.line().ended();
                self.resume = result.resume_token().cloned().or(self.resume.take());
                backoff.reset();
                let unknown_authors = line.line().unknown_authors().to_vec();
                task.note_result(BackgroundPhase::UpToDate, Ended { result, progress, unknown_authors });
            } else if progress.round_trips > 0 {
                let is_syncing = line.line().is_in_session();
                let phase = if is_syncing { BackgroundPhase::Syncing } else { BackgroundPhase::UpToDate };
                task.note(|status| (status.phase, status.progress) = (phase, progress));
            }
            if line.wait(system_wall_clock())? == WaitResult::Closed {
                return Err(WebSocketError::Closed);
            }
        }
        line.close();
        Ok(())
    }
}

/// Processes the message that has arrived, if any, and sends what is due. The replica is locked only while a message is
/// processed or made.
fn step(task: &Task, line: &mut WebSocketClient<NetStream>) -> Result<(), WebSocketError> {
    let now = system_wall_clock();
    line.take_message(|line, message| -> Result<(), WebSocketError> {
        let Some(mut replica) = task.lock() else { return Ok(()) };
        line.receive(&mut replica, now, message)?;
        Ok(())
    })?;
    line.send_messages(now, |line| -> Result<Option<Vec<u8>>, WebSocketError> {
        let Some(replica) = task.lock() else { return Ok(None) };
        Ok(line.next_message(&replica, now)?)
    })
}
