//! Plain English in comments, messages, test names and documents.
//!
//! Two checks over the text of the repository: a doc comment does not begin with a question word, and no file holds
//! one of the phrases below. Each check has a test with texts that it must refuse.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Words that no doc comment begins with. The first word is a verb (Returns, Verifies) or a noun phrase.
const OPENINGS: [&str; 4] = ["what", "who", "whether", "how"];

/// Phrases to avoid, in lower case, each with what to write instead. `…` matches text within one sentence.
const PHRASES: [(&str, &str); 83] = [
    // "anew" is one word, but has no other meaning that a technical text needs.
    ("anew", "again, from the beginning"),
    ("is none", "\"there is no …\", \"is not a …\""),
    ("are none", "\"there are no …\""),
    ("was none", "\"there was no …\""),
    ("so many", "the number, \"n\", \"that many\""),
    ("of chance", "random"),
    ("by chance", "at random"),
    ("the one … the other", "two names"),
    ("in front of", "before"),
    ("is behind", "after, later than, guarded by"),
    ("are behind", "after, later than, guarded by"),
    ("stands behind", "follows"),
    ("stand behind", "follow"),
    ("behind everything", "after everything"),
    ("behind the", "after"),
    ("behind that", "after that"),
    ("behind it", "after it"),
    ("far behind", "much later"),
    ("behind its back", "from outside"),
    ("told by", "given by, from"),
    ("is told", "is given, is sent"),
    ("are told", "are given, are sent"),
    ("was told", "was given, was sent"),
    ("were told", "were given, were sent"),
    ("at leisure", "later"),
    ("brings near", "approaches"),
    ("brought near", "approached"),
    ("go on with", "continue, resume"),
    ("goes on with", "continues, resumes"),
    ("gone on with", "continued, resumed"),
    ("go on from", "continue, resume"),
    ("goes on from", "continues, resumes"),
    ("gone on from", "continued, resumed"),
    ("going on from", "resuming"),
    ("stands for", "means, is"),
    ("stand for", "mean, are"),
    ("stands in", "is in, is defined in"),
    ("stand in", "are in, are defined in"),
    ("stands at", "is at"),
    ("stand at", "are at"),
    ("stands on", "is on"),
    ("stand on", "are on"),
    ("stands between", "is between"),
    ("stand between", "are between"),
    ("stands beside", "is next to"),
    ("stand beside", "are next to"),
    ("stands above", "supersedes"),
    ("stands there", "is there"),
    ("stand there", "are there"),
    ("stands before", "is before"),
    ("stand before", "are before"),
    ("stand inside", "are nested in"),
    ("stands together", "is together"),
    ("stand together", "are together"),
    ("as it stands", "unchanged"),
    ("what stands", "what is"),
    ("that stands", "that is"),
    ("it stands", "it is"),
    ("by reading", "reviewed, not tested"),
    ("what came", "a noun: an operation, a message"),
    ("what comes of", "the result of"),
    ("what becomes of", "the result of"),
    ("what became of", "the result of"),
    ("is due to be had", "is available"),
    ("is to be had", "is available"),
    ("can be had", "is available"),
    ("cannot be had", "is not available"),
    ("for want of", "without"),
    ("nothing but", "only"),
    ("nobody but", "only"),
    ("gives up", "ends with an error, releases"),
    ("given up", "ended with an error, released"),
    ("is at hand", "is available"),
    ("are at hand", "are available"),
    ("is done without", "is left out"),
    ("does without", "does not use"),
    ("makes of", "converts"),
    ("come due", "is no longer held"),
    ("comes due", "is no longer held"),
    ("as ever", "as before"),
    ("is begun", "starts"),
    ("are begun", "start"),
    ("without a word", "silently"),
];

/// Texts that hold one of the phrases and are plain all the same, each with the reason.
const EXCEPTIONS: [(&str, &str); 6] = [
    ("if there is none", "the thing was named just before"),
    ("if there are none", "the things were named just before"),
    ("so many that", "an amount with its consequence"),
    ("is told apart", "distinguished"),
    ("are told apart", "distinguished"),
    ("clock is behind", "clocks are ahead or behind"),
];

/// Folders and files to check. A package lacks some of them.
const ROOTS: [&str; 15] = [
    "src",
    "tests",
    "benches",
    "examples",
    "examples-c",
    "fuzz",
    "cli",
    "include",
    ".ci",
    ".scripts",
    "README.md",
    "TESTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "Cargo.toml",
];
/// Data, and this file with its list.
const LEFT_OUT: [&str; 5] = ["tests/english.rs", "tests/vectors", "tests/golden", "fuzz/corpus", "target"];
/// Kinds of files with text of the project. Scripts have no extension.
const EXTENSIONS: [&str; 10] = ["rs", "md", "toml", "c", "h", "cpp", "hpp", "kt", "js", "py"];

