//! Lines over WebSocket: pushes both ways, hostile and slow peers, broken connections.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use policysync::sync::{Alert, SessionResult};
use policysync::transport::{
    ConnectionError, ConnectionOptions, HeaderError, LineEvent, NetStream, WaitResult, WebSocketError,
    WebSocketOptions,
};
use policysync::{Replica, Responder, SyncError, WallMillis, WebSocketClient, WebSocketServer};
use tungstenite::Message;

use crate::devices::{NOW, assert_same, device, device_with, key, responder, write};

type Client = WebSocketClient<NetStream>;
type Server = WebSocketServer<TcpStream>;

const TICK: Duration = Duration::from_millis(5);

fn options() -> WebSocketOptions {
    WebSocketOptions::new().wait(TICK)
}

/// Accepts the next connection.
fn accept(listener: &TcpListener) -> Server {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(TICK)).unwrap();
    stream.set_write_timeout(Some(TICK)).unwrap();
    WebSocketServer::accept(stream, options(), || NOW).unwrap()
}

/// Returns both ends of a line.
fn pair() -> (Client, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/sync", listener.local_addr().unwrap());
    thread::scope(|scope| {
        let server = scope.spawn(|| accept(&listener));
        let client = Client::connect(&url, options(), || NOW).unwrap();
        (client, server.join().unwrap())
    })
}

/// Returns the server's end of a line, and a client that only speaks WebSocket.
fn raw() -> (tungstenite::WebSocket<TcpStream>, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| accept(&listener));
        let stream = TcpStream::connect(address).unwrap();
        let (client, _) = tungstenite::client(format!("ws://{address}/"), stream).unwrap();
        (client, server.join().unwrap())
    })
}

struct Line {
    client: Client,
    server: Server,
    responder: Responder,
}

impl Line {
    fn new() -> Self {
        let (client, server) = pair();
        Self { client, server, responder: responder() }
    }

    /// Runs both sides until the condition holds.
    fn until(
        &mut self,
        ours: &mut Replica,
        theirs: &mut Replica,
        done: impl Fn(&Self, &Replica, &Replica) -> bool,
    ) {
        for _ in 0..2000 {
            self.client.work(ours, NOW).unwrap();
            self.server.wait(NOW).unwrap();
            self.server.work(&mut self.responder, theirs, NOW).unwrap();
            self.client.wait(NOW).unwrap();
            if done(self, ours, theirs) {
                return;
            }
        }
        panic!("the condition never holds");
    }

    fn until_pushing(&mut self, ours: &mut Replica, theirs: &mut Replica) {
        self.until(ours, theirs, |line, _, _| line.client.is_pushing() && line.server.is_pushing());
    }
}

fn same(_: &Line, a: &Replica, b: &Replica) -> bool {
    a.log().digest() == b.log().digest()
}

#[test]
fn after_the_session_new_operations_go_both_ways() {
    let (mut alice, mut bob) = (device_with("alice", 30), device_with("bob", 50));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    assert_same(&alice, &bob);
    assert!(matches!(line.client.result(), Some(SessionResult::Converged { count: 80, .. })));
    for round in 0..5 {
        alice.set(NOW, ("Note", &format!("a{round}"), "text"), "from alice").unwrap();
        line.until(&mut alice, &mut bob, same);
        bob.set(NOW, ("Note", &format!("b{round}"), "text"), "from bob").unwrap();
        line.until(&mut alice, &mut bob, same);
    }
    assert_eq!(bob.log().len(), 90);
}

#[test]
fn an_operation_that_reaches_the_server_another_way_is_pushed_to_the_client() {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    let op = device("carol").set(NOW, ("Task", "t1", "title"), "from carol").unwrap();
    bob.ingest(NOW, &op).unwrap();
    line.until(&mut alice, &mut bob, same);
    assert_eq!(alice.get(("Task", "t1", "title")).unwrap(), Some("from carol".into()));
}

#[test]
fn many_operations_are_pushed_in_several_messages() {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    for number in 0..6 {
        alice.set(NOW, ("Blob", &format!("{number}"), "data"), "x".repeat(400_000).as_str()).unwrap();
    }
    line.until(&mut alice, &mut bob, same);
}

