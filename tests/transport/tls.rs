//! HTTPS and WSS with real TLS servers on loopback, honest and hostile ones.
//!
//! The tests make their own authorities and certificates, so that none expires.
#![expect(clippy::disallowed_methods, reason = "the tests measure how long a client waits")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use policysync::transport::{
    ConnectionError, ConnectionOptions, HttpError, HttpOptions, HttpStage, NetStream, SyncReport, TlsError,
    TlsRoots, TlsRootsError, WaitResult, WebSocketError, WebSocketOptions,
};
use policysync::{HttpClient, SyncOptions, WallMillis, WebSocketClient, WebSocketServer, system_wall_clock};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::devices::{NOW, assert_same, device, device_with, responder};
use crate::server::{Peer, proceed, read_request};

/// The time-out of the clients.
const LIMIT: Duration = Duration::from_millis(700);
const TICK: Duration = Duration::from_millis(5);
const TOKEN: &str = "secret-token";

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { issuer: Issuer::new(params, key), pem, der }
    }

    /// Returns options that trust only this authority.
    fn trusted(&self) -> ConnectionOptions {
        ConnectionOptions::new().tls_roots(self.roots())
    }

    fn roots(&self) -> TlsRoots {
        TlsRoots::none().trust(self.pem.as_bytes()).unwrap()
    }

    /// Returns the configuration of a server with a certificate for this name that is valid in these years.
    fn server(&self, name: &str, years: [i32; 2]) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    fn honest_server(&self) -> Arc<ServerConfig> {
        self.server("127.0.0.1", [2000, 4000])
    }
}

type Secure = StreamOwned<ServerConnection, TcpStream>;

/// Serves each connection on loopback on a thread that ends with the test process. Returns the port.
fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// The same over TLS.
fn listen_securely(config: Arc<ServerConfig>, serve: impl Fn(Secure) + Send + Sync + 'static) -> u16 {
    listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        serve(StreamOwned::new(connection, stream));
    })
}

fn https(port: u16, options: HttpOptions) -> Result<SyncReport, HttpError> {
    let options = options.retry_for(Duration::ZERO);
    let client = HttpClient::new(&format!("https://127.0.0.1:{port}/sync"), options).unwrap();
    let proceed = |_: &_| ControlFlow::Continue(());
    client.sync(&mut device_with("alice", 30), SyncOptions::new(), || NOW, proceed)
}

fn wss(port: u16, connection: ConnectionOptions) -> Result<WebSocketClient<NetStream>, WebSocketError> {
    let url = format!("wss://127.0.0.1:{port}/sync");
    let options = WebSocketOptions::new().connection(connection.bearer_token(TOKEN)).wait(TICK);
    WebSocketClient::connect(&url, options, system_wall_clock)
}

/// Returns the errors of both clients, with these authorities, and checks that each occurs in time.
fn connection_errors(port: u16, roots: &TlsRoots) -> (HttpError, WebSocketError) {
    let began = Instant::now();
    let connection =
        ConnectionOptions::new().bearer_token(TOKEN).tls_roots(roots.clone()).connect_timeout(LIMIT);
    let http = https(port, HttpOptions::new().connection(connection.clone())).unwrap_err();
    let wss = wss(port, connection).err().unwrap();
    // Generous, since the machine may be busy. Without the connect time-out it would take two minutes.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    (http, wss)
}

