//! Facts in the documents that the repository must confirm: commands, features, versions, files, names.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");
const FIGURES: &str = include_str!("../benches/README.md");
const OF_C: &str = include_str!("../examples-c/README.md");
const TESTING: &str = include_str!("../TESTING.md");
const CHANGELOG: &str = include_str!("../CHANGELOG.md");
const MANIFEST: &str = include_str!("../Cargo.toml");
const LIBRARY: &str = include_str!("../src/lib.rs");
const MANUAL: [&str; 5] = [
    include_str!("../src/manual/format.md"),
    include_str!("../src/manual/design.md"),
    include_str!("../src/manual/threats.md"),
    include_str!("../src/manual/c_api.md"),
    include_str!("../src/manual/versions.md"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The longest README that a newcomer still reads.
const MAX_README_LINES: usize = 220;
/// The most crates that the first command compiles, with our own.
const MAX_CRATES: usize = 75;

/// Returns the lines of the manifest's section.
fn section(name: &str) -> Vec<&'static str> {
    let header = format!("[{name}]");
    let lines: Vec<&str> = MANIFEST.lines().skip_while(|line| *line != header).skip(1).collect();
    assert!(!lines.is_empty(), "the manifest has no {header}");
    lines.into_iter().take_while(|line| !line.starts_with('[')).collect()
}

/// Returns the value of a key in `[package]`.
fn package(key: &str) -> &'static str {
    let value =
        section("package").into_iter().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= "));
    value.unwrap_or_else(|| panic!("no {key} in [package]")).trim_matches('"')
}

fn features() -> BTreeSet<&'static str> {
    let names =
        section("features").into_iter().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    names.filter(|name| *name != "default" && !name.starts_with('#')).collect()
}

/// Returns the names of the workspace's other packages.
fn members() -> BTreeSet<String> {
    let list = section("workspace").into_iter().find_map(|line| line.strip_prefix("members = ")).unwrap();
    let folders = list.split('"').skip(1).step_by(2);
    let manifests = folders.map(|folder| {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
        name.trim_matches('"').to_owned()
    });
    manifests.collect()
}

/// Returns the lines of the README's shell blocks.
fn commands() -> Vec<&'static str> {
    let mut commands = Vec::new();
    for block in README.split("```sh\n").skip(1) {
        commands.extend(block.split("```").next().unwrap().lines());
    }
    commands
}

fn command_of_c(command: &str) -> bool {
    ["make install ", "cc ", "export PKG_CONFIG_PATH=", "./quickstart"]
        .iter()
        .any(|start| command.starts_with(start))
}

/// Returns the texts between single backquotes.
fn quoted(text: &'static str) -> Vec<&'static str> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    prose.into_iter().flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_readme_is_short() {
    let lines = README.lines().count();
    assert!(lines <= MAX_README_LINES, "{lines} lines, at most {MAX_README_LINES}");
}

#[test]
fn the_first_command_is_the_demonstration() {
    assert_eq!(commands().first(), Some(&"cargo run --release -p policysync-cli -- demo"));
}

#[test]
fn the_first_command_compiles_few_crates() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args("tree --locked --package policysync-cli --edges normal,build --prefix none".split(' '));
    let output = tree.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = lines.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!((10..=MAX_CRATES).contains(&crates.len()), "{} crates: {crates:?}", crates.len());
}

#[test]
fn the_packages_and_features_of_the_commands_exist() {
    let mut packages = 0;
    for command in commands() {
        let words: Vec<&str> = command.split(' ').collect();
        // `tests/install.rs` runs the commands for C.
        if command_of_c(command) {
            continue;
        }
        assert!(matches!(words.first(), Some(&"cargo")), "{command}");
        if let Some(at) = words.iter().position(|word| *word == "-p") {
            assert!(members().contains(words[at + 1]), "{command}");
            packages += 1;
        }
        for word in words.iter().filter(|word| word.starts_with("examples/")) {
            assert!(root().join(word).exists(), "{command}");
        }
        if let Some(at) = words.iter().position(|word| *word == "--features") {
            assert!(features().contains(words[at + 1]), "{command}");
        }
    }
    assert!(packages >= 2);
}

#[test]
fn the_demonstration_prints_the_excerpts() {
    let printed = include_str!("../cli/tests/demo.expected");
    let excerpts: Vec<&str> = README.split("```text\n").skip(1).collect();
    assert_eq!(excerpts.len(), 1);
    for excerpt in excerpts {
        let excerpt = excerpt.split("```").next().unwrap();
        assert!(printed.contains(excerpt), "{excerpt}");
    }
}

#[test]
fn the_versions_are_those_of_the_manifest() {
    let rust = package("rust-version");
    assert!(README.contains(&format!("Rust {rust} or later")), "the README does not name Rust {rust}");
    let version = package("version");
    assert!(README.contains(&format!("Version {version}:")), "the README does not name version {version}");
    assert!(CHANGELOG.contains(&format!("\n## [{version}] - ")), "the changelog has no {version}");
    assert!(README.contains(&format!("The format is version {}", policysync::codec::BINARY_VERSION)));
}

#[test]
fn the_features_are_those_of_the_manifest() {
    let table = LIBRARY.split("| feature |").nth(1).unwrap();
    let rows = table.lines().skip(2).map(|line| line.trim_start_matches("//!").trim());
    let listed: BTreeSet<&str> = rows
        .take_while(|row| row.starts_with('|'))
        .map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`'))
        .collect();
    assert_eq!(listed, features());
}

#[test]
fn the_figures_have_their_place() {
    let begin = FIGURES.find("<!-- figures:begin -->").unwrap();
    let end = FIGURES.find("<!-- figures:end -->").unwrap();
    assert!(begin < end);
}

#[test]
fn the_files_that_documents_name_exist() {
    let mut missing = BTreeSet::new();
    let mut named = 0;
    for text in [README, FIGURES, OF_C, TESTING, CHANGELOG].into_iter().chain(MANUAL) {
        for name in quoted(text) {
            let folders = ["src/", "tests/", "examples/", "examples-c/", "benches/", "cli/"];
            let is_file = folders.iter().any(|folder| name.starts_with(folder))
                || name.ends_with(".md")
                || name == "LICENSE";
            // A command has arguments.
            let name = name.split(' ').next().unwrap();
            if is_file {
                named += 1;
                if !root().join(name).exists() {
                    missing.insert(name);
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(named > 40, "{named}");
}

/// Looks up the README's names in the sources. In the manual and the front page they are links, which rustdoc checks.
#[test]
fn the_names_of_the_readme_are_public() {
    let sources = all_sources(&root().join("src"));
    let mut looked_up = 0;
    for name in quoted(README) {
        let path = name.split(['(', ' ']).next().unwrap();
        let Some((owner, item)) = path.split_once("::") else { continue };
        assert!(LIBRARY.contains(owner), "{owner} is not public");
        let declared = [
            format!("pub fn {item}"),
            format!("    {item} {{"),
            format!("    {item}("),
            format!("    {item},"),
        ];
        assert!(declared.iter().any(|text| sources.contains(text)), "{name} is not declared");
        looked_up += 1;
    }
    assert!(looked_up >= 2, "{looked_up}");
}

fn all_sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &all_sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}
