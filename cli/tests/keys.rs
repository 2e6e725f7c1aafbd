//! `policysync key`, as a person uses it.

mod common;

use common::{Desk, member, set_mode};

const NEW: [&str; 6] = ["key", "new", "--actor", "Alice's phone", "--out", "phone.key"];

/// With a passphrase from a file, and little memory so that the tests are quick.
const PROTECTED: [&str; 4] = ["--passphrase-file", "passphrase", "--cost", "interactive"];

#[test]
fn a_new_key_prints_its_public_line_and_nothing_secret() {
    let desk = Desk::new();
    let printed = desk.run(&[&NEW[..], &["--no-passphrase"]].concat());
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert!(printed.out.starts_with("policysync-key-1 ") && printed.out.ends_with(" Alice's phone\n"));
    let file = desk.read("phone.key");
    let seed = file.lines().find_map(|line| line.strip_prefix("policysync-open-seed-1 ")).unwrap();
    assert_eq!(seed.split(' ').count(), 15);
    assert_eq!(file.lines().nth(1).unwrap(), printed.out.trim_end());
    assert_eq!(desk.ok(&["key", "show", "phone.key"]), printed.out);
}

#[cfg(unix)]
#[test]
fn secrets_are_readable_by_their_owner_only() {
    let desk = Desk::new();
    desk.ok(&[&NEW[..], &["--no-passphrase"]].concat());
    desk.ok(&["key", "paper", "phone.key", "--out", "groups.txt"]);
    for file in ["phone.key", "groups.txt"] {
        assert_eq!(common::mode(&desk.path(file)), 0o600, "{file}");
    }
    set_mode(&desk.path("phone.key"), 0o640);
    desk.fails(&["key", "show", "phone.key"], 4, "chmod 600");
}

#[test]
fn no_secret_is_written_over_a_file() {
    let desk = Desk::new();
    desk.write("phone.key", b"precious");
    desk.fails(&[&NEW[..], &["--no-passphrase"]].concat(), 6, "phone.key: there is a file already");
    assert_eq!(desk.read("phone.key"), "precious");
    desk.ok(&["key", "new", "--actor", "a", "--out", "a.key", "--no-passphrase"]);
    desk.fails(&["key", "paper", "a.key", "--out", "phone.key"], 6, "phone.key");
    assert_eq!(desk.read("phone.key"), "precious");
}

#[test]
fn a_passphrase_protects_the_seed() {
    let desk = Desk::new();
    desk.write_secret("passphrase", "correct horse battery staple\nsecond line\n");
    let key = desk.json(&[&NEW[..], &PROTECTED].concat());
    assert_eq!(member(&key, "actor"), "\"Alice's phone\"");
    assert_eq!(member(&key, "file"), "\"phone.key\"");
    assert!(desk.read("phone.key").contains("\npolicysync-seed-1 argon2id 2 65536 "));
    // The public half needs no passphrase.
    assert_eq!(member(&desk.json(&["key", "show", "phone.key"]), "text"), member(&key, "text"));

    let set = ["set", "Task", "t1", "title", "1", "--store", "list.db", "--key", "phone.key"];
    desk.fails(&set, 2, "--passphrase-file");
    desk.ok(&[&set[..], &["--passphrase-file", "passphrase"]].concat());
    desk.write_secret("other", "correct horse");
    desk.fails(&[&set[..], &["--passphrase-file", "other"]].concat(), 4, "the passphrase is wrong");
}

#[test]
fn a_passphrase_must_come_from_somewhere_private() {
    let desk = Desk::new();
    desk.fails(&NEW, 2, "no terminal to ask for the passphrase");
    desk.write_secret("passphrase", "\n");
    desk.fails(&[&NEW[..], &PROTECTED].concat(), 2, "the first line is empty");
    desk.fails(&[&NEW[..], &["--passphrase-file", "none"]].concat(), 6, "none");
    desk.fails(&[&NEW[..], &PROTECTED, &["--no-passphrase"]].concat(), 2, "cannot be used with");
    #[cfg(unix)]
    {
        desk.write_secret("passphrase", "correct");
        set_mode(&desk.path("passphrase"), 0o644);
        desk.fails(&[&NEW[..], &PROTECTED].concat(), 4, "chmod 600");
    }
    assert!(!desk.path("phone.key").exists());
}

#[test]
fn damage_to_a_key_file_is_named() {
    let desk = Desk::new();
    desk.write_secret("passphrase", "correct horse battery staple");
    desk.ok(&[&NEW[..], &PROTECTED].concat());
    desk.ok(&["key", "new", "--actor", "other", "--out", "other.key", "--no-passphrase"]);
    let (good, other) = (desk.read("phone.key"), desk.read("other.key"));
    let paper = ["key", "paper", "damaged.key", "--out", "groups.txt", "--passphrase-file", "passphrase"];
    let lines: Vec<&str> = good.lines().collect();
    for (text, code, what) in [
        (String::new(), 3, "not a key file"),
        (good.replace("argon2id 2 ", "argon2id 3 "), 3, "damaged"),
        (good.replace("65536", "9999999"), 3, "damaged"),
        (good.replace("policysync-seed-1", "policysync-seed-9"), 3, "version"),
        (good.replace("policysync-key-1", "policysync-key-9"), 3, "version"),
        // The public line of one key over the seed of another.
        (format!("{}\n{}\n", other.lines().nth(1).unwrap(), lines[2]), 4, "another public key"),
    ] {
        desk.write_secret("damaged.key", &text);
        desk.fails(&paper, code, what);
    }
    assert!(!desk.path("groups.txt").exists());
}

#[test]
fn a_key_comes_back_from_paper() {
    let desk = Desk::new();
    let public = desk.ok(&[&NEW[..], &["--no-passphrase"]].concat());
    assert_eq!(desk.ok(&["key", "paper", "phone.key", "--out", "groups.txt"]), "");
    let groups = desk.read("groups.txt");
    let typed = groups.to_lowercase().replace("# the", "# The").replace('0', "o").replace(' ', "-");
    desk.write_secret("typed.txt", &typed.replace("#-The", "# The"));
    let restore = ["key", "restore", "typed.txt", "--actor", "Alice's phone", "--no-passphrase", "--out"];
    assert_eq!(desk.ok(&[&restore[..], &["again.key"]].concat()), public);
    assert_eq!(desk.read("again.key"), desk.read("phone.key"));

    let lines: Vec<&str> = groups.lines().collect();
    let wrong = if lines[2].starts_with('7') { "8" } else { "7" };
    desk.write_secret("typed.txt", &groups.replace(lines[2], &format!("{wrong}{}", &lines[2][1..])));
    desk.fails(&[&restore[..], &["third.key"]].concat(), 3, "see group 6");
    assert!(!desk.path("third.key").exists());
}

#[test]
fn an_actor_is_an_identifier() {
    let desk = Desk::new();
    for actor in ["", "a\nb", "a\u{202e}b"] {
        desk.fails(&["key", "new", "--actor", actor, "--out", "a.key", "--no-passphrase"], 2, "actor");
    }
}
