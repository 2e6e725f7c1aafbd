//! The C interface, used from C and C++ with every installed compiler and checker.
#![cfg(all(unix, feature = "capi"))]

mod tools;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use tools::{c_libraries, declared, relay, root, run, scratch, shared_name, symbols};

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];
const C: [&str; 3] = ["c99", "c11", "c17"];
const CPP: [&str; 4] = ["c++11", "c++14", "c++17", "c++20"];
/// The system libraries that our static library needs.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

fn library(name: &str) -> PathBuf {
    c_libraries().join(name)
}

fn compiler(name: &str, std: &str) -> Command {
    let mut command = Command::new(name);
    command.arg(format!("-std={std}")).args(WARNINGS).arg("-I").arg(root().join("include"));
    if !std.starts_with("c++") {
        command.arg("-Wstrict-prototypes");
    }
    command
}

/// Lists the sources of the test program, or of the one for threads.
fn sources(threads: bool) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = fs::read_dir(root().join("tests/c"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some(OsStr::new("c")))
        .filter(|path| {
            let name = path.file_stem().unwrap();
            if threads { name == "threads" || name == "check" } else { name != "threads" }
        })
        .collect();
    sources.sort();
    sources
}

/// Builds the test program with the static library.
fn program(compiler_name: &str, std: &str, threads: bool, name: &str, flags: &[&str]) -> PathBuf {
    let program = scratch(&format!("c/{name}")).join("program");
    let mut command = compiler(compiler_name, std);
    command
        .args(["-g", "-O1"])
        .args(flags)
        .args(sources(threads))
        .arg(library("libpolicysync.a"))
        .args(SYSTEM);
    run(command.arg("-o").arg(&program));
    program
}

/// The relay of the examples on a new file, for tests that need a server. Dropping it ends the process.
struct Relay {
    process: Child,
    address: String,
}

impl Relay {
    const TOKEN: &str = "relay-token";

