//! The cost of everything except the signature, and the memory of a replica.
//!
//! Measured are decoding, signed text, SHA-256, duplicates, order and merge.

use policysync::{Incoming, Replica};

use crate::allocator::kept;
use crate::common::{Signing, Workload, cpu_nanoseconds, ingest, median, timed};
use crate::table::{Bar, Table};

const SMALL: usize = 10_000;
const LARGE: usize = 1_000_000;

pub fn measure(table: &mut Table) {
    let limit = Workload::new(2_000, Signing::True);
    let small = shares(SMALL, &limit);
    let large = shares(LARGE, &limit);
    let unit = " % of a bare verification";
    table.row("one bare verification", verification(&limit) / 1e3, " µs", Bar::None);
    table.row("everything except the signature, 10^4 operations, binary", small.interleaved, unit, Bar::None);
    table.row("the same, arriving in random order", small.shuffled, unit, Bar::None);
    table.row("everything except the signature, 10^6, binary", large.interleaved, unit, Bar::AtMost(7.0));
    table.row("the same, arriving in random order", large.shuffled, unit, Bar::AtMost(7.0));
    table.row("everything except the signature, 10^6, JSON", large.json, unit, Bar::AtMost(10.0));
    let growth =
        |what: &str, large: f64, small: f64| (format!("growth from 10^4 to 10^6, {what}"), large / small);
    for (what, growth) in [
        growth("binary", large.interleaved, small.interleaved),
        growth("binary, in random order", large.shuffled, small.shuffled),
        growth("JSON", large.json, small.json),
    ] {
        table.row(&what, growth, " times", Bar::AtMost(1.5));
    }
    // 1.5 µs, on a machine where a verification takes 36 µs.
    table.row("a replayed operation, at 10^6", large.replayed, unit, Bar::AtMost(4.2));
    table.row("memory of a replica, at 10^6", large.bytes, " bytes per operation", Bar::AtMost(240.0));
}

struct Shares {
    interleaved: f64,
    shuffled: f64,
    json: f64,
    replayed: f64,
    bytes: f64,
}

/// Returns the nanoseconds of one bare verification.
fn verification(workload: &Workload) -> f64 {
    let bare = workload.bare();
    timed(cpu_nanoseconds, bare.len(), || workload.verify_bare(1, &bare))
}

/// Measures all shares of a bare verification, in percent.
fn shares(count: usize, limit: &Workload) -> Shares {
    let mut workload = Workload::new(count, Signing::False);
    let texts = workload.json();
    let json: Vec<Incoming<'_>> = texts.iter().map(|text| Incoming::Json(text.as_bytes())).collect();
    let (json, _) = share(&workload, &json, limit, false);
    drop(texts);
    let (interleaved, _) = share(&workload, &binary(&workload), limit, false);
    let (replayed, _) = share(&workload, &binary(&workload), limit, true);
    workload.shuffle();
    let (shuffled, bytes) = share(&workload, &binary(&workload), limit, false);
    Shares { interleaved, shuffled, json, replayed, bytes }
}

fn binary(workload: &Workload) -> Vec<Incoming<'_>> {
    workload.binary().into_iter().map(Incoming::Binary).collect()
}

/// Returns the share of ingesting `ops` for the first or second time, and the replica's bytes per operation.
fn share(workload: &Workload, ops: &[Incoming<'_>], limit: &Workload, replayed: bool) -> (f64, f64) {
    let (mut shares, mut bytes) = (Vec::new(), 0);
    // Small sizes are repeated, so that each figure is based on enough operations.
    for _ in 0..500_000_usize.div_ceil(ops.len()).max(5) {
        let before = verification(limit);
        let ((time, replica), kept) = kept(|| {
            let mut replica = Replica::open(workload.options().dangerously_accept_unverified()).unwrap();
            if replayed {
                ingest(&mut replica, ops);
            }
            let time = timed(cpu_nanoseconds, ops.len(), || ingest(&mut replica, ops));
            (time, replica)
        });
        assert_eq!(replica.log().len(), ops.len());
        shares.push(100.0 * time / f64::midpoint(before, verification(limit)));
        bytes = kept;
    }
    (median(shares), bytes as f64 / ops.len() as f64)
}
