//! Times of single functions, in the groups `sign` and `verify` beside libsodium's own.
//!
//! `cargo bench -p policysync-benches --bench primitives`. The bounds are in `figures`, which measures CPU time.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::{sign_op, verify_op};
use policysync::{Hlc, Op, Replica, ReplicaOptions, SignedOp, SigningSecretKey, Value, WallMillis};

const NOW: WallMillis = WallMillis(1_760_000_000_000);
const FIELD: (&str, &str, &str) = ("Task", "t000000001", "title");
const VALUE: &str = "00000000000000000001";
/// The order of the members and the spaces differ from the canonical text.
const JSON: &str =
    r#"{ "title": "Buy bread", "done": false, "due": 1.76e12, "tags": ["home", "caf\u00e9"] }"#;

fn key() -> SigningSecretKey {
    SigningSecretKey::new("device-01", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap()
}

fn op() -> Op {
    Op::lww_set("device-01", Hlc::new(NOW.0, 0).unwrap(), FIELD, VALUE).unwrap()
}

fn signatures(criterion: &mut Criterion) {
    let (sodium, key) = (Sodium::new().unwrap(), key());
    let signed = sign_op(&sodium, op(), &key).unwrap();
    // About as long as the signed text.
    let text = signed.to_json();
    let text = &text.as_bytes()[..text.len() - 100];
    let signature = sodium.sign(text, key.key_pair().secret_key());

    let mut group = criterion.benchmark_group("sign");
    group.bench_function("libsodium", |bencher| {
        bencher.iter(|| sodium.sign(black_box(text), key.key_pair().secret_key()));
    });
    group.bench_function("sign_op", |bencher| {
        bencher.iter_batched(op, |op| sign_op(&sodium, op, &key).unwrap(), BatchSize::SmallInput);
    });
    group.finish();

    let mut group = criterion.benchmark_group("verify");
    group.bench_function("libsodium", |bencher| {
        bencher.iter(|| assert!(sodium.verify(&signature, black_box(text), key.public_key().public_key())));
    });
    group.bench_function("verify_op", |bencher| {
        bencher.iter(|| verify_op(&sodium, black_box(&signed), key.public_key()).unwrap());
    });
    group.finish();
}

fn texts(criterion: &mut Criterion) {
    let signed = sign_op(&Sodium::new().unwrap(), op(), &key()).unwrap();
    let (json, binary) = (signed.to_json(), signed.to_binary());

    let mut group = criterion.benchmark_group("text");
    group.bench_function("decode JSON", |bencher| {
        bencher.iter(|| SignedOp::from_json(black_box(json.as_bytes())).unwrap());
    });
    group.bench_function("decode binary", |bencher| {
        bencher.iter(|| SignedOp::from_binary(black_box(&binary)).unwrap());
    });
    group.bench_function("canonical text of a value", |bencher| {
        bencher.iter(|| Value::parse(black_box(JSON)).unwrap());
    });
    group.finish();
}

fn replica(criterion: &mut Criterion) {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(key())).unwrap();
    let mut group = criterion.benchmark_group("replica in memory");
    group.bench_function("set", |bencher| {
        bencher.iter(|| replica.set(NOW, FIELD, black_box(VALUE)).unwrap());
    });
    group.bench_function("get", |bencher| bencher.iter(|| replica.get(black_box(FIELD)).unwrap()));
    group.finish();
}

criterion_group!(benches, signatures, texts, replica);
criterion_main!(benches);
