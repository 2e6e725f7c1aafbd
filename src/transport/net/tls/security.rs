//! The security of the connections to one server.

#[cfg(feature = "tls")]
use std::sync::Arc;

#[cfg(feature = "tls")]
use rustls::{ClientConfig, ClientConnection};

use crate::transport::net::url::Url;
use crate::transport::net::{ConnectionError, ConnectionOptions};

/// The security of the connections to one server: TLS, or none if its URL needs none.
pub(in crate::transport) struct Security {
    #[cfg(feature = "tls")]
    config: Option<Arc<ClientConfig>>,
}

#[cfg(feature = "tls")]
impl Security {
    pub(in crate::transport) fn new(url: &Url, options: &ConnectionOptions) -> Result<Self, ConnectionError> {
        let config = if url.tls { Some(super::handshake::configuration(&options.roots)?) } else { None };
        Ok(Self { config })
    }

    /// Returns a connection to this host on which nothing has been sent; `None` if it needs no TLS.
    pub(in crate::transport::net) fn client(
        &self,
        host: &str,
    ) -> Result<Option<ClientConnection>, ConnectionError> {
        self.config.as_ref().map(|config| super::handshake::client(Arc::clone(config), host)).transpose()
    }
}

#[cfg(not(feature = "tls"))]
impl Security {
    pub(in crate::transport) const fn new(url: &Url, _: &ConnectionOptions) -> Result<Self, ConnectionError> {
        if url.tls { Err(ConnectionError::NoTls) } else { Ok(Self {}) }
    }
}
