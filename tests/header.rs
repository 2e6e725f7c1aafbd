//! The header that is checked in is the one that `src/ffi` makes.

use std::fs;
use std::path::{Path, PathBuf};

/// In the order in which they stand in the header.
const SOURCES: [&str; 27] = [
    "abi",
    "version",
    "status",
    "error",
    "buffer",
    "view",
    "clock",
    "key",
    "guard",
    "observer",
    "options",
    "outcome",
    "replica",
    "read",
    "cursor",
    "store",
    "sync",
    "session",
    "responder",
    "push",
    "line",
    "client",
    "http",
    "websocket",
    "stream",
    "bundle",
    "random",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rendered() -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let number = |text: &str| text.parse::<u32>().unwrap();
    let (major, minor, patch) =
        (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH"));
    let whole = number(major) * 1_000_000 + number(minor) * 1_000 + number(patch);
    config.after_includes = config.after_includes.map(|text| {
        text.replace("@MAJOR@", major)
            .replace("@MINOR@", minor)
            .replace("@PATCH@", patch)
            .replace("@NUMBER@", &whole.to_string())
    });
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in SOURCES.iter().chain(&["op"]) {
        builder = builder.with_src(root().join("src/ffi").join(name).with_extension("rs"));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn the_header_is_fresh() {
    let path = root().join("include/policysync.h");
    let rendered = rendered();
    if fs::read_to_string(&path).unwrap_or_default() != rendered {
        let new = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policysync.h");
        fs::write(&new, rendered).unwrap();
        panic!(
            "the header is out of date; look at the difference, then\n  cp {} {}",
            new.display(),
            path.display()
        );
    }
}

#[test]
fn every_source_with_a_c_function_is_in_the_header() {
    let header = rendered();
    for entry in fs::read_dir(root().join("src/ffi")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (_, rest) in
            source.match_indices("pub extern \"C\" fn ").map(|(at, start)| source.split_at(at + start.len()))
        {
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
        }
    }
}

#[test]
fn the_number_of_the_interface_is_the_same_everywhere() {
    let source = fs::read_to_string(root().join("src/ffi/abi.rs")).unwrap();
    let (_, number) = source.rsplit_once("= ").unwrap();
    let number: u32 = number.trim_end().trim_end_matches(';').parse().unwrap();
    assert!(rendered().contains(&format!("#define POLICYSYNC_ABI_VERSION {number}\n")));
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, library) = manifest.split_once("[package.metadata.capi.library]").unwrap();
    assert!(library.contains(&format!("version = \"{number}.0.0\"")), "what cargo-c is told");
    assert!(root().join(format!("tests/c/abi-{number}.xml")).exists(), "the baseline");
}

/// What the fuzz target `c_abi` declares it also calls, or the compiler would complain.
#[test]
fn every_c_function_is_called_by_the_fuzz_target_or_has_a_reason_not_to_be() {
    let target = root().join("fuzz/fuzz_targets/c_abi");
    let declared = fs::read_to_string(target.join("api.rs")).unwrap();
    let reasons = fs::read_to_string(target.join("not_called.txt")).unwrap();
    assert!(
        fs::read_to_string(target.join("main.rs")).unwrap().contains("#![deny(dead_code)]"),
        "what is declared need not be called"
    );
    assert_eq!(not_fuzzed(&rendered(), &declared, &reasons), Vec::<String>::new());
}

#[test]
fn a_c_function_that_is_forgotten_is_named() {
    let header =
        "policysync_status policysync_a(int32_t x);\nvoid policysync_b(void);\n/* policysync_c(). */\n";
    let faults = |declared: &str, reasons: &str| not_fuzzed(header, declared, reasons).join("\n");
    assert_eq!(faults("    pub fn policysync_a(\n    pub fn policysync_b();\n", ""), "");
    assert_eq!(faults("    pub fn policysync_a(\n", "# Why\npolicysync_b: it ends the process\n"), "");
    assert_eq!(
        faults("    pub fn policysync_a(\n", ""),
        "policysync_b is neither in api.rs nor in not_called.txt"
    );
    assert_eq!(
        faults("    pub fn policysync_a(\n", "policysync_b:\n"),
        "policysync_b is in not_called.txt without a reason"
    );
    assert_eq!(
        faults("    pub fn policysync_a(\n    pub fn policysync_b();\n", "policysync_b: no\n"),
        "policysync_b is in not_called.txt, and called"
    );
    assert_eq!(
        faults("    pub fn policysync_a(\n    pub fn policysync_b();\n    pub fn policysync_d();\n", ""),
        "policysync_d is not in the header"
    );
}

/// What is wrong: functions of the header that the target does not know, and the reverse.
fn not_fuzzed(header: &str, declared: &str, reasons: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    // A declaration begins at the left margin, with what it returns.
    let in_header =
        header.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(|line| {
            let (before, _) = line.split_once('(')?;
            let function = before.rsplit([' ', '*']).next()?;
            function.starts_with("policysync_").then(|| function.to_owned())
        });
    let in_header: Vec<String> = in_header.collect();
    let declared: Vec<String> =
        declared.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")).map(name).collect();
    let reasons: Vec<(&str, &str)> = reasons
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .collect();
    let mut faults = Vec::new();
    for function in &in_header {
        let reason = reasons.iter().find(|(name, _)| name == function).map(|(_, reason)| reason.trim());
        match (declared.contains(function), reason) {
            (true, None) => {}
            (false, Some(reason)) if !reason.is_empty() => {}
            (true, Some(_)) => faults.push(format!("{function} is in not_called.txt, and called")),
            (false, Some(_)) => faults.push(format!("{function} is in not_called.txt without a reason")),
            (false, None) => faults.push(format!("{function} is neither in api.rs nor in not_called.txt")),
        }
    }
    let listed = reasons.iter().map(|(name, _)| (*name).to_owned());
    for function in declared.iter().cloned().chain(listed).filter(|name| !in_header.contains(name)) {
        faults.push(format!("{function} is not in the header"));
    }
    faults
}
