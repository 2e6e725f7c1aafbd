//! `policysync bundle`: operations in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use policysync::oplog::Cursor;
use policysync::{bundle, system_wall_clock};

use crate::failure::Failure;
use crate::json::Object;
use crate::output::{Output, ProgressLine};
use crate::store_options::StoreOptions;
use crate::sync::{print_refusals, refusals};

pub fn command() -> Command {
    let file = || Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
    let export = Command::new("export")
        .about("Writes operations into a new file")
        .after_help(
            "Prints the position to name as --since for the next bundle.\n\n\
             Example:\n  policysync bundle export list.bundle --store list.db --keys keys.txt",
        )
        .arg(file().help("The bundle; it must not exist"))
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Skips this many of the first operations"),
        );
    let import = Command::new("import")
        .about("Ingests the operations of a bundle")
        .after_help(
            "Every operation is verified. Exit code 1 if any is refused. If the bundle is damaged, what was taken from \
             before the damage stays. The store is made if there is none.\n\n\
             Example:\n  policysync bundle import list.bundle --store list.db --keys keys.txt",
        )
        .arg(file().help("The bundle"));
    Command::new("bundle")
        .about("Carries operations in files")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([export, import].map(StoreOptions::on))
}

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("export", matches)) => export(matches, output),
        Some(("import", matches)) => import(matches, output),
        _ => Err(Failure::usage("no such command")),
    }
}

fn export(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let path = path(matches)?;
    let since = matches.get_one::<u64>("since").copied().unwrap_or(0);
    let since = Cursor::from_position(since).ok_or_else(|| Failure::usage("--since is too large"))?;
    let replica = StoreOptions::of(matches)?.open()?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.map_err(|error| Failure::file(path, &error))?;
    let mut out = BufWriter::new(&file);
    let exported =
        bundle::export_since(&replica, since, &mut out).map_err(Failure::from).and_then(|exported| {
            file.sync_all().map_err(|error| Failure::file(path, &error))?;
            Ok(exported)
        });
    let exported = exported.map_err(|failure| {
        // What was written is no bundle. If this fails too, the first failure says why.
        drop(fs::remove_file(path));
        failure.at(path)
    })?;
    let (count, position) = (exported.ops, exported.cursor.position());
    if output.is_json() {
        let object = Object::new().number("bytes", exported.bytes).number("operations", count);
        output.line(&object.number("position", position).finish())?;
    } else {
        output.line(&format!("exported {count}, {} bytes; next: --since {position}", exported.bytes))?;
    }
    Ok(())
}

fn import(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let path = path(matches)?;
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let mut replica = StoreOptions::of(matches)?.open_or_create()?;
    let reader = Counted { inner: file, read: 0, progress: ProgressLine::new() };
    let imported =
        bundle::import(&mut replica, system_wall_clock(), BufReader::with_capacity(1 << 20, reader));
    let imported = imported.map_err(|error| Failure::from(error).at(path))?;
    let received = imported.received;
    if output.is_json() {
        let object = Object::new()
            .number("bytes", imported.bytes)
            .number("held", received.held)
            .number("duplicates", received.duplicates)
            .number("received", received.new_ops())
            .raw("refused", &refusals(&received.refused));
        output.line(&object.finish())?;
    } else {
        output.line(&format!("received {}, duplicates {}", received.new_ops(), received.duplicates))?;
        print_refusals(output, "refused", &received.refused)?;
    }
    if received.refused.total() == 0 { Ok(()) } else { Err(Failure::said()) }
}

/// A reader that shows how far it is.
struct Counted<R> {
    inner: R,
    read: usize,
    progress: ProgressLine,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.read = self.read.saturating_add(count);
        self.progress.show(&format!("{} KiB read", self.read / 1024));
        Ok(count)
    }
}

fn path(matches: &ArgMatches) -> Result<&PathBuf, Failure> {
    matches.get_one::<PathBuf>("file").ok_or_else(|| Failure::usage("FILE is missing"))
}