#[test]
fn two_sessions_over_https_use_one_connection() {
    let authority = Authority::new();
    let peer = Peer::new(device_with("bob", 40));
    let (honest, connections) = (peer.clone(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&connections);
    let port = listen_securely(authority.honest_server(), move |mut stream| {
        *counted.lock().unwrap() += 1;
        while let Some((head, body)) = read_request(&mut stream) {
            assert!(head.contains("Bearer secret-token\r\n"), "{head}");
            let answer = honest.answer(&body);
            let text = String::from_utf8_lossy(&answer).replacen("connection: close\r\n", "", 1);
            let kept = if text.len() == answer.len() { answer } else { keep_open(&answer) };
            if stream.write_all(&kept).is_err() {
                return;
            }
        }
    });
    let url = format!("https://127.0.0.1:{port}/sync");
    for roots in [authority.roots(), TlsRoots::new().trust(&authority.der).unwrap()] {
        let options =
            HttpOptions::new().connection(ConnectionOptions::new().tls_roots(roots).bearer_token(TOKEN));
        let client = HttpClient::new(&url, options).unwrap();
        *connections.lock().unwrap() = 0;
        let mut alice = device_with("alice", 30);
        for _ in 0..2 {
            let proceed = |_: &_| ControlFlow::Continue(());
            let report = client.sync(&mut alice, SyncOptions::new(), || NOW, proceed).unwrap();
            assert!(report.result.is_converged());
        }
        peer.with(|bob| assert_same(&alice, bob));
        assert_eq!(*connections.lock().unwrap(), 1, "a handshake for each request");
    }
}

/// Returns the answer without the line that closes the connection.
fn keep_open(answer: &[u8]) -> Vec<u8> {
    let line = b"connection: close\r\n";
    let at = answer.windows(line.len()).position(|window| window == line).unwrap();
    [&answer[..at], &answer[at + line.len()..]].concat()
}

#[test]
fn a_line_over_wss_pushes_both_ways() {
    let authority = Authority::new();
    let (bob, tokens) = (Arc::new(Mutex::new(device_with("bob", 50))), Arc::new(Mutex::new(Vec::new())));
    let (served, seen) = (Arc::clone(&bob), Arc::clone(&tokens));
    let port = listen_securely(authority.honest_server(), move |stream| {
        stream.sock.set_read_timeout(Some(TICK)).unwrap();
        stream.sock.set_write_timeout(Some(TICK)).unwrap();
        let admit = |request: policysync::transport::WebSocketRequest<'_>| {
            seen.lock().unwrap().push(request.bearer_token().map(str::to_owned));
            Ok(())
        };
        let mut line =
            WebSocketServer::accept_if(stream, WebSocketOptions::new(), system_wall_clock, admit).unwrap();
        let mut responder = responder();
        while !matches!(line.wait(NOW), Ok(WaitResult::Closed) | Err(_)) {
            if line.work(&mut responder, &mut served.lock().unwrap(), NOW).is_err() {
                return;
            }
        }
    });
    let mut alice = device_with("alice", 30);
    let mut line = wss(port, authority.trusted()).unwrap();
    let mut until = |alice: &mut policysync::Replica, done: &dyn Fn(&policysync::Replica) -> bool| {
        for _ in 0..4000 {
            line.work(alice, NOW).unwrap();
            line.wait(NOW).unwrap();
            if line.is_pushing() && done(alice) {
                return;
            }
        }
        panic!("the condition never holds");
    };
    let same = |alice: &policysync::Replica| alice.log().digest() == bob.lock().unwrap().log().digest();
    until(&mut alice, &same);
    // More than one TLS record each, and more than one message.
    for (name, from_here) in [("a", true), ("b", false)] {
        let value = name.repeat(700_000);
        for number in 0..3 {
            let id = format!("{name}{number}");
            if from_here {
                alice.set(NOW, ("Blob", &id, "data"), value.as_str()).unwrap();
            } else {
                bob.lock().unwrap().set(NOW, ("Blob", &id, "data"), value.as_str()).unwrap();
            }
        }
        until(&mut alice, &same);
    }
    assert_same(&alice, &bob.lock().unwrap());
    assert_eq!(alice.log().len(), 86);
    assert_eq!(*tokens.lock().unwrap(), [Some(TOKEN.to_owned())]);
}

