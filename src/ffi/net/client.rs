//! The options of a client of either transport.

use std::mem::MaybeUninit;

#[cfg(any(feature = "http", feature = "websocket"))]
use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_bytes;
#[cfg(any(feature = "http", feature = "websocket"))]
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::growing::{Growing, initialize};
use crate::ffi::glue::status::policysync_status;

/// A flag of a client: only the authorities in `trusted` are trusted. Without it, they are added to those that Mozilla
/// trusts.
#[cfg_attr(
    not(any(feature = "http", feature = "websocket")),
    expect(dead_code, reason = "of the header only")
)]
pub const POLICYSYNC_TRUST_NO_OTHERS: u32 = 1;

/// A header of a request. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_header {
    /// The name: a token of HTTP, and not one that the client sets itself.
    pub name: policysync_bytes,
    /// The value: 1 to 8192 bytes of printable ASCII; spaces and tabs are allowed inside it.
    pub value: policysync_bytes,
}

/// The options of a client of HTTP or WebSocket. Zero in every member but the first is the default: initialize them
/// with `policysync_client_options_init`. Values of headers and tokens never appear in an error; the library wipes its
/// copies when the client is freed.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_client_options {
    /// `sizeof(policysync_client_options)`.
    pub struct_size: u32,
    /// `POLICYSYNC_TRUST_NO_OTHERS`, or 0.
    pub flags: u32,
    /// The token for the header `Authorization: Bearer …`, which is sent with each HTTP request and with the one that
    /// opens a WebSocket. Without TLS, everyone who carries the request can read it. Empty for none.
    pub bearer_token: policysync_bytes,
    /// Further headers, `headers_stride` bytes apart. Of two with one name the later one is sent; an `Authorization` is
    /// replaced by the token. NULL for none.
    pub headers: *const policysync_header,
    /// The stride of `headers`: `sizeof(policysync_header)`.
    pub headers_stride: usize,
    /// The number of headers.
    pub headers_count: usize,
    /// Further authorities to trust for a server's certificate: any number of certificates in PEM, or one in DER. They
    /// are added to those that Mozilla trusts; with `POLICYSYNC_TRUST_NO_OTHERS` they replace them, and nobody is
    /// trusted if this is empty. Needs the feature `tls`.
    pub trusted: policysync_bytes,
    /// The URL of an HTTP proxy, `http://[user:password@]host[:port]`; a byte of user or password may be written as `%`
    /// and two hexadecimal digits. It carries `http` requests, and opens a tunnel for `https`, `ws` and `wss`. Empty
    /// for none; proxies of the environment are ignored.
    pub proxy: policysync_bytes,
    /// The time limit of each step of connecting: looking up the name of the host, connecting to each of its addresses,
    /// the answer of the proxy, the TLS handshake, the WebSocket handshake; 0 for 10 seconds, at most a day.
    pub connect_timeout_ms: u64,
    /// The time in which a transfer must move at least 512 bytes, either way; 0 for 30 seconds. A message may take as
    /// long as it needs while it moves.
    pub progress_timeout_ms: u64,
    /// The time limit for the head of an HTTP answer, with a second for each KiB of the request added; 0 for 30
    /// seconds. Like the next two, ignored for a WebSocket.
    pub answer_timeout_ms: u64,
    /// The time limit for one HTTP request with its answer, also if it moves; 0 for none.
    pub overall_timeout_ms: u64,
    /// The time for which `policysync_http_client_sync` repeats a request that fails for a temporary reason, from its
    /// first failure on; 0 for 60 seconds, 1 for no repetition.
    pub retry_ms: u64,
    /// The time that `policysync_websocket_client_wait` waits for a message; 0 for 100 milliseconds. Like those that
    /// follow, ignored for HTTP.
    pub wait_ms: u64,
    /// The time without a message after which the server is pinged; 0 for 20 seconds.
    pub ping_after_ms: u64,
    /// The time without a sign of the server (a message, part of one, an answer to a ping) after which the line ends
    /// with an error; 0 for 60 seconds.
    pub silence_ms: u64,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_client_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// Initializes options: all zero except `struct_size`.
