//! The installation by `make install`, used from C, C++, Python and Node, and beside other libraries.
#![cfg(all(target_os = "linux", feature = "capi"))]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod tools;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use tools::{declared, root, run, scratch, shared_name, symbols};

/// The sizes of the stripped quick start, linked statically with `--gc-sections`: without the file store, and with it.
const MAX_QUICKSTART_BYTES: [u64; 2] = [1_000_000, 2_300_000];

fn library(prefix: &Path, name: &str) -> PathBuf {
    prefix.join("lib").join(name)
}

/// Serializes release builds, which Cargo puts in the same place.
static RELEASE: Mutex<()> = Mutex::new(());

/// Installs, and moves everything to another place: no installed file may contain the path.
fn install(name: &str, arguments: &[&str]) -> PathBuf {
    let _alone = RELEASE.lock().unwrap();
    let dir = scratch(&format!("install/{name}"));
    let mut make = Command::new("make");
    make.args(["install", "PREFIX=/opt/policysync"]).args(arguments).current_dir(root());
    let said = run(make.arg(format!("DESTDIR={}", dir.join("stage").display())).env_remove("LIBDIR"));
    assert!(said.contains("PolicySync "), "{said}");
    let prefix = dir.join("moved");
    fs::rename(dir.join("stage/opt/policysync"), &prefix).unwrap();
    prefix
}

/// Returns the prefix of the library with the default features.
fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| install("default", &[]))
}

/// Returns the prefix of the library without the file store.
fn bare() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| install("bare", &["FEATURES="]))
}

/// Returns the system libraries that pkg-config's file names for the static library.
fn system_libraries(prefix: &Path) -> Vec<String> {
    let file = fs::read_to_string(library(prefix, "pkgconfig/policysync.pc")).unwrap();
    let line = file.lines().find_map(|line| line.strip_prefix("Libs.private: ")).unwrap();
    line.split(' ').map(str::to_owned).collect()
}

fn gcc(prefix: &Path) -> Command {
    let mut command = Command::new("gcc");
    command.args(["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-I"]).arg(prefix.join("include"));
    command
}

/// Lists the functions that the installed header declares.
fn functions(prefix: &Path) -> BTreeSet<String> {
    declared(&prefix.join("include/policysync.h"))
}

/// Returns the README's section about C.
fn readme() -> &'static str {
    let (_, section) = include_str!("../README.md").split_once("\n## C and C++\n").unwrap();
    section.split_once("\n## ").unwrap().0
}

/// Returns the contents of its code blocks in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    readme().split(&start).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Runs a shell with the library installed as the README says, and nothing else in its environment.
fn shell(prefix: &Path, dir: &Path, lines: &str) -> Command {
    let home = dir.join(".local");
    if !home.exists() {
        std::os::unix::fs::symlink(prefix, home).unwrap();
    }
    let mut command = Command::new("sh");
    command.args(["-e", "-c", lines]).current_dir(dir).env_clear();
    command.env("HOME", dir).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn the_static_library_exports_only_its_functions() {
    let prefix = installed();
    let archive = library(prefix, "libpolicysync.a");
    let declared = functions(prefix);
    assert!(declared.len() > 40, "{declared:?}");
    assert_eq!(symbols(&["-g", "--defined-only"], &archive), declared);
    assert_eq!(run(Command::new("ar").arg("t").arg(&archive)).lines().count(), 1);
    // No symbol of Rust or libsodium may be resolved by another library: panics are caught by our own runtime.
    let needed = symbols(&["-u"], &archive);
    assert!(!needed.contains("pidfd_spawnp"), "of discarded code");
    let foreign = ["_R", "_ZN", "__rust", "rust_", "crypto_", "sodium_", "randombytes"];
    let found: Vec<_> =
        needed.iter().filter(|name| foreign.iter().any(|start| name.starts_with(start))).collect();
    assert!(needed.contains("malloc") && found.is_empty(), "{found:?}");
}

#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn the_shared_library_exports_its_functions_and_is_named_after_the_interface() {
    let prefix = installed();
    let name = shared_name();
    let file = library(prefix, "libpolicysync.so").canonicalize().unwrap();
    assert_eq!(library(prefix, &name).canonicalize().unwrap(), file);
    assert!(file.ends_with(format!("{name}.{}", env!("CARGO_PKG_VERSION"))), "{}", file.display());
    assert!(run(Command::new("readelf").arg("-d").arg(&file)).contains(&format!("soname: [{name}]")));
    assert_eq!(symbols(&["-D", "--defined-only"], &file), functions(prefix));
}

