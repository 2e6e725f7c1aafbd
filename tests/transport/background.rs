//! Synchronization in the background: servers that are absent, restart and answer late.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use policysync::transport::{
    BackgroundOptions, BackgroundPhase, BackgroundStatus, ConnectionError, ConnectionOptions,
};
use policysync::{BackgroundSync, Replica, ReplicaOptions, SharedReplica, WallMillis, system_wall_clock};

use crate::devices::{NOW, device, device_with};
use crate::processes::{Relay, keys_file};
use crate::server::{Peer, Server, http};

const LONG: Duration = Duration::from_secs(20);

/// Starts the synchronization of a replica, with its statuses.
fn start(replica: &SharedReplica, url: &str) -> (BackgroundSync, Receiver<BackgroundStatus>) {
    let (sender, receiver) = mpsc::channel();
    let options = BackgroundOptions::new(url)
        .longest_pause(Duration::from_millis(300))
        .on_status(move |status| drop(sender.send(status.clone())));
    (BackgroundSync::start(replica.clone(), options).unwrap(), receiver)
}

/// Waits for a status.
fn until(
    statuses: &Receiver<BackgroundStatus>,
    is_it: impl Fn(&BackgroundStatus) -> bool,
) -> BackgroundStatus {
    let begin = moment();
    loop {
        let left = LONG.saturating_sub(begin.elapsed());
        let status = statuses.recv_timeout(left).expect("the status never comes");
        if is_it(&status) {
            return status;
        }
    }
}

/// Returns the present moment.
#[expect(clippy::disallowed_methods, reason = "a test measures how long a call takes")]
fn moment() -> Instant {
    Instant::now()
}

fn is_up_to_date(status: &BackgroundStatus) -> bool {
    status.phase == BackgroundPhase::Idle
        && status.result.as_ref().is_some_and(|result| result.is_converged())
}

fn set(replica: &SharedReplica, id: &str) {
    replica.lock().set(NOW, ("Note", id, "text"), "a note").unwrap();
}

/// Waits until the replica has a note.
fn until_there(replica: &SharedReplica, id: &str) {
    let mut observer = replica.observe_from(policysync::replica::StateCursor::START);
    let begin = moment();
    while begin.elapsed() < LONG {
        if observer.wait(LONG).unwrap().iter().any(|change| change.entity_id == id) {
            return;
        }
    }
    panic!("{id} never arrives");
}

/// Both transports: the server is absent, starts, restarts at the same address; notes go both ways.
#[test]
fn a_server_may_be_absent_at_first_and_restart() {
    for scheme in ["http", "ws"] {
        let folder = tempfile::tempdir().unwrap();
        let (file, keys) = (folder.path().join("relay.db"), keys_file(folder.path()));
        let mode = ["--keys", keys.to_str().unwrap()];
        // A port that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let url = format!("{scheme}://{address}/sync");
        let (alice, bob) = (SharedReplica::new(device_with("alice", 30)), SharedReplica::new(device("bob")));
        let (background, statuses) = start(&alice, &url);
        let failed = until(&statuses, |status| status.failures == 2);
        assert!(matches!(failed.phase, BackgroundPhase::Waiting { .. }), "{failed}");
        assert!(failed.error.as_ref().is_some_and(|error| error.is_temporary()), "{failed}");

        let relay = Relay::start_at(&address, &file, &mode);
        let status = until(&statuses, is_up_to_date);
        assert_eq!((status.failures, status.progress.sent), (0, 30), "{status}");
        assert!(status.error.is_none() && status.sessions == 1, "{status}");

        let (other, of_bob) = start(&bob, &url);
        until(&of_bob, is_up_to_date);
        assert_eq!(bob.lock().log().len(), 30);
        set(&alice, "from-alice");
        // Over HTTP bob has to ask.
        while bob.lock().get(("Note", "from-alice", "text")).unwrap().is_none() {
            other.sync_now();
            thread::sleep(Duration::from_millis(20));
        }

        relay.kill();
        set(&bob, "while-it-is-down");
        until(&of_bob, |status| status.failures > 0);
        let _relay = Relay::start_at(&address, &file, &mode);
        let mut observer = alice.observe();
        until(&of_bob, is_up_to_date);
        let begin = moment();
        let arrived = loop {
            background.sync_now();
            let changes = observer.wait(Duration::from_millis(50)).unwrap();
            if !changes.is_empty() {
                break changes;
            }
            assert!(begin.elapsed() < LONG, "{}", background.status());
        };
        assert_eq!((arrived[0].entity_id.as_str(), arrived[0].author()), ("while-it-is-down", Some("bob")));
        until_there(&alice, "while-it-is-down");
    }
}

/// A server that accepts connections and says nothing, and what it receives.
fn silent() -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().flatten() {
            // The request has begun to arrive.
            sender.send(stream.read(&mut [0]).unwrap()).unwrap();
            kept.push(stream);
        }
    });
    (address, receiver)
}

#[test]
fn the_replica_is_free_and_dropping_ends_at_once_while_the_network_waits() {
    for scheme in ["http", "ws"] {
        let (address, asked) = silent();
        let alice = SharedReplica::new(device("alice"));
        let (background, _statuses) = start(&alice, &format!("{scheme}://{address}/sync"));
        asked.recv_timeout(LONG).unwrap();
        let begin = moment();
        set(&alice, "meanwhile");
        assert!(begin.elapsed() < Duration::from_millis(500), "{scheme}: the write waited");
        // Even if the owner holds the lock.
        let guard = alice.lock();
        let begin = moment();
        drop(background);
        assert!(begin.elapsed() < Duration::from_secs(1), "{scheme}: {:?}", begin.elapsed());
        drop(guard);
    }
}

