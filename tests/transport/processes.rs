//! The example relay as a process, which is killed and restarted.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use policysync::sync::{Alert, SessionResult};
use policysync::transport::{
    ConnectionOptions, HttpError, HttpOptions, NetStream, WaitResult, WebSocketError, WebSocketOptions,
};
use policysync::{
    HttpClient, Replica, SyncError, SyncOptions, SyncSession, WebSocketClient, system_wall_clock,
};

use crate::devices::{assert_same, device, device_with, key, write};
use crate::server::proceed;
use crate::tools::relay;

pub struct Relay {
    process: Child,
    address: String,
    greeting: String,
}

impl Relay {
    fn start(file: &Path, mode: &[&str]) -> Self {
        Self::start_with("127.0.0.1:0", file, mode, None)
    }

    pub fn start_at(address: &str, file: &Path, mode: &[&str]) -> Self {
        Self::start_with(address, file, mode, None)
    }

    /// Starts a relay with a token in the environment.
    fn start_with(address: &str, file: &Path, mode: &[&str], token: Option<&str>) -> Self {
        let mut process = Command::new(relay())
            .args(["--listen", address, "--file"])
            .arg(file)
            .args(mode)
            .env_remove("RELAY_TOKEN")
            .envs(token.map(|token| ("RELAY_TOKEN", token)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let address = greeting.strip_prefix("listening on ").and_then(|rest| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("the relay prints {greeting:?}")).to_owned();
        Self { process, address, greeting }
    }

    fn http(&self) -> HttpClient {
        let options = HttpOptions::new().retry_for(Duration::ZERO);
        HttpClient::new(&format!("http://{}/sync", self.address), options).unwrap()
    }

    fn line(&self) -> WebSocketClient<NetStream> {
        self.try_line(WebSocketOptions::new()).unwrap()
    }

    fn try_line(&self, options: WebSocketOptions) -> Result<WebSocketClient<NetStream>, WebSocketError> {
        let url = format!("ws://{}/sync", self.address);
        WebSocketClient::connect(&url, options, system_wall_clock)
    }

    /// Kills the process (SIGKILL), which gets no chance to clean up.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // A failing test would leave it running.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Writes a file with the keys of alice, bob and carol for the relay.
pub fn keys_file(folder: &Path) -> PathBuf {
    let file = folder.join("keys.txt");
    std::fs::write(&file, ["alice", "bob", "carol"].map(key_line).concat()).unwrap();
    file
}

fn key_line(actor: &str) -> String {
    key(actor).public_key().to_text() + "\n"
}

fn sync(client: &HttpClient, replica: &mut Replica) -> SessionResult {
    let proceed = |_: &_| ControlFlow::Continue(());
    client.sync(replica, SyncOptions::new(), system_wall_clock, proceed).unwrap().result
}

/// Runs the line until the condition holds.
fn until(
    line: &mut WebSocketClient<NetStream>,
    replica: &mut Replica,
    done: impl Fn(&WebSocketClient<NetStream>, &Replica) -> bool,
) {
    for _ in 0..1000 {
        line.work(replica, system_wall_clock()).unwrap();
        if done(line, replica) {
            return;
        }
        assert_ne!(line.wait(system_wall_clock()).unwrap(), WaitResult::Closed);
    }
    panic!("the condition never holds");
}

#[test]
fn two_clients_over_http_converge_although_the_relay_is_killed_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("relay.db"), keys_file(folder.path()));
    let mode = ["--keys", keys.to_str().unwrap()];
    let (mut alice, mut bob) = (device_with("alice", 2000), device_with("bob", 2000));
    for replica in [&mut alice, &mut bob] {
        for number in 0..4 {
            let blob = "x".repeat(700_000);
            replica.set(system_wall_clock(), ("Blob", &format!("{number}"), "data"), blob.as_str()).unwrap();
        }
    }

    let relay = Relay::start(&file, &mode);
    assert!(relay.greeting.contains("verifying, 0 operations"), "{}", relay.greeting);
    // The relay dies after it received some of alice's operations.
    let client = relay.http();
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    for _ in 0..3 {
        let request = session.next_message(&alice).unwrap().unwrap();
        let answer = client.exchange(&request, 1_114_112, proceed).unwrap();
        session.receive(&mut alice, system_wall_clock(), &answer).unwrap();
    }
    let request = session.next_message(&alice).unwrap().expect("there is more to send");
    relay.kill();
    let error = client.exchange(&request, 1_114_112, proceed).unwrap_err();
    assert!(error.is_temporary(), "{error:?}");

    // It still has the operations that it acknowledged.
    let relay = Relay::start(&file, &mode);
    let count =
        relay.greeting.trim().trim_end_matches(" operations").rsplit(' ').next().unwrap().parse::<u64>();
    assert!(
        count.as_ref().is_ok_and(|count| *count >= session.progress().sent && *count < 2004),
        "{}",
        relay.greeting
    );
    assert!(session.progress().sent > 0);
    let client = relay.http();
    assert!(sync(&client, &mut alice).is_converged());
    assert!(sync(&client, &mut bob).is_converged());
    assert!(sync(&client, &mut alice).is_converged());
    assert_same(&alice, &bob);
    assert_eq!(alice.log().len(), 4008);
}

#[test]
fn two_clients_over_websocket_exchange_writes_at_once_and_after_the_relay_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("relay.db"), keys_file(folder.path()));
    let mode = ["--keys", keys.to_str().unwrap()];
    let (mut alice, mut bob) = (device_with("alice", 50), device_with("bob", 70));

    let relay = Relay::start(&file, &mode);
    let (mut to_alice, mut to_bob) = (relay.line(), relay.line());
    until(&mut to_alice, &mut alice, |line, _| line.is_pushing());
    until(&mut to_bob, &mut bob, |line, _| line.is_pushing());
    until(&mut to_alice, &mut alice, |_, alice| alice.log().len() == 120);
    for round in 0..3 {
        alice.set(system_wall_clock(), ("Note", &format!("{round}"), "text"), "hello").unwrap();
        to_alice.work(&mut alice, system_wall_clock()).unwrap();
        until(&mut to_bob, &mut bob, |_, bob| bob.log().len() == alice.log().len());
        assert_same(&alice, &bob);
    }

    relay.kill();
    alice.set(system_wall_clock(), ("Note", "while", "text"), "the relay was down").unwrap();
    let broken = loop {
        let now = system_wall_clock();
        if let Err(error) = to_alice.wait(now).and_then(|_| to_alice.work(&mut alice, now)) {
            break error;
        }
    };
    assert!(broken.is_temporary(), "{broken:?}");

    let relay = Relay::start(&file, &mode);
    assert!(relay.greeting.contains(", 123 operations"), "{}", relay.greeting);
    let (mut to_alice, mut to_bob) = (relay.line(), relay.line());
    until(&mut to_alice, &mut alice, |line, _| line.is_pushing());
    until(&mut to_bob, &mut bob, |_, bob| bob.log().len() == 124);
    assert_same(&alice, &bob);
}

