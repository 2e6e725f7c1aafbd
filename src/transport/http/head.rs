//! The head of a request, and that of its answer.

use std::time::Duration;

use super::HTTP_CONTENT_TYPE;
use super::handler::is_message;
use crate::crypto::Zeroizing;
use crate::transport::net::{ConnectionOptions, HeadFault, ProxyAddress, Url, read_head};

/// Returns the head of a request with a body of this length. `proxy` is one that carries the request itself.
pub(super) fn request_head(
    url: &Url,
    options: &ConnectionOptions,
    proxy: Option<&ProxyAddress>,
    body_len: usize,
) -> Zeroizing<Vec<u8>> {
    // A proxy needs the whole URL (RFC 9112, section 3.2.2).
    let (scheme, host) = if proxy.is_some() { ("http://", &*url.authority) } else { ("", "") };
    let body_len = body_len.to_string();
    let headers = options.headers.lines();
    let names_program = options.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
    let program = concat!("user-agent: policysync/", env!("CARGO_PKG_VERSION"), "\r\n");
    let authorization = proxy.and_then(|proxy| proxy.authorization.as_ref());
    let [name, value, end] = authorization.map_or([""; 3], |value| ["proxy-authorization: ", value, "\r\n"]);
    let parts = [
        "POST ",
        scheme,
        host,
        &url.target,
        " HTTP/1.1\r\nhost: ",
        &url.authority,
        "\r\nconnection: keep-alive\r\naccept: ",
        HTTP_CONTENT_TYPE,
        "\r\naccept-encoding: identity\r\ncontent-type: ",
        HTTP_CONTENT_TYPE,
        "\r\ncontent-length: ",
        &body_len,
        "\r\n",
        if names_program { "" } else { program },
        name,
        value,
        end,
    ]
    .map(str::as_bytes);
    // Allocated once: a vector that grows leaves copies in memory.
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut head = Zeroizing::new(Vec::with_capacity(len.saturating_add(headers.len()).saturating_add(2)));
    for part in parts.into_iter().chain([headers.as_slice(), b"\r\n"]) {
        head.extend_from_slice(part);
    }
    head
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// True if the connection stays open after the body.
    pub(super) persistent: bool,
    pub(super) is_message: bool,
    /// The content encoding; `None` for plain bytes.
    pub(super) encoding: Option<Box<str>>,
    pub(super) retry_after: Option<Duration>,
}

/// The way in which the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// The body ends with the connection.
    Close,
}

impl AnswerHead {
    pub(super) fn read(head: &[u8]) -> Result<Self, HeadFault> {
        let (mut length, mut chunked, mut coded) = (None, false, false);
        let (mut close, mut is_ours, mut encoding, mut retry_after) = (false, false, None, None);
        let status = read_head(head, |name, value| {
            let value = value.trim_ascii();
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("content-length") {
                let found = number(value).ok_or(HeadFault::Length)?;
                if length.replace(found).is_some_and(|earlier| earlier != found) {
                    return Err(HeadFault::Length);
                }
            } else if is("transfer-encoding") {
                chunked = !coded && value.eq_ignore_ascii_case(b"chunked");
                coded = true;
            } else if is("connection") {
                close |= value
                    .split(|byte| *byte == b',')
                    .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
            } else if is("content-type") {
                is_ours = std::str::from_utf8(value).is_ok_and(is_message);
            } else if is("content-encoding") && !value.is_empty() && !value.eq_ignore_ascii_case(b"identity")
            {
                encoding = Some(printable(value));
            } else if is("retry-after") {
                // In seconds; a date would need a clock that agrees with the server's.
                let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                retry_after = is_number.then(|| Duration::from_secs(number(value).unwrap_or(u64::MAX)));
            }
            Ok(())
        })?;
        let framing = match (coded, length) {
            (true, _) if !chunked => return Err(HeadFault::Coding),
            // Two readers that disagree on the end of a body see different answers (RFC 9112, section 6.3).
            (true, Some(_)) => return Err(HeadFault::Length),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        };
        Ok(Self {
            status: status.code,
            framing,
            persistent: status.persistent && !close && framing != Framing::Close,
            is_message: is_ours,
            encoding,
            retry_after,
        })
    }
}

/// Returns the number in decimal digits, if it fits.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Returns the beginning of a text, without what is not printable ASCII.
fn printable(text: &[u8]) -> Box<str> {
    text.iter().copied().filter(u8::is_ascii_graphic).take(32).map(char::from).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<AnswerHead, HeadFault> {
        AnswerHead::read(format!("HTTP/1.1 200 OK\r\n{lines}\r\n").as_bytes())
    }

    #[test]
    fn the_end_of_a_body_is_never_ambiguous() {
        assert_eq!(read("content-length: 5\r\n").unwrap().framing, Framing::Length(5));
        assert_eq!(read("content-length: 5\r\nContent-Length: 5\r\n").unwrap().framing, Framing::Length(5));
        assert_eq!(read("Transfer-Encoding: Chunked\r\n").unwrap().framing, Framing::Chunked);
        assert_eq!(read("").unwrap().framing, Framing::Close);
        for (lines, fault) in [
            ("content-length: 5\r\ncontent-length: 6\r\n", HeadFault::Length),
            ("content-length: 5, 5\r\n", HeadFault::Length),
            ("content-length: +5\r\n", HeadFault::Length),
            ("content-length: -5\r\n", HeadFault::Length),
            ("content-length:\r\n", HeadFault::Length),
            ("content-length: 99999999999999999999\r\n", HeadFault::Length),
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", HeadFault::Length),
            ("transfer-encoding: gzip, chunked\r\n", HeadFault::Coding),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", HeadFault::Coding),
            ("transfer-encoding:\r\n", HeadFault::Coding),
        ] {
            assert_eq!(read(lines), Err(fault), "{lines}");
        }
    }

    #[test]
    fn a_connection_stays_open_only_if_both_sides_know_where_the_answer_ends() {
        assert!(read("content-length: 0\r\n").unwrap().persistent);
        assert!(read("transfer-encoding: chunked\r\nconnection: keep-alive\r\n").unwrap().persistent);
        assert!(!read("content-length: 0\r\nconnection: x, Close\r\n").unwrap().persistent);
        assert!(!read("").unwrap().persistent);
        let old = AnswerHead::read(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert!(!old.persistent);
    }

    #[test]
    fn type_encoding_and_pause_are_read() {
        let head = read(
            "content-type: application/vnd.policysync; v=1\r\ncontent-encoding: gzip\x20\r\nretry-after: 120\r\n",
        );
        let head = head.unwrap();
        assert!(head.is_message);
        assert_eq!(head.encoding.as_deref(), Some("gzip"));
        assert_eq!(head.retry_after, Some(Duration::from_secs(120)));
        let head = read("content-type: text/html\r\ncontent-encoding: identity\r\nretry-after: soon\r\n");
        let head = head.unwrap();
        assert_eq!((head.is_message, head.encoding, head.retry_after), (false, None, None));
    }
}
