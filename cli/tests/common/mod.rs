//! Runs the program in a directory of its own.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use policysync::Value;

/// A directory in which the program runs, with nothing from the environment.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// The result of a run of the program.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the program, to be run in this directory without a terminal.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_policysync"));
        command.args(words).current_dir(&self.folder).stdin(Stdio::null());
        for name in ["STORE", "KEY", "KEYS", "SPACE"] {
            command.env_remove(format!("POLICYSYNC_{name}"));
        }
        command
    }

    pub fn run(&self, words: &[&str]) -> Run {
        Run::of(self.command(words).output().unwrap())
    }

    /// Runs the program, which must end with success, and returns what it prints.
    pub fn ok(&self, words: &[&str]) -> String {
        let run = self.run(words);
        assert_eq!(run.code, 0, "{words:?}: {}{}", run.out, run.err);
        run.out
    }

    /// Runs the program, which must end with this code and say this on standard error.
    pub fn fails(&self, words: &[&str], code: i32, text: &str) {
        let run = self.run(words);
        assert_eq!(run.code, code, "{words:?}: {}{}", run.out, run.err);
        assert!(run.err.contains(text), "{words:?}: {}", run.err);
    }

    /// Runs the program with `--json`, and returns the object that it prints.
    pub fn json(&self, words: &[&str]) -> Value {
        let run = self.run(&[words, &["--json"]].concat());
        Value::parse(run.out.trim_end()).unwrap_or_else(|error| panic!("{error}: {}{}", run.out, run.err))
    }

    /// Makes an actor's key without a passphrase, `ACTOR.key`, and adds it to `keys.txt`.
    pub fn actor(&self, actor: &str) {
        let line =
            self.ok(&["key", "new", "--actor", actor, "--out", &format!("{actor}.key"), "--no-passphrase"]);
        let keys = std::fs::read_to_string(self.path("keys.txt")).unwrap_or_default();
        self.write("keys.txt", (keys + &line).as_bytes());
    }

    /// Sets a title in a store, as an actor.
    pub fn set(&self, store: &str, actor: &str, id: &str, title: &str) {
        let key = format!("{actor}.key");
        self.ok(&[
            "set", "Task", id, "title", title, "--text", "--store", store, "--key", &key, "--keys",
            "keys.txt",
        ]);
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Writes a file that only its owner may read.
    pub fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text.as_bytes());
        set_mode(&self.path(name), 0o600);
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Run {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Returns a member of a JSON object, as canonical text.
pub fn member(json: &Value, name: &str) -> String {
    let member = json.to_serde().get(name).cloned().unwrap_or_else(|| panic!("no {name} in {json}"));
    Value::from_serde(&member).unwrap().as_str().to_owned()
}

#[cfg(unix)]
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(not(unix))]
pub fn set_mode(_: &Path, _: u32) {}
