//! What a session costs, in round trips and bytes without the operations.

use policysync::sync::Progress;
use policysync::{Incoming, Replica};

use crate::link::sync;
use crate::workload::{NOW, Signing, Workload, ingest};

fn replica(workload: &Workload) -> Replica {
    Replica::open(workload.options().dangerously_accept_unverified()).unwrap()
}

/// Two replicas: operation number `n` goes to those that `holders` names.
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

/// Synchronises and returns round trips and bytes without operations.
fn cost((mut ours, mut theirs): (Replica, Replica)) -> (u32, u64, Progress) {
    let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
    assert!(finish.is_converged(), "{finish:?} {progress:?}");
    assert_eq!(ours.log().digest(), theirs.log().digest());
    let bytes = progress.bytes_sent + progress.bytes_received;
    let overhead = bytes - progress.op_bytes_sent - progress.op_bytes_received;
    println!("{} round trips, {overhead} bytes without operations", progress.round_trips);
    (progress.round_trips, overhead, progress)
}

const fn mix(number: usize) -> usize {
    (number.wrapping_mul(0x9E37_79B9)) >> 7
}

/// A name, and whether an operation of this number is ours.
type Share = (&'static str, fn(usize) -> bool);

/// Ways to share out operations that only one side has.
const SHARES: [Share; 4] = [
    ("ours", |_| true),
    ("theirs", |_| false),
    ("in turn", |number| number % 2 == 0),
    ("at random", |number| mix(number).is_multiple_of(2)),
];

/// All ways in a release; two of them where the code is slow.
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
        assert_eq!(progress.sent + progress.received, 100, "{name}");
    }
}

#[test]
fn a_thousand_recent_among_a_million_take_three_round_trips_and_16_kib() {
    // A debug build makes do with fewer in common; what is common costs a fingerprint for each doubling.
    let common = if cfg!(debug_assertions) { 60_000 } else { 1_000_000 };
    for (name, is_ours) in shares() {
        let (round_trips, bytes, progress) = cost(two(common + 1000, |number| match number < common {
            true => (true, true),
            false => (is_ours(number), !is_ours(number)),
        }));
        assert!(round_trips <= 3, "{name}: {round_trips} round trips");
        assert!(bytes <= 16 << 10, "{name}: {bytes} bytes");
        assert_eq!(progress.sent + progress.received, 1000, "{name}");
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
