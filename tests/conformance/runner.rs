//! Runs a scenario against the Rust interface.

use std::collections::BTreeMap;
use std::path::PathBuf;

use policysync::bundle::{self, BundleError};
use policysync::crypto::KeyPair;
use policysync::guard::Verdict;
use policysync::keys::VerifiedOp;
use policysync::oplog::Cursor;
use policysync::replica::Labels;
use policysync::state::Page;
use policysync::sync::SessionResult;
use policysync::{
    IngestError, OpRefusal, OpenError, Outcome, Replica, ReplicaOptions, Responder, SigningSecretKey,
    StoreError, SyncOptions, SyncSession, WallMillis, WriteError,
};
use serde_json::Value;

use super::step::Step;

type Check = Result<(), String>;

const VERBS: [&str; 27] = [
    "open",
    "close",
    "register",
    "key_text",
    "paper",
    "set",
    "delete",
    "delete_entity",
    "ingest",
    "get",
    "entity",
    "entities",
    "kinds",
    "count_entities",
    "fields",
    "poll",
    "clock_ahead",
    "reset_clock",
    "explain",
    "history",
    "log",
    "same",
    "session",
    "export",
    "import",
    "back_up",
    "copy",
];

/// Runs the steps one after the other. Fails with the number of the first step that does not end as it says.
pub fn run(scenario: &Value) -> Check {
    let mut world = World {
        folder: tempfile::tempdir().map_err(shown)?,
        seeds: BTreeMap::new(),
        replicas: BTreeMap::new(),
        saved: BTreeMap::new(),
        nonce: 0,
    };
    if let Some(actors) = scenario["actors"].as_object() {
        for (actor, seed) in actors {
            let seed = hex(seed.as_str().unwrap_or_default())?;
            world.seeds.insert(actor.clone(), seed.try_into().map_err(|_| "a seed has 32 bytes")?);
        }
    }
    let steps = scenario["steps"].as_array().ok_or("there are no steps")?;
    for (number, step) in (1..).zip(steps) {
        let result = Step::new(step).and_then(|step| world.run(&step).and_then(|()| step.end()));
        result.map_err(|fault| format!("step {number}: {fault}"))?;
    }
    Ok(())
}

struct World {
    folder: tempfile::TempDir,
    seeds: BTreeMap<String, [u8; 32]>,
    replicas: BTreeMap<String, Replica>,
    /// Operations in JSON, and bundles.
    saved: BTreeMap<String, Vec<u8>>,
    nonce: u8,
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn hex(digits: &str) -> Result<Vec<u8>, String> {
    let byte = |at| digits.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..digits.len()).step_by(2).map(|at| byte(at).ok_or_else(|| format!("{digits:?} is no hex"))).collect()
}

impl World {
    fn run(&mut self, step: &Step<'_>) -> Check {
        match step.verb(&VERBS)? {
            "open" => self.open(step),
            "close" => self.take(step.text("close")?).map(drop),
            "register" => self.register(step),
            "key_text" => step.expect("text", self.key(step.text("key_text")?)?.public_key().to_text()),
            "paper" => {
                let seed = self.key(step.text("paper")?)?.key_pair().expose_seed();
                step.expect("text", policysync::keys::seed_to_paper(&seed).as_str())
            }
            "set" | "delete" => self.write(step),
            "delete_entity" => self.delete_entity(step),
            "ingest" => self.ingest(step),
            "get" => self.get(step),
            "entity" | "entities" | "kinds" | "count_entities" | "fields" => self.list(step),
            "poll" => self.poll(step),
            "clock_ahead" | "reset_clock" => self.clock(step),
            "explain" | "history" => self.explain(step),
            "log" => self.log(step),
            "same" => self.same(step),
            "session" => self.session(step),
            "export" => self.export(step),
            "import" => self.import(step),
            "back_up" => self.back_up(step),
            _ => self.copy(step),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self, actor: &str) -> Result<SigningSecretKey, String> {
        let seed = self.seeds.get(actor).ok_or_else(|| format!("{actor:?} is not one of the actors"))?;
        SigningSecretKey::new(actor, KeyPair::from_seed(seed).map_err(shown)?).map_err(shown)
    }

    fn replica(&mut self, name: &str) -> Result<&mut Replica, String> {
        self.replicas.get_mut(name).ok_or_else(|| format!("{name:?} is not open"))
    }

    fn take(&mut self, name: &str) -> Result<Replica, String> {
        self.replicas.remove(name).ok_or_else(|| format!("{name:?} is not open"))
    }

    fn open(&mut self, step: &Step<'_>) -> Check {
        let mut options = ReplicaOptions::new();
        if let Some(actor) = step.optional_text("as")? {
            options = options.write_as(self.key(actor)?);
        }
        let mut keys = policysync::KeyRegistry::new();
        if step.get("keys").is_some() {
            for actor in step.texts("keys")? {
                keys.register(self.key(actor)?.public_key().clone()).map_err(shown)?;
            }
        }
        options = options.keys(keys);
        if let Some(space) = step.optional_text("space")? {
            options = options.space(space);
        }
        if step.get("max_drift").is_some() {
            options = options.max_drift(WallMillis(step.number("max_drift")?));
        }
        match step.optional_text("labels")? {
            None | Some("derived") => {}
            Some("any") => options = options.labels(Labels::Any),
            Some(other) => return Err(format!("unknown labels {other:?}")),
        }
        if let Some(entity) = step.optional_text("deny_entity")? {
            let entity = entity.to_owned();
            options =
                options.guard(
                    move |op: &VerifiedOp<'_>| {
                        if op.op().entity() == entity { Verdict::Reject } else { Verdict::Admit }
                    },
                );
        }
        if step.get("unverified") == Some(&Value::Bool(true)) {
            options = options.dangerously_accept_unverified();
        }
        if let Some(file) = step.optional_text("file")? {
            options = options.path(self.file(file), WallMillis(step.number("at")?));
        }
        if let Some(key) = step.optional_text("seal")? {
            options = options.seal_key(hex(key)?.try_into().map_err(|_| "a seal key has 32 bytes")?);
        }
        let name = step.text("open")?;
        match Replica::open(options) {
            Ok(replica) => {
                self.replicas.insert(name.to_owned(), replica);
                step.expect("error", Value::Null)
            }
            Err(error) => {
                step.expect("error", open_word(&error))?;
                step.need("error").map(drop).map_err(|_| shown(&error))
            }
        }
    }

