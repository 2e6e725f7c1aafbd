//! A small HTTP/1.1 server for one handler: one request a connection, everything bounded.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use policysync::{WallMillis, system_wall_clock};

/// Bytes of a request's head.
pub const MAX_HEAD_BYTES: usize = 8 << 10;
/// Headers of a request.
pub const MAX_HEADERS: usize = 32;
/// Time for a request to arrive, and for a connection to take the next bytes of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request, with the headers that the handler needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// The path, beginning with `/`.
    pub path: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Response {
    /// Returns an answer without a message of the protocol.
    pub fn status(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: Vec::new() }
    }
}

/// A server on the loopback, with a thread of its own. It ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port. It answers one connection after the other.
    pub fn start(
        max_body_bytes: usize,
        mut handler: impl FnMut(&Request) -> Response + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let ending = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ending);
        let thread = std::thread::Builder::new().name("demo relay".to_owned()).spawn(move || {
            for connection in listener.incoming() {
                if flag.load(Ordering::Acquire) {
                    return;
                }
                // A connection that fails is its client's to report.
                drop(connection.and_then(|connection| answer(connection, max_body_bytes, &mut handler)));
            }
        })?;
        Ok(Self { address, ending, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        // Wakes the thread; without a connection it would wait for ever, so it is left alone.
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}

fn answer(
    mut connection: TcpStream,
    max_body_bytes: usize,
    handler: &mut impl FnMut(&Request) -> Response,
) -> io::Result<()> {
    connection.set_write_timeout(Some(PATIENCE))?;
    connection.set_nodelay(true)?;
    let patience = WallMillis(u64::try_from(PATIENCE.as_millis()).unwrap_or(0));
    let deadline = system_wall_clock().saturating_add(patience);
    let response = match read_request(&mut Timed { connection: &connection, deadline }, max_body_bytes) {
        Ok(request) => handler(&request),
        Err(Refusal::Status(status)) => Response::status(status),
        Err(Refusal::Io(error)) => return Err(error),
    };
    write_response(&mut connection, &response)
}

/// A connection that is read until a deadline, however little each read brings.
struct Timed<'c> {
    connection: &'c TcpStream,
    deadline: WallMillis,
}

impl Read for Timed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.0.saturating_sub(system_wall_clock().0);
        if left == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // Longer only if the clock was set back meanwhile.
        self.connection.set_read_timeout(Some(Duration::from_millis(left).min(PATIENCE)))?;
        self.connection.read(bytes)
    }
}

/// Why a request was not read.
#[derive(Debug)]
pub enum Refusal {
    /// It is answered with this status.
    Status(u16),
    /// The connection failed.
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

const BAD_REQUEST: Refusal = Refusal::Status(400);

/// Reads one request. Strict: a length and a body of exactly that many bytes, and nothing that a request of this
/// protocol does not need.
pub fn read_request(connection: &mut impl Read, max_body_bytes: usize) -> Result<Request, Refusal> {
    let (head, mut body) = read_head(connection)?;
    let head = std::str::from_utf8(&head).map_err(|_| BAD_REQUEST)?;
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, path, version] = words.as_slice() else { return Err(BAD_REQUEST) };
    if *version != "HTTP/1.1" {
        return Err(Refusal::Status(505));
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BAD_REQUEST);
    }
    let (mut length, mut content_type) = (None, None);
    for (line, number) in lines.zip(0..) {
        if number >= MAX_HEADERS {
            return Err(Refusal::Status(431));
        }
        let (name, value) = line.split_once(':').ok_or(BAD_REQUEST)?;
        // White space before the colon, or a line that continues another, lets two readers see different headers
        // (RFC 9112, section 5).
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(BAD_REQUEST);
        }
        let value = value.trim();
        let slot = match name.to_ascii_lowercase().as_str() {
            "content-length" => &mut length,
            "content-type" => &mut content_type,
            "transfer-encoding" => return Err(Refusal::Status(501)),
            "expect" => return Err(Refusal::Status(417)),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(BAD_REQUEST);
        }
    }
    let length = match length {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().unwrap_or(usize::MAX)
        }
        Some(_) => return Err(BAD_REQUEST),
        None => return Err(Refusal::Status(411)),
    };
    if length > max_body_bytes {
        return Err(Refusal::Status(413));
    }
    let missing = length.checked_sub(body.len()).ok_or(BAD_REQUEST)?;
    let missing = u64::try_from(missing).unwrap_or(u64::MAX);
    connection.take(missing).read_to_end(&mut body)?;
    if body.len() != length {
        return Err(BAD_REQUEST);
    }
    let (method, path) = ((*method).to_owned(), (*path).to_owned());
    Ok(Request { method, path, content_type: content_type.map(str::to_owned), body })
}

/// Reads up to the empty line; returns the head without it, and the beginning of the body.
fn read_head(connection: &mut impl Read) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    const END: &[u8] = b"\r\n\r\n";
    let (mut head, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let count = connection.read(&mut piece)?;
        if count == 0 {
            return Err(BAD_REQUEST);
        }
        // The end may begin in the piece before.
        let from = head.len().saturating_sub(END.len() - 1);
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
        let found = head.get(from..).and_then(|new| new.windows(END.len()).position(|window| window == END));
        if let Some(found) = found {
            let body = head.split_off(from + found + END.len());
            head.truncate(from + found);
            return Ok((head, body));
        }
        if head.len() > MAX_HEAD_BYTES {
            return Err(Refusal::Status(431));
        }
    }
}

fn write_response(connection: &mut impl Write, response: &Response) -> io::Result<()> {
    let Response { status, content_type, body } = response;
    let head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reason(*status),
        body.len()
    );
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)?;
    connection.flush()
}

/// Returns the words beside a status, for people.
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        500..=599 => "Server Error",
        _ => "Refused",
    }
}