#[test]
fn a_line_pushes_beside_what_is_refused_and_brings_it_when_the_key_arrives() {
    let mut stranger = Replica::open(policysync::ReplicaOptions::new().write_as(key("mallory"))).unwrap();
    let (mut alice, mut bob) = (device("alice"), knows_mallory());
    write(&mut stranger, 1);
    bob.ingest(NOW, &stranger.log().iter().next().unwrap().unwrap().op).unwrap();

    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    let Some(SessionResult::ConvergedExcept { refused, .. }) = line.client.result() else { panic!() };
    assert_eq!(refused.unknown_key, 1);
    let bytes = line.client.progress().bytes_sent;
    alice.set(NOW, ("Task", "t9", "title"), "written later").unwrap();
    line.until(&mut alice, &mut bob, |_, _, bob| bob.log().len() == 2);
    assert_eq!(line.client.progress().bytes_sent, bytes, "a session instead of a push");

    // The key arrives: a session brings what was left out, and pushes continue.
    alice.keys_mut().register(key("mallory").public_key().clone()).unwrap();
    line.until(&mut alice, &mut bob, same);
    line.until(&mut alice, &mut bob, |line, _, _| {
        line.client.result().is_some_and(SessionResult::is_converged) && line.server.is_pushing()
    });
    bob.set(NOW, ("Task", "t9", "title"), "answered").unwrap();
    line.until(&mut alice, &mut bob, same);
}

/// The server says so when it has learnt a key, and the client begins another session.
#[test]
fn operations_that_were_refused_arrive_when_the_other_side_learns_the_key() {
    let mut mallory = Replica::open(policysync::ReplicaOptions::new().write_as(key("mallory"))).unwrap();
    let mut bob = device("bob");
    write(&mut mallory, 1);
    let mut line = Line::new();
    line.until_pushing(&mut mallory, &mut bob);
    assert_eq!(bob.log().len(), 0);
    bob.keys_mut().register(key("mallory").public_key().clone()).unwrap();
    let later = WallMillis(NOW.0 + 1000);
    for _ in 0..10 {
        line.client.work(&mut mallory, later).unwrap();
        line.server.wait(later).unwrap();
        line.server.work(&mut line.responder, &mut bob, later).unwrap();
        line.client.wait(later).unwrap();
    }
    assert_eq!(bob.log().len(), 1);
}

/// Returns a replica that has mallory's key too.
fn knows_mallory() -> Replica {
    let mut bob = device("bob");
    bob.keys_mut().register(key("mallory").public_key().clone()).unwrap();
    bob
}

#[test]
fn after_the_server_forgets_a_session_the_next_one_converges() {
    forgotten_session(false);
}

#[test]
fn a_push_before_the_client_learns_that_the_session_is_forgotten_does_no_harm() {
    forgotten_session(true);
}

fn forgotten_session(writes_meanwhile: bool) {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let mut line = Line::new();
    // The message after the session names it, and a responder of another process does not know it.
    line.client.work(&mut alice, NOW).unwrap();
    if writes_meanwhile {
        alice.set(NOW, ("Task", "t0", "title"), "meanwhile").unwrap();
    }
    while line.client.result().is_none() {
        line.server.wait(NOW).unwrap();
        line.server.work(&mut line.responder, &mut bob, NOW).unwrap();
        line.client.wait(NOW).unwrap();
        line.client.work(&mut alice, NOW).unwrap();
    }
    line.responder = Responder::new([1; 32], policysync::SyncOptions::new());
    let mut forgotten = false;
    for _ in 0..100 {
        line.server.wait(NOW).unwrap();
        line.server.work(&mut line.responder, &mut bob, NOW).unwrap();
        line.client.wait(NOW).unwrap();
        forgotten |= line.client.work(&mut alice, NOW).unwrap() == Some(LineEvent::Forgotten);
        if forgotten {
            break;
        }
    }
    assert!(forgotten && !line.client.is_pushing());
    alice.set(NOW, ("Task", "t1", "title"), "more").unwrap();
    line.until_pushing(&mut alice, &mut bob);
    // What was written when the next session had begun is pushed after it.
    for _ in 0..100 {
        if alice.log().len() == bob.log().len() {
            break;
        }
        line.client.work(&mut alice, NOW).unwrap();
        line.server.wait(NOW).unwrap();
        line.server.work(&mut line.responder, &mut bob, NOW).unwrap();
    }
    assert_same(&alice, &bob);
}

