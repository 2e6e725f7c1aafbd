//! The program as a whole: its help, its usage errors and its demonstration.

mod common;

use common::Desk;

const COMMANDS: [&[&str]; 17] = [
    &["key", "new"],
    &["key", "show"],
    &["key", "paper"],
    &["key", "restore"],
    &["log"],
    &["show"],
    &["set"],
    &["delete"],
    &["explain"],
    &["store", "verify"],
    &["store", "salvage"],
    &["store", "back-up"],
    &["store", "info"],
    &["report"],
    &["bundle", "export"],
    &["bundle", "import"],
    &["sync"],
];

#[test]
fn every_command_has_help_with_an_example_of_itself() {
    let desk = Desk::new();
    for command in COMMANDS {
        let help = desk.ok(&[command, &["--help"]].concat());
        let example = format!("\n  policysync {} ", command.join(" "));
        assert!(help.contains(&example), "{help}");
    }
    assert!(desk.ok(&["demo", "--help"]).contains("Usage: policysync demo"));
    let help = desk.ok(&["--help"]);
    for code in 0..=7 {
        assert!(help.contains(&format!("\n  {code}  ")), "{help}");
    }
}

#[test]
fn every_command_without_its_words_is_a_usage_error() {
    let desk = Desk::new();
    for command in COMMANDS {
        assert_eq!(desk.run(command).code, 2, "{command:?}");
    }
    for words in [&[][..], &["key"], &["store"], &["bundle"], &["dance"], &["log", "--dance"]] {
        assert_eq!(desk.run(words).code, 2, "{words:?}");
    }
    assert_eq!(desk.ok(&["--version"]), format!("policysync {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_demonstration_prints_the_same_every_time_and_converges() {
    let desk = Desk::new();
    // Its directory goes with it.
    let run = common::Run::of(desk.command(&["demo"]).env("TMPDIR", desk.path("")).output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(run.out, include_str!("demo.expected"));
    assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 0);
    desk.fails(&["demo", "--json"], 2, "JSON");
}
