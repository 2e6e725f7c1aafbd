//! Headers that the application adds to a request.

use std::fmt;

use crate::crypto::Zeroizing;

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 8192;

/// Headers that the clients write themselves, or that would change the meaning of a request. In lower case.
const RESERVED: [&str; 18] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// An error in a header of the application. Neither name nor value is shown: either may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name has a byte other than letters, digits, `!#$%&'*+-.^_|~` and the backquote, or is empty.
    #[error("the name of a header is malformed")]
    Name,
    /// The client writes this header itself.
    #[error("the header {name} is reserved for the client")]
    Reserved {
        /// Its name.
        name: &'static str,
    },
    /// The value has a byte that is neither printable ASCII nor a space or tab between others. A line break would begin
    /// another header.
    #[error("the value of a header has an invalid byte at {at}")]
    Value {
        /// Its position, counted from 0.
        at: usize,
    },
    /// The value is empty, or longer than 8192 bytes.
    #[error("the value of a header has {len} bytes, 1 to 8192 are allowed")]
    Length {
        /// Its bytes.
        len: usize,
    },
    /// The token has a byte other than letters, digits, `-._~+/`, and `=` at the end (RFC 6750), or is empty.
    #[error("the bearer token has an invalid byte at {at}")]
    Token {
        /// Its position, counted from 0.
        at: usize,
    },
}

/// Headers by name, each once. Values are wiped when they are dropped, and never printed.
#[derive(Clone, Default)]
pub(in crate::transport) struct Headers(Vec<Header>);

#[derive(Clone)]
struct Header {
    name: Box<str>,
    value: Zeroizing<String>,
    /// The start of the token in the value of a bearer token.
    token_at: Option<usize>,
}

impl Headers {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a header, in place of one with the same name. [`Headers::check`] checks it.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.put(Header { name: name.into(), value: Zeroizing::new(value.to_owned()), token_at: None });
    }

    /// Adds a bearer token.
    pub(super) fn set_bearer_token(&mut self, token: &str) {
        const SCHEME: &str = "Bearer ";
        // Allocated once: a string that grows leaves copies in memory.
        let mut value = Zeroizing::new(String::with_capacity(SCHEME.len().saturating_add(token.len())));
        value.push_str(SCHEME);
        value.push_str(token);
        self.put(Header { name: "authorization".into(), value, token_at: Some(SCHEME.len()) });
    }

    fn put(&mut self, header: Header) {
        self.0.retain(|other| !other.name.eq_ignore_ascii_case(&header.name));
        self.0.push(header);
    }

    pub(in crate::transport) fn check(&self) -> Result<(), HeaderError> {
        self.0.iter().try_for_each(Header::check)
    }

    /// Returns names and values, in the order in which they were set.
    pub(in crate::transport) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|header| (&*header.name, header.value.as_str()))
    }

    /// Returns the headers as lines of a request head.
    pub(in crate::transport) fn lines(&self) -> Zeroizing<Vec<u8>> {
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
        if self.name.is_empty() || !self.name.bytes().all(is_token_byte) {
            return Err(HeaderError::Name);
        }
        if let Some(name) = RESERVED.into_iter().find(|name| name.eq_ignore_ascii_case(&self.name)) {
            return Err(HeaderError::Reserved { name });
        }
        if let Some(start) = self.token_at {
            let token = self.value.get(start..).unwrap_or_default().as_bytes();
            let body = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
            let wrong = token.iter().take(body).position(|byte| !is_bearer_token_byte(*byte));
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

/// Returns true for a byte of a name (RFC 9110, `tchar`).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns true for a byte of a bearer token (RFC 6750, `b64token`), the `=` at its end excepted.
fn is_bearer_token_byte(byte: u8) -> bool {
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
    fn a_value_with_a_line_break_or_control_character_is_refused() {
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
    fn a_malformed_or_reserved_name_is_refused() {
        for name in ["", "a b", "a:", "a\r\n", "ä", "a("] {
            assert_eq!(check(name, "v"), Err(HeaderError::Name), "{name:?}");
        }
        for name in RESERVED {
            assert_eq!(check(&name.to_uppercase(), "v"), Err(HeaderError::Reserved { name }));
        }
        assert_eq!(check("Authorization", "Basic YTpi"), Ok(()));
    }

    #[test]
    fn a_malformed_token_is_refused() {
        for token in ["a", "AZaz09-._~+/", "abc==", "eyJ.x-Y_z"] {
            assert_eq!(check_token(token), Ok(()), "{token}");
        }
        for (token, at) in [("", 0), ("=", 0), ("a b", 1), ("a=b", 1), ("a\r\n", 1), ("ab\u{e9}", 2)] {
            assert_eq!(check_token(token), Err(HeaderError::Token { at }), "{token:?}");
        }
    }

    #[test]
    fn a_header_replaces_an_earlier_one_with_its_name() {
        let mut headers = Headers::new();
        headers.set("Authorization", "Basic YTpi");
        headers.set("x-key", "1");
        headers.set_bearer_token("abc");
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("x-key", "1"), ("authorization", "Bearer abc")]);
    }

    #[test]
    fn names_and_values_are_not_printed() {
        let mut headers = Headers::new();
        headers.set("secret-name", "secret-value");
        headers.set_bearer_token("secret-token");
        assert!(!format!("{headers:?}").contains("secret"));
    }
}
