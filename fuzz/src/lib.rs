//! Helpers of the fuzz targets: actors with keys, replicas, and a reader that turns bytes into decisions.

pub mod sync;

mod curve;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::replica::Labels;
use policysync::state::Folded;
use policysync::{
    Hlc, Incoming, KeyRegistry, Op, OpHash, Replica, ReplicaOptions, SignedOp, SigningSecretKey, Value,
    WallMillis,
};

/// The wall-clock time of every call.
pub const NOW: WallMillis = WallMillis(1_760_000_000_000);

/// The actors whose keys are known. The last two have different orders in UTF-16 and UTF-8.
pub const ACTORS: [&str; 4] = ["alice", "bob", "\u{FB33}", "\u{1F600}"];

/// Returns the library's cryptography.
pub fn crypto() -> Sodium {
    static CRYPTO: OnceLock<Sodium> = OnceLock::new();
    *CRYPTO.get_or_init(|| Sodium::new().expect("the bundled libsodium works"))
}

fn make_key(actor: &str, number: u8) -> SigningSecretKey {
    let seed = crypto().hash(format!("policysync/fuzz/{actor}/{number}").as_bytes());
    let pair = KeyPair::from_seed(seed.as_bytes()).expect("32 bytes are a seed");
    SigningSecretKey::new(actor, pair).expect("an identifier")
}

/// Returns two keys for each actor, in the order of [`ACTORS`].
pub fn keys() -> &'static [[SigningSecretKey; 2]] {
    static KEYS: OnceLock<Vec<[SigningSecretKey; 2]>> = OnceLock::new();
    KEYS.get_or_init(|| ACTORS.iter().map(|actor| [make_key(actor, 0), make_key(actor, 1)]).collect())
}

/// Returns options with all known keys and any label allowed.
pub fn knowing() -> ReplicaOptions {
    let mut registry = KeyRegistry::new();
    for key in keys().iter().flatten() {
        registry.register(key.public_key().clone()).expect("the keys differ");
    }
    ReplicaOptions::new().keys(registry).labels(Labels::Any)
}

/// Opens a replica that knows all keys and has no key of its own.
pub fn reader() -> Replica {
    Replica::open(knowing()).expect("memory suffices")
}

/// Opens a replica that accepts everything.
pub fn relay() -> Replica {
    Replica::open(knowing().dangerously_accept_unverified()).expect("memory suffices")
}

/// Returns a signed operation of the actor with this number.
pub fn set(actor: usize, t: u64, c: u32, path: &str, value: impl Into<Value>) -> SignedOp {
    sign_op(&crypto(), unsigned(actor, t, c, path, value), &keys()[actor][0]).expect("a key of the actor")
}

/// Returns an operation of the actor with this number.
pub fn unsigned(actor: usize, t: u64, c: u32, path: &str, value: impl Into<Value>) -> Op {
    let ts = Hlc::new(t, c).expect("a timestamp");
    Op::lww_set(ACTORS[actor], ts, ("Task", "t1", path), value).expect("identifiers")
}

/// JSON texts for the first corpus. Most of them are values.
pub const VALUES: [&str; 18] = [
    "null",
    "true",
    "false",
    "[1,2.5e-7,-3e300]",
    "{\"a\":{\"b\":[[],{}]},\"\u{e9}\":\"\u{1F600}\\u0000\\\"\"}",
    "9007199254740991",
    "-9007199254740991",
    "[0,-0,0.1,1e21,1e-7,5e-324,1.7976931348623157e308]",
    "\"\u{FB33}\u{202E}\u{7f}\"",
    "\"\\ud83d\\ude00\\n\\t\\/\\\\\\b\\f\\r\\u001f\"",
    "\"\\ud800\"",
    "{\"b\":1,\"a\":2,\"\\u0061\\u0062\":3}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"\u{FB33}\":1,\"\u{1F600}\":2}",
    " [ 1 , { } ,\r\n\t[ ] ] ",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "333333333.33333329",
    "[1e5,100000,1E+5,0.00001]",
];

