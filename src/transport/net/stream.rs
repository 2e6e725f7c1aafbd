//! A TCP connection, with TLS or without, directly or through a proxy.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};

#[cfg(feature = "tls")]
use super::budget::would_block;
use super::budget::{Budgeted, Moved};
use super::dial::dial;
use super::proxy::ProxyAddress;
use super::tls::Security;
use super::tunnel;
use super::url::Url;
#[cfg(feature = "tls")]
use super::watch::Deadline;
use super::watch::{SLICE, WaitError, Watch};
use super::{ConnectionError, ConnectionOptions};

/// Reads of the connection for one read of its content, so that a server that sends a TLS record byte by byte does not
/// keep the reader.
const READS: usize = 2;
/// Writes of the connection for one write of its content. A record takes one where there is room, and at most four
/// records of 16 KiB are buffered.
const WRITES: usize = 5;

/// A TCP connection to a server, with TLS or without: the stream of a
/// [`WebSocketClient`](crate::WebSocketClient) that was connected by URL.
#[cfg_attr(not(feature = "websocket"), expect(unreachable_pub, reason = "only WebSocketClient shows it"))]
pub struct NetStream(Inner);

enum Inner {
    Plain(Budgeted<TcpStream>),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Budgeted<TcpStream>>>),
}

impl NetStream {
    /// Connects to the server, or through the proxy of the options: with a tunnel if the URL needs TLS, or if `tunnel`
    /// is true. Each step takes at most the options' connect time-out. A read and a write wait one slice at most, until
    /// [`NetStream::set_timeout`] is called.
    pub(in crate::transport) fn connect(
        url: &Url,
        tunnel: bool,
        security: &Security,
        options: &ConnectionOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Self, WaitError> {
        let proxy = options.proxy.as_ref().map(|proxy| proxy.read()).transpose()?;
        let (host, port) = match &proxy {
            Some(ProxyAddress { host, port, .. }) => (host, *port),
            None => (&url.host, url.port),
        };
        let stream = dial(host, port, options.timeout, &options.last_address, watch)?;
        stream.set_nodelay(true).and_then(|()| set_timeout(&stream, SLICE)).map_err(ConnectionError::Io)?;
        let mut stream = Budgeted::new(stream);
        if let Some(proxy) = &proxy
            && (url.tls || tunnel)
        {
            tunnel::open(&mut stream, url, proxy, options.timeout, watch)?;
        }
        Self::secure(stream, url, security, options.timeout, watch)
    }

    /// Sets how long a read and a write wait at most.
    #[cfg(feature = "websocket")]
    pub(in crate::transport) fn set_timeout(&self, wait: Duration) -> io::Result<()> {
        set_timeout(self.tcp().get_ref(), wait)
    }

    /// Returns the number of bytes that the connection has moved, those of TLS included.
    pub(in crate::transport) fn moved(&self) -> Moved {
        self.tcp().moved()
    }

    /// Reads what has arrived, without waiting and without writing: it works after a write has failed.
    #[cfg(feature = "http")]
    pub(in crate::transport) fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp().get_ref().set_nonblocking(true)?;
        let result = match &mut self.0 {
            Inner::Plain(stream) => {
                stream.allow(READS);
                stream.read(buffer)
            }
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => read_records(stream, buffer),
        };
        self.tcp().get_ref().set_nonblocking(false)?;
        result
    }

    fn tcp(&self) -> &Budgeted<TcpStream> {
        match &self.0 {
            Inner::Plain(stream) => stream,
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => &stream.sock,
        }
    }

    #[cfg(feature = "tls")]
    fn secure(
        mut stream: Budgeted<TcpStream>,
        url: &Url,
        security: &Security,
        limit: Duration,
        watch: &mut Watch<'_>,
    ) -> Result<Self, WaitError> {
        let Some(mut connection) = security.client(&url.host)? else { return Ok(Self(Inner::Plain(stream))) };
        let deadline = Deadline::after(watch.now(), limit);
        loop {
            stream.allow(READS);
            match super::tls::shake_hands(&mut connection, &mut stream) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if would_block(&error) => {}
                Err(error) => return Err(ConnectionError::of_io(error).into()),
            }
            if deadline.has_passed(watch.check()?) {
                return Err(ConnectionError::Timeout.into());
            }
        }
        Ok(Self(Inner::Tls(Box::new(StreamOwned::new(connection, stream)))))
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unnecessary_wraps, reason = "as with TLS")]
    fn secure(
        stream: Budgeted<TcpStream>,
        _: &Url,
        _: &Security,
        _: Duration,
        _: &mut Watch<'_>,
    ) -> Result<Self, WaitError> {
        Ok(Self(Inner::Plain(stream)))
    }
}

/// Reads the content of the TLS records that have arrived.
#[cfg(all(feature = "http", feature = "tls"))]
fn read_records(
    stream: &mut StreamOwned<ClientConnection, Budgeted<TcpStream>>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    stream.sock.allow(READS);
    loop {
        stream.conn.process_new_packets().map_err(io::Error::other)?;
        match stream.conn.reader().read(buffer) {
            Err(error) if would_block(&error) => _ = stream.conn.read_tls(&mut stream.sock)?,
            result => return result,
        }
    }
}

fn set_timeout(stream: &TcpStream, wait: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))
}

impl Read for NetStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => {
                stream.allow(READS);
                stream.read(buffer)
            }
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
            Inner::Plain(stream) => {
                stream.allow(WRITES);
                stream.write(bytes)
            }
            #[cfg(feature = "tls")]
            Inner::Tls(stream) => {
                stream.sock.allow(WRITES);
                match stream.write(bytes) {
                    // The buffer of TLS is full, and the connection takes nothing now.
                    Ok(0) if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
                    result => result,
                }
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
