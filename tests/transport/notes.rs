//! The example `notes`, on two devices with a blind relay.

#[path = "../../examples/notes.rs"]
#[expect(dead_code, reason = "the tests call `run`, not `main`")]
mod example;

use std::path::Path;

use policysync::{Replica, ReplicaOptions};

use crate::server::{Peer, Server};

fn run(folder: &Path, command: &[&str]) -> String {
    let printed = example::run(folder, command).unwrap();
    example::has_shown(folder).unwrap();
    printed
}

#[test]
fn two_devices_share_notes_through_a_blind_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (phone, laptop) = (folder.path().join("phone"), folder.path().join("laptop"));
    let options = ReplicaOptions::new().space("example/notes").dangerously_accept_unverified();
    let relay = Server::honest(Peer::new(Replica::open(options).unwrap()));

    let milk = run(&phone, &["add", "Buy milk"]);
    assert_eq!(run(&phone, &["sync", &relay.url]), "sent 1, received 0; both have the same 1 operations");
    let unknown = run(&laptop, &["sync", &relay.url]);
    assert!(unknown.starts_with("sent 0, received 0; the rest is from devices that are not"), "{unknown}");
    assert_eq!(run(&laptop, &["list"]), "");

    let key_of_phone = run(&phone, &["key"]);
    assert_eq!(run(&laptop, &["accept", &key_of_phone]), "accepted");
    assert_eq!(run(&laptop, &["sync", &relay.url]), "sent 0, received 1; both have the same 1 operations");
    assert_eq!(run(&laptop, &["list"]), format!("{milk} Buy milk"));
    let actor = key_of_phone.split_whitespace().last().unwrap();
    // Killed before it has printed them, it shows them again.
    assert!(example::run(&laptop, &["changes"]).unwrap().ends_with(actor));
    assert_eq!(run(&laptop, &["changes"]), format!("{milk} Buy milk, by {actor}"));
    assert_eq!(run(&laptop, &["changes"]), "");

    assert_eq!(run(&laptop, &["edit", &milk, "Buy oat milk"]), "edited");
    run(&laptop, &["sync", &relay.url]);
    assert_eq!(run(&phone, &["accept", &run(&laptop, &["key"])]), "accepted");
    run(&phone, &["sync", &relay.url]);
    assert_eq!(run(&phone, &["list"]), format!("{milk} Buy oat milk"));

    run(&phone, &["delete", &milk]);
    run(&phone, &["sync", &relay.url]);
    run(&laptop, &["sync", &relay.url]);
    assert_eq!(run(&laptop, &["list"]), "");
    let changes = run(&laptop, &["changes"]);
    assert_eq!(changes, format!("{milk} deleted, by {actor}"));
}
