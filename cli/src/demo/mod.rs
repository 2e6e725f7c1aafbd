//! `policysync demo`: two devices edit one list offline, and synchronize over a relay that lies.

mod device;
mod folder;
mod http;
#[cfg(test)]
mod http_tests;
mod relay;

use std::error::Error;
use std::io::{self, Write};

use clap::Command;
use policysync::Replica;

use crate::failure::{Failure, Fault};
use crate::output::Output;
use crate::sync::print_refusals;
use device::{at, list, meet, open, sync};
use folder::{Folder, FolderError};
use http::Server;

type Failed = Box<dyn Error>;

pub fn command() -> Command {
    Command::new("demo").about("Shows two devices and a relay that lies, over HTTP on the loopback").after_help(
        "Two devices, each with a store in a temporary directory, edit a list offline and synchronize over a relay \
         that drops, alters, repeats, forges and withholds. Prints the same every time. Exit code 0 if both end with \
         the same list, 1 if not.",
    )
}

pub fn run(output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Err(Failure::usage("the demonstration is for people: it prints no JSON"));
    }
    let folder = Folder::new().map_err(|error| match error {
        FolderError::Crypto(error) => error.into(),
        FolderError::Io(error) => Failure::file(&std::env::temp_dir(), &error),
    })?;
    match tell(output, &folder) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::no("the two devices differ")),
        Err(error) => Err(match error.downcast::<io::Error>() {
            Ok(error) => Failure::from(*error),
            Err(error) => Failure::new(Fault::Machine, format!("the demonstration failed: {error}")),
        }),
    }
}

/// Returns true if both devices have the same list in the end, also after a restart.
fn tell(out: &mut Output, folder: &Folder) -> Result<bool, Failed> {
    let mut phone = open(folder.path(), "phone", "laptop", at(0))?;
    let mut laptop = open(folder.path(), "laptop", "phone", at(0))?;

    writeln!(out, "1. Phone and laptop begin with one list")?;
    for (task, title) in [("t1", "Buy bread"), ("t2", "Call the plumber"), ("t3", "Pay the rent")] {
        phone.set(at(0), ("Task", task, "title"), title)?;
    }
    meet(&mut phone, &mut laptop, at(1))?;
    show(out, "both", &laptop)?;

    writeln!(out, "\n2. Both are offline and change the list")?;
    phone.set(at(10), ("Task", "t1", "done"), true)?;
    phone.set(at(11), ("Task", "t2", "title"), "Call the plumber on Monday")?;
    laptop.set(at(12), ("Task", "t2", "title"), "Call the plumber today")?;
    laptop.delete(at(13), ("Task", "t3", "title"))?;
    laptop.set(at(14), ("Task", "t4", "title"), "Water the plants")?;
    show(out, "phone", &phone)?;
    show(out, "laptop", &laptop)?;

    writeln!(out, "\n3. They synchronize over a relay that lies")?;
    let relay = relay::start()?;
    let story = [
        ("drops", "phone", "It drops requests"),
        ("alters", "phone", "It alters its answers"),
        ("honest", "phone", "It is honest, once"),
        ("repeats", "laptop", "It repeats an answer that the phone got"),
        ("forges", "laptop", "It forges: a changed title, two tasks in the phone's name, a stranger's task"),
        ("withholds", "phone", "It withholds what the laptop says of the plumber"),
    ];
    for (lie, device, what) in story {
        let replica = if device == "phone" { &mut phone } else { &mut laptop };
        writeln!(out, "   {what}.")?;
        session(out, &relay, device, lie, replica)?;
    }
    drop(relay);

    writeln!(out, "\n4. Nothing false got in. Comparing digests shows that something is missing")?;
    compare(out, &phone, &laptop)?;

    writeln!(out, "\n5. They meet without the relay")?;
    writeln!(out, "   {}", in_words(meet(&mut phone, &mut laptop, at(30))?))?;
    show(out, "phone", &phone)?;
    show(out, "laptop", &laptop)?;
    let same = compare(out, &phone, &laptop)?;

    // Opening verifies every signature in the files again.
    drop((phone, laptop));
    let phone = open(folder.path(), "phone", "laptop", at(31))?;
    let laptop = open(folder.path(), "laptop", "phone", at(31))?;
    Ok(same && list(&phone)? == list(&laptop)? && phone.log().digest() == laptop.log().digest())
}

/// Runs one session through the relay, which lies in this way.
fn session(
    out: &mut Output,
    relay: &Server,
    device: &str,
    lie: &str,
    replica: &mut Replica,
) -> Result<(), Failed> {
    match sync(replica, &format!("http://{}/{device}/{lie}", relay.address())) {
        Ok(ended) => {
            let progress = ended.progress;
            writeln!(out, "   {device:<7} sent {}, received {}", progress.sent, progress.received.new_ops())?;
            print_refusals(out, "           refused", &ended.refused)?;
            writeln!(out, "           {}", in_words(ended.converged))?;
        }
        Err(error) => writeln!(out, "   {device:<7} ends with an error: {error}")?,
    }
    Ok(())
}

fn show(out: &mut Output, who: &str, replica: &Replica) -> Result<(), Failed> {
    let mut who = who;
    for task in list(replica)? {
        writeln!(out, "   {who:<7} {task}")?;
        who = "";
    }
    Ok(())
}

/// Prints both digests, and returns true if logs and states are the same.
fn compare(out: &mut Output, phone: &Replica, laptop: &Replica) -> Result<bool, Failed> {
    writeln!(out, "   phone   {}", phone.log().digest())?;
    writeln!(out, "   laptop  {}", laptop.log().digest())?;
    let same = phone.log().digest() == laptop.log().digest() && phone.state_digest() == laptop.state_digest();
    writeln!(out, "   {}", if same { "the same" } else { "NOT the same" })?;
    Ok(same)
}

fn in_words(converged: Option<u64>) -> String {
    match converged {
        Some(count) => format!("the other side says it holds the same {count} operations"),
        None => "the other side does not hold the same".to_owned(),
    }
}
