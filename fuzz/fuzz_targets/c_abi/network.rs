//! HTTP and WebSocket without a connection: answers to requests, options, URLs.

use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    Handle, policysync_client_options_init, policysync_http_answer, policysync_http_client_free,
    policysync_http_client_new, policysync_session_next_message, policysync_session_receive,
    policysync_websocket_client_connect, policysync_websocket_client_free,
};
use crate::layout::{Bytes, ClientOptions, Header, PROGRESS};
use crate::script::{bytes, good, now};
use crate::told::{Room, Told, buffer, handle, said, words};

/// The size without members of a newer program.
const FULL: u32 = (size_of::<ClientOptions>() - 8) as u32;
/// The maximum number of round trips of a session.
const ROUNDS: usize = 12;
const OURS: &str = "application/vnd.policysync";

/// An HTTP request with the objects that answer it.
struct Request<'r> {
    responder: Handle,
    replica: Handle,
    now: u64,
    method: Bytes,
    content_type: Bytes,
    body: &'r [u8],
}

/// Options with the targets of their pointers.
struct Connecting {
    options: ClientOptions,
    _headers: Option<Box<[Header; 2]>>,
}

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn network(&mut self, input: &mut Input<'_>) {
        // SAFETY: by the contract of this function.
        unsafe {
            match input.below(4) {
                0 => self.answer_http(input),
                1 => self.converse_http(input),
                2 => new_client(input),
                _ => self.connect(input),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn answer_http(&mut self, input: &mut Input<'_>) {
        let (responder, replica, now) = (self.responders.pick(input), self.replica(input), now(input));
        let method = match input.below(8) {
            7 => bytes(input),
            6 => good("GET"),
            _ => good("POST"),
        };
        let content_type = match input.below(8) {
            7 => bytes(input),
            6 => good("Application/vnd.PolicySync ; charset=utf-8"),
            _ => good(OURS),
        };
        let body = self.carried(input);
        let request = Request { responder, replica, now, method, content_type, body: &body };
        // SAFETY: handles live or are NULL.
        let answer = unsafe { request.answer(input) };
        self.carry(answer);
    }

    /// Runs a session to its end, unless a callback interferes.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn converse_http(&mut self, input: &mut Input<'_>) {
        let (session, responder) = (self.sessions.pick(input), self.responders.pick(input));
        let (ours, theirs, now) = (self.replicas.pick(input), self.replicas.pick(input), now(input));
        let (method, content_type) = (good("POST"), good(OURS));
        let mut plain = Input::new(&[]);
        for _ in 0..ROUNDS {
            self.call_on(ours);
            // SAFETY: handles live: handles that a callback freed are removed after each call.
            let body = buffer(&mut plain, |out, err| unsafe {
                policysync_session_next_message(session, ours, out, err)
            });
            self.forget();
            if body.is_empty() || !self.replicas.has(theirs) {
                break;
            }
            self.call_on(theirs);
            let request = Request { responder, replica: theirs, now, method, content_type, body: &body };
            // SAFETY: as above.
            let answer = unsafe { request.answer(&mut plain) };
            self.forget();
            if !self.replicas.has(ours) {
                break;
            }
            self.call_on(ours);
            let (data, len) = (answer.as_ptr().cast(), answer.len());
            // SAFETY: as above, and the answer has its own length.
            words::<PROGRESS>(&mut plain, |progress, err| unsafe {
                policysync_session_receive(session, ours, now, data, len, progress, err)
            });
            self.forget();
            self.carry(answer);
            if !self.replicas.has(ours) {
                break;
            }
        }
    }

    /// The library is built without WebSocket here, and reports that before reading its arguments.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn connect(&mut self, input: &mut Input<'_>) {
        let (url, connecting, sync) = (url(input), connecting(input), self.options(input));
        let options = connecting.as_ref().map_or(null(), |connecting| &raw const connecting.options);
        let sync = sync.as_ref().map_or(null(), std::ptr::from_ref);
        // SAFETY: the options and the targets of their pointers live until the call returns.
        unsafe {
            let line = handle(input, |out, err| {
                policysync_websocket_client_connect(url.data.cast(), url.len, options, sync, out, err)
            });
            assert!(line.is_null(), "it has connected");
            policysync_websocket_client_free(line);
        }
    }
}

