//! Sessions over slow lines: at 96 kbit/s, and with a delay of 200 milliseconds.
//!
//! `POLICYSYNC_THROUGHPUT=1 cargo test --all-features --test transport -- --nocapture throughput` measures both.
#![expect(clippy::disallowed_methods, reason = "the line is slow by the machine's clock")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use policysync::transport::{ConnectionOptions, HttpOptions, NetStream, WaitResult, WebSocketOptions};
use policysync::{
    HttpClient, Replica, SyncOptions, WallMillis, WebSocketClient, WebSocketServer, system_wall_clock,
};

use crate::devices::{NOW, assert_same, device, responder};
use crate::gateways::listen;
use crate::server::{Peer, Server};

/// Bytes a second of a line with 96 kbit/s.
const SLOW: u32 = 12_000;

/// A line with a rate and a delay each way.
#[derive(Clone, Copy)]
struct Line {
    bytes_a_second: u32,
    delay: Duration,
}

impl Line {
    /// Runs a proxy to the server with this address, through which bytes go at the line's rate. Returns its address.
    fn to(self, server: String) -> String {
        listen(move |_, client| {
            let server = TcpStream::connect(&server).unwrap();
            let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || self.carry(up, server));
            self.carry(down, client);
        })
    }

    fn carry(self, mut from: TcpStream, mut to: TcpStream) {
        let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
        let writer = thread::spawn(move || {
            for (due, piece) in receiver {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if to.write_all(&piece).is_err() {
                    return;
                }
            }
            drop(to.shutdown(std::net::Shutdown::Write));
        });
        let mut piece = [0; 600];
        let mut free = Instant::now();
        while let Ok(read @ 1..) = from.read(&mut piece) {
            let takes = Duration::from_secs(1) * u32::try_from(read).unwrap() / self.bytes_a_second;
            free = free.max(Instant::now()) + takes;
            thread::sleep(free.saturating_duration_since(Instant::now()));
            if sender.send((free + self.delay, piece[..read].to_vec())).is_err() {
                return;
            }
        }
        drop(sender);
        drop(writer.join());
    }
}

/// Returns a replica with operations of this many bytes, which cannot be compressed.
fn device_with_bytes(actor: &str, bytes: usize) -> Replica {
    let mut replica = device(actor);
    let mut left = bytes;
    while left > 0 {
        let value = left.min(8 << 10);
        replica.set(NOW, ("Blob", &format!("{actor}{left}"), "data"), "x".repeat(value).as_str()).unwrap();
        left -= value;
    }
    replica
}

fn over_http(line: Line, connection: ConnectionOptions, alice: &mut Replica, bob: Replica) -> Peer {
    let peer = Peer::new(bob);
    let server = Server::honest(peer.clone());
    let address = server.url.replace("http://", "").replace("/sync", "");
    let options = HttpOptions::new().connection(connection).retry_for(Duration::ZERO);
    let client = HttpClient::new(&format!("http://{}/sync", line.to(address)), options).unwrap();
    let proceed = |_: &_| ControlFlow::Continue(());
    let report = client.sync(alice, SyncOptions::new(), system_wall_clock, proceed).unwrap();
    assert!(report.result.is_converged());
    peer
}

fn over_websocket(
    line: Line,
    options: WebSocketOptions,
    alice: &mut Replica,
    bob: Replica,
) -> Arc<Mutex<Replica>> {
    let options = options.wait(Duration::from_millis(50));
    let bob = Arc::new(Mutex::new(bob));
    let (served, same) = (Arc::clone(&bob), options.clone());
    let server = listen(move |_, stream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut line = WebSocketServer::accept(stream, same.clone(), system_wall_clock).unwrap();
        let mut responder = responder();
        while line.wait(system_wall_clock()).unwrap() != WaitResult::Closed {
            line.work(&mut responder, &mut served.lock().unwrap(), system_wall_clock()).unwrap();
        }
    });
    let url = format!("ws://{}/sync", line.to(server));
    let mut line: WebSocketClient<NetStream> =
        WebSocketClient::connect(&url, options, system_wall_clock).unwrap();
    while !line.is_pushing() {
        line.work(alice, system_wall_clock()).unwrap();
        assert_ne!(line.wait(system_wall_clock()).unwrap(), WaitResult::Closed);
    }
    line.close();
    bob
}

/// Limits that are shorter than any of the messages takes.
fn strict() -> (ConnectionOptions, WebSocketOptions) {
    let connection = ConnectionOptions::new().progress_timeout(Duration::from_secs(1));
    let options = WebSocketOptions::new().connection(connection.clone());
    (connection, options.ping_after(WallMillis(500)).silence(WallMillis(1500)))
}

/// At most 128 KiB in all.
#[test]
fn everything_arrives_at_96_kbit_a_second() {
    let line = Line { bytes_a_second: SLOW, delay: Duration::ZERO };
    let (connection, options) = strict();
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut alice = device_with_bytes("alice", 44 << 10);
            let peer = over_http(line, connection, &mut alice, device_with_bytes("bob", 18 << 10));
            peer.with(|bob| assert_same(&alice, bob));
        });
        scope.spawn(|| {
            let mut alice = device_with_bytes("alice", 44 << 10);
            let bob = over_websocket(line, options, &mut alice, device_with_bytes("bob", 18 << 10));
            assert_same(&alice, &bob.lock().unwrap());
        });
    });
    assert!(began.elapsed() > Duration::from_secs(4), "the line is too fast: {:?}", began.elapsed());
}

#[test]
fn everything_arrives_with_a_delay_of_200_milliseconds() {
    let line = Line { bytes_a_second: 10_000_000, delay: Duration::from_millis(100) };
    let mut alice = device_with_bytes("alice", 500_000);
    let bob = device_with_bytes("bob", 500_000);
    let peer = over_http(line, ConnectionOptions::new(), &mut alice, bob);
    peer.with(|bob| assert_same(&alice, bob));
    let bob = over_websocket(line, WebSocketOptions::new(), &mut alice, device("bob"));
    assert_same(&alice, &bob.lock().unwrap());
}

/// Prints the figures of the manual, which takes minutes, if that is asked for.
#[test]
fn throughput() {
    if std::env::var_os("POLICYSYNC_THROUGHPUT").is_none() {
        return;
    }
    let slow = Line { bytes_a_second: SLOW, delay: Duration::ZERO };
    let far = Line { bytes_a_second: 100_000_000, delay: Duration::from_millis(100) };
    for (name, line, bytes) in [("96 kbit/s", slow, 1_000_000_u32), ("200 ms", far, 8_000_000)] {
        for (way, [up, down]) in [("up", [bytes, 0]), ("down", [0, bytes])] {
            let device = |actor, bytes: u32| device_with_bytes(actor, usize::try_from(bytes).unwrap());
            let rate = |began: Instant| f64::from(bytes) / 1000.0 / began.elapsed().as_secs_f64();
            let (mut alice, bob, began) = (device("alice", up), device("bob", down), Instant::now());
            over_http(line, ConnectionOptions::new(), &mut alice, bob);
            println!("{name}, {bytes} bytes {way}, HTTP: {:.1} KB/s", rate(began));
            let (mut alice, bob, began) = (device("alice", up), device("bob", down), Instant::now());
            over_websocket(line, WebSocketOptions::new(), &mut alice, bob);
            println!("{name}, {bytes} bytes {way}, WebSocket: {:.1} KB/s", rate(began));
        }
    }
}