#[test]
fn only_a_blind_relay_passes_on_operations_of_an_unknown_key() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys_file(folder.path());
    let mut mallory = Replica::open(policysync::ReplicaOptions::new().write_as(key("mallory"))).unwrap();
    write(&mut mallory, 5);

    let verifying = Relay::start(&folder.path().join("1.db"), &["--keys", keys.to_str().unwrap()]);
    let finish = sync(&verifying.http(), &mut mallory);
    let SessionResult::ConvergedExcept { refused_by_peer, .. } = finish else { panic!("{finish:?}") };
    assert_eq!(refused_by_peer.unknown_key, 5);

    let blind = Relay::start(&folder.path().join("2.db"), &["--blind"]);
    assert!(blind.greeting.contains("blind"), "{}", blind.greeting);
    assert!(sync(&blind.http(), &mut mallory).is_converged());
    let mut alice = device("alice");
    let finish = sync(&blind.http(), &mut alice);
    let SessionResult::ConvergedExcept { refused, .. } = finish else { panic!("{finish:?}") };
    assert_eq!(refused.unknown_key, 5);
    assert_eq!(alice.log().len(), 0);
}

#[test]
fn a_relay_with_a_token_refuses_clients_without_it() {
    const TOKEN: &str = "wdRHpc2vJ0.q~X-4_a+/==";
    let connection = ConnectionOptions::new;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
    let in_a_file = ["--blind", "--token-file", token_file.to_str().unwrap()];
    for (number, (mode, token)) in
        [(&in_a_file[..], None), (&["--blind"], Some(TOKEN))].into_iter().enumerate()
    {
        let relay =
            Relay::start_with("127.0.0.1:0", &folder.path().join(format!("{number}.db")), mode, token);
        let url = format!("http://{}/sync", relay.address);
        let mut alice = device_with("alice", 3);
        for options in [
            connection(),
            connection().bearer_token("wrong"),
            connection().bearer_token(&TOKEN[..TOKEN.len() - 1]),
            connection().bearer_token(&format!("{TOKEN}=")),
            connection().header("Authorization", &format!("Basic {TOKEN}")),
            connection().header("X-Authorization", &format!("Bearer {TOKEN}")),
        ] {
            let client = HttpClient::new(&url, HttpOptions::new().connection(options)).unwrap();
            let proceed = |_: &_| ControlFlow::Continue(());
            let error = client.sync(&mut alice, SyncOptions::new(), system_wall_clock, proceed).unwrap_err();
            assert!(matches!(error, HttpError::Status { status: 401, .. }), "{error:?}");
            assert_eq!(error.to_string(), "the server answered with status 401");
            assert!(!error.is_temporary());
        }
        for options in [connection(), connection().bearer_token("wrong")] {
            let error = relay.try_line(WebSocketOptions::new().connection(options)).err().unwrap();
            assert!(matches!(error, WebSocketError::Status { status: 401 }), "{error:?}");
            assert!(error.to_string().contains("status 401") && !error.is_temporary());
        }

        let client =
            HttpClient::new(&url, HttpOptions::new().connection(connection().bearer_token(TOKEN))).unwrap();
        assert!(sync(&client, &mut alice).is_converged());
        let mut carol = device("carol");
        let mut line =
            relay.try_line(WebSocketOptions::new().connection(connection().bearer_token(TOKEN))).unwrap();
        until(&mut line, &mut carol, |line, _| line.is_pushing());
        assert_same(&alice, &carol);
    }
}

