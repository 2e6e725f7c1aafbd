//! `policysync key`: signing keys.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use policysync::crypto::{KeyPair, Zeroizing};
use policysync::keys::{WrapCost, seed_from_paper, seed_to_paper};
use policysync::{SigningPublicKey, SigningSecretKey};

use crate::failure::Failure;
use crate::json::Object;
use crate::key_file::{self, KeyFile};
use crate::output::Output;
use crate::{passphrase, secret_file};

pub fn command() -> Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The key file");
    let new = Command::new("new")
        .about("Makes a signing key for a new actor")
        .after_help(
            "Prints the public key, one line for the others' --keys file. The key file is readable by its owner \
             only, and never written over. Nobody can restore a lost file or passphrase; `key paper` makes a copy for \
             a safe place. One actor is one device: do not copy the file to another.\n\n\
             Example:\n  policysync key new --actor \"Alice's phone\" --out phone.key >>keys.txt",
        )
        .args(new_key_args());
    let show = Command::new("show")
        .about("Prints the public key of a key file")
        .after_help("Example:\n  policysync key show phone.key >>keys.txt")
        .arg(file.clone());
    let paper = Command::new("paper")
        .about("Writes the seed as 15 groups that can be copied onto paper")
        .after_help(
            "The groups go into a new file that only its owner may read. Copy them onto paper with the actor's name, \
             then delete the file.\n\nExample:\n  policysync key paper phone.key --out groups.txt",
        )
        .arg(file)
        .arg(out())
        .arg(passphrase::arg());
    let restore = Command::new("restore")
        .about("Makes the key file again from the groups on paper")
        .after_help(
            "The groups are read from a file that only its owner may read. A mistake is found, and its group named \
             if all mistakes are in one.\n\n\
             Example:\n  policysync key restore groups.txt --actor \"Alice's phone\" --out phone.key",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The file with the groups"),
        )
        .args(new_key_args());
    Command::new("key")
        .about("Makes and shows signing keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([new, show, paper, restore])
}

fn out() -> Arg {
    Arg::new("out")
        .long("out")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The new file; it must not exist")
}

fn new_key_args() -> [Arg; 5] {
    [
        Arg::new("actor")
            .long("actor")
            .value_name("NAME")
            .required(true)
            .help("The actor's name: one device, one installation"),
        out(),
        passphrase::arg(),
        Arg::new("no-passphrase")
            .long("no-passphrase")
            .action(ArgAction::SetTrue)
            .conflicts_with("passphrase-file")
            .help("Keeps the seed without a passphrase: whoever reads the file can sign"),
        Arg::new("cost")
            .long("cost")
            .value_name("COST")
            .default_value("moderate")
            .value_parser(["moderate", "interactive"])
            .help("Memory that each attempt at the passphrase needs: 256 MiB, or 64 MiB for small devices"),
    ]
}

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("new", matches)) => {
            let actor = actor(matches)?;
            let key = SigningSecretKey::generate(actor).map_err(Failure::from)?;
            create(matches, output, &key)
        }
        Some(("restore", matches)) => {
            let path = path(matches, "file")?;
            let groups = secret_file::read(path)?;
            let groups: Vec<&str> =
                groups.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
            let groups = Zeroizing::new(groups.join("\n"));
            let seed = seed_from_paper(&groups).map_err(|error| Failure::from(error).at(path))?;
            create(matches, output, &SigningSecretKey::new(actor(matches)?, KeyPair::from_seed(&seed)?)?)
        }
        Some(("paper", matches)) => {
            let from = path(matches, "file")?;
            let key = KeyFile::read(from)?;
            let groups = seed_to_paper(&*key.seed(matches, from)?);
            let public = key.public();
            // As long as it will be, so that growing leaves no copy in memory.
            let mut text = Zeroizing::new(String::with_capacity(groups.len() + public.actor().len() + 128));
            text.push_str("# The seed of ");
            text.push_str(public.actor());
            text.push_str(". Whoever has these groups can sign in that name.");
            for (group, number) in groups.split(' ').zip(0..) {
                text.push(if number % 5 == 0 { '\n' } else { ' ' });
                text.push_str(group);
            }
            text.push('\n');
            let to = path(matches, "out")?;
            secret_file::create(to, &text)?;
            if output.is_json() {
                output.line(&described(public).text("file", &to.display().to_string()).finish())?;
            }
            Ok(())
        }
        Some(("show", matches)) => print(output, KeyFile::read(path(matches, "file")?)?.public(), None),
        _ => Err(Failure::usage("no such command")),
    }
}

fn create(matches: &ArgMatches, output: &mut Output, key: &SigningSecretKey) -> Result<(), Failure> {
    let path = path(matches, "out")?;
    if matches.get_flag("no-passphrase") {
        key_file::create(path, key, None)?;
    } else {
        let cost = match matches.get_one::<String>("cost").map(String::as_str) {
            Some("interactive") => WrapCost::INTERACTIVE,
            _ => WrapCost::MODERATE,
        };
        let passphrase = passphrase::new(matches)?;
        key_file::create(path, key, Some((&passphrase, cost)))?;
    }
    print(output, key.public_key(), Some(&path.display().to_string()))
}

fn print(output: &mut Output, key: &SigningPublicKey, file: Option<&str>) -> Result<(), Failure> {
    if output.is_json() {
        let mut object = described(key);
        if let Some(file) = file {
            object = object.text("file", file);
        }
        output.line(&object.finish())?;
    } else {
        output.line(&key.to_text())?;
    }
    Ok(())
}

fn described(key: &SigningPublicKey) -> Object {
    Object::new()
        .text("actor", key.actor())
        .text("kid", key.kid())
        .text("publicKey", &key.public_key().to_string())
        .text("text", &key.to_text())
}

fn actor(matches: &ArgMatches) -> Result<&str, Failure> {
    let actor = matches.get_one::<String>("actor").map(String::as_str);
    actor.ok_or_else(|| Failure::usage("--actor is missing"))
}

fn path<'m>(matches: &'m ArgMatches, name: &str) -> Result<&'m PathBuf, Failure> {
    matches.get_one::<PathBuf>(name).ok_or_else(|| Failure::usage(format!("{name} is missing")))
}
