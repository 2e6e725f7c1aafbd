//! The workload of the benchmarks: 16 actors, 8 paths an entity, values of 20 bytes, a fifth of the operations
//! overwriting; arriving interleaved as the actors wrote them, or fully shuffled.
#![allow(dead_code, reason = "each benchmark uses its own part of it")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use policysync::crypto::{KeyPair, Signature, Sodium};
use policysync::keys::sign_op;
use policysync::{
    Hlc, Incoming, KeyRegistry, Op, Replica, ReplicaOptions, SignedOp, SigningPublicKey, SigningSecretKey,
    WallMillis,
};

/// When the operations arrive: after the last was written.
pub const NOW: WallMillis = WallMillis(1_760_100_000_000);
/// Operations of a call.
pub const BATCH: usize = 1000;
const START: u64 = 1_760_000_000_000;
const ACTORS: usize = 16;
const PATHS: [&str; 8] = ["title", "done", "due", "notes", "owner", "color", "order", "list"];

pub struct Workload {
    pub crypto: Sodium,
    keys: Vec<SigningSecretKey>,
    /// The binary forms, end to end.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Whether operations carry a true signature. A false one costs no time to make, for measuring everything else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    True,
    False,
}

impl Workload {
    pub fn new(count: usize, signing: Signing) -> Self {
        let crypto = Sodium::new().expect("libsodium works");
        let keys: Vec<SigningSecretKey> = (0..ACTORS)
            .map(|n| {
                let seed = crypto.hash(format!("policysync/benches/{n}").as_bytes());
                let pair = KeyPair::from_seed(seed.as_bytes()).expect("libsodium works");
                SigningSecretKey::new(&format!("device-{n:02}"), pair).expect("an identifier")
            })
            .collect();
        let mut workload = Self { crypto, keys, bytes: Vec::new(), ends: Vec::with_capacity(count) };
        let mut random = Random(1);
        let mut registers = 0;
        for number in 0..count {
            // Every fifth operation writes to a register that has been written before.
            let register = if number % 5 == 4 { random.below(registers) } else { registers };
            registers = registers.max(register + 1);
            let op = workload.op(number, register, &mut random, signing);
            op.as_ref().write_binary(&mut workload.bytes);
            workload.ends.push(workload.bytes.len());
        }
        workload
    }

    fn op(&self, number: usize, register: usize, random: &mut Random, signing: Signing) -> SignedOp {
        let key = &self.keys[number % ACTORS];
        // Four actors write in each millisecond.
        let ts = Hlc::new(START + u64::try_from(number / 4).unwrap(), 0);
        let value = format!("{:020}", random.next());
        let entity_id = format!("t{:09}", register / PATHS.len());
        let actor = key.public_key().actor();
        let path = PATHS[register % PATHS.len()];
        let op = Op::lww_set(actor, ts.unwrap(), "Task", &entity_id, path, value[..20].to_owned()).unwrap();
        match signing {
            Signing::True => sign_op(&self.crypto, op, key).unwrap(),
            Signing::False => {
                SignedOp::new(op, key.public_key().kid(), Signature::from_bytes([7; 64])).unwrap()
            }
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The binary forms, in the order in which they were written.
    pub fn binary(&self) -> Vec<&[u8]> {
        let mut start = 0;
        let form = |end: &usize| &self.bytes[std::mem::replace(&mut start, *end)..*end];
        self.ends.iter().map(form).collect()
    }

    /// The same operations in random order, laid out as they arrive.
    pub fn shuffle(&mut self) {
        let mut forms: Vec<Vec<u8>> = self.binary().into_iter().map(<[u8]>::to_vec).collect();
        Random(7).shuffle(&mut forms);
        self.ends.clear();
        self.bytes.clear();
        for form in forms {
            self.bytes.extend_from_slice(&form);
            self.ends.push(self.bytes.len());
        }
    }

    /// The JSON forms, in the order in which they were written.
    pub fn json(&self) -> Vec<String> {
        self.binary().into_iter().map(|bytes| SignedOp::from_binary(bytes).unwrap().to_json()).collect()
    }

    pub fn public_keys(&self) -> impl Iterator<Item = &SigningPublicKey> {
        self.keys.iter().map(SigningSecretKey::public_key)
    }

    pub fn options(&self) -> ReplicaOptions {
        let mut registry = KeyRegistry::new();
        for key in &self.keys {
            registry.register(key.public_key().clone()).unwrap();
        }
        ReplicaOptions::new().keys(registry)
    }

    /// What a bare verification needs: signature, signed text, and the number of the key.
    pub fn bare(&self) -> Vec<(Signature, String, usize)> {
        let bare = |bytes: &[u8]| {
            let op = SignedOp::from_binary(bytes).unwrap();
            let key = self.keys.iter().position(|key| key.public_key().kid() == op.kid()).unwrap();
            (*op.signature(), signed_text(&op), key)
        };
        self.binary().into_iter().map(bare).collect()
    }

    /// The limit: libsodium's verification and nothing else, on so many threads.
    pub fn verify_bare(&self, threads: usize, bare: &[(Signature, String, usize)]) {
        let verify = |part: &[(Signature, String, usize)]| {
            for (signature, text, key) in part {
                let key = self.keys[*key].public_key().public_key();
                assert!(self.crypto.verify(signature, text.as_bytes(), key));
            }
        };
        if threads == 1 {
            return verify(bare);
        }
        // Handed out one by one, as the replica does, so that both suffer alike from what else the machine does.
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(one) = bare.get(next.fetch_add(1, Ordering::Relaxed)) {
                verify(std::slice::from_ref(one));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }
}

/// Ingests in batches.
pub fn ingest(replica: &mut Replica, ops: &[Incoming<'_>]) {
    ingest_by(BATCH, replica, ops);
}

/// Ingests in batches of this size.
pub fn ingest_by(batch: usize, replica: &mut Replica, ops: &[Incoming<'_>]) {
    for batch in ops.chunks(batch) {
        for outcome in replica.ingest_batch(NOW, batch).unwrap() {
            outcome.unwrap();
        }
    }
}

fn signed_text(op: &SignedOp) -> String {
    let json = op.to_json();
    let start = json.find("\"sig\":{\"alg\":").unwrap() + "\"sig\":".len();
    let end = start + json[start..].find('}').unwrap() + 1;
    format!("{}undefined{}", &json[..start], &json[end..])
}

/// CPU time of this thread, in nanoseconds: other programs on the machine do not count. Where the system does not tell
/// it, the wall clock must do.
pub fn cpu_nanoseconds() -> u64 {
    // Linux counts when it chooses who runs.
    std::thread::yield_now();
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    schedstat.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_else(wall_nanoseconds)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub fn wall_nanoseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos().try_into().unwrap()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
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
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Nanoseconds an operation, by this clock.
pub fn timed(clock: fn() -> u64, count: usize, work: impl FnOnce()) -> f64 {
    let start = clock();
    work();
    (clock() - start) as f64 / count as f64
}

/// The middle one.
pub fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}