/// Everything in `include` is installed unchanged.
#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn all_headers_are_installed() {
    let prefix = installed();
    run(Command::new("diff").arg("-r").arg(root().join("include")).arg(prefix.join("include")));
}

/// Gentoo, for example, exports a variable FEATURES that means something else.
#[test]
fn features_come_from_the_command_line_only() {
    let make = |name: &str, arguments: &[&str]| {
        let mut make = Command::new("make");
        make.args(["-s", "-n", "install"]).args(arguments).current_dir(root());
        run(make.env_remove("FEATURES").env(name, "sandbox"))
    };
    assert_eq!(make("FEATURES", &[]).trim_end(), ".scripts/install");
    assert_eq!(make("OTHER", &["FEATURES=http"]), ".scripts/install --features \"http\"\n");
    assert_eq!(make("OTHER", &["FEATURES="]), ".scripts/install --features \"\"\n");
}

/// A program would look for a shared library without the number of the interface by its plain name, which the next
/// interface has too. Cargo is replaced by a script, which builds nothing and says where a build for another target is.
#[test]
#[ignore = "needs gcc and GNU binutils"]
fn a_shared_library_with_another_name_is_not_installed() {
    let dir = scratch("install/name");
    let built = dir.join("another-target/release");
    fs::create_dir_all(&built).unwrap();
    fs::write(dir.join("empty.c"), "").unwrap();
    let message = format!(
        "printf '%s\\n' '{{\"reason\":\"compiler-artifact\",\"filenames\":[\"{0}/libpolicysync.a\",\"{0}/libpolicysync.so\"],\
         \"fresh\":true}}' '{{\"reason\":\"build-finished\",\"success\":true}}'",
        built.display()
    );
    fs::write(dir.join("cargo"), format!("#!/bin/sh\n{message}\n")).unwrap();
    run(Command::new("chmod").arg("+x").arg(dir.join("cargo")));
    let path = format!("{}:{}", dir.display(), env::var("PATH").unwrap());
    let install = |name: &str, from: &[&str]| {
        let mut gcc = Command::new("gcc");
        gcc.arg("-shared").arg(format!("-Wl,-soname,{name}")).arg(dir.join("empty.c")).arg("-o");
        run(gcc.arg(built.join("libpolicysync.so")));
        let mut install = Command::new(root().join(".scripts/install"));
        install.arg("--destdir").arg(dir.join("stage")).args(from).env("PATH", &path);
        let output = install.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let from = ["--from", built.to_str().unwrap()];
    let refusal = format!("the name in {}/libpolicysync.so is not {}: ", built.display(), shared_name());
    for from in [&from[..], &[]] {
        for name in ["libpolicysync.so", "libpolicysync.so.1", &format!("{}1", shared_name())] {
            assert!(install(name, from).starts_with(&refusal), "{name}");
        }
        // It goes on, and misses the functions.
        assert!(!install(&shared_name(), from).contains("the name in"));
    }
    assert!(!dir.join("stage").exists());
}

#[test]
fn the_quick_start_of_the_readme_is_the_example() {
    assert_eq!(blocks("c"), [include_str!("../examples-c/quickstart.c")]);
}

/// Runs the README's commands, except the installation, word for word. Also checks its list of system libraries.
#[test]
#[ignore = "builds a release; needs pkg-config"]
fn the_commands_of_the_readme_build_programs_that_run() {
    let prefix = installed();
    let libraries = system_libraries(prefix);
    assert_eq!(libraries, ["-ldl", "-lm", "-lpthread"], "compare with the README");
    let shells = blocks("sh");
    let (install, programs) = shells.split_first().unwrap();
    assert_eq!(*install, "make install PREFIX=\"$HOME/.local\"\n");
    assert_eq!(programs.len(), 2);
    for (kind, lines) in ["static", "shared"].into_iter().zip(programs) {
        let dir = scratch(&format!("install/readme-{kind}"));
        fs::write(dir.join("quickstart.c"), blocks("c").first().unwrap()).unwrap();
        let said = run(&mut shell(prefix, &dir, lines));
        assert!(said.contains("received: Hello world"), "{lines}\n{said}");
        let needs = run(Command::new("readelf").arg("-d").arg(dir.join("quickstart")));
        assert_eq!(needs.contains("libpolicysync.so"), kind == "shared", "{lines}\n{needs}");
        if kind == "static" {
            let words: BTreeSet<&str> =
                lines.split_whitespace().filter(|word| word.starts_with("-l")).collect();
            let expected: BTreeSet<&str> =
                libraries.iter().map(String::as_str).chain(["-l:libpolicysync.a"]).collect();
            assert_eq!(words, expected, "{lines}");
        }
    }
}

/// The libraries as Cargo leaves them export more names, and work as well.
#[test]
#[ignore = "builds a release; needs gcc and clang"]
fn the_libraries_as_cargo_leaves_them_link_with_every_compiler() {
    let dir = scratch("install/plain");
    {
        let _alone = RELEASE.lock().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        let said = run(cargo
            .current_dir(root())
            .args(["rustc", "--release", "--locked", "--lib", "--features", "capi"])
            .args(["--crate-type", "staticlib,cdylib", "--message-format", "json"])
            // As .scripts/install does, so that nothing is compiled again.
            .env("POLICYSYNC_NAME_SHARED_LIBRARY", "1"));
        for name in ["libpolicysync.a", "libpolicysync.so"] {
            let path = said.split('"').find(|text| text.ends_with(&format!("/release/{name}"))).unwrap();
            fs::copy(path, dir.join(name)).unwrap();
        }
    }
    fs::copy(dir.join("libpolicysync.so"), dir.join(shared_name())).unwrap();
    let static_library = dir.join("libpolicysync.a").display().to_string();
    for compiler in ["gcc", "clang"] {
        for (kind, library, flags) in [
            ("plain", &static_library[..], ""),
            ("small", &static_library[..], "-Wl,--gc-sections"),
            ("shared", "-lpolicysync", "-Wl,-rpath,$ORIGIN"),
        ] {
            let program = dir.join(format!("{compiler}-{kind}"));
            let mut command = Command::new(compiler);
            command.arg("-I").arg(root().join("include")).arg(root().join("examples-c/quickstart.c"));
            command.arg("-L").arg(&dir).arg(library).args(flags.split_whitespace());
            run(command.args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program));
            assert!(run(&mut Command::new(program)).contains("received: Hello world"));
        }
    }
}

