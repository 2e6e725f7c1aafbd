//! The options of a session.

use crate::replica::PeerName;
use crate::sync::proto::ProtocolVersion;
use crate::sync::proto::limits::{
    DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES,
};
use crate::sync::resume::ResumeToken;
use crate::sync::{SessionTrace, SyncError};

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
    pub(crate) peer: Option<PeerName>,
    pub(crate) trace: Option<SessionTrace>,
}

impl SyncOptions {
    /// Returns the defaults: messages of up to [`DEFAULT_MESSAGE_BYTES`], no session to resume.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_message_bytes: DEFAULT_MESSAGE_BYTES, resume: None, peer: None, trace: None }
    }

    /// Sets the length of the longest message in either direction, in bytes: from [`MIN_MESSAGE_BYTES`] to
    /// [`MAX_MESSAGE_BYTES`], by default [`DEFAULT_MESSAGE_BYTES`]. A value outside is moved to the nearer end. A
    /// higher limit means fewer round trips for many operations, and more memory for each message.
    ///
    /// A message exceeds it only to carry a single operation that does not fit otherwise, and with a peer of version
    /// 0.1.0, which sends up to [`ONE_OP_MESSAGE_BYTES`]: so much is always accepted.
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
    /// which version of the protocol it speaks and what both have refused. An [`HttpClient`](crate::HttpClient) and a
    /// [`WebSocketClient`](crate::WebSocketClient) name their URL unless another name is given. Without a name, a peer
    /// is one line, or one session; what is remembered of all these has one bound, and displaces nothing that is known
    /// of named peers. A responder ignores this option.
    #[must_use]
    pub fn peer(mut self, name: &str) -> Self {
        self.peer = Some(PeerName::Named(name.into()));
        self
    }

    /// Takes the other side of a connection for a peer of its own, unless it has a name.
    pub(crate) fn peer_or_connection(self, id: [u8; 16]) -> Self {
        if self.peer.is_some() { self } else { Self { peer: Some(PeerName::Connection(id)), ..self } }
    }

    /// Records the sessions in this trace. A responder ignores this option.
    #[must_use]
    pub fn trace(mut self, trace: &SessionTrace) -> Self {
        self.trace = Some(trace.clone());
        self
    }

    /// Names the peer unless it has a name.
    #[cfg(any(feature = "http", feature = "websocket"))]
    pub(crate) fn peer_or(self, name: &str) -> Self {
        if self.peer.is_some() { self } else { self.peer(name) }
    }

    /// Returns the length of the longest message that this side accepts, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        if self.max_message_bytes < ONE_OP_MESSAGE_BYTES {
            ONE_OP_MESSAGE_BYTES
        } else {
            self.max_message_bytes
        }
    }

    /// Returns the length of the longest message that the application has set, in bytes.
    pub(crate) const fn preferred(&self) -> usize {
        self.max_message_bytes
    }

    /// Returns the limit to announce in this version. Version 1 takes a lower one for a breach of the protocol.
    pub(crate) const fn announced(&self, version: ProtocolVersion) -> usize {
        match version {
            ProtocolVersion::V1 => self.limit(),
            ProtocolVersion::V2 => self.preferred(),
        }
    }

    /// Checks the length of a message that arrived.
    pub(crate) fn check_length(&self, message: &[u8]) -> Result<(), SyncError> {
        let (len, limit) = (message.len(), self.limit());
        if len > limit { Err(SyncError::TooLarge { len, limit }) } else { Ok(()) }
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self::new()
    }
}
