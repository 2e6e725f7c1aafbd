//! A process that forks while a replica is open.
#![expect(unsafe_code, reason = "the standard library has no fork")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use policysync::{IngestError, Replica, StoreError, WriteError};

use super::common::{NOW, knowing, set};
use super::{PEOPLE, Plain, as_alice, in_file, ingest, open, snapshot, some_ops};

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

/// Runs `work` in a child process with a copy of everything. Returns true if it returns true.
fn in_child(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child calls `work` and ends; the C library keeps its allocator usable in a child.
    let pid = unsafe { fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        let is_ok = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: ends the process; nothing of the parent is touched.
        unsafe { _exit(i32::from(!is_ok)) }
    }
    let mut status = -1;
    // SAFETY: `status` lives through the call.
    assert_eq!(unsafe { waitpid(pid, &raw mut status, 0) }, pid);
    status == 0
}

/// Returns true if this copy of a replica takes no operation.
fn refuses(replica: &mut Replica) -> bool {
    let written = replica.set(NOW, ("Task", "t1", "title"), "from the child").plain();
    let deleted = replica.delete(NOW, ("Task", "t1", "title")).plain();
    let ingested = replica.ingest(NOW, &set("bob", NOW.0, 77, "more", 1_i32)).plain();
    let refused = Err(WriteError::Ingest(IngestError::Store(StoreError::OtherProcess)));
    written == refused && deleted == refused && ingested == Err(IngestError::Store(StoreError::OtherProcess))
}

/// Returns the names and bytes of all files. Reads copies: closing a file here would release this process's lock on it.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let copies = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-R").arg(directory).arg(copies.path()).status();
    assert!(copied.unwrap().success());
    let directory = copies.path().join(directory.file_name().unwrap());
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn the_childs_copy_of_a_replica_refuses_everything_and_the_parent_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(as_alice(in_file(&path))).unwrap();
    ingest(&mut replica, &some_ops());
    let child = || {
        let refuses = refuses(&mut replica);
        let reads = replica.get(("Task", "t1", "path1")).plain();
        let is_read = reads == Err(StoreError::OtherProcess) || matches!(reads, Ok(None));
        let copied = replica.back_up(directory.path().join("backup")).plain();
        refuses && is_read && copied == Err(StoreError::OtherProcess)
    };
    assert!(in_child(child));
    replica.set(NOW, ("Task", "t1", "title"), "from the parent").unwrap();
    let before = snapshot(&replica);
    drop(replica);
    assert_eq!(snapshot(&Replica::open(as_alice(in_file(&path))).unwrap()), before);
}

#[test]
fn a_child_that_drops_its_copy_leaves_the_file_and_its_lock_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut slot = Some(open(&path));
    ingest(slot.as_mut().unwrap(), &some_ops());
    let before = files(directory.path());
    assert!(before.iter().any(|(name, bytes)| name == "log-wal" && !bytes.is_empty()));
    let dropped = in_child(|| {
        drop(slot.take());
        true
    });
    assert!(dropped);
    assert_eq!(files(directory.path()), before);
    assert!(super::files::other_process(&path).contains(": another process has the store open"));
    let replica = slot.as_mut().unwrap();
    ingest(replica, &[set("bob", NOW.0, 78, "more", 1_i32)]);
    let before = snapshot(replica);
    drop(slot);
    assert_eq!(snapshot(&open(&path)), before);
}

#[test]
fn a_replica_in_memory_belongs_to_its_process_too() {
    let mut replica = Replica::open(as_alice(knowing(&PEOPLE))).unwrap();
    replica.set(NOW, ("Task", "t1", "title"), "before").unwrap();
    assert!(in_child(|| refuses(&mut replica)));
    replica.set(NOW, ("Task", "t1", "title"), "after").unwrap();
}
