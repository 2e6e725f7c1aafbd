//! A TCP connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

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

/// Reads of the connection for one of what is in it: a server that sends a record of TLS byte by byte does not keep the
/// one who reads.
#[cfg(feature = "tls")]
const READS: usize = 2;
/// Writes of the connection for one of what is in it. A record is one of them where there is room, and of 16 KiB each
/// there are four on their way out at most.
#[cfg(feature = "tls")]
const WRITES: usize = 5;

/// How long a read or a write waits during the handshakes, at most: the clock is looked at in between.
const SLICE: Duration = Duration::from_millis(100);

/// What a [`WebSocketClient`](super::WebSocketClient) that was connected by URL reads and writes: TCP, with TLS or
/// without.
pub struct WebSocketStream(Inner);

enum Inner {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Rationed<TcpStream>>>),
}

impl WebSocketStream {
    /// Connects to the first address of the host that answers. A read and a write of it wait no longer than
    /// is good for a handshake, until [`WebSocketStream::wait_for`] says otherwise.
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

    /// Lets a read and a write wait so long from here on.
    pub(super) fn wait_for(&self, wait: Duration) -> io::Result<()> {
        match &self.0 {
            Inner::Plain(stream) => set_wait(stream, wait),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => set_wait(stream.sock.get_ref(), wait),
        }
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
            stream.allow(READS);
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
    set_wait(stream, options.wait.min(options.connect).min(SLICE))
}

fn set_wait(stream: &TcpStream, wait: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))
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
