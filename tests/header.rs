//! The checked-in header, compared with the one that `src/ffi` renders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A part of the header: the types and functions of one object, or of a few that belong together.
struct Group {
    heading: &'static str,
    /// Below `src/ffi`, without `.rs`.
    files: &'static [&'static str],
}

/// The parts, in the order of the header.
const GROUPS: [Group; 23] = [
    Group { heading: "Versions", files: &["abi", "version"] },
    Group { heading: "Statuses and errors", files: &["glue/status", "glue/error"] },
    Group { heading: "Bytes", files: &["glue/buffer"] },
    Group { heading: "Time", files: &["types/hlc"] },
    Group { heading: "Keys", files: &["keys/key", "keys/text", "keys/seed", "keys/random"] },
    Group { heading: "Operations", files: &["types/op", "ops/signed", "ops/sha256"] },
    Group {
        heading: "Replicas: opening",
        files: &[
            "replica/guard",
            "replica/clock",
            "replica/observer",
            "types/digest",
            "replica/options",
            "replica/handle",
            "replica/keys",
        ],
    },
    Group {
        heading: "Replicas: writing and ingesting",
        files: &["types/field", "types/outcome", "replica/write", "replica/write_typed", "replica/ingest"],
    },
    Group {
        heading: "Replicas: reading",
        files: &["replica/read", "replica/read_typed", "types/item", "replica/list", "replica/clocks"],
    },
    Group { heading: "Replicas: the log", files: &["replica/log", "replica/report"] },
    Group { heading: "Cursors", files: &["replica/cursor", "replica/changes"] },
    Group { heading: "Files", files: &["store/file", "store/release"] },
    Group { heading: "Counts", files: &["types/counts"] },
    Group { heading: "Bundles", files: &["store/stream", "store/bundle"] },
    Group { heading: "Session resumption", files: &["sync/resume"] },
    Group { heading: "Sessions", files: &["sync/options", "sync/session"] },
    Group { heading: "Responders", files: &["sync/responder"] },
    Group { heading: "Push channels", files: &["sync/push"] },
    Group { heading: "Lines: initiator", files: &["net/line_initiator"] },
    Group { heading: "Lines: responder", files: &["net/line_responder"] },
    Group { heading: "HTTP and WebSocket: options", files: &["net/client"] },
    Group { heading: "HTTP", files: &["net/http"] },
    Group { heading: "WebSocket", files: &["net/websocket"] },
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Group {
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().map(|file| root().join("src/ffi").join(file).with_extension("rs"))
    }

    fn render(&self, config: &cbindgen::Config) -> String {
        let mut config = config.clone();
        config.header = Some(format!("/* ---------- {} ---------- */", self.heading));
        // By itself cbindgen renders only the types that a function of the same group uses.
        let sources = self.paths().map(|path| fs::read_to_string(path).unwrap()).collect::<String>();
        config.export.include = ["struct", "enum", "type"]
            .iter()
            .flat_map(|kind| names_after(&sources, &format!("\npub {kind} ")))
            .collect();
        let mut builder = cbindgen::Builder::new().with_config(config);
        for path in self.paths() {
            builder = builder.with_src(path);
        }
        let mut part = Vec::new();
        builder.generate().unwrap().write(&mut part);
        String::from_utf8(part).unwrap()
    }
}

fn rendered() -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let (header, preamble, trailer) = (
        config.header.take().unwrap(),
        config.after_includes.take().unwrap(),
        config.trailer.take().unwrap(),
    );
    let parts: Vec<String> = GROUPS.iter().map(|group| group.render(&config)).collect();
    let all = format!("{header}\n\n{}\n\n{}\n{trailer}", with_version(&preamble), parts.join("\n"));
    let all = with_initial_values(&all);
    all.lines().map(|line| with_suffix(line) + "\n").collect::<String>().replace(
        "POLICYSYNC_API\npolicysync_status ",
        "POLICYSYNC_API POLICYSYNC_CHECKED\npolicysync_status ",
    )
}

fn with_version(text: &str) -> String {
    let number = |text: &str| text.parse::<u32>().unwrap();
    let (major, minor, patch) =
        (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH"));
    let whole = number(major) * 1_000_000 + number(minor) * 1_000 + number(patch);
    text.replace("@MAJOR@", major)
        .replace("@MINOR@", minor)
        .replace("@PATCH@", patch)
        .replace("@NUMBER@", &whole.to_string())
}

/// Adds the macro of initial values after each struct that begins with its size. Every member is named, because compilers
/// warn about missing ones.
fn with_initial_values(header: &str) -> String {
    let mut result = String::new();
    let mut structs: BTreeMap<String, String> = BTreeMap::new();
    let mut members: Vec<String> = Vec::new();
    for line in header.lines() {
        result.push_str(line);
        result.push('\n');
        if line.starts_with("typedef ") {
            members.clear();
        } else if let Some(name) = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';')) {
            if let [first, rest @ ..] = members.as_slice()
                && first == SIZE
            {
                let macro_name = name.to_uppercase() + "_INIT";
                let values = [&[format!("(uint32_t)sizeof({name})")], rest].concat().join(", ");
                result.push_str(&format!("\n#define {macro_name} {{ {values} }}\n"));
            }
            structs.insert(name.to_owned(), format!("{{ {} }}", members.join(", ")));
        } else if let Some(declaration) = line.strip_prefix("    ")
            && declaration.starts_with(char::is_alphabetic)
        {
            members.push(initial_value(declaration.trim_end_matches(';'), &structs));
        }
    }
    result
}

