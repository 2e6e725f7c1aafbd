//! The handshake, a step at a time: whoever waits decides how long.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};

use super::{TlsError, TlsRoots};

/// What connections of a client have in common.
pub(in crate::transport) fn configuration(roots: &TlsRoots) -> Result<Arc<ClientConfig>, TlsError> {
    // Named, since another part of the program may have made another one the default of all.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::of)?
        .with_root_certificates(roots.store())
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A connection to this host that has said nothing yet; `None` where a certificate cannot be for such a name.
pub(in crate::transport) fn client(
    config: Arc<ClientConfig>,
    host: &str,
) -> Result<Option<ClientConnection>, TlsError> {
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let Ok(name) = host.to_owned().try_into() else { return Ok(None) };
    ClientConnection::new(config, name).map(Some).map_err(TlsError::of)
}

/// Goes on with the handshake: writes what there is to say, and reads once. Says whether it is done. After an error
/// that is no wait, the connection is over.
pub(in crate::transport) fn go_on(
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
        // Tells the server why, if it still listens.
        drop(connection.write_tls(stream));
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    Ok(false)
}
