//! TLS of the HTTP client.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};
use ureq::{Agent, Error};

use super::deadline::{Countdown, DeadlineConnector, Deadlines, deadlines};
use crate::transport::net::{ConnectionError, TlsError, TlsRoots, tls};

/// The longest wait of one read, by which a wait may end late.
const SLICE: Duration = Duration::from_millis(100);

/// Returns an agent that trusts these authorities and keeps its deadlines.
pub(super) fn agent(config: ureq::config::Config, roots: &TlsRoots) -> Result<Agent, TlsError> {
    let connector =
        TcpConnector::default().chain(DeadlineConnector).chain(TlsConnector(tls::configuration(roots)?));
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

struct TlsConnector(Arc<ClientConfig>);

struct TlsTransport {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
    deadlines: Deadlines,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let mut connection = tls::client(Arc::clone(&self.0), host).map_err(other)?;
        let mut sock = TransportAdapter::new(transport.boxed());
        let end = details.now + details.timeout.after;
        loop {
            if (details.current_time)() >= end {
                return Err(Error::Timeout(details.timeout.reason));
            }
            sock.set_timeout(slice(details.timeout));
            match tls::shake_hands(&mut connection, &mut sock) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => unless_timeout(error)?,
            }
        }
        let deadlines = deadlines(details);
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { stream: StreamOwned::new(connection, sock), buffers, deadlines })))
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let deadline = Countdown::start(&self.deadlines, timeout);
        let mut rest = self.buffers.output().get(..amount).ok_or(Error::ConnectionFailed)?;
        while !rest.is_empty() {
            let taken = self.stream.conn.writer().write(rest)?;
            if taken == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            rest = rest.get(taken..).unwrap_or_default();
            write_out(&mut self.stream, &deadline)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let deadline = Countdown::start(&self.deadlines, timeout);
        loop {
            match self.stream.conn.reader().read(self.buffers.input_append_buf()) {
                Ok(len) => {
                    self.buffers.input_appended(len);
                    return Ok(len > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Anybody on the way can cut the connection. Without TLS's own end it must not count as the end of a
                // body without a length, as ureq does for some kinds of errors.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
                }
                Err(error) => return Err(error.into()),
            }
            self.stream.sock.set_timeout(slice(deadline.left()?));
            let StreamOwned { conn, sock } = &mut self.stream;
            if let Err(error) = conn.read_tls(sock) {
                unless_timeout(error)?;
                continue;
            }
            conn.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            // TLS may have an answer of its own to write.
            write_out(&mut self.stream, &deadline)?;
        }
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Writes what is pending. After an error the connection is unusable, because part of a record may have been written.
fn write_out(
    stream: &mut StreamOwned<ClientConnection, TransportAdapter>,
    deadline: &Countdown,
) -> Result<(), Error> {
    let StreamOwned { conn, sock } = stream;
    while conn.wants_write() {
        sock.set_timeout(deadline.left()?);
        if conn.write_tls(sock)? == 0 {
            return Err(io::Error::from(io::ErrorKind::WriteZero).into());
        }
    }
    Ok(())
}

/// Shortens a time-out to one slice.
fn slice(timeout: NextTimeout) -> NextTimeout {
    let after = (*timeout.after).clamp(Duration::from_millis(1), SLICE);
    NextTimeout { after: after.into(), reason: timeout.reason }
}

/// Ignores a time-out, and returns any other error.
fn unless_timeout(error: io::Error) -> Result<(), Error> {
    match Error::from(error) {
        Error::Timeout(_) => Ok(()),
        error => Err(error),
    }
}

fn other(error: ConnectionError) -> Error {
    Error::Other(Box::new(error))
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
