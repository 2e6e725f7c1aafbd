//! Signed ingest, relative to a bare loop of libsodium's verification over the same texts.

use std::num::NonZeroUsize;

use policysync::{Incoming, Replica, ReplicaOptions};

use crate::common::{BATCH, Signing, Workload, cpu_nanoseconds, ingest_by, median, timed, wall_nanoseconds};
use crate::table::{Bar, Table};

const COUNT: usize = 200_000;
/// About the operations of a full message of a session, which holds 10,800 of these at the default size.
const MESSAGE: usize = 10_000;
/// Operations per measurement.
const PORTION: usize = 10_000;

pub fn measure(table: &mut Table) {
    let workload = Workload::new(COUNT, Signing::True);
    let json = workload.json();
    let json: Vec<Incoming<'_>> = json.iter().map(|text| Incoming::Json(text.as_bytes())).collect();
    let binary: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let of_bare = " of a bare loop";
    for (threads, name) in [(1, "one thread"), (2, "two threads, by wall clock")] {
        let speed = |batch: usize, ops: &[Incoming<'_>]| {
            let options = workload.options().threads(NonZeroUsize::new(threads).unwrap());
            beside_bare(&workload, threads, options, ops, batch)
        };
        let mut row = |form: &str, speed: f64, bar: Bar| {
            table.row(&format!("signed ingest from {form}, {name}"), speed, of_bare, bar);
        };
        row("binary by 10,000", speed(MESSAGE, &binary), Bar::AtLeast(0.95));
        row("binary by 1,000", speed(BATCH, &binary), Bar::AtLeast(0.95));
        row("JSON by 10,000", speed(MESSAGE, &json), Bar::None);
    }
}

/// Returns the speed of ingesting `ops` in batches, relative to a bare loop: the median over alternating portions.
pub fn beside_bare(
    workload: &Workload,
    threads: usize,
    options: ReplicaOptions,
    ops: &[Incoming<'_>],
    batch: usize,
) -> f64 {
    let clock = if threads == 1 { cpu_nanoseconds } else { wall_nanoseconds };
    let bare = workload.bare();
    let mut replica = Replica::open(options).unwrap();
    let portions = ops.chunks(PORTION).zip(bare.chunks(PORTION)).enumerate();
    let ratios = portions.map(|(number, (ops, bare))| {
        let mut ingest = || timed(clock, ops.len(), || ingest_by(batch, &mut replica, ops));
        let verify = || timed(clock, ops.len(), || workload.verify_bare(threads, bare));
        // In alternating order, so that neither is always first.
        let (ingest, bare) = if number % 2 == 0 {
            let bare = verify();
            (ingest(), bare)
        } else {
            (ingest(), verify())
        };
        bare / ingest
    });
    median(ratios.collect())
}
