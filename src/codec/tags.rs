//! The labels, versions and first bytes of every format.
//!
//! Hashed messages begin with a label, so that no hash of one purpose is a hash of another:
//!
//! | label | function | purpose |
//! |---|---|---|
//! | [`KID`] | SHA-256 | default id of a key |
//! | [`LOG_PREFIX`] | SHA-256 | digest over the first operations of a log |
//! | [`STORE_SEAL`] | keyed BLAKE2b | seal of a store and id of its key, after a byte 0 or 3 |
//! | [`STORE_HEAD`] | SHA-256 | head of a store |
//! | [`STORE_TRACE`] | SHA-256 | trace of the commits of a store |
//! | [`SYNC_SPACE`] | SHA-256 | space in messages |
//! | [`SYNC_HINT`] | SHA-256 | hint that two logs are equal |
//! | [`SYNC_RESPONDER`] | keyed BLAKE2b | nonce of the responder |
//! | [`SYNC_KEY`] | SHA-256 | key of a session |
//! | [`SYNC_NAME`] | SHA-256 | name of a session |
//! | [`SYNC_TRANSFERRED`] | SHA-256 | operations that a session transferred |
//! | [`RESUME_TOKEN_SEAL`], [`RESUME_SESSIONS_SEAL`] | keyed BLAKE2b | seals of saved tokens and sessions |
//! | [`LINE_NONCE`] | SHA-256 | nonces of sessions over a line |
//! | [`SYNC_COPY`] | keyed BLAKE2b | copy of an operation, its kid and signature |
//! | [`SYNC_COPIES`] | keyed BLAKE2b | copies of an operation |
//! | [`ADMISSION`] | SHA-256 | keys by which a replica admits operations |
//!
//! [`KID`] and [`LINE_NONCE`] have no version: a change would need a new label. The state digest has no label.
//!
//! Encoded bytes begin with a first byte, a version or both:
//!
//! | first bytes | format |
//! |---|---|
//! | [`BINARY_VERSION`] | binary form of an operation |
//! | [`REQUEST`], [`ANSWER`], [`PUSH`], [`LINE_RESUME`], then [`SYNC_VERSION`] | messages of a session or a line |
//! | [`ALERT`] | message that reports an error |
//! | [`RESUME_TOKEN`], [`RESUME_SESSIONS`], then [`RESUME_VERSION`] | saved token, saved sessions |
//! | [`STATE_CURSOR`], then [`STATE_CURSOR_VERSION`] | saved cursor of a state |
//! | [`BUNDLE`], then [`BUNDLE_VERSION`] | bundle |
//! | [`KEY_TEXT`], then [`KEY_TEXT_VERSION`] | text of a public key, a line of the text of a registry |
//! | [`SEED_TEXT`], then [`SEED_TEXT_VERSION`] | text of a sealed seed |
//! | [`PAPER_VERSION`] | seed on paper |
//! | [`NOTES_VERSION`] | notes about peers |
//! | [`STORE_HEAD_VERSION`] | head of a store |

pub(crate) const KID: &[u8] = b"policysync/kid";
pub(crate) const LOG_PREFIX: &[u8] = b"policysync/log/prefix/v1";
pub(crate) const STORE_SEAL: &[u8] = b"policysync/seal/v2";
/// The label of seals in files of version 0.1.0, which do not cover the clock.
pub(crate) const STORE_SEAL_V1: &[u8] = b"policysync/seal/v1";
pub(crate) const STORE_HEAD: &[u8] = b"policysync/store/head/v1";
pub(crate) const STORE_TRACE: &[u8] = b"policysync/store/trace/v1";
pub(crate) const SYNC_SPACE: &[u8] = b"policysync/sync/space/v1";
pub(crate) const SYNC_HINT: &[u8] = b"policysync/sync/hint/v1";
pub(crate) const SYNC_RESPONDER: &[u8] = b"policysync/sync/responder/v1";
pub(crate) const SYNC_KEY: &[u8] = b"policysync/sync/key/v1";
pub(crate) const SYNC_NAME: &[u8] = b"policysync/sync/base/v1";
pub(crate) const SYNC_TRANSFERRED: &[u8] = b"policysync/sync/moved/v1";
pub(crate) const RESUME_TOKEN_SEAL: &[u8] = b"policysync/sync/kept/base/v1";
pub(crate) const RESUME_SESSIONS_SEAL: &[u8] = b"policysync/sync/kept/sessions/v1";
pub(crate) const LINE_NONCE: &[u8] = b"policysync/line";
pub(crate) const SYNC_COPY: &[u8] = b"policysync/sync/copy/v2";
pub(crate) const SYNC_COPIES: &[u8] = b"policysync/sync/copies/v2";
pub(crate) const ADMISSION: &[u8] = b"policysync/admission/v1";

