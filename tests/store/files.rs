//! Files of others, locks, and files that move.

use std::path::Path;
use std::process::Command;

use policysync::store::{Damage, Place};
use policysync::{OpenError, Replica, StoreError};

use super::common::{NOW, set};
use super::{Plain, in_file, ingest, open, snapshot, some_ops};

/// Set for a copy of this test program that tries to open the file of this name.
const OPEN_IT: &str = "POLICYSYNC_TEST_OPEN";

fn refusal(path: &Path) -> StoreError {
    match Replica::open(in_file(path)) {
        Err(OpenError::Store(error)) => error.plain(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opens"),
    }
}

/// Lets another process open the file. Returns its output.
pub fn other_process(path: &Path) -> String {
    let program = std::env::current_exe().unwrap();
    let test = ["--exact", "files::another_process_opens_it", "--nocapture"];
    let output = Command::new(program).args(test).env(OPEN_IT, path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_second_opener_is_locked_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = open(&path);
    assert_eq!(refusal(&path), StoreError::OpenHere);
    let other_process = || other_process(&path);
    assert!(other_process().contains(": another process has the store open"));
    // The attempts have not taken the lock away.
    assert_eq!(refusal(&path), StoreError::OpenHere);
    assert!(other_process().contains(": another process has the store open"));
    ingest(&mut replica, &some_ops());
    drop(replica);
    assert!(other_process().contains("answer: 24 operations"));
}

#[test]
fn another_process_opens_it() {
    if let Some(path) = std::env::var_os(OPEN_IT) {
        match Replica::open(in_file(Path::new(&path))) {
            Ok(replica) => println!("answer: {} operations", replica.log().len()),
            Err(error) => println!("answer: {error}"),
        }
    }
}

#[test]
fn what_is_not_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(refusal(directory.path()), StoreError::NotAFile);
    let missing = directory.path().join("missing").join("log");
    let named = refusal(&missing);
    assert!(matches!(named, StoreError::NoDirectory { .. }), "{named:?}");
    assert!(named.to_string().ends_with("/missing\""), "{named}");
    let below_a_file = directory.path().join("file");
    std::fs::write(&below_a_file, "text").unwrap();
    assert!(matches!(refusal(&below_a_file.join("log")), StoreError::FileSystem { .. }));
    assert_eq!(refusal(Path::new("/dev/null")), StoreError::NotAFile);
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(refusal(&pipe), StoreError::NotAFile);
}

#[test]
fn files_of_others_are_refused_and_stay_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(refusal(&path), StoreError::Foreign);
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let text = "Dear diary, ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    assert_eq!(refusal(&path), StoreError::Foreign);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    std::fs::write(&path, "").unwrap();
    assert_eq!(refusal(&path), StoreError::Corrupt { place: Place::File, damage: Damage::Empty });
}

#[test]
fn a_newer_schema_is_refused_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    ingest(&mut open(&path), &some_ops());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 3).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(refusal(&path), StoreError::Newer { found: 3, known: 2 });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn anything_that_is_defined_beside_our_tables_is_refused() {
    for addition in [
        "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
        "CREATE VIEW v AS SELECT * FROM records",
        "CREATE INDEX i ON records (bytes)",
        "CREATE TABLE more (a)",
        "ALTER TABLE records ADD COLUMN more TEXT",
        "DROP TABLE head",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        ingest(&mut open(&path), &some_ops());
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(addition).unwrap();
        drop(connection);
        let expected = StoreError::Corrupt { place: Place::Schema, damage: Damage::Unexpected };
        assert_eq!(refusal(&path), expected, "{addition}");
    }
}

#[test]
fn the_log_of_another_space_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    drop(Replica::open(in_file(&path).space("home")).unwrap());
    assert_eq!(refusal(&path).to_string(), "the store belongs to space \"home\", the replica to no space");
    assert!(Replica::open(in_file(&path).space("work")).is_err());
    assert!(Replica::open(in_file(&path).space("home")).is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_moved_away_takes_nothing_more_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let (inside, elsewhere) = (directory.path().join("inside"), directory.path().join("elsewhere"));
    std::fs::create_dir(&inside).unwrap();
    let path = inside.join("log");
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    let before = snapshot(&replica);
    std::fs::rename(&inside, &elsewhere).unwrap();
    let more = set("bob", NOW.0, 9, "more", 1_i32);
    let error = replica.ingest(NOW, &more).unwrap_err();
    assert_eq!(error.plain(), policysync::IngestError::Store(StoreError::Moved));
    assert_eq!(snapshot(&replica), before);
    // Another file of that name is not ours.
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&path, "").unwrap();
    assert!(replica.ingest(NOW, &more).is_err());
    std::fs::remove_dir_all(&inside).unwrap();
    std::fs::rename(&elsewhere, &inside).unwrap();
    replica.ingest(NOW, &more).unwrap();
    let after = snapshot(&replica);
    drop(replica);
    assert_eq!(snapshot(&open(&path)), after);
}

