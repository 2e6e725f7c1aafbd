//! The devices of the demonstration: their keys, their stores, their sessions.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use policysync::crypto::{KeyPair, Sodium, random};
use policysync::sync::{Progress, Refusals, SessionResult};
use policysync::transport::HttpOptions;
use policysync::{
    HttpClient, KeyRegistry, Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, SyncSession,
    WallMillis,
};

use crate::sync::refusals_of;

type Failed = Box<dyn Error>;

/// The space of the list: what is signed for it counts in no other.
pub const LIST: &str = "household";

/// When the demonstration begins. An application passes the time of its clock.
const NINE_O_CLOCK: WallMillis = WallMillis(1_760_000_000_000);

/// Returns a time in minutes after nine o'clock.
pub fn at(minute: u64) -> WallMillis {
    NINE_O_CLOCK.saturating_add(WallMillis(minute * 60_000))
}

/// Opens a device's replica in a file of its own. It knows its own key and that of the other device.
pub fn open(folder: &Path, actor: &str, other: &str, now: WallMillis) -> Result<Replica, Failed> {
    let options = ReplicaOptions::new().space(LIST).write_as(key(actor)?);
    let mut keys = KeyRegistry::new();
    keys.register(key(other)?.public_key().clone())?;
    Ok(Replica::open(options.keys(keys).path(folder.join(format!("{actor}.db")), now))?)
}

/// Returns the key of a name. Its seed is made from the name, so that the demonstration always prints the same; an
/// application generates a key once and keeps it secret.
pub fn key(actor: &str) -> Result<SigningSecretKey, Failed> {
    Ok(SigningSecretKey::new(actor, key_pair(actor)?)?)
}

/// Returns the key pair of a name.
pub fn key_pair(name: &str) -> Result<KeyPair, Failed> {
    let seed = Sodium::new()?.hash(format!("policysync/examples/{name}").as_bytes());
    Ok(KeyPair::from_seed(seed.as_bytes())?)
}

/// Returns the tasks, one a line.
pub fn list(replica: &Replica) -> Result<Vec<String>, Failed> {
    let mut tasks = Vec::new();
    for id in replica.entities("Task") {
        if let Some(title) = replica.get(("Task", &id, "title"))? {
            let done = replica.get(("Task", &id, "done"))? == Some(true.into());
            tasks.push(format!("[{}] {title}", if done { 'x' } else { ' ' }));
        }
    }
    Ok(tasks)
}

/// The end of a session with the relay.
pub struct Ended {
    pub progress: Progress,
    /// Operations that this side refuses.
    pub refused: Refusals,
    /// The number of operations that both hold; `None` if they hold different ones.
    pub converged: Option<u64>,
}

/// Runs one session over HTTP.
pub fn sync(replica: &mut Replica, url: &str) -> Result<Ended, Failed> {
    let client = HttpClient::new(url, HttpOptions::new())?;
    let options = SyncOptions::new();
    let report = client.sync(replica, options, || at(20), |_| ControlFlow::Continue(()))?;
    let (refused, _) = refusals_of(&report.result, &report.progress);
    Ok(Ended { progress: report.progress, refused, converged: converged(&report.result) })
}

/// Runs one session without a network, message by message. Returns the number of operations that both hold.
pub fn meet(phone: &mut Replica, laptop: &mut Replica, now: WallMillis) -> Result<Option<u64>, Failed> {
    let mut session = SyncSession::new(SyncOptions::new(), random()?);
    let mut responder = Responder::new(random()?, SyncOptions::new());
    while let Some(request) = session.next_message(phone)? {
        let reply = responder.respond(laptop, now, &request)?;
        session.receive(phone, now, &reply.message)?;
    }
    Ok(session.result().and_then(converged))
}

fn converged(result: &SessionResult) -> Option<u64> {
    match result {
        SessionResult::Converged { count, .. } => Some(*count),
        _ => None,
    }
}
