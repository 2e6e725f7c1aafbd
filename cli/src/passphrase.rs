//! Passphrases from a file or a terminal, never from the command line.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, value_parser};
use policysync::crypto::Zeroizing;

use crate::failure::{Failure, Fault};
use crate::secret_file;

/// Returns the option that names the file.
pub fn arg() -> Arg {
    Arg::new("passphrase-file")
        .long("passphrase-file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Takes the passphrase from the first line of this file, which only its owner may read")
}

/// Asks for the passphrase of a key that exists.
pub fn existing(matches: &ArgMatches, of: &str) -> Result<Zeroizing<String>, Failure> {
    match from_file(matches)? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&format!("Passphrase of {of}: ")),
    }
}

/// Asks for a new passphrase, twice on a terminal.
pub fn new(matches: &ArgMatches) -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = from_file(matches)? {
        return Ok(passphrase);
    }
    let (first, second) = (ask("New passphrase: ")?, ask("The same again: ")?);
    if first != second {
        return Err(Failure::usage("the two passphrases differ"));
    }
    if first.is_empty() {
        return Err(Failure::usage("the passphrase is empty; use --no-passphrase for a seed without one"));
    }
    Ok(first)
}

fn from_file(matches: &ArgMatches) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("passphrase-file") else { return Ok(None) };
    let text = secret_file::read(path)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Some(Zeroizing::new(line.to_owned()))),
        _ => Err(Failure::new(Fault::Usage, format!("{}: the first line is empty", path.display()))),
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("no terminal to ask for the passphrase; name a --passphrase-file"));
    }
    let answer = rpassword::prompt_password(prompt);
    answer.map(Zeroizing::new).map_err(|error| Failure::new(Fault::File, format!("the terminal: {error}")))
}
