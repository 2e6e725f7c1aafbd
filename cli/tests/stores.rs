//! Reading, writing and caring for a store, as a person does.

mod common;

use std::fs;

use common::{Desk, Run, member};
use policysync::{Replica, ReplicaOptions, Value, WallMillis};

/// The store and the keys to read it with.
const STORE: [&str; 4] = ["--store", "list.db", "--keys", "keys.txt"];

fn with<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [words, &STORE].concat()
}

/// Makes a store with operations of two actors.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.actor("alice");
    desk.actor("bob");
    desk.set("list.db", "alice", "t1", "Buy bread");
    desk.set("list.db", "bob", "t2", "Call the plumber");
    desk.set("list.db", "bob", "t1", "Buy two loaves");
    desk
}

#[test]
fn what_is_set_is_shown() {
    let desk = desk();
    assert_eq!(desk.ok(&with(&["show", "Task", "t1", "title"])), "\"Buy two loaves\"\n");
    assert_eq!(desk.ok(&with(&["show", "Task", "t1"])), "title = \"Buy two loaves\"\n");
    let all = "t1\n  title = \"Buy two loaves\"\nt2\n  title = \"Call the plumber\"\n";
    assert_eq!(desk.ok(&with(&["show", "Task"])), all);
    let json = desk.json(&with(&["show", "Task"]));
    let text = "{\"t1\":{\"title\":\"Buy two loaves\"},\"t2\":{\"title\":\"Call the plumber\"}}";
    assert_eq!(json.as_str(), text);
    assert_eq!(desk.json(&with(&["show", "Task", "t2"])).as_str(), "{\"title\":\"Call the plumber\"}");
    assert_eq!(desk.json(&with(&["show", "Task", "t2", "title"])).as_str(), "\"Call the plumber\"");
}

#[test]
fn what_is_deleted_is_not_found_and_stays_in_the_log() {
    let desk = desk();
    desk.ok(&with(&["delete", "Task", "t2", "title", "--key", "alice.key"]));
    desk.fails(&with(&["show", "Task", "t2", "title"]), 1, "no field title of Task t2");
    desk.fails(&with(&["show", "Task", "t2"]), 1, "no Task t2");
    assert_eq!(desk.ok(&with(&["show", "Nothing"])), "");
    assert_eq!(desk.json(&with(&["show", "Nothing"])).as_str(), "{}");
    assert_eq!(desk.ok(&with(&["log"])).lines().count(), 4);
}

#[test]
fn a_value_is_json_and_advice_says_how() {
    let desk = desk();
    let set = |value| with(&["set", "Task", "t1", "x", value, "--key", "alice.key"]);
    for value in ["1", "-1.5", "true", "null", "[1,{\"a\":2}]", "\"text\""] {
        let op = desk.json(&set(value));
        assert_eq!(member(&op, "value"), Value::parse(value).unwrap().as_str());
        assert_eq!(desk.json(&with(&["show", "Task", "t1", "x"])), Value::parse(value).unwrap());
    }
    desk.fails(&set("Bread"), 2, "'\"Bread\"', or --text");
    for value in ["9007199254740993", "{", "", "-"] {
        desk.fails(&set(value), 2, "not JSON");
    }
}

#[test]
fn names_that_are_no_identifiers_are_the_callers_fault() {
    let desk = desk();
    desk.fails(&with(&["set", "", "t1", "x", "1", "--key", "alice.key"]), 2, "entity is empty");
    desk.fails(&with(&["delete", "Task", "a\nb", "x", "--key", "alice.key"]), 2, "control character");
    desk.fails(&with(&["set", "Task", "t1", "x", "1"]), 2, "--key is missing");
}

#[test]
fn the_log_is_a_line_an_operation() {
    let desk = desk();
    let log = desk.ok(&with(&["log"]));
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("1  20") && lines[0].ends_with("alice  set Task t1 title = \"Buy bread\""));
    assert_eq!(desk.ok(&with(&["log", "--since", "1", "--limit", "1"])), format!("{}\n", lines[1]));
    assert_eq!(desk.ok(&with(&["log", "--since", "99999999999"])), "");
    let json = desk.ok(&with(&["log", "--json"]));
    for (line, position) in json.lines().zip(1..) {
        let entry = Value::parse(line).unwrap();
        assert_eq!(member(&entry, "position"), position.to_string());
        assert_eq!(member(&entry, "hash").len(), 66);
        policysync::SignedOp::from_json(member(&entry, "op").as_bytes()).unwrap();
    }
}