#[test]
fn an_untrusted_certificate_is_reported_and_nothing_is_sent() {
    let authority = Authority::new();
    let (this, others) = (authority.roots(), Authority::new().roots());
    for (server, roots, expected) in [
        (authority.honest_server(), TlsRoots::new(), "UnknownIssuer"),
        (authority.honest_server(), TlsRoots::none(), "UnknownIssuer"),
        (authority.honest_server(), others, "UnknownIssuer"),
        (authority.server("localhost", [2000, 4000]), this.clone(), "OtherName"),
        (authority.server("127.0.0.2", [2000, 4000]), this.clone(), "OtherName"),
        (authority.server("127.0.0.1", [2000, 2001]), this.clone(), "Expired"),
        (authority.server("127.0.0.1", [3000, 4000]), this, "NotValidYet"),
    ] {
        let received = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&received);
        let port = listen_securely(server, move |mut stream| {
            // The bytes inside TLS, of which there should be none.
            let mut bytes = Vec::new();
            drop(stream.read_to_end(&mut bytes));
            recorded.lock().unwrap().push(bytes);
        });
        let (http, wss) = connection_errors(port, &roots);
        let (HttpError::Connection(one), WebSocketError::Connection(other)) = (&http, &wss) else {
            panic!("{http:?}, {wss:?}")
        };
        let expected = format!("Tls({expected})");
        assert_eq!((format!("{one:?}"), format!("{other:?}")), (expected.clone(), expected));
        assert!(!http.is_temporary() && !wss.is_temporary());
        assert!(http.to_string().contains("certificate"), "{http}");
        let both = || received.lock().unwrap().len() == 2;
        assert!(
            (0..1000).any(|_| both() || {
                thread::sleep(TICK);
                false
            }),
            "the connections stay open"
        );
        assert_eq!(*received.lock().unwrap(), [Vec::<u8>::new(), Vec::new()]);
    }
}

/// Starts a server that reads everything and writes `first` at once, then one byte at a time.
fn serve_bytes(first: &'static [u8], then: Option<(u8, Duration)>) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let received = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&received);
    let port = listen(move |mut stream| {
        let mut reader = stream.try_clone().unwrap();
        let recorded = Arc::clone(&recorded);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                recorded.lock().unwrap().extend_from_slice(&bytes[..len]);
            }
        });
        drop(stream.write_all(first));
        while let Some((byte, pause)) = then {
            thread::sleep(pause);
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    (port, received)
}

fn has_request_bytes(received: &Mutex<Vec<u8>>) -> bool {
    let received = received.lock().unwrap();
    [&b"secret"[..], b"POST", b"GET "]
        .iter()
        .any(|word| received.windows(word.len()).any(|window| window == *word))
}

#[test]
fn a_server_without_tls_is_reported_and_receives_nothing() {
    for first in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\0\0\0\0\0\0\0"] {
        let (port, received) = serve_bytes(first, Some((b'.', Duration::from_millis(50))));
        let (http, wss) = connection_errors(port, &TlsRoots::new());
        assert!(matches!(http, HttpError::Connection(ConnectionError::Tls(TlsError::NotTls))), "{http:?}");
        assert!(matches!(wss, WebSocketError::Connection(ConnectionError::Tls(TlsError::NotTls))), "{wss:?}");
        assert!(!has_request_bytes(&received));
    }
    // A server that closes the connection at once.
    let port = listen(drop);
    let (http, wss) = connection_errors(port, &TlsRoots::new());
    assert!(matches!(http, HttpError::Connection(ConnectionError::Io(_))) && http.is_temporary(), "{http:?}");
    assert!(
        matches!(wss, WebSocketError::Connection(ConnectionError::Io(_))) && wss.is_temporary(),
        "{wss:?}"
    );
}

#[test]
fn a_handshake_that_never_ends_times_out() {
    // Silence; and a record of 16 KiB that arrives byte by byte, each before a read times out.
    let often = Duration::from_millis(3);
    for (first, then) in [
        (&b""[..], Some((0, Duration::from_secs(3600)))),
        (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", Some((0, often))),
    ] {
        let (port, received) = serve_bytes(first, then);
        let (http, wss) = connection_errors(port, &TlsRoots::new());
        assert!(
            matches!(http, HttpError::Connection(ConnectionError::Timeout)) && http.is_temporary(),
            "{http:?}"
        );
        assert!(
            matches!(wss, WebSocketError::Connection(ConnectionError::Timeout)) && wss.is_temporary(),
            "{wss:?}"
        );
        assert!(!has_request_bytes(&received));
    }
}

/// Writes a record byte by byte.
fn trickle(stream: &mut Secure) -> io::Result<()> {
    stream.conn.writer().write_all(&[b'x'; 16_000])?;
    let mut record = Vec::new();
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut record)?;
    }
    for byte in record {
        stream.sock.write_all(&[byte])?;
        thread::sleep(Duration::from_millis(3));
    }
    Ok(())
}