#[test]
fn a_frame_over_the_limit_is_refused_when_its_head_arrives() {
    let (mut client, mut server) = raw();
    // The head of a masked binary frame of 2^40 bytes.
    let head = [0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4];
    client.get_mut().write_all(&head).unwrap();
    let error = wait_for_error(&mut server);
    let limit = 1_114_112;
    assert!(
        matches!(error, WebSocketError::TooLarge { len, limit: found } if len == 1 << 40 && found == limit)
    );
}

#[test]
fn the_fragments_of_a_message_share_its_limit() {
    let (mut client, mut server) = raw();
    let fragment = |first: bool| {
        let mut frame = vec![if first { 0x02 } else { 0x00 }, 0xFF, 0, 0, 0, 0, 0, 0x08, 0, 0, 0, 0, 0, 0];
        frame.resize(14 + (1 << 19), 0);
        frame
    };
    let sender = thread::spawn(move || {
        for number in 0..4 {
            // The server disconnects before the last.
            drop(client.get_mut().write_all(&fragment(number == 0)));
        }
        client
    });
    let error = wait_for_error(&mut server);
    assert!(matches!(error, WebSocketError::TooLarge { limit: 1_114_112, .. }), "{error:?}");
    drop(server);
    drop(sender.join());
}

fn wait_for_error(server: &mut Server) -> WebSocketError {
    for _ in 0..1000 {
        if let Err(error) = server.wait(NOW) {
            return error;
        }
    }
    panic!("no error")
}

/// Waits for a message or the end.
fn wait_for_message(server: &mut Server) -> WaitResult {
    for _ in 0..1000 {
        let result = server.wait(NOW).unwrap();
        if result != WaitResult::Nothing {
            return result;
        }
    }
    panic!("nothing arrives")
}

#[test]
fn a_text_message_is_refused() {
    let (mut client, mut server) = raw();
    client.send(Message::text("hello")).unwrap();
    assert!(matches!(wait_for_error(&mut server), WebSocketError::Text));
}

#[test]
fn a_client_that_breaks_the_websocket_protocol_is_dropped() {
    for bytes in [
        // Unmasked, reserved bits, an unknown opcode, a fragmented ping.
        [0x82, 0x01, 0x00, 0, 0, 0, 0],
        [0xF2, 0x81, 1, 2, 3, 4, 5],
        [0x83, 0x81, 1, 2, 3, 4, 5],
        [0x09, 0x81, 1, 2, 3, 4, 5],
    ] {
        let (mut client, mut server) = raw();
        client.get_mut().write_all(&bytes).unwrap();
        let error = wait_for_error(&mut server);
        assert!(matches!(error, WebSocketError::Protocol(_)), "{error:?}");
        assert!(!error.is_temporary());
    }
}

#[test]
fn an_invalid_message_is_answered_with_a_refusal_and_a_close() {
    let (mut client, mut server) = raw();
    let mut bob = device_with("bob", 1);
    // Garbage, a push before any session, an answer of a session, nothing.
    for message in [&b"nonsense"[..], &[0xE3, 1, 0], &[0xE2, 1, 0], &[]] {
        client.send(Message::binary(message.to_vec())).unwrap();
        assert_eq!(wait_for_message(&mut server), WaitResult::Message);
        let error = server.work(&mut responder(), &mut bob, NOW).unwrap_err();
        assert!(matches!(error, WebSocketError::Sync(_)), "{error:?}");
        let refusal = SyncError::AlertReceived(Alert::Message).to_alert();
        assert_eq!(client.read().unwrap().into_data(), refusal);
        assert!(client.read().unwrap().is_close());
        (client, server) = raw();
    }
    assert_eq!(bob.log().len(), 1);
}

