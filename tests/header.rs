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
