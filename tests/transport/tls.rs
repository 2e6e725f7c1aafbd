//! HTTPS and WSS before real TLS servers on loopback, honest and otherwise. The authorities and their certificates are made
//! here, so none of them runs out one day.
#![expect(clippy::disallowed_methods, reason = "how long a client waits is measured")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use policysync::transport::{
    HttpError, HttpOptions, HttpStage, SyncReport, TlsError, TlsRoots, TlsRootsError, WebSocketError,
    WebSocketOptions, WebSocketStream,
};
use policysync::{HttpClient, SyncOptions, WallMillis, WebSocketClient, WebSocketServer, system_wall_clock};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::devices::{NOW, assert_same, device, device_with, responder};
use crate::server::{Peer, read_request};

/// How long a client waits here before it gives up.
const LIMIT: Duration = Duration::from_millis(700);
const TICK: Duration = Duration::from_millis(5);
const TOKEN: &str = "secret-token";

/// Signs certificates.
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

    fn roots(&self) -> TlsRoots {
        TlsRoots::none().trust(self.pem.as_bytes()).unwrap()
    }

    /// The configuration of a server with a certificate for this name, which is valid in these years.
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

/// Listens on loopback and does this with each connection, in a thread that ends with the test process. The port.
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
    let client =
        HttpClient::new(&format!("https://127.0.0.1:{port}/sync"), options.bearer_token(TOKEN)).unwrap();
    let go_on = |_: &_| ControlFlow::Continue(());
    client.sync(&mut device_with("alice", 30), SyncOptions::new(), [7; 16], || NOW, go_on)
}

fn wss(port: u16, options: WebSocketOptions) -> Result<WebSocketClient<WebSocketStream>, WebSocketError> {
    let url = format!("wss://127.0.0.1:{port}/sync");
    WebSocketClient::connect(&url, options.bearer_token(TOKEN).wait(TICK), [7; 32], system_wall_clock)
}

/// What clients of both kinds, that believe these, make of the server; each within its time.
fn turned_down(port: u16, roots: &TlsRoots) -> (HttpError, WebSocketError) {
    let began = Instant::now();
    let http = https(port, HttpOptions::new().tls_roots(roots.clone()).connect_timeout(LIMIT)).unwrap_err();
    let wss =
        wss(port, WebSocketOptions::new().tls_roots(roots.clone()).connect_timeout(LIMIT)).err().unwrap();
    // Generous: the machine may have more to do. Who waited for the whole request would wait for two minutes.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    (http, wss)
}

#[test]
fn a_session_over_https_and_the_next_over_the_same_connection() {
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
        let options = HttpOptions::new().tls_roots(roots).bearer_token(TOKEN);
        let client = HttpClient::new(&url, options).unwrap();
        *connections.lock().unwrap() = 0;
        let mut alice = device_with("alice", 30);
        for nonce in [1, 2] {
            let go_on = |_: &_| ControlFlow::Continue(());
            let report = client.sync(&mut alice, SyncOptions::new(), [nonce; 16], || NOW, go_on).unwrap();
            assert!(report.finish.is_converged());
        }
        peer.with(|bob| assert_same(&alice, bob));
        assert_eq!(*connections.lock().unwrap(), 1, "a handshake for each request");
    }
}

/// The answer without the line that ends the connection.
fn keep_open(answer: &[u8]) -> Vec<u8> {
    let line = b"connection: close\r\n";
    let at = answer.windows(line.len()).position(|window| window == line).unwrap();
    [&answer[..at], &answer[at + line.len()..]].concat()
}

#[test]
fn a_line_over_wss_pushes_both_ways() {
    let authority = Authority::new();
    let (told, asked) = (Arc::new(Mutex::new(device_with("bob", 50))), Arc::new(Mutex::new(Vec::new())));
    let (bob, tokens) = (Arc::clone(&told), Arc::clone(&asked));
    let port = listen_securely(authority.honest_server(), move |stream| {
        stream.sock.set_read_timeout(Some(TICK)).unwrap();
        stream.sock.set_write_timeout(Some(TICK)).unwrap();
        let admit = |request: policysync::transport::WebSocketRequest<'_>| {
            tokens.lock().unwrap().push(request.bearer_token().map(str::to_owned));
            Ok(())
        };
        let mut line =
            WebSocketServer::accept_if(stream, WebSocketOptions::new(), system_wall_clock, admit).unwrap();
        let mut responder = responder();
        while !matches!(line.wait(NOW), Ok(policysync::transport::Heard::Closed) | Err(_)) {
            if line.work(&mut responder, &mut bob.lock().unwrap(), NOW).is_err() {
                return;
            }
        }
    });
    let mut alice = device_with("alice", 30);
    let mut line = wss(port, WebSocketOptions::new().tls_roots(authority.roots())).unwrap();
    let mut until = |alice: &mut policysync::Replica, done: &dyn Fn(&policysync::Replica) -> bool| {
        for _ in 0..4000 {
            line.work(alice, NOW).unwrap();
            line.wait(NOW).unwrap();
            if line.is_pushing() && done(alice) {
                return;
            }
        }
        panic!("it does not come to this");
    };
    let same = |alice: &policysync::Replica| alice.log().digest() == told.lock().unwrap().log().digest();
    until(&mut alice, &same);
    // More than one TLS record each, and more than one message.
    for (name, from_here) in [("a", true), ("b", false)] {
        let value = name.repeat(700_000);
        for number in 0..3 {
            let id = format!("{name}{number}");
            if from_here {
                alice.set(NOW, ("Blob", &id, "data"), value.as_str()).unwrap();
            } else {
                told.lock().unwrap().set(NOW, ("Blob", &id, "data"), value.as_str()).unwrap();
            }
        }
        until(&mut alice, &same);
    }
    assert_same(&alice, &told.lock().unwrap());
    assert_eq!(alice.log().len(), 86);
    assert_eq!(*asked.lock().unwrap(), [Some(TOKEN.to_owned())]);
}

