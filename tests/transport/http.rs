//! The HTTP client with honest and hostile servers.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use policysync::sync::{Alert, Progress, SessionResult};
use policysync::transport::{
    ConnectionError, ConnectionOptions, HTTP_CONTENT_TYPE, HeaderError, HttpError, HttpOptions, HttpStage,
    SyncReport,
};
use policysync::{HttpClient, Replica, SyncError, SyncOptions};

use crate::devices::{NOW, assert_same, device, device_with, write};
use crate::server::{Peer, Server, http, proceed};

/// Runs a session that repeats no request.
fn try_sync(replica: &mut Replica, url: &str) -> Result<SyncReport, HttpError> {
    let client = HttpClient::new(url, HttpOptions::new().retry_for(Duration::ZERO))?;
    client.sync(replica, SyncOptions::new(), || NOW, |_| ControlFlow::Continue(()))
}

fn sync(replica: &mut Replica, url: &str) -> SyncReport {
    try_sync(replica, url).unwrap()
}

/// Returns the error of a client with one operation and a server with this answer.
fn error_for(answer: impl Into<Vec<u8>>) -> HttpError {
    let answer = answer.into();
    let server = Server::start(move |_, _| answer.clone());
    let mut replica = device_with("alice", 1);
    let before = replica.log().digest();
    let error = try_sync(&mut replica, &server.url).unwrap_err();
    assert_eq!(replica.log().digest(), before);
    error
}

#[test]
fn two_replicas_converge() {
    let peer = Peer::new(device_with("bob", 300));
    let server = Server::honest(peer.clone());
    let mut alice = device_with("alice", 200);
    let report = sync(&mut alice, &server.url);
    assert!(matches!(report.result, SessionResult::Converged { count: 500, .. }));
    assert_eq!((report.progress.sent, report.progress.received.new_ops()), (200, 300));
    peer.with(|bob| assert_same(&alice, bob));
}

#[test]
fn many_concurrent_clients_converge() {
    let peer = Peer::new(device("alice"));
    let server = Server::honest(peer.clone());
    let names = ["bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"];
    let mut clients: Vec<Replica> = names.into_iter().map(|name| device_with(name, 20)).collect();
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| sync(client, &server.url));
        }
    });
    for client in &mut clients {
        sync(client, &server.url);
        peer.with(|all| assert_same(client, all));
    }
    assert_eq!(clients[0].log().len(), 160);
}

#[test]
fn a_session_can_be_cancelled_from_the_callback_and_continued_by_the_next() {
    let peer = Peer::new(device("bob"));
    let server = Server::honest(peer.clone());
    let mut alice = device_with("alice", 5);
    let client = HttpClient::new(&server.url, HttpOptions::new()).unwrap();
    // Not before the first answer, if that takes long.
    let stop = |progress: &Progress| match progress.round_trips {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let report = client.sync(&mut alice, SyncOptions::new(), || NOW, stop).unwrap();
    assert_eq!(report.result, SessionResult::Cancelled);
    assert_eq!(server.requests(), 1);
    assert!(sync(&mut alice, &server.url).result.is_converged());
}

#[test]
fn a_length_over_the_limit_is_refused_before_the_body_arrives() {
    // There is no body: a client that waited for it would report a broken connection.
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\ncontent-length: 1114113\r\n\r\n");
    let error = error_for(head);
    assert!(matches!(error, HttpError::TooLarge { limit: 1_114_112 }), "{error:?}");
}

#[test]
fn a_body_without_a_length_is_read_only_up_to_the_limit() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {HTTP_CONTENT_TYPE}\r\nconnection: close\r\n\r\n");
    let (sender, receiver) = mpsc::channel();
    let server = Server::with_streams(move |_, _, stream| {
        drop(stream.write_all(head.as_bytes()));
        let mut written = 0_usize;
        // Endless, unless the client disconnects.
        while stream.write_all(&[0; 1 << 16]).is_ok() {
            written += 1 << 16;
        }
        sender.send(written).unwrap();
    });
    let error = try_sync(&mut device("alice"), &server.url).unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { limit: 1_114_112 }), "{error:?}");
    // The sockets buffer more than was read.
    assert!(receiver.recv().unwrap() < 64 << 20);
}