/// Makes and frees a client.
///
/// # Safety
///
/// As for [`World::call`].
unsafe fn new_client(input: &mut Input<'_>) {
    let (url, connecting) = (url(input), connecting(input));
    let options = connecting.as_ref().map_or(null(), |connecting| &raw const connecting.options);
    // SAFETY: the options and the targets of their pointers live until the call returns; the client is freed once.
    unsafe {
        let client =
            handle(input, |out, err| policysync_http_client_new(url.data.cast(), url.len, options, out, err));
        policysync_http_client_free(client);
    }
}

impl Request<'_> {
    /// # Safety
    ///
    /// The handles live or are NULL.
    unsafe fn answer(&self, input: &mut Input<'_>) -> Vec<u8> {
        const JUNK: u32 = 77;
        let Self { responder, replica, now, method, content_type, body } = self;
        let (mut told, mut room, mut refused) = (Told::new(input), Room::new(input), Told::new(input));
        let (out, reason) = (room.at(), refused.at());
        let mut http_status = JUNK;
        let to = if input.below(16) == 15 { std::ptr::null_mut() } else { &raw mut http_status };
        // SAFETY: by the contract of this function; the body has its own length.
        let status = unsafe {
            said!(
                told,
                policysync_http_answer(
                    *responder,
                    *replica,
                    *now,
                    method.data.cast(),
                    method.len,
                    content_type.data.cast(),
                    content_type.len,
                    body.as_ptr().cast(),
                    body.len(),
                    to,
                    out,
                    reason,
                    told.at(),
                )
            )
        };
        let answer = room.take(status);
        let known = [200, 400, 403, 405, 410, 413, 415, 503];
        assert_eq!(known.contains(&http_status), status == 0, "{http_status}");
        assert!(status == 0 || http_status == JUNK);
        let is_refused = status == 0 && http_status != 200;
        assert!(!is_refused || answer.len() == 2);
        refused.check_reason(is_refused);
        answer
    }
}

fn url(input: &mut Input<'_>) -> Bytes {
    match input.below(8) {
        0 => bytes(input),
        1 => {
            let piece = input.piece();
            Bytes { data: piece.as_ptr().cast(), len: piece.len() }
        }
        2 => good("https://localhost/sync"),
        3 => good("ws://localhost:1/sync"),
        4 => good("http://user:secret@[::1]:1/sync?a=b#c"),
        _ => good("http://localhost:1/sync"),
    }
}

fn connecting(input: &mut Input<'_>) -> Option<Connecting> {
    if input.below(8) == 7 {
        return None;
    }
    // SAFETY: all zero is a valid value.
    let mut options: ClientOptions = unsafe { std::mem::zeroed() };
    let size = input.one_of(&[FULL, FULL, FULL, FULL, 0, 8, 9, FULL - 8, FULL + 8]);
    // SAFETY: the struct has the given size.
    assert_eq!(unsafe { policysync_client_options_init(&raw mut options, size.max(8)) }, 0);
    options.struct_size = size;
    options.flags = input.one_of(&[0, 0, 0, 0, 1, 2, u32::MAX]);
    let flags = input.byte();
    if flags & 1 != 0 {
        options.bearer_token = bytes(input);
    }
    if flags & 2 != 0 {
        options.trusted = bytes(input);
    }
    if flags & 8 != 0 {
        options.proxy = if input.below(2) == 0 { good("http://a:b@localhost:1") } else { bytes(input) };
    }
    let mut headers = None;
    if flags & 4 != 0 {
        let header = |input: &mut Input<'_>| Header {
            name: if input.below(2) == 0 { good("X-Name") } else { bytes(input) },
            value: bytes(input),
        };
        let both = Box::new([header(input), header(input)]);
        options.headers = both.as_ptr();
        options.headers_stride = input.one_of(&[size_of::<Header>(), size_of::<Header>(), 0, 8]);
        options.headers_count = input.one_of(&[2, 1, 0, usize::MAX]);
        headers = Some(both);
    }
    options.times.iter_mut().for_each(|time| *time = input.one_of(&[0, 0, 1, u64::MAX]));
    Some(Connecting { options, _headers: headers })
}
