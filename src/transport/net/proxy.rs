//! An HTTP proxy.

use std::fmt;

use super::ConnectionError;
use super::url::Url;
use crate::crypto::{Zeroizing, encode_base64};

/// An HTTP proxy by its URL, `http://[user:password@]host[:port]`. Shows nothing of it, since it may hold a password.
#[derive(Clone)]
pub(in crate::transport) struct Proxy(Zeroizing<String>);

/// A proxy whose URL was read.
pub(in crate::transport) struct ProxyAddress {
    pub(in crate::transport) host: Box<str>,
    pub(in crate::transport) port: u16,
    /// The value of the header `Proxy-Authorization`.
    pub(in crate::transport) authorization: Option<Zeroizing<String>>,
}

impl Proxy {
    pub(super) fn new(url: &str) -> Self {
        Self(Zeroizing::new(url.to_owned()))
    }

    pub(in crate::transport) fn read(&self) -> Result<ProxyAddress, ConnectionError> {
        let (scheme, rest) = self.0.split_once("://").ok_or(ConnectionError::ProxyUrl)?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(ConnectionError::ProxyUrl);
        }
        let (credentials, host) = match rest.rsplit_once('@') {
            // There the host would have ended already (RFC 3986, section 3.2).
            Some((credentials, _)) if credentials.contains(['/', '?', '#']) => {
                return Err(ConnectionError::ProxyUrl);
            }
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, rest),
        };
        let plain = Zeroizing::new(format!("http://{host}"));
        let url = Url::parse(&plain, "http").map_err(|_| ConnectionError::ProxyUrl)?;
        if &*url.target != "/" {
            return Err(ConnectionError::ProxyUrl);
        }
        let authorization = match credentials {
            Some(credentials) => Some(basic(credentials).ok_or(ConnectionError::ProxyUrl)?),
            None => None,
        };
        Ok(ProxyAddress { host: url.host, port: url.port, authorization })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}

/// Returns the value of a header with these credentials (RFC 7617), in which a byte may be written as `%` and two
/// hexadecimal digits.
fn basic(credentials: &str) -> Option<Zeroizing<String>> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut bytes = Zeroizing::new(Vec::with_capacity(credentials.len().saturating_add(1)));
    unescape(user, &mut bytes)?;
    // A colon would end the user's name.
    if bytes.contains(&b':') {
        return None;
    }
    bytes.push(b':');
    unescape(password, &mut bytes)?;
    let encoded = Zeroizing::new(encode_base64(&bytes));
    Some(Zeroizing::new(["Basic ", &encoded].concat()))
}

fn unescape(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let [high, low] = [bytes.next()?, bytes.next()?].map(|digit| char::from(digit).to_digit(16));
                u8::try_from(high? << 4 | low?).ok()?
            }
            byte => byte,
        };
        out.push(byte);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_decoded_and_sent_as_basic() {
        let read = |url: &str| Proxy::new(url).read().ok().unwrap();
        let proxy = read("http://Aladdin:open%20sesame@10.0.0.1:3128");
        assert_eq!((&*proxy.host, proxy.port), ("10.0.0.1", 3128));
        assert_eq!(proxy.authorization.unwrap().as_str(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let proxy = read("http://[::1]/");
        assert_eq!((&*proxy.host, proxy.port, proxy.authorization.is_none()), ("::1", 80, true));
        assert_eq!(read("http://a%40b:@p").authorization.unwrap().as_str(), "Basic YUBiOg==");
    }

    #[test]
    fn a_malformed_proxy_is_refused_and_not_shown() {
        for url in ["", "p:3128", "https://p", "socks5://p", "http://p/path", "http://a%4@p", "http://a%zz@p"]
        {
            assert!(matches!(Proxy::new(url).read(), Err(ConnectionError::ProxyUrl)), "{url}");
        }
        assert!(Proxy::new("http://a%3ab:c@p").read().is_err());
        assert!(!format!("{:?}", Proxy::new("http://a:secret@p")).contains("secret"));
    }
}
