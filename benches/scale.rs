//! Everything but the signature, from ten thousand to a million operations, and what a replica weighs: one table,
//! beside a bare verification in the same run.
//!
//! `cargo bench --features parallel --bench scale`

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Signing, Workload, ingest};
use policysync::{Incoming, Replica};

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

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// Nanoseconds an operation.
fn per_op(time: Duration, count: usize) -> f64 {
    time.as_nanos() as f64 / count as f64
}

fn verification() -> f64 {
    let workload = Workload::new(5_000, Signing::True);
    let bare = workload.bare();
    median((0..3).map(|_| per_op(timed(|| workload.verify_bare(&bare)), bare.len())).collect())
}

fn main() {
    let sizes = std::env::args().filter_map(|word| word.parse().ok()).collect::<Vec<usize>>();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    println!(
        "| operations | form | arrival | ns an operation | of a bare verification | bytes an operation |"
    );
    println!("|---:|---|---|---:|---:|---:|");
    for size in sizes {
        let mut workload = Workload::new(size, Signing::False);
        let json = workload.json();
        for (form, arrival) in [("JSON", "interleaved"), ("binary", "interleaved"), ("binary", "shuffled")] {
            if arrival == "shuffled" {
                workload.shuffle();
            }
            let ops: Vec<Incoming<'_>> = match form {
                "binary" => workload.binary().into_iter().map(Incoming::Binary).collect(),
                _ => json.iter().map(|text| Incoming::Json(text.as_bytes())).collect(),
            };
            // Small sizes are repeated, so that each row rests on at least 300,000 operations.
            let runs = 300_000_usize.div_ceil(size).max(3);
            let mut bytes = 0;
            let times = (0..runs)
                .map(|_| {
                    let before = LIVE.load(Ordering::Relaxed);
                    let mut replica =
                        Replica::open(workload.options().dangerously_accept_unverified()).unwrap();
                    let time = timed(|| ingest(&mut replica, &ops));
                    assert_eq!(replica.log().len(), size);
                    bytes = LIVE.load(Ordering::Relaxed).saturating_sub(before) / size;
                    per_op(time, size)
                })
                .collect();
            let time = median(times);
            let share = 100.0 * time / verification();
            println!("| {size} | {form} | {arrival} | {time:.0} | {share:.1} % | {bytes} |");
        }
    }
}
