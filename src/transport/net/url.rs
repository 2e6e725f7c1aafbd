//! The URL of a server or a proxy.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::ConnectionError;

/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 8192;

/// The URL of a server.
pub(in crate::transport) struct Url {
    pub(in crate::transport) tls: bool,
    /// A name or an address, without brackets.
    pub(in crate::transport) host: Box<str>,
    pub(in crate::transport) port: u16,
    /// Host and port for the header `Host`; the port only if it is not the scheme's own.
    pub(in crate::transport) authority: Box<str>,
    /// Path and query, beginning with a slash.
    pub(in crate::transport) target: Box<str>,
}

impl Url {
    /// Reads a URL. `plain` is the scheme without TLS; the one with TLS has an `s` after it. A user or a password is
    /// refused, since it belongs into a header.
    pub(in crate::transport) fn parse(url: &str, plain: &'static str) -> Result<Self, ConnectionError> {
        let malformed = || ConnectionError::Url { scheme: plain };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let tls = match strip_prefix_ignoring_case(scheme, plain) {
            Some("") => false,
            Some("s" | "S") => true,
            _ => return Err(malformed()),
        };
        if url.len() > MAX_URL_BYTES || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        // The fragment is for the reader of a page, and not sent.
        let rest = rest.split('#').next().unwrap_or_default();
        let path = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = (rest.get(..path).unwrap_or_default(), rest.get(path..).unwrap_or_default());
        let (host, port) = split_port(authority).ok_or_else(malformed)?;
        let usual = if tls { 443 } else { 80 };
        let port = port.unwrap_or(usual);
        let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let authority = if port == usual { shown } else { format!("{shown}:{port}") };
        let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, host: host.into(), port, authority: authority.into(), target: target.into() })
    }
}

/// Writes the URL without a fragment, with the schemes of HTTP.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}{}", if self.tls { "s" } else { "" }, self.authority, self.target)
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Splits an authority into host and port. Brackets around an IPv6 address are removed.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => {
            let (host, port) =
                authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
            if host.parse::<IpAddr>().is_err() && !is_name(host) {
                return None;
            }
            (host, port)
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0)?)
        }
        Some(_) => return None,
    };
    Some((host, port))
}

/// Returns true for the name of a host, also one with underscores, which some networks use.
fn is_name(host: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.len() <= 253 && host.bytes().all(is_name_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Option<(String, u16, String, String)> {
        let url = Url::parse(url, "http").ok()?;
        Some((url.host.into(), url.port, url.authority.into(), url.target.into()))
    }

    #[test]
    fn the_parts_of_a_url_are_found() {
        for (url, host, port, authority, target) in [
            ("http://a.example", "a.example", 80, "a.example", "/"),
            ("HTTP://a.example:80/", "a.example", 80, "a.example", "/"),
            ("http://a:8080/sync?x=1#y", "a", 8080, "a:8080", "/sync?x=1"),
            ("http://a:?x=/", "a", 80, "a", "/?x=/"),
            ("http://127.0.0.1:1/a/b", "127.0.0.1", 1, "127.0.0.1:1", "/a/b"),
            ("http://[::1]:443/", "::1", 443, "[::1]:443", "/"),
            ("http://[2001:db8::7]", "2001:db8::7", 80, "[2001:db8::7]", "/"),
        ] {
            let expected = (host.to_owned(), port, authority.to_owned(), target.to_owned());
            assert_eq!(parsed(url), Some(expected), "{url}");
        }
        let url = Url::parse("https://a/", "http").ok().unwrap();
        assert!(url.tls && url.port == 443 && &*url.authority == "a");
    }

    #[test]
    fn a_url_that_could_mean_something_else_is_refused() {
        for url in [
            "",
            "a",
            "/sync",
            "http:a",
            "http:/a",
            "http://",
            "http:///sync",
            "http://?a",
            "http://:80/",
            "ftp://a/",
            "httpx://a/",
            "ws://a/",
            "http://user@a/",
            "http://user:password@a/",
            "http://a b/",
            "http://a/ b",
            "http://a/\r\nx: y",
            "http://a\\b/",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+1/",
            "http://a:1:2/",
            "http://::1/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[fe80::1%25eth0]/",
            "http://[a]/",
            "http://ä/",
            "http://a%41/",
        ] {
            assert_eq!(parsed(url), None, "{url}");
        }
        assert_eq!(parsed(&format!("http://a/{}", "b".repeat(MAX_URL_BYTES))), None);
    }
}