/// A file, with its path in the repository.
struct Text {
    name: String,
    text: String,
}

fn texts() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for name in ROOTS {
        read(root, name, &mut texts);
    }
    assert!(texts.len() > 100, "only {} files found", texts.len());
    texts
}

fn read(root: &Path, name: &str, texts: &mut Vec<Text>) {
    let path = root.join(name);
    if LEFT_OUT.iter().any(|left_out| name == *left_out || name.ends_with(&format!("/{left_out}"))) {
        return;
    }
    if path.is_dir() {
        let mut entries: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        entries.sort();
        for entry in entries {
            read(root, &format!("{name}/{entry}"), texts);
        }
    } else if path.extension().is_none_or(|extension| EXTENSIONS.iter().any(|known| extension == *known)) {
        // Data without an extension need not be text.
        if let Ok(text) = fs::read_to_string(path) {
            texts.push(Text { name: name.to_owned(), text });
        }
    }
}

#[test]
fn no_doc_comment_begins_with_a_question_word() {
    report(texts().iter().flat_map(openings).collect());
}

#[test]
fn no_text_holds_a_phrase_to_avoid() {
    report(texts().iter().flat_map(phrases).collect());
}

#[test]
fn each_exception_holds_a_phrase_and_has_a_reason() {
    for (text, reason) in EXCEPTIONS {
        assert!(PHRASES.iter().any(|(phrase, _)| text.contains(phrase)) && !reason.is_empty(), "{text}");
    }
}

/// A place with a fault.
struct Hit {
    file: String,
    line: usize,
    found: &'static str,
    instead: &'static str,
}

/// Fails with all hits, and their number in each folder.
fn report(hits: Vec<Hit>) {
    let mut text = String::new();
    let mut folders: Vec<(&str, usize)> = Vec::new();
    for Hit { file, line, found, instead } in &hits {
        writeln!(text, "{file}:{line}: \"{found}\", write: {instead}").unwrap();
        let folder = match file.strip_prefix("src/") {
            Some(below) => &file[.."src/".len() + below.find('/').unwrap_or(0)],
            None => file.split('/').next().unwrap(),
        };
        match folders.iter_mut().find(|(name, _)| *name == folder) {
            Some((_, count)) => *count += 1,
            None => folders.push((folder, 1)),
        }
    }
    for (folder, count) in folders {
        writeln!(text, "{folder}: {count}").unwrap();
    }
    assert!(hits.is_empty(), "\n{text}{} in all", hits.len());
}

/// Returns the doc comments that begin with a question word: `///` and `//!` in Rust, `///` and `/**` elsewhere.
fn openings(text: &Text) -> Vec<Hit> {
    let is_rust = text.name.ends_with(".rs");
    let mut hits = Vec::new();
    // The marker of the doc comment of the previous line, and whether that comment has had a word.
    let (mut marker, mut has_begun) = (None, false);
    for (number, line) in text.text.lines().enumerate() {
        let line = line.trim();
        let line_marker = ["///", "//!"].into_iter().find(|marker| line.starts_with(marker));
        let (now, content) = if line_marker.is_some() {
            (line_marker, line.get(3..).unwrap_or_default())
        } else if is_rust {
            (None, "")
        } else if let Some(content) = line.strip_prefix("/**") {
            marker = None;
            (Some("/**"), content)
        } else if marker == Some("/**") && line.starts_with('*') && !line.starts_with("*/") {
            (marker, &line[1..])
        } else {
            (None, "")
        };
        if now != marker {
            (marker, has_begun) = (now, false);
        }
        let word = content.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if now.is_some() && !has_begun && !content.trim().is_empty() {
            has_begun = true;
            if let Some(found) = OPENINGS.into_iter().find(|opening| word.eq_ignore_ascii_case(opening)) {
                let instead = "a verb in the third person, or a noun phrase";
                hits.push(Hit { file: text.name.clone(), line: number + 1, found, instead });
            }
        }
    }
    hits
}