    fn register(&mut self, step: &Step<'_>) -> Check {
        let key = self.key(step.text("register")?)?.public_key().clone();
        self.replica(step.text("on")?)?.keys_mut().register(key).map_err(shown)
    }

    fn write(&mut self, step: &Step<'_>) -> Check {
        let now = WallMillis(step.number("at")?);
        let name = step.text("on")?;
        let written = if step.get("set").is_some() {
            let (entity, entity_id, path) = step.field("set")?;
            let value = policysync::Value::from_serde(step.need("value")?).map_err(shown)?;
            self.replica(name)?.set(now, (entity, entity_id, path), value)
        } else {
            let (entity, entity_id, path) = step.field("delete")?;
            self.replica(name)?.delete(now, (entity, entity_id, path))
        };
        let op = match written {
            Ok(op) => op,
            Err(error) => {
                step.need("error").map_err(|_| shown(&error))?;
                return step.expect("error", write_word(&error));
            }
        };
        step.expect("error", Value::Null)?;
        step.expect("id", op.op().id())?;
        if let Some(saved) = step.optional_text("save")? {
            self.saved.insert(saved.to_owned(), op.to_json().into_bytes());
        }
        Ok(())
    }

    fn delete_entity(&mut self, step: &Step<'_>) -> Check {
        let [kind, id] = step.texts("delete_entity")?[..] else { return Err("an entity and an id".into()) };
        let now = WallMillis(step.number("at")?);
        let ops = self.replica(step.text("on")?)?.delete_entity(now, kind, id).map_err(shown)?;
        let ids: Vec<String> = ops.iter().map(|op| op.op().id().to_string()).collect();
        step.expect("ids", ids)
    }

    fn ingest(&mut self, step: &Step<'_>) -> Check {
        let mut json = match step.optional_text("json")? {
            Some(json) => json.to_owned(),
            None => {
                let saved = step.text("ingest")?;
                let bytes = self.saved.get(saved).ok_or_else(|| format!("{saved:?} was not saved"))?;
                String::from_utf8(bytes.clone()).map_err(shown)?
            }
        };
        step.get("ingest");
        if step.get("alter").is_some() {
            let [from, to] = step.texts("alter")?[..] else { return Err("\"alter\" has two texts".into()) };
            if !json.contains(from) {
                return Err(format!("the operation does not hold {from:?}"));
            }
            json = json.replace(from, to);
        }
        let now = WallMillis(step.number("at")?);
        let outcome = match self.replica(step.text("on")?)?.ingest(now, &json) {
            Ok(Outcome::Appended { .. }) => "ok",
            Ok(Outcome::Held { until, .. }) => {
                step.expect("until", until.0)?;
                "held"
            }
            Ok(Outcome::Duplicate { .. }) => "duplicate",
            Ok(_) => "another outcome",
            Err(IngestError::Refused(refused)) => refused_word(&refused),
            Err(error) => return Err(shown(error)),
        };
        step.need("outcome")?;
        step.expect("outcome", outcome)
    }

