//! Notes on several devices, which synchronize over HTTP.
//!
//! ```text
//! cargo run --release -p policysync-notes -- FOLDER COMMAND
//!
//!   key              prints the public key of this device, for the other devices
//!   accept KEY       accepts what the device with this public key writes
//!   add TEXT         adds a note and prints its id
//!   edit ID TEXT     replaces the text of a note
//!   delete ID        deletes a note
//!   list             prints all notes
//!   changes          prints the notes that have changed since the last time
//!   sync URL         synchronizes with a server
//! ```

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;

use policysync::crypto::{KeyPair, random};
use policysync::replica::StateCursor;
use policysync::sync::SessionResult;
use policysync::transport::HttpOptions;
use policysync::{
    HttpClient, KeyRegistry, Replica, ReplicaOptions, SigningPublicKey, SigningSecretKey, SyncOptions, Value,
    system_wall_clock,
};

type Failed = Box<dyn Error>;

/// The position up to which changes were shown, and the one that is being shown.
const SHOWN: &str = "shown";
const SHOWING: &str = "showing";

/// Binds signatures to these notes: an operation that was signed for another application is refused.
const SPACE: &str = "example/notes";

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [folder, command @ ..] => {
            let folder = Path::new(folder);
            writeln!(std::io::stdout(), "{}", run(folder, command)?)?;
            has_shown(folder)?;
        }
        [] => return Err("usage: notes FOLDER COMMAND".into()),
    }
    Ok(())
}

/// Runs a command on the device in a folder. Returns what the program prints.
pub fn run(folder: &Path, command: &[&str]) -> Result<String, Failed> {
    let mut notes = open(folder)?;
    match command {
        ["key"] => {
            let actor = notes.actor().unwrap_or_default();
            let mine =
                notes.keys().iter().find(|key| key.actor() == actor).ok_or("this device has no key")?;
            Ok(mine.to_text())
        }
        ["accept", key] => {
            notes.keys_mut().register(SigningPublicKey::from_text(key)?)?;
            write(&folder.join("keys.txt"), notes.keys().to_text().as_bytes())?;
            Ok("accepted".into())
        }
        ["add", text] => {
            let id = hex(&random::<8>()?);
            notes.set(system_wall_clock(), ("Note", &id, "text"), *text)?;
            Ok(id)
        }
        ["edit", id, text] => {
            notes.set(system_wall_clock(), ("Note", id, "text"), *text)?;
            Ok("edited".into())
        }
        ["delete", id] => {
            notes.delete_entity(system_wall_clock(), "Note", id)?;
            Ok("deleted".into())
        }
        ["list"] => list(&notes),
        ["changes"] => changes(folder, &mut notes),
        ["sync", url] => synchronize(&mut notes, url),
        _ => Err("unknown command".into()),
    }
}

/// Opens the notes of a device. At the first start the device gets a key and a name.
fn open(folder: &Path) -> Result<Replica, Failed> {
    fs::create_dir_all(folder)?;
    let known = read(&folder.join("keys.txt"))?.unwrap_or_default();
    let options = ReplicaOptions::new()
        .space(SPACE)
        .keys(KeyRegistry::from_text(std::str::from_utf8(&known)?)?)
        .write_as(key(folder)?)
        .path(folder.join("notes.db"), system_wall_clock());
    Ok(Replica::open(options)?)
}

/// Returns the key of the device. An application keeps the seed in the platform's key store instead of a file.
fn key(folder: &Path) -> Result<SigningSecretKey, Failed> {
    let path = folder.join("seed");
    let seed = match read(&path)? {
        Some(seed) => seed.try_into().map_err(|_| "the seed is not 32 bytes")?,
        None => {
            let seed = random::<32>()?;
            write(&path, &seed)?;
            seed
        }
    };
    let pair = KeyPair::from_seed(&seed)?;
    // Every installation is an actor of its own. The name of the key is unique, so it serves as the name of the actor.
    let actor = policysync::keys::derived_kid(&pair.public_key());
    Ok(SigningSecretKey::new(&actor, pair)?)
}

/// Returns a line for each note.
fn list(notes: &Replica) -> Result<String, Failed> {
    let mut lines = Vec::new();
    for id in notes.entities("Note") {
        if let Some(text) = notes.get(("Note", &id, "text"))? {
            lines.push(format!("{id} {}", text_of(&text)));
        }
    }
    Ok(lines.join("\n"))
}

/// Returns the text of a note. Another version of the application may have written a value of another type.
fn text_of(value: &Value) -> String {
    value.text().unwrap_or_else(|| value.to_string())
}

/// Returns a line for each note that has changed since they were last shown, also in an earlier process.
fn changes(folder: &Path, notes: &mut Replica) -> Result<String, Failed> {
    // Merges the operations that waited for their time.
    notes.poll(system_wall_clock())?;
    let shown = match read(&folder.join(SHOWN))? {
        Some(bytes) => StateCursor::from_bytes(&bytes)?,
        None => StateCursor::START,
    };
    let changes = notes.changes_since(&shown)?;
    let next = changes.cursor().to_bytes();
    let mut lines = Vec::new();
    for change in changes {
        let change = change?;
        let author = change.author().unwrap_or("nobody");
        lines.push(match change.value() {
            Some(text) => {
                format!("{} {}, by {author}", change.entity_id, text_of(text))
            }
            None => format!("{} deleted, by {author}", change.entity_id),
        });
    }
    write(&folder.join(SHOWING), &next)?;
    Ok(lines.join("\n"))
}

/// Remembers what was printed. Not before, so that a crash repeats changes instead of losing them.
pub fn has_shown(folder: &Path) -> Result<(), Failed> {
    match fs::rename(folder.join(SHOWING), folder.join(SHOWN)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a file, completely or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let new = path.with_extension("new");
    drop(fs::remove_file(&new));
    let mut options = OpenOptions::new();
    // Only the owner may read it: it may be the seed.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.write(true).create_new(true).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fs::rename(new, path)?)
}

fn synchronize(notes: &mut Replica, url: &str) -> Result<String, Failed> {
    let client = HttpClient::new(url, HttpOptions::new())?;
    let options = SyncOptions::new();
    let report = client.sync(notes, options, system_wall_clock, |_| ControlFlow::Continue(()))?;
    let counts = format!("sent {}, received {}", report.progress.sent, report.progress.received.new_ops());
    Ok(match report.result {
        SessionResult::Converged { count, .. } => format!("{counts}; both have the same {count} operations"),
        SessionResult::ConvergedExcept { .. } => {
            format!("{counts}; the rest is from devices that are not accepted, or was refused")
        }
        other => format!("{counts}; not finished: {other:?}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of a file, `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failed> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}