#[test]
fn an_answer_that_arrives_byte_by_byte_times_out() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        if read_request(&mut stream).is_some() {
            drop(trickle(&mut stream));
        }
    });
    let began = Instant::now();
    let error =
        https(port, HttpOptions::new().connection(authority.trusted()).answer_timeout(LIMIT)).unwrap_err();
    assert!(matches!(error, HttpError::Timeout(HttpStage::Answer)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn sending_to_a_server_that_stops_reading_times_out() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        thread::sleep(Duration::from_secs(3600));
    });
    let limit = Duration::from_secs(3);
    let options = HttpOptions::new().connection(authority.trusted().progress_timeout(limit));
    let client = HttpClient::new(&format!("https://127.0.0.1:{port}/sync"), options).unwrap();
    let began = Instant::now();
    let error = client.exchange(&vec![7; 64 << 20], 1000, proceed).unwrap_err();
    let took = began.elapsed();
    assert!(matches!(error, HttpError::Timeout(HttpStage::Sending)) && error.is_temporary(), "{error:?}");
    assert!(took > limit && took < limit * 5 / 2, "{took:?}");
}

#[test]
fn a_server_that_reads_a_little_at_a_time_is_bounded_only_by_the_overall_limit() {
    // The whole message would take twelve seconds.
    fn take(mut stream: impl Read) {
        let mut bytes = vec![0; 1 << 20];
        while stream.read_exact(&mut bytes).is_ok() {
            thread::sleep(Duration::from_millis(200));
        }
    }
    let authority = Authority::new();
    let (secure, plain) = (listen_securely(authority.honest_server(), take), listen(take));
    for url in [format!("https://127.0.0.1:{secure}/sync"), format!("http://127.0.0.1:{plain}/sync")] {
        let connection = authority.trusted().progress_timeout(Duration::from_secs(1));
        let options = HttpOptions::new().connection(connection).overall_timeout(Duration::from_secs(3));
        let client = HttpClient::new(&url, options).unwrap();
        let began = Instant::now();
        let error = client.exchange(&vec![7; 64 << 20], 1000, proceed).unwrap_err();
        assert!(matches!(error, HttpError::Timeout(HttpStage::Overall)), "{url}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(6), "{url}: {:?}", began.elapsed());
    }
}

#[test]
fn a_server_that_sends_byte_by_byte_does_not_block_the_client() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |stream| {
        // The line opens, but no frame is ever complete.
        let mut socket = tungstenite::accept(stream).unwrap();
        drop(trickle(socket.get_mut()));
    });
    let mut line = wss(port, authority.trusted()).unwrap();
    let mut alice = device("alice");
    line.work(&mut alice, NOW).unwrap();
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(line.wait(NOW).unwrap(), WaitResult::Nothing);
    }
    // The record takes 48 seconds.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let later = WallMillis(system_wall_clock().0 + 60_000);
    let error = (0..1000).find_map(|_| line.wait(later).err()).unwrap();
    assert!(matches!(error, WebSocketError::Silent { .. }), "{error:?}");
}

#[test]
fn a_truncated_answer_is_an_error() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        if read_request(&mut stream).is_some() {
            // Without a length the answer ends with the connection, but only if TLS ends first.
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.policysync\r\nconnection: close\r\n\r\nhalf";
            drop(stream.write_all(head.as_bytes()));
        }
    });
    let error = https(port, HttpOptions::new().connection(authority.trusted())).unwrap_err();
    assert!(matches!(error, HttpError::Connection(ConnectionError::Io(_))), "{error:?}");
}