    fn get(&mut self, step: &Step<'_>) -> Check {
        let (entity, entity_id, path) = step.field("get")?;
        let found = self.replica(step.text("on")?)?.get((entity, entity_id, path)).map_err(shown)?;
        match found {
            None => step.expect("value", "(absent)")?,
            Some(value) => step.expect("value", value.to_serde())?,
        }
        step.need("value").map(drop)
    }

    fn list(&mut self, step: &Step<'_>) -> Check {
        if step.get("entities").is_some() {
            let mut page = Page::new();
            if let Some(prefix) = step.optional_text("prefix")? {
                page = page.prefix(prefix);
            }
            if let Some(after) = step.optional_text("after")? {
                page = page.after(after);
            }
            if step.get("limit").is_some() {
                page = page.limit(usize::try_from(step.number("limit")?).map_err(shown)?);
            }
            let kind = step.text("entities")?;
            let ids = self.replica(step.text("on")?)?.entities_page(kind, page);
            return step.expect("ids", ids);
        }
        if step.get("kinds").is_some() {
            let names = self.replica(step.text("kinds")?)?.kinds();
            return step.expect("names", names);
        }
        if step.get("count_entities").is_some() {
            let prefix = step.optional_text("prefix")?.unwrap_or_default();
            let kind = step.text("count_entities")?;
            return step.expect("count", self.replica(step.text("on")?)?.count_entities(kind, prefix));
        }
        if step.get("entity").is_some() {
            let [kind, id] = step.texts("entity")?[..] else { return Err("an entity and an id".into()) };
            let text = self.replica(step.text("on")?)?.entity(kind, id).map_err(shown)?;
            return step.expect("json", text);
        }
        let (kind, id, prefix) = step.field("fields")?;
        let fields = self.replica(step.text("on")?)?.fields(kind, id, prefix).map_err(shown)?;
        let paths: Vec<String> = fields.into_iter().map(|(path, _)| path).collect();
        step.expect("paths", paths)
    }

    fn poll(&mut self, step: &Step<'_>) -> Check {
        let now = WallMillis(step.number("at")?);
        let changes = self.replica(step.text("poll")?)?.poll(now).unwrap();
        let changed: Vec<Value> = changes
            .iter()
            .map(|change| vec![&*change.entity, &*change.entity_id, &*change.path].into())
            .collect();
        step.expect("changed", changed)
    }

    fn clock(&mut self, step: &Step<'_>) -> Check {
        let now = WallMillis(step.number("at")?);
        if step.get("reset_clock").is_some() {
            return self.replica(step.text("reset_clock")?)?.reset_clock(now).map_err(shown);
        }
        let by = self.replica(step.text("clock_ahead")?)?.clock_ahead(now);
        step.expect("by", by.map(|by| by.0))
    }

    fn explain(&mut self, step: &Step<'_>) -> Check {
        if step.get("history").is_some() {
            let (entity, entity_id, path) = step.field("history")?;
            let versions =
                self.replica(step.text("on")?)?.history((entity, entity_id, path)).map_err(shown)?;
            let ids: Vec<String> = versions.iter().map(|version| version.op.op().id().to_string()).collect();
            return step.expect("ids", ids);
        }
        let (entity, entity_id, path) = step.field("explain")?;
        let explanation =
            self.replica(step.text("on")?)?.explain((entity, entity_id, path)).map_err(shown)?;
        match explanation {
            None => step.expect("winner", Value::Null),
            Some(explanation) => {
                step.expect("winner", explanation.winner.op.op().id().to_string())?;
                let rule = explanation.over.map(|(_, rule)| format!("{rule:?}").to_lowercase());
                step.expect("rule", rule)
            }
        }
    }

    fn log(&mut self, step: &Step<'_>) -> Check {
        let replica = self.replica(step.text("log")?)?;
        step.expect("count", replica.log().len())?;
        step.expect("held", replica.held())?;
        step.expect("horizon", replica.horizon().map(|horizon| horizon.0))?;
        step.expect("next_due", replica.next_due().map(|due| due.0))?;
        step.expect("forks", replica.log().forks().map_err(shown)?.len())?;
        let hash: String = replica.log().digest().hash.to_string();
        step.expect("digest", hash)?;
        step.expect("state", replica.state_digest().to_string())
    }

    fn same(&mut self, step: &Step<'_>) -> Check {
        let names = step.texts("same")?;
        let mut digests = Vec::new();
        for name in &names {
            let replica = self.replica(name)?;
            digests.push((replica.log().digest(), replica.state_digest()));
        }
        if digests.windows(2).all(|two| two[0] == two[1]) {
            Ok(())
        } else {
            Err(format!("{names:?} differ: {digests:?}"))
        }
    }

