//! Compilers and other programs that tests run.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Creates an empty directory.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Runs a program that must succeed, and returns its output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Builds the relay of the examples, and returns its path. It is a package of its own, so Cargo does not build it for
/// these tests.
pub(crate) fn relay() -> &'static Path {
    static RELAY: OnceLock<PathBuf> = OnceLock::new();
    RELAY.get_or_init(|| {
        // This test is `<target>/<profile>/deps/<name>`.
        let own = env::current_exe().unwrap();
        let profile = own.parent().unwrap().parent().unwrap();
        let mut build = Command::new(env!("CARGO"));
        // With the features of a run of all tests, so that libsodium and SQLite are not compiled again.
        build.args(["build", "--quiet", "--locked", "--workspace", "--all-features"]);
        build.args(["--bin", "policysync-relay", "--target-dir"]).arg(profile.parent().unwrap());
        build.current_dir(root());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        run(&mut build);
        profile.join(format!("policysync-relay{}", env::consts::EXE_SUFFIX))
    })
}

/// Returns the functions that a header declares.
pub(crate) fn declared(header: &Path) -> BTreeSet<String> {
    let header = fs::read_to_string(header).unwrap();
    let declarations = header.split("\nPOLICYSYNC_API").skip(1).filter_map(|rest| rest.split_once('('));
    let names: BTreeSet<String> = declarations
        .filter_map(|(start, _)| start.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("policysync_"))
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 40 && names.contains("policysync_replica_open"), "{names:?}");
    names
}

/// Returns the names that `nm` prints.
pub(crate) fn symbols(options: &[&str], library: &Path) -> BTreeSet<String> {
    let lines = run(Command::new("nm").args(options).arg(library));
    let lines = lines.lines().filter(|line| !line.is_empty() && !line.ends_with(':'));
    lines.filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect()
}