///
/// `out`: receives `struct_size` bytes, however many of them the library knows.
/// `struct_size`: `sizeof(policysync_client_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_client_options_init(
    out: MaybeUninit<&mut policysync_client_options>,
    struct_size: u32,
) -> policysync_status {
    initialize(out, struct_size)
}

/// The options with their texts, borrowed for the call.
#[cfg(any(feature = "http", feature = "websocket"))]
pub(in crate::ffi) struct Options<'c> {
    /// NULL for defaults.
    given: Option<policysync_client_options>,
    headers: Vec<(&'c str, &'c str)>,
    token: &'c str,
    proxy: &'c str,
    #[cfg(feature = "tls")]
    roots: crate::transport::TlsRoots,
}

#[cfg(any(feature = "http", feature = "websocket"))]
impl<'c> Options<'c> {
    pub(in crate::ffi) fn take(
        call: &'c Call,
        options: *const policysync_client_options,
    ) -> Result<Self, Failure> {
        let given = if options.is_null() { None } else { Some(call.growing(options)?) };
        let mut taken = Self {
            given,
            headers: Vec::new(),
            token: "",
            proxy: "",
            #[cfg(feature = "tls")]
            roots: crate::transport::TlsRoots::new(),
        };
        let Some(options) = given else { return Ok(taken) };
        if options.flags & !POLICYSYNC_TRUST_NO_OTHERS != 0 {
            let message = format!("options.flags is {:#x}, which is not defined", options.flags);
            return Err(Failure::argument(message));
        }
        taken.token = options.bearer_token.text(call, "options.bearer_token")?;
        taken.proxy = options.proxy.text(call, "options.proxy")?;
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

    #[cfg(any(feature = "http", feature = "websocket"))]
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
        if !self.proxy.is_empty() {
            connection = connection.proxy(self.proxy);
        }
        let Some(given) = self.given else { return connection };
        if let Some(time) = duration(given.connect_timeout_ms) {
            connection = connection.connect_timeout(time);
        }
        if let Some(time) = duration(given.progress_timeout_ms) {
            connection = connection.progress_timeout(time);
        }
        connection
    }

    #[cfg(feature = "http")]
    pub(in crate::ffi) fn http(self) -> crate::transport::HttpOptions {
        let mut http = crate::transport::HttpOptions::new().connection(self.connection());
        let Some(given) = self.given else { return http };
        if let Some(time) = duration(given.answer_timeout_ms) {
            http = http.answer_timeout(time);
        }
        if let Some(time) = duration(given.overall_timeout_ms) {
            http = http.overall_timeout(time);
        }
        if let Some(time) = duration(given.retry_ms) {
            http = http.retry_for(time);
        }
        http
    }

    #[cfg(feature = "websocket")]
    pub(in crate::ffi) fn websocket(self, sync: crate::SyncOptions) -> crate::transport::WebSocketOptions {
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
        websocket
    }
}

/// Returns a duration of `ms` milliseconds, at most a day because system calls do not accept longer ones; nothing for
/// 0, which is the default.
#[cfg(any(feature = "http", feature = "websocket"))]
fn duration(ms: u64) -> Option<std::time::Duration> {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    (ms != 0).then(|| std::time::Duration::from_millis(ms.min(DAY_MS)))
}

/// Returns the failure of a library without the feature.
#[cfg(not(all(feature = "http", feature = "websocket", feature = "tls")))]
pub(in crate::ffi) fn unsupported(what: &str, feature: &str) -> crate::ffi::glue::error::Failure {
    let message = format!("{what} a library built with the feature {feature}");
    crate::ffi::glue::error::Failure::new(
        crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED,
        message,
    )
}