    fn session(&mut self, step: &Step<'_>) -> Check {
        let [first, second] = step.texts("session")?[..] else {
            return Err("a session has two sides".into());
        };
        let now = WallMillis(step.number("at")?);
        let mut initiator = self.take(first)?;
        let mut answering = self.take(second)?;
        self.nonce = self.nonce.wrapping_add(1);
        let mut session = SyncSession::new(SyncOptions::new(), [self.nonce; 16]);
        let mut responder = Responder::new([7; 32], SyncOptions::new());
        let mut carry = || -> Check {
            while let Some(request) = session.next_message(&initiator).map_err(shown)? {
                let reply = responder.respond(&mut answering, now, &request).map_err(shown)?;
                session.receive(&mut initiator, now, &reply.message).map_err(shown)?;
            }
            Ok(())
        };
        let carried = carry();
        let (progress, result) = (session.progress(), session.result().cloned());
        self.replicas.insert(first.to_owned(), initiator);
        self.replicas.insert(second.to_owned(), answering);
        carried?;
        let word = match result {
            Some(SessionResult::Converged { count, .. }) => {
                step.expect("count", count)?;
                "converged"
            }
            Some(SessionResult::ConvergedExcept { count, refused, refused_by_peer, .. }) => {
                step.expect("count", count)?;
                step.expect("refused", refused.total())?;
                step.expect("refused_by_peer", refused_by_peer.total())?;
                "converged_except"
            }
            Some(SessionResult::NotConverged { refused, refused_by_peer }) => {
                step.expect("refused", refused.total())?;
                step.expect("refused_by_peer", refused_by_peer.total())?;
                "not_converged"
            }
            _ => "no result",
        };
        step.expect("received", progress.received.new_ops())?;
        step.expect("sent", progress.sent)?;
        step.need("result")?;
        step.expect("result", word)
    }

    fn export(&mut self, step: &Step<'_>) -> Check {
        let mut bytes = Vec::new();
        let exported = bundle::export_since(self.replica(step.text("export")?)?, Cursor::START, &mut bytes)
            .map_err(shown)?;
        step.expect("count", exported.ops)?;
        self.saved.insert(step.text("save")?.to_owned(), bytes);
        Ok(())
    }

    fn import(&mut self, step: &Step<'_>) -> Check {
        let saved = step.text("import")?;
        let mut bytes = self.saved.get(saved).ok_or_else(|| format!("{saved:?} was not saved"))?.clone();
        if step.get("cut").is_some() {
            let cut = usize::try_from(step.number("cut")?).map_err(shown)?;
            bytes.truncate(bytes.len().saturating_sub(cut));
        }
        let now = WallMillis(step.number("at")?);
        match bundle::import(self.replica(step.text("on")?)?, now, bytes.as_slice()) {
            Ok(imported) => {
                step.expect("received", imported.received.new_ops())?;
                step.expect("duplicates", imported.received.duplicates)?;
                step.expect("refused", imported.received.refused.total())?;
                step.expect("error", Value::Null)
            }
            Err(error) => {
                step.need("error").map_err(|_| shown(&error))?;
                let word = match error {
                    BundleError::Truncated { .. } | BundleError::Altered { .. } => "damaged",
                    _ => "another error",
                };
                step.expect("error", word)
            }
        }
    }

    fn back_up(&mut self, step: &Step<'_>) -> Check {
        let to = self.file(step.text("to")?);
        self.replica(step.text("back_up")?)?.back_up(to).map_err(shown)
    }

    fn copy(&mut self, step: &Step<'_>) -> Check {
        let (from, to) = (self.file(step.text("copy")?), self.file(step.text("to")?));
        std::fs::copy(from, to).map(drop).map_err(shown)
    }
}

/// Returns the name of the C status in lower case, without its prefix.
fn refused_word(refused: &OpRefusal) -> &'static str {
    match refused {
        OpRefusal::Malformed(_) => "malformed",
        OpRefusal::WrongSpace { .. } => "wrong_space",
        OpRefusal::UnknownKey { .. } => "unknown_key",
        OpRefusal::BadSignature => "bad_signature",
        OpRefusal::Denied => "denied",
        _ => "another refusal",
    }
}

fn write_word(error: &WriteError) -> &'static str {
    match error {
        WriteError::Clock(_) => "clock",
        WriteError::ClockAhead { .. } => "clock_ahead",
        WriteError::ReadOnly => "read_only",
        _ => "another error",
    }
}

fn open_word(error: &OpenError) -> &'static str {
    match error {
        OpenError::Store(error) => match error.fault() {
            StoreError::Locked => "locked",
            StoreError::OpenHere => "open_here",
            StoreError::WrongSpace { .. } => "wrong_space",
            StoreError::WrongSealKey => "seal_key",
            StoreError::Corrupt { .. } => "corrupt",
            _ => "another error",
        },
        OpenError::UnknownKey { .. } => "unknown_key",
        OpenError::RestoredBackup { .. } => "restored_backup",
        _ => "another error",
    }
}
