//! What the sources must keep to: who may know whom, where `unsafe` and the clock may stand, how a file looks.
//!
//! Each check is a function over text, and has a test that shows it a source which it must refuse.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules in their order: each knows only those before it. `manual` holds documentation.
const ORDER: [&str; 19] = [
    "packed",
    "threads",
    "hlc",
    "crypto",
    "value",
    "op",
    "codec",
    "keys",
    "guard",
    "store",
    "oplog",
    "state",
    "replica",
    "sync",
    "bundle",
    "transport",
    "ffi",
    "manual",
    "lib",
];
/// Where `unsafe` may stand: a file, and a folder.
const UNSAFE_DOORS: [&str; 2] = ["crypto/sodium.rs", "ffi/"];
/// Where the machine's clock may be read.
const CLOCK_DOOR: &str = "hlc/system.rs";
/// Lines of a file, its tests aside.
const MAX_LINES: usize = 600;
/// Characters of a line. Code is kept shorter by `rustfmt`, which leaves comments alone.
const MAX_WIDTH: usize = 120;

/// A file of `src/`.
struct Source {
    /// The path below `src/`, with forward slashes.
    name: String,
    text: String,
    /// The text with comments, strings and tests blanked out, line for line.
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), code: without_tests(&code_only(text)) }
    }

    /// The module at the top that the file belongs to.
    fn module(&self) -> &str {
        self.name.split('/').next().map_or("", |first| first.trim_end_matches(".rs"))
    }

    /// How many modules deep the file is: 0 for `lib.rs`, 1 for `op/mod.rs` and `guard.rs`, 2 for `op/kind.rs`.
    fn depth(&self) -> usize {
        let files = self.name.split('/').count();
        if self.name == "lib.rs" { 0 } else { files - usize::from(self.name.ends_with("/mod.rs")) }
    }
}

/// Every source, but those that are only compiled for tests.
fn sources() -> Vec<Source> {
    let sources: Vec<Source> =
        all_sources().into_iter().filter(|source| !is_test_file(Path::new(&source.name))).collect();
    assert!(sources.len() >= 50, "only {} sources found", sources.len());
    sources
}

fn all_sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let sources = files.iter().map(|file| {
        let name: Vec<&str> =
            file.strip_prefix(&root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
        Source::new(&name.join("/"), &fs::read_to_string(file).unwrap())
    });
    sources.collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A file whose name ends so is declared behind `#[cfg(test)]`, which a check of its own makes sure of.
fn is_test_file(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem.to_str().unwrap().ends_with("tests"))
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn check_all(check: impl Fn(&Source) -> Vec<String>) {
    assert_none(sources().iter().flat_map(check).collect());
}

#[test]
fn each_module_knows_only_those_before_it() {
    check_all(module_faults);
}

#[test]
fn the_order_names_every_module() {
    let sources = sources();
    let declared = declared_modules(&sources.iter().find(|source| source.name == "lib.rs").unwrap().code);
    let mut expected: Vec<&str> = ORDER.into_iter().filter(|module| *module != "lib").collect();
    expected.sort_unstable();
    assert_eq!(declared, expected);
}

#[test]
fn unsafe_stands_behind_its_doors_and_says_why() {
    check_all(unsafe_faults);
    for door in UNSAFE_DOORS {
        let used = |source: &Source| source.name.starts_with(door) && has_word(&source.code, "unsafe");
        assert!(sources().iter().any(used), "{door} is not used and should be closed");
    }
}

#[test]
fn one_file_reads_the_clock() {
    check_all(clock_faults);
    assert!(sources().iter().any(|source| source.name == CLOCK_DOOR && has_word(&source.code, "SystemTime")));
}

#[test]
fn each_file_says_what_it_knows_and_is_not_too_long() {
    check_all(shape_faults);
}

#[test]
fn no_line_is_too_long() {
    assert_none(all_sources().iter().flat_map(width_faults).collect());
}

#[test]
fn nothing_is_half_done_and_nothing_is_allowed_without_a_reason() {
    check_all(leftover_faults);
}

#[test]
fn files_of_tests_are_compiled_for_tests_only() {
    check_all(|source| {
        let text = code_only(&source.text);
        let stripped = &source.code;
        let faults =
            declared_modules(&text).into_iter().filter(|name| name.ends_with("tests")).filter(|name| {
                // What is behind `#[cfg(test)]` is gone from the stripped text.
                declared_modules(stripped).contains(name)
            });
        faults.map(|name| format!("{}: mod {name} is not behind #[cfg(test)]", source.name)).collect()
    });
}

// The checks

/// Paths to modules that the file's own module may not know.
fn module_faults(source: &Source) -> Vec<String> {
    let rank = |module: &str| ORDER.iter().position(|other| *other == module);
    let Some(own) = rank(source.module()) else {
        return vec![format!("{}: its module has no place in the order", source.name)];
    };
    if source.module() == "lib" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, name) in names_of_the_root(source) {
        match rank(&name) {
            Some(other) if other <= own && name != "lib" => {}
            Some(_) => {
                faults.push(format!("{}:{line}: {} may not know {name}", source.name, source.module()))
            }
            // The C interface wraps the public one, whose names stand at the root.
            None if source.module() == "ffi" => {}
            None => faults
                .push(format!("{}:{line}: crate::{name} is no module; name the one it is in", source.name)),
        }
    }
    faults
}

