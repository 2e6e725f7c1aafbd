//! A replica in a file: ingesting, opening, reading, its size in memory and on disk.

use std::num::NonZeroUsize;

use policysync::oplog::Cursor;
use policysync::{Incoming, Replica};

use crate::allocator::kept;
use crate::common::{
    BATCH, NOW, Random, Signing, Workload, cpu_nanoseconds, ingest, median, timed, wall_nanoseconds,
};
use crate::ingest::beside_bare;
use crate::table::{Bar, Table};

const SIGNED: usize = 100_000;
const LARGE: usize = 1_000_000;

pub fn measure(table: &mut Table) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("signed");
    let workload = Workload::new(SIGNED, Signing::True);
    let ops: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let sealed = || workload.options().path(&path, NOW).seal_key([1; 32]);
    let speed = beside_bare(&workload, 1, sealed(), &ops, BATCH);
    let what = "signed ingest into a file, batches of 1,000, with a seal";
    table.row(what, speed, " of a bare loop", Bar::AtLeast(0.85));

    let bare = workload.bare();
    let share = |threads: NonZeroUsize, clock: fn() -> u64| {
        let verify = || timed(clock, bare.len(), || workload.verify_bare(threads.get(), &bare));
        let shares = (0..5).map(|_| {
            let before = verify();
            let options = workload.options().path(&path, NOW).threads(threads);
            let time = timed(clock, SIGNED, || drop(Replica::open(options).unwrap()));
            time / f64::midpoint(before, verify())
        });
        median(shares.collect())
    };
    let unit = " of a bare verification";
    let one = share(NonZeroUsize::MIN, cpu_nanoseconds);
    table.row("opening 10^5 without the seal key", one, unit, Bar::AtMost(1.1));
    let both = share(NonZeroUsize::new(2).unwrap(), wall_nanoseconds);
    table.row(
        "the same on two threads, by wall clock",
        both,
        " of two threads' verification",
        Bar::AtMost(1.1),
    );

    large(table, &workload, &directory.path().join("large"));
}

/// A million operations under a seal.
fn large(table: &mut Table, limit: &Workload, path: &std::path::Path) {
    let workload = Workload::new(LARGE, Signing::True);
    let sealed = || workload.options().path(path, NOW).seal_key([1; 32]);
    let ops: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let mut replica = Replica::open(sealed().threads(NonZeroUsize::new(2).unwrap())).unwrap();
    ingest(&mut replica, &ops);
    drop(replica);

    let bare = limit.bare();
    let verification = || timed(cpu_nanoseconds, bare.len(), || limit.verify_bare(1, &bare));
    let unit = " % of a bare verification";
    let before = verification();
    let (time, (replica, bytes)) = {
        let mut opened = None;
        let time = timed(cpu_nanoseconds, LARGE, || opened = Some(kept(|| Replica::open(sealed()).unwrap())));
        (time, opened.unwrap())
    };
    let verification = f64::midpoint(before, verification());
    assert_eq!(replica.log().len(), LARGE);
    table.row("opening 10^6 with the seal key", 100.0 * time / verification, unit, Bar::AtMost(12.0));
    let resident = bytes as f64 / LARGE as f64;
    table.row("memory of a replica in a file, at 10^6", resident, " bytes per operation", Bar::AtMost(96.0));
    let forms: usize = workload.binary().into_iter().map(<[u8]>::len).sum();
    let file = std::fs::metadata(path).unwrap().len() as f64;
    table.row(
        "size of the file, relative to the sum of the binary forms",
        file / forms as f64,
        " times",
        Bar::AtMost(1.6),
    );

    let in_order = timed(cpu_nanoseconds, LARGE, || {
        replica.log().since(Cursor::START).for_each(|entry| drop(entry.unwrap()));
    });
    table.row("reading one, in the order of arrival", 100.0 * in_order / verification, unit, Bar::None);
    let mut random = Random(3);
    let cursor = |_| Cursor::from_position(u64::try_from(random.below(LARGE)).unwrap()).unwrap();
    let cursors: Vec<Cursor> = (0..10_000).map(cursor).collect();
    let at_random = timed(cpu_nanoseconds, cursors.len(), || {
        cursors.iter().for_each(|cursor| drop(replica.log().since(*cursor).next().unwrap().unwrap()));
    });
    table.row("reading one, at random", 100.0 * at_random / verification, unit, Bar::None);
}
