//! The HTTP client behind gateways, proxies and servers that fail for a while.
#![expect(clippy::disallowed_methods, reason = "the tests measure how long a client waits")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use policysync::sync::SessionResult;
use policysync::transport::{
    ConnectionError, ConnectionOptions, HTTP_CONTENT_TYPE, HttpError, HttpOptions, WaitResult,
    WebSocketError, WebSocketOptions,
};
use policysync::{
    HttpClient, Replica, SyncError, SyncOptions, WebSocketClient, WebSocketServer, system_wall_clock,
};

use crate::devices::{NOW, assert_same, device, device_with, responder};
use crate::server::{Peer, Server, http, proceed, read_request};

/// Serves each connection on loopback, with its number, on a thread that ends with the test process. Returns the
/// address.
pub fn listen(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(number, stream));
        }
    });
    address
}

fn client(url: &str, options: HttpOptions) -> HttpClient {
    HttpClient::new(url, options).unwrap()
}

fn once() -> HttpOptions {
    HttpOptions::new().retry_for(Duration::ZERO)
}

fn sync(replica: &mut Replica, client: &HttpClient) -> Result<SessionResult, HttpError> {
    let proceed = |_: &_| ControlFlow::Continue(());
    client.sync(replica, SyncOptions::new(), || NOW, proceed).map(|report| report.result)
}

/// Returns the answer in a form that keeps the connection open.
fn kept_open(answer: &[u8]) -> Vec<u8> {
    let line = b"connection: close\r\n";
    let at = answer.windows(line.len()).position(|window| window == line).unwrap();
    [&answer[..at], &answer[at + line.len()..]].concat()
}

fn body_of(answer: &[u8]) -> &[u8] {
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &answer[at + 4..]
}

#[test]
fn one_connection_carries_all_requests_and_is_replaced_when_the_server_has_closed_it() {
    let (peer, connections) = (Peer::new(device_with("bob", 400)), Arc::new(AtomicUsize::new(0)));
    let (honest, counted) = (peer.clone(), Arc::clone(&connections));
    let address = listen(move |_, mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        // Closes after two answers, without notice.
        for _ in 0..2 {
            let Some((_, body)) = read_request(&stream) else { return };
            stream.write_all(&kept_open(&honest.answer(&body))).unwrap();
        }
    });
    let client = client(&format!("http://{address}/sync"), once());
    let mut alice = device_with("alice", 400);
    let mut round_trips = 0;
    for _ in 1..5 {
        let proceed = |_: &_| ControlFlow::Continue(());
        let report = client.sync(&mut alice, SyncOptions::new(), || NOW, proceed).unwrap();
        assert!(report.result.is_converged());
        round_trips += usize::try_from(report.progress.round_trips).unwrap();
    }
    peer.with(|bob| assert_same(&alice, bob));
    assert!(round_trips >= 4, "{round_trips}");
    assert_eq!(connections.load(Ordering::SeqCst), round_trips.div_ceil(2));
}

