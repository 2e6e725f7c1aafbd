//! `policysync`: works with PolicySync stores from the command line.

#![cfg_attr(
    not(test),
    warn(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)
)]

mod bundle;
mod demo;
mod failure;
mod json;
mod key;
mod key_file;
mod output;
mod passphrase;
mod read;
mod report;
mod secret_file;
mod store;
mod store_options;
mod sync;
mod time;
mod write;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use failure::Failure;
use output::Output;

const ABOUT: &str = "Works with PolicySync stores: signed operations, merged and synchronized";

const EXAMPLES: &str = "\
Examples:
  policysync demo
  policysync key new --actor \"Alice's phone\" --out phone.key
  policysync key show phone.key >>keys.txt
  policysync set Task t1 title '\"Buy bread\"' --store list.db --key phone.key
  policysync show Task --store list.db --key phone.key --keys keys.txt
  policysync sync http://127.0.0.1:8080/sync --store list.db --key phone.key --keys keys.txt

POLICYSYNC_STORE, POLICYSYNC_KEY, POLICYSYNC_KEYS and POLICYSYNC_SPACE take the place of the options.

Exit codes:
  0  done
  1  the answer is no: not found, refused, not converged, damage found
  2  the command line is wrong
  3  bytes from others break the format or the protocol
  4  keys: one is not known, a passphrase is wrong, a secret file is readable by others
  5  the network or the server failed: try again later
  6  a file is missing, in the way, locked or damaged, or the disk failed
  7  this machine: libsodium or the clock cannot be used";

fn main() -> ExitCode {
    let matches = command().get_matches();
    let mut output = Output::new(matches.get_flag("json"));
    match run(&matches, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .global(true)
        .action(ArgAction::SetTrue)
        .help("Prints data as JSON: one object, or one a line for `log`");
    Command::new("policysync")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(json)
        .subcommand(key::command())
        .subcommand(read::log_command())
        .subcommand(read::show_command())
        .subcommand(write::set_command())
        .subcommand(write::delete_command())
        .subcommand(read::explain_command())
        .subcommand(store::command())
        .subcommand(report::command())
        .subcommand(bundle::command())
        .subcommand(sync::command())
        .subcommand(demo::command())
}

fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("key", matches)) => key::run(matches, output),
        Some(("log", matches)) => read::log(matches, output),
        Some(("show", matches)) => read::show(matches, output),
        Some(("set", matches)) => write::set(matches, output),
        Some(("delete", matches)) => write::delete(matches, output),
        Some(("explain", matches)) => read::explain(matches, output),
        Some(("store", matches)) => store::run(matches, output),
        Some(("report", matches)) => report::run(matches, output),
        Some(("bundle", matches)) => bundle::run(matches, output),
        Some(("sync", matches)) => sync::run(matches, output),
        Some(("demo", _)) => demo::run(output),
        // clap refuses every other command.
        _ => Err(Failure::usage("no such command")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
