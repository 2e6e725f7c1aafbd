//! `policysync store`: the file as a whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use policysync::crypto::Sodium;
use policysync::oplog::Cursor;
use policysync::store::Finding;

use crate::failure::Failure;
use crate::json::{Object, array};
use crate::output::{Output, ProgressLine, name};
use crate::store_options::StoreOptions;
use crate::time::date;

pub fn command() -> Command {
    let to = || {
        Arg::new("to")
            .value_name("TO")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("The new file; it must not exist")
    };
    let verify = Command::new("verify")
        .about("Checks every page, hash and signature, and changes nothing")
        .after_help(
            "Exit code 1 if anything is wrong, or an operation's key is not known.\n\n\
             Example:\n  policysync store verify --store list.db --keys keys.txt",
        );
    let salvage = Command::new("salvage")
        .about("Copies every operation that verifies from a damaged store into a new one")
        .after_help(
            "Exit code 1 if anything is lost. If operations of this device may be lost, continue with a new actor, \
             and synchronize.\n\nExample:\n  policysync store salvage rescued.db --store list.db --keys keys.txt",
        )
        .arg(to());
    let back_up = Command::new("back-up")
        .about("Copies a store into a new file, which is marked as a backup")
        .after_help(
            "Who opens a backup can read it and synchronize; an actor that has written into it needs a new key to \
             write again.\n\nExample:\n  policysync store back-up list-backup.db --store list.db --keys keys.txt",
        )
        .arg(to());
    let info = Command::new("info")
        .about("Prints what a store holds: counts, digests, actors")
        .after_help("Example:\n  policysync store info --store list.db --keys keys.txt");
    Command::new("store")
        .about("Checks, saves, copies and describes a store")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([verify, salvage, back_up, info].map(StoreOptions::on))
}

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("verify", matches)) => verify(matches, output),
        Some(("salvage", matches)) => salvage(matches, output),
        Some(("back-up", matches)) => back_up(matches, output),
        Some(("info", matches)) => info(matches, output),
        _ => Err(Failure::usage("no such command")),
    }
}

fn verify(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let options = StoreOptions::of(matches)?;
    let report = {
        let mut progress = ProgressLine::new();
        progress.show("verifying");
        options.check()?.verify(Sodium::new()?)?
    };
    if output.is_json() {
        let sealed = report.sealed.map_or("null", |fits| if fits { "true" } else { "false" });
        let object = Object::new().raw("findings", &findings(&report.findings)).raw("sealed", sealed);
        output.line(&object.number("verified", report.verified.into()).finish())?;
    } else {
        output.line(&format!("verified {}", report.verified))?;
        print(output, &report.findings)?;
    }
    if report.findings.is_empty() { Ok(()) } else { Err(Failure::said()) }
}

fn salvage(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let options = StoreOptions::of(matches)?;
    let to = to(matches)?;
    let salvaged = {
        let mut progress = ProgressLine::new();
        progress.show("copying what verifies");
        options.check()?.salvage(Sodium::new()?, to)?
    };
    if output.is_json() {
        let object = Object::new().raw("lost", &findings(&salvaged.lost));
        output.line(&object.number("saved", salvaged.saved.into()).finish())?;
    } else {
        output.line(&format!("saved {} in {}", salvaged.saved, to.display()))?;
        print(output, &salvaged.lost)?;
    }
    if salvaged.lost.is_empty() { Ok(()) } else { Err(Failure::said()) }
}

fn findings(findings: &[Finding]) -> String {
    array(findings.iter().map(|finding| {
        let damage = Object::new().text("damage", &finding.damage.to_string());
        damage.text("place", &finding.place.to_string()).finish()
    }))
}

fn print(output: &mut Output, findings: &[Finding]) -> Result<(), Failure> {
    for Finding { place, damage, .. } in findings {
        output.line(&format!("{place}: {damage}"))?;
    }
    Ok(())
}

fn back_up(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let to = to(matches)?;
    let replica = StoreOptions::of(matches)?.open()?;
    replica.back_up(to)?;
    let count = u64::try_from(replica.log().len()).unwrap_or(u64::MAX);
    if output.is_json() {
        output.line(
            &Object::new().number("operations", count).text("to", &to.display().to_string()).finish(),
        )?;
    } else {
        output.line(&format!("copied {count} into {}", to.display()))?;
    }
    Ok(())
}

fn info(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let options = StoreOptions::of(matches)?;
    let path = options.path().to_owned();
    let replica = options.open()?;
    let mut actors: BTreeMap<String, u64> = BTreeMap::new();
    for entry in replica.log().since(Cursor::START) {
        let entry = entry?;
        *actors.entry(entry.op.op().actor().to_owned()).or_default() += 1;
    }
    let digest = replica.log().digest();
    let forks = replica.log().forks()?.len();
    let (forks, held) =
        (u64::try_from(forks).unwrap_or(u64::MAX), u64::try_from(replica.held()).unwrap_or(u64::MAX));
    let bytes = std::fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or(0);
    let horizon = replica.horizon().map(date);
    let (space, state) = (replica.log().space(), replica.state_digest().to_string());
    if output.is_json() {
        let by_actor =
            actors.iter().fold(Object::new(), |object, (actor, count)| object.number(actor, *count));
        let object = Object::new()
            .raw("actors", &by_actor.finish())
            .number("bytes", bytes)
            .number("forks", forks)
            .number("held", held)
            .maybe_text("horizon", horizon.as_deref())
            .text("logDigest", &digest.hash.to_string())
            .number("operations", digest.count)
            .maybe_text("space", space)
            .text("stateDigest", &state);
        return Ok(output.line(&object.finish())?);
    }
    output.line(&format!("operations    {}", digest.count))?;
    output.line(&format!("held          {held}"))?;
    output.line(&format!("forks         {forks}"))?;
    output.line(&format!("space         {}", space.map_or_else(|| "none".to_owned(), name)))?;
    output.line(&format!("merged up to  {}", horizon.as_deref().unwrap_or("nothing")))?;
    output.line(&format!("file          {bytes} bytes"))?;
    output.line(&format!("log           {}", digest.hash))?;
    output.line(&format!("state         {state}"))?;
    for (actor, count) in actors {
        output.line(&format!("actor         {}: {count}", name(&actor)))?;
    }
    Ok(())
}

fn to(matches: &ArgMatches) -> Result<&PathBuf, Failure> {
    matches.get_one::<PathBuf>("to").ok_or_else(|| Failure::usage("TO is missing"))
}
