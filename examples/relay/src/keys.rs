//! The file of keys, read again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use policysync::KeyRegistry;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Failure, Relay};

/// The interval in which the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

pub fn read(path: &Path) -> Result<KeyRegistry, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(KeyRegistry::from_text(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Registers the keys that are added to the file while the relay runs. A key that is taken out of it stays until a
/// restart.
pub async fn follow(path: PathBuf, relay: Arc<Relay>) {
    let mut seen = stamp(&path);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let now = stamp(&path);
        // A file that is being replaced may be missing for a moment.
        if now == seen || now.is_none() {
            continue;
        }
        seen = now;
        match read(&path) {
            Ok(keys) => register(&keys, &relay),
            Err(error) => eprintln!("the keys stay as they were: {error}"),
        }
    }
}

/// Returns the time of the last change, and the length.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}

fn register(keys: &KeyRegistry, relay: &Relay) {
    let (added, errors) = relay.work(|replica, _| {
        let mut errors = Vec::new();
        let before = replica.keys().len();
        for key in keys.iter() {
            errors.extend(replica.keys_mut().register(key.clone()).err());
        }
        (replica.keys().len() - before, errors)
    });
    for error in errors {
        eprintln!("a key was not registered: {error}");
    }
    println!("{added} new keys");
}
