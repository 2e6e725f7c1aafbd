//! Rules for the sources that no lint can check: the order of the modules, the doors, the shape of a file.
//!
//! Each check is a function over text, and has a test with a source that it must refuse.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in their order: each uses only those before it. `manual` holds documentation.
const ORDER: [&str; 20] = [
    "causes",
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
/// The file and the folder that may use `unsafe`.
const UNSAFE_DOORS: [&str; 2] = ["crypto/sodium.rs", "ffi/"];
/// The file that may read the machine's clock.
const CLOCK_DOOR: &str = "hlc/system.rs";
/// Groups of files that still use each other. New ones are refused, and those that are gone leave the list.
const CIRCLES: [&[&str]; 1] = [
    // A key checks itself with libsodium, which takes and returns keys.
    &["crypto/key", "crypto/sodium"],
];
/// The most lines of a file, without its tests.
const MAX_LINES: usize = 600;
/// The most characters of a line. `rustfmt` keeps code shorter but does not break comments.
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

    /// Returns the top-level module that the file belongs to.
    fn module(&self) -> &str {
        self.name.split('/').next().map_or("", |first| first.trim_end_matches(".rs"))
    }

    /// Returns the path of the file's module: `["op", "kind"]` for `op/kind.rs`, `["op"]` for `op/mod.rs`.
    fn path(&self) -> Vec<&str> {
        let name = self.name.trim_end_matches(".rs").trim_end_matches("/mod");
        if name == "lib" { Vec::new() } else { name.split('/').collect() }
    }
}

/// Returns every source except those that are only compiled for tests.
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

/// Returns true if the name says that the file is compiled for tests only. Another check verifies the declaration.
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
fn each_module_uses_only_those_before_it() {
    check_all(module_faults);
}

#[test]
fn files_use_each_other_in_no_other_circles() {
    assert_eq!(circles(&sources()), CIRCLES);
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
fn only_two_places_use_unsafe() {
    check_all(unsafe_faults);
    for door in UNSAFE_DOORS {
        let used = |source: &Source| source.name.starts_with(door) && has_word(&source.code, "unsafe");
        assert!(sources().iter().any(used), "{door} does not use unsafe; take it off the list");
    }
}

#[test]
fn one_file_reads_the_clock() {
    check_all(clock_faults);
    assert!(sources().iter().any(|source| source.name == CLOCK_DOOR && has_word(&source.code, "SystemTime")));
}

#[test]
fn each_file_says_what_it_holds_and_is_not_too_long() {
    check_all(shape_faults);
}

#[test]
fn no_line_is_too_long() {
    assert_none(all_sources().iter().flat_map(width_faults).collect());
}

#[test]
fn files_of_tests_are_compiled_for_tests_only() {
    check_all(|source| {
        let text = code_only(&source.text);
        let stripped = &source.code;
        let faults =
            declared_modules(&text).into_iter().filter(|name| name.ends_with("tests")).filter(|name| {
                // Items with `#[cfg(test)]` are not in the stripped text.
                declared_modules(stripped).contains(name)
            });
        faults.map(|name| format!("{}: mod {name} lacks #[cfg(test)]", source.name)).collect()
    });
}

// The checks

/// Returns the paths to modules that the file's own module may not use.
fn module_faults(source: &Source) -> Vec<String> {
    let rank = |module: &str| ORDER.iter().position(|other| *other == module);
    let Some(own) = rank(source.module()) else {
        return vec![format!("{}: its module is not in ORDER", source.name)];
    };
    if source.module() == "lib" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, path) in used_paths(source) {
        let name = path.first().copied().unwrap_or_default();
        match rank(name) {
            Some(other) if other <= own && name != "lib" => {}
            Some(_) => faults.push(format!("{}:{line}: {} may not use {name}", source.name, source.module())),
            // The C interface wraps the public one, whose names are at the root.
            None if source.module() == "ffi" => {}
            None => faults.push(format!(
                "{}:{line}: crate::{name} is not a module; name the module it is in",
                source.name
            )),
        }
    }
    faults
}