#[cfg(unix)]
#[test]
fn a_write_ahead_log_that_is_not_the_opened_one_stops_writes() {
    let directory = tempfile::tempdir().unwrap();
    let (path, wal) = (directory.path().join("log"), directory.path().join("log-wal"));
    let more = set("bob", NOW.0, 9, "more", 1_i32);
    for replacement in [None, Some("")] {
        let mut replica = open(&path);
        let before = snapshot(&replica);
        let aside = directory.path().join("aside");
        std::fs::rename(&wal, &aside).unwrap();
        if let Some(content) = replacement {
            std::fs::write(&wal, content).unwrap();
        }
        let error = replica.ingest(NOW, &more).unwrap_err();
        assert_eq!(error.plain(), policysync::IngestError::Store(StoreError::Moved));
        assert_eq!(snapshot(&replica), before);
        std::fs::rename(&aside, &wal).unwrap();
        ingest(&mut replica, &[set("bob", NOW.0, 10, "more", replacement.is_some())]);
    }
    assert_eq!(open(&path).log().len(), 2);
}

#[cfg(unix)]
#[test]
fn new_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let (path, backup) = (directory.path().join("log"), directory.path().join("backup"));
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    replica.back_up(&backup).unwrap();
    for name in ["log", "log-wal", "backup"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_not_created_through_a_symbolic_link() {
    let directory = tempfile::tempdir().unwrap();
    let (path, target) = (directory.path().join("log"), directory.path().join("target"));
    let text = b"somebody else's".as_slice();
    for content in [None, Some(text)] {
        if let Some(content) = content {
            std::fs::write(&target, content).unwrap();
        }
        for name in ["log-new", "copy-copy"] {
            std::os::unix::fs::symlink(&target, directory.path().join(name)).unwrap();
        }
        assert_eq!(refusal(&path), StoreError::NotAFile);
        let other = open(&directory.path().join("other"));
        assert_eq!(other.back_up(directory.path().join("copy")).plain(), Err(StoreError::NotAFile));
        assert_eq!(std::fs::read(&target).ok().as_deref(), content);
        for name in ["log-new", "copy-copy"] {
            std::fs::remove_file(directory.path().join(name)).unwrap();
        }
    }
    // A directory may be one.
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path(), &link).unwrap();
    drop(open(&link.join("log")));
    assert!(path.exists());
}

/// A crash right after the last step of creating a file leaves both names.
#[test]
fn a_finished_store_is_not_taken_for_an_unfinished_one() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("log"), directory.path().join("moved"));
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    let expected = snapshot(&replica);
    drop(replica);
    std::fs::hard_link(&path, directory.path().join("log-new")).unwrap();
    std::fs::rename(&path, &moved).unwrap();
    assert!(open(&path).log().is_empty());
    assert_eq!(snapshot(&open(&moved)), expected);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_to_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    drop(open(&path));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().append(true).open(&path).is_ok() {
        return again_as_nobody();
    }
    let refusal = refusal(&path);
    assert!(matches!(refusal, StoreError::ReadOnly(_) | StoreError::CannotOpen(_)), "{refusal:?}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    open(&path);
}

/// The superuser may write to everything: a copy of this program, run by nobody, tests it.
#[cfg(unix)]
fn again_as_nobody() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let program = directory.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", "files::a_file_that_may_not_be_written_to_is_named"]);
    command.env("TMPDIR", directory.path()).current_dir(directory.path()).uid(NOBODY).gid(NOBODY);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_file_is_at_most_thirteen_tenths_of_its_operations() {
    let ops: Vec<_> =
        (0..5000).map(|n| set("alice", NOW.0 - n, 0, &format!("path{n}"), format!("{n:064}"))).collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    ingest(&mut Replica::open(in_file(&path).seal_key([1; 32])).unwrap(), &ops);
    let forms: usize = ops.iter().map(|op| op.to_binary().len()).sum();
    let file = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    println!("{file} bytes for {forms} of binary forms");
    assert!(file * 10 <= forms * 13, "{file} bytes for {forms} of binary forms");
}

/// A hostile file could use them; a store does not.
#[test]
fn the_database_knows_no_virtual_tables_and_loads_no_extensions() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let mut statement = connection.prepare("SELECT name FROM pragma_module_list").unwrap();
    let modules: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0)).unwrap().collect();
    let modules = modules.unwrap();
    for name in ["fts", "rtree", "dbstat"] {
        assert!(!modules.iter().any(|module| module.starts_with(name)), "{modules:?}");
    }
    assert!(modules.iter().any(|module| module == "pragma_module_list"), "{modules:?}");
    let error = connection.query_row("SELECT load_extension('x')", [], |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("not authorized"), "{error}");
}

/// The variable that tells a test that it runs in a process of its own.
const ALONE: &str = "POLICYSYNC_ALONE";

#[test]
fn no_name_means_something_else_to_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::a_file_called_memory_is_a_file"])
        .env(ALONE, "")
        .current_dir(directory.path())
        .status();
    assert!(status.unwrap().success());
    assert!(directory.path().join(":memory:").exists());
}

/// Does nothing unless the test above runs it in a directory of its own.
#[test]
fn a_file_called_memory_is_a_file() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    for len in 0..3_u32 {
        let mut replica = Replica::open(in_file(Path::new(":memory:"))).unwrap();
        assert_eq!(u32::try_from(replica.log().len()), Ok(len));
        ingest(&mut replica, &[set("alice", NOW.0, len, "a", 1_i32)]);
    }
}
