//! Files of version 0.1.0.

use std::path::{Path, PathBuf};

use policysync::store::StoreCheck;
use policysync::{KeyRegistry, OpenError, Replica, SignedOp, StoreError};

use super::common::{NOW, crypto, key, knowing};
use super::{PEOPLE, Plain, Snapshot, as_alice, in_file, ingest, snapshot, some_ops};

/// The seal key of the golden files.
pub const SEAL: [u8; 32] = [1; 32];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn expected() -> Snapshot {
    let mut memory = Replica::open(knowing(&PEOPLE)).unwrap();
    ingest(&mut memory, &some_ops());
    snapshot(&memory)
}

/// Computes the seal of version 0.1.0 over the records of a store without a space.
fn old_seal(key: &[u8; 32], connection: &rusqlite::Connection) -> Vec<u8> {
    let mut statement = connection.prepare("SELECT bytes FROM records ORDER BY first").unwrap();
    let records = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let start = crypto().keyed_hash(key, b"\0policysync/seal/v1");
    let seal = records.fold(start, |seal, record| {
        let record = record.unwrap();
        let op = SignedOp::from_binary(&record[32..]).unwrap();
        let parts = [&[1], &seal[..], &record[..32], op.signature().as_bytes(), op.kid().as_bytes()];
        crypto().keyed_hash(key, &parts.concat())
    });
    seal.to_vec()
}

/// Makes a file of version 0.1.0 of a store without a space, sealed with this key or without a seal.
pub fn make_old(path: &Path, seal_key: Option<&[u8; 32]>, is_copy: bool) {
    let mut connection = rusqlite::Connection::open(path).unwrap();
    let head: Vec<u8> = connection.query_row("SELECT bytes FROM head", [], |row| row.get(0)).unwrap();
    let count = u32::from_le_bytes(head[2..6].try_into().unwrap());
    let seal = seal_key.map(|key| old_seal(key, &connection));
    let old = rusqlite::Connection::open(golden("store-v1.db")).unwrap();
    let text = |name: &str| -> String {
        old.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0)).unwrap()
    };
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch(&text("meta")).unwrap();
    transaction.execute_batch(&text("ops")).unwrap();
    let ops = "INSERT INTO ops SELECT first, substr(bytes, 1, 32), substr(bytes, 33) FROM records";
    transaction.execute_batch(ops).unwrap();
    let copied = is_copy.then_some(count);
    let meta = "INSERT INTO meta (one, count, seal, copied) VALUES (1, ?1, ?2, ?3)";
    transaction.execute(meta, rusqlite::params![count, seal, copied]).unwrap();
    transaction
        .execute_batch("DROP TABLE head; DROP TABLE notes; DROP TABLE records; PRAGMA user_version = 1")
        .unwrap();
    transaction.commit().unwrap();
}

fn version(path: &Path) -> i32 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_file_of_every_version_opens_sealed_and_unsealed() {
    let newest = golden("store-v2.db");
    if std::env::var_os("POLICYSYNC_GOLDEN").is_some() {
        drop(std::fs::remove_file(&newest));
        ingest(&mut Replica::open(in_file(&newest).seal_key(SEAL)).unwrap(), &some_ops());
    }
    let expected = expected();
    for file in [golden("store-v1.db"), newest] {
        for is_sealed in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            std::fs::copy(&file, &path).unwrap();
            let options = || if is_sealed { in_file(&path).seal_key(SEAL) } else { in_file(&path) };
            for _ in 0..2 {
                assert_eq!(snapshot(&Replica::open(options()).unwrap()), expected, "{}", file.display());
                assert_eq!(version(&path), 2);
            }
            let is_still_sealed = is_sealed || file.ends_with("store-v2.db");
            let wrong = Replica::open(in_file(&path).seal_key([2; 32])).map(drop);
            // Opened without the key, the old file has lost its seal, and got one with this key.
            let expected = is_still_sealed.then_some(OpenError::Store(StoreError::WrongSealKey));
            assert_eq!(wrong.plain().err(), expected);
        }
    }
}

