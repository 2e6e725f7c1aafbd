//! The cost of a million operations that are refused, or known, without arithmetic on the curve.
//!
//! Forged signatures that only a verification can detect are not measured here: each costs a verification.

use policysync::crypto::Signature;
use policysync::oplog::Cursor;
use policysync::{Hlc, Incoming, Op, Replica, ReplicaOptions, SignedOp, bundle};

use crate::common::{BATCH, NOW, Random, Signing, Workload, cpu_nanoseconds, ingest, timed};
use crate::table::{Bar, Table};

const COUNT: usize = 1_000_000;

/// The order of the curve's group, in little-endian bytes (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub fn measure(table: &mut Table) {
    let workload = Workload::new(BATCH, Signing::True);
    let ops: Vec<SignedOp> =
        workload.binary().into_iter().map(|bytes| SignedOp::from_binary(bytes).unwrap()).collect();
    let mut random = Random(3);
    let random_bytes: Vec<Vec<u8>> =
        (0..BATCH).map(|_| (0..300).map(|_| random.next().to_le_bytes()[0]).collect()).collect();
    let not_canonical: Vec<SignedOp> = ops.iter().map(with_a_greater_s).collect();
    let without_keys = || Replica::open(ReplicaOptions::new()).unwrap();
    let fresh = || Replica::open(workload.options()).unwrap();
    let mut full = fresh();
    ingest(&mut full, &forms(&binary(&ops)));

    for (what, replica, junk) in [
        ("random bytes", fresh(), random_bytes),
        ("by unknown keys, binary", without_keys(), binary(&ops)),
        ("by unknown keys, JSON", without_keys(), json(&ops)),
        ("S not canonical, binary", fresh(), binary(&not_canonical)),
        ("S not canonical, JSON", fresh(), json(&not_canonical)),
        ("duplicates, binary", full, binary(&ops)),
    ] {
        let seconds = refuse(replica, &junk);
        table.row(&format!("10^6 junk operations, {what}"), seconds, " s of CPU", Bar::AtMost(10.0));
    }
    for len in [4, 1000] {
        let seconds = refuse_packed(len);
        let row = format!("10^6 junk operations, by unknown keys, packed, names of {len} bytes");
        table.row(&row, seconds, " s of CPU", Bar::AtMost(10.0));
    }
}

/// Returns the CPU seconds for a million packed operations that use the same five names.
fn refuse_packed(len: usize) -> f64 {
    let names = ["a", "e", "i", "p", "k"].map(|letter| letter.repeat(len));
    let [actor, entity, id, path, kid] = names.each_ref().map(String::as_str);
    let count = 2000;
    let op = |n| Op::lww_set(actor, Hlc::new(NOW.0, n).unwrap(), (entity, id, path), "x").unwrap();
    let ops: Vec<SignedOp> =
        (0..count).map(|n| SignedOp::new(op(n), kid, Signature::from_bytes([7; 64])).unwrap()).collect();
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    ingest(&mut relay, &forms(&binary(&ops)));
    let mut packed = Vec::new();
    bundle::export_since(&relay, Cursor::START, &mut packed).unwrap();
    let mut replica = Replica::open(ReplicaOptions::new()).unwrap();
    let nanoseconds = timed(cpu_nanoseconds, 1, || {
        for _ in 0..COUNT / ops.len() {
            let imported = bundle::import(&mut replica, NOW, packed.as_slice()).unwrap();
            assert_eq!(imported.received.refused.unknown_key, u64::from(count));
        }
    });
    nanoseconds / 1e9
}

fn binary(ops: &[SignedOp]) -> Vec<Vec<u8>> {
    ops.iter().map(SignedOp::to_binary).collect()
}

fn json(ops: &[SignedOp]) -> Vec<Vec<u8>> {
    ops.iter().map(|op| op.to_json().into_bytes()).collect()
}

fn forms(junk: &[Vec<u8>]) -> Vec<Incoming<'_>> {
    junk.iter().map(|bytes| Incoming::from(bytes.as_slice())).collect()
}

/// Returns the same operation with S greater by the order of the group, which is the same number in another spelling.
fn with_a_greater_s(op: &SignedOp) -> SignedOp {
    let mut signature = *op.signature().as_bytes();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    SignedOp::new(op.op().clone(), op.kid(), Signature::from_bytes(signature)).unwrap()
}

/// Returns the CPU seconds for a million. The same batch is repeated, because refused operations change nothing.
fn refuse(mut replica: Replica, junk: &[Vec<u8>]) -> f64 {
    let before = replica.log().len();
    let batch = forms(junk);
    let nanoseconds = timed(cpu_nanoseconds, 1, || {
        for _ in 0..COUNT / BATCH {
            replica.ingest_batch(NOW, &batch).unwrap();
        }
    });
    assert_eq!(replica.log().len(), before, "some of it is not junk");
    nanoseconds / 1e9
}
