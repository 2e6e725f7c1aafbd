//! The C interface, used from C and C++: with the compilers, checkers and interpreters that are there.
#![cfg(all(unix, feature = "capi"))]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];
const C: [&str; 3] = ["c99", "c11", "c17"];
const CPP: [&str; 4] = ["c++11", "c++14", "c++17", "c++20"];
/// The shared library's name for the loader: its number is that of the interface.
const SHARED_NAME: &str = "libpolicysync.so.1";
/// What a static library of ours needs beside it.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this run may write: a directory of its own for each test.
fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c").join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Cargo puts the static and the shared library beside the test.
fn library(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let library = test.parent().unwrap().join(name);
    assert!(library.exists(), "cargo has made no {}", library.display());
    library
}

/// Whether a tool is there; says so where not, past the capture of the test's output.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        skipped(&format!("there is no {tool}"));
    }
    found
}

fn skipped(why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {why}").unwrap();
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{}\n{out}\n{err}", output.status);
    out.into_owned()
}

fn compiler(name: &str, std: &str) -> Command {
    let mut command = Command::new(name);
    command.arg(format!("-std={std}")).args(WARNINGS).arg("-I").arg(root().join("include"));
    if !std.starts_with("c++") {
        command.arg("-Wstrict-prototypes");
    }
    command
}

/// The test program, or the threads' one.
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
    let program = scratch(name).join("program");
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

fn header() -> String {
    fs::read_to_string(root().join("include/policysync.h")).unwrap()
}

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = header();
    let parts = header.split("POLICYSYNC_API\n").skip(1);
    let names = parts.filter_map(|rest| rest.split_once('(')).filter_map(|(start, _)| {
        start.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned)
    });
    names.filter(|name| name.starts_with("policysync_")).collect()
}

/// The symbols of ours that a library defines for others.
fn defined(nm: &[&str], library: &Path) -> BTreeSet<String> {
    let symbols = run(Command::new("nm").args(nm).arg(library));
    let names = symbols.lines().filter_map(|line| line.rsplit(' ').next());
    names.filter(|name| name.starts_with("policysync_")).map(str::to_owned).collect()
}

#[test]
fn the_header_compiles_everywhere_twice() {
    let dir = scratch("header");
    let source = "#include \"policysync.h\"\n#include \"policysync.h\"\nint main(void) { return 0; }\n";
    fs::write(dir.join("unit.c"), source).unwrap();
    fs::write(dir.join("unit.cpp"), source).unwrap();
    for (names, standards, unit) in
        [(["gcc", "clang"], &C[..], "unit.c"), (["g++", "clang++"], &CPP[..], "unit.cpp")]
    {
        for name in names.into_iter().filter(|name| has(name)) {
            for std in standards {
                run(compiler(name, std).arg("-fsyntax-only").arg(dir.join(unit)));
            }
        }
    }
}

#[test]
fn the_program_passes_with_every_compiler() {
    for name in ["gcc", "clang"].into_iter().filter(|name| has(name)) {
        for std in C {
            let program = program(name, std, false, &format!("plain-{name}-{std}"), &[]);
            assert!(run(&mut Command::new(program)).contains("all C tests passed"));
        }
    }
}

#[test]
fn the_program_passes_with_the_shared_library() {
    if !has("gcc") {
        return;
    }
    let dir = scratch("shared");
    assert!(header().contains("#define POLICYSYNC_ABI_VERSION 1\n"), "the name below has the number");
    fs::copy(library("libpolicysync.so"), dir.join("libpolicysync.so")).unwrap();
    fs::copy(library("libpolicysync.so"), dir.join(SHARED_NAME)).unwrap();
    let mut command = compiler("gcc", "c99");
    command.args(sources(false)).arg("-L").arg(&dir).arg("-lpolicysync").arg("-o").arg(dir.join("program"));
    run(&mut command);
    let needs = run(Command::new("readelf").arg("-d").arg(dir.join("program")));
    assert!(needs.contains(&format!("[{SHARED_NAME}]")), "{needs}");
    assert!(
        run(Command::new(dir.join("program")).env("LD_LIBRARY_PATH", &dir)).contains("all C tests passed")
    );
}

