//! A process that dies, and a disk that fails, at each system call of a workload that changes a file.
//!
//! The workload is a copy of this test program under `strace`, which kills it, or lets the call fail, at the n-th
//! call. It says what was acknowledged on its standard output.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use policysync::{IngestError, Replica, ReplicaOptions, SignedOp, StoreError};

use super::common::{NOW, knowing, set};
use super::{PEOPLE, in_file, open, snapshot};

/// Set for the copy that does the work: the file, and the number of batches it should hold in the end.
const WORK: &str = "POLICYSYNC_TEST_WORK";
const BATCHES: &str = "POLICYSYNC_TEST_BATCHES";
const SEAL: [u8; 32] = [5; 32];

/// System calls that change what is on the disk, and those that read it, by the name that `strace` gives them.
const CALLS: [&str; 13] = [
    "openat",
    "pread64",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "linkat",
    "rename",
    "mkdir",
    "fchmod",
    "fallocate",
];

/// The operations of a batch: two, and in every fifth batch some that take more than a page.
fn batch(number: usize) -> Vec<SignedOp> {
    let t = NOW.0 - 1000 + u64::try_from(number).unwrap();
    let mut ops = vec![set("alice", t, 0, "title", "a"), set("bob", t, 1, &format!("path{number}"), "b")];
    if number % 5 == 4 {
        ops.push(set("carol", t, 2, "text", "long ".repeat(1500)));
    }
    ops
}

fn options(path: &Path) -> ReplicaOptions {
    in_file(path).seal_key(SEAL)
}

/// Returns the count of batches that a replica holds, each of them whole.
fn batches_in(replica: &Replica) -> usize {
    let mut left = replica.log().len();
    let mut whole = 0;
    while left > 0 {
        let len = batch(whole).len();
        assert!(left >= len, "a part of batch {whole}");
        left -= len;
        whole += 1;
    }
    let expected: Vec<SignedOp> = (0..whole).flat_map(batch).collect();
    let found = snapshot(replica).arrivals.into_iter().map(|(op, _)| op);
    assert!(found.eq(expected), "other operations");
    whole
}

/// Ingests one batch. On an error the replica must be as it was, and reading must still work or say why not.
fn work_once(replica: &mut Replica, number: usize) -> Result<(), StoreError> {
    let before = (replica.log().digest(), replica.state_digest(), replica.clock().last());
    let ops = batch(number);
    let incoming: Vec<_> = ops.iter().map(Into::into).collect();
    match replica.ingest_batch(NOW, &incoming) {
        Ok(outcomes) => {
            assert!(outcomes.iter().all(Result::is_ok));
            Ok(())
        }
        Err(IngestError::Store(error)) => {
            assert_eq!((replica.log().digest(), replica.state_digest(), replica.clock().last()), before);
            Err(error)
        }
        Err(other) => panic!("{other}"),
    }
}

/// The work of the copy: opens the file and appends batches up to the given count, printing `acknowledged N` after
/// each. A failure is printed, and tried again some times, with the same replica or by opening it again.
#[test]
fn the_work_itself() {
    let (Some(path), Some(batches)) = (std::env::var_os(WORK), std::env::var(BATCHES).ok()) else { return };
    let (path, batches): (PathBuf, usize) = (path.into(), batches.parse().unwrap());
    // The test runner has begun a line.
    println!();
    let mut attempts = 0;
    let mut replica = loop {
        match Replica::open(options(&path)) {
            Ok(replica) => break replica,
            Err(error) => println!("failed: {error:?}"),
        }
        attempts += 1;
        if attempts == 3 {
            return println!("gave up");
        }
    };
    let mut number = batches_in(&replica);
    while number < batches {
        match work_once(&mut replica, number) {
            Ok(()) => {
                println!("acknowledged {number}");
                number += 1;
            }
            Err(error) => {
                println!("failed: {error:?}");
                attempts += 1;
                if attempts > 3 {
                    return println!("gave up");
                }
            }
        }
    }
    println!("end");
}

/// Runs the work under `strace` with these arguments, which only sees calls on the store's own files.
fn run(path: &Path, batches: usize, strace: &[String]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(beside(path, ".trace")).args(strace);
    command.arg("-P").arg(path.parent().unwrap());
    for suffix in ["", "-wal", "-journal", "-new", "-new-journal"] {
        command.arg("-P").arg(beside(path, suffix));
    }
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::the_work_itself", "--nocapture", "--test-threads=1"]);
    command.env(WORK, path).env(BATCHES, batches.to_string());
    command.output().unwrap()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(suffix);
    name.into()
}

