//! Headers that a client sends beside its own: a token, for example.

use std::fmt;

use crate::crypto::Zeroizing;

/// Bytes of the longest value.
const MAX_VALUE_BYTES: usize = 8192;

/// Headers that the clients write themselves, or that would change what a request is. In lower case.
const RESERVED: [&str; 16] = [
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Why a header cannot be sent. Neither its name nor its value is shown: either may be the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is none: letters, digits and `!#$%&'*+-.^_|~` and a backquote are allowed.
    #[error("the name of a header is not a token")]
    Name,
    /// The client writes this header itself.
    #[error("the header {name} is not for the application to set")]
    Reserved {
        /// Which one.
        name: &'static str,
    },
    /// The value has a byte that is neither printable ASCII nor a space or tab between others: a line break would begin
    /// a header of its own.
    #[error("the value of a header has a byte at {at} that may not be there")]
    Value {
        /// Where, counted from 0.
        at: usize,
    },
    /// The value is empty, or longer than 8192 bytes.
    #[error("the value of a header has {len} bytes, from 1 to 8192 are allowed")]
    Length {
        /// Bytes of the value.
        len: usize,
    },
    /// The token is none (RFC 6750): letters, digits and `-._~+/`, and `=` at the end.
    #[error("a bearer token has a byte at {at} that may not be there")]
    Token {
        /// Where, counted from 0.
        at: usize,
    },
}

/// Headers by name, each once. Values are wiped when they go, and never printed.
#[derive(Clone, Default)]
pub(super) struct Headers(Vec<Header>);

#[derive(Clone)]
struct Header {
    name: Box<str>,
    value: Zeroizing<String>,
    /// Of a bearer token, where the token itself begins.
    token_at: Option<usize>,
}

impl Headers {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a header, in place of one with the same name. It is checked by [`Headers::check`].
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.put(Header { name: name.into(), value: Zeroizing::new(value.to_owned()), token_at: None });
    }

    /// Adds a bearer token.
    pub(super) fn set_bearer_token(&mut self, token: &str) {
        const SCHEME: &str = "Bearer ";
        // Of the right size at once: a string that grows leaves copies behind.
        let mut value = Zeroizing::new(String::with_capacity(SCHEME.len().saturating_add(token.len())));
        value.push_str(SCHEME);
        value.push_str(token);
        self.put(Header { name: "authorization".into(), value, token_at: Some(SCHEME.len()) });
    }

    fn put(&mut self, header: Header) {
        self.0.retain(|other| !other.name.eq_ignore_ascii_case(&header.name));
        self.0.push(header);
    }

    pub(super) fn check(&self) -> Result<(), HeaderError> {
        self.0.iter().try_for_each(Header::check)
    }

    /// Names and values, in the order in which they were set.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|header| (&*header.name, header.value.as_str()))
    }

    /// As lines of a request's head.
    #[cfg(feature = "websocket")]
    pub(super) fn lines(&self) -> Zeroizing<Vec<u8>> {
        let len = self.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut lines = Zeroizing::new(Vec::with_capacity(len));
        for (name, value) in self.iter() {
            for part in [name, ": ", value, "\r\n"] {
                lines.extend_from_slice(part.as_bytes());
            }
        }
        lines
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|_| "a header")).finish()
    }
}

impl Header {
    fn check(&self) -> Result<(), HeaderError> {
        if self.name.is_empty() || !self.name.bytes().all(is_of_a_token) {
            return Err(HeaderError::Name);
        }
        if let Some(name) = RESERVED.into_iter().find(|name| name.eq_ignore_ascii_case(&self.name)) {
            return Err(HeaderError::Reserved { name });
        }
        if let Some(start) = self.token_at {
            let token = self.value.get(start..).unwrap_or_default().as_bytes();
            let body = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
            let wrong = token.iter().take(body).position(|byte| !is_of_a_bearer_token(*byte));
            if let Some(at) = wrong.or((body == 0).then_some(0)) {
                return Err(HeaderError::Token { at });
            }
        }
        let value = self.value.as_bytes();
        if value.is_empty() || value.len() > MAX_VALUE_BYTES {
            return Err(HeaderError::Length { len: value.len() });
        }
        let last = value.len() - 1;
        let fits = |(at, byte): (usize, &u8)| match byte {
            b' ' | b'\t' => at != 0 && at != last,
            byte => byte.is_ascii_graphic(),
        };
        match value.iter().enumerate().position(|place| !fits(place)) {
            Some(at) => Err(HeaderError::Value { at }),
            None => Ok(()),
        }
    }
}

/// RFC 9110, `tchar`.
fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6750, `b64token` but for the `=` at its end.
fn is_of_a_bearer_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<(), HeaderError> {
        let mut headers = Headers::new();
        headers.set(name, value);
        headers.check()
    }

    fn check_token(token: &str) -> Result<(), HeaderError> {
        let mut headers = Headers::new();
        headers.set_bearer_token(token);
        headers.check()
    }

    #[test]
    fn what_ends_a_line_or_begins_another_is_refused() {
        assert_eq!(check("x-key", "a b\tc"), Ok(()));
        for (value, at) in
            [("a\r\nx: y", 1), ("a\nb", 1), ("a\0", 1), (" a", 0), ("a ", 1), ("ä", 0), ("\x7f", 0)]
        {
            assert_eq!(check("x-key", value), Err(HeaderError::Value { at }), "{value:?}");
        }
        assert_eq!(check("x-key", ""), Err(HeaderError::Length { len: 0 }));
        assert_eq!(check("x-key", &"a".repeat(8192)), Ok(()));
        assert_eq!(check("x-key", &"a".repeat(8193)), Err(HeaderError::Length { len: 8193 }));
    }

    #[test]
    fn a_name_is_a_token_and_not_one_of_ours() {
        for name in ["", "a b", "a:", "a\r\n", "ä", "a("] {
            assert_eq!(check(name, "v"), Err(HeaderError::Name), "{name:?}");
        }
        for name in RESERVED {
            assert_eq!(check(&name.to_uppercase(), "v"), Err(HeaderError::Reserved { name }));
        }
        assert_eq!(check("Authorization", "Basic YTpi"), Ok(()));
    }

    #[test]
    fn a_token_is_one() {
        for token in ["a", "AZaz09-._~+/", "abc==", "eyJ.x-Y_z"] {
            assert_eq!(check_token(token), Ok(()), "{token}");
        }
        for (token, at) in [("", 0), ("=", 0), ("a b", 1), ("a=b", 1), ("a\r\n", 1), ("ab\u{e9}", 2)] {
            assert_eq!(check_token(token), Err(HeaderError::Token { at }), "{token:?}");
        }
    }

    #[test]
    fn the_last_of_two_with_one_name_stands() {
        let mut headers = Headers::new();
        headers.set("Authorization", "Basic YTpi");
        headers.set("x-key", "1");
        headers.set_bearer_token("abc");
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("x-key", "1"), ("authorization", "Bearer abc")]);
    }

    #[test]
    fn nothing_of_them_is_printed() {
        let mut headers = Headers::new();
        headers.set("secret-name", "secret-value");
        headers.set_bearer_token("secret-token");
        assert!(!format!("{headers:?}").contains("secret"));
    }
}
