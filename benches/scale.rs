//! Signed ingest beside its limit; then everything but the signature, from ten thousand to a million operations, and
//! what a replica weighs. Two tables, each beside a bare verification in the same run.
//!
//! `cargo bench --features parallel --bench scale`

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Signing, Workload, cpu_nanoseconds, ingest, median, wall_nanoseconds};
use policysync::{Incoming, Replica, Signature};

/// Counts the bytes that are allocated and not freed.
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

/// Nanoseconds an operation, by this clock.
fn timed(clock: fn() -> u64, count: usize, work: impl FnOnce()) -> f64 {
    let start = clock();
    work();
    (clock() - start) as f64 / count as f64
}

/// Signed ingest beside a bare loop over the same texts, in turn, portion by portion: the median of the ratios.
fn signed_beside_bare(threads: usize) {
    const PORTION: usize = 4 * common::BATCH;
    let clock = if threads == 1 { cpu_nanoseconds } else { wall_nanoseconds };
    let workload = Workload::new(100_000, Signing::True);
    let bare = workload.bare();
    for form in ["binary", "JSON"] {
        let json = workload.json();
        let ops: Vec<Incoming<'_>> = match form {
            "binary" => workload.binary().into_iter().map(Incoming::Binary).collect(),
            _ => json.iter().map(|text| Incoming::Json(text.as_bytes())).collect(),
        };
        let options = workload.options().threads(NonZeroUsize::new(threads).unwrap());
        let mut replica = Replica::open(options).unwrap();
        let mut ratios = Vec::new();
        for (ops, bare) in ops.chunks(PORTION).zip(bare.chunks(PORTION)) {
            let bare = timed(clock, ops.len(), || workload.verify_bare(threads, bare));
            let ingest = timed(clock, ops.len(), || ingest(&mut replica, ops));
            ratios.push(bare / ingest);
        }
        println!("| {form} | {threads} | {:.3} |", median(ratios));
    }
}

/// One bare verification, in nanoseconds.
fn verification(workload: &Workload, bare: &[(Signature, String, usize)]) -> f64 {
    timed(cpu_nanoseconds, bare.len(), || workload.verify_bare(1, bare))
}

fn main() {
    let sizes = std::env::args().filter_map(|word| word.parse().ok()).collect::<Vec<usize>>();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };

    println!("| signed ingest | threads | speed, of a bare verification loop |");
    println!("|---|---:|---:|");
    for threads in [1, 2] {
        signed_beside_bare(threads);
    }

    println!();
    println!(
        "| operations | form | arrival | ns an operation without verification | of a bare verification | bytes an operation |"
    );
    println!("|---:|---|---|---:|---:|---:|");
    let limit = Workload::new(2_000, Signing::True);
    let bare = limit.bare();
    for size in sizes {
        let mut workload = Workload::new(size, Signing::False);
        let json = workload.json();
        for (form, arrival) in [
            ("JSON", "interleaved"),
            ("binary", "interleaved"),
            ("binary", "shuffled"),
            ("binary", "replayed"),
        ] {
            if arrival == "shuffled" {
                workload.shuffle();
            }
            let ops: Vec<Incoming<'_>> = match form {
                "binary" => workload.binary().into_iter().map(Incoming::Binary).collect(),
                _ => json.iter().map(|text| Incoming::Json(text.as_bytes())).collect(),
            };
            // Small sizes are repeated, so that each row rests on at least 300,000 operations.
            let (mut times, mut shares, mut bytes) = (Vec::new(), Vec::new(), 0);
            for _ in 0..300_000_usize.div_ceil(size).max(3) {
                let before = LIVE.load(Ordering::Relaxed);
                let options = workload.options().dangerously_accept_unverified();
                let mut replica = Replica::open(options).unwrap();
                if arrival == "replayed" {
                    ingest(&mut replica, &ops);
                }
                let time = timed(cpu_nanoseconds, size, || ingest(&mut replica, &ops));
                assert_eq!(replica.log().len(), size);
                bytes = LIVE.load(Ordering::Relaxed).saturating_sub(before) / size;
                times.push(time);
                shares.push(100.0 * time / verification(&limit, &bare));
            }
            let (time, share) = (median(times), median(shares));
            println!("| {size} | {form} | {arrival} | {time:.0} | {share:.1} % | {bytes} |");
        }
    }
}