    fn start() -> Option<Self> {
        if !cfg!(all(feature = "http", feature = "sqlite", feature = "websocket")) {
            return None;
        }
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let dir = scratch(&format!("c/relay-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new(relay());
        command.args(["--blind", "--listen", "127.0.0.1:0", "--file"]).arg(dir.join("relay.db"));
        command.env("RELAY_TOKEN", Self::TOKEN).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.strip_prefix("listening on ").and_then(|rest| rest.split(',').next()).unwrap();
        Some(Self { address: address.to_owned(), process })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Runs the test program with a relay to talk to.
fn run_with_relay(command: &mut Command) -> String {
    let relay = Relay::start();
    if let Some(relay) = &relay {
        command.env("POLICYSYNC_TEST_RELAY", &relay.address);
    }
    let out = run(command);
    assert_eq!(out.contains("with a relay"), relay.is_some(), "{out}");
    out
}

fn header() -> String {
    fs::read_to_string(root().join("include/policysync.h")).unwrap()
}

/// Lists the functions that the header declares.
fn functions() -> BTreeSet<String> {
    declared(&root().join("include/policysync.h"))
}

/// Lists our symbols that a library exports.
fn defined(options: &[&str], library: &Path) -> BTreeSet<String> {
    symbols(options, library).into_iter().filter(|name| name.starts_with("policysync_")).collect()
}

#[test]
#[ignore = "needs gcc and clang"]
fn the_header_compiles_everywhere_twice() {
    let dir = scratch("c/header");
    let source = "#include \"policysync.h\"\n#include \"policysync.h\"\nint main(void) { return 0; }\n";
    fs::write(dir.join("unit.c"), source).unwrap();
    fs::write(dir.join("unit.cpp"), source).unwrap();
    for (names, standards, unit) in
        [(["gcc", "clang"], &C[..], "unit.c"), (["g++", "clang++"], &CPP[..], "unit.cpp")]
    {
        for name in names {
            for std in standards {
                run(compiler(name, std).arg("-fsyntax-only").arg(dir.join(unit)));
            }
        }
    }
}

#[test]
#[ignore = "needs gcc and clang"]
fn the_program_passes_with_every_compiler() {
    for name in ["gcc", "clang"] {
        for std in C {
            let program = program(name, std, false, &format!("plain-{name}-{std}"), &[]);
            assert!(run_with_relay(&mut Command::new(program)).contains("all C tests passed"));
        }
    }
}

#[test]
fn the_program_passes_with_the_shared_library() {
    let dir = scratch("c/shared");
    fs::copy(library("libpolicysync.so"), dir.join("libpolicysync.so")).unwrap();
    fs::copy(library("libpolicysync.so"), dir.join(shared_name())).unwrap();
    let mut command = compiler("gcc", "c99");
    command.args(sources(false)).arg("-L").arg(&dir).arg("-lpolicysync").arg("-o").arg(dir.join("program"));
    run(&mut command);
    let needs = run(Command::new("readelf").arg("-d").arg(dir.join("program")));
    assert!(needs.contains(&format!("[{}]", shared_name())), "{needs}");
    let mut program = Command::new(dir.join("program"));
    assert!(run_with_relay(program.env("LD_LIBRARY_PATH", &dir)).contains("all C tests passed"));
}

#[test]
#[ignore = "needs valgrind"]
fn valgrind_finds_nothing() {
    for threads in [false, true] {
        let program = program("gcc", "c99", threads, &format!("valgrind-{threads}"), &[]);
        let mut command = Command::new("valgrind");
        command.args(["-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]);
        command.arg("--errors-for-leak-kinds=definite,indirect,possible");
        command
            .arg(format!("--suppressions={}", root().join("tests/c/valgrind.supp").display()))
            .arg(program);
        if threads {
            run(&mut command);
        } else {
            run_with_relay(&mut command);
        }
    }
}

#[test]
#[ignore = "needs gcc and clang with their sanitizers"]
fn address_and_undefined_behaviour_sanitizers_find_nothing() {
    for name in ["gcc", "clang"] {
        let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        let program = program(name, "c11", false, &format!("asan-{name}"), &flags);
        let symbols = run(Command::new("nm").arg(&program));
        assert!(symbols.contains("__asan_init"), "{name} did not link the sanitizer");
        run_with_relay(&mut Command::new(program));
    }
}

/// The sanitizer does not see the locks of a library that is not built with it, and would report false races. So it
/// checks the program's side only: the library does not touch from one thread what it has handed out to another.
#[test]
#[ignore = "needs gcc with its sanitizers"]
fn the_thread_sanitizer_finds_nothing() {
    run(&mut Command::new(program("gcc", "c11", true, "threads", &["-pthread"])));
    let dir = scratch("c/tsan");
    fs::copy(library("libpolicysync.so"), dir.join("libpolicysync.so")).unwrap();
    fs::copy(library("libpolicysync.so"), dir.join(shared_name())).unwrap();
    let mut command = compiler("gcc", "c11");
    command.args(["-g", "-O1", "-fsanitize=thread", "-pthread"]).args(sources(true)).arg("-L").arg(&dir);
    run(command.arg("-lpolicysync").arg("-o").arg(dir.join("program")));
    assert!(run(Command::new("nm").arg(dir.join("program"))).contains("__tsan_init"));
    let mut command = Command::new(dir.join("program"));
    command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1").env("LD_LIBRARY_PATH", &dir);
    run(&mut command);
}

#[test]
fn the_libraries_export_exactly_the_functions_of_the_header() {
    let declared = functions();
    assert!(declared.len() > 40 && declared.contains("policysync_replica_open"), "{declared:?}");
    assert_eq!(defined(&["-g", "--defined-only"], &library("libpolicysync.a")), declared);
    if cfg!(target_os = "linux") {
        let shared = library("libpolicysync.so");
        assert_eq!(defined(&["-D", "--defined-only"], &shared), declared);
        let all = run(Command::new("nm").args(["-D", "--defined-only"]).arg(&shared));
        assert_eq!(all.lines().count(), declared.len(), "other symbols are exported too:\n{all}");
    }
}

#[test]
fn every_function_is_called_by_the_test_program() {
    let program: String = sources(false).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in functions() {
        assert!(program.contains(&format!("{name}(")), "{name} is not tested");
    }
}

/// The rules that hold for every function are stated once at the top; a function documents its parameters and statuses.
#[test]
fn every_function_is_documented() {
    let header = header();
    let (top, _) = header.split_once("*/").unwrap();
    for rule in ["err.", "NULL.", "Threads.", "Since.", "Growth.", "Callbacks"] {
        assert!(top.contains(&format!("\n * {rule} ")), "{rule}");
    }
    let mut functions = 0;
    for part in header.split("/**").skip(1) {
        let Some((comment, rest)) = part.split_once("*/") else { continue };
        let Some(declaration) = rest.trim_start().strip_prefix("POLICYSYNC_API") else { continue };
        let (declaration, _) = declaration.split_once(';').unwrap();
        let comment = comment.replace("\n * ", " ");
        let (start, parameters) = declaration.trim_end_matches(')').split_once('(').unwrap();
        let parameters: Vec<&str> =
            parameters.split(',').map(|one| one.rsplit([' ', '*']).next().unwrap()).collect();
        // The first parameter is usually the object itself.
        let objects = [
            "answerer",
            "buffer",
            "caller",
            "changes",
            "client",
            "cursor",
            "key",
            "line",
            "list",
            "push",
            "replica",
            "responder",
            "resume",
            "session",
            "status",
            "void",
        ];
        for (at, name) in parameters.iter().enumerate() {
            if *name != "err" && !(at == 0 && objects.contains(name)) {
                assert!(comment.contains(&format!("`{name}`")), "{name}: {declaration}");
            }
        }
        functions += 1;
        if parameters.last() != Some(&"err") {
            continue;
        }
        let (_, returns) = comment.rsplit_once("Returns ").unwrap_or_else(|| panic!("{declaration}"));
        if returns.starts_with("what `policysync_") {
            continue;
        }
        let mut statuses = vec!["OK", "ERR_PANIC"];
        statuses.extend(declaration.contains("NONNULL").then_some("ERR_NULL"));
        let enters = parameters.first() == Some(&"replica") && !start.ends_with("_open");
        statuses.extend(enters.then_some("ERR_BUSY"));
        for status in statuses {
            assert!(returns.contains(&format!("`POLICYSYNC_{status}`")), "{status}: {declaration}");
        }
    }
    assert!(functions > 90, "{functions}");
}

#[test]
fn every_status_has_its_name_and_its_own_number() {
    let dir = scratch("c/names");
    let header = header();
    let (_, codes) = header.split_once("typedef enum policysync_status_code {").unwrap();
    let (codes, _) = codes.split_once('}').unwrap();
    let codes: Vec<(&str, &str)> = codes.lines().filter_map(|line| line.trim().split_once(" = ")).collect();
    let numbers: BTreeSet<&str> = codes.iter().map(|(_, number)| *number).collect();
    assert!(codes.len() >= 30 && numbers.len() == codes.len(), "{codes:?}");
    let checks: String = codes
        .iter()
        .map(|(name, _)| {
            format!("    if (strcmp(policysync_status_name({name}), \"{name}\") != 0) return 1;\n")
        })
        .collect();
    let source = format!(
        "#include \"policysync.h\"\n#include <string.h>\nint main(void) {{\n{checks}    return 0;\n}}\n"
    );
    fs::write(dir.join("names.c"), source).unwrap();
    let mut command = compiler("gcc", "c99");
    command.arg(dir.join("names.c")).arg(library("libpolicysync.a")).args(SYSTEM);
    run(command.arg("-o").arg(dir.join("names")));
    run(&mut Command::new(dir.join("names")));
}

/// Compilers warn about missing members and missing braces, so a macro that does not fit its struct is found here.
#[test]
#[ignore = "needs gcc and clang"]
fn every_struct_that_begins_with_its_size_has_an_initial_value() {
    let dir = scratch("c/initial");
    let header = header();
    let (mut source, mut count) = ("#include \"policysync.h\"\n#include <stddef.h>\n".to_owned(), 0);
    for part in header.split("typedef struct ").skip(1) {
        let (name, body) = part.split_once(" {").unwrap_or_default();
        if !body.trim_start().starts_with("/**\n     * `sizeof(") {
            continue;
        }
        let value = format!("{}_INIT", name.to_uppercase());
        source += &format!(
            "size_t check_{name}(void);\nsize_t check_{name}(void) {{ {name} one = {value}; return one.struct_size - sizeof one; }}\n"
        );
        count += 1;
    }
    assert_eq!(count, header.matches("    uint32_t struct_size;\n").count());
    fs::write(dir.join("unit.c"), &source).unwrap();
    fs::write(dir.join("unit.cpp"), &source).unwrap();
    for (names, standard, unit) in
        [(["gcc", "clang"], "c99", "unit.c"), (["g++", "clang++"], "c++11", "unit.cpp")]
    {
        for name in names {
            run(compiler(name, standard).arg("-fsyntax-only").arg(dir.join(unit)));
        }
    }
}

#[test]
fn the_examples_run() {
    let dir = scratch("c/examples");
    for (name, says) in [
        ("quickstart", "received: Hello world"),
        ("tasks", "they agree after a restart"),
        ("guard", "POLICYSYNC_ERR_DENIED"),
        ("offline_tasks", "they agree"),
    ] {
        let mut command = compiler("gcc", "c99");
        command.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        command.arg(root().join("examples-c").join(name).with_extension("c"));
        command.arg(library("libpolicysync.a")).args(SYSTEM).arg("-o").arg(dir.join(name));
        run(&mut command);
        let out = run(Command::new(dir.join(name)).current_dir(&dir));
        assert!(out.contains(says), "{out}");
        if name == "tasks" {
            assert!(out.contains("ERR_BAD_SIGNATURE") && out.contains("ERR_UNKNOWN_KEY"), "{out}");
        }
        if name == "offline_tasks" {
            assert!(out.contains("the laptop refuses an operation: not signed"), "{out}");
            assert!(out.contains("\n  not converged: ") && out.contains("\n  converged: "), "{out}");
        }
    }
}

#[test]
#[ignore = "needs gcc and clang with their sanitizers"]
fn the_wrapper_for_cpp_passes() {
    for name in ["g++", "clang++"] {
        for std in ["c++17", "c++20"] {
            let dir = scratch(&format!("c/wrapper-{name}-{std}"));
            for source in ["tests/c/wrapper.cpp", "examples-c/quickstart.cpp"] {
                let mut command = compiler(name, std);
                command.args(["-g", "-Wshadow", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
                command.arg(root().join(source)).arg(library("libpolicysync.a")).args(SYSTEM);
                run(command.arg("-o").arg(dir.join("program")));
                let mut program = Command::new(dir.join("program"));
                let tested = source.starts_with("tests");
                let out = if tested { run_with_relay(&mut program) } else { run(&mut program) };
                assert!(out.contains("the wrapper passed") || out.contains("received: Hello world"), "{out}");
            }
        }
    }
}

/// Compiles the runner of the conformance scenarios in C++.
fn conformance_runner(dir: &Path, flags: &[&str], output: &str) -> PathBuf {
    let mut command = compiler("g++", "c++17");
    command.args(["-g", "-Wshadow"]).args(flags).arg(root().join("tests/conformance/cpp/runner.cpp"));
    if !flags.contains(&"-c") {
        command.arg(library("libpolicysync.a")).args(SYSTEM);
    }
    run(command.arg("-o").arg(dir.join(output)));
    dir.join(output)
}

#[test]
#[ignore = "needs g++ with its sanitizers"]
fn the_scenarios_end_in_cpp_as_they_say() {
    let dir = scratch("c/conformance");
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let runner = conformance_runner(&dir, &flags, "runner");
    let scenarios = fs::read_dir(root().join("tests/conformance/scenarios")).unwrap();
    let files: Vec<PathBuf> = scenarios.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 18, "only {} scenarios", files.len());
    if cfg!(feature = "sqlite") {
        let out = run(Command::new(&runner).args(&files));
        assert!(out.contains(&format!("{} scenarios, 0 faults", files.len())), "{out}");
    }

    // A wrong expectation, a misspelt member and an unknown step fail.
    let wrong = dir.join("wrong.json");
    for (step, fault) in [
        (r#"{"kinds": "r", "names": ["Task"]}"#, "names: expected [\"Task\"]"),
        (r#"{"kinds": "r", "nmaes": []}"#, "unknown member nmaes"),
        (r#"{"knids": "r"}"#, "unknown step"),
    ] {
        fs::write(&wrong, format!(r#"{{"steps": [{{"open": "r"}}, {step}]}}"#)).unwrap();
        let output = Command::new(&runner).arg(&wrong).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains(fault) && said.contains("step 2: "), "{said}");
    }
}

/// The functions that the object file of the runner needs are those that the scenarios can reach.
#[test]
#[ignore = "needs g++"]
fn the_scenarios_reach_every_function_or_say_why_not() {
    let dir = scratch("c/reached");
    let object = conformance_runner(&dir, &["-O1", "-c"], "runner.o");
    let reached = defined(&["--undefined-only"], &object);
    let list = fs::read_to_string(root().join("tests/conformance/cpp/not_reached.txt")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let mut reasons = BTreeSet::new();
    for (name, reason) in lines.map(|line| line.split_once(": ").unwrap_or((line, ""))) {
        assert!(!reason.is_empty(), "{name} has no reason");
        assert!(reasons.insert(name.to_owned()), "{name} is there twice");
    }
    let missing: Vec<String> = functions().difference(&reached).cloned().collect();
    let missing: BTreeSet<String> = missing.into_iter().collect();
    let forgotten: Vec<&String> = missing.difference(&reasons).collect();
    let needless: Vec<&String> = reasons.difference(&missing).collect();
    assert!(
        forgotten.is_empty() && needless.is_empty(),
        "forgotten: {forgotten:#?}, needless: {needless:#?}"
    );
}

#[test]
#[ignore = "needs clang"]
fn the_module_map_for_swift_is_understood() {
    let dir = scratch("c/module");
    fs::write(
        dir.join("import.m"),
        "@import CPolicySync;\nint abi(void) { return POLICYSYNC_ABI_VERSION; }\n",
    )
    .unwrap();
    let map = root().join("include/CPolicySync/module.modulemap");
    let mut command = Command::new("clang");
    command
        .args(["-fmodules", "-fsyntax-only", "-Werror"])
        .arg(format!("-fmodules-cache-path={}", dir.display()));
    run(command.arg(format!("-fmodule-map-file={}", map.display())).arg(dir.join("import.m")));
}

#[test]
#[ignore = "needs Python 3"]
fn python_calls_the_shared_library_and_is_called_back() {
    run(Command::new("python3").arg(root().join("tests/c/load.py")).arg(library("libpolicysync.so")));
}

/// Within one number of the interface nothing is removed or changed, only added. The test compares a stub in C, because
/// the debug information of the library itself does not describe the members of structs.
#[test]
#[ignore = "needs abidiff"]
fn the_binary_interface_is_the_one_of_its_number() {
    let dir = scratch("c/abi");
    let pointers: String =
        functions().iter().map(|name| format!("__typeof__(&{name}) pointer_to_{name} = {name};\n")).collect();
    fs::write(dir.join("stub.c"), format!("#include \"policysync.h\"\n{pointers}")).unwrap();
    let mut command = Command::new("gcc");
    command.args(["-std=gnu11", "-g", "-shared", "-fPIC", "-I"]).arg(root().join("include"));
    run(command.args(["stub.c", "-o", "stub.so"]).current_dir(&dir));
    let new = dir.join("abi-2.xml");
    let mut command = Command::new("abidw");
    command.args(["--no-show-locs", "--no-comp-dir-path", "--no-corpus-path", "--no-architecture"]);
    run(command.arg("--out-file").arg(&new).arg(dir.join("stub.so")));
    let baseline = root().join("tests/c/abi-2.xml");
    let mut command = Command::new("abidiff");
    let output = command.arg("--no-added-syms").arg(&baseline).arg(&new).output().unwrap();
    assert!(
        output.status.success(),
        "the interface differs; if it has not been released yet:\n  cp {} {}\n{}",
        new.display(),
        baseline.display(),
        String::from_utf8_lossy(&output.stdout)
    );
}
