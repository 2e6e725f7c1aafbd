//! The message with which a line resumes from a session, to push new operations.

use crate::codec::tags::LINE_RESUME;
use crate::sync::{ResumeToken, SYNC_VERSION};

/// Returns the message that resumes from the session with this id.
pub(super) fn write(id: [u8; ResumeToken::ID_BYTES]) -> Vec<u8> {
    let mut message = vec![LINE_RESUME, SYNC_VERSION];
    message.extend_from_slice(&id);
    message
}

/// Returns the id of the session, or `None` for another message.
pub(super) fn read(message: &[u8]) -> Option<[u8; ResumeToken::ID_BYTES]> {
    message.strip_prefix(&[LINE_RESUME, SYNC_VERSION])?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fifty_bytes_with_the_right_tag_and_version_are_read() {
        let message = write([7; 48]);
        assert_eq!(message.len(), 50);
        assert_eq!(read(&message), Some([7; 48]));
        assert_eq!(read(&message[..49]), None);
        assert_eq!(read(&[&message[..], &[0]].concat()), None);
        assert_eq!(read(&[LINE_RESUME, SYNC_VERSION + 1].repeat(25)), None);
    }
}
