//! Signed ingest, beside a bare loop of libsodium's verification over the same texts.

use std::num::NonZeroUsize;

use policysync::{Incoming, Replica, ReplicaOptions};

use crate::common::{BATCH, Signing, Workload, cpu_nanoseconds, ingest, median, timed, wall_nanoseconds};
use crate::table::{Bar, Table};

const COUNT: usize = 100_000;
/// Operations between two looks at the clock.
const PORTION: usize = 4 * BATCH;

pub fn measure(table: &mut Table) {
    let workload = Workload::new(COUNT, Signing::True);
    let json = workload.json();
    let json: Vec<Incoming<'_>> = json.iter().map(|text| Incoming::Json(text.as_bytes())).collect();
    let binary: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let speed = |threads: usize, ops: &[Incoming<'_>]| {
        let threads_of = |options: ReplicaOptions| options.threads(NonZeroUsize::new(threads).unwrap());
        beside_bare(&workload, threads, threads_of(workload.options()), ops)
    };
    let of_bare = " of a bare loop";
    let one = speed(1, &binary);
    table.row("signed ingest from binary, one thread", one, of_bare, Bar::AtLeast(0.95));
    table.row("signed ingest from JSON, one thread", speed(1, &json), of_bare, Bar::None);
    let two = speed(2, &binary);
    table.row("signed ingest from binary, two threads, by wall clock", two, of_bare, Bar::AtLeast(0.95));
    table.row("signed ingest from JSON, two threads, by wall clock", speed(2, &json), of_bare, Bar::None);
}

/// The speed of taking in `ops`, by turns with a bare loop over the same, portion by portion: the median of the ratios.
pub fn beside_bare(
    workload: &Workload,
    threads: usize,
    options: ReplicaOptions,
    ops: &[Incoming<'_>],
) -> f64 {
    let clock = if threads == 1 { cpu_nanoseconds } else { wall_nanoseconds };
    let bare = workload.bare();
    let mut replica = Replica::open(options).unwrap();
    let portions = ops.chunks(PORTION).zip(bare.chunks(PORTION)).enumerate();
    let ratios = portions.map(|(number, (ops, bare))| {
        let mut ingest = || timed(clock, ops.len(), || ingest(&mut replica, ops));
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