/// Every call of the work that changes a file: its name, and which of that name it is.
fn points(path: &Path, batches: usize) -> Vec<(&'static str, usize)> {
    let trace = format!("trace={}", CALLS.join(","));
    let output = run(path, batches, &["-e".into(), trace]);
    assert!(output.status.success() && acknowledged(&output) > 0, "{output:?}");
    let text = std::fs::read_to_string(beside(path, ".trace")).unwrap();
    let count = |name: &&'static str| (*name, text.matches(&format!(" {name}(")).count());
    let points = |(name, count): (&'static str, usize)| (1..=count).map(move |number| (name, number));
    CALLS.iter().map(count).flat_map(points).collect()
}

fn acknowledged(output: &Output) -> usize {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with("acknowledged")).count()
}

/// Calls `work` with each point, on both threads that the machine may have, each in a directory of its own.
fn at_each<P: Sync>(points: &[P], work: impl Fn(&P, &Path) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let directory = tempfile::tempdir().unwrap();
                    work(point, &directory.path().join("log"));
                }
            });
        }
    });
}

fn kill_at(name: &str, number: usize) -> [String; 2] {
    ["-e".into(), format!("inject={name}:signal=KILL:when={number}")]
}

fn fail_at(name: &str, error: &str, when: &str) -> [String; 2] {
    ["-e".into(), format!("inject={name}:error={error}:when={when}")]
}

