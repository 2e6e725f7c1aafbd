//! All figures that have a bar, in one table. Fails if a bar is missed.
//!
//! `cargo bench -p policysync-benches --bench figures` takes a quarter of an hour on an idle machine. Words after `--`
//! select parts: `ingest`, `rest`, `junk`, `store`, `sync`, `refused`, `abi`.

#[path = "../common/mod.rs"]
mod common;

mod abi;
mod allocator;
mod ingest;
mod junk;
mod refused;
mod rest;
#[path = "../../tests/sync/speaker.rs"]
#[allow(dead_code, reason = "only requests are written here")]
mod speaker;
mod store;
mod sync;
mod table;

use std::process::ExitCode;

use table::Table;

/// A part of the table: its name and its measurement.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 7] = [
    ("ingest", ingest::measure),
    ("rest", rest::measure),
    ("junk", junk::measure),
    ("store", store::measure),
    ("sync", sync::measure),
    ("refused", refused::measure),
    ("abi", abi::measure),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let chosen = |name: &str| words.iter().any(|word| word == name);
    let any = PARTS.iter().any(|(name, _)| chosen(name));
    let mut table = Table::begin();
    for (name, measure) in PARTS {
        if chosen(name) || !any {
            measure(&mut table);
        }
    }
    table.end()
}
