//! The quick start as a person runs it, from the repository's directory.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;
use std::process::{Command, Output};

const OPERATIONS: &str = "examples/data/operations.jsonl";
const KEYS: &str = "examples/data/keys.txt";

fn run(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_policysync-quickstart"));
    command.args(arguments).current_dir(root).output().unwrap()
}

fn assert_prints(arguments: &[&str], expected: &str) {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(output.stderr.is_empty());
}

#[test]
fn the_story_prints_the_same_every_time() {
    assert_prints(&[], include_str!("story.expected"));
}

#[test]
fn a_file_of_operations_of_the_reference_implementation_is_admitted() {
    assert_prints(&[OPERATIONS, "--keys", KEYS], include_str!("operations.expected"));
}

#[test]
fn operations_without_keys_are_refused() {
    let output = run(&[OPERATIONS]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("300 refused, unknown key"));
}

#[test]
fn wrong_arguments_and_files_are_named() {
    for (arguments, reason) in [
        (&["missing.jsonl"][..], "missing.jsonl: "),
        (&[OPERATIONS, "--keys", "missing.txt"], "missing.txt: "),
        (&["--keys", KEYS], "--keys needs a file of operations too"),
        (&[OPERATIONS, OPERATIONS], "one file of operations at a time"),
        (&["--dance"], "--dance is not an option"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(reason), "{arguments:?}");
    }
}
