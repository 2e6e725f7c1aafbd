//! The one message that a line adds to those of a session: where its pushes go on from.

use crate::codec::tags::LINE_RESUME;
use crate::sync::{ResumeToken, SYNC_VERSION};

/// Says which session the caller takes for the common ground.
pub(super) fn write(id: [u8; ResumeToken::ID_BYTES]) -> Vec<u8> {
    let mut message = vec![LINE_RESUME, SYNC_VERSION];
    message.extend_from_slice(&id);
    message
}

/// The id of the session, or `None` where the message is another one.
pub(super) fn read(message: &[u8]) -> Option<[u8; ResumeToken::ID_BYTES]> {
    message.strip_prefix(&[LINE_RESUME, SYNC_VERSION])?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fifty_bytes_and_nothing_else_is_one() {
        let message = write([7; 48]);
        assert_eq!(message.len(), 50);
        assert_eq!(read(&message), Some([7; 48]));
        assert_eq!(read(&message[..49]), None);
        assert_eq!(read(&[&message[..], &[0]].concat()), None);
        assert_eq!(read(&[LINE_RESUME, SYNC_VERSION + 1].repeat(25)), None);
    }
}