#[test]
fn chunks_and_informational_answers_are_read_over_one_connection() {
    let peer = Peer::new(device_with("bob", 60));
    let honest = peer.clone();
    let address = listen(move |number, mut stream| {
        assert_eq!(number, 0, "another connection");
        while let Some((_, body)) = read_request(&stream) {
            let answer = honest.answer(&body);
            let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: a\r\n\r\n".to_vec();
            bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: ");
            bytes.extend_from_slice(format!("{HTTP_CONTENT_TYPE}\r\n\r\n").as_bytes());
            let mut rest = body_of(&answer);
            for size in [1, 7, 300].into_iter().cycle() {
                let (chunk, more) = rest.split_at(size.min(rest.len()));
                bytes.extend_from_slice(format!("{:X};a=b\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                if chunk.is_empty() {
                    break;
                }
                bytes.extend_from_slice(b"\r\n");
                rest = more;
            }
            bytes.extend_from_slice(b"x-checksum: 1\r\n\r\n");
            // In pieces, so that none of the parts arrives whole.
            for piece in bytes.chunks(13) {
                stream.write_all(piece).unwrap();
            }
        }
    });
    let mut alice = device_with("alice", 60);
    let client = client(&format!("http://{address}/"), once());
    for _ in 0..2 {
        assert!(sync(&mut alice, &client).unwrap().is_converged());
    }
    peer.with(|bob| assert_same(&alice, bob));
}

/// Returns the bytes with some of them changed, left out or repeated, as the seed says.
fn mutated(bytes: &[u8], seed: usize) -> Vec<u8> {
    let seed = u64::try_from(seed).unwrap();
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(4) {
        let at = next(bytes.len());
        match next(5) {
            0 => bytes[at] ^= 1 << next(8),
            1 => bytes[at] = *b"\r\n :;0aF,\0\xff".get(next(11)).unwrap(),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, *b"\r\n :;0aF,\0\xff".get(next(11)).unwrap()),
            _ => {
                let piece = bytes[at..(at + next(30)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn three_thousand_altered_answers_are_read_or_refused() {
    let body = vec![7; 40];
    let with = |headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\n{headers}\r\n");
        [head.as_bytes(), body].concat()
    };
    let chunked =
        [&b"1e;a=b\r\n"[..], &body[..30], b"\r\nA\r\n", &body[30..], b"\r\n0\r\nx: y\r\n\r\n"].concat();
    let answers = [
        with("content-length: 40\r\n", &body),
        with("transfer-encoding: chunked\r\nconnection: keep-alive\r\n", &chunked),
        [&b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"[..], &with("retry-after: 3\r\n", &body)].concat(),
    ];
    let genuine = answers.clone();
    let address = listen(move |number, mut stream| {
        read_request(&stream).unwrap();
        let answer = mutated(&answers[number % 3], number / 3);
        // In two pieces, cut anywhere.
        let (first, second) = answer.split_at(number * 7 % answer.len());
        drop(stream.write_all(first).and_then(|()| stream.write_all(second)));
    });
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3000 {
        // A connection each: a kept one has been closed by the server.
        match client(&format!("http://{address}/"), once()).exchange(b"x", 1000, proceed) {
            Ok(answer) => {
                assert!(answer.len() <= 1000);
                read += 1;
            }
            Err(HttpError::Cancelled | HttpError::Timeout(_)) => panic!("it waited"),
            Err(_) => refused += 1,
        }
    }
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
    let server = Server::start(move |number, _| genuine[number].clone());
    for _ in 0..3 {
        assert_eq!(client(&server.url, once()).exchange(b"x", 1000, proceed).unwrap(), body);
    }
}

/// Returns the error of an exchange whose answer has this chunked body, and then the end of the connection.
fn error_of_chunks(body: Vec<u8>) -> HttpError {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n");
    let server = Server::start(move |_, _| [head.as_bytes(), &body].concat());
    client(&server.url, once()).exchange(b"x", 1000, proceed).unwrap_err()
}

#[test]
fn malformed_chunks_are_errors_of_the_protocol() {
    for body in [
        &b"zz\r\n"[..],
        b"-1\r\n",
        b"\r\n",
        b";x\r\n",
        b" \r\n",
        b"ffffffffffffffffff\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
    ] {
        let error = error_of_chunks(body.to_vec());
        assert!(matches!(error, HttpError::Protocol(_)), "{body:?}: {error:?}");
    }
    let error = error_of_chunks(b"ffffffff\r\nabc".to_vec());
    assert!(matches!(error, HttpError::TooLarge { limit: 1000 }), "{error:?}");
    // Cut short: the network may have failed.
    for body in [&b"5\r\nabc"[..], b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"3"] {
        let error = error_of_chunks(body.to_vec());
        assert!(matches!(error, HttpError::Connection(ConnectionError::Io(_))), "{body:?}: {error:?}");
    }
}

#[test]
fn an_endless_line_between_chunks_is_read_to_its_bound_only() {
    for (start, piece) in [(&b"5;"[..], &b"aaaaaa"[..]), (b"0\r\n", b"a: b\r\n")] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let (start, piece) = (start.to_vec(), piece.to_vec());
        let address = listen(move |_, mut stream| {
            read_request(&stream).unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            let mut sent = stream.write_all(&[head.as_bytes(), &start].concat());
            let more = piece.repeat(1000);
            while sent.is_ok() {
                counted.fetch_add(more.len(), Ordering::SeqCst);
                sent = stream.write_all(&more);
            }
        });
        let error = client(&format!("http://{address}/"), once()).exchange(b"x", 1000, proceed).unwrap_err();
        assert!(matches!(error, HttpError::Protocol(_)), "{error:?}");
        // The sockets hold more than was read.
        assert!(taken.load(Ordering::SeqCst) < 32 << 20, "{taken:?}");
    }
}

#[test]
fn a_gateway_that_refuses_a_long_request_after_its_head_is_heard() {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let address = listen(move |_, mut stream| {
        let mut head = [0; 1024];
        let read = stream.read(&mut head).unwrap();
        assert!(head[..read].starts_with(b"POST "));
        let page = b"<html>too large";
        let answer = http(413, "text/html", page);
        stream.write_all(&answer).unwrap();
        // As gateways do: reads on for a while, so that the answer is not lost, but not to the end.
        let mut piece = vec![0; 1 << 16];
        for _ in 0..20 {
            counted.fetch_add(stream.read(&mut piece).unwrap_or(0), Ordering::SeqCst);
        }
        thread::sleep(Duration::from_secs(1));
    });
    let message = vec![0; 48 << 20];
    let error = client(&format!("http://{address}/"), once()).exchange(&message, 1000, proceed).unwrap_err();
    assert!(matches!(error, HttpError::RequestTooLarge { len } if len == message.len()), "{error:?}");
    assert!(!error.is_temporary() && error.to_string().contains("413"));
    // The sockets hold more than was read.
    assert!(taken.load(Ordering::SeqCst) < message.len() / 4);
}

#[test]
fn the_cause_decides_what_is_temporary() {
    let error_of = |answer: Vec<u8>| {
        let server = Server::start(move |_, _| answer.clone());
        client(&server.url, once()).exchange(b"x", 1000, proceed).unwrap_err()
    };
    for status in 300..600 {
        if status % 10 > 5 && status > 440 && !(500..=511).contains(&status) {
            continue;
        }
        let error = error_of(http(status, "text/html", b"<html>"));
        let temporary = matches!(status, 302 | 303 | 307 | 408 | 421 | 425 | 429 | 500 | 502..=504 | 511);
        assert_eq!(error.is_temporary(), temporary, "{status}: {error:?}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    // The login page of a network.
    let error = error_of(http(200, "text/html", b"<html>Log in"));
    assert!(matches!(error, HttpError::ContentType) && error.is_temporary());
    assert!(error.to_string().contains("login page"), "{error}");
    let error = error_of(http(302, "text/html", b""));
    assert!(error.to_string().contains("login page"), "{error}");
    // A gateway that compresses.
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\ncontent-encoding: gzip\r\n\r\n");
    let error = error_of([head.as_bytes(), b"\x1f\x8b\x08"].concat());
    assert!(matches!(&error, HttpError::ContentEncoding { encoding } if &**encoding == "gzip"), "{error:?}");
    assert!(error.to_string().contains("gzip") && !error.is_temporary());
    // A fault of the server itself.
    let failed = HttpError::Sync(SyncError::AlertReceived(policysync::sync::Alert::Failed));
    assert!(failed.is_temporary());
}

#[test]
fn a_session_survives_every_kind_of_temporary_failure() {
    let peer = Peer::new(device_with("bob", 300));
    let failure = SyncError::AlertReceived(policysync::sync::Alert::Failed).to_alert();
    let (honest, failures) = (peer.clone(), AtomicUsize::new(0));
    let server = Server::start(move |number, body| {
        if number % 2 == 1 {
            return honest.answer(body);
        }
        match failures.fetch_add(1, Ordering::SeqCst) % 6 {
            // The answer is lost: the same request comes again.
            0 => honest.answer(body)[..40].to_vec(),
            1 => Vec::new(),
            2 => http(503, "text/plain", b"later"),
            3 => http(302, "text/html", b"log in"),
            4 => http(200, "text/html", b"<html>log in"),
            _ => http(503, HTTP_CONTENT_TYPE, &failure),
        }
    });
    let mut alice = device_with("alice", 200);
    for round in 0..4 {
        assert!(sync(&mut alice, &client(&server.url, HttpOptions::new())).unwrap().is_converged());
        peer.with(|bob| assert_same(&alice, bob));
        peer.with(|bob| bob.set(NOW, ("Note", &format!("{round}"), "text"), "more").unwrap());
    }
    assert!(server.requests() >= 12, "{}", server.requests());
}

#[test]
fn the_pause_that_the_server_asks_for_is_heeded() {
    let busy = |seconds: u32| {
        let line = format!("HTTP/1.1 503 Busy\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n");
        line.into_bytes()
    };
    let peer = Peer::new(device_with("bob", 3));
    let server = Server::start(move |number, body| if number == 0 { busy(1) } else { peer.answer(body) });
    let began = Instant::now();
    assert!(sync(&mut device("alice"), &client(&server.url, HttpOptions::new())).unwrap().is_converged());
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());

    // A pause that does not fit in the limit is left to the caller.
    let server = Server::start(move |_, _| busy(3600));
    let began = Instant::now();
    let error = sync(&mut device("alice"), &client(&server.url, HttpOptions::new())).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.requests(), 1);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_refusal_in_a_message_keeps_the_pause_that_came_with_it() {
    let failure = SyncError::AlertReceived(policysync::sync::Alert::Failed).to_alert();
    let head = format!(
        "HTTP/1.1 503 Busy\r\nretry-after: 3600\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\ncontent-length: {}\r\n\r\n",
        failure.len()
    );
    let server = Server::start(move |_, _| [head.as_bytes(), &failure].concat());
    let error = sync(&mut device("alice"), &client(&server.url, HttpOptions::new())).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)), "{error:?}");
    assert!(error.is_temporary());
}

#[test]
fn a_proxy_that_wants_credentials_is_named_without_a_tunnel_too() {
    let proxy = Server::start(|_, _| http(407, "text/html", b""));
    let through = proxy.url.replace("/sync", "");
    let options = once().connection(ConnectionOptions::new().proxy(&through));
    let error = sync(&mut device("alice"), &client("http://policysync.invalid/", options)).unwrap_err();
    assert!(
        matches!(error, HttpError::Connection(ConnectionError::Proxy { status: 407 }))
            && !error.is_temporary(),
        "{error:?}"
    );
    // Without a proxy it is a status like any other.
    let error = sync(&mut device("alice"), &client(&proxy.url, once())).unwrap_err();
    assert!(matches!(error, HttpError::Status { status: 407, .. }), "{error:?}");
}

#[test]
fn repetitions_end_at_their_limit_and_what_is_not_temporary_is_not_repeated() {
    let server = Server::start(|_, _| http(502, "text/html", b""));
    let began = Instant::now();
    let options = HttpOptions::new().retry_for(Duration::from_millis(1500));
    let error = sync(&mut device("alice"), &client(&server.url, options)).unwrap_err();
    assert!(matches!(error, HttpError::Status { status: 502, .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!((2..=8).contains(&server.requests()), "{}", server.requests());

    let server = Server::start(|_, _| http(404, "text/html", b""));
    assert!(sync(&mut device("alice"), &client(&server.url, HttpOptions::new())).is_err());
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_wait_is_cancelled_at_once() {
    // A server that never answers, one that reads nothing, and none at all: the client waits to try again.
    let silent = Server::with_streams(|_, _, _| thread::sleep(Duration::from_secs(3600)));
    let full = listen(|_, stream| {
        thread::sleep(Duration::from_secs(3600));
        drop(stream);
    });
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [silent.url.clone(), format!("http://{full}/"), format!("http://127.0.0.1:{port}/")] {
        let began = Instant::now();
        let stop = |_: &_| {
            if began.elapsed() > Duration::from_millis(300) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let client = client(&url, HttpOptions::new());
        let mut alice = device_with("alice", 5);
        let report = client.sync(&mut alice, SyncOptions::new(), || NOW, stop).unwrap();
        assert_eq!(report.result, SessionResult::Cancelled, "{url}");
        // Generous, since the machine may be busy.
        assert!(began.elapsed() < Duration::from_secs(5), "{url}: {:?}", began.elapsed());
        let error = client.exchange(&vec![0; 32 << 20], 1000, || ControlFlow::Break(()));
        match error {
            Err(HttpError::Cancelled) => {}
            Err(HttpError::Connection(ConnectionError::Io(_))) if url.ends_with(&format!("{port}/")) => {}
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn a_host_with_an_address_that_does_not_answer_is_reached() {
    // The system resolves this name to both families, or only to this one.
    let peer = Peer::new(device_with("bob", 3));
    let server = Server::honest(peer);
    let url = server.url.replace("127.0.0.1", "localhost");
    assert!(sync(&mut device("alice"), &client(&url, once())).unwrap().is_converged());
    assert!(server.heads()[0].contains("host: localhost:"), "{}", server.heads()[0]);
    let error = sync(&mut device("alice"), &client("http://policysync.invalid/", once())).unwrap_err();
    assert!(
        matches!(error, HttpError::Connection(ConnectionError::HostNotFound | ConnectionError::Timeout))
            && error.is_temporary(),
        "{error:?}"
    );
}

/// Runs an HTTP proxy that opens tunnels for callers with these credentials. Returns its address and the requests.
pub fn tunnels(credentials: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&heads);
    let address = listen(move |_, mut stream| {
        // Byte by byte: what follows belongs to the server.
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        recorded.lock().unwrap().push(head.clone());
        if !head.contains(&format!("proxy-authorization: {credentials}\r\n")) {
            drop(stream.write_all(b"HTTP/1.1 407 X\r\ncontent-length: 0\r\n\r\n"));
            return;
        }
        let Some(to) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else { return };
        let Ok(server) = TcpStream::connect(to) else {
            drop(stream.write_all(b"HTTP/1.1 504 X\r\n\r\n"));
            return;
        };
        stream.write_all(b"HTTP/1.1 200 Connected\r\nvia: test\r\n\r\n").unwrap();
        let (mut up, mut down) =
            ((stream.try_clone().unwrap(), server.try_clone().unwrap()), (server, stream));
        let upwards = thread::spawn(move || {
            drop(std::io::copy(&mut up.0, &mut up.1));
            drop(up.1.shutdown(std::net::Shutdown::Write));
        });
        drop(std::io::copy(&mut down.0, &mut down.1));
        drop(down.1.shutdown(std::net::Shutdown::Write));
        drop(upwards.join());
    });
    (address, heads)
}

#[test]
fn a_proxy_carries_requests_with_the_whole_url() {
    let peer = Peer::new(device_with("bob", 40));
    let proxy = Server::honest(peer.clone());
    let through = proxy.url.replace("http://", "http://user:pass%3aword@").replace("/sync", "");
    let connection = ConnectionOptions::new().proxy(&through).bearer_token("abc");
    let client = client("http://policysync.invalid:8080/a?b=c", once().connection(connection));
    let mut alice = device_with("alice", 40);
    assert!(sync(&mut alice, &client).unwrap().is_converged());
    peer.with(|bob| assert_same(&alice, bob));
    for head in proxy.heads() {
        assert!(head.starts_with("POST http://policysync.invalid:8080/a?b=c HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("host: policysync.invalid:8080\r\n"), "{head}");
        assert!(head.contains("proxy-authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n"), "{head}");
        assert!(head.contains("Bearer abc\r\n"), "{head}");
    }
}

#[test]
fn a_proxy_opens_a_tunnel_for_a_websocket() {
    let bob = Arc::new(Mutex::new(device_with("bob", 30)));
    let served = Arc::clone(&bob);
    let server = listen(move |_, stream| {
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let mut line = WebSocketServer::accept(stream, WebSocketOptions::new(), system_wall_clock).unwrap();
        let mut responder = responder();
        while matches!(line.wait(NOW), Ok(WaitResult::Message | WaitResult::Nothing)) {
            if line.work(&mut responder, &mut served.lock().unwrap(), NOW).is_err() {
                return;
            }
        }
    });
    let (proxy, heads) = tunnels("Basic dXNlcjpwYXNz");
    let connect = |user: &str| {
        let connection =
            ConnectionOptions::new().proxy(&format!("http://{user}@{proxy}")).bearer_token("abc");
        let options = WebSocketOptions::new().connection(connection).wait(Duration::from_millis(5));
        WebSocketClient::connect(&format!("ws://{server}/sync"), options, system_wall_clock)
    };
    let mut line = connect("user:pass").unwrap();
    let mut alice = device_with("alice", 30);
    for _ in 0..4000 {
        line.work(&mut alice, NOW).unwrap();
        line.wait(NOW).unwrap();
        if line.is_pushing() {
            break;
        }
    }
    assert_same(&alice, &bob.lock().unwrap());
    // The proxy sees host and port, not the token.
    let head = heads.lock().unwrap()[0].clone();
    assert!(head.starts_with(&format!("CONNECT {server} HTTP/1.1\r\n")) && !head.contains("abc"), "{head}");
    let error = connect("user:wrong").err().unwrap();
    assert!(
        matches!(error, WebSocketError::Connection(ConnectionError::Proxy { status: 407 }))
            && !error.is_temporary(),
        "{error:?}"
    );
}

#[test]
fn a_proxy_that_fails_is_named() {
    let error_through = |answer: &'static [u8]| {
        let proxy = listen(move |_, mut stream| {
            let mut head = [0; 1024];
            drop(stream.read(&mut head));
            drop(stream.write_all(answer));
        });
        let connection = ConnectionOptions::new().proxy(&format!("http://{proxy}"));
        let options = WebSocketOptions::new().connection(connection);
        let url = "ws://policysync.invalid/sync";
        match WebSocketClient::connect(url, options, system_wall_clock).err().unwrap() {
            WebSocketError::Connection(error) => error,
            error => panic!("{error:?}"),
        }
    };
    let error = error_through(b"HTTP/1.1 502 X\r\n\r\n");
    assert!(matches!(error, ConnectionError::Proxy { status: 502 }) && error.is_temporary(), "{error:?}");
    let error = error_through(b"HTTP/1.1 403 X\r\n\r\n");
    assert!(matches!(error, ConnectionError::Proxy { status: 403 }) && !error.is_temporary(), "{error:?}");
    assert!(matches!(error_through(b"SSH-2.0-x\r\n\r\n"), ConnectionError::NotAProxy(_)));
    assert!(matches!(error_through(b"HTTP/1.1 200 X\r\n\r\nmore"), ConnectionError::NotAProxy(_)));
    assert!(matches!(error_through(b""), ConnectionError::Io(_)));
    let options = HttpOptions::new().connection(ConnectionOptions::new().proxy("socks5://secret@a"));
    let error = HttpClient::new("http://a/", options).err().unwrap();
    assert!(matches!(error, HttpError::Connection(ConnectionError::ProxyUrl)));
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn an_address_of_version_six_is_reached() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let port = listener.local_addr().unwrap().port();
    let peer = Peer::new(device_with("bob", 3));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Some((head, body)) = read_request(&stream) else { continue };
            assert!(head.contains(&format!("host: [::1]:{port}\r\n")), "{head}");
            drop(stream.write_all(&peer.answer(&body)));
        }
    });
    let client = client(&format!("http://[::1]:{port}/"), once());
    assert!(sync(&mut device("alice"), &client).unwrap().is_converged());
}