/// Returns the phrases to avoid, also across line ends and in the names of tests.
fn phrases(text: &Text) -> Vec<Hit> {
    let (flat, starts) = flattened(text);
    let mut hits = Vec::new();
    for (found, instead) in PHRASES {
        let (first, second) = found.split_once(" … ").map_or((found, None), |(a, b)| (a, Some(b)));
        for (at, _) in flat.match_indices(first) {
            if !is_word(&flat, at, first.len()) || is_excepted(&flat, at) {
                continue;
            }
            if let Some(second) = second {
                let rest = &flat[at + first.len()..];
                let sentence = &rest[..rest.find(['.', ';', ':', '?']).unwrap_or(rest.len())];
                if !sentence.match_indices(second).any(|(at, _)| is_word(sentence, at, second.len())) {
                    continue;
                }
            }
            let line = starts.partition_point(|start| *start <= at);
            hits.push(Hit { file: text.name.clone(), line, found, instead });
        }
    }
    hits.sort_by_key(|hit| hit.line);
    hits
}

/// Returns true if an exception covers this place of the text.
fn is_excepted(flat: &str, at: usize) -> bool {
    EXCEPTIONS.iter().any(|(text, _)| {
        let first = at.saturating_sub(text.len());
        (first..=at).any(|start| flat.get(start..).is_some_and(|rest| rest.starts_with(text)))
    })
}

/// Returns the text in lower case on one line without comment markers, and the start of each of its lines.
fn flattened(text: &Text) -> (String, Vec<usize>) {
    let (mut flat, mut starts) = (String::with_capacity(text.text.len()), Vec::new());
    for line in text.text.lines() {
        starts.push(flat.len());
        let line = line.trim().trim_start_matches("//!").trim_start_matches(['/', '*', '#', '!']);
        let line = line.trim_end_matches('\\').to_lowercase();
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
        // A name of many words is a sentence: a test's.
        let line = match name {
            Some(name) if name.matches('_').count() > 2 => line.replace(name, &name.replace('_', " ")),
            _ => line,
        };
        for word in line.split_whitespace() {
            flat.push_str(word);
            flat.push(' ');
        }
    }
    (flat, starts)
}

/// Returns true if the text at this place is not a part of a longer word.
fn is_word(text: &str, at: usize, len: usize) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    !text[..at].ends_with(of_a_word) && !text[at + len..].starts_with(of_a_word)
}

mod each_check_can_fail {
    use super::*;

    fn count(check: fn(&Text) -> Vec<Hit>, name: &str, text: &str) -> usize {
        check(&Text { name: name.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn question_words_at_the_beginning_are_found() {
        for text in [
            "/// What it is.\nfn f() {}",
            "//! How it works.",
            "    /// Whether it is so.\n    pub fn f() {}",
            "///\n/// Who wrote it.\nstruct S;",
            "/// Returns it.\nfn f() {}\n/// What it is.\nfn g() {}",
            "//! The file.\n/// What it is.\nfn f() {}",
        ] {
            assert_eq!(count(openings, "src/a.rs", text), 1, "{text}");
        }
        for text in [
            "/// What it is.",
            "/** What it is. */",
            "/**\n * Whether it is so.\n */",
            "/** A. */\n/** How. */",
        ] {
            assert_eq!(count(openings, "include/a.h", text), 1, "{text}");
        }
    }

    #[test]
    fn question_words_elsewhere_are_not() {
        for text in [
            "/// Returns what it is.",
            "/// Returns it.\n/// What it is.",
            "/// Whoever calls it.",
            "// What it is.",
            "let what = 1; // How?",
            "/// Returns it.\n///\n/// How it works.",
        ] {
            assert_eq!(count(openings, "src/a.rs", text), 0, "{text}");
        }
        for text in ["/* What it is. */", "/** It is\n * what it is. */", "int a;\n * what;"] {
            assert_eq!(count(openings, "include/a.h", text), 0, "{text}");
        }
    }

    #[test]
    fn phrases_to_avoid_are_found() {
        for text in [
            "// It begins anew.",
            "/// Reads so\n/// many bytes.",
            "error(\"there Is None\")",
            "fn a_key_that_is_none_of_ours() {}",
            "write!(f, \"read so \\\n    many bytes\")",
            " * The one\n * reads, the other writes.",
            "# It holds nothing but a position.",
            "A field stands in the file.",
        ] {
            assert_eq!(count(phrases, "src/a.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn words_that_only_look_alike_are_not() {
        for text in [
            "if value.is_none() {}",
            "fn is_none() {}",
            "// The one that is read. The other is not.",
            "// An outstanding request.",
            "// So manyfold.",
            "// Returns `None` if there is none.",
            "// There were so many that memory ran out.",
        ] {
            assert_eq!(count(phrases, "src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn a_hit_names_its_line() {
        let text =
            Text { name: "src/a.rs".to_owned(), text: "fn f() {}\n\n// It is so\n// many.\n".to_owned() };
        assert_eq!(phrases(&text).first().unwrap().line, 3);
    }
}
