//! How a session is run.

use super::base::SyncBase;
use super::limits::{MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES};

/// How a session is run, by either side.
///
/// ```
/// use policysync::SyncOptions;
///
/// let options = SyncOptions::new().max_message_bytes(4 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct SyncOptions {
    pub(super) max_message_bytes: usize,
    pub(super) since: Option<SyncBase>,
}

impl SyncOptions {
    /// Messages of up to [`MIN_MESSAGE_BYTES`], from the beginning.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_message_bytes: MIN_MESSAGE_BYTES, since: None }
    }

    /// Bytes of the longest message that this side takes: from [`MIN_MESSAGE_BYTES`], the default, to
    /// [`MAX_MESSAGE_BYTES`]; what is outside is moved to the nearer end. A greater limit means fewer round trips for
    /// many operations, and more memory for each message.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes.clamp(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
        self
    }

    /// Leaves out what an earlier session with the same peer ended with
    /// ([`Finish::Converged`](super::Finish::Converged)). Where the peer no longer knows it, or the replica is another,
    /// the session starts from the beginning. For the initiator.
    #[must_use]
    pub fn since(mut self, base: SyncBase) -> Self {
        self.since = Some(base);
        self
    }
}

impl SyncOptions {
    /// Bytes of the longest message that this side takes.
    pub(crate) const fn limit(&self) -> usize {
        self.max_message_bytes
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self::new()
    }
}