#[test]
fn an_invalid_certificate_is_not_added() {
    let authority = Authority::new();
    let pem = authority.pem.as_str();
    for (bytes, expected) in [
        (b"".to_vec(), TlsRootsError::Empty),
        (b"certificate".to_vec(), TlsRootsError::Certificate { number: 1 }),
        (authority.der[..authority.der.len() - 1].to_vec(), TlsRootsError::Certificate { number: 1 }),
        (pem.replacen("MII", "M!I", 1).into_bytes(), TlsRootsError::Pem { number: 1 }),
        (
            format!("{pem}{}", pem.replacen("MII", "AAA", 1)).into_bytes(),
            TlsRootsError::Certificate { number: 2 },
        ),
        (pem.replace("CERTIFICATE", "PUBLIC KEY").into_bytes(), TlsRootsError::Empty),
        (pem.replace("-----END CERTIFICATE-----", "").into_bytes(), TlsRootsError::Pem { number: 1 }),
    ] {
        let error = TlsRoots::none().trust(&bytes).unwrap_err();
        assert_eq!(error, expected, "{}", String::from_utf8_lossy(&bytes));
    }
    // Two in one file, with text between.
    let two = format!("The first\n{pem}\nand the second\n{}", Authority::new().pem);
    assert_eq!(
        format!("{:?}", TlsRoots::none().trust(two.as_bytes()).unwrap()),
        "TlsRoots { mozilla: false, added: 2 }"
    );
}

#[test]
fn a_gateway_that_refuses_a_long_request_early_is_heard_over_tls() {
    let authority = Authority::new();
    // One reads on for a while, one closes at once: then the client's write fails before it has read the answer.
    for (reads_on, length) in [(true, 8 << 20), (false, 8 << 20), (false, 40 << 10)] {
        let port = listen_securely(authority.honest_server(), move |mut stream| {
            // Or the answer would wait until the client has acknowledged the record before.
            stream.sock.set_nodelay(true).unwrap();
            let mut head = [0; 1024];
            assert!(stream.read(&mut head).unwrap() > 0);
            let page = b"<html>too large";
            stream.write_all(&crate::server::http(413, "text/html", page)).unwrap();
            stream.flush().unwrap();
            let mut piece = vec![0; 1 << 16];
            for _ in 0..if reads_on { 20 } else { 0 } {
                drop(stream.read(&mut piece));
            }
            if reads_on {
                thread::sleep(Duration::from_secs(1));
            }
        });
        let options = HttpOptions::new().retry_for(Duration::ZERO).connection(authority.trusted());
        let client = HttpClient::new(&format!("https://127.0.0.1:{port}/"), options).unwrap();
        let error = client.exchange(&vec![0; length], 1000, proceed).unwrap_err();
        assert!(
            matches!(error, HttpError::RequestTooLarge { len } if len == length),
            "{reads_on}, {length}: {error:?}"
        );
    }
}

#[test]
fn an_upload_over_tls_goes_on_while_the_server_sends_something() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), move |mut stream| {
        let mut piece = vec![0; 16 << 10];
        let mut left = {
            let read = stream.read(&mut piece).unwrap();
            let head = String::from_utf8_lossy(&piece[..read]).into_owned();
            let end = head.find("\r\n\r\n").unwrap() + 4;
            (2 << 20) - (read - end)
        };
        let mut rounds = 0;
        while left > 0 {
            // In the middle of the upload, while the client's socket is full.
            if rounds % 8 == 0 && rounds < 32 {
                stream.write_all(b"HTTP/1.1 103 X\r\n\r\n").unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            rounds += 1;
            left -= stream.read(&mut piece).unwrap();
        }
        stream.write_all(&crate::server::http(404, "text/html", b"heard all")).unwrap();
        stream.flush().unwrap();
    });
    let options = HttpOptions::new().retry_for(Duration::ZERO).connection(authority.trusted());
    let client = HttpClient::new(&format!("https://127.0.0.1:{port}/"), options).unwrap();
    let error = client.exchange(&vec![0; 2 << 20], 1000, proceed).unwrap_err();
    assert!(matches!(error, HttpError::Status { status: 404, .. }), "{error:?}");
}