#[test]
fn a_message_that_is_too_long_for_the_server_is_answered_with_a_refusal() {
    let server = Server::honest(Peer::new(device("bob")));
    let client = HttpClient::new(&server.url, HttpOptions::new()).unwrap();
    let answer = client.exchange(&vec![0; 1_114_113], 1000, proceed).unwrap();
    assert_eq!(answer, SyncError::AlertReceived(Alert::TooLarge).to_alert());
}

#[test]
fn the_refusal_of_a_server_is_reported_as_such() {
    let space = policysync::ReplicaOptions::new().space("other");
    let server = Server::honest(Peer::new(Replica::open(space).unwrap()));
    let error = try_sync(&mut device("alice"), &server.url).unwrap_err();
    assert!(matches!(error, HttpError::Sync(SyncError::AlertReceived(Alert::OtherSpace))), "{error:?}");
}

#[test]
fn a_page_in_place_of_an_answer_is_an_error() {
    assert!(matches!(error_for(http(200, "text/html", b"<html>Log in")), HttpError::ContentType));
    let error = error_for(http(500, "text/html", b"<html>"));
    assert!(matches!(error, HttpError::Status { status: 500, .. }) && error.is_temporary(), "{error:?}");
    let error = error_for(http(401, "text/html", b"<html>"));
    assert!(matches!(error, HttpError::Status { status: 401, .. }) && !error.is_temporary(), "{error:?}");
    // An error status with our content type but without a refusal remains an error.
    assert!(matches!(error_for(http(404, HTTP_CONTENT_TYPE, b"x")), HttpError::Status { status: 404, .. }));
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    let elsewhere = Server::honest(Peer::new(device("bob")));
    for status in [301, 302, 303, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} X\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            elsewhere.url
        );
        let error = error_for(head);
        assert!(matches!(error, HttpError::Redirect { status: found } if found == status), "{error:?}");
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn an_answer_that_is_not_http_is_an_error() {
    for answer in [
        &b""[..],
        b"\0\0\0\0",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        b"HTTP/1.1 -1 X\r\n\r\n",
        b"HTTP/9.9 200 X\r\n\r\n",
        b"HTTP/1.1 200 X\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 X\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let error = error_for(answer);
        assert!(!matches!(error, HttpError::Sync(_)), "{error:?}");
    }
    let endless = [&b"HTTP/1.1 200 X\r\n"[..], &b"x: y\r\n".repeat(1 << 18)].concat();
    assert!(matches!(
        error_for(endless),
        HttpError::Protocol(_) | HttpError::Connection(ConnectionError::Io(_))
    ));
}

#[test]
fn a_server_that_does_not_answer_in_time_is_an_error() {
    let wait = Arc::new(Mutex::new(()));
    let held = wait.lock().unwrap();
    let (stuck, half) = (Arc::clone(&wait), http(200, HTTP_CONTENT_TYPE, &[0; 1000]));
    let server = Server::with_streams(move |number, _, stream| {
        if number == 1 {
            stream.write_all(&half[..half.len() - 500]).unwrap();
        }
        drop(stuck.lock());
    });
    let short = Duration::from_millis(200);
    let ask =
        |options| HttpClient::new(&server.url, options).unwrap().exchange(b"", 1000, proceed).unwrap_err();
    let error = ask(HttpOptions::new().answer_timeout(short));
    assert!(matches!(error, HttpError::Timeout(HttpStage::Answer)), "{error:?}");
    let connection = ConnectionOptions::new().progress_timeout(short);
    let error = ask(HttpOptions::new().connection(connection));
    assert!(matches!(error, HttpError::Timeout(HttpStage::Body)), "{error:?}");
    let error = ask(HttpOptions::new().overall_timeout(short));
    assert!(matches!(error, HttpError::Timeout(HttpStage::Overall)), "{error:?}");
    assert!(error.is_temporary());
    drop(held);
}