#[test]
fn a_check_reads_an_old_file_and_leaves_it_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (path, saved) = (directory.path().join("log"), directory.path().join("saved"));
    std::fs::copy(golden("store-v1.db"), &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut keys = KeyRegistry::new();
    PEOPLE.iter().for_each(|actor| keys.register(key(actor).public_key().clone()).unwrap());
    let check = StoreCheck::new(&path, &keys).seal_key(SEAL);
    let report = check.verify(crypto()).unwrap();
    assert_eq!((report.verified, report.sealed, report.findings), (24, Some(true), vec![]));
    assert_eq!(check.salvage(crypto(), &saved).unwrap().saved, 24);
    assert_eq!(snapshot(&Replica::open(in_file(&saved)).unwrap()), expected());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn an_old_file_that_was_changed_is_noticed_or_opens_as_the_same() {
    let expected = expected();
    let original = std::fs::read(golden("store-v1.db")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut same = 0;
    for at in (0..original.len()).step_by(13) {
        let mut bytes = original.clone();
        bytes[at] ^= 1 << (at % 8);
        for suffix in ["log-wal", "log-shm", "log-journal"] {
            drop(std::fs::remove_file(directory.path().join(suffix)));
        }
        std::fs::write(&path, &bytes).unwrap();
        let options = if at % 2 == 0 { in_file(&path) } else { in_file(&path).seal_key(SEAL) };
        match Replica::open(options).plain() {
            Err(OpenError::Store(StoreError::Other(cause))) => panic!("byte {at}: unnamed {cause}"),
            Err(_) => {}
            Ok(replica) => {
                assert!(snapshot(&replica) == expected, "byte {at}: another state");
                same += 1;
            }
        }
    }
    println!("{same} changes opened as the same");
}

#[test]
fn the_description_of_an_old_file_is_checked() {
    for (change, is_place) in [
        ("DELETE FROM meta", true),
        ("UPDATE meta SET count = -1", true),
        ("UPDATE meta SET count = 23", false),
        ("UPDATE meta SET seal = x'00'", true),
        ("UPDATE meta SET copied = -1", true),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::copy(golden("store-v1.db"), &path).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let error = Replica::open(in_file(&path)).err().unwrap().to_string();
        let place = if is_place { "the head" } else { "operation number 23" };
        assert!(error.contains(place), "{change}: {error}");
        assert_eq!(version(&path) == 1, is_place, "{change}");
    }
}

#[test]
fn an_old_seal_is_replaced_and_does_not_hide_a_clock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let sealed = || knowing(&[]).path(&path, NOW).seal_key(SEAL);
    ingest(&mut Replica::open(in_file(&path).seal_key(SEAL)).unwrap(), &some_ops());
    // Today's seal in a file of version 0.1.0 would be a file without its clock.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let head: Vec<u8> = connection.query_row("SELECT bytes FROM head", [], |row| row.get(0)).unwrap();
    drop(connection);
    make_old(&path, Some(&SEAL), false);
    let genuine = std::fs::read(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE meta SET seal = ?1", [&head[22..54]]).unwrap();
    drop(connection);
    let error = Replica::open(sealed()).err().unwrap().to_string();
    assert!(error.contains("the seal"), "{error}");
    // The genuine one opens without any key of an actor, also after it was replaced.
    std::fs::write(&path, genuine).unwrap();
    for _ in 0..2 {
        assert_eq!(Replica::open(sealed()).unwrap().log().digest(), expected().log);
    }
}

#[test]
fn an_old_backup_stays_closed_to_its_writers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    ingest(&mut Replica::open(in_file(&path)).unwrap(), &some_ops());
    make_old(&path, None, true);
    assert_eq!(version(&path), 1);
    for _ in 0..2 {
        let error = Replica::open(as_alice(in_file(&path))).err().unwrap();
        assert!(matches!(error, OpenError::RestoredBackup { .. }), "{error}");
    }
    assert_eq!(snapshot(&Replica::open(in_file(&path)).unwrap()), expected());
}
