//! A replica in a file: taking in, opening, reading, what it weighs in memory and on the disk; one table for each size,
//! beside a bare verification in the same run.
//!
//! `cargo bench --features parallel --bench store`

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{BATCH, NOW, Random, Signing, Workload, ingest};
use policysync::{Cursor, Incoming, Replica, ReplicaOptions};

/// Counts the bytes that Rust has allocated and not freed. SQLite's cache, of two megabytes, is not in it.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator as it came.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn per_op(time: Duration, count: usize) -> f64 {
    time.as_nanos() as f64 / count as f64
}

fn main() {
    let sizes = std::env::args().filter_map(|word| word.parse().ok()).collect::<Vec<usize>>();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    for size in sizes {
        // Signing and verifying a million operations would take minutes and say nothing new.
        measure(size, if size > 200_000 { Signing::False } else { Signing::True });
    }
}

fn measure(size: usize, signing: Signing) {
    let workload = Workload::new(size, signing);
    let sample = Workload::new(size.min(10_000), Signing::True);
    let bare = sample.bare();
    let verification = per_op(timed(|| sample.verify_bare(1, &bare)).0, bare.len());
    let signed = if signing == Signing::True { "signed" } else { "unsigned and unverified" };
    println!("\n{size} operations, {signed}; a bare verification takes {verification:.0} ns\n");
    println!("| what | ns an operation | of a bare verification |");
    println!("|---|---:|---:|");
    let row =
        |what: &str, time: f64| println!("| {what} | {time:.0} | {:.1} % |", 100.0 * time / verification);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let options = || match signing {
        Signing::True => workload.options().path(&path, NOW),
        Signing::False => ReplicaOptions::new().path(&path, NOW).dangerously_accept_unverified(),
    };
    let sealed = || match signing {
        Signing::True => options().seal_key([1; 32]),
        Signing::False => options(),
    };
    let ops: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let bytes: usize = workload.binary().into_iter().map(<[u8]>::len).sum();

    let before = LIVE.load(Ordering::Relaxed);
    let mut replica = Replica::open(sealed()).unwrap();
    row("taking in, batches of 1,000, one thread", per_op(timed(|| ingest(&mut replica, &ops)).0, size));
    let written = LIVE.load(Ordering::Relaxed).saturating_sub(before);
    row("reading in the order of arrival", {
        let reading = timed(|| replica.log().since(Cursor::START).for_each(|entry| drop(entry.unwrap())));
        per_op(reading.0, size)
    });
    let mut random = Random(3);
    row("reading by chance", {
        let cursor = |_| Cursor::from_position(u64::try_from(random.below(size)).unwrap()).unwrap();
        let cursors: Vec<Cursor> = (0..10_000).map(cursor).collect();
        let read = |cursor: &Cursor| replica.log().since(*cursor).next().unwrap().unwrap();
        per_op(timed(|| cursors.iter().for_each(|cursor| drop(read(cursor)))).0, cursors.len())
    });
    drop(replica);
    let file = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();

    let open = |options: ReplicaOptions| {
        let before = LIVE.load(Ordering::Relaxed);
        let (time, replica) = timed(|| Replica::open(options).unwrap());
        assert_eq!(replica.log().len(), size);
        (per_op(time, size), LIVE.load(Ordering::Relaxed).saturating_sub(before))
    };
    let two = NonZeroUsize::new(2).unwrap();
    let how = if signing == Signing::True { "with the seal key" } else { "without verification" };
    let (time, opened) = open(sealed());
    row(&format!("opening {how}"), time);
    row(&format!("opening {how}, two threads"), open(sealed().threads(two)).0);
    if signing == Signing::True {
        row("opening without", open(options()).0);
        row("opening without, two threads", open(options().threads(two)).0);
    }
    println!(
        "\nbytes an operation: in memory {} after writing, {} after opening; binary form {}, in the file {} ({:.2})",
        written / size,
        opened / size,
        bytes / size,
        file / size,
        file as f64 / bytes as f64
    );
    assert_eq!(BATCH, 1000);
}