#[test]
fn a_certificate_that_does_not_fit_is_named_and_nothing_is_sent() {
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
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listening = Arc::clone(&heard);
        let port = listen_securely(server, move |mut stream| {
            // What comes through TLS; in vain, if all is well.
            let mut bytes = Vec::new();
            drop(stream.read_to_end(&mut bytes));
            listening.lock().unwrap().push(bytes);
        });
        let (http, wss) = turned_down(port, &roots);
        let (HttpError::Tls(one), WebSocketError::Tls(other)) = (&http, &wss) else {
            panic!("{http:?}, {wss:?}")
        };
        assert_eq!((format!("{one:?}"), format!("{other:?}")), (expected.into(), expected.into()));
        assert!(!http.is_temporary() && !wss.is_temporary());
        assert!(http.to_string().contains("certificate"), "{http}");
        let both = || heard.lock().unwrap().len() == 2;
        assert!(
            (0..1000).any(|_| both() || {
                thread::sleep(TICK);
                false
            }),
            "the server waits for more"
        );
        assert_eq!(*heard.lock().unwrap(), [Vec::<u8>::new(), Vec::new()]);
    }
}

/// A server that reads all that comes, and says this: its first bytes at once, then one at a time.
fn says(first: &'static [u8], then: Option<(u8, Duration)>) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listening = Arc::clone(&heard);
    let port = listen(move |mut stream| {
        let mut reader = stream.try_clone().unwrap();
        let listening = Arc::clone(&listening);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                listening.lock().unwrap().extend_from_slice(&bytes[..len]);
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
    (port, heard)
}

fn holds_a_secret(heard: &Mutex<Vec<u8>>) -> bool {
    let heard = heard.lock().unwrap();
    [&b"secret"[..], b"POST", b"GET "]
        .iter()
        .any(|word| heard.windows(word.len()).any(|window| window == *word))
}

#[test]
fn a_server_without_tls_is_named_and_told_nothing() {
    for first in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\0\0\0\0\0\0\0"] {
        let (port, heard) = says(first, Some((b'.', Duration::from_millis(50))));
        let (http, wss) = turned_down(port, &TlsRoots::new());
        assert!(matches!(http, HttpError::Tls(TlsError::NotTls)), "{http:?}");
        assert!(matches!(wss, WebSocketError::Tls(TlsError::NotTls)), "{wss:?}");
        assert!(!holds_a_secret(&heard));
    }
    // It hangs up at once.
    let port = listen(drop);
    let (http, wss) = turned_down(port, &TlsRoots::new());
    assert!(matches!(http, HttpError::Io(_)) && http.is_temporary(), "{http:?}");
    assert!(matches!(wss, WebSocketError::Io(_) | WebSocketError::Cut) && wss.is_temporary(), "{wss:?}");
}

#[test]
fn a_handshake_that_never_ends_is_given_up() {
    // Silence; and a record of 16 KiB, of which a byte comes sooner than any read gives up.
    let often = Duration::from_millis(3);
    for (first, then) in [
        (&b""[..], Some((0, Duration::from_secs(3600)))),
        (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", Some((0, often))),
    ] {
        let (port, heard) = says(first, then);
        let (http, wss) = turned_down(port, &TlsRoots::new());
        assert!(matches!(http, HttpError::Timeout(HttpStage::Connecting)) && http.is_temporary(), "{http:?}");
        assert!(matches!(wss, WebSocketError::HandshakeTimeout) && wss.is_temporary(), "{wss:?}");
        assert!(!holds_a_secret(&heard));
    }
}

/// What the server writes after the handshake: a record of which a byte comes at a time.
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
fn an_answer_of_which_a_byte_comes_at_a_time_is_given_up() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        if read_request(&mut stream).is_some() {
            drop(trickle(&mut stream));
        }
    });
    let began = Instant::now();
    let error =
        https(port, HttpOptions::new().tls_roots(authority.roots()).answer_timeout(LIMIT)).unwrap_err();
    assert!(matches!(error, HttpError::Timeout(HttpStage::Answer)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_stops_reading_is_waited_for_once() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        thread::sleep(Duration::from_secs(3600));
    });
    let limit = Duration::from_secs(3);
    let options = HttpOptions::new().tls_roots(authority.roots()).body_timeout(limit);
    let client = HttpClient::new(&format!("https://127.0.0.1:{port}/sync"), options).unwrap();
    let began = Instant::now();
    let error = client.exchange(&vec![7; 64 << 20], 1000).unwrap_err();
    let took = began.elapsed();
    assert!(matches!(error, HttpError::Timeout(HttpStage::Sending)) && error.is_temporary(), "{error:?}");
    // The system may go on once with a write that it has cut short.
    assert!(took > limit && took < limit * 5 / 2, "{took:?}");
}

