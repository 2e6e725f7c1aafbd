//! Signed ingest, beside a bare loop of libsodium's verification over the same texts.

use std::num::NonZeroUsize;

use policysync::{Incoming, Replica, ReplicaOptions};

use crate::common::{BATCH, Signing, Workload, cpu_nanoseconds, ingest_by, median, timed, wall_nanoseconds};
use crate::table::{Bar, Table};

const COUNT: usize = 200_000;
/// What a message of a session brings of such operations, if it is full and of the default size.
const MESSAGE: usize = 10_000;
/// Operations between two looks at the clock.
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
        let bar = Bar::AtLeast(0.95);
        table.row(&format!("signed ingest from binary, {name}"), speed(MESSAGE, &binary), of_bare, bar);
        table.row("the same, in batches of 1,000", speed(BATCH, &binary), of_bare, Bar::None);
        table.row("the same, from JSON", speed(MESSAGE, &json), of_bare, Bar::None);
    }
}

/// The speed of taking in `ops` in batches, by turns with a bare loop over the same, portion by portion: the median of the ratios.
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
        // By turns, so that neither is always the first.
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