#[test]
fn a_silent_peer_gets_a_ping_and_is_then_dropped() {
    let (mut client, mut server) = raw();
    let after = |ms| WallMillis(NOW.0 + ms);
    assert_eq!(server.wait(NOW).unwrap(), WaitResult::Nothing);
    assert_eq!(server.wait(after(19_999)).unwrap(), WaitResult::Nothing);
    assert_eq!(server.wait(after(20_000)).unwrap(), WaitResult::Nothing);
    // The client's WebSocket answers when it reads.
    assert!(client.read().unwrap().is_ping());
    client.flush().unwrap();
    for _ in 0..1000 {
        // The answer starts another sixty seconds.
        match server.wait(after(59_999)) {
            Ok(result) => assert_eq!(result, WaitResult::Nothing),
            Err(error) => panic!("{error}"),
        }
        if server.wait(after(60_000)).is_ok() {
            break;
        }
    }
    let error = server.wait(after(180_000)).unwrap_err();
    assert!(
        matches!(error, WebSocketError::Silent { elapsed } if elapsed >= WallMillis(60_000)),
        "{error:?}"
    );
}

#[test]
fn silence_is_counted_from_the_first_wait() {
    // The clock of the waits may differ from that of the handshake.
    let (_client, mut server) = raw();
    assert_eq!(server.wait(WallMillis(NOW.0 + 100_000)).unwrap(), WaitResult::Nothing);
    assert_eq!(server.wait(WallMillis(NOW.0 + 159_999)).unwrap(), WaitResult::Nothing);
    let error = server.wait(WallMillis(NOW.0 + 160_000)).unwrap_err();
    assert!(matches!(error, WebSocketError::Silent { .. }), "{error:?}");
}

#[test]
fn a_peer_that_reads_nothing_is_dropped_and_gets_the_rest_over_a_new_line() {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    // More than the sockets buffer.
    for number in 0..40 {
        bob.set(NOW, ("Blob", &format!("{number}"), "data"), "x".repeat(1_000_000).as_str()).unwrap();
    }
    let mut later = NOW;
    let error = loop {
        // The client does not read.
        later = WallMillis(later.0 + 1_000);
        let Line { server, responder, .. } = &mut line;
        let result = server.work(responder, &mut bob, later).and_then(|()| server.wait(later).map(|_| ()));
        if let Err(error) = result {
            break error;
        }
        assert!(later < WallMillis(NOW.0 + 600_000), "a slow peer was never dropped");
    };
    assert!(
        matches!(error, WebSocketError::SlowPeer { elapsed } if elapsed >= WallMillis(30_000)),
        "{error:?}"
    );
    drop(line);

    let mut line = Line::new();
    line.until(&mut alice, &mut bob, same);
}

/// A stream that takes at most `room` bytes at a time.
struct SlowWriter {
    stream: TcpStream,
    room: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl Read for SlowWriter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for SlowWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let room = self.room.load(Ordering::Relaxed);
        self.stream.write(bytes.get(..room).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn a_peer_that_reads_a_little_at_a_time_does_not_block_the_server_and_is_dropped_only_if_it_is_stuck() {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (room, writes) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicUsize::new(0)));
    let (mut client, mut server) = thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(TICK)).unwrap();
            let stream = SlowWriter { stream, room: room.clone(), writes: writes.clone() };
            WebSocketServer::accept(stream, options(), || NOW).unwrap()
        });
        let client = Client::connect(&url, options(), || NOW).unwrap();
        (client, server.join().unwrap())
    });
    let mut responder = responder();
    while !(client.is_pushing() && server.is_pushing()) {
        client.work(&mut alice, NOW).unwrap();
        server.wait(NOW).unwrap();
        server.work(&mut responder, &mut bob, NOW).unwrap();
        client.wait(NOW).unwrap();
    }

    room.store(100, Ordering::Relaxed);
    writes.store(0, Ordering::Relaxed);
    bob.set(NOW, ("Blob", "1", "data"), "x".repeat(900_000).as_str()).unwrap();
    server.work(&mut responder, &mut bob, NOW).unwrap();
    assert!(
        (1..=32).contains(&writes.swap(0, Ordering::Relaxed)),
        "the call blocks the replica for too long"
    );
    // A thousand bytes or more in each call: this takes minutes, and goes on.
    for second in 1..200 {
        server.wait(WallMillis(NOW.0 + second * 1000)).unwrap();
        assert!(writes.swap(0, Ordering::Relaxed) <= 16);
    }
    // 16 bytes in each call: fewer than 512 in 30 seconds.
    room.store(1, Ordering::Relaxed);
    for second in 200..229 {
        server.wait(WallMillis(NOW.0 + second * 1000)).unwrap();
    }
    let error = server.wait(WallMillis(NOW.0 + 229_000)).unwrap_err();
    assert!(matches!(error, WebSocketError::SlowPeer { .. }), "{error:?}");
}

