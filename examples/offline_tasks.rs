//! Two devices edit one task list offline, and synchronise over a relay that lies.
//!
//! ```text
//! cargo run --release --features http --example offline_tasks
//! ```
//!
//! Each device keeps its list in an SQLite file. The relay is a process of its own on loopback: this program, started
//! again with the word `relay`. Exit code: 0 if both devices end with the same list, 1 if not, 2 if something fails.

#[path = "offline_tasks/lying_relay.rs"]
mod lying_relay;

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use policysync::crypto::{KeyPair, Sodium};
use policysync::sync::{Refusals, SessionResult};
use policysync::transport::HttpOptions;
use policysync::{
    HttpClient, KeyRegistry, Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, SyncSession,
    WallMillis,
};

type Failure = Box<dyn Error>;

/// When the story begins. An application passes `system_wall_clock()`.
const NINE_O_CLOCK: WallMillis = WallMillis(1_760_000_000_000);
/// The name of the list: what is signed for it counts in no other.
const LIST: &str = "household";

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == "relay") {
        return lying_relay::main();
    }
    match tell_the_story(&mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether both devices show the same in the end.
fn tell_the_story(out: &mut impl Write) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let mut phone = open(folder.path(), "phone", "laptop", at(0))?;
    let mut laptop = open(folder.path(), "laptop", "phone", at(0))?;

    writeln!(out, "1. Phone and laptop begin with one list")?;
    for (task, title) in [("t1", "Buy bread"), ("t2", "Call the plumber"), ("t3", "Pay the rent")] {
        phone.set(at(0), "Task", task, "title", title)?;
    }
    meet(&mut phone, &mut laptop, at(1), 1)?;
    show(out, "both", &laptop)?;

    writeln!(out, "\n2. Both go offline, and both go on")?;
    phone.set(at(10), "Task", "t1", "done", true)?;
    phone.set(at(11), "Task", "t2", "title", "Call the plumber on Monday")?;
    laptop.set(at(12), "Task", "t2", "title", "Call the plumber today")?;
    laptop.delete(at(13), "Task", "t3", "title")?;
    laptop.set(at(14), "Task", "t4", "title", "Water the plants")?;
    show(out, "phone", &phone)?;
    show(out, "laptop", &laptop)?;

    writeln!(out, "\n3. Between them is a relay, a process of its own, and it lies")?;
    let relay = Relay::start()?;
    let story = [
        ("drops", "phone", "It throws requests away"),
        ("alters", "phone", "It changes its answers on the way"),
        ("honest", "phone", "For once it behaves"),
        ("repeats", "laptop", "It repeats what it said to somebody else"),
        ("forges", "laptop", "It forges: a changed title, two claims to be the phone, a stranger's task"),
        ("withholds", "phone", "It keeps back the laptop's word on the plumber"),
    ];
    for ((lie, device, what), nonce) in story.into_iter().zip(10..) {
        let replica = if device == "phone" { &mut phone } else { &mut laptop };
        writeln!(out, "   {what}.")?;
        sync(out, &relay, device, lie, replica, nonce)?;
    }
    drop(relay);

    writeln!(out, "\n4. Nothing false got in. That something is missing shows when they compare digests")?;
    compare(out, &phone, &laptop)?;

    writeln!(out, "\n5. They meet, without the relay")?;
    let finish = meet(&mut phone, &mut laptop, at(30), 2)?;
    writeln!(out, "   {}", in_words(&finish))?;
    show(out, "phone", &phone)?;
    show(out, "laptop", &laptop)?;
    let same = compare(out, &phone, &laptop)?;

    // What is in the files is verified again, signature by signature, when they are opened.
    drop((phone, laptop));
    let phone = open(folder.path(), "phone", "laptop", at(31))?;
    let laptop = open(folder.path(), "laptop", "phone", at(31))?;
    Ok(same && list(&phone)? == list(&laptop)? && phone.log().digest() == laptop.log().digest())
}

// Devices

/// So many minutes after nine.
fn at(minute: u64) -> WallMillis {
    NINE_O_CLOCK.saturating_add(WallMillis(minute * 60_000))
}

/// A device's replica, in a file of its own. It knows its own key and that of the other device, and nobody else's.
fn open(folder: &Path, actor: &str, other: &str, now: WallMillis) -> Result<Replica, Failure> {
    let options = ReplicaOptions::new().space(LIST).write_as(key(actor)?);
    let mut keys = KeyRegistry::new();
    keys.register(key(other)?.public_key().clone())?;
    Ok(Replica::open(options.keys(keys).path(folder.join(format!("{actor}.db")), now))?)
}

