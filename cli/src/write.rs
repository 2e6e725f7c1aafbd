//! `policysync set` and `delete`: writing into a store.

use clap::{Arg, ArgAction, ArgMatches, Command};
use policysync::{SignedOp, Value, system_wall_clock};

use crate::failure::Failure;
use crate::output::{Output, name};
use crate::passphrase;
use crate::read::field_args;
use crate::store_options::StoreOptions;

pub fn set_command() -> Command {
    let command = Command::new("set")
        .about("Sets a field")
        .after_help(
            "Prints the operation's label, with --json the signed operation. The store is made if there is none.\n\n\
             Examples:\n  policysync set Task t1 title '\"Buy bread\"' --store list.db --key phone.key\n  \
             policysync set Task t1 title --text \"Buy bread\" --store list.db --key phone.key\n  \
             policysync set Task t1 done true --store list.db --key phone.key",
        )
        .args(field_args())
        .args([
            Arg::new("value")
                .value_name("VALUE")
                .required(true)
                .allow_hyphen_values(true)
                .help("The value, as JSON"),
            Arg::new("text").long("text").action(ArgAction::SetTrue).help("Takes VALUE as a text, not as JSON"),
            passphrase::arg(),
        ]);
    StoreOptions::on(command)
}

pub fn delete_command() -> Command {
    let command = Command::new("delete")
        .about("Deletes a field")
        .after_help(
            "The field is gone until somebody sets it again; its history stays in the log.\n\n\
             Example:\n  policysync delete Task t1 title --store list.db --key phone.key",
        )
        .args(field_args())
        .arg(passphrase::arg());
    StoreOptions::on(command)
}

pub fn set(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let word = |name| matches.get_one::<String>(name).map_or("", String::as_str);
    let value = value(word("value"), matches.get_flag("text"))?;
    let mut replica = StoreOptions::of(matches)?.open_to_write(matches)?;
    let op = replica.set(system_wall_clock(), (word("entity"), word("id"), word("path")), value)?;
    print(output, &op)
}

pub fn delete(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let word = |name| matches.get_one::<String>(name).map_or("", String::as_str);
    let mut replica = StoreOptions::of(matches)?.open_to_write(matches)?;
    let op = replica.delete(system_wall_clock(), (word("entity"), word("id"), word("path")))?;
    print(output, &op)
}

fn value(word: &str, is_text: bool) -> Result<Value, Failure> {
    if is_text {
        return Ok(word.into());
    }
    Value::parse(word).map_err(|error| {
        let looks_like_text = word.starts_with(|first: char| first.is_alphabetic());
        let advice = if looks_like_text {
            format!("; a text needs quotes: '\"{word}\"', or --text")
        } else {
            String::new()
        };
        Failure::usage(format!("the value is not JSON: {error}{advice}"))
    })
}

fn print(output: &mut Output, op: &SignedOp) -> Result<(), Failure> {
    let line = if output.is_json() { op.to_json() } else { name(&op.op().id()) };
    Ok(output.line(&line)?)
}