#[test]
fn a_line_is_closed_cleanly_by_either_side() {
    let mut line = Line::new();
    line.client.close();
    assert_eq!(wait_for_message(&mut line.server), WaitResult::Closed);
    assert_eq!(line.server.wait(NOW).unwrap(), WaitResult::Closed);

    let mut line = Line::new();
    line.server.close();
    let mut results = (0..1000).map(|_| line.client.wait(NOW).unwrap());
    let result = results.find(|result| *result != WaitResult::Nothing);
    assert_eq!(result, Some(WaitResult::Closed));
}

#[test]
fn a_line_that_breaks_during_a_session_loses_nothing() {
    let (mut alice, mut bob) = (device_with("alice", 3000), device_with("bob", 3000));
    for messages in 0..4 {
        let mut line = Line::new();
        line.client.work(&mut alice, NOW).unwrap();
        for _ in 0..messages {
            line.server.wait(NOW).unwrap();
            line.server.work(&mut line.responder, &mut bob, NOW).unwrap();
            line.client.wait(NOW).unwrap();
            line.client.work(&mut alice, NOW).unwrap();
        }
        // Without a close, as in a power cut.
        let Line { mut client, server, .. } = line;
        drop(server);
        let broken = loop {
            match client.wait(NOW) {
                Ok(WaitResult::Closed) => panic!("closed, not broken"),
                Ok(WaitResult::Message) => match client.work(&mut alice, NOW) {
                    Ok(_) => {}
                    Err(error) => break error,
                },
                Ok(WaitResult::Nothing) => {}
                Err(error) => break error,
            }
        };
        assert!(broken.is_temporary(), "{broken:?}");
    }
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    assert_same(&alice, &bob);
}

#[test]
fn a_new_line_resumes_from_the_session_of_the_last() {
    let (mut alice, mut bob) = (device_with("alice", 500), device_with("bob", 500));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    let base = line.client.resume_token().cloned().unwrap();
    let responder = line.responder;

    alice.set(NOW, ("Task", "t1", "title"), "while away").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let since = options().sync(policysync::SyncOptions::new().resume(base));
    let (client, server) = thread::scope(|scope| {
        let server = scope.spawn(|| accept(&listener));
        let client = Client::connect(&url, since, || NOW).unwrap();
        (client, server.join().unwrap())
    });
    let mut line = Line { client, server, responder };
    line.until_pushing(&mut alice, &mut bob);
    assert_same(&alice, &bob);
    let progress = line.client.progress();
    assert_eq!((progress.sent, progress.received.new_ops()), (1, 0));
    assert!(progress.bytes_received < 300, "{progress:?}");
}

#[test]
fn a_server_that_opens_no_websocket_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    for (answer, temporary) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n", true),
        // Redirects are not followed.
        ("HTTP/1.1 301 Moved\r\nlocation: ws://127.0.0.1:1/\r\n\r\n", false),
    ] {
        let error = thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            });
            Client::connect(&url, options(), || NOW).err().unwrap()
        });
        assert!(matches!(error, WebSocketError::Status { .. }), "{error:?}");
        assert_eq!(error.is_temporary(), temporary, "{error:?}");
    }
    for url in ["", "http://127.0.0.1/", "ws://", "127.0.0.1:80"] {
        let error = Client::connect(url, options(), || NOW).err().unwrap();
        assert!(
            matches!(error, WebSocketError::Connection(ConnectionError::Url { scheme: "ws" })),
            "{url}: {error:?}"
        );
    }
    if !cfg!(feature = "tls") {
        let error = Client::connect("wss://127.0.0.1/", options(), || NOW).err().unwrap();
        assert!(matches!(error, WebSocketError::Connection(ConnectionError::NoTls)), "{error:?}");
    }
}