/// Opens what a crash has left: acknowledged batches are there, the others whole or not at all; the work can continue.
fn recover(path: &Path, acknowledged: usize, what: &str) {
    let mut replica = Replica::open(options(path)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = batches_in(&replica);
    assert!(found >= acknowledged, "{what}: {acknowledged} acknowledged, {found} found");
    assert!(found <= acknowledged + 1, "{what}: {acknowledged} acknowledged, {found} found");
    work_once(&mut replica, found).unwrap_or_else(|error| panic!("{what}: {error}"));
    let expected = snapshot(&replica);
    drop(replica);
    assert!(snapshot(&open(path)) == expected, "{what}: another state");
}

#[test]
#[ignore = "needs strace"]
fn a_kill_at_any_call_loses_nothing_that_was_acknowledged() {
    const BATCHES: usize = 50;
    let directory = tempfile::tempdir().unwrap();
    let points = points(&directory.path().join("log"), BATCHES);
    let killed = AtomicUsize::new(0);
    at_each(&points, |(name, number), path| {
        let output = run(path, BATCHES, &kill_at(name, *number));
        match output.status.success() {
            true => println!("not killed at {name} {number}"),
            false => _ = killed.fetch_add(1, Ordering::Relaxed),
        }
        recover(path, acknowledged(&output), &format!("killed at {name} {number}"));
    });
    let killed = killed.into_inner();
    println!("killed at {killed} of {} calls", points.len());
    assert!(points.len() > 100 && killed == points.len(), "{killed} of {}", points.len());
}

#[test]
#[ignore = "needs strace"]
fn a_kill_during_recovery_loses_nothing_either() {
    let directory = tempfile::tempdir().unwrap();
    let first = directory.path().join("log");
    let points = points(&first, 12);
    // A store that was killed in the middle of its work, with a journal to recover from.
    let writes: Vec<_> = points.iter().filter(|(name, _)| *name == "pwrite64").collect();
    let (name, number) = writes[writes.len() * 3 / 4];
    std::fs::remove_file(&first).unwrap();
    let acknowledged_before = acknowledged(&run(&first, 12, &kill_at(name, *number)));
    assert!(beside(&first, "-wal").metadata().unwrap().len() > 0);
    let copy_to = |path: &Path| {
        for suffix in ["", "-wal"] {
            std::fs::copy(beside(&first, suffix), beside(path, suffix)).unwrap();
        }
    };
    let measured = directory.path().join("measured");
    copy_to(&measured);
    let points = self::points(&measured, 14);
    at_each(&points, |(name, number), path| {
        copy_to(path);
        let output = run(path, 14, &kill_at(name, *number));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = text.lines().filter_map(|line| line.strip_prefix("acknowledged ")).next_back();
        let acknowledged = last.map_or(acknowledged_before, |last| last.parse::<usize>().unwrap() + 1);
        recover_at_least(path, acknowledged, &format!("killed again at {name} {number}"));
    });
    println!("killed again at {} calls", points.len());
}

#[test]
#[ignore = "needs strace"]
fn a_kill_while_an_old_file_is_converted_loses_nothing() {
    const BATCHES: usize = 12;
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old");
    let mut replica = Replica::open(options(&old)).unwrap();
    (0..BATCHES).for_each(|number| work_once(&mut replica, number).unwrap());
    drop(replica);
    super::old::make_old(&old, Some(&SEAL), false);
    let measured = directory.path().join("measured");
    std::fs::copy(&old, &measured).unwrap();
    // One batch more, so that the end of the conversion is met too.
    let points = points(&measured, BATCHES + 1);
    let conversion = points.iter().filter(|(name, _)| *name == "pwrite64").count();
    assert!(conversion > 10, "{points:?}");
    at_each(&points, |(name, number), path| {
        std::fs::copy(&old, path).unwrap();
        run(path, BATCHES + 1, &kill_at(name, *number));
        recover_at_least(path, BATCHES, &format!("killed at {name} {number}"));
    });
    println!("killed at {} calls", points.len());
}

/// As [`recover`], where a batch that was not acknowledged may have been found and taken up by the second attempt.
fn recover_at_least(path: &Path, acknowledged: usize, what: &str) {
    let replica = Replica::open(options(path)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = batches_in(&replica);
    drop(replica);
    assert!((acknowledged..=acknowledged + 2).contains(&found), "{what}: {acknowledged}, {found} found");
    recover(path, found, what);
}

/// Lets calls fail and looks at what the work says: it ends, or ends with errors that are named; and what was
/// acknowledged is there when the disk works again.
fn fail(points: &[(&'static str, usize)], batches: usize, error: &str, persistent: bool) {
    let (failed, gave_up) = (AtomicUsize::new(0), AtomicUsize::new(0));
    at_each(points, |(name, number), path| {
        let what = format!("{error} at {name} {number}, persistent: {persistent}");
        let when = if persistent { format!("{number}+") } else { number.to_string() };
        let output = run(path, batches, &fail_at(name, error, &when));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{what}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
        let said = |word: &str| text.lines().any(|line| line.starts_with(word));
        assert!(said("end") != said("gave up"), "{what}: {text}");
        assert!(persistent || said("end"), "{what}: {text}");
        for line in text.lines().filter(|line| line.starts_with("failed:")) {
            let named = ["DiskFull", "Io(", "CannotOpen", "ReadOnly", "FileSystem", "Moved", "Locked"];
            // SQLite calls a page damaged that the disk says it cannot read.
            let is_unreadable = (*name, error) == ("pread64", "EIO") && line.contains("Malformed");
            assert!(is_unreadable || named.iter().any(|name| line.contains(name)), "{what}: {line}");
        }
        failed.fetch_add(usize::from(said("failed:")), Ordering::Relaxed);
        gave_up.fetch_add(usize::from(said("gave up")), Ordering::Relaxed);
        let path = path.to_path_buf();
        recover(&path, acknowledged(&output), &what);
    });
    let (failed, gave_up) = (failed.into_inner(), gave_up.into_inner());
    println!("{error}, persistent {persistent}: {} calls, {failed} said so, {gave_up} gave up", points.len());
}

#[test]
#[ignore = "needs strace"]
fn a_disk_that_fails_at_any_call_is_an_error_and_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let points = points(&directory.path().join("log"), 8);
    for error in ["ENOSPC", "EIO"] {
        for persistent in [false, true] {
            fail(&points, 8, error, persistent);
        }
    }
}

#[test]
fn the_work_succeeds_if_nothing_crashes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(options(&path)).unwrap();
    (0..6).for_each(|number| work_once(&mut replica, number).unwrap());
    assert_eq!(batches_in(&replica), 6);
    let mut memory = Replica::open(knowing(&PEOPLE)).unwrap();
    (0..6).for_each(|number| work_once(&mut memory, number).unwrap());
    assert_eq!(snapshot(&replica), snapshot(&memory));
}
