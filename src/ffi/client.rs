//! How a client of either transport connects: its token, whom it believes, how long it waits.

use std::mem::MaybeUninit;

#[cfg(any(feature = "http", feature = "websocket"))]
use super::boundary::Call;
use super::boundary::{Growing, guarded};
use super::buffer::policysync_bytes;
#[cfg(any(feature = "http", feature = "websocket"))]
use super::error::Failure;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;

/// A flag of a client: only those of `trusted` are believed. Without it, they are believed beside the authorities that
/// Mozilla trusts.
#[cfg_attr(
    not(any(feature = "http", feature = "websocket")),
    expect(dead_code, reason = "of the header only")
)]
pub const POLICYSYNC_TRUST_NO_OTHERS: u32 = 1;

/// A header of a request. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_header {
    /// Its name: a token of HTTP, and not one that the client writes itself.
    pub name: policysync_bytes,
    /// Its value: 1 to 8192 bytes of printable ASCII, with spaces and tabs between others.
    pub value: policysync_bytes,
}

/// How a client of HTTP or WebSocket connects. Zero in every member but the first is the default. Begin with
/// `policysync_client_options_init`. All pointers are borrowed for the call that takes the options. No value of a
/// header and no token is ever in an error; the library's own copies are wiped when the client is freed.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_client_options {
    /// `sizeof(policysync_client_options)`.
    pub struct_size: u32,
    /// `POLICYSYNC_TRUST_NO_OTHERS`, or 0.
    pub flags: u32,
    /// Shown to the server with each request of HTTP, and with the one that opens a WebSocket: the header
    /// `Authorization: Bearer …`. Without TLS whoever carries it can read it. Empty for none.
    pub bearer_token: policysync_bytes,
    /// Further headers, `headers_stride` bytes from one to the next: `sizeof(policysync_header)`. Of two with one name
    /// the later one is sent, and the token in place of an `Authorization`. NULL for none.
    pub headers: *const policysync_header,
    /// How many bytes from one header to the next.
    pub headers_stride: usize,
    /// How many headers there are.
    pub headers_count: usize,
    /// Further authorities to believe of a server's certificate: certificates in PEM, all that are there, or one in
    /// DER. They are believed beside those that Mozilla trusts; with `POLICYSYNC_TRUST_NO_OTHERS` instead of them, and
    /// then nobody is believed where this is empty. Empty for Mozilla's alone. Needs a library built with the feature
    /// `tls`.
    pub trusted: policysync_bytes,
    /// How long each step of connecting may take; 0 for 10 seconds, and more than a day counts as a day. Over HTTP: to
    /// look up the name of the host, and to connect, with all of its addresses and TLS together. For a WebSocket: to
    /// connect to each address of the host, to agree on TLS, and to agree on WebSocket; the look-up of the name takes
    /// as long as the system allows.
    pub connect_timeout_ms: u64,
    /// How long to wait for the head of an HTTP answer; 0 for 30 seconds. Like the next two, not looked at for a
    /// WebSocket.
    pub answer_timeout_ms: u64,
    /// How long the body of an HTTP request, and that of an answer, may take; 0 for 60 seconds.
    pub body_timeout_ms: u64,
    /// How long one HTTP request may take, with its answer; 0 for 120 seconds.
    pub overall_timeout_ms: u64,
    /// How long `policysync_websocket_client_wait` waits where nothing comes; 0 for 100 milliseconds. Like those that
    /// follow, not looked at for HTTP.
    pub wait_ms: u64,
    /// How long without a message until the server is asked whether it is there; 0 for 20 seconds.
    pub ping_after_ms: u64,
    /// How long without a message or an answer to a ping until the line is given up; 0 for 60 seconds.
    pub silence_ms: u64,
    /// How long a message may be stuck on its way out until the line is given up; 0 for 30 seconds.
    pub stall_ms: u64,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_client_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// Makes default options: all zero but `struct_size`.
