//! A TCP connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};

#[cfg(feature = "tls")]
use super::{Budgeted, Deadline, tls, would_block};
use super::{ConnectionError, ConnectionOptions};
use crate::hlc::WallMillis;

/// Reads of the connection for one read of its content, so that a server that sends a TLS record byte by byte does not
/// keep the reader.
#[cfg(feature = "tls")]
const READS: usize = 2;
/// Writes of the connection for one write of its content. A record takes one where there is room, and at most four
/// records of 16 KiB are buffered.
#[cfg(feature = "tls")]
const WRITES: usize = 5;

/// The longest wait of a read or a write during the handshakes. The clock is read in between.
const SLICE: Duration = Duration::from_millis(100);

/// A TCP connection to a server, with TLS or without: the stream of a
/// [`WebSocketClient`](crate::WebSocketClient) that was connected by URL.
pub struct NetStream(Inner);

enum Inner {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Budgeted<TcpStream>>>),
}

impl NetStream {
    /// Connects to the first address of the host that answers. A read and a write wait at most `wait`, and no longer
    /// than suits a handshake, until [`NetStream::set_timeout`] is called.
    pub(in crate::transport) fn connect(
        host: &str,
        port: u16,
        tls: bool,
        options: &ConnectionOptions,
        wait: Duration,
        now: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, ConnectionError> {
        let addresses = (host, port).to_socket_addrs().map_err(|_| ConnectionError::HostNotFound)?;
        let mut last = ConnectionError::HostNotFound;
        for address in addresses {
            match TcpStream::connect_timeout(&address, options.timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(ConnectionError::Io)?;
                    set_timeout(&stream, wait.min(options.timeout).min(SLICE))
                        .map_err(ConnectionError::Io)?;
                    return if tls {
                        Self::secure(stream, host, options, now)
                    } else {
                        Ok(Self(Inner::Plain(stream)))
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => last = ConnectionError::Timeout,
                Err(error) => last = ConnectionError::Io(error),
            }
        }
        Err(last)
    }

    /// Sets how long a read and a write wait at most.
    pub(in crate::transport) fn set_timeout(&self, wait: Duration) -> io::Result<()> {
        match &self.0 {
            Inner::Plain(stream) => set_timeout(stream, wait),
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => set_timeout(stream.sock.get_ref(), wait),
        }
    }

    #[cfg(feature = "tls")]
    fn secure(
        stream: TcpStream,
        host: &str,
        options: &ConnectionOptions,
        now: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, ConnectionError> {
        let config = tls::configuration(&options.roots)?;
        let mut connection = tls::client(config, host)?;
        let mut stream = Budgeted::new(stream);
        let deadline = Deadline::after(now(), options.timeout);
        loop {
            match tls::shake_hands(&mut connection, &mut stream) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if would_block(&error) => {}
                Err(error) => return Err(ConnectionError::of_io(error)),
            }
            if deadline.has_passed(now()) {
                return Err(ConnectionError::Timeout);
            }
            stream.allow(READS);
        }
        Ok(Self(Inner::Tls(Box::new(StreamOwned::new(connection, stream)))))
    }

    #[cfg(not(feature = "tls"))]
    fn secure(
        _: TcpStream,
        _: &str,
        _: &ConnectionOptions,
        _: &mut impl FnMut() -> WallMillis,
    ) -> Result<Self, ConnectionError> {
        Err(ConnectionError::NoTls)
    }
}

fn set_timeout(stream: &TcpStream, wait: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))
}

impl Read for NetStream {
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

impl Write for NetStream {
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
