//! The head of an HTTP answer.

/// The longest head, in bytes.
pub(in crate::transport) const MAX_HEAD_BYTES: usize = 16 << 10;
/// Informational answers (status 1xx) before the answer.
pub(in crate::transport) const MAX_INTERIM: u32 = 8;

/// The headers of one head.
const MAX_HEADERS: usize = 100;

/// A fault in the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::transport) enum HeadFault {
    #[error("the head is longer than {} bytes", MAX_HEAD_BYTES)]
    TooLong,
    #[error("the head is malformed: {0}")]
    Malformed(httparse::Error),
    #[error("the head has no or several lengths")]
    Length,
    #[cfg(feature = "http")]
    #[error("the body is in an unknown transfer coding")]
    Coding,
}

/// Finds the end of a head in bytes that arrive piece by piece, and looks at each byte once.
#[derive(Default)]
pub(in crate::transport) struct HeadEnd {
    searched: usize,
}

impl HeadEnd {
    /// Returns the length of the head with the empty line at its end, or `None` as long as that has not arrived.
    pub(in crate::transport) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, HeadFault> {
        while let Some(byte) = bytes.get(self.searched) {
            self.searched = self.searched.saturating_add(1);
            if self.searched > MAX_HEAD_BYTES {
                return Err(HeadFault::TooLong);
            }
            let head = bytes.get(..self.searched).unwrap_or_default();
            if *byte == b'\n' && (head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n")) {
                return Ok(Some(self.searched));
            }
        }
        Ok(None)
    }
}

/// Reads a complete head: calls `take` for each header, and returns the status.
pub(in crate::transport) fn read_head<'b>(
    head: &'b [u8],
    mut take: impl FnMut(&'b str, &'b [u8]) -> Result<(), HeadFault>,
) -> Result<AnswerStatus, HeadFault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let status = response.parse(head).map_err(HeadFault::Malformed)?;
    let (httparse::Status::Complete(len), Some(code @ 100..)) = (status, response.code) else {
        return Err(HeadFault::Malformed(httparse::Error::Status));
    };
    if len != head.len() {
        return Err(HeadFault::Malformed(httparse::Error::NewLine));
    }
    for header in response.headers.iter() {
        take(header.name, header.value)?;
    }
    Ok(AnswerStatus { code, persistent: response.version == Some(1) })
}

/// The first line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) struct AnswerStatus {
    pub(in crate::transport) code: u16,
    /// True for HTTP/1.1, with which a connection stays open unless a header says otherwise.
    pub(in crate::transport) persistent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_wherever_the_pieces_end() {
        let bytes = b"HTTP/1.1 200 OK\r\na: b\r\n\r\nrest";
        for cut in 0..bytes.len() {
            let mut end = HeadEnd::default();
            let early = end.find(&bytes[..cut]).unwrap();
            assert_eq!(early, (cut >= 25).then_some(25), "{cut}");
            if early.is_none() {
                assert_eq!(end.find(bytes).unwrap(), Some(25));
            }
        }
        assert_eq!(HeadEnd::default().find(b"HTTP/1.1 200\n\nx").unwrap(), Some(14));
        let endless = vec![b'a'; MAX_HEAD_BYTES + 1];
        assert_eq!(HeadEnd::default().find(&endless[1..]).unwrap(), None);
        assert_eq!(HeadEnd::default().find(&endless).unwrap_err(), HeadFault::TooLong);
    }

    #[test]
    fn headers_are_read_and_too_many_are_refused() {
        let mut found = Vec::new();
        let head = b"HTTP/1.0 503 Busy\r\nRetry-After: 7\r\nx:\r\n\r\n";
        let status = read_head(head, |name, value| {
            found.push((name.to_owned(), value.to_vec()));
            Ok(())
        });
        assert_eq!(status, Ok(AnswerStatus { code: 503, persistent: false }));
        assert_eq!(found, [("Retry-After".to_owned(), b"7".to_vec()), ("x".to_owned(), Vec::new())]);
        let many = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".repeat(MAX_HEADERS + 1), b"\r\n".to_vec()];
        let error = read_head(&many.concat(), |_, _| Ok(())).unwrap_err();
        assert_eq!(error, HeadFault::Malformed(httparse::Error::TooManyHeaders));
        for head in
            [&b"HTTP/2 200 OK\r\n\r\n"[..], b"HTTP/1.1 099 Low\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nmore"]
        {
            assert!(read_head(head, |_, _| Ok(())).is_err(), "{head:?}");
        }
    }
}
