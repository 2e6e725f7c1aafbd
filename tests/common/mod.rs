//! What several tests need: people with keys, replicas, a source of pseudo-random numbers.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::sign_op;
use policysync::{Hlc, Op, Replica, ReplicaOptions, SignedOp, SigningSecretKey, Value, WallMillis};

/// The time at which most tests take place.
pub const NOW: WallMillis = WallMillis(1_760_000_000_000);

pub fn crypto() -> Sodium {
    Sodium::new().expect("the bundled libsodium works")
}

/// An actor's key: always the same for the same name.
pub fn key(actor: &str) -> SigningSecretKey {
    let seed = crypto().hash(format!("policysync/tests/{actor}").as_bytes());
    SigningSecretKey::new(actor, KeyPair::from_seed(seed.as_bytes()).unwrap()).unwrap()
}

/// Options of a replica that knows these actors.
pub fn knowing(actors: &[&str]) -> ReplicaOptions {
    let mut keys = policysync::KeyRegistry::new();
    for actor in actors {
        keys.register(key(actor).public_key().clone()).unwrap();
    }
    ReplicaOptions::new().keys(keys)
}

/// A replica that only reads and knows these actors.
pub fn reader(actors: &[&str]) -> Replica {
    Replica::open(knowing(actors)).unwrap()
}

/// A signed operation: `actor` sets `Task t1 path` at this time.
pub fn set(actor: &str, t: u64, c: u32, path: &str, value: impl Into<Value>) -> SignedOp {
    let op = Op::lww_set(actor, Hlc::new(t, c).unwrap(), "Task", "t1", path, value).unwrap();
    sign_op(&crypto(), op, &key(actor)).unwrap()
}

/// So many different operations of Alice and Bob, about several kinds and about new entities throughout, their times
/// mixed; one in fifty is a fork of an earlier one.
pub fn many(count: u64) -> Vec<SignedOp> {
    let keys = ["alice", "bob"].map(key);
    let about = |number: u64| {
        let t = NOW.0 - 1 - (number - if number % 50 == 49 { 46 } else { 0 }) * 7919 % 100_003;
        let key = if number.is_multiple_of(2) { &keys[0] } else { &keys[1] };
        let kind = ["Task", "Note", "List"][usize::try_from(number % 3).unwrap()];
        let (id, path) = (format!("id{}", number / 5), format!("path{}", number % 4));
        let ts = Hlc::new(t, 0).unwrap();
        let op = Op::lww_set(key.public_key().actor(), ts, kind, &id, &path, number.to_string()).unwrap();
        sign_op(&crypto(), op, key).unwrap()
    };
    (0..count).map(about).collect()
}

/// A signed operation: `actor` deletes `Task t1 path` at this time.
pub fn delete(actor: &str, t: u64, c: u32, path: &str) -> SignedOp {
    let op = Op::lww_delete(actor, Hlc::new(t, c).unwrap(), "Task", "t1", path).unwrap();
    sign_op(&crypto(), op, &key(actor)).unwrap()
}

pub fn hex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "odd number of hex digits");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers for the same seed, on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
