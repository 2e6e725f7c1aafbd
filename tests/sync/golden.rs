//! Test of the bytes of a session and of a bundle, which are fixed. The manual's `format` page describes them.

use std::fmt::Write as _;

use policysync::bundle;
use policysync::oplog::Cursor;
use policysync::sync::Alert;
use policysync::{Incoming, Replica, ReplicaOptions, SignedOp};

use crate::common::{NOW, delete, knowing, set};
use crate::link::{responder, session};

fn replica(ops: &[SignedOp]) -> Replica {
    let options: ReplicaOptions = knowing(&["alice", "bob"]);
    let mut replica = Replica::open(options).unwrap();
    let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::Op).collect();
    assert!(replica.ingest_batch(NOW, &batch).unwrap().iter().all(Result::is_ok));
    replica
}

fn line(file: &mut String, name: &str, bytes: &[u8]) {
    write!(file, "{name}: ").unwrap();
    for byte in bytes {
        write!(file, "{byte:02x}").unwrap();
    }
    file.push('\n');
}

/// Returns the bytes of a session in this version, and of a bundle.
fn session_and_bundle(version: u8) -> String {
    let t = 1_760_000_000_000 - 1000;
    let common: Vec<SignedOp> = (0..20).map(|n| set("alice", t + n, 0, "title", "x")).collect();
    let alices = [set("alice", t + 30, 0, "title", true), delete("alice", t + 30, 1, "done")];
    let bobs = [set("bob", t + 25, 3, "a/b", "é")];
    let mut ours = replica(&[common.clone(), alices.to_vec()].concat());
    let mut theirs = replica(&[common, bobs.to_vec()].concat());

    let mut file = String::new();
    let (mut session, mut responder) = (session(1), responder());
    while let Some(request) = session.next_message(&ours).unwrap() {
        if request[1] != version {
            session.receive(&mut ours, NOW, &Alert::Version.to_message()).unwrap();
            continue;
        }
        line(&mut file, "request", &request);
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        line(&mut file, "answer", &reply.message);
        session.receive(&mut ours, NOW, &reply.message).unwrap();
    }
    assert!(session.result().is_some_and(policysync::sync::SessionResult::is_converged));
    let mut bundle = Vec::new();
    bundle::export_since(&ours, Cursor::START, &mut bundle).unwrap();
    line(&mut file, "bundle", &bundle);
    file
}

#[test]
fn the_bytes_of_a_session_and_of_a_bundle_are_those_of_their_version() {
    for version in [1, 2] {
        let file = session_and_bundle(version);
        let name = format!("sync-v{version}.txt");
        let expected = std::fs::read_to_string(format!("tests/golden/{name}")).unwrap_or_default();
        if file != expected {
            let new = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&new, file).unwrap();
            panic!("tests/golden/{name} has other bytes than {new}");
        }
    }
}