/// The version of the binary form, its first byte.
pub const BINARY_VERSION: u8 = 1;

/// The newest version of the sync protocol, the second byte of its messages. Version 1 is spoken to those who know no
/// other.
pub const SYNC_VERSION: u8 = 2;
pub(crate) const REQUEST: u8 = 0xE1;
pub(crate) const ANSWER: u8 = 0xE2;
pub(crate) const PUSH: u8 = 0xE3;
pub(crate) const ALERT: u8 = 0xE5;
pub(crate) const LINE_RESUME: u8 = 0xE6;

/// The newest version of saved tokens and saved sessions, the second byte of both. Version 1 is read too, and written
/// for a session in version 1 of the protocol.
pub const RESUME_VERSION: u8 = 2;
pub(crate) const RESUME_TOKEN: u8 = 0xE7;
pub(crate) const RESUME_SESSIONS: u8 = 0xE8;

/// The version of a saved cursor of a state, its second byte.
pub(crate) const STATE_CURSOR_VERSION: u8 = 1;
pub(crate) const STATE_CURSOR: u8 = 0xE9;

/// The version of bundles, the byte after the first eight.
pub const BUNDLE_VERSION: u8 = 1;
/// The version of a store's head. A later one may change the form of the records too.
pub(crate) const STORE_HEAD_VERSION: u8 = 1;
pub(crate) const BUNDLE: [u8; 8] = *b"PSbundle";

pub(crate) const KEY_TEXT: &str = "policysync-key-";
pub(crate) const KEY_TEXT_VERSION: &str = "1";
pub(crate) const SEED_TEXT: &str = "policysync-seed-";
/// The version of a sealed seed, and the way from its passphrase to the key. The cost follows.
pub(crate) const SEED_TEXT_VERSION: &str = "1 argon2id ";
/// The version of a seed on paper, its first four bits.
pub(crate) const PAPER_VERSION: u32 = 1;

/// The version of the notes about peers, the first byte.
pub(crate) const NOTES_VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_and_labels_are_distinct() {
        let mut first =
            vec![BINARY_VERSION, REQUEST, ANSWER, PUSH, ALERT, LINE_RESUME, RESUME_TOKEN, RESUME_SESSIONS];
        first.extend([STATE_CURSOR, BUNDLE[0]]);
        first.push(b'{');
        let mut labels = vec![KID, LOG_PREFIX, SYNC_SPACE, SYNC_HINT, SYNC_RESPONDER, SYNC_KEY, SYNC_NAME];
        labels.extend([
            SYNC_TRANSFERRED,
            RESUME_TOKEN_SEAL,
            RESUME_SESSIONS_SEAL,
            LINE_NONCE,
            ADMISSION,
            SYNC_COPY,
            SYNC_COPIES,
        ]);
        for (at, byte) in first.iter().enumerate() {
            assert!(!first[..at].contains(byte), "{byte:x}");
        }
        for (at, label) in labels.iter().enumerate() {
            assert!(labels.iter().enumerate().all(|(other, begun)| at == other || !label.starts_with(begun)));
        }
    }
}
