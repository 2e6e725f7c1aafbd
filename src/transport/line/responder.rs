//! The responder of a line.

use super::resume;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Alert, PUSH, Push, Responder, SyncError};

/// The server's side of a line that stays open (a WebSocket, a serial line): answers the initiator's sessions, then
/// sends new operations of this side and ingests those of the initiator. One per line; messages in, messages out.
///
/// The replica's log is the queue: a message is made only when it can be sent, so a slow line costs no memory.
#[derive(Default)]
pub struct LineResponder {
    push: Option<Push>,
    /// True if the initiator wanted to resume an unknown session, and may have pushed before it learnt that.
    forgotten: bool,
    /// The number of keys when the last session began.
    keys: usize,
}

impl LineResponder {
    /// Returns a line without any messages.
    #[must_use]
    pub const fn new() -> Self {
        Self { push: None, forgotten: false, keys: 0 }
    }

    /// Processes a message of the initiator. Returns the answer, if the message has one.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; send the answer that [`SyncError::to_alert`] makes, then close the line.
    pub fn receive(
        &mut self,
        responder: &mut Responder,
        replica: &mut Replica,
        now: WallMillis,
        message: &[u8],
    ) -> Result<Option<Vec<u8>>, SyncError> {
        if let Some(id) = resume::read(message) {
            self.push = responder.push_after(replica, id);
            self.forgotten = self.push.is_none();
            let forgotten = SyncError::AlertReceived(Alert::Forgotten);
            return Ok(self.forgotten.then(|| forgotten.to_alert()));
        }
        if message.first() == Some(&PUSH) {
            match &mut self.push {
                Some(push) => drop(push.receive(replica, now, message)?),
                // The next session sends again what is dropped here.
                None if self.forgotten => {}
                None => return Err(SyncError::OutOfTurn),
            }
            return Ok(None);
        }
        // In a new session nothing is pushed; its end starts that again.
        (self.push, self.forgotten) = (None, false);
        let answer = responder.respond(replica, now, message)?;
        if answer.is_first {
            self.keys = replica.keys().len();
        }
        Ok(Some(answer.message))
    }

    /// Returns a message with operations that the initiator does not have, or `None` if it has all. When this side has
    /// learnt a key, the message asks for a session: the initiator has left out what was not accepted until then.
    ///
    /// # Errors
    ///
    /// [`SyncError::OtherReplica`] and [`SyncError::Store`].
    pub fn next_message(&mut self, replica: &Replica) -> Result<Option<Vec<u8>>, SyncError> {
        let Some(push) = &mut self.push else { return Ok(None) };
        if self.keys != replica.keys().len() {
            self.keys = replica.keys().len();
            if let Some(message) = push.call_for_session(replica) {
                return Ok(Some(message));
            }
        }
        push.next_message(replica)
    }

    /// Returns true if new operations are sent as they arrive: a session on this line has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.push.is_some()
    }
}
