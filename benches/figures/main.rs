//! Every figure that has a bar, in one table, each beside its limit in the same run. Fails when a bar is not met.
//!
//! `cargo bench --all-features --bench figures` takes a quarter of an hour; words behind `--` choose: `ingest`, `rest`,
//! `junk`, `store`, `sync`, `abi`. The machine should have nothing else to do.

#[path = "../common/mod.rs"]
mod common;

mod abi;
mod allocator;
mod ingest;
mod junk;
mod rest;
mod store;
mod sync;
mod table;

use std::process::ExitCode;

use table::Table;

/// A part of the table: its name, and what measures it.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 6] = [
    ("ingest", ingest::measure),
    ("rest", rest::measure),
    ("junk", junk::measure),
    ("store", store::measure),
    ("sync", sync::measure),
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