#[test]
fn a_field_is_explained() {
    let desk = desk();
    let text = desk.ok(&with(&["explain", "Task", "t1", "title"]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("winner ") && lines[0].contains("bob"), "{text}");
    assert_eq!(lines[1].trim(), "wins over the next by: its time is later");
    assert!(lines[2].starts_with("superseded ") && lines[2].contains("alice"), "{text}");
    let json = desk.json(&with(&["explain", "Task", "t1", "title"]));
    assert_eq!(member(&json, "rule"), "\"its time is later\"");
    assert_eq!(json.to_serde()["history"].as_array().unwrap().len(), 2);
    assert_eq!(member(&desk.json(&with(&["explain", "Task", "t2", "title"])), "rule"), "null");
    desk.fails(&with(&["explain", "Task", "t9", "title"]), 1, "no operation on Task t9 title");
}

#[test]
fn text_that_could_steer_a_terminal_is_escaped() {
    let desk = desk();
    desk.ok(&with(&["set", "Task", "t1", "x", "--text", "a\u{9b}2J\u{202e}\u{1b}[2J", "--key", "alice.key"]));
    for words in [&["show", "Task", "t1", "x"][..], &["log"], &["explain", "Task", "t1", "x"]] {
        let printed = desk.ok(&with(words));
        assert!(printed.contains("a\\u009b2J\\u202e\\u001b[2J"), "{printed}");
        assert!(!printed.contains(['\u{9b}', '\u{202e}', '\u{1b}']));
    }
}

#[test]
fn a_store_that_is_not_there_is_not_made_to_be_read() {
    let desk = desk();
    let nowhere = ["--store", "none.db", "--keys", "keys.txt"];
    for words in [
        &["log"][..],
        &["show", "Task"],
        &["explain", "Task", "t1", "title"],
        &["store", "verify"],
        &["store", "salvage", "new.db"],
        &["store", "back-up", "new.db"],
        &["store", "info"],
        &["report"],
        &["bundle", "export", "new.bundle"],
    ] {
        desk.fails(&[words, &nowhere].concat(), 6, "none.db");
    }
    for file in ["none.db", "new.db", "new.bundle"] {
        assert!(!desk.path(file).exists(), "{file}");
    }
    desk.fails(&["log", "--keys", "keys.txt"], 2, "--store");
    desk.fails(&["log", "--store", "no/such/list.db"], 6, "no/such/list.db");
}

#[test]
fn an_operation_by_a_key_that_is_not_known_says_what_to_do() {
    let desk = desk();
    desk.fails(&["log", "--store", "list.db", "--key", "alice.key"], 4, "add its line to the --keys file");
    desk.write("keys.txt", b"# nobody\n");
    let run = desk.run(&with(&["store", "verify"]));
    assert_eq!((run.code, run.out.lines().count()), (1, 4));
    desk.write("keys.txt", b"\nalice k 00\n");
    desk.fails(&with(&["log"]), 3, "keys.txt: line 2: not a key");
    desk.fails(&["log", "--store", "list.db", "--keys", "none.txt"], 6, "none.txt");
}

#[test]
fn a_space_keeps_logs_apart() {
    let desk = desk();
    let set = ["set", "Task", "t1", "x", "1", "--store", "home.db", "--key", "alice.key", "--space", "home"];
    assert_eq!(member(&desk.json(&set), "space"), "\"home\"");
    let log = ["log", "--store", "home.db", "--keys", "keys.txt"];
    desk.ok(&[&log[..], &["--space", "home"]].concat());
    desk.fails(&log, 2, "space \"home\"");
    desk.fails(&[&log[..], &["--space", "a\nb"]].concat(), 2, "control character");
}

#[test]
fn the_environment_takes_the_place_of_options() {
    let desk = desk();
    let mut command = desk.command(&["show", "Task", "t2", "title"]);
    command.env("POLICYSYNC_STORE", "list.db").env("POLICYSYNC_KEYS", "keys.txt");
    let run = Run::of(command.output().unwrap());
    assert_eq!((run.code, run.out.as_str()), (0, "\"Call the plumber\"\n"));
}

#[test]
fn a_whole_store_verifies_and_is_described() {
    let desk = desk();
    assert_eq!(desk.ok(&with(&["store", "verify"])), "verified 3\n");
    let report = desk.json(&with(&["store", "verify"]));
    assert_eq!(report.as_str(), "{\"findings\":[],\"sealed\":null,\"verified\":3}");
    let info = desk.json(&with(&["store", "info"]));
    assert_eq!(member(&info, "actors"), "{\"alice\":1,\"bob\":2}");
    assert_eq!((member(&info, "operations").as_str(), member(&info, "space").as_str()), ("3", "null"));
    assert!(desk.ok(&with(&["store", "info"])).contains("actor         bob: 2\n"));
}

#[test]
fn a_report_counts_and_names_nobody() {
    let desk = desk();
    let text = desk.ok(&with(&["report"]));
    for entry in ["library: ", "store: file\n", "operations: 3\n", "writes: no\n"] {
        assert!(text.contains(entry), "{entry}: {text}");
    }
    for name in ["alice", "bob", "Task", "title"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    assert_eq!(member(&desk.json(&with(&["report"])), "operations"), "\"3\"");
}

#[test]
fn a_damaged_store_is_found_and_salvaged() {
    let desk = desk();
    let mut bytes = fs::read(desk.path("list.db")).unwrap();
    let at = bytes.windows(9).position(|window| window == b"Buy bread").unwrap();
    bytes[at] ^= 1;
    desk.write("list.db", &bytes);

    let run = desk.run(&with(&["store", "verify"]));
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    assert_eq!(run.out, "verified 2\noperation number 0: the operation has another hash\n");
    let report = desk.json(&with(&["store", "verify"])).to_serde();
    assert_eq!(report["findings"][0]["damage"], "the operation has another hash");
    desk.fails(&with(&["log"]), 6, "damaged");

    let run = desk.run(&with(&["store", "salvage", "rescued.db"]));
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("saved 2 in rescued.db\n"), "{}", run.out);
    let log = desk.ok(&["log", "--store", "rescued.db", "--keys", "keys.txt"]);
    assert_eq!(log.lines().count(), 2);
    desk.fails(&with(&["store", "salvage", "rescued.db"]), 6, "file already");
    assert_eq!(member(&desk.json(&with(&["store", "salvage", "third.db"])), "saved"), "2");
}

#[test]
fn what_is_not_a_store_is_refused() {
    let desk = desk();
    desk.write(
        "list.db",
        b"a text of somebody else, longer than the header of a database is: 100 bytes at the least, or so",
    );
    desk.fails(&with(&["log"]), 6, "list.db");
    desk.fails(&with(&["set", "Task", "t1", "x", "1", "--key", "alice.key"]), 6, "list.db");
    fs::create_dir(desk.path("folder")).unwrap();
    desk.fails(&["log", "--store", "folder", "--keys", "keys.txt"], 6, "folder");
}

#[test]
fn a_backup_is_read_but_not_written_by_the_same_actor() {
    let desk = desk();
    assert_eq!(desk.ok(&with(&["store", "back-up", "copy.db"])), "copied 3 into copy.db\n");
    desk.fails(&with(&["store", "back-up", "copy.db"]), 6, "file already");
    let copy = ["--store", "copy.db", "--keys", "keys.txt"];
    assert_eq!(desk.ok(&[&["log"][..], &copy].concat()), desk.ok(&with(&["log"])));
    let set = ["set", "Task", "t1", "x", "1", "--key", "alice.key"];
    desk.fails(&[&set[..], &copy].concat(), 6, "backup");
    desk.actor("alice's new phone");
    let set = ["set", "Task", "t1", "x", "1", "--key", "alice's new phone.key"];
    desk.ok(&[&set[..], &copy].concat());
    assert_eq!(member(&desk.json(&with(&["store", "back-up", "second.db"])), "operations"), "3");
}

#[test]
fn a_store_that_another_process_has_open_is_locked() {
    let desk = Desk::new();
    desk.actor("alice");
    let now = WallMillis(1_760_000_000_000);
    let held = Replica::open(ReplicaOptions::new().path(desk.path("list.db"), now)).unwrap();
    desk.fails(&with(&["log"]), 6, "list.db");
    drop(held);
    desk.ok(&with(&["log"]));
}

#[test]
fn a_seal_is_checked_with_its_key() {
    let desk = Desk::new();
    desk.actor("alice");
    desk.write_secret("seal", &"s".repeat(32));
    desk.write_secret("other", &"o".repeat(32));
    desk.write_secret("short", "s");
    let set = with(&["set", "Task", "t1", "x", "1", "--key", "alice.key", "--seal-key", "seal"]);
    desk.ok(&set);
    assert_eq!(member(&desk.json(&with(&["store", "verify", "--seal-key", "seal"])), "sealed"), "true");
    for command in [&["store", "verify"][..], &["log"]] {
        desk.fails(&with(&[command, &["--seal-key", "other"]].concat()), 4, "sealed with another key");
    }
    desk.fails(&with(&["log", "--seal-key", "short"]), 4, "1 bytes where 32 are needed");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let desk = desk();
    let mut command = desk.command(&with(&["log"]));
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}