#[test]
fn a_server_that_takes_a_little_at_a_time_does_not_make_a_wait_longer() {
    // More often than any write gives up; the whole message would take twelve seconds.
    fn take(mut stream: impl Read) {
        let mut bytes = vec![0; 1 << 20];
        while stream.read_exact(&mut bytes).is_ok() {
            thread::sleep(Duration::from_millis(200));
        }
    }
    let authority = Authority::new();
    let (secure, plain) = (listen_securely(authority.honest_server(), take), listen(take));
    for url in [format!("https://127.0.0.1:{secure}/sync"), format!("http://127.0.0.1:{plain}/sync")] {
        let options = HttpOptions::new().tls_roots(authority.roots()).body_timeout(Duration::from_secs(2));
        let client = HttpClient::new(&url, options).unwrap();
        let began = Instant::now();
        let error = client.exchange(&vec![7; 64 << 20], 1000).unwrap_err();
        assert!(matches!(error, HttpError::Timeout(HttpStage::Sending)), "{url}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(6), "{url}: {:?}", began.elapsed());
    }
}

#[test]
fn a_line_on_which_a_byte_comes_at_a_time_does_not_keep_its_caller() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |stream| {
        // The line itself opens; what follows is no frame yet.
        let mut socket = tungstenite::accept(stream).unwrap();
        drop(trickle(socket.get_mut()));
    });
    let mut line = wss(port, WebSocketOptions::new().tls_roots(authority.roots())).unwrap();
    let mut alice = device("alice");
    line.work(&mut alice, NOW).unwrap();
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(line.wait(NOW).unwrap(), policysync::transport::Heard::Nothing);
    }
    // The record takes 48 seconds.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let later = WallMillis(system_wall_clock().0 + 60_000);
    let error = (0..1000).find_map(|_| line.wait(later).err()).unwrap();
    assert!(matches!(error, WebSocketError::Silent { .. }), "{error:?}");
}

#[test]
fn a_server_that_cuts_an_answer_short_is_no_end_of_the_answer() {
    let authority = Authority::new();
    let port = listen_securely(authority.honest_server(), |mut stream| {
        if read_request(&mut stream).is_some() {
            // No length, so the end of the connection would be that of the answer; and no goodbye of TLS.
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.policysync\r\nconnection: close\r\n\r\nhalf";
            drop(stream.write_all(head.as_bytes()));
        }
    });
    let error = https(port, HttpOptions::new().tls_roots(authority.roots())).unwrap_err();
    assert!(matches!(error, HttpError::Io(_)), "{error:?}");
}

#[test]
fn what_is_no_certificate_is_not_trusted() {
    let authority = Authority::new();
    let pem = authority.pem.as_str();
    for (bytes, expected) in [
        (b"".to_vec(), TlsRootsError::None),
        (b"certificate".to_vec(), TlsRootsError::Certificate { number: 1 }),
        (authority.der[..authority.der.len() - 1].to_vec(), TlsRootsError::Certificate { number: 1 }),
        (pem.replacen("MII", "M!I", 1).into_bytes(), TlsRootsError::Pem { number: 1 }),
        (
            format!("{pem}{}", pem.replacen("MII", "AAA", 1)).into_bytes(),
            TlsRootsError::Certificate { number: 2 },
        ),
        (pem.replace("CERTIFICATE", "PUBLIC KEY").into_bytes(), TlsRootsError::None),
        (pem.replace("-----END CERTIFICATE-----", "").into_bytes(), TlsRootsError::Pem { number: 1 }),
    ] {
        let error = TlsRoots::none().trust(&bytes).unwrap_err();
        assert_eq!(error, expected, "{}", String::from_utf8_lossy(&bytes));
    }
    // Two in one file, with words between.
    let two = format!("The first\n{pem}\nand the second\n{}", Authority::new().pem);
    assert_eq!(
        format!("{:?}", TlsRoots::none().trust(two.as_bytes()).unwrap()),
        "TlsRoots { mozilla: false, added: 2 }"
    );
}