#[test]
fn time_outs_may_be_as_long_as_a_duration_can_be() {
    let server = Server::honest(Peer::new(device("bob")));
    let ever = Duration::MAX;
    let options = HttpOptions::new()
        .connection(ConnectionOptions::new().connect_timeout(ever).progress_timeout(ever))
        .answer_timeout(ever)
        .overall_timeout(ever)
        .retry_for(ever);
    let client = HttpClient::new(&server.url, options).unwrap();
    assert!(client.exchange(b"nonsense", 1000, proceed).is_ok());
}

#[test]
fn a_refused_connection_is_a_temporary_error() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = try_sync(&mut device("alice"), &format!("http://127.0.0.1:{port}/")).unwrap_err();
    assert!(
        matches!(error, HttpError::Connection(ConnectionError::Io(_))) && error.is_temporary(),
        "{error:?}"
    );
}

#[test]
fn after_a_connection_breaks_in_an_answer_the_next_session_converges() {
    for cut in 0..4 {
        let peer = Peer::new(device_with("bob", 40));
        let honest = peer.clone();
        let server = Server::start(move |number, body| {
            let answer = honest.answer(body);
            let kept = if number == cut { answer.len() * 2 / 3 } else { answer.len() };
            answer[..kept].to_vec()
        });
        let mut alice = device_with("alice", 40);
        let mut errors = Vec::new();
        while server.requests() <= cut {
            errors.extend(try_sync(&mut alice, &server.url).err());
        }
        assert!(matches!(errors[..], [HttpError::Connection(ConnectionError::Io(_))]), "{errors:?}");
        assert!(sync(&mut alice, &server.url).result.is_converged());
        peer.with(|bob| assert_same(&alice, bob));
    }
}

#[test]
fn an_altered_answer_brings_in_no_unsigned_operation() {
    let whole = {
        let peer = Peer::new(device_with("bob", 3));
        let mut alice = device_with("alice", 3);
        let server = Server::honest(peer.clone());
        sync(&mut alice, &server.url);
        alice
    };
    for at in (0..400).step_by(7) {
        let peer = Peer::new(device_with("bob", 3));
        let server = Server::start(move |_, body| {
            let mut answer = peer.answer(body);
            let from = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            let len = answer.len() - from;
            answer[from + at % len] ^= 1 << (at % 8);
            answer
        });
        let mut alice = device_with("alice", 3);
        // It may fail or succeed, but not admit an operation that nobody signed.
        drop(try_sync(&mut alice, &server.url));
        for entry in alice.log().iter() {
            assert!(whole.log().contains(&entry.unwrap().hash), "altered at {at}");
        }
    }
}

#[test]
fn an_answer_to_another_client_is_refused() {
    let peer = Peer::new(device_with("bob", 3));
    let first = Arc::new(Mutex::new(None));
    let server =
        Server::start(move |_, body| first.lock().unwrap().get_or_insert_with(|| peer.answer(body)).clone());
    let client = HttpClient::new(&server.url, HttpOptions::new()).unwrap();
    let mut carol = device_with("carol", 1);
    drop(client.sync(&mut carol, SyncOptions::new(), || NOW, |_| ControlFlow::Continue(())));
    let mut alice = device_with("alice", 1);
    let before = server.requests();
    let error = try_sync(&mut alice, &server.url).unwrap_err();
    assert!(matches!(error, HttpError::Sync(SyncError::Stray)), "{error:?}");
    assert_eq!(server.requests() - before, 4, "sent once and repeated three times");
}

#[test]
fn a_cache_that_repeats_each_answer_once_does_no_harm() {
    let peer = Peer::new(device_with("bob", 3));
    let (honest, last) = (peer.clone(), Mutex::new(Vec::new()));
    let server = Server::start(move |number, body| {
        let mut last = last.lock().unwrap();
        if number % 2 == 1 {
            return last.clone();
        }
        *last = honest.answer(body);
        last.clone()
    });
    let mut alice = device("alice");
    write(&mut alice, 3);
    assert!(sync(&mut alice, &server.url).result.is_converged());
    peer.with(|bob| assert_same(&alice, bob));
}