/// A device's key. Its seed is made from the name so that this program always prints the same; an application calls
/// `SigningSecretKey::generate` once and keeps the seed in the platform's key store.
fn key(actor: &str) -> Result<SigningSecretKey, Failure> {
    Ok(SigningSecretKey::new(actor, key_pair(actor)?)?)
}

fn key_pair(name: &str) -> Result<KeyPair, Failure> {
    let seed = Sodium::new()?.hash(format!("policysync/examples/{name}").as_bytes());
    Ok(KeyPair::from_seed(seed.as_bytes())?)
}

/// The tasks, one a line.
fn list(replica: &Replica) -> Result<Vec<String>, Failure> {
    let mut tasks = Vec::new();
    for id in replica.entities("Task") {
        if let Some(title) = replica.get("Task", &id, "title")? {
            let done = replica.get("Task", &id, "done")? == Some(true.into());
            tasks.push(format!("[{}] {title}", if done { 'x' } else { ' ' }));
        }
    }
    Ok(tasks)
}

fn show(out: &mut impl Write, who: &str, replica: &Replica) -> Result<(), Failure> {
    let mut who = who;
    for task in list(replica)? {
        writeln!(out, "   {who:<7} {task}")?;
        who = "";
    }
    Ok(())
}

fn compare(out: &mut impl Write, phone: &Replica, laptop: &Replica) -> Result<bool, Failure> {
    writeln!(out, "   phone   {}", phone.log().digest())?;
    writeln!(out, "   laptop  {}", laptop.log().digest())?;
    let same = phone.log().digest() == laptop.log().digest() && phone.state_digest() == laptop.state_digest();
    writeln!(out, "   {}", if same { "the same" } else { "NOT the same" })?;
    Ok(same)
}

// Synchronisation

/// One session over HTTP, through the relay, which lies in this way.
fn sync(
    out: &mut impl Write,
    relay: &Relay,
    device: &str,
    lie: &str,
    replica: &mut Replica,
    nonce: u8,
) -> Result<(), Failure> {
    let url = format!("http://{}/{device}/{lie}", relay.address);
    let client = HttpClient::new(&url, HttpOptions::new())?;
    // An application takes the nonce from `Sodium::random`.
    let result =
        client.sync(replica, SyncOptions::new(), [nonce; 16], || at(20), |_| ControlFlow::Continue(()));
    match result {
        Ok(report) => {
            let progress = report.progress;
            writeln!(out, "   {device:<7} sent {}, received {}", progress.sent, progress.received.new_ops())?;
            for (count, why) in reasons(&progress.received.refused) {
                writeln!(out, "           refused {count}: {why}")?;
            }
            writeln!(out, "           {}", in_words(&report.finish))?;
        }
        Err(error) => writeln!(out, "   {device:<7} gave up: {error}")?,
    }
    Ok(())
}

/// One session without any network: the messages go from hand to hand. So they could over Bluetooth.
fn meet(
    phone: &mut Replica,
    laptop: &mut Replica,
    now: WallMillis,
    nonce: u8,
) -> Result<SessionResult, Failure> {
    let mut session = SyncSession::new(SyncOptions::new(), [nonce; 16]);
    let mut responder = Responder::new([nonce; 32], SyncOptions::new());
    while let Some(request) = session.next_message(phone)? {
        let reply = responder.respond(laptop, now, &request)?;
        session.receive(phone, now, &reply.message)?;
    }
    Ok(session.result().cloned().ok_or("the session has no end")?)
}

fn reasons(refused: &Refusals) -> Vec<(u64, &'static str)> {
    let reasons = [
        (refused.bad_signature, "not signed by the actor that they name"),
        (refused.unknown_key, "by a key that is not known here"),
        (refused.malformed, "not operations"),
        (refused.other_space, "of another list"),
        (refused.denied, "not allowed"),
    ];
    reasons.into_iter().filter(|(count, _)| *count > 0).collect()
}

fn in_words(finish: &SessionResult) -> String {
    match finish {
        SessionResult::Converged { count, .. } => {
            format!("the other side says it holds the same {count} operations")
        }
        SessionResult::NotConverged { .. } => "the other side does not hold the same".to_owned(),
        _ => "the session was cancelled".to_owned(),
    }
}

// The relay's process

struct Relay {
    process: Child,
    address: String,
}

impl Relay {
    fn start() -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("relay")
            // It ends when this program does, because then its input ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let output = process.stdout.take().ok_or("the relay has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        if address.trim().is_empty() {
            return Err("the relay did not start".into());
        }
        Ok(Self { process, address: address.trim().to_owned() })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