/// The names that the code takes from the root of the crate, with their lines: through `crate::` or enough `super::`.
fn names_of_the_root(source: &Source) -> Vec<(usize, String)> {
    let code = &source.code;
    let mut names = Vec::new();
    let mut from_root = Vec::new();
    for (at, _) in code.match_indices("crate") {
        let before = code[..at].chars().next_back();
        // `pub(crate)` is followed by a parenthesis, `$crate` and `a_crate` are other words.
        if !before.is_some_and(is_of_a_word) && before != Some('$') {
            from_root.extend(after_colons(code, at + "crate".len()));
        }
    }
    for (at, _) in code.match_indices("super") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|before| is_of_a_word(before) || before == ':') {
            continue;
        }
        let (mut end, mut levels) = (at + "super".len(), 1);
        while let Some(next) = after_colons(code, end) {
            match code[next..].strip_prefix("super") {
                Some(rest) if !rest.starts_with(is_of_a_word) => {
                    end = next + "super".len();
                    levels += 1;
                }
                _ => break,
            }
        }
        if levels >= source.depth() {
            from_root.extend(after_colons(code, end));
        }
    }
    for at in from_root {
        let line = code[..at].matches('\n').count() + 1;
        names.extend(first_names(&code[at..]).into_iter().map(|name| (line, name)));
    }
    names
}

/// Where the text goes on after `::`, if that is what stands at `at`.
fn after_colons(code: &str, at: usize) -> Option<usize> {
    let rest = code[at..].trim_start().strip_prefix("::")?;
    Some(code.len() - rest.trim_start().len())
}

/// The first name of a path, or of each path in braces.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|c| is_of_a_word(*c)).collect()];
    };
    let mut names = Vec::new();
    let (mut depth, mut expecting) = (0_usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            _ if depth == 0 && expecting && is_of_a_word(c) => {
                expecting = false;
                names.extend(first_names(&group[at..]));
            }
            _ => {}
        }
    }
    names
}

fn declared_modules(code: &str) -> Vec<&str> {
    let mut modules: Vec<&str> = code
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("pub ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect();
    modules.sort_unstable();
    modules
}

/// `unsafe` in the wrong file, and unsafe code without a comment that says why it is sound.
fn unsafe_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let lines: Vec<&str> = source.text.lines().collect();
    for (number, code) in source.code.lines().enumerate() {
        if !has_word(code, "unsafe") {
            continue;
        }
        let place = format!("{}:{}", source.name, number + 1);
        if !UNSAFE_DOORS.iter().any(|door| source.name.starts_with(door)) {
            faults.push(format!("{place}: unsafe outside of {}", UNSAFE_DOORS.join(", ")));
        }
        // An exported name is no operation, nor is the declaration of a trait, which says what its `impl`s must keep.
        if code.trim() == "#[unsafe(no_mangle)]" || code.contains("unsafe trait ") {
            continue;
        }
        let comment: Vec<&str> = lines[..number]
            .iter()
            .rev()
            .map(|line| line.trim())
            .take_while(|line| line.starts_with("//"))
            .collect();
        if !comment.iter().any(|line| line.starts_with("// SAFETY: ")) {
            faults.push(format!("{place}: unsafe without a SAFETY comment just above it"));
        }
    }
    faults
}

fn clock_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, code) in source.code.lines().enumerate() {
        for clock in ["SystemTime", "Instant"] {
            if has_word(code, clock) && source.name != CLOCK_DOOR {
                faults.push(format!("{}:{}: {clock} outside of {CLOCK_DOOR}", source.name, number + 1));
            }
        }
    }
    faults
}

fn shape_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    if !source.text.starts_with("//! ") {
        faults.push(format!("{}: its first line does not say what it knows", source.name));
    }
    let tests = tests_of(&code_only(&source.text));
    let lines = source.text.lines().count() - tests;
    if lines > MAX_LINES {
        faults.push(format!("{}: {lines} lines without the tests, the limit is {MAX_LINES}", source.name));
    }
    faults
}