#[test]
fn a_handshake_that_does_not_end_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(TICK)).unwrap();
    // Each reading of the clock takes a second.
    let mut time = NOW;
    let clock = || {
        time = WallMillis(time.0 + 1000);
        time
    };
    let error = WebSocketServer::accept(stream, options(), clock).err().unwrap();
    assert!(matches!(error, WebSocketError::Connection(ConnectionError::Timeout)), "{error:?}");
    drop(silent);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures how long a client waits")]
fn a_silent_server_times_out_however_long_a_wait_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let schemes: &[&str] = if cfg!(feature = "tls") { &["ws", "wss"] } else { &["ws"] };
    for scheme in schemes {
        let options = options()
            .wait(Duration::from_secs(8))
            .connection(ConnectionOptions::new().connect_timeout(Duration::from_millis(300)));
        let began = Instant::now();
        let error =
            Client::connect(&format!("{scheme}://{address}/"), options, policysync::system_wall_clock);
        let error = error.err().unwrap();
        assert!(matches!(error, WebSocketError::Connection(ConnectionError::Timeout)), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(4), "{scheme}: {:?}", began.elapsed());
    }
}

/// A client whose bytes arrive one at a time, without end.
struct Dripping;

impl Read for Dripping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer[0] = b'a';
        Ok(1)
    }
}

impl Write for Dripping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_handshake_that_arrives_byte_by_byte_times_out() {
    let mut time = NOW;
    let clock = || {
        time = WallMillis(time.0 + 1000);
        time
    };
    let error = WebSocketServer::accept(Dripping, options(), clock).err().unwrap();
    assert!(matches!(error, WebSocketError::Connection(ConnectionError::Timeout)), "{error:?}");
}

/// A stream with a signal and a time-out by its name on Windows before each read and each write.
struct Disturbed {
    stream: TcpStream,
    calls: usize,
}

impl Disturbed {
    fn disturb(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls % 3 {
            0 => Ok(()),
            1 => Err(io::ErrorKind::Interrupted.into()),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Disturbed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.disturb()?;
        self.stream.read(buffer)
    }
}

impl Write for Disturbed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disturb()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disturb()
    }
}

#[test]
fn a_signal_does_not_end_a_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (stream, _) = listener.accept().unwrap();
            WebSocketServer::accept(Disturbed { stream, calls: 0 }, options(), || NOW).map(drop)
        });
        let stream = Disturbed { stream: TcpStream::connect(address).unwrap(), calls: 0 };
        let client = WebSocketClient::over(stream, &format!("ws://{address}/"), options(), || NOW);
        let (client, server) = (client.map(drop), server.join().unwrap());
        assert!(client.is_ok() && server.is_ok(), "{client:?}, {server:?}");
    });
}

/// Both directions are full: sending must continue when there is room, although a message is in the inbox.
#[test]
fn a_stuck_line_continues_while_a_message_is_in_the_inbox() {
    let (mut alice, mut bob) = (device("alice"), device("bob"));
    let mut line = Line::new();
    line.until_pushing(&mut alice, &mut bob);
    for (replica, kind) in [(&mut alice, "A"), (&mut bob, "B")] {
        for number in 0..20 {
            replica.set(NOW, (kind, &format!("{number}"), "data"), "x".repeat(1_000_000).as_str()).unwrap();
        }
    }
    let Line { client, server, responder } = &mut line;
    // The client does not read until the server is stuck and has a message in its inbox.
    for _ in 0..40 {
        server.work(responder, &mut bob, NOW).unwrap();
    }
    client.work(&mut alice, NOW).unwrap();
    while server.wait(NOW).unwrap() != WaitResult::Message {
        client.work(&mut alice, NOW).unwrap();
    }
    line.until(&mut alice, &mut bob, same);
}

#[test]
fn a_client_that_sends_byte_by_byte_does_not_block_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let stream = TcpStream::connect(address).unwrap();
            let (mut client, _) = tungstenite::client(format!("ws://{address}/"), stream).unwrap();
            // A masked binary frame of 2000 bytes, one at a time, each before a read times out.
            for byte in [0x82, 0xFE, 0x07, 0xD0, 0, 0, 0, 0].into_iter().chain(std::iter::repeat_n(0, 2000)) {
                if client.get_mut().write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut server = Server::accept(stream, options(), || NOW).unwrap();
        assert_eq!(server.wait(NOW).unwrap(), WaitResult::Nothing);
        let error = server.wait(WallMillis(NOW.0 + 60_000)).unwrap_err();
        assert!(matches!(error, WebSocketError::Silent { .. }), "{error:?}");
    });
}

