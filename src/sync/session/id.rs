//! The identity of a session, from which its key is derived.
//!
//! The key is not secret for long, because both sides tell each other what it is derived from. It protects because it
//! does not exist before the sets of operations are fixed.

use crate::codec::tags::{SYNC_HINT, SYNC_KEY, SYNC_NAME, SYNC_RESPONDER};
use crate::crypto::{Sodium, first};
use crate::op::OpSeq;
use crate::sync::authors::AuthorFilter;
use crate::sync::rbsr::{Entries, Fingerprinter};
use crate::sync::resume::ResumeId;

/// The number of operations that a hint covers.
const HINTED: usize = 64;

/// The identity of a session: both nonces, and the earlier session that it resumes. The responder's nonce depends on
/// the part of its log that the session covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId {
    pub(crate) initiator: [u8; 16],
    pub(crate) responder: [u8; 16],
    pub(crate) resume: Option<ResumeId>,
}

impl SessionId {
    pub(crate) fn fingerprinter(&self, crypto: Sodium) -> Fingerprinter {
        Fingerprinter::new(crypto, self.hash(crypto, SYNC_KEY))
    }

    /// Returns the name under which a later session may resume this one.
    pub(crate) fn name(&self, crypto: Sodium) -> [u8; 16] {
        self.hash(crypto, SYNC_NAME)
    }

    fn hash(&self, crypto: Sodium, label: &[u8]) -> [u8; 16] {
        let mut message = label.to_vec();
        message.extend_from_slice(&self.initiator);
        message.extend_from_slice(&self.responder);
        ResumeId::put(self.resume, &mut message);
        crypto.hash(&message).first()
    }
}

/// Returns the responder's nonce: a keyed hash of the initiator's nonce and the part of the log that the session
/// covers: up to the cursor, without what the filter leaves out. So the responder need not store it, and nobody learns
/// it for a set that can still change.
pub(crate) fn responder_nonce(
    crypto: Sodium,
    secret: &[u8; 32],
    initiator: &[u8; 16],
    cursor: OpSeq,
    resume: Option<ResumeId>,
    filter: &AuthorFilter,
) -> [u8; 16] {
    let mut message = SYNC_RESPONDER.to_vec();
    message.extend_from_slice(initiator);
    message.extend_from_slice(&cursor.get().to_le_bytes());
    ResumeId::put(resume, &mut message);
    // A filter that leaves out nothing adds nothing, as in version 1.
    if *filter != AuthorFilter::All {
        filter.write(&mut message);
    }
    first(&crypto.keyed_hash(secret, &message))
}

/// Returns a digest over the newest operations before `cursor` that are not declined. It only decides how much the
/// first answer contains, and need not be true.
pub(crate) fn hint_of(
    crypto: Sodium,
    entries: Entries<'_>,
    cursor: OpSeq,
    is_left_out: impl Fn(OpSeq) -> bool,
) -> [u8; 8] {
    let mut message = SYNC_HINT.to_vec();
    let is_covered = |seq: &OpSeq| *seq < cursor && !is_left_out(*seq);
    let ours = entries.index().in_order().rev().filter(is_covered).take(HINTED);
    let mut newest: Vec<OpSeq> = ours.chain(entries.refused_numbers().rev().take(HINTED)).collect();
    newest.sort_by(|a, b| entries.compare(*b, *a));
    for newest in newest.into_iter().take(HINTED) {
        message.extend_from_slice(entries.hash(newest).as_bytes());
    }
    crypto.hash(&message).first()
}
