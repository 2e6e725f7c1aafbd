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
///
/// `seen` is the stamp of the file before it was read first: keys that were added since are read too.
pub async fn follow(path: PathBuf, mut seen: Stamp, relay: Arc<Relay>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let now = stamp(&path);
        // A file that is being replaced may be missing for a moment.
        if now == seen || now.0.is_none() {
            continue;
        }
        seen = now;
        match read(&path) {
            Ok(keys) => register(&keys, &relay),
            Err(error) => eprintln!("the keys stay as they were: {error}"),
        }
    }
}

/// The time of the last change of a file, and its length; nothing for a file that is missing.
#[derive(PartialEq, Eq)]
pub struct Stamp(Option<(SystemTime, u64)>);

/// Returns the stamp of a file as it is now.
pub fn stamp(path: &Path) -> Stamp {
    let of = |data: std::fs::Metadata| Some((data.modified().ok()?, data.len()));
    Stamp(std::fs::metadata(path).ok().and_then(of))
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

#[cfg(test)]
mod tests {
    use policysync::SigningSecretKey;

    use super::*;
    use crate::Arguments;

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_that_are_added_between_the_first_reading_and_the_first_look_are_registered() {
        let dir = std::env::temp_dir().join(format!("policysync-relay-keys-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("keys");
        let line = |actor: &str| SigningSecretKey::generate(actor).unwrap().public_key().to_text() + "\n";
        let (alice, bob) = (line("alice"), line("bob"));
        std::fs::write(&file, &alice).unwrap();
        let words = ["--file", "list.db", "--keys", "keys"].map(|word| match word {
            "list.db" | "keys" => dir.join(word).to_string_lossy().into_owned(),
            word => word.to_owned(),
        });

        let seen = stamp(&file);
        let relay = Arc::new(Relay::open(&Arguments::parse(words.into_iter()).unwrap()).unwrap());
        std::fs::write(&file, alice + &bob).unwrap();
        let count = || relay.work(|replica, _| replica.keys().len());
        assert_eq!(count(), 1);
        let following = tokio::spawn(follow(file, seen, Arc::clone(&relay)));
        for _ in 0..100 {
            if count() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        following.abort();
        assert_eq!(count(), 2);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
