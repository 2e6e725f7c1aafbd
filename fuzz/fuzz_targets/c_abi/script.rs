//! The arguments of a script: texts, fields, times, operations, files, mostly valid.

use std::path::PathBuf;
use std::ptr::null;
use std::sync::OnceLock;

use policysync_fuzz::{Input, NOW, set};

use crate::layout::{Bytes, Field};

/// Picks a text: known, empty, absent, or the input's own bytes.
pub fn bytes(input: &mut Input<'_>) -> Bytes {
    const KNOWN: [&str; 6] = ["alice", "bob", "Task", "t1", "title", "null"];
    let of = |bytes: &[u8]| Bytes { data: bytes.as_ptr().cast(), len: bytes.len() };
    match input.below(10) {
        0 => Bytes { data: null(), len: 0 },
        1 => Bytes { data: null(), len: 5 },
        2 => Bytes { data: "".as_ptr().cast(), len: 0 },
        // Longer than the address space: rejected before it is read.
        3 => Bytes { data: "x".as_ptr().cast(), len: usize::MAX },
        4 | 5 => of(input.piece()),
        n => of(KNOWN[(n + input.below(6)) % 6].as_bytes()),
    }
}

pub fn good(text: &'static str) -> Bytes {
    Bytes { data: text.as_ptr().cast(), len: text.len() }
}

pub fn field(input: &mut Input<'_>) -> Field {
    match input.below(4) {
        0 => Field { entity: bytes(input), entity_id: bytes(input), path: bytes(input) },
        n => Field { entity: good("Task"), entity_id: good("t1"), path: good(["a", "b", "title"][n - 1]) },
    }
}

pub fn now(input: &mut Input<'_>) -> u64 {
    input.one_of(&[NOW.0, NOW.0 + 1, NOW.0 + 3_600_000, 0, u64::MAX - 7])
}

pub fn format(input: &mut Input<'_>) -> u32 {
    input.one_of(&[1, 2, 1, 2, 0, 3, u32::MAX])
}

/// Picks the bytes of an operation: signed, from the input, or none.
pub fn op_bytes(input: &mut Input<'_>) -> Vec<u8> {
    match input.below(4) {
        0 => input.long_piece().to_vec(),
        n => {
            let op = set(input.below(2), NOW.0, u32::from(input.byte()), "title", "x");
            if n == 1 { op.to_json().into_bytes() } else { op.to_binary() }
        }
    }
}

/// Returns the directory of the script's files, which belongs to this process and is empty between two inputs.
pub fn directory() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = std::env::temp_dir().join(format!("policysync-c-abi-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        directory
    })
}

/// Names in the directory, and the directory itself; the last two cannot be opened.
pub const FILES: [&str; 5] = ["a.db", "b.db", "c.db", "", "none/a.db"];

/// Picks a path, never from the input's own bytes, which might name any file of the machine.
pub fn path(input: &mut Input<'_>) -> Bytes {
    static PATHS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        FILES.iter().map(|name| directory().join(name).into_os_string().into_encoded_bytes()).collect()
    });
    let of = |bytes: &'static [u8]| Bytes { data: bytes.as_ptr().cast(), len: bytes.len() };
    match input.below(16) {
        n @ 0..12 => of(&paths[n % 3]),
        12 => of(&paths[3]),
        13 => of(&paths[4]),
        14 => of(b"a\0b"),
        _ => input.one_of(&[Bytes { data: null(), len: 0 }, Bytes { data: null(), len: 5 }]),
    }
}
