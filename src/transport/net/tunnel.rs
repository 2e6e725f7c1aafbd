//! A tunnel through an HTTP proxy (RFC 9110, section 9.3.6).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::ConnectionError;
use super::budget::{Budgeted, would_block};
use super::head::{HeadEnd, HeadFault, MAX_INTERIM, read_head};
use super::proxy::ProxyAddress;
use super::url::Url;
use super::watch::{Deadline, WaitError, Watch};
use crate::crypto::Zeroizing;

/// Asks the proxy for a connection to the server of the URL, and waits for its answer. Then the stream is that to the
/// server.
pub(super) fn open(
    stream: &mut Budgeted<TcpStream>,
    url: &Url,
    proxy: &ProxyAddress,
    limit: Duration,
    watch: &mut Watch<'_>,
) -> Result<(), WaitError> {
    let deadline = Deadline::after(watch.now(), limit);
    let request = request(url, proxy);
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        stream.allow(1);
        match stream.write(rest) {
            Ok(0) => return Err(broken(io::ErrorKind::WriteZero.into())),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(broken(error)),
        }
        in_time(deadline, watch)?;
    }
    let (mut head, mut end) = (Vec::new(), HeadEnd::default());
    let mut interim = 0;
    loop {
        let mut piece = [0; 512];
        stream.allow(1);
        match stream.read(&mut piece) {
            Ok(0) => return Err(broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(broken(error)),
        }
        if let Some(len) = end.find(&head).map_err(not_a_proxy)? {
            let status = read_head(head.get(..len).unwrap_or_default(), |_, _| Ok(()));
            match status.map_err(not_a_proxy)?.code {
                100 | 102..=199 if interim < MAX_INTERIM => {
                    interim += 1;
                    head.drain(..len);
                    end = HeadEnd::default();
                    continue;
                }
                200..=299 if head.len() == len => return Ok(()),
                // In the protocols above the client speaks first.
                200..=299 => return Err(not_a_proxy(HeadFault::Length)),
                status => return Err(ConnectionError::Proxy { status }.into()),
            }
        }
        in_time(deadline, watch)?;
    }
}

fn request(url: &Url, proxy: &ProxyAddress) -> Zeroizing<String> {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.to_string() };
    let to = format!("{host}:{}", url.port);
    let start = ["CONNECT ", &to, " HTTP/1.1\r\nhost: ", &to, "\r\n"];
    let authorization = proxy.authorization.as_ref();
    let credentials = authorization.map(|value| ["proxy-authorization: ", value.as_str(), "\r\n"]);
    let parts = start.into_iter().chain(credentials.into_iter().flatten()).chain(["\r\n"]);
    // Allocated once: a string that grows leaves copies in memory.
    let len = parts.clone().map(str::len).sum();
    let mut text = Zeroizing::new(String::with_capacity(len));
    parts.for_each(|part| text.push_str(part));
    text
}

fn in_time(deadline: Deadline, watch: &mut Watch<'_>) -> Result<(), WaitError> {
    if deadline.has_passed(watch.check()?) {
        return Err(ConnectionError::Timeout.into());
    }
    Ok(())
}

fn broken(error: io::Error) -> WaitError {
    ConnectionError::Io(error).into()
}

fn not_a_proxy(fault: HeadFault) -> WaitError {
    ConnectionError::NotAProxy(Box::new(fault)).into()
}