/// Lines that are too long, but those with a raw string, which cannot be broken.
fn width_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let (width, raw) = (line.chars().count(), line.contains("r\"") || line.contains("r#\""));
        if width > MAX_WIDTH && !raw {
            let place = format!("{}:{}", source.name, number + 1);
            faults.push(format!("{place}: {width} characters, the limit is {MAX_WIDTH}"));
        }
    }
    faults
}

/// How many lines belong to tests.
fn tests_of(code: &str) -> usize {
    let stripped = without_tests(code);
    code.lines().zip(stripped.lines()).filter(|(before, after)| before != after).count()
}

fn leftover_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, code) in source.code.lines().enumerate() {
        for leftover in ["todo!", "unimplemented!", "dbg!"] {
            if code.contains(leftover) {
                faults.push(format!("{}:{}: {leftover}", source.name, number + 1));
            }
        }
    }
    for attribute in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (at, _) in source.code.match_indices(attribute) {
            let arguments = source.code[at..].split(']').next().unwrap();
            if !has_word(arguments, "reason") {
                let line = source.code[..at].matches('\n').count() + 1;
                faults.push(format!("{}:{line}: {attribute}...) without a reason", source.name));
            }
        }
    }
    faults
}

// Reading Rust

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_of_a_word) && !after.is_some_and(is_of_a_word)
    })
}

/// The source with comments, and the contents of strings and character literals, made blank. Lines stay lines.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let blank = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment_len(rest)
        } else if let Some(len) = string_len(rest)
            // In `var"x"` the `r` belongs to the word.
            && (c == '"' || !code.ends_with(is_of_a_word))
        {
            len
        } else if c == '\'' {
            character_len(rest)
        } else {
            0
        };
        if blank == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..blank].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[blank..];
        }
    }
    code
}

/// Block comments nest.
fn block_comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(0, char::len_utf8);
        }
        if depth == 0 || at == text.len() {
            return at;
        }
    }
}

