//! The id by which both sides refer to an earlier session.

use crate::codec::OpHash;
use crate::codec::tags::SYNC_TRANSFERRED;
use crate::codec::wire::wide;
use crate::crypto::Sodium;

/// The name of a session, and a digest over the operations that it transferred. The digest shows that both sides
/// remember the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResumeId {
    pub(crate) session: [u8; 16],
    pub(crate) transferred: [u8; 32],
}

impl ResumeId {
    pub(crate) const BYTES: usize = 48;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.session.iter().chain(&self.transferred);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk()?;
        Some(Self { session: *session, transferred: *rest.first_chunk()? })
    }

    /// Appends an optional id to a message that is hashed.
    pub(crate) fn put(id: Option<Self>, message: &mut Vec<u8>) {
        match id {
            None => message.push(0),
            Some(id) => {
                message.push(1);
                message.extend_from_slice(&id.to_bytes());
            }
        }
    }
}

/// The operations that a session transferred, and the responder's log before it.
pub(crate) struct Transferred {
    /// The number of the responder's operations at the start.
    pub(crate) count: u64,
    /// The sum over them.
    pub(crate) total: u128,
    pub(crate) to_responder: Vec<OpHash>,
    pub(crate) to_initiator: Vec<OpHash>,
}

impl Transferred {
    /// Returns the digest for [`ResumeId::transferred`]. It has no key, because the session's key is known once the
    /// session runs.
    pub(crate) fn digest(mut self, crypto: Sodium) -> [u8; 32] {
        let mut message = SYNC_TRANSFERRED.to_vec();
        message.extend_from_slice(&self.count.to_le_bytes());
        message.extend_from_slice(&self.total.to_le_bytes());
        for hashes in [&mut self.to_responder, &mut self.to_initiator] {
            hashes.sort_unstable();
            message.extend_from_slice(&wide(hashes.len()).to_le_bytes());
            hashes.iter().for_each(|hash| message.extend_from_slice(hash.as_bytes()));
        }
        *crypto.hash(&message).as_bytes()
    }
}
