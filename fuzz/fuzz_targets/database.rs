//! A changed store file, which must give a named error or the same replica.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use policysync::crypto::Hash;
use policysync::oplog::LogDigest;
use policysync::store::Durability;
use policysync::{OpenError, Replica, ReplicaOptions, SignedOp, StoreError};
use policysync_fuzz::{Input, NOW, arrivals, check_error, check_fold, ingest, knowing, set};

struct Original {
    /// Without a seal, and with one.
    files: [Vec<u8>; 2],
    log: LogDigest,
    state: Hash,
}

fuzz_target!(|data: &[u8]| {
    let original = original();
    let mut input = Input::new(data);
    let flags = input.byte();
    let sealed = usize::from(flags & 1);
    let mut bytes = original.files[sealed].clone();
    for _ in 0..1 + input.below(8) {
        change(&mut bytes, &mut input);
    }
    let path = file();
    std::fs::write(&path, &bytes).expect("there is room");
    let mut journal = path.clone().into_os_string();
    journal.push("-wal");
    let journal = PathBuf::from(journal);
    if flags & 6 == 6 {
        std::fs::write(&journal, input.rest()).expect("there is room");
    }
    match Replica::open(options(&path, sealed == 1)) {
        Err(error) => {
            check_error(&error);
            if let OpenError::Store(error) = &error {
                assert!(!matches!(error.fault(), StoreError::Other(_)), "no name: {error}");
            }
        }
        Ok(replica) => {
            assert_eq!(replica.log().digest(), original.log, "another log");
            assert_eq!(replica.state_digest(), original.state, "another state");
            check_fold(&replica);
            assert_eq!(arrivals(&replica).len(), replica.log().len());
        }
    }
    for left in [journal, path.with_extension("db-shm"), path.with_extension("db-journal"), path] {
        _ = std::fs::remove_file(left);
    }
});

fn change(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    let Some(last) = bytes.len().checked_sub(1) else { return };
    let kind = input.byte();
    // A page number and a position in the page, at most the last byte.
    let at = (input.below(16) * 4096 + input.short() % 4096).min(last);
    match kind % 8 {
        0 => bytes[at] ^= 1 << input.below(8),
        1 => bytes[at] = input.byte(),
        2 => bytes[at] = bytes[at].wrapping_add(1),
        3 => bytes.iter_mut().skip(at).zip(input.piece()).for_each(|(byte, new)| *byte = *new),
        4 => bytes.truncate(at),
        5 => {
            // One page overwrites another.
            let (from, to) = (at / 4096 * 4096, input.below(16) * 4096);
            if from + 4096 <= bytes.len() && to + 4096 <= bytes.len() {
                bytes.copy_within(from..from + 4096, to);
            }
        }
        6 => {
            let len = 1 + input.below(64);
            let from = (input.below(16) * 4096 + input.short() % 4096).min(last);
            if from + len <= bytes.len() && at + len <= bytes.len() {
                bytes.copy_within(from..from + len, at);
            }
        }
        _ => bytes.extend(std::iter::repeat_n(0, 16 * input.below(256))),
    }
}

/// Returns the path of this process's only file. It is fast if temporary files are in memory.
fn file() -> PathBuf {
    std::env::temp_dir().join(format!("policysync-fuzz-{}.db", std::process::id()))
}

fn options(path: &Path, is_sealed: bool) -> ReplicaOptions {
    let options = knowing().path(path, NOW).durability(Durability::ProcessOnly);
    if is_sealed { options.seal_key([9; 32]) } else { options }
}

fn original() -> &'static Original {
    static ORIGINAL: OnceLock<Original> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        let ops: Vec<SignedOp> = (0..6)
            .map(|n| set(n % 4, NOW.0 - 100 + n as u64, 0, &format!("p{n}"), format!("value {n}")))
            .chain([set(0, NOW.0, 0, "long", "long ".repeat(900))])
            .chain([set(1, NOW.0 + 3_600_000, 0, "later", true)])
            .collect();
        let path = file();
        let mut digests = None;
        let files = [false, true].map(|is_sealed| {
            let mut replica = Replica::open(options(&path, is_sealed)).expect("a new file");
            ingest(&mut replica, &ops.iter().collect::<Vec<_>>());
            digests = Some((replica.log().digest(), replica.state_digest()));
            drop(replica);
            let bytes = std::fs::read(&path).expect("the file is there");
            std::fs::remove_file(&path).expect("the file is there");
            bytes
        });
        let (log, state) = digests.expect("two files were made");
        Original { files, log, state }
    })
}