/// The first member of a struct that may grow.
const SIZE: &str = "uint32_t struct_size";

/// Returns the initial value of a member; the declaration itself for the size.
fn initial_value(declaration: &str, structs: &BTreeMap<String, String>) -> String {
    let kind = declaration.strip_prefix("struct ").unwrap_or(declaration);
    let nested = kind.split_once(' ').and_then(|(name, _)| structs.get(name));
    match nested {
        _ if declaration == SIZE => SIZE.to_owned(),
        _ if declaration.contains('*') => "NULL".to_owned(),
        Some(values) => values.clone(),
        None if declaration.ends_with(']') => "{ 0 }".to_owned(),
        None => "0".to_owned(),
    }
}

/// Gives a constant a form that Swift imports with its type: a number with a suffix, not another macro.
fn with_suffix(line: &str) -> String {
    let Some((name, value)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) else {
        return line.to_owned();
    };
    if value == "UINT64_MAX" {
        format!("#define {name} {}ull", u64::MAX)
    } else if value.parse::<u32>().is_ok() {
        format!("{line}u")
    } else {
        line.to_owned()
    }
}

/// The identifiers that follow a keyword.
fn names_after(source: &str, keyword: &str) -> BTreeSet<String> {
    let rests = source.match_indices(keyword).map(|(at, start)| source.split_at(at + start.len()).1);
    rests.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
}

/// The Rust files in a folder and below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
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
fn every_function_and_type_for_c_is_in_the_header() {
    let header = rendered();
    let mut functions = 0;
    for path in sources(&root().join("src/ffi")) {
        let source = fs::read_to_string(path).unwrap();
        for name in names_after(&source, "\npub extern \"C\" fn ") {
            assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
            functions += 1;
        }
        for name in ["struct", "enum"].iter().flat_map(|kind| names_after(&source, &format!("\npub {kind} ")))
        {
            assert!(
                header.contains(&format!("}} {name};\n")) || header.contains(&format!(" {name} {name};\n")),
                "{name}"
            );
        }
    }
    assert!(functions > 90, "only {functions} functions found");
}

#[test]
fn a_type_comes_before_every_function_that_uses_it() {
    let header = rendered();
    for path in sources(&root().join("src/ffi")) {
        let source = fs::read_to_string(path).unwrap();
        for name in ["struct", "enum"].iter().flat_map(|kind| names_after(&source, &format!("\npub {kind} ")))
        {
            let declared = header
                .find(&format!("typedef struct {name}"))
                .or_else(|| header.find(&format!("typedef enum {name}")));
            let used = header.find(&format!("{name} *POLICYSYNC"));
            assert!(used.is_none_or(|used| declared.unwrap() < used), "{name} is used before it is declared");
        }
    }
}

#[test]
fn constants_have_a_suffix_and_statuses_are_checked() {
    assert_eq!(
        with_suffix("#define POLICYSYNC_A UINT64_MAX"),
        "#define POLICYSYNC_A 18446744073709551615ull"
    );
    assert_eq!(with_suffix("#define POLICYSYNC_B 1"), "#define POLICYSYNC_B 1u");
    assert_eq!(with_suffix("#define POLICYSYNC_C 1u"), "#define POLICYSYNC_C 1u");
    assert!(!rendered().contains("POLICYSYNC_API\npolicysync_status "));
}

#[test]
fn the_number_of_the_interface_is_the_same_everywhere() {
    let source = fs::read_to_string(root().join("src/ffi/abi.rs")).unwrap();
    let (_, number) = source.rsplit_once("= ").unwrap();
    let number: u32 = number.trim_end().trim_end_matches(';').parse().unwrap();
    assert!(rendered().contains(&format!("#define POLICYSYNC_ABI_VERSION {number}u\n")));
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, library) = manifest.split_once("[package.metadata.capi.library]").unwrap();
    assert!(library.contains(&format!("version = \"{number}.0.0\"")), "the version that cargo-c installs");
    assert!(root().join(format!("tests/c/abi-{number}.xml")).exists(), "the baseline");
}

/// The compiler checks that the fuzz target `c_abi` calls every function that it declares.
#[test]
fn every_c_function_is_called_by_the_fuzz_target_or_has_a_reason_not_to_be() {
    let target = root().join("fuzz/fuzz_targets/c_abi");
    let declared = fs::read_to_string(target.join("api.rs")).unwrap();
    let reasons = fs::read_to_string(target.join("not_called.txt")).unwrap();
    assert!(
        fs::read_to_string(target.join("main.rs")).unwrap().contains("#![deny(dead_code)]"),
        "the compiler does not check that declared functions are called"
    );
    assert_eq!(not_fuzzed(&rendered(), &declared, &reasons), Vec::<String>::new());
}

#[test]
fn a_forgotten_c_function_is_reported() {
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
        "policysync_b is in not_called.txt but is called"
    );
    assert_eq!(
        faults("    pub fn policysync_a(\n    pub fn policysync_b();\n    pub fn policysync_d();\n", ""),
        "policysync_d is not in the header"
    );
}

/// Lists the functions of the header that the target does not declare, and the reverse.
fn not_fuzzed(header: &str, declared: &str, reasons: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    // A declaration begins at the left margin with its result type.
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
            (true, Some(_)) => faults.push(format!("{function} is in not_called.txt but is called")),
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
