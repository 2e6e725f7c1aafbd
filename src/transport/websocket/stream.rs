//! A TCP connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};

#[cfg(feature = "tls")]
use super::connection::{has_waited, is_wait};
#[cfg(feature = "tls")]
use super::rationed::Rationed;
use super::{WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;
#[cfg(feature = "tls")]
use crate::transport::tls;

/// Reads of the connection for one of what is in it: a server that sends a record of TLS byte by byte does not keep the one
/// who reads.
#[cfg(feature = "tls")]
const READS: usize = 2;
/// Writes of the connection for one of what is in it. A record is one of them where there is room, and of 16 KiB each there
/// are four on their way out at most.
#[cfg(feature = "tls")]
const WRITES: usize = 5;

/// What a [`WebSocketClient`](super::WebSocketClient) that was connected by URL reads and writes: TCP, with TLS or
/// without.
pub struct WebSocketStream(Inner);

enum Inner {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Rationed<TcpStream>>>),
}

impl WebSocketStream {
    /// Connects to the first address of the host that answers. A read and a write of it wait as the options say.
    pub(super) fn connect(
        host: &str,
        port: u16,
        tls: bool,
        options: &WebSocketOptions,
        now: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        let addresses = (host, port).to_socket_addrs().map_err(|_| WebSocketError::HostNotFound)?;
        let mut last = WebSocketError::HostNotFound;
        for address in addresses {
            match TcpStream::connect_timeout(&address, options.connect) {
                Ok(stream) => {
                    prepare(&stream, options).map_err(WebSocketError::Io)?;
                    return if tls {
                        Self::secure(stream, host, options, now)
                    } else {
                        Ok(Self(Inner::Plain(stream)))
                    };
                }
                Err(error) => last = WebSocketError::Io(error),
            }
        }
        Err(last)
    }

    #[cfg(feature = "tls")]
    fn secure(
        stream: TcpStream,
        host: &str,
        options: &WebSocketOptions,
        now: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        let config = tls::configuration(&options.roots)?;
        let mut connection = tls::client(config, host)?.ok_or(WebSocketError::Url)?;
        let mut stream = Rationed::new(stream);
        let began = now();
        loop {
            match tls::go_on(&mut connection, &mut stream) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if is_wait(&error) => {}
                Err(error) => return Err(WebSocketError::of_io(error)),
            }
            if has_waited(began, options, now) {
                return Err(WebSocketError::HandshakeTimeout);
            }
        }
        Ok(Self(Inner::Tls(Box::new(StreamOwned::new(connection, stream)))))
    }

    #[cfg(not(feature = "tls"))]
    fn secure(
        _: TcpStream,
        _: &str,
        _: &WebSocketOptions,
        _: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        Err(WebSocketError::NoTls)
    }
}

fn prepare(stream: &TcpStream, options: &WebSocketOptions) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(options.wait))?;
    stream.set_write_timeout(Some(options.wait))
}

impl Read for WebSocketStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => {
                stream.sock.allow(READS);
                stream.read(buffer)
            }
        }
    }
}

impl Write for WebSocketStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => {
                stream.sock.allow(WRITES);
                stream.write(bytes)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => {
                stream.sock.allow(WRITES);
                stream.flush()
            }
        }
    }
}
