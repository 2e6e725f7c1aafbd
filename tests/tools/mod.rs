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

/// Returns Cargo without the variables that it sets for a test. A build script that depends on one of them would run
/// again, and everything after it would be compiled again.
fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Builds the relay of the examples, and returns its path. It is a package of its own, so Cargo does not build it for
/// these tests.
pub(crate) fn relay() -> &'static Path {
    static RELAY: OnceLock<PathBuf> = OnceLock::new();
    RELAY.get_or_init(|| {
        // This test is `<target>/<profile>/deps/<name>`.
        let own = env::current_exe().unwrap();
        let profile = own.parent().unwrap().parent().unwrap();
        let mut build = cargo();
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

/// Builds the libraries for C with the features of this test, and returns their folder. Cargo builds only the Rust
/// library for it.
#[cfg(unix)]
pub(crate) fn c_libraries() -> &'static Path {
    static LIBRARIES: OnceLock<PathBuf> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let own = env::current_exe().unwrap();
        let profile = own.parent().unwrap().parent().unwrap();
        let mut features = String::from("capi");
        for (feature, is_on) in [
            ("http", cfg!(feature = "http")),
            ("parallel", cfg!(feature = "parallel")),
            ("sqlite", cfg!(feature = "sqlite")),
            ("tls", cfg!(feature = "tls")),
            ("websocket", cfg!(feature = "websocket")),
        ] {
            if is_on {
                features += ",";
                features += feature;
            }
        }
        let mut build = cargo();
        build.args(["rustc", "--quiet", "--locked", "--lib", "--crate-type", "staticlib,cdylib"]);
        build.args(["--no-default-features", "--features", &features, "--target-dir"]);
        build.arg(profile.parent().unwrap()).current_dir(root());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        // Not by the build script: everything that depends on it would be compiled again.
        build.args(["--", "-C"]).arg(format!("link-arg=-Wl,-soname,{}", shared_name()));
        run(&mut build);
        profile.to_owned()
    })
}

/// Returns the shared library's name for the loader, with the number of the binary interface.
pub(crate) fn shared_name() -> String {
    let header = fs::read_to_string(root().join("include/policysync.h")).unwrap();
    let number = header.lines().find_map(|line| line.strip_prefix("#define POLICYSYNC_ABI_VERSION "));
    format!("libpolicysync.so.{}", number.unwrap().trim_end_matches('u'))
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