/// Returns the operations in the corpora of both forms. No other operations were signed.
pub fn seed_ops() -> &'static [SignedOp] {
    static OPS: OnceLock<Vec<SignedOp>> = OnceLock::new();
    OPS.get_or_init(|| {
        let mut ops = Vec::new();
        for value in VALUES.iter().filter_map(|value| Value::parse(value).ok()) {
            ops.push(set(ops.len() % 4, NOW.0, 3, "a/b", value));
        }
        let other = Op::lww_set(ACTORS[3], Hlc::MAX, ("E", "\u{1F600}", "p"), "x").expect("identifiers");
        let other = other.in_space("home").and_then(|op| op.labelled("alice:1")).expect("identifiers");
        ops.push(sign_op(&crypto(), other, &keys()[3][1]).expect("the actor's key"));
        let delete = Op::lww_delete(ACTORS[0], Hlc::MIN, ("Task", "t1", "p")).expect("identifiers");
        ops.push(sign_op(&crypto(), delete, &keys()[0][0]).expect("the actor's key"));
        ops
    })
}

/// Ingests operations in one batch; all must be accepted.
pub fn ingest(replica: &mut Replica, ops: &[&SignedOp]) {
    let batch: Vec<Incoming<'_>> = ops.iter().map(|op| Incoming::Op(op)).collect();
    for answer in replica.ingest_batch(NOW, &batch).expect("no guard, no store") {
        answer.expect("a signed operation of a known actor");
    }
}

/// Returns the hashes of all operations of a replica.
pub fn hashes(replica: &Replica) -> BTreeSet<OpHash> {
    replica.log().iter().map(|entry| entry.expect("a log in memory").hash).collect()
}

/// Returns all operations of a replica in the order of arrival.
pub fn arrivals(replica: &Replica) -> Vec<SignedOp> {
    replica.log().since(Cursor::START).map(|entry| entry.expect("a log in memory").op).collect()
}

/// Checks that an error text is short and printable, so that it cannot forge a line of a log.
pub fn check_error(error: &dyn std::error::Error) {
    let mut error = Some(error);
    while let Some(current) = error {
        let text = current.to_string();
        assert!(!text.is_empty() && text.len() < 512, "{} bytes: {text}", text.len());
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
        error = current.source();
    }
}

/// Checks that the incrementally merged state equals a fold over the log.
pub fn check_fold(replica: &Replica) {
    let Some(horizon) = replica.horizon() else { return };
    let scratch = Folded::of(replica.log(), horizon);
    assert_eq!(scratch.digest(crypto()), replica.state_digest());
    let entities: BTreeSet<String> = arrivals(replica).iter().map(|op| op.op().entity().to_owned()).collect();
    for entity in &entities {
        let ids = replica.entities(entity);
        assert_eq!(scratch.entities(entity), ids);
        for id in ids {
            assert_eq!(scratch.entity(entity, &id), replica.entity(entity, &id));
        }
    }
}

/// Checks that two replicas with the same operations agree on everything.
pub fn check_same(a: &Replica, b: &Replica) {
    assert_eq!(a.log().digest(), b.log().digest());
    assert_eq!(a.state_digest(), b.state_digest());
    assert_eq!(a.held(), b.held());
    assert_eq!(a.next_due(), b.next_due());
    assert_eq!(a.log().forks(), b.log().forks());
    assert!(
        a.log()
            .iter()
            .map(|entry| entry.map(|entry| entry.hash))
            .eq(b.log().iter().map(|entry| entry.map(|entry| entry.hash)))
    );
}

/// A source of decisions. After the last byte all decisions are zero.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Creates a source of decisions from bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns true if no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes `len` bytes, or all that are left.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, left) = self.0.split_at(len.min(self.0.len()));
        self.0 = left;
        taken
    }

    /// Takes all bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Takes a number of two bytes.
    pub fn short(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    /// Takes a number of eight bytes.
    pub fn long(&mut self) -> u64 {
        (0..8).fold(0, |number, at| number | u64::from(self.byte()) << (8 * at))
    }

    /// Takes a number below a limit of at most 256.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// Takes a piece after its length in one byte. The last piece may be shorter.
    pub fn piece(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    /// Takes a piece after its length in two bytes. The last piece may be shorter.
    pub fn long_piece(&mut self) -> &'a [u8] {
        let len = self.short();
        self.take(len)
    }

    /// Takes one of the choices.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
