//! The report about a replica.

use std::error::Error;
use std::fmt;

use super::{Labels, Replica, SignatureCheck};
use crate::causes::with_causes;
use crate::codec::tags::{BINARY_VERSION, BUNDLE_VERSION, RESUME_VERSION, SYNC_VERSION};

/// A description of a replica for error reports of users: versions, options, counts and digests. It contains no keys,
/// no values and no names of actors or fields, unless an error that the application adds quotes them.
///
/// ```
/// use policysync::{Replica, ReplicaOptions};
///
/// let replica = Replica::open(ReplicaOptions::new())?;
/// let mut report = replica.report();
/// report.add_error(&policysync::StoreError::Full);
/// assert!(report.to_string().contains("operations: 0\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaReport {
    entries: Vec<(&'static str, String)>,
}

impl Replica {
    /// Returns a report about this replica. Takes time proportional to the number of fields.
    #[must_use]
    pub fn report(&self) -> ReplicaReport {
        let yes = |is_so: bool| String::from(if is_so { "yes" } else { "no" });
        let ledger = self.log.store().ledger();
        let digest = self.log.digest();
        let millis = |time: Option<crate::hlc::WallMillis>| {
            time.map_or_else(|| String::from("none"), |time| time.0.to_string())
        };
        let labels = match self.labels {
            Labels::Derived => "derived",
            Labels::Any => "any",
        };
        let mut entries = vec![
            ("library", env!("CARGO_PKG_VERSION").to_owned()),
            ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
            ("features", features()),
            (
                "formats",
                format!(
                    "operation {BINARY_VERSION}, sync {SYNC_VERSION}, resume {RESUME_VERSION}, bundle {BUNDLE_VERSION}"
                ),
            ),
            ("writes", yes(self.signing_key.is_some())),
            ("known keys", self.keys.len().to_string()),
            ("in a space", yes(self.log.space().is_some())),
            ("guard", yes(self.guard.is_some())),
            ("verifies", yes(self.signatures == SignatureCheck::Required)),
            ("max drift (ms)", self.max_drift.0.to_string()),
            ("labels", labels.to_owned()),
            ("store", self.log.store().kind().to_owned()),
            ("sealed", yes(ledger.is_sealed())),
            ("journal", yes(self.journal.is_some())),
            ("operations", digest.count.to_string()),
            ("held", self.held().to_string()),
            ("fields", self.log.index().registers().all().count().to_string()),
            ("log digest", digest.hash.to_string()),
            ("state digest", self.state_digest().to_string()),
            ("merged up to (ms)", millis(self.horizon())),
            (
                "last timestamp",
                self.clock.last().map_or_else(|| String::from("none"), |last| last.to_string()),
            ),
            ("doubted clock (ms)", millis(self.doubted)),
            ("clock was reset", yes(self.clock_was_reset)),
        ];
        if let Err(error) = self.log.check_open() {
            entries.push(("unusable", error.without_content()));
        }
        ReplicaReport { entries }
    }
}

fn features() -> String {
    let all = [
        ("capi", cfg!(feature = "capi")),
        ("http", cfg!(feature = "http")),
        ("parallel", cfg!(feature = "parallel")),
        ("sqlite", cfg!(feature = "sqlite")),
        ("tls", cfg!(feature = "tls")),
        ("websocket", cfg!(feature = "websocket")),
    ];
    let on: Vec<&str> = all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect();
    if on.is_empty() { String::from("none") } else { on.join(" ") }
}

impl ReplicaReport {
    /// Adds an error that the application got, with its causes. The messages of this library contain no secrets. They
    /// may name the file of a store and an actor, and quote up to 64 characters of a name, a space or a malformed
    /// operation or value: the application decides which errors leave the device.
    pub fn add_error(&mut self, error: &dyn Error) {
        self.entries.push(("error", with_causes(error)));
    }

    /// Returns the names and the values of the entries.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// Formats the report as text, a line for each entry.
impl fmt::Display for ReplicaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyPair;
    use crate::hlc::WallMillis;
    use crate::keys::SigningSecretKey;
    use crate::replica::ReplicaOptions;

    #[test]
    fn a_report_counts_and_has_no_names_values_or_keys() {
        let now = WallMillis(1_760_000_000_000);
        let seed = [7; 32];
        let key = SigningSecretKey::new("somebody", KeyPair::from_seed(&seed).unwrap()).unwrap();
        let kid = key.public_key().kid().to_owned();
        let options = ReplicaOptions::new().write_as(key).space("household");
        let mut replica = Replica::open(options).unwrap();
        replica.set(now, ("Kind", "thing", "path"), "a value").unwrap();
        replica.set(now, ("Kind", "thing", "path"), "another value").unwrap();
        let mut report = replica.report();
        report.add_error(&crate::store::StoreError::Full);
        let text = report.to_string();
        for entry in
            ["operations: 2", "fields: 1", "writes: yes", "in a space: yes", "error: the log is full"]
        {
            assert!(text.contains(&format!("{entry}\n")), "{entry}\n{text}");
        }
        for secret in ["somebody", "household", "Kind", "thing", "path", "value", &kid] {
            assert!(!text.contains(secret), "{secret}\n{text}");
        }
        assert_eq!(report.entries().count(), text.lines().count());
    }

    #[test]
    fn a_closed_replica_is_unusable() {
        let mut replica = Replica::open(ReplicaOptions::new()).unwrap();
        let unusable = "unusable: it is unknown whether operations were saved\n";
        assert!(!replica.report().to_string().contains("unusable"));
        replica.log.close();
        assert!(replica.report().to_string().ends_with(unusable), "{}", replica.report());
    }
}