/// Returns the results of a client with these options and a server with this `admit`.
fn connect_if(
    connection: ConnectionOptions,
    admit: impl FnOnce(policysync::transport::WebSocketRequest<'_>) -> Result<(), u16> + Send,
) -> (Result<Client, WebSocketError>, Result<Server, WebSocketError>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/sync?v=1", listener.local_addr().unwrap());
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(TICK)).unwrap();
            WebSocketServer::accept_if(stream, options(), || NOW, admit)
        });
        let client = Client::connect(&url, options().connection(connection), || NOW);
        (client, server.join().unwrap())
    })
}

#[test]
fn a_server_sees_the_token_and_the_path_before_it_opens_a_line() {
    let connection = ConnectionOptions::new()
        .header("Authorization", "Basic YTpi")
        .bearer_token("abc.DEF==")
        .header("X-Tenant", "b");
    let (client, server) = connect_if(connection.clone(), |request| {
        assert_eq!(request.path(), "/sync?v=1");
        assert_eq!(request.bearer_token(), Some("abc.DEF=="));
        assert_eq!(request.header("x-tenant"), Some("b"));
        assert_eq!(request.header("x-other"), None);
        assert!(!format!("{request:?}").contains("abc"));
        Ok(())
    });
    assert!(client.is_ok() && server.is_ok());

    for (given, sent) in [(401, 401), (503, 503), (200, 403), (7, 403), (101, 403)] {
        let (client, server) = connect_if(connection.clone(), |_| Err(given));
        let (client, server) = (client.err().unwrap(), server.err().unwrap());
        assert!(matches!(client, WebSocketError::Status { status } if status == sent), "{client:?}");
        assert!(matches!(server, WebSocketError::TurnedAway { status } if status == sent), "{server:?}");
        assert_eq!(client.is_temporary(), sent == 503);
        assert!(!server.is_temporary());
    }
}

#[test]
fn a_header_that_could_change_the_request_opens_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let connection = ConnectionOptions::new;
    for (connection, expected) in [
        (connection().bearer_token("secret\r\nx-evil: 1"), HeaderError::Token { at: 6 }),
        (connection().header("x-key", "secret\r\n"), HeaderError::Value { at: 6 }),
        (connection().header("x-secret:", "1"), HeaderError::Name),
        (connection().header("Upgrade", "h2c"), HeaderError::Reserved { name: "upgrade" }),
    ] {
        let options = options().connection(connection);
        assert!(!format!("{options:?}").contains("secret"));
        let error = Client::connect(&url, options, || NOW).err().unwrap();
        let WebSocketError::Connection(ConnectionError::Header(found)) = &error else { panic!("{error:?}") };
        assert_eq!(*found, expected);
        assert!(!error.to_string().contains("secret"));
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a connection was made");
}

/// A server of release 0.1.0 answers version 2 with a refusal, and closes the line.
#[test]
fn after_a_server_that_knows_only_version_1_the_next_line_begins_in_version_1() {
    let mut alice = device_with("alice", 3);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut versions = Vec::new();
    for _ in 0..2 {
        let (mut client, mut server) = thread::scope(|scope| {
            let server = scope.spawn(|| tungstenite::accept(listener.accept().unwrap().0).unwrap());
            let client = Client::connect(&url, options(), || NOW).unwrap();
            (client, server.join().unwrap())
        });
        client.work(&mut alice, NOW).unwrap();
        let message = server.read().unwrap().into_data();
        versions.push(message[1]);
        if message[1] == 1 {
            break;
        }
        server.send(Message::binary(Alert::Version.to_message())).unwrap();
        server.close(None).unwrap();
        server.flush().unwrap();
        while client.wait(NOW).is_ok_and(|result| result != WaitResult::Closed) {
            if client.work(&mut alice, NOW).is_err() {
                break;
            }
        }
    }
    assert_eq!(versions, [2, 1]);
}
