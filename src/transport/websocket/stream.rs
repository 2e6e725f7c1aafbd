//! A TCP connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::WebSocketError;

/// What a [`WebSocketClient`](super::WebSocketClient) that was connected by URL reads and writes: TCP, with TLS or
/// without.
pub struct WebSocketStream(Inner);

enum Inner {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl WebSocketStream {
    /// Connects to the first address of the host that answers.
    pub(super) fn connect(
        host: &str,
        port: u16,
        tls: bool,
        timeout: Duration,
    ) -> Result<Self, WebSocketError> {
        let addresses = (host, port).to_socket_addrs().map_err(|_| WebSocketError::HostNotFound)?;
        let mut last = WebSocketError::HostNotFound;
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(WebSocketError::Io)?;
                    return Self::over(stream, host, tls);
                }
                Err(error) => last = WebSocketError::Io(error),
            }
        }
        Err(last)
    }

    #[cfg(feature = "tls")]
    fn over(stream: TcpStream, host: &str, tls: bool) -> Result<Self, WebSocketError> {
        use std::sync::Arc;

        if !tls {
            return Ok(Self(Inner::Plain(stream)));
        }
        let failed = |error: rustls::Error| WebSocketError::Protocol(Box::new(error));
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = host.to_owned().try_into().map_err(|_| WebSocketError::Url)?;
        let connection = rustls::ClientConnection::new(Arc::new(config), name).map_err(failed)?;
        Ok(Self(Inner::Tls(Box::new(rustls::StreamOwned::new(connection, stream)))))
    }

    #[cfg(not(feature = "tls"))]
    fn over(stream: TcpStream, _host: &str, tls: bool) -> Result<Self, WebSocketError> {
        if tls { Err(WebSocketError::NoTls) } else { Ok(Self(Inner::Plain(stream))) }
    }

    /// How long a read and a write wait.
    #[cfg_attr(
        not(feature = "tls"),
        expect(clippy::infallible_destructuring_match, reason = "with TLS there are two kinds")
    )]
    pub(super) fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        let stream = match &self.0 {
            Inner::Plain(stream) => stream,
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => &stream.sock,
        };
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))
    }
}

impl Read for WebSocketStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for WebSocketStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => stream.flush(),
        }
    }
}