/// Cargo's configuration is not part of a package, so the script repeats it.
#[test]
fn the_script_uses_the_flags_of_the_cargo_configuration() {
    let script = fs::read_to_string(root().join(".scripts/install")).unwrap();
    let configuration = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let (_, variables) = configuration.split_once("[env]\n").unwrap();
    let variables: Vec<&str> = variables.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(variables.len(), 2);
    for variable in variables {
        let (name, value) = variable.split_once(" = ").unwrap();
        let export = format!("    export {name}={value}\n");
        assert!(script.contains(&export), "{export}");
    }
}

/// Every function exists, and those of files return `POLICYSYNC_ERR_UNSUPPORTED`.
#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn the_test_program_passes_without_the_file_store() {
    let prefix = bare();
    assert_eq!(symbols(&["-g", "--defined-only"], &library(prefix, "libpolicysync.a")), functions(prefix));
    let program = scratch("install/without-files").join("program");
    let mut command = gcc(prefix);
    for entry in fs::read_dir(root().join("tests/c")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c") && !path.ends_with("threads.c") {
            command.arg(path);
        }
    }
    command.arg(library(prefix, "libpolicysync.a")).args(system_libraries(prefix));
    run(command.arg("-o").arg(&program));
    assert!(run(&mut Command::new(program)).contains("all C tests passed"));
}

