//! `policysync report`: a description of a store for an error report.

use clap::{ArgMatches, Command};

use crate::failure::Failure;
use crate::json::Object;
use crate::output::Output;
use crate::store_options::StoreOptions;

pub fn command() -> Command {
    let command = Command::new("report")
        .about("Describes a store for an error report: versions, options, counts, digests")
        .after_help(
            "It prints no keys, no values and no names of actors or fields.\n\n\
             Example:\n  policysync report --store list.db --keys keys.txt",
        );
    StoreOptions::on(command)
}

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let report = StoreOptions::of(matches)?.open()?.report();
    if output.is_json() {
        let object = report.entries().fold(Object::new(), |object, (name, value)| object.text(name, value));
        return Ok(output.line(&object.finish())?);
    }
    for (name, value) in report.entries() {
        output.line(&format!("{name}: {value}"))?;
    }
    Ok(())
}
