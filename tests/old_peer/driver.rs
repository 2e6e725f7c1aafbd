//! A replica of version 0.1.0 that a test drives over standard input and output.
//!
//! The test copies this file into the source of that version and builds it there. Each line of the input is a command
//! with its arguments; each is answered with a line: `ok`, then results, or `error` and the reason. Bytes are in
//! hexadecimal digits, `-` if there are none.

use std::error::Error;
use std::io::{BufRead, Write};

use policysync::{
    CryptoProvider, Cursor, Finish, KeyPair, KeyRegistry, Push, Replica, ReplicaOptions, Responder,
    SigningSecretKey, Sodium, SyncBase, SyncOptions, SyncSession, WallMillis,
};

type Answer = Result<String, Box<dyn Error>>;

/// The key of an actor, as in `tests/common`.
fn key(actor: &str) -> Result<SigningSecretKey, Box<dyn Error>> {
    let seed = Sodium::new()?.hash(format!("policysync/tests/{actor}").as_bytes());
    Ok(SigningSecretKey::new(actor, KeyPair::from_seed(seed.as_bytes())?)?)
}

fn to_hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".into() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn from_hex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits = digits.trim_start_matches('-');
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    Ok(bytes.collect::<Result<_, _>>()?)
}

struct Peer {
    replica: Replica,
    responder: Responder,
    session: Option<SyncSession>,
    base: Option<SyncBase>,
    push: Option<Push>,
}

impl Peer {
    /// Opens a replica that writes as `actor` and knows the other `actors`: in memory, or in a file, with a seal or
    /// without.
    fn open(
        actor: &str,
        actors: &str,
        now: WallMillis,
        path: &str,
        seal: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let mut keys = KeyRegistry::new();
        for actor in actors.split(',') {
            keys.register(key(actor)?.public_key().clone())?;
        }
        let mut options = ReplicaOptions::new().keys(keys).write_as(key(actor)?);
        if path != "-" {
            options = options.path(path, now);
        }
        if seal != "-" {
            options = options.seal_key(from_hex(seal)?.try_into().map_err(|_| "32 bytes")?);
        }
        let replica = Replica::open(options)?;
        let responder = Responder::new([2; 32], SyncOptions::new());
        Ok(Self { replica, responder, session: None, base: None, push: None })
    }

    fn session(&mut self) -> Result<&mut SyncSession, Box<dyn Error>> {
        self.session.as_mut().ok_or_else(|| "no session".into())
    }

    fn push(&mut self) -> Result<&mut Push, Box<dyn Error>> {
        self.push.as_mut().ok_or_else(|| "no push".into())
    }

    fn run(&mut self, command: &str, arguments: &[&str], now: WallMillis) -> Answer {
        match (command, arguments) {
            ("set", [path, value]) => {
                self.replica.set(now, "Task", "t1", path, *value)?;
                Ok(String::new())
            }
            ("delete", [path]) => {
                self.replica.delete(now, "Task", "t1", path)?;
                Ok(String::new())
            }
            ("digest", []) => {
                let log = self.replica.log().digest();
                Ok(format!("{} {} {}", log.count, log.hash, self.replica.state_digest()))
            }
            ("respond", [request]) => {
                Ok(match self.responder.respond(&mut self.replica, now, &from_hex(request)?) {
                    Ok(reply) => to_hex(&reply.message),
                    Err(error) => to_hex(&error.to_message()),
                })
            }
            ("begin", [nonce]) => {
                let mut options = SyncOptions::new();
                if let Some(base) = self.base.take() {
                    options = options.since(base);
                }
                self.session =
                    Some(SyncSession::new(options, from_hex(nonce)?.try_into().map_err(|_| "16 bytes")?));
                Ok(String::new())
            }
            ("next", []) => {
                let mut session = self.session.take().ok_or("no session")?;
                let message = session.next_message(&self.replica);
                self.session = Some(session);
                Ok(to_hex(&message?.unwrap_or_default()))
            }
            ("receive", [message]) => {
                let mut session = self.session.take().ok_or("no session")?;
                let received = session.receive(&mut self.replica, now, &from_hex(message)?);
                self.session = Some(session);
                received?;
                Ok(String::new())
            }
            ("end", []) => match self.session()?.finish().cloned() {
                Some(Finish::Converged { base: Some(base), .. }) => {
                    self.push = Some(Push::after(base.clone(), &SyncOptions::new()));
                    let id = base.id();
                    self.base = Some(base);
                    Ok(format!("converged {}", to_hex(&id)))
                }
                other => Err(format!("{other:?}").into()),
            },
            ("push-after", [id]) => {
                let id = from_hex(id)?.try_into().map_err(|_| "the length of an id")?;
                self.push = Some(self.responder.push_after(&self.replica, id).ok_or("an unknown session")?);
                Ok(String::new())
            }
            ("push-next", []) => {
                let mut push = self.push.take().ok_or("no push")?;
                let message = push.next_message(&self.replica);
                self.push = Some(push);
                Ok(to_hex(&message?.unwrap_or_default()))
            }
            ("push-receive", [message]) => {
                let mut push = self.push.take().ok_or("no push")?;
                let received = push.receive(&mut self.replica, now, &from_hex(message)?);
                self.push = Some(push);
                received?;
                self.push()?;
                Ok(String::new())
            }
            ("export", []) => {
                let mut bundle = Vec::new();
                self.replica.export_since(Cursor::START, &mut bundle)?;
                Ok(to_hex(&bundle))
            }
            ("import", [bundle]) => {
                self.replica.import(now, from_hex(bundle)?.as_slice())?;
                Ok(String::new())
            }
            _ => Err(format!("unknown command {command}").into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut peer: Option<Peer> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let [command, now, arguments @ ..] = words.as_slice() else {
            return Err("a line without a time".into());
        };
        let now = WallMillis(now.parse()?);
        let answer = match (*command, arguments, &mut peer) {
            ("open", [actor, actors, path, seal], peer) => {
                // A file is closed before it is opened again.
                *peer = None;
                Peer::open(actor, actors, now, path, seal).map(|opened| {
                    *peer = Some(opened);
                    String::new()
                })
            }
            ("close", [], peer) => {
                *peer = None;
                Ok(String::new())
            }
            (command, arguments, Some(peer)) => peer.run(command, arguments, now),
            (_, _, None) => Err("no replica is open".into()),
        };
        let mut out = std::io::stdout().lock();
        match answer {
            Ok(results) => writeln!(out, "ok {results}")?,
            Err(error) => writeln!(out, "error {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}