#[test]
#[ignore = "builds a release; needs make and pkg-config"]
fn the_examples_build_through_pkg_config() {
    let prefix = installed();
    for (name, make) in [("shared", "make"), ("static", "make STATIC=1")] {
        let dir = scratch(&format!("install/make-{name}"));
        run(Command::new("cp").arg("-r").arg(root().join("examples-c/.")).arg(&dir));
        let found = "export PKG_CONFIG_PATH=$HOME/.local/lib/pkgconfig LD_LIBRARY_PATH=$HOME/.local/lib";
        run(&mut shell(prefix, &dir, &format!("{found}\n{make}")));
        for program in ["quickstart", "tasks", "guard", "offline_tasks", "quickstart-cpp"] {
            run(&mut shell(prefix, &dir, &format!("{found}\n./{program}")));
            let needs = run(Command::new("readelf").arg("-d").arg(dir.join(program)));
            assert_eq!(needs.contains("libpolicysync.so"), name == "shared", "{needs}");
        }
    }
}

#[test]
#[ignore = "builds a release; needs CMake"]
fn the_examples_build_through_cmake() {
    let prefix = installed();
    let dir = scratch("install/cmake");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(root().join("examples-c")).arg("-B").arg(&dir);
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&dir));
    let said = run(Command::new("ctest").current_dir(&dir));
    assert!(said.contains("100% tests passed, 0 tests failed out of 10"), "{said}");
}

#[test]
#[ignore = "builds a release; needs CMake"]
fn cmake_accepts_only_compatible_versions() {
    let prefix = installed();
    let dir = scratch("install/versions");
    let own = env!("CARGO_PKG_VERSION");
    let (line, _) = own.rsplit_once('.').unwrap();
    for (asked, served) in [
        ("", true),
        (own, true),
        (line, true),
        (&format!("{line}.999"), false),
        ("999", false),
        ("0.0.1", false),
    ] {
        let project = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(Asks NONE)\nfind_package(PolicySync {asked} CONFIG)\n\
             if(NOT \"${{PolicySync_FOUND}}\" STREQUAL \"{}\")\nmessage(FATAL_ERROR \"wrong\")\nendif()\n",
            u8::from(served)
        );
        fs::write(dir.join("CMakeLists.txt"), project).unwrap();
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&dir).arg("-B").arg(dir.join(format!("build-{asked}")));
        run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    }
}

/// Builds `tests/install/plugin.c` with the static library, with no undefined symbols except those of system libraries.
fn plugin(prefix: &Path, sources: &[&str], flags: &[&str], object: &Path) {
    let mut command = gcc(prefix);
    command.args(["-shared", "-fPIC", "-Wl,--exclude-libs,ALL"]).args(flags);
    command.args(sources.iter().map(|source| root().join("tests/install").join(source)));
    command.arg(library(prefix, "libpolicysync.a")).args(system_libraries(prefix));
    run(command.arg("-o").arg(object));
}

#[test]
#[ignore = "builds a release; needs Python 3"]
fn python_loads_a_shared_object_with_the_static_library_inside() {
    let prefix = installed();
    let object = scratch("install/python").join("plugin.so");
    plugin(prefix, &["plugin.c"], &["-Wl,-z,defs"], &object);
    assert_eq!(symbols(&["-D", "--defined-only"], &object), BTreeSet::from(["plugin".to_owned()]));
    let script = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).plugin())";
    run(Command::new("python3").args(["-c", script]).arg(object));
}

#[test]
#[ignore = "builds a release; needs Node"]
fn node_loads_an_addon_with_the_static_library_inside() {
    let prefix = installed();
    let addon = scratch("install/node").join("addon.node");
    plugin(prefix, &["plugin.c", "addon.c"], &[], &addon);
    run(Command::new("node").args(["-e", "process.exitCode = require(process.argv[1])"]).arg(addon));
}