#[cfg(unix)]
#[test]
fn sigterm_closes_the_lines_and_ends_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(&folder.path().join("relay.db"), &["--blind"]);
    let mut alice = device_with("alice", 1);
    let mut line = relay.line();
    until(&mut line, &mut alice, |line, _| line.is_pushing());
    let id = relay.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let closed = (0..1000).any(|_| line.wait(system_wall_clock()).unwrap() == WaitResult::Closed);
    assert!(closed);
    assert_eq!(relay.process.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn sigterm_ends_the_relay_although_a_client_does_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("relay.db"), folder.path().join("secret"));
    std::fs::write(&secret, [5; 32]).unwrap();
    let mut relay = Relay::start(&file, &["--blind", "--secret", secret.to_str().unwrap()]);
    // Sends requests without reading the answers until the sockets are full.
    let mut stream = TcpStream::connect(&relay.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let request = b"POST /sync HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n".repeat(1000);
    while stream.write_all(&request).is_ok() {}
    let id = relay.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let code = (0..400).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        relay.process.try_wait().unwrap()
    });
    assert_eq!(code.expect("the relay does not end").code(), Some(0));
    assert!(folder.path().join("relay.db.sessions").exists());
}

#[test]
fn a_relay_survives_invalid_messages_and_refuses_them() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start(&folder.path().join("relay.db"), &["--blind"]);
    let refusal = SyncError::AlertReceived(Alert::Message).to_alert();
    assert_eq!(relay.http().exchange(b"nonsense", 1000, proceed).unwrap(), refusal);
    let error = relay.http().exchange(&vec![0; 1_114_113], 1000, proceed).unwrap_err();
    // The status, or a connection that breaks before the request is complete.
    assert!(matches!(error, HttpError::RequestTooLarge { len: 1_114_113 }), "{error:?}");

    let stream = std::net::TcpStream::connect(&relay.address).unwrap();
    let (mut socket, _) = tungstenite::client(format!("ws://{}/sync", relay.address), stream).unwrap();
    socket.send(tungstenite::Message::binary(b"nonsense".to_vec())).unwrap();
    let mut answer = socket.read().unwrap();
    while answer.is_ping() {
        answer = socket.read().unwrap();
    }
    assert_eq!(answer.into_data(), refusal);
    assert!(socket.read().unwrap().is_close());

    let mut alice = device_with("alice", 3);
    assert!(sync(&relay.http(), &mut alice).is_converged());
}