/// Returns the paths that the code names through `crate::`, `self::` or `super::`, from the crate's root, with their lines.
fn used_paths(source: &Source) -> Vec<(usize, Vec<&str>)> {
    let code = &source.code;
    let own = source.path();
    let mut used = Vec::new();
    for keyword in ["crate", "self", "super"] {
        for (at, _) in code.match_indices(keyword) {
            let before = code[..at].chars().next_back();
            // `$crate` and `a_crate` are other words, and a later `super` belongs to the path of the first one.
            if before.is_some_and(|before| is_of_a_word(before) || matches!(before, '$' | ':')) {
                continue;
            }
            // `pub(crate)` has no path.
            let Some(mut start) = after_colons(code, at + keyword.len()) else { continue };
            let mut base = match keyword {
                "crate" => 0,
                "self" => own.len(),
                _ => own.len().saturating_sub(1),
            };
            while let Some(next) = code[start..].strip_prefix("super").and_then(|rest| after_colons(rest, 0))
            {
                start += "super".len() + next;
                base = base.saturating_sub(1);
            }
            let line = code[..at].matches('\n').count() + 1;
            for path in paths(&code[start..]) {
                used.push((line, own[..base].iter().copied().chain(path).collect()));
            }
        }
    }
    used
}

/// Returns the position after `::` if the text has it at `at`.
fn after_colons(code: &str, at: usize) -> Option<usize> {
    let rest = code[at..].trim_start().strip_prefix("::")?;
    Some(code.len() - rest.trim_start().len())
}

/// Returns the path that the text begins with, or every path of a group in braces.
fn paths(text: &str) -> Vec<Vec<&str>> {
    let Some(group) = text.strip_prefix('{') else {
        let len = text.find(|c| !is_of_a_word(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(len);
        return match after_colons(rest, 0) {
            Some(at) => paths(&rest[at..]).into_iter().map(|path| [vec![name], path].concat()).collect(),
            None => vec![vec![name]],
        };
    };
    let mut found = Vec::new();
    let (mut depth, mut expecting) = (0_usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            _ if depth == 0 && expecting && is_of_a_word(c) => {
                expecting = false;
                found.extend(paths(&group[at..]));
            }
            _ => {}
        }
    }
    found
}

/// Returns the names that a module re-exports from files in it, each with the path of its declaration.
fn reexports(source: &Source) -> Vec<Vec<&str>> {
    let own = source.path();
    let exported = source.code.match_indices(" use ").filter(|(at, _)| {
        let line = source.code[..*at].rsplit('\n').next().unwrap_or_default();
        line.starts_with("pub") && !line.contains(' ')
    });
    let named = exported.flat_map(|(at, word)| paths(&source.code[at + word.len()..]));
    named.map(|path| own.iter().copied().chain(path).collect()).collect()
}

/// Returns the groups of files that use each other, directly or through others, a name that a module re-exports as in
/// the file that declares it. A module and the files in it are no circle: the module declares them, and they share its
/// items.
fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let exported: Vec<(Vec<&str>, Vec<Vec<&str>>)> =
        sources.iter().map(|source| (source.path(), reexports(source))).collect();
    let declared = |path: &[&str]| -> Option<Vec<String>> {
        let (name, module) = path.split_last()?;
        let (_, names) = exported.iter().find(|(other, _)| *other == module)?;
        let target = names.iter().find(|target| target.last() == Some(name) && target.len() > path.len())?;
        Some(target.iter().map(|part| (*part).to_owned()).collect())
    };
    let resolve = |path: &[&str]| -> Vec<String> {
        let mut path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        for len in 1.. {
            let Some(start) = path.get(..len) else { break };
            let start: Vec<&str> = start.iter().map(String::as_str).collect();
            if let Some(target) = declared(&start) {
                path.splice(..len, target);
            }
        }
        path
    };
    let names: Vec<String> = sources.iter().map(|source| source.path().join("/")).collect();
    let is_within = |inner: &str, outer: &str| inner.starts_with(&format!("{outer}/"));
    let uses: Vec<BTreeSet<usize>> = sources
        .iter()
        .zip(&names)
        .map(|(source, own)| {
            let used = used_paths(source).into_iter().filter_map(|(_, path)| {
                let path = resolve(&path);
                // The file of a path is the longest beginning that names one.
                (1..=path.len()).rev().find_map(|len| {
                    let name = path.get(..len)?.join("/");
                    names.iter().position(|other| *other == name)
                })
            });
            let others = used.filter(|other| {
                let other = &names[*other];
                other != own && !is_within(other, own) && !is_within(own, other)
            });
            others.collect()
        })
        .collect();
    let reached: Vec<BTreeSet<usize>> = (0..names.len())
        .map(|from| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(file) = next.pop() {
                next.extend(uses[file].iter().filter(|used| seen.insert(**used)));
            }
            seen
        })
        .collect();
    let reached = &reached;
    let circle =
        |file: usize| reached[file].iter().copied().filter(move |other| reached[*other].contains(&file));
    let groups: BTreeSet<Vec<usize>> = (0..names.len())
        .map(|file| circle(file).collect())
        .filter(|group: &Vec<usize>| group.len() > 1)
        .collect();
    groups.into_iter().map(|group| group.into_iter().map(|file| names[file].clone()).collect()).collect()
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

