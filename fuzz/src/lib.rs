//! What the fuzz targets share: people with keys, replicas, and a reader that makes decisions of bytes.

pub mod sync;

mod curve;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use policysync::{Hlc, Incoming, KeyRegistry, Op, OpHash, Replica, ReplicaOptions, SignedOp, SigningSecretKey, Value, WallMillis};
use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::replica::Labels;
use policysync::state::Folded;

/// The time at which everything takes place.
pub const NOW: WallMillis = WallMillis(1_760_000_000_000);

/// Everybody whose key is known. By UTF-16 the last two stand the other way round than by UTF-8.
pub const ACTORS: [&str; 4] = ["alice", "bob", "\u{FB33}", "\u{1F600}"];

/// The library's cryptography.
pub fn crypto() -> Sodium {
    static CRYPTO: OnceLock<Sodium> = OnceLock::new();
    *CRYPTO.get_or_init(|| Sodium::new().expect("the bundled libsodium works"))
}

fn make_key(actor: &str, number: u8) -> SigningSecretKey {
    let seed = crypto().hash(format!("policysync/fuzz/{actor}/{number}").as_bytes());
    let pair = KeyPair::from_seed(seed.as_bytes()).expect("32 bytes are a seed");
    SigningSecretKey::new(actor, pair).expect("an identifier")
}

/// The keys of everybody: two for each, in the order of [`ACTORS`].
pub fn keys() -> &'static [[SigningSecretKey; 2]] {
    static KEYS: OnceLock<Vec<[SigningSecretKey; 2]>> = OnceLock::new();
    KEYS.get_or_init(|| ACTORS.iter().map(|actor| [make_key(actor, 0), make_key(actor, 1)]).collect())
}

/// Options of a replica that knows everybody's keys and takes any label.
pub fn knowing() -> ReplicaOptions {
    let mut registry = KeyRegistry::new();
    for key in keys().iter().flatten() {
        registry.register(key.public_key().clone()).expect("each key is another");
    }
    ReplicaOptions::new().keys(registry).labels(Labels::Any)
}

/// A replica that knows everybody's keys, and only reads.
pub fn reader() -> Replica {
    Replica::open(knowing()).expect("memory suffices")
}

/// A replica that takes everything.
pub fn relay() -> Replica {
    Replica::open(knowing().dangerously_accept_unverified()).expect("memory suffices")
}

/// An operation of an actor, by the number, and its signature.
pub fn set(actor: usize, t: u64, c: u32, path: &str, value: impl Into<Value>) -> SignedOp {
    sign_op(&crypto(), unsigned(actor, t, c, path, value), &keys()[actor][0]).expect("a key of the actor")
}

/// An operation of an actor, by the number.
pub fn unsigned(actor: usize, t: u64, c: u32, path: &str, value: impl Into<Value>) -> Op {
    let ts = Hlc::new(t, c).expect("a timestamp");
    Op::lww_set(ACTORS[actor], ts, "Task", "t1", path, value).expect("identifiers")
}

/// JSON texts, most of them values, from which the first corpus is made.
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

/// The operations that the corpora of both forms hold: nobody signed others.
pub fn seed_ops() -> &'static [SignedOp] {
    static OPS: OnceLock<Vec<SignedOp>> = OnceLock::new();
    OPS.get_or_init(|| {
        let mut ops = Vec::new();
        for value in VALUES.iter().filter_map(|value| Value::parse(value).ok()) {
            ops.push(set(ops.len() % 4, NOW.0, 3, "a/b", value));
        }
        let other = Op::lww_set(ACTORS[3], Hlc::MAX, "E", "\u{1F600}", "p", "x").expect("identifiers");
        let other = other.in_space("home").and_then(|op| op.labelled("alice:1")).expect("identifiers");
        ops.push(sign_op(&crypto(), other, &keys()[3][1]).expect("the actor's key"));
        let delete = Op::lww_delete(ACTORS[0], Hlc::MIN, "Task", "t1", "p").expect("identifiers");
        ops.push(sign_op(&crypto(), delete, &keys()[0][0]).expect("the actor's key"));
        ops
    })
}

/// Offers operations, in one batch, all of which must be taken.
pub fn ingest(replica: &mut Replica, ops: &[&SignedOp]) {
    let batch: Vec<Incoming<'_>> = ops.iter().map(|op| Incoming::Op(op)).collect();
    for answer in replica.ingest_batch(NOW, &batch).expect("no guard, no store") {
        answer.expect("a signed operation of a known actor");
    }
}

/// The identities of all operations of a replica.
pub fn hashes(replica: &Replica) -> BTreeSet<OpHash> {
    replica.log().iter().map(|entry| entry.expect("a log in memory").hash).collect()
}

/// All operations of a replica, in the order of arrival.
pub fn arrivals(replica: &Replica) -> Vec<SignedOp> {
    replica.log().since(Cursor::START).map(|entry| entry.expect("a log in memory").op).collect()
}

/// An error text is shown to people and written to logs: short, and nothing in it can forge a line.
pub fn check_error(error: &dyn std::error::Error) {
    let mut error = Some(error);
    while let Some(current) = error {
        let text = current.to_string();
        assert!(!text.is_empty() && text.len() < 512, "{} bytes: {text}", text.len());
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
        error = current.source();
    }
}

/// What the replica merged step by step is a fold over its log from scratch.
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

/// Two replicas that hold the same say the same about it.
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

/// Makes decisions of bytes. When they are used up, all decisions are zero.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Decides by these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left to decide by.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes, or what is left.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, left) = self.0.split_at(len.min(self.0.len()));
        self.0 = left;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    /// A number of eight bytes.
    pub fn long(&mut self) -> u64 {
        (0..8).fold(0, |number, at| number | u64::from(self.byte()) << (8 * at))
    }

    /// A number below a limit that is at most 256.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// A piece with its length in front, in one byte; the last may be shorter.
    pub fn piece(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    /// A piece with its length in front, in two bytes; the last may be shorter.
    pub fn long_piece(&mut self) -> &'a [u8] {
        let len = self.short();
        self.take(len)
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
