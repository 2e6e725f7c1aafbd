//! Tests of the cost of a session, in round trips and bytes without the operations.

use policysync::sync::Progress;
use policysync::{Incoming, Replica};

use crate::link::sync;
use crate::workload::{NOW, Signing, Workload, ingest};

fn replica(workload: &Workload) -> Replica {
    Replica::open(workload.options().dangerously_accept_unverified()).unwrap()
}

/// Creates two replicas. `holders` says which of them hold operation number `n`.
fn two(count: usize, holders: impl Fn(usize) -> (bool, bool)) -> (Replica, Replica) {
    let workload = Workload::new(count, Signing::False);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (number, op) in workload.binary().into_iter().enumerate() {
        let (ours, theirs) = holders(number);
        left.extend(ours.then_some(Incoming::Binary(op)));
        right.extend(theirs.then_some(Incoming::Binary(op)));
    }
    let mut replicas = (replica(&workload), replica(&workload));
    ingest(&mut replicas.0, &left);
    ingest(&mut replicas.1, &right);
    replicas
}

/// Runs a session. Returns its round trips, its bytes without operations, and its progress.
fn cost((mut ours, mut theirs): (Replica, Replica)) -> (u32, u64, Progress) {
    let (result, progress) = sync(&mut ours, &mut theirs, NOW);
    assert!(result.is_converged(), "{result:?} {progress:?}");
    assert_eq!(ours.log().digest(), theirs.log().digest());
    let bytes = progress.bytes_sent + progress.bytes_received;
    let overhead = bytes - progress.op_bytes_sent - progress.op_bytes_received;
    println!("{} round trips, {overhead} bytes without operations", progress.round_trips);
    (progress.round_trips, overhead, progress)
}

const fn mix(number: usize) -> usize {
    (number.wrapping_mul(0x9E37_79B9)) >> 7
}

/// A name, and a function that returns true if an operation of this number is ours.
type Share = (&'static str, fn(usize) -> bool);

/// Ways to distribute operations that only one side has.
const SHARES: [Share; 4] = [
    ("ours", |_| true),
    ("theirs", |_| false),
    ("alternating", |number| number % 2 == 0),
    ("at random", |number| mix(number).is_multiple_of(2)),
];

/// Returns all ways in a release build, two of them in a slow debug build.
fn shares() -> &'static [Share] {
    if cfg!(debug_assertions) { &SHARES[1..3] } else { &SHARES }
}

#[test]
fn nothing_to_do_is_one_round_trip_of_200_bytes() {
    for count in [0, 1, 64, 65, 1000, 50_000] {
        let (round_trips, bytes, _) = cost(two(count, |_| (true, true)));
        assert_eq!(round_trips, 1, "{count}");
        assert!(bytes <= 200, "{bytes} bytes for {count} operations");
    }
}

#[test]
fn a_hundred_recent_among_a_hundred_thousand_take_two_round_trips_and_4_kib() {
    for (name, is_ours) in shares() {
        let (round_trips, bytes, progress) = cost(two(100_100, |number| match number {
            ..100_000 => (true, true),
            _ => (is_ours(number), !is_ours(number)),
        }));
        assert!(round_trips <= 2, "{name}: {round_trips} round trips");
        assert!(bytes <= 4096, "{name}: {bytes} bytes");
        assert_eq!(progress.sent + progress.received.new_ops(), 100, "{name}");
    }
}

#[test]
fn a_thousand_recent_among_a_million_take_three_round_trips_and_16_kib() {
    // A debug build uses fewer common operations. Each doubling of them costs one fingerprint.
    let common = if cfg!(debug_assertions) { 60_000 } else { 1_000_000 };
    for (name, is_ours) in shares() {
        let (round_trips, bytes, progress) = cost(two(common + 1000, |number| match number < common {
            true => (true, true),
            false => (is_ours(number), !is_ours(number)),
        }));
        assert!(round_trips <= 3, "{name}: {round_trips} round trips");
        assert!(bytes <= 16 << 10, "{name}: {bytes} bytes");
        assert_eq!(progress.sent + progress.received.new_ops(), 1000, "{name}");
    }
}

#[test]
fn a_hundred_scattered_among_a_hundred_thousand_take_64_kib() {
    for (name, is_ours) in shares() {
        let (round_trips, bytes, _) = cost(two(100_000, |number| match number {
            _ if !mix(number).is_multiple_of(1000) => (true, true),
            _ => (is_ours(number / 2), !is_ours(number / 2)),
        }));
        assert!(bytes <= 64 << 10, "{name}: {bytes} bytes");
        assert!(round_trips <= 6, "{name}: {round_trips} round trips");
    }
}

#[test]
fn an_operation_takes_its_value_its_signature_and_30_bytes() {
    for (left, right) in [(true, false), (false, true)] {
        let (_, _, progress) = cost(two(20_000, |_| (left, right)));
        let bytes = progress.op_bytes_sent + progress.op_bytes_received;
        let an_op = bytes as f64 / 20_000.0;
        println!("{an_op:.1} bytes an operation");
        // The value is 20 characters in quotes.
        assert!(an_op <= 22.0 + 64.0 + 30.0, "{an_op} bytes an operation");
    }
}