/// Returns the lines with `unsafe` outside of its doors. Clippy checks the comments (`undocumented_unsafe_blocks`).
fn unsafe_faults(source: &Source) -> Vec<String> {
    if UNSAFE_DOORS.iter().any(|door| source.name.starts_with(door)) {
        return Vec::new();
    }
    let lines = source.code.lines().enumerate().filter(|(_, code)| has_word(code, "unsafe"));
    let doors = UNSAFE_DOORS.join(", ");
    lines.map(|(number, _)| format!("{}:{}: unsafe outside of {doors}", source.name, number + 1)).collect()
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
        faults.push(format!("{}: its first line does not say what it holds", source.name));
    }
    let tests = tests_of(&code_only(&source.text));
    let lines = source.text.lines().count() - tests;
    if lines > MAX_LINES {
        faults.push(format!("{}: {lines} lines without the tests, the limit is {MAX_LINES}", source.name));
    }
    faults
}

/// Returns the lines that are too long, except those with a raw string, which cannot be broken.
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

/// Returns the number of lines that belong to tests.
fn tests_of(code: &str) -> usize {
    let stripped = without_tests(code);
    code.lines().zip(stripped.lines()).filter(|(before, after)| before != after).count()
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

/// Returns the source with comments, strings and character literals made blank. Line breaks are kept.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let blank = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment_len(rest)
        } else if let Some(len) = string_len(rest)
            // In `var"x"` the `r` is part of the word.
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

/// Returns the length of the block comment that the text begins with. Block comments nest.
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

/// Returns the length of the string literal that the text begins with, if any: plain, byte, C or raw.
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

/// Returns the length of the character literal that the text begins with, or 0 if the quote begins a lifetime.
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

/// Returns the code with items marked `#[cfg(test)]` made blank. Comments must be blank already, see [`code_only`].
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
            // The root re-exports from every module, so its names say nothing of the order.
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
    fn a_circle_is_found() {
        let files = |texts: &[(&str, &str)]| -> Vec<Source> {
            texts.iter().map(|(name, text)| Source::new(name, text)).collect()
        };
        let circle = files(&[
            ("op/mod.rs", "mod a;\nmod b;\nmod c;"),
            ("op/a.rs", "use super::{c, b::B};"),
            ("op/b.rs", "use crate::op::c::C;"),
            ("op/c.rs", "fn f(_: super::a::A) {}"),
        ]);
        assert_eq!(circles(&circle), [["op/a", "op/b", "op/c"]]);
        let reexported = files(&[
            ("op/mod.rs", "mod a;\nmod b;\npub use a::{A, X};\npub(crate) use b::B;"),
            ("op/a.rs", "use super::B;"),
            ("op/b.rs", "fn f(_: crate::op::A) {}"),
        ]);
        assert_eq!(circles(&reexported), [["op/a", "op/b"]]);
        let none = files(&[
            ("op/mod.rs", "mod a;\nmod b;\npub use a::A;\nuse self::b::B;"),
            ("op/a.rs", "use super::{Op, b::B};"),
            ("op/b.rs", "use super::Op;\n#[cfg(test)]\nmod tests { use crate::op::a::A; }"),
        ]);
        assert!(circles(&none).is_empty());
    }

    #[test]
    fn unsafe_in_the_wrong_place_is_found() {
        let text = "fn f() {\n    unsafe { g() }\n}";
        assert_eq!(faults(unsafe_faults, "crypto/sodium.rs", text), 0);
        assert_eq!(faults(unsafe_faults, "ffi/key.rs", text), 0);
        assert_eq!(faults(unsafe_faults, "op/kind.rs", text), 1);
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
    fn comments_and_strings_are_not_code() {
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