#[test]
fn a_relay_that_cannot_start_prints_the_reason() {
    for (arguments, reason) in [
        (&["--file", "x.db"][..], "either --keys or --blind"),
        (&["--blind"], "--file is missing"),
        (&["--file", "x.db", "--keys", "missing.txt"], "missing.txt: "),
        (&["--file", "x.db", "--blind", "--secret", "none"], "none: "),
        (&["--colour"], "--colour is not an option"),
        (&["--file", "x.db", "--blind", "--token-file", "missing.txt"], "missing.txt: "),
        (&["--file", "x.db", "--blind", "--token-file", "/dev/null"], "the token is empty"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(relay()).args(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason), "{output:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_relay_with_a_secret_resumes_sessions_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("relay.db"), folder.path().join("secret"));
    std::fs::write(&secret, [5; 32]).unwrap();
    let mode = ["--blind", "--secret", secret.to_str().unwrap()];
    let mut alice = device_with("alice", 300);
    let base_after = |relay: &Relay, alice: &mut Replica, options: SyncOptions| {
        let proceed = |_: &_| ControlFlow::Continue(());
        match relay.http().sync(alice, options, system_wall_clock, proceed).unwrap().result {
            SessionResult::Converged { resume: Some(token), .. } => token,
            other => panic!("{other:?}"),
        }
    };
    let is_known = |relay: &Relay, alice: &Replica, base: &policysync::sync::ResumeToken| {
        let mut session = SyncSession::new(SyncOptions::new().resume(base.clone()), [9; 16]);
        let hello = session.next_message(alice).unwrap().unwrap();
        // After the nonce and two bytes of the cursor, the answer has a byte that is 1 if the session resumes.
        relay.http().exchange(&hello, 2_000_000, proceed).unwrap()[30] == 1
    };
    let mut relay = Relay::start(&file, &mode);
    let base = base_after(&relay, &mut alice, SyncOptions::new());
    assert!(is_known(&relay, &alice, &base));
    let terminated = Command::new("kill").arg(relay.process.id().to_string()).status().unwrap();
    assert!(terminated.success() && relay.process.wait().unwrap().success());

    let relay = Relay::start(&file, &mode);
    assert!(is_known(&relay, &alice, &base));
    write(&mut alice, 1);
    base_after(&relay, &mut alice, SyncOptions::new().resume(base.clone()));
    relay.kill();

    // With another secret the sessions are refused, and the relay runs without them.
    std::fs::write(&secret, [6; 32]).unwrap();
    let relay = Relay::start(&file, &mode);
    assert!(!is_known(&relay, &alice, &base));
    base_after(&relay, &mut alice, SyncOptions::new().resume(base));
}

#[test]
fn a_key_that_is_added_to_the_file_is_registered_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.txt");
    std::fs::write(&keys, key_line("alice")).unwrap();
    let relay = Relay::start(&folder.path().join("relay.db"), &["--keys", keys.to_str().unwrap()]);
    let mut bob = device_with("bob", 5);
    assert!(!sync(&relay.http(), &mut bob).is_converged());
    // A faulty file changes nothing.
    std::fs::write(&keys, "bob\n").unwrap();
    thread::sleep(Duration::from_secs(2));
    assert!(!sync(&relay.http(), &mut bob).is_converged());
    std::fs::write(&keys, [key_line("alice"), key_line("bob")].concat()).unwrap();
    let known = (3..60).any(|_| {
        thread::sleep(Duration::from_millis(500));
        sync(&relay.http(), &mut bob).is_converged()
    });
    assert!(known, "the key was never registered");
}

#[test]
fn connections_that_send_next_to_nothing_do_not_keep_others_from_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let mode = ["--blind", "--connections", "60"];
    let relay = Relay::start(&folder.path().join("relay.db"), &mode);
    let mut alice = device_with("alice", 5);
    let mut line = relay.line();
    until(&mut line, &mut alice, |line, _| line.is_pushing());
    let mut slow = Vec::new();
    for round in 0..4_u8 {
        // Each sends a byte of a request, or nothing.
        for number in 0..60 {
            let mut stream = TcpStream::connect(&relay.address).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"P").unwrap();
            }
            slow.push(stream);
        }
        let began = system_wall_clock();
        let mut bob = device_with("bob", u64::from(round));
        assert!(sync(&relay.http(), &mut bob).is_converged());
        assert!(system_wall_clock().0 < began.0 + 10_000);
    }
    // The line has kept its place.
    alice.set(system_wall_clock(), ("Note", "1", "text"), "after the flood").unwrap();
    for _ in 0..20 {
        line.work(&mut alice, system_wall_clock()).unwrap();
        assert_ne!(line.wait(system_wall_clock()).unwrap(), WaitResult::Closed);
    }
    let mut carol = device("carol");
    sync(&relay.http(), &mut carol);
    assert_eq!(carol.get(("Note", "1", "text")).unwrap(), Some("after the flood".into()));
}
