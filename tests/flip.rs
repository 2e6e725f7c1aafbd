//! Every single-bit flip and every prefix of 200 encoded operations: only signed content is accepted.

mod common;

use std::thread;

use common::{NOW, Random, crypto, key, knowing};
use policysync::keys::sign_op;
use policysync::replica::Labels;
use policysync::{Hlc, Incoming, IngestError, Op, OpRefusal, Outcome, Replica, SignedOp, Value};

const ACTORS: [&str; 4] = ["a", "bob", "\u{FB33}", "\u{1F600}"];
const OPS: usize = 200;

/// Operations of every kind: sets, deletes, labels, many types of values. They are short, because every bit is flipped.
fn ops() -> Vec<SignedOp> {
    const VALUES: [&str; 10] = [
        "true",
        "null",
        "-1.5e-7",
        "\"\u{e9}\\n\"",
        "{\"a\":[1]}",
        "[]",
        "\"\u{1F600}\"",
        "12345678",
        "\"e\"",
        "{\"\":0}",
    ];
    let mut random = Random(42);
    let keys = ACTORS.map(key);
    (0..OPS)
        .map(|n| {
            let key = &keys[n % keys.len()];
            let actor = key.public_key().actor();
            let t = [0, 1, 255, NOW.0, NOW.0 + 1_000_000][random.below(5)];
            let ts = Hlc::new(t, [0, 1, 256, 4_294_967_294][random.below(4)]).unwrap();
            let (entity, id, path) =
                (["T", "\u{e9}"][random.below(2)], ["1", "i\"d"][random.below(2)], ["p", "a/b"]);
            let op = match n % 5 {
                0 => Op::lww_delete(actor, ts, (entity, id, path[0])),
                _ => Op::lww_set(actor, ts, (entity, id, path[n % 2]), Value::parse(VALUES[n % 10]).unwrap()),
            };
            let op = if n % 7 == 0 { op.unwrap().labelled("x:1") } else { op };
            let op = if n % 3 == 0 { op.unwrap().in_space("s") } else { op };
            sign_op(&crypto(), op.unwrap(), key).unwrap()
        })
        .collect()
}

/// Opens a replica with the space of an operation that accepts any label, so that only the signature can refuse it.
fn open(space: Option<&str>) -> Replica {
    let options = knowing(&ACTORS).labels(Labels::Any);
    Replica::open(match space {
        Some(space) => options.space(space),
        None => options,
    })
    .unwrap()
}

/// The results of mutations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    tried: usize,
    malformed: usize,
    wrong_space: usize,
    unknown_key: usize,
    bad_signature: usize,
    /// Accepted: another encoding of the same operation.
    same: usize,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.tried += other.tried;
        self.malformed += other.malformed;
        self.wrong_space += other.wrong_space;
        self.unknown_key += other.unknown_key;
        self.bad_signature += other.bad_signature;
        self.same += other.same;
    }

    fn offer(&mut self, replica: &mut Replica, mutated: Incoming<'_>, original: &SignedOp) {
        self.tried += 1;
        match replica.ingest(NOW, mutated) {
            Ok(Outcome::Appended { hash, .. } | Outcome::Held { hash, .. }) => {
                let kept = replica.log().get(&hash).unwrap().unwrap();
                assert_eq!(&kept, original, "another operation was accepted: {mutated:?}");
                self.same += 1;
                *replica = open(original.op().space());
            }
            Err(IngestError::Refused(refused)) => match refused {
                OpRefusal::Malformed(_) => self.malformed += 1,
                OpRefusal::WrongSpace { .. } => self.wrong_space += 1,
                OpRefusal::UnknownKey { .. } => self.unknown_key += 1,
                OpRefusal::BadSignature => self.bad_signature += 1,
                other => panic!("{other:?}: {mutated:?}"),
            },
            other => panic!("{other:?}: {mutated:?}"),
        }
        assert!(replica.log().is_empty());
    }
}