#[test]
fn valgrind_finds_nothing() {
    if !has("gcc") || !has("valgrind") {
        return;
    }
    for threads in [false, true] {
        let program = program("gcc", "c99", threads, &format!("valgrind-{threads}"), &[]);
        let mut command = Command::new("valgrind");
        command.args(["-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]);
        run(command.arg("--errors-for-leak-kinds=definite,indirect,possible").arg(program));
    }
}

#[test]
fn address_and_undefined_behaviour_sanitizers_find_nothing() {
    for name in ["gcc", "clang"].into_iter().filter(|name| has(name)) {
        let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        let program = program(name, "c11", false, &format!("asan-{name}"), &flags);
        let symbols = run(Command::new("nm").arg(&program));
        assert!(symbols.contains("__asan_init"), "{name} has built no sanitizer in");
        run(&mut Command::new(program));
    }
}

/// The sanitizer does not see the locks of a library that is not built with it, and would find races that are none. So
/// it looks at the program's side only: what the library hands out to one thread, it does not touch from another.
#[test]
fn the_thread_sanitizer_finds_nothing() {
    if !has("gcc") {
        return;
    }
    run(&mut Command::new(program("gcc", "c11", true, "threads", &["-pthread"])));
    let dir = scratch("tsan");
    fs::copy(library("libpolicysync.so"), dir.join("libpolicysync.so")).unwrap();
    fs::copy(library("libpolicysync.so"), dir.join(SHARED_NAME)).unwrap();
    let mut command = compiler("gcc", "c11");
    command.args(["-g", "-O1", "-fsanitize=thread", "-pthread"]).args(sources(true)).arg("-L").arg(&dir);
    run(command.arg("-lpolicysync").arg("-o").arg(dir.join("program")));
    assert!(run(Command::new("nm").arg(dir.join("program"))).contains("__tsan_init"));
    let mut command = Command::new(dir.join("program"));
    command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1").env("LD_LIBRARY_PATH", &dir);
    run(&mut command);
}

#[test]
fn what_the_libraries_export_is_what_the_header_declares() {
    let declared = declared();
    assert!(declared.len() > 40 && declared.contains("policysync_replica_open"), "{declared:?}");
    if !has("nm") {
        return;
    }
    assert_eq!(defined(&["-g", "--defined-only"], &library("libpolicysync.a")), declared);
    if cfg!(target_os = "linux") {
        let shared = library("libpolicysync.so");
        assert_eq!(defined(&["-D", "--defined-only"], &shared), declared);
        let all = run(Command::new("nm").args(["-D", "--defined-only"]).arg(&shared));
        assert_eq!(all.lines().count(), declared.len(), "something else is exported too:\n{all}");
    }
}

#[test]
fn every_function_is_called_by_the_test_program() {
    let program: String = sources(false).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in declared() {
        assert!(program.contains(&format!("{name}(")), "{name} is not tested");
    }
}

#[test]
fn every_function_documents_its_threads_and_its_age() {
    for part in header().split("/**").skip(1) {
        let Some((comment, rest)) = part.split_once("*/") else { continue };
        if rest.trim_start().starts_with("POLICYSYNC_API") {
            assert!(
                comment.contains("hread") && comment.contains("Since") && comment.contains("ABI"),
                "{comment}"
            );
            if rest.contains("policysync_error *POLICYSYNC_NULLABLE err") && !comment.contains("Returns") {
                panic!("{comment}");
            }
        }
    }
}

#[test]
fn every_status_has_its_name_and_its_own_number() {
    if !has("gcc") {
        return;
    }
    let dir = scratch("names");
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

#[test]
fn the_examples_run() {
    if !has("gcc") {
        return;
    }
    let dir = scratch("examples");
    for (name, says) in [
        ("quickstart", "received: \"Hello world\""),
        ("tasks", "they agree"),
        ("guard", "POLICYSYNC_ERR_DENIED"),
    ] {
        let mut command = compiler("gcc", "c99");
        command.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        command.arg(root().join("examples-c").join(name).with_extension("c"));
        command.arg(library("libpolicysync.a")).args(SYSTEM).arg("-o").arg(dir.join(name));
        run(&mut command);
        let out = run(&mut Command::new(dir.join(name)));
        assert!(out.contains(says), "{out}");
        if name == "tasks" {
            assert!(out.contains("ERR_BAD_SIGNATURE") && out.contains("ERR_UNKNOWN_KEY"), "{out}");
        }
    }
}

#[test]
fn the_wrapper_for_cpp_passes() {
    for name in ["g++", "clang++"].into_iter().filter(|name| has(name)) {
        for std in ["c++17", "c++20"] {
            let dir = scratch(&format!("wrapper-{name}-{std}"));
            for source in ["tests/c/wrapper.cpp", "examples-c/quickstart.cpp"] {
                let mut command = compiler(name, std);
                command.args(["-g", "-Wshadow", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
                command.arg(root().join(source)).arg(library("libpolicysync.a")).args(SYSTEM);
                run(command.arg("-o").arg(dir.join("program")));
                let out = run(&mut Command::new(dir.join("program")));
                assert!(
                    out.contains("the wrapper passed") || out.contains("received: \"Hello world\""),
                    "{out}"
                );
            }
        }
    }
}

#[test]
fn the_module_map_for_swift_is_understood() {
    if !has("clang") {
        return;
    }
    let dir = scratch("module");
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

/// What a Python extension, a JNI library or a plugin does: the static library inside a shared object.
#[test]
fn the_static_library_goes_into_a_shared_object_that_python_and_node_load() {
    if !has("gcc") {
        return;
    }
    let dir = scratch("plugin");
    let source = "#include \"policysync.h\"\nuint32_t plugin(void);\n\
                  uint32_t plugin(void) { uint8_t hash[32]; return policysync_sha256(\"abc\", 3, hash, NULL) == 0 \
                  ? (uint32_t)hash[0] : 0; }\n";
    fs::write(dir.join("plugin.c"), source).unwrap();
    let mut command = compiler("gcc", "c99");
    command.args(["-shared", "-fPIC", "-Wl,--exclude-libs,ALL", "-Wl,-z,defs"]).arg(dir.join("plugin.c"));
    run(command.arg(library("libpolicysync.a")).args(SYSTEM).arg("-o").arg(dir.join("plugin.so")));
    let exported = run(Command::new("nm").args(["-D", "--defined-only"]).arg(dir.join("plugin.so")));
    assert_eq!(exported.lines().count(), 1, "{exported}");
    if has("python3") {
        let script = "import ctypes, sys; assert ctypes.CDLL(sys.argv[1]).plugin() == 0xba";
        run(Command::new("python3").args(["-c", script]).arg(dir.join("plugin.so")));
        let script = include_str!("c/load.py");
        run(Command::new("python3").args(["-c", script]).arg(library("libpolicysync.so")));
    }
    if has("node") && Path::new("/usr/include/node/node_api.h").exists() {
        let source = "#include \"policysync.h\"\n#include <node/node_api.h>\n\
                      NAPI_MODULE_INIT() {\n    napi_value abi;\n    \
                      napi_create_uint32(env, policysync_abi_version(), &abi);\n    \
                      (void)exports;\n    return abi;\n}\n";
        fs::write(dir.join("addon.c"), source).unwrap();
        let mut command = Command::new("gcc");
        command.args(["-shared", "-fPIC", "-Wl,--exclude-libs,ALL", "-I"]).arg(root().join("include"));
        command.arg(dir.join("addon.c")).arg(library("libpolicysync.a")).args(SYSTEM);
        run(command.arg("-o").arg(dir.join("addon.node")));
        let script = "if (require(process.argv[1]) !== 1) process.exit(1)";
        run(Command::new("node").args(["-e", script]).arg(dir.join("addon.node")));
    }
}

/// Installs what cargo has built into a directory of the test's own.
fn installed(name: &str) -> PathBuf {
    let prefix = scratch(name).join("installed");
    let mut command = Command::new(root().join(".scripts/install"));
    command.arg("--from").arg(library("libpolicysync.a").parent().unwrap());
    run(command.arg("--prefix").arg(&prefix));
    prefix
}

#[test]
fn the_installed_library_builds_the_examples_through_pkg_config() {
    if !["gcc", "g++", "make", "pkg-config", "objcopy"].into_iter().all(has) {
        return;
    }
    let prefix = installed("pkg-config");
    let makefile = root().join("examples-c/Makefile");
    for kind in ["SHARED=1", "STATIC=1"] {
        let dir = prefix.with_file_name(kind);
        fs::create_dir_all(&dir).unwrap();
        let mut make = Command::new("make");
        make.current_dir(&dir).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).arg("-B").arg(kind);
        make.arg(format!("VPATH={}", root().join("examples-c").display())).arg("-f").arg(&makefile);
        run(make.args(["CFLAGS=-O1 -Wall -Wextra -Werror", "CXXFLAGS=-O1 -Wall -Wextra -Werror"]));
        for name in ["quickstart", "tasks", "guard", "quickstart-cpp"] {
            run(Command::new(dir.join(name)).env("LD_LIBRARY_PATH", prefix.join("lib")));
            let needs = run(Command::new("readelf").arg("-d").arg(dir.join(name)));
            assert_eq!(needs.contains(SHARED_NAME), kind == "SHARED=1", "{needs}");
        }
    }
}

#[test]
fn the_installed_library_builds_the_examples_through_cmake() {
    if !["gcc", "g++", "cmake", "make", "objcopy"].into_iter().all(has) {
        return;
    }
    let prefix = installed("cmake");
    let build = prefix.with_file_name("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(root().join("examples-c")).arg("-B").arg(&build);
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    let said = run(Command::new("ctest").current_dir(&build));
    assert!(said.contains("100% tests passed, 0 tests failed out of 8"), "{said}");
}

/// Only our names are global in it, so neither another Rust library nor another libsodium can meet it: whatever the
/// order of the two and whatever the other does on a panic.
#[test]
fn the_installed_static_library_lives_beside_another_rust_library() {
    if !["gcc", "objcopy", "rustc"].into_iter().all(has) {
        return;
    }
    let prefix = installed("neighbour");
    let dir = prefix.parent().unwrap();
    let ours = prefix.join("lib/libpolicysync.a");
    let all = run(Command::new("nm").args(["-g", "--defined-only"]).arg(&ours));
    assert_eq!(defined(&["-g", "--defined-only"], &ours), declared());
    assert_eq!(all.lines().filter(|line| line.contains(' ')).count(), declared().len(), "{all}");

    let source = "#[unsafe(no_mangle)] pub extern \"C\" fn neighbour() -> u32 {\n\
                  if cfg!(panic = \"abort\") { return 1 }\n\
                  u32::from(std::panic::catch_unwind(|| panic!(\"on purpose\")).is_err())\n}\n";
    fs::write(dir.join("neighbour.rs"), source).unwrap();
    let source = "#include \"policysync.h\"\nuint32_t neighbour(void);\nint sodium_init(void);\n\
                  int sodium_init(void) { return 42; }\n\
                  int main(void) { uint8_t hash[32]; policysync_replica *replica = NULL;\n\
                  if (policysync_replica_open(NULL, &replica, NULL) != 0) return 1;\n\
                  policysync_replica_free(replica);\n\
                  return policysync_sha256(\"\", 0, hash, NULL) == 0 && neighbour() == 1 ? 0 : 1; }\n";
    fs::write(dir.join("both.c"), source).unwrap();
    for panic in ["abort", "unwind"] {
        let neighbour = dir.join(format!("libneighbour_{panic}.a"));
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition=2024", "--crate-type=staticlib", "-C", &format!("panic={panic}"), "-o"]);
        run(rustc.arg(&neighbour).arg(dir.join("neighbour.rs")));
        for libraries in [[&ours, &neighbour], [&neighbour, &ours]] {
            let mut command = compiler("gcc", "c99");
            command.arg(dir.join("both.c")).args(libraries).args(SYSTEM).arg("-o").arg(dir.join("both"));
            run(&mut command);
            run(&mut Command::new(dir.join("both")));
        }
    }
}

/// Within one number of the interface nothing is taken away or changed, only added. A struct is compared with all its
/// members, which the debug information of the library itself does not have: so a stub in C is compared.
#[test]
fn the_binary_interface_is_the_one_of_its_number() {
    if !has("gcc") || !has("abidiff") {
        return;
    }
    let dir = scratch("abi");
    let pointers: String =
        declared().iter().map(|name| format!("__typeof__(&{name}) pointer_to_{name} = {name};\n")).collect();
    fs::write(dir.join("stub.c"), format!("#include \"policysync.h\"\n{pointers}")).unwrap();
    let mut command = Command::new("gcc");
    command.args(["-std=gnu11", "-g", "-shared", "-fPIC", "-I"]).arg(root().join("include"));
    run(command.args(["stub.c", "-o", "stub.so"]).current_dir(&dir));
    let new = dir.join("abi-1.xml");
    let mut command = Command::new("abidw");
    command.args(["--no-show-locs", "--no-comp-dir-path", "--no-corpus-path", "--no-architecture"]);
    run(command.arg("--out-file").arg(&new).arg(dir.join("stub.so")));
    let baseline = root().join("tests/c/abi-1.xml");
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

/// See the comment there: a test builds no release, and nobody else would notice before linking one.
#[test]
fn a_plain_release_has_a_static_library_with_code_in_it() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, profile) = manifest.split_once("[profile.release]").unwrap();
    let (profile, _) = profile.split_once("\n\n").unwrap();
    assert!(profile.contains("\nlto = false\n"), "{profile}");
}
