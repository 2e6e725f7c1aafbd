//! Replicas that know each other's keys.

use policysync::crypto::{KeyPair, Sodium};
use policysync::{
    KeyRegistry, Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, WallMillis,
};

pub const NOW: WallMillis = WallMillis(1_760_000_000_000);
const NAMES: [&str; 12] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl", "laura"];

pub fn key(actor: &str) -> SigningSecretKey {
    let seed = Sodium::new().unwrap().hash(actor.as_bytes());
    SigningSecretKey::new(actor, KeyPair::from_seed(seed.as_bytes()).unwrap()).unwrap()
}

/// The keys of everybody here.
pub fn keys() -> KeyRegistry {
    let mut keys = KeyRegistry::new();
    for name in NAMES {
        keys.register(key(name).public_key().clone()).unwrap();
    }
    keys
}

/// A device in memory that knows everybody.
pub fn device(actor: &str) -> Replica {
    Replica::open(ReplicaOptions::new().keys(keys()).write_as(key(actor))).unwrap()
}

/// The same, with so many operations.
pub fn device_with(actor: &str, ops: u64) -> Replica {
    let mut replica = device(actor);
    write(&mut replica, ops);
    replica
}

pub fn write(replica: &mut Replica, ops: u64) {
    for number in 0..ops {
        replica.set(NOW, "Task", &format!("t{number}"), "title", "a title of some length").unwrap();
    }
}

pub fn responder() -> Responder {
    Responder::new([42; 32], SyncOptions::new())
}

pub fn assert_same(a: &Replica, b: &Replica) {
    assert_eq!(a.log().digest(), b.log().digest());
    assert_eq!(a.state_digest(), b.state_digest());
}
