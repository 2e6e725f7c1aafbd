//! TLS under the requests: each wait has an end, however slowly the server speaks.

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

use super::HttpError;
use super::pace::{PaceConnector, Wait, Waits, waits};
use crate::transport::tls::{self, TlsError, TlsRoots};

/// How long one read waits at most: so much later than it should a wait may end.
const SLICE: Duration = Duration::from_millis(100);

/// An agent whose `https` believes these.
pub(super) fn agent(config: ureq::config::Config, roots: &TlsRoots) -> Result<Agent, HttpError> {
    let connector =
        TcpConnector::default().chain(PaceConnector).chain(TlsConnector(tls::configuration(roots)?));
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

struct TlsConnector(Arc<ClientConfig>);

struct TlsTransport {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
    waits: Waits,
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
        let connection = tls::client(Arc::clone(&self.0), host).map_err(other)?;
        let mut connection = connection.ok_or_else(|| Error::BadUri(String::new()))?;
        let mut sock = TransportAdapter::new(transport.boxed());
        let end = details.now + details.timeout.after;
        loop {
            if (details.current_time)() >= end {
                return Err(Error::Timeout(details.timeout.reason));
            }
            sock.set_timeout(slice(details.timeout));
            match tls::go_on(&mut connection, &mut sock) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => pass_waits(error)?,
            }
        }
        let waits = waits(details);
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { stream: StreamOwned::new(connection, sock), buffers, waits })))
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let wait = Wait::begin(&self.waits, timeout);
        let mut rest = self.buffers.output().get(..amount).ok_or(Error::ConnectionFailed)?;
        while !rest.is_empty() {
            let taken = self.stream.conn.writer().write(rest)?;
            if taken == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            rest = rest.get(taken..).unwrap_or_default();
            write_out(&mut self.stream, &wait)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let wait = Wait::begin(&self.waits, timeout);
        loop {
            match self.stream.conn.reader().read(self.buffers.input_append_buf()) {
                Ok(len) => {
                    self.buffers.input_appended(len);
                    return Ok(len > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Anybody on the way can cut the line: without a goodbye of TLS it is not the end of what has no
                // length, for which ureq takes some kinds of errors.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
                }
                Err(error) => return Err(error.into()),
            }
            self.stream.sock.set_timeout(slice(wait.left()?));
            let StreamOwned { conn, sock } = &mut self.stream;
            if let Err(error) = conn.read_tls(sock) {
                pass_waits(error)?;
                continue;
            }
            conn.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            // An answer to what is of TLS itself.
            write_out(&mut self.stream, &wait)?;
        }
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Writes what there is to say. After an error the connection is over: how much of a record has gone nobody knows.
fn write_out(stream: &mut StreamOwned<ClientConnection, TransportAdapter>, wait: &Wait) -> Result<(), Error> {
    let StreamOwned { conn, sock } = stream;
    while conn.wants_write() {
        sock.set_timeout(wait.left()?);
        if conn.write_tls(sock)? == 0 {
            return Err(io::Error::from(io::ErrorKind::WriteZero).into());
        }
    }
    Ok(())
}

/// So long, and no longer than a slice.
fn slice(timeout: NextTimeout) -> NextTimeout {
    let after = (*timeout.after).clamp(Duration::from_millis(1), SLICE);
    NextTimeout { after: after.into(), reason: timeout.reason }
}

/// What is more than a wait that was in vain.
fn pass_waits(error: io::Error) -> Result<(), Error> {
    match Error::from(error) {
        Error::Timeout(_) => Ok(()),
        error => Err(error),
    }
}

fn other(error: TlsError) -> Error {
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
