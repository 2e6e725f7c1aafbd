//! The options of a session.

use crate::sync::SyncError;
use crate::sync::proto::limits::{MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES};
use crate::sync::resume::ResumeToken;

/// The options of a session, for either side.
///
/// ```
/// use policysync::SyncOptions;
///
/// let options = SyncOptions::new().max_message_bytes(4 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct SyncOptions {
    max_message_bytes: usize,
    pub(crate) resume: Option<ResumeToken>,
    pub(crate) peer: Option<Box<str>>,
}

impl SyncOptions {
    /// Returns the defaults: messages of up to [`MIN_MESSAGE_BYTES`], no session to resume.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_message_bytes: MIN_MESSAGE_BYTES, resume: None, peer: None }
    }

    /// Sets the length of the longest message that this side accepts, in bytes: from [`MIN_MESSAGE_BYTES`], the
    /// default, to [`MAX_MESSAGE_BYTES`]. A value outside is moved to the nearer end. A higher limit means fewer round
    /// trips for many operations, and more memory for each message.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes.clamp(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
        self
    }

    /// Resumes an earlier session with the same peer
    /// ([`SessionResult::Converged`](crate::sync::SessionResult::Converged)), so that the new session leaves out the
    /// operations that are common already. If the peer no longer knows the session, or the replica is another, the
    /// session starts from the beginning. A responder ignores this option.
    #[must_use]
    pub fn resume(mut self, token: ResumeToken) -> Self {
        self.resume = Some(token);
        self
    }

    /// Names the peer, by its URL or any other text that belongs to this peer alone, so that the replica remembers
    /// which version of the protocol it speaks. An [`HttpClient`](crate::HttpClient) and a
    /// [`WebSocketClient`](crate::WebSocketClient) name their URL unless another name is given. A responder ignores
    /// this option.
    #[must_use]
    pub fn peer(mut self, name: &str) -> Self {
        self.peer = Some(name.into());
        self
    }

    /// Names the peer unless it has a name.
    #[cfg(any(feature = "http", feature = "websocket"))]
    pub(crate) fn peer_or(self, name: &str) -> Self {
        if self.peer.is_some() { self } else { self.peer(name) }
    }

    /// Returns the length of the longest message that this side accepts, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        self.max_message_bytes
    }

    /// Checks the length of a message that arrived.
    pub(crate) fn check_length(&self, message: &[u8]) -> Result<(), SyncError> {
        let (len, limit) = (message.len(), self.max_message_bytes);
        if len > limit { Err(SyncError::TooLarge { len, limit }) } else { Ok(()) }
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self::new()
    }
}
