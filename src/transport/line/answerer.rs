//! The side of a line that was called.

use super::go_on;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Alert, PUSH, Push, Responder, SyncError};

/// What a server says over a line that stays open (a WebSocket, a serial line): it answers the caller's sessions, and
/// then sends what arrives here, and takes in what the caller sends. One for each line; messages in, messages out.
///
/// The replica's log is the queue: a message is made only when there is room for it, so a slow line costs no memory.
#[derive(Default)]
pub struct LineAnswerer {
    push: Option<Push>,
    /// The caller wanted to go on from a session that is not known here, and may have pushed before it heard that.
    forgotten: bool,
}

impl LineAnswerer {
    /// A line on which nothing has been said.
    #[must_use]
    pub const fn new() -> Self {
        Self { push: None, forgotten: false }
    }

    /// Takes a message of the caller. Returns the answer, if it wants one.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; [`SyncError::to_alert`] makes the answer that tells the caller. Then the line should be closed.
    pub fn receive(
        &mut self,
        responder: &mut Responder,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<Option<Vec<u8>>, SyncError> {
        if let Some(id) = go_on::read(message) {
            self.push = responder.push_after(replica, id);
            self.forgotten = self.push.is_none();
            let forgotten = SyncError::AlertReceived(Alert::Forgotten);
            return Ok(self.forgotten.then(|| forgotten.to_alert()));
        }
        if message.first() == Some(&PUSH) {
            match &mut self.push {
                Some(push) => drop(push.receive(replica, now, message)?),
                // The next session finds what is dropped here.
                None if self.forgotten => {}
                None => return Err(SyncError::OutOfTurn),
            }
            return Ok(None);
        }
        // A new session: what follows it is agreed when it is over.
        (self.push, self.forgotten) = (None, false);
        Ok(Some(responder.respond(replica, now, message)?.message))
    }

    /// A message with operations that the caller does not have yet, or `None` where there are none.
    ///
    /// # Errors
    ///
    /// [`SyncError::OtherReplica`] and [`SyncError::Store`].
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        self.push.as_mut().map_or(Ok(None), |push| push.next_message(replica))
    }

    /// Whether new operations are sent as they arrive: a session on this line has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.push.is_some()
    }
}