///
/// `out`: `struct_size` bytes are written, whatever the library knows of them.
/// `struct_size`: `sizeof(policysync_client_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_client_options_init(
    out: MaybeUninit<&mut policysync_client_options>,
    struct_size: u32,
) -> policysync_status {
    guarded(std::ptr::null_mut(), |call| {
        let out = call.out(out, "out")?;
        out.initialise(struct_size)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Options with their text, for as long as the call.
#[cfg(any(feature = "http", feature = "websocket"))]
pub(super) struct Options<'c> {
    /// NULL for defaults.
    given: Option<policysync_client_options>,
    headers: Vec<(&'c str, &'c str)>,
    token: &'c str,
    #[cfg(feature = "tls")]
    roots: crate::transport::TlsRoots,
}

#[cfg(any(feature = "http", feature = "websocket"))]
impl<'c> Options<'c> {
    pub(super) fn take(call: &'c Call, options: *const policysync_client_options) -> Result<Self, Failure> {
        let given = if options.is_null() { None } else { Some(call.growing(options)?) };
        let mut taken = Self {
            given,
            headers: Vec::new(),
            token: "",
            #[cfg(feature = "tls")]
            roots: crate::transport::TlsRoots::new(),
        };
        let Some(options) = given else { return Ok(taken) };
        if options.flags & !POLICYSYNC_TRUST_NO_OTHERS != 0 {
            let message = format!("options.flags is {:#x}, which means nothing", options.flags);
            return Err(Failure::argument(message));
        }
        taken.token = options.bearer_token.text(call, "options.bearer_token")?;
        let headers =
            call.array(options.headers, options.headers_stride, options.headers_count, "options.headers")?;
        for (at, header) in headers.enumerate() {
            let name = header.name.text(call, "options.headers[].name").map_err(|failure| failure.at(at))?;
            let value =
                header.value.text(call, "options.headers[].value").map_err(|failure| failure.at(at))?;
            taken.headers.push((name, value));
        }
        taken.trust(call, &options)?;
        Ok(taken)
    }

    #[cfg(feature = "tls")]
    fn trust(&mut self, call: &Call, options: &policysync_client_options) -> Result<(), Failure> {
        if options.flags & POLICYSYNC_TRUST_NO_OTHERS != 0 {
            self.roots = crate::transport::TlsRoots::none();
        }
        let trusted = options.trusted.get(call, "options.trusted")?;
        if !trusted.is_empty() {
            let roots = std::mem::take(&mut self.roots).trust(trusted);
            self.roots = roots.map_err(|error| Failure::argument(format!("options.trusted: {error}")))?;
        }
        Ok(())
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "as with TLS")]
    fn trust(&self, call: &Call, options: &policysync_client_options) -> Result<(), Failure> {
        let trusted = options.trusted.get(call, "options.trusted")?;
        if options.flags & POLICYSYNC_TRUST_NO_OTHERS != 0 || !trusted.is_empty() {
            return Err(unsupported("options.trusted needs", "tls"));
        }
        Ok(())
    }

    fn connection(&self) -> crate::transport::ConnectionOptions {
        let mut connection = crate::transport::ConnectionOptions::new();
        for (name, value) in &self.headers {
            connection = connection.header(name, value);
        }
        if !self.token.is_empty() {
            connection = connection.bearer_token(self.token);
        }
        #[cfg(feature = "tls")]
        {
            connection = connection.tls_roots(self.roots.clone());
        }
        if let Some(time) = self.given.and_then(|given| duration(given.connect_timeout_ms)) {
            connection = connection.connect_timeout(time);
        }
        connection
    }

    #[cfg(feature = "http")]
    pub(super) fn http(self) -> crate::transport::HttpOptions {
        let mut http = crate::transport::HttpOptions::new().connection(self.connection());
        let Some(given) = self.given else { return http };
        if let Some(time) = duration(given.answer_timeout_ms) {
            http = http.answer_timeout(time);
        }
        if let Some(time) = duration(given.body_timeout_ms) {
            http = http.body_timeout(time);
        }
        if let Some(time) = duration(given.overall_timeout_ms) {
            http = http.overall_timeout(time);
        }
        http
    }

    #[cfg(feature = "websocket")]
    pub(super) fn websocket(self, sync: crate::SyncOptions) -> crate::transport::WebSocketOptions {
        let mut websocket =
            crate::transport::WebSocketOptions::new().sync(sync).connection(self.connection());
        let Some(given) = self.given else { return websocket };
        if let Some(time) = duration(given.wait_ms) {
            websocket = websocket.wait(time);
        }
        if given.ping_after_ms != 0 {
            websocket = websocket.ping_after(crate::WallMillis(given.ping_after_ms));
        }
        if given.silence_ms != 0 {
            websocket = websocket.silence(crate::WallMillis(given.silence_ms));
        }
        if given.stall_ms != 0 {
            websocket = websocket.stall(crate::WallMillis(given.stall_ms));
        }
        websocket
    }
}

/// So many milliseconds, but for 0, which is the default. No more than a day: the system's calls take no time that
/// long.
#[cfg(any(feature = "http", feature = "websocket"))]
fn duration(ms: u64) -> Option<std::time::Duration> {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    (ms != 0).then(|| std::time::Duration::from_millis(ms.min(DAY_MS)))
}

/// What a library without the feature says.
#[cfg(not(all(feature = "http", feature = "websocket", feature = "tls")))]
pub(super) fn unsupported(what: &str, feature: &str) -> super::error::Failure {
    let message = format!("{what} a library built with the feature {feature}");
    super::error::Failure::new(super::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED, message)
}
