//! The message with which a line resumes from a session, to push new operations.

use crate::codec::tags::LINE_RESUME;
use crate::sync::{ProtocolVersion, ResumeToken};

/// Returns the message that resumes from the session of this token, in the version of the session.
pub(super) fn write(token: &ResumeToken) -> Vec<u8> {
    let mut message = vec![LINE_RESUME, token.version.byte()];
    message.extend_from_slice(&token.id());
    message
}

/// Returns the id of the session, or `None` for another message.
pub(super) fn read(message: &[u8]) -> Option<[u8; ResumeToken::ID_BYTES]> {
    let [LINE_RESUME, version, id @ ..] = message else { return None };
    ProtocolVersion::of_byte(*version)?;
    id.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fifty_bytes_with_the_right_tag_and_version_are_read() {
        for version in [1, 2] {
            let message = [&[LINE_RESUME, version][..], &[7; 48]].concat();
            assert_eq!(read(&message), Some([7; 48]));
            assert_eq!(read(&message[..49]), None);
            assert_eq!(read(&[&message[..], &[0]].concat()), None);
        }
        assert_eq!(read(&[LINE_RESUME, 3].repeat(25)), None);
    }
}
