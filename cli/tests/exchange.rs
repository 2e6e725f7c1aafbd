//! Bundles and sessions, as a person uses them.

mod common;
#[path = "../src/demo/http.rs"]
mod http;

use std::fs;
use std::net::TcpListener;

use common::{Desk, member};
use http::{Response, Server};
use policysync::transport::{HTTP_CONTENT_TYPE, HttpRequest};
use policysync::{
    KeyRegistry, Replica, ReplicaOptions, Responder, SyncOptions, answer_http, system_wall_clock,
};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.actor("alice");
    desk.actor("bob");
    desk.set("alice.db", "alice", "t1", "Buy bread");
    desk.set("alice.db", "alice", "t2", "Call the plumber");
    desk.set("bob.db", "bob", "t3", "Pay the rent");
    desk
}

const ALICE: [&str; 4] = ["--store", "alice.db", "--keys", "keys.txt"];
const BOB: [&str; 4] = ["--store", "bob.db", "--keys", "keys.txt"];

fn with<'w>(words: &[&'w str], store: &[&'w str]) -> Vec<&'w str> {
    [words, store].concat()
}

#[test]
fn a_bundle_carries_operations() {
    let desk = desk();
    let exported = desk.json(&with(&["bundle", "export", "a.bundle"], &ALICE));
    assert_eq!((member(&exported, "operations"), member(&exported, "position")), ("2".into(), "2".into()));
    assert_eq!(desk.ok(&with(&["bundle", "import", "a.bundle"], &BOB)), "received 2, duplicates 0\n");
    let imported = desk.json(&with(&["bundle", "import", "a.bundle"], &BOB));
    assert_eq!((member(&imported, "received"), member(&imported, "duplicates")), ("0".into(), "2".into()));
    assert_eq!(desk.ok(&with(&["show", "Task"], &BOB)).lines().count(), 6);

    desk.set("alice.db", "alice", "t4", "Water the plants");
    let line = desk.ok(&with(&["bundle", "export", "b.bundle", "--since", "2"], &ALICE));
    assert!(line.starts_with("exported 1, ") && line.ends_with("next: --since 3\n"), "{line}");
}

#[test]
fn a_bundle_is_never_written_over_a_file() {
    let desk = desk();
    desk.write("a.bundle", b"precious");
    desk.fails(&with(&["bundle", "export", "a.bundle"], &ALICE), 6, "a.bundle");
    assert_eq!(desk.read("a.bundle"), "precious");
    desk.fails(&with(&["bundle", "export", "no/such/a.bundle"], &ALICE), 6, "no/such");
    desk.fails(&with(&["bundle", "export", "b.bundle", "--since", "99999999999"], &ALICE), 2, "--since");
    assert!(!desk.path("b.bundle").exists());
}

#[test]
fn a_bundle_that_was_tampered_with_brings_only_genuine_operations() {
    let desk = desk();
    desk.ok(&with(&["bundle", "export", "good"], &ALICE));
    let good = fs::read(desk.path("good")).unwrap();
    let import = with(&["bundle", "import", "bad"], &BOB);
    let mut altered = good.clone();
    let at = altered.windows(9).position(|window| window == b"Buy bread").unwrap();
    altered[at] ^= 1;
    for (bytes, what, held) in [
        (altered, "damaged", 1),
        (b"not a bundle at all".to_vec(), "not a bundle", 1),
        (Vec::new(), "cut short", 1),
        // The damage is after the operations, which are whole and verified: they stay.
        (good[..good.len() - 1].to_vec(), "cut short", 3),
        ([&good[..], b"x"].concat(), "bytes follow", 3),
    ] {
        desk.write("bad", &bytes);
        desk.fails(&import, 3, what);
        assert_eq!(desk.ok(&with(&["log"], &BOB)).lines().count(), held, "{what}");
    }
    desk.fails(&with(&["bundle", "import", "none"], &BOB), 6, "none");
}

#[test]
fn a_bundle_by_strangers_is_refused() {
    let desk = desk();
    desk.ok(&with(&["bundle", "export", "a.bundle"], &ALICE));
    let stranger = ["--store", "carol.db"];
    let run = desk.run(&with(&["bundle", "import", "a.bundle"], &stranger));
    assert_eq!(run.code, 1);
    assert_eq!(run.out, "received 0, duplicates 0\nrefused 2: by a key that is not known\n");
    let json = desk.json(&with(&["bundle", "import", "a.bundle"], &stranger));
    assert_eq!(json.to_serde()["refused"]["unknownKey"], 2);
    let home = ["--store", "home.db", "--space", "home", "--keys", "keys.txt"];
    desk.fails(&with(&["bundle", "import", "a.bundle"], &home), 1, "another space");
}

/// Starts a relay in memory that knows the keys of `keys.txt`, or admits everything.
fn relay(desk: &Desk, blind: bool) -> Server {
    let keys = KeyRegistry::from_text(&desk.read("keys.txt")).unwrap();
    let mut options = ReplicaOptions::new().keys(keys);
    if blind {
        options = options.dangerously_accept_unverified();
    }
    let mut replica = Replica::open(options).unwrap();
    let mut responder = Responder::new([7; 32], SyncOptions::new());
    let limit = responder.max_message_bytes();
    let server = Server::start(limit, move |request| {
        let content_type = request.content_type.as_deref();
        let request = HttpRequest { method: &request.method, content_type, body: &request.body };
        let answer = answer_http(&mut responder, &mut replica, system_wall_clock(), &request);
        Response { status: answer.status, content_type: HTTP_CONTENT_TYPE, body: answer.body }
    });
    server.unwrap()
}

/// Starts a server that always answers with this.
fn server(status: u16, content_type: &'static str) -> Server {
    Server::start(1 << 24, move |_| Response { status, content_type, body: Vec::new() }).unwrap()
}

fn url(server: &Server) -> String {
    format!("http://{}/sync", server.address())
}

#[test]
fn two_devices_meet_at_a_relay() {
    let desk = desk();
    let relay = relay(&desk, false);
    let url = url(&relay);
    let first = desk.ok(&with(&["sync", &url], &ALICE));
    assert_eq!(first, "sent 2, received 0, duplicates 0\nboth hold the same 2 operations\n");
    let second = desk.json(&with(&["sync", &url], &BOB));
    for (name, value) in [("converged", "true"), ("operations", "3"), ("received", "2"), ("sent", "1")] {
        assert_eq!(member(&second, name), value);
    }
    desk.ok(&with(&["sync", &url], &ALICE));
    assert_eq!(desk.ok(&with(&["show", "Task"], &ALICE)), desk.ok(&with(&["show", "Task"], &BOB)));
}

#[test]
fn a_session_is_traced_on_request_also_if_it_fails() {
    let desk = desk();
    let relay = relay(&desk, false);
    let url = url(&relay);
    let run = desk.run(&with(&["sync", &url, "--trace"], &ALICE));
    assert!(run.out.starts_with("sent 2, "), "{}", run.out);
    assert!(run.err.starts_with("sessions 1, steps 2, dropped 0\nsession 1 +0 ms: asked "), "{}", run.err);
    assert!(run.err.contains(", acknowledged 2;") && !run.err.contains("alice"), "{}", run.err);
    let broken = server(200, HTTP_CONTENT_TYPE);
    let run = desk.run(&with(&["sync", &format!("http://{}/", broken.address()), "--trace"], &ALICE));
    assert!(run.code != 0 && run.err.contains("steps 1, ") && run.err.contains("; error: "), "{}", run.err);
}

#[test]
fn a_session_that_does_not_converge_says_so() {
    let desk = desk();
    let relay = relay(&desk, true);
    let url = url(&relay);
    desk.ok(&with(&["sync", &url], &ALICE));
    let run = desk.run(&["sync", &url, "--store", "bob.db", "--key", "bob.key"]);
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    let text = "sent 1, received 0, duplicates 0\nrefused 2: by a key that is not known\n\
                the server does not hold the same operations\n";
    assert_eq!(run.out, text);
    let json = desk.json(&["sync", &url, "--store", "bob.db", "--key", "bob.key"]);
    assert_eq!((member(&json, "converged"), member(&json, "operations")), ("false".into(), "null".into()));
}

#[test]
fn faults_of_the_network_and_the_server_have_codes() {
    let desk = desk();
    let fails = |url: &str, code, text| {
        desk.fails(&with(&["sync", url, "--retry-for", "0"], &ALICE), code, text);
    };
    fails("http://no-such-host.invalid/", 5, "");
    let closed = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    fails(&closed, 5, "connection");
    for (status, code, text) in [
        (500, 5, "status 500"),
        (503, 5, "status 503"),
        (429, 5, "status 429"),
        (404, 3, "status 404"),
        (301, 3, "redirects"),
        (401, 4, "--token-file"),
        (403, 4, "--token-file"),
    ] {
        fails(&url(&server(status, "text/plain")), code, text);
    }
    fails(&url(&server(302, "text/plain")), 5, "login page");
    fails(&url(&server(200, "text/html")), 5, "login page");
    fails(&url(&server(200, HTTP_CONTENT_TYPE)), 3, "not a message");
    for wrong in ["localhost", "ftp://localhost/", "http://", ""] {
        fails(wrong, 2, "URL");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn an_https_address_names_the_feature_that_is_missing() {
    let desk = desk();
    desk.fails(&with(&["sync", "https://localhost/"], &ALICE), 2, "--features tls");
}

#[test]
fn a_token_comes_from_a_private_file() {
    let desk = desk();
    let relay = relay(&desk, false);
    let url = url(&relay);
    let sync = with(&["sync", &url, "--token-file", "token"], &ALICE);
    desk.fails(&sync, 6, "token");
    desk.write_secret("token", "s3cret\n");
    desk.ok(&sync);
    desk.write_secret("token", "two words\u{1}");
    desk.fails(&sync, 2, "");
    #[cfg(unix)]
    {
        common::set_mode(&desk.path("token"), 0o644);
        desk.fails(&sync, 4, "chmod 600");
    }
}