#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn it_works_beside_another_rust_library_with_either_panic_strategy() {
    let prefix = installed();
    let dir = scratch("install/beside-rust");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let ours = library(prefix, "libpolicysync.a");
    for panic in ["abort", "unwind"] {
        let theirs = dir.join(format!("libneighbour-{panic}.a"));
        let mut command = Command::new(&rustc);
        command.args(["--edition=2024", "--crate-type=staticlib", "--crate-name=neighbour", "-O"]);
        command.arg(format!("-Cpanic={panic}")).arg(root().join("tests/install/neighbour.rs"));
        run(command.arg("-o").arg(&theirs));
        for (order, libraries) in [("first", [&ours, &theirs]), ("second", [&theirs, &ours])] {
            let program = dir.join(format!("{panic}-{order}"));
            let mut command = gcc(prefix);
            command
                .arg(root().join("tests/install/beside_rust.c"))
                .arg(root().join("tests/install/plugin.c"));
            run(command.args(libraries).args(system_libraries(prefix)).arg("-o").arg(&program));
            run(&mut Command::new(program));
        }
    }
}

#[test]
#[ignore = "builds a release; needs pkg-config and libsodium"]
fn it_works_beside_another_libsodium() {
    let prefix = installed();
    let version = run(Command::new("pkg-config").args(["--modversion", "libsodium"]));
    let dir = scratch("install/beside-sodium");
    let ours = library(prefix, "libpolicysync.a").display().to_string();
    for theirs in ["-l:libsodium.a", "-lsodium"] {
        for (order, libraries) in [("first", [&ours[..], theirs]), ("second", [theirs, &ours[..]])] {
            let program = dir.join(format!("beside{theirs}-{order}"));
            let mut command = gcc(prefix);
            command
                .arg(root().join("tests/install/beside_sodium.c"))
                .arg(root().join("tests/install/plugin.c"));
            run(command.args(libraries).args(system_libraries(prefix)).arg("-o").arg(&program));
            assert_eq!(run(&mut Command::new(program)), version, "the program has got our libsodium");
        }
    }
}

/// The README states the size: the measured one, or one that differs by less than a twentieth.
#[test]
#[ignore = "builds a release; needs GNU binutils"]
fn the_quick_start_is_small() {
    let (bare, default) = (bare(), installed());
    let mut sizes = Vec::new();
    for (prefix, most) in [bare, default].into_iter().zip(MAX_QUICKSTART_BYTES) {
        let program = scratch("install/size").join("quickstart");
        let mut command = gcc(prefix);
        command.args(["-s", "-Wl,--gc-sections"]).arg(root().join("examples-c/quickstart.c"));
        command.arg(library(prefix, "libpolicysync.a")).args(system_libraries(prefix));
        run(command.arg("-o").arg(&program));
        assert!(run(&mut Command::new(&program)).contains("received: Hello world"));
        let files = [program, library(prefix, "libpolicysync.a"), library(prefix, "libpolicysync.so")];
        let of_these = files.map(|file| fs::metadata(file).unwrap().len());
        println!("the quick start, the static and the shared library: {of_these:?} bytes");
        assert!(of_these[0] <= most, "the quick start has {} bytes", of_these[0]);
        sizes.push(of_these);
    }
    let rows = ["| quick start", "| `libpolicysync.a`", "| `libpolicysync.so`"];
    for (row, start) in rows.into_iter().enumerate() {
        let figures = include_str!("../benches/README.md");
        let line = figures.lines().find(|line| line.starts_with(start)).unwrap();
        let cells = line.split('|').skip(2).take(2).map(|cell| cell.trim().replace(',', ""));
        for (said, measured) in cells.zip(&sizes) {
            let (said, measured) = (said.parse::<u64>().unwrap(), measured[row]);
            assert!(said.abs_diff(measured) * 20 <= measured, "{line}: it is {measured}");
        }
    }
}