#[test]
fn dropping_ends_a_pause_at_once_and_closes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.db");
    let open = || {
        let options = policysync::ReplicaOptions::new().path(&path, system_wall_clock());
        policysync::Replica::open(options).unwrap()
    };
    let alice = SharedReplica::new(open());
    let options = BackgroundOptions::new("ws://127.0.0.1:1/").longest_pause(Duration::from_secs(3600));
    let background = BackgroundSync::start(alice.clone(), options).unwrap();
    thread::sleep(Duration::from_millis(100));
    let begin = moment();
    drop((background, alice));
    assert!(begin.elapsed() < Duration::from_secs(1));
    open();
}

#[test]
fn a_write_begins_a_session_over_http_by_itself() {
    let bob = Peer::new(device("bob"));
    let server = Server::honest(bob.clone());
    let alice = SharedReplica::new(device("alice"));
    let (_background, statuses) = start(&alice, &server.url);
    until(&statuses, is_up_to_date);
    set(&alice, "first");
    until(&statuses, |status| status.sessions == 2);
    assert!(bob.with(|bob| bob.get(("Note", "first", "text")).unwrap()).is_some());
    // What was written while a session was under way begins the next one.
    let (sender, begun) = mpsc::channel();
    let slow = Server::start({
        let bob = bob.clone();
        move |number, body| {
            if number == 0 {
                sender.send(number).unwrap();
                thread::sleep(Duration::from_millis(200));
            }
            bob.answer(body)
        }
    });
    let carol = SharedReplica::new(device("carol"));
    let (_background, statuses) = start(&carol, &slow.url);
    begun.recv_timeout(LONG).unwrap();
    set(&carol, "during");
    until(&statuses, |status| status.sessions == 2);
    assert!(bob.with(|bob| bob.get(("Note", "during", "text")).unwrap()).is_some());
}

#[test]
fn the_server_chooses_the_pause_if_it_wants_a_longer_one() {
    let server = Server::start(|_, _| {
        let later = b"HTTP/1.1 503 X\r\nretry-after: 3000\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        later.to_vec()
    });
    let alice = SharedReplica::new(device("alice"));
    let (background, statuses) = start(&alice, &server.url);
    let status = until(&statuses, |status| status.failures == 1);
    assert_eq!(status.phase, BackgroundPhase::Waiting { pause: Duration::from_secs(3000) });
    // The owner can want it earlier.
    background.sync_now();
    until(&statuses, |status| status.failures == 2);
}

#[test]
fn a_failure_that_needs_the_user_is_reported_and_tried_again() {
    let server = Server::start(|_, _| http(401, "text/plain", b""));
    let alice = SharedReplica::new(device("alice"));
    let (_background, statuses) = start(&alice, &server.url);
    let status = until(&statuses, |status| status.failures == 3);
    assert!(status.error.as_ref().is_some_and(|error| !error.is_temporary()), "{status}");
    assert!(
        status.to_string().ends_with("failures: 3, the last: the server answered with status 401"),
        "{status}"
    );
}

#[test]
fn options_that_cannot_work_are_refused_at_the_start() {
    let alice = SharedReplica::new(device("alice"));
    let refused = |options| BackgroundSync::start(alice.clone(), options).err();
    for url in ["ftp://a/", "ws://user:password@a/", "http://", ""] {
        let error = refused(BackgroundOptions::new(url));
        assert!(matches!(error, Some(ConnectionError::Url { .. })), "{url}: {error:?}");
    }
    for url in ["ws://a/", "http://a/"] {
        let connection = ConnectionOptions::new().bearer_token("a\nb");
        let error = refused(BackgroundOptions::new(url).connection(connection));
        assert!(matches!(error, Some(ConnectionError::Header(_))), "{url}: {error:?}");
    }
    let mut sink = Vec::new();
    assert!(write!(sink, "{:?}", BackgroundOptions::new("ws://a/")).is_ok() && !sink.is_empty());
}

#[test]
fn operations_that_become_due_are_merged_and_observed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("relay.db"), keys_file(folder.path()));
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _relay = Relay::start_at(&address, &file, &["--keys", keys.to_str().unwrap()]);
    for scheme in ["http", "ws"] {
        let options = ReplicaOptions::new().keys(crate::devices::keys()).max_drift(WallMillis(1000));
        let alice = SharedReplica::new(Replica::open(options).unwrap());
        let (_background, statuses) = start(&alice, &format!("{scheme}://{address}/sync"));
        until(&statuses, is_up_to_date);
        let mut observer = alice.observe();
        let soon = system_wall_clock().saturating_add(WallMillis(2500));
        let op = device("bob").set(soon, ("Note", scheme, "text"), "from a clock that is ahead").unwrap();
        alice.lock().ingest(system_wall_clock(), &op).unwrap();
        assert_eq!(alice.lock().held(), 1);
        let begin = moment();
        while !observer.wait(LONG).unwrap().iter().any(|change| change.entity_id == scheme) {
            assert!(begin.elapsed() < LONG, "{scheme}");
        }
    }
}

#[test]
fn a_panic_of_the_application_is_in_the_status() {
    let replica = SharedReplica::new(device("alice"));
    let options = BackgroundOptions::new("http://127.0.0.1:9/").on_status(|_| panic!("as a test"));
    let background = BackgroundSync::start(replica, options).unwrap();
    let begin = moment();
    while background.status().phase != BackgroundPhase::Stopped {
        assert!(begin.elapsed() < LONG, "{}", background.status());
        thread::sleep(Duration::from_millis(10));
    }
}