/// Tries every bit and every prefix of each encoded operation, on two threads.
fn try_all(encode: fn(&SignedOp) -> Vec<u8>, form: fn(&[u8]) -> Incoming<'_>) -> Tally {
    let ops = ops();
    let part = |ops: &[SignedOp]| {
        let mut tally = Tally::default();
        for op in ops {
            let mut replica = open(op.op().space());
            let mut bytes = encode(op);
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    bytes[at] ^= 1 << bit;
                    tally.offer(&mut replica, form(&bytes), op);
                    bytes[at] ^= 1 << bit;
                }
            }
            for len in 0..bytes.len() {
                tally.offer(&mut replica, form(&bytes[..len]), op);
            }
            assert!(tally.tried >= bytes.len() * 9);
            // The genuine operation is still accepted.
            assert!(matches!(
                replica.ingest(NOW, form(&bytes)),
                Ok(Outcome::Appended { .. } | Outcome::Held { .. })
            ));
        }
        tally
    };
    let expected: usize = ops.iter().map(|op| encode(op).len() * 9).sum();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let parts: Vec<_> = ops.chunks(OPS / 4).map(|ops| scope.spawn(move || part(ops))).collect();
        for part in parts {
            tally.add(part.join().unwrap());
        }
    });
    assert_eq!(tally.tried, expected);
    tally
}

#[test]
fn no_flipped_bit_or_truncation_of_the_binary_form_is_accepted() {
    let tally = try_all(SignedOp::to_binary, |bytes| Incoming::Binary(bytes));
    assert!(tally.tried >= 250_000, "{tally:?}");
    // Each operation has one binary form, so not even another encoding of it is accepted.
    assert_eq!(tally.same, 0, "{tally:?}");
    // The signature check was reached often, and so were the checks before it.
    assert!(tally.bad_signature >= 120_000, "{tally:?}");
    assert!(tally.malformed >= 50_000 && tally.unknown_key >= 5_000 && tally.wrong_space >= 400, "{tally:?}");
}

#[test]
fn no_flipped_bit_or_truncation_of_canonical_json_changes_an_operation() {
    let tally = try_all(|op| op.to_json().into_bytes(), |bytes| Incoming::Json(bytes));
    assert!(tally.tried >= 350_000, "{tally:?}");
    assert!(tally.bad_signature >= 80_000, "{tally:?}");
    // `1e-7` and `1E-7` are one number. Canonical JSON has few such places.
    assert!(tally.same > 0 && tally.same < 500, "{tally:?}");
}

/// JSON with much white space and every string escaped: many flips are another encoding of the same operation.
#[test]
fn no_flipped_bit_of_escaped_json_changes_an_operation() {
    fn escape(op: &SignedOp) -> Vec<u8> {
        let mut out = String::new();
        for character in op.to_json().chars() {
            match character {
                '{' => out.push_str(" {\t"),
                'd' | 'k' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
                '\u{80}'.. => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                plain => out.push(plain),
            }
        }
        out.into_bytes()
    }
    let ops = ops();
    let mut tally = Tally::default();
    for op in ops.iter().take(OPS / 10) {
        let mut bytes = escape(op);
        assert_eq!(SignedOp::from_json(&bytes).as_ref(), Ok(op));
        let mut replica = open(op.op().space());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                tally.offer(&mut replica, Incoming::Json(&bytes), op);
                bytes[at] ^= 1 << bit;
            }
        }
    }
    assert!(tally.tried >= 50_000 && tally.same >= 100, "{tally:?}");
}

#[test]
fn accepted_binary_is_the_original_byte_for_byte() {
    // Decoding does not verify the signature: the decoder returns exactly the accepted bytes.
    let mut accepted = 0;
    for op in ops() {
        let mut bytes = op.to_binary();
        assert_eq!(SignedOp::from_binary(&bytes).as_ref(), Ok(&op));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                if let Ok(other) = SignedOp::from_binary(&bytes) {
                    assert_ne!(other, op);
                    assert_eq!(other.to_binary(), bytes);
                    accepted += 1;
                }
                bytes[at] ^= 1 << bit;
            }
        }
    }
    assert!(accepted >= 120_000, "{accepted}");
}