/// The length of the string literal that the text begins with, if it does: plain, byte, C or raw.
fn string_len(text: &str) -> Option<usize> {
    let prefix = text.find(|c| !matches!(c, 'b' | 'c' | 'r'))?;
    if prefix > 2 {
        return None;
    }
    let raw = text[..prefix].contains('r');
    let hashes = text[prefix..].len() - text[prefix..].trim_start_matches('#').len();
    let start = prefix + hashes;
    if !text[start..].starts_with('"') || (hashes > 0 && !raw) {
        return None;
    }
    let body = start + 1;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()));
    }
    let mut escaped = false;
    for (at, c) in text[body..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(body + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// The length of the character literal that the text begins with, or 0 where the quote begins a lifetime.
fn character_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        // The character after the backslash may be a quote itself.
        (Some((_, '\\')), Some((at, c))) => {
            let from = at + c.len_utf8();
            text[from..].find('\'').map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Code, as [`code_only`] gives it, with what stands behind `#[cfg(test)]` made blank.
fn without_tests(code: &str) -> String {
    const TEST: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let body = TEST.len() + item[TEST.len()..].find(['{', ';']).unwrap_or(0);
        let len = if item[body..].starts_with('{') { body + braces_len(&item[body..]) } else { body + 1 };
        kept.extend(item[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &item[len..];
    }
    kept.push_str(rest);
    kept
}

fn braces_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

mod each_check_can_fail {
    use super::*;

    fn faults(check: impl Fn(&Source) -> Vec<String>, name: &str, text: &str) -> usize {
        check(&Source::new(name, text)).len()
    }

    #[test]
    fn a_path_to_a_later_module_is_found() {
        for text in [
            "use crate::replica::Replica;",
            "use crate::{hlc::Hlc, replica::Replica};",
            "use crate::{\n    op::{Op, OpRef},\n    state,\n};",
            "fn f() -> crate::state::State { todo() }",
            "fn f() { crate :: oplog :: log(); }",
            "pub(in crate::oplog) fn f() {}",
            "use super::super::state::State;",
            "use super::super::{op::Op, state::State};",
            // The root has them all, so its own names say nothing of the order.
            "use crate::Replica;",
            "use crate::*;",
        ] {
            assert_eq!(faults(module_faults, "op/kind.rs", text), 1, "{text}");
        }
        assert_eq!(faults(module_faults, "guard.rs", "use super::replica::Replica;"), 1);
        assert_eq!(faults(module_faults, "op/mod.rs", "use super::replica::Replica;"), 1);
        assert_eq!(faults(module_faults, "novel/mod.rs", ""), 1);
    }

    #[test]
    fn a_path_to_an_earlier_module_is_not() {
        for text in [
            "use crate::hlc::Hlc;",
            "use crate::{hlc::{Hlc, Clock}, op::Kind, value};",
            "pub(crate) fn f() {}",
            "use super::replica::Replica;",
            "/// [`Replica`](crate::Replica)\nfn f() {}",
            "fn f() -> &'static str { \"crate::replica\" }",
            "#[cfg(test)]\nmod tests { use crate::replica::Replica; }",
            "#[cfg(test)]\nuse crate::replica::Replica;\n",
        ] {
            assert_eq!(faults(module_faults, "op/kind.rs", text), 0, "{text}");
        }
        let after_the_tests =
            "#[cfg(test)]\nmod tests { fn f() { '{'; \"{\"; } }\nuse crate::replica::Replica;";
        assert_eq!(faults(module_faults, "op/kind.rs", after_the_tests), 1);
    }

    #[test]
    fn unsafe_in_the_wrong_place_or_without_a_word_is_found() {
        let said = "fn f() {\n    // SAFETY: reads nothing.\n    unsafe { g() }\n}";
        let unsaid = "fn f() {\n    // It is fine.\n    unsafe { g() }\n}";
        let said_elsewhere = "// SAFETY: reads nothing.\nfn f() {\n    unsafe { g() }\n}";
        assert_eq!(faults(unsafe_faults, "crypto/sodium.rs", said), 0);
        assert_eq!(faults(unsafe_faults, "crypto/sodium.rs", unsaid), 1);
        assert_eq!(faults(unsafe_faults, "crypto/sodium.rs", said_elsewhere), 1);
        assert_eq!(faults(unsafe_faults, "op/kind.rs", said), 1);
        assert_eq!(faults(unsafe_faults, "op/kind.rs", unsaid), 2);
        assert_eq!(faults(unsafe_faults, "op/kind.rs", "#[expect(unsafe_code)] // unsafe\nmod m;"), 0);
    }

    #[test]
    fn a_clock_in_the_wrong_place_is_found() {
        let text = "fn f() { std::time::Instant::now(); }\nuse std::time::SystemTime;";
        assert_eq!(faults(clock_faults, "replica/mod.rs", text), 2);
        assert_eq!(faults(clock_faults, "hlc/system.rs", text), 0);
        assert_eq!(faults(clock_faults, "replica/mod.rs", "/// Instantly, no SystemTime.\nfn f() {}"), 0);
    }

    #[test]
    fn a_file_without_a_first_line_or_with_too_many_is_found() {
        let long = "//! Long.\n".to_owned() + &"fn f() {}\n".repeat(MAX_LINES - 1);
        assert_eq!(faults(shape_faults, "op/kind.rs", &long), 0);
        assert_eq!(faults(shape_faults, "op/kind.rs", &format!("{long}fn g() {{}}\n")), 1);
        assert_eq!(faults(shape_faults, "op/kind.rs", &format!("{long}#[cfg(test)]\nmod tests {{\n}}\n")), 0);
        assert_eq!(faults(shape_faults, "op/kind.rs", "use std::fmt;\n"), 1);
    }

    #[test]
    fn a_line_that_is_too_long_is_found() {
        // Characters count, not bytes.
        let longest = format!("/// {}\n", "ä".repeat(MAX_WIDTH - 4));
        assert_eq!(faults(width_faults, "op/kind.rs", &longest), 0);
        assert_eq!(faults(width_faults, "op/kind.rs", &longest.replace("/// ", "///  ")), 1);
        let raw = format!("    r#\"{}\"#\n", "a".repeat(MAX_WIDTH));
        assert_eq!(faults(width_faults, "op/kind.rs", &raw), 0);
        assert_eq!(faults(width_faults, "op/kind.rs", &raw.replace("r#", "c")), 1);
    }

    #[test]
    fn what_is_left_over_is_found() {
        for text in [
            "fn f() { todo!() }",
            "fn f() { unimplemented!() }",
            "fn f() { dbg!(1); }",
            "#[allow(dead_code)]\nfn f() {}",
            "#[expect(\n    dead_code\n)]\nfn f() {}",
            "#![allow(clippy::all)]",
        ] {
            assert_eq!(faults(leftover_faults, "op/kind.rs", text), 1, "{text}");
        }
        let reasoned = "#[expect(dead_code, reason = \"shows ] nothing\")]\nfn f() { g(\"todo!\") }";
        assert_eq!(faults(leftover_faults, "op/kind.rs", reasoned), 0);
    }

    #[test]
    fn comments_and_strings_are_told_from_code() {
        for (source, code) in [
            ("a /* b /* c */ d */ e", "a                   e"),
            ("a(\"b\\\"c\", 'd', '\\'', b'\"')", "a(      ,    ,     , b   )"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#\"x\"y\"# z", "         z"),
            ("var\"x\"", "var   "),
            ("// a\nb", "    \nb"),
        ] {
            assert_eq!(code_only(source), code, "{source}");
        }
    }
}
