//! The TLS handshake in single steps, between which the caller checks its deadline.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};

use super::{TlsError, TlsRoots};
use crate::transport::net::ConnectionError;

/// Returns the configuration that a client's connections share.
pub(super) fn configuration(roots: &TlsRoots) -> Result<Arc<ClientConfig>, TlsError> {
    // Named, since another part of the program may have set another default provider.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::of)?
        .with_root_certificates(roots.store())
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Returns a connection to this host on which nothing has been sent.
pub(super) fn client(config: Arc<ClientConfig>, host: &str) -> Result<ClientConnection, ConnectionError> {
    let name = host.to_owned().try_into().map_err(|_| ConnectionError::HostName)?;
    Ok(ClientConnection::new(config, name).map_err(TlsError::of)?)
}

/// Continues the handshake: writes what is pending, then reads once. Returns true if the handshake is complete. After
/// an error other than a time-out the connection is unusable.
pub(in crate::transport::net) fn shake_hands(
    connection: &mut ClientConnection,
    stream: &mut (impl Read + Write),
) -> io::Result<bool> {
    while connection.wants_write() {
        if connection.write_tls(stream)? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    stream.flush()?;
    if !connection.is_handshaking() {
        return Ok(true);
    }
    if connection.read_tls(stream)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if let Err(error) = connection.process_new_packets() {
        // Sends the server an alert, if it still listens.
        drop(connection.write_tls(stream));
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    Ok(false)
}