#[test]
fn a_malformed_url_is_refused_and_not_shown() {
    let secret = "ftp://user:password@example/";
    for url in ["", "/sync", "example", "http://", "ws://127.0.0.1/", secret] {
        let error = HttpClient::new(url, HttpOptions::new()).err().unwrap();
        assert!(
            matches!(error, HttpError::Connection(ConnectionError::Url { scheme: "http" })),
            "{url}: {error:?}"
        );
        assert!(!error.to_string().contains("password"));
    }
    let https = HttpClient::new("https://127.0.0.1/", HttpOptions::new());
    if cfg!(feature = "tls") {
        assert!(https.is_ok());
    } else {
        assert!(matches!(https, Err(HttpError::Connection(ConnectionError::NoTls))));
    }
}

#[test]
fn every_request_has_the_token_and_the_headers() {
    let server = Server::honest(Peer::new(device_with("bob", 40)));
    let connection = ConnectionOptions::new()
        .header("authorization", "Basic YTpi")
        .header("X-Tenant", "blue")
        .bearer_token("abc.DEF-123==")
        .header("x-tenant", "green sea");
    let client = HttpClient::new(&server.url, HttpOptions::new().connection(connection)).unwrap();
    let mut alice = device_with("alice", 40);
    let proceed = |_: &_| ControlFlow::Continue(());
    client.sync(&mut alice, SyncOptions::new(), || NOW, proceed).unwrap();
    let heads = server.heads();
    assert!(heads.len() > 1, "a single request does not show whether the next one has the headers");
    for head in heads {
        let lower = head.to_lowercase();
        assert!(head.contains("Bearer abc.DEF-123==\r\n"), "{head}");
        assert_eq!(lower.matches("authorization: ").count(), 1, "{head}");
        assert!(lower.contains("x-tenant: green sea\r\n") && !lower.contains("blue"), "{head}");
        assert_eq!(lower.matches("content-type: ").count(), 1, "{head}");
    }
}

#[test]
fn a_header_that_could_change_the_request_is_refused_and_not_shown() {
    let server = Server::honest(Peer::new(device("bob")));
    let refused = |connection: ConnectionOptions| {
        let options = HttpOptions::new().connection(connection);
        match HttpClient::new(&server.url, options).err().unwrap() {
            HttpError::Connection(ConnectionError::Header(error)) => {
                assert!(!error.to_string().contains("secret"), "{error}");
                error
            }
            error => panic!("{error:?}"),
        }
    };
    let token = ConnectionOptions::new().bearer_token("secret\r\nx-evil: 1");
    assert_eq!(refused(token), HeaderError::Token { at: 6 });
    let value = ConnectionOptions::new().header("x-key", "secret\nx-evil: 1");
    assert_eq!(refused(value), HeaderError::Value { at: 6 });
    assert_eq!(refused(ConnectionOptions::new().header("x-secret: 1\r\nx", "1")), HeaderError::Name);
    let length = ConnectionOptions::new().header("Content-Length", "3");
    assert_eq!(refused(length), HeaderError::Reserved { name: "content-length" });
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_token_is_never_printed() {
    let connection = ConnectionOptions::new().bearer_token("secret-token").header("x-key", "secret-value");
    let options = HttpOptions::new().connection(connection);
    assert!(!format!("{options:?} {:#?}", options.clone()).contains("secret"));
    let server = Server::start(|_, _| http(401, "text/plain", b"secret-token is wrong"));
    let client = HttpClient::new(&server.url, options).unwrap();
    let error = client.exchange(b"x", 1000, proceed).unwrap_err();
    assert!(matches!(error, HttpError::Status { status: 401, .. }));
    assert!(!format!("{error} {error:?}").contains("secret"));
}
