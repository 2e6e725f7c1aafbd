//! The quick start: signed operations, merging, and attacks that fail. With a file, it ingests that instead.
//!
//! ```text
//! cargo run --release -p policysync-quickstart
//! cargo run --release -p policysync-quickstart -- OPERATIONS [--keys KEYS]
//! ```
//!
//! `OPERATIONS` holds one operation a line, in its JSON form. `KEYS` holds the keys of the authors, one a line, as
//! `SigningPublicKey::to_text` returns them.
//!
//! Exit code: 0 if every line was admitted, 1 if some were refused, 2 if a file is unreadable or an argument is wrong.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use policysync::codec::MAX_OP_BYTES;
use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::{sign_op, verify_op};
use policysync::oplog::Added;
use policysync::replica::Labels;
use policysync::state::Folded;
use policysync::{
    Effect, Hlc, Incoming, KeyRegistry, Op, OpLog, OpRefusal, Outcome, Replica, ReplicaOptions, SignedOp,
    SigningSecretKey, WallMillis, system_wall_clock,
};

type Failure = Box<dyn Error>;

/// The time of the story. An application passes `system_wall_clock()`.
const NOW: WallMillis = WallMillis(1_760_000_000_000);
const HOUR: WallMillis = WallMillis(3_600_000);

const USAGE: &str = "usage: policysync-quickstart [OPERATIONS [--keys KEYS]]";

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let result = match parse_arguments(words) {
        Ok(None) => tell_the_story(&mut out).map(|()| true),
        Ok(Some(arguments)) => ingest_file(&arguments, &mut out),
        Err(error) => Err(error),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // The reader of the output has closed it, as `head` does.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn complain(message: &str) {
    // If standard error is closed, there is no other place to report to.
    drop(writeln!(io::stderr(), "{message}"));
}

// The story

fn tell_the_story(out: &mut impl Write) -> Result<(), Failure> {
    let crypto = Sodium::new()?;
    sign_verify_and_append(crypto, out)?;
    refuse_forged_operations(crypto, out)?;
    hold_operations_from_the_future(out)?;
    prove_an_equivocation(crypto, out)?;
    agree_in_any_order(out)
}

/// Returns a device's key. Its seed is derived from the name so that this program always prints the same; an
/// application calls `SigningSecretKey::generate` once and keeps the seed in the platform's key store.
fn device(actor: &str) -> Result<SigningSecretKey, Failure> {
    Ok(SigningSecretKey::new(actor, key_pair(actor)?)?)
}

fn key_pair(name: &str) -> Result<KeyPair, Failure> {
    let seed = Sodium::new()?.hash(format!("policysync/examples/{name}").as_bytes());
    Ok(KeyPair::from_seed(seed.as_bytes())?)
}

fn sign_verify_and_append(crypto: Sodium, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "1. alice signs an operation, the log verifies it, the state shows it")?;
    let alice = device("alice")?;
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 1)?, ("Task", "t1", "title"), "Hello world")?;
    let op = sign_op(&crypto, op, &alice)?;
    writeln!(out, "   signed     {} by key {}", op.op().id(), op.kid())?;

    let mut log = OpLog::new(crypto);
    match log.add(&op, |op| verify_op(&crypto, op, alice.public_key()))? {
        Added::Appended { hash, .. } => writeln!(out, "   appended   {hash}")?,
        other => writeln!(out, "   {other:?}")?,
    }
    let title = Folded::of(&log, NOW).get(("Task", "t1", "title"))?;
    writeln!(out, "   Task t1 title = {}", shown(title))?;
    Ok(())
}

fn refuse_forged_operations(crypto: Sodium, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "\n2. bob admits what alice signed, and refuses forgeries")?;
    let (alice, bob) = (device("alice")?, device("bob")?);
    let alices_key = alice.public_key().clone();
    let alices_kid = alices_key.kid().to_owned();
    let mut on_alices_phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
    let mut on_bobs_phone = Replica::open(ReplicaOptions::new().write_as(bob))?;
    on_bobs_phone.keys_mut().register(alices_key)?;

    let genuine = on_alices_phone.set(NOW, ("Task", "t1", "title"), "Hello world")?.to_json();
    let tampered = genuine.replace("Hello world", "Hello mallory");
    let unsigned = without_signature(&genuine)?;

    // On her own machine, mallory can give any key any name.
    let claim = Op::lww_set("alice", Hlc::new(NOW.0, 5)?, ("Task", "t1", "title"), "Hello mallory")?;
    let forged = |kid: &str, signer: &str| -> Result<String, Failure> {
        let key = SigningSecretKey::with_kid("alice", kid, key_pair(signer)?)?;
        Ok(sign_op(&crypto, claim.clone(), &key)?.to_json())
    };
    let mallorys_kid = device("mallory")?.public_key().kid().to_owned();
    let bobs_kid = device("bob")?.public_key().kid().to_owned();

    let arrivals = [
        ("tampered", tampered),
        ("unsigned", unsigned),
        ("genuine", genuine.clone()),
        ("replayed", genuine),
        ("as alice, mallory's key, alice's kid", forged(&alices_kid, "mallory")?),
        ("as alice, mallory's key, mallory's kid", forged(&mallorys_kid, "mallory")?),
        ("as alice, with bob's registered key", forged(&bobs_kid, "bob")?),
    ];
    for (what, json) in &arrivals {
        let answer = match on_bobs_phone.ingest(NOW, json.as_str()) {
            Ok(Outcome::Appended { .. }) => String::from("appended"),
            Ok(Outcome::Duplicate { .. }) => String::from("duplicate, nothing to do"),
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("refused: {error}"),
        };
        writeln!(out, "   {what:<39} {answer}")?;
    }
    let title = on_bobs_phone.get(("Task", "t1", "title"))?;
    writeln!(out, "   bob holds {} operation, Task t1 title = {}", on_bobs_phone.log().len(), shown(title))?;
    Ok(())
}

fn hold_operations_from_the_future(out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "\n3. a clock that is an hour ahead does no harm to others")?;
    let (alice, bob) = (device("alice")?, device("bob")?);
    let mut on_bobs_phone = Replica::open(ReplicaOptions::new().write_as(bob))?;
    on_bobs_phone.keys_mut().register(alice.public_key().clone())?;
    let mut on_alices_phone = Replica::open(ReplicaOptions::new().write_as(alice))?;

    let early = on_alices_phone.set(NOW.saturating_add(HOUR), ("Task", "t1", "done"), true)?;
    let Outcome::Held { until, .. } = on_bobs_phone.ingest(NOW, &early)? else {
        return Err("an operation from the future was not held".into());
    };
    writeln!(out, "   held       {} until the clock says {until}", early.op().id())?;
    writeln!(out, "   Task t1 done = {}", shown(on_bobs_phone.get(("Task", "t1", "done"))?))?;

    on_bobs_phone.set(NOW, ("Task", "t1", "title"), "bob keeps his own time")?;
    let last = on_bobs_phone.clock().last().map(|last| last.to_string()).unwrap_or_default();
    writeln!(out, "   bob writes at {last}, not an hour ahead")?;
    on_bobs_phone.poll(NOW)?;

    let changes = on_bobs_phone.poll(until)?;
    writeln!(out, "   released   {} change when the time came", changes.len())?;
    writeln!(out, "   Task t1 done = {}", shown(on_bobs_phone.get(("Task", "t1", "done"))?))?;
    Ok(())
}

fn prove_an_equivocation(crypto: Sodium, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "\n4. carol signs two values for one timestamp, and anybody can prove it")?;
    let carol = device("carol")?;
    let say = |value: &str| -> Result<SignedOp, Failure> {
        let op = Op::lww_set("carol", Hlc::new(NOW.0, 1)?, ("Offer", "o1", "price"), value)?;
        Ok(sign_op(&crypto, op, &carol)?)
    };
    let (to_alice, to_bob) = (say("100 euros")?, say("900 euros")?);

    let mut replica = Replica::open(ReplicaOptions::new())?;
    replica.keys_mut().register(carol.public_key().clone())?;
    for op in [&to_alice, &to_bob] {
        let Outcome::Appended { equivocates_with, .. } = replica.ingest(NOW, op)? else {
            return Err("an operation was not appended".into());
        };
        let note = if equivocates_with.is_some() {
            ", which equivocates with another operation of hers"
        } else {
            ""
        };
        writeln!(out, "   appended   {}{note}", op.op().value())?;
    }
    for proof in replica.log().forks()? {
        proof.check(&crypto, replica.keys())?;
        let (first, second) = (proof.first().op(), proof.second().op());
        writeln!(
            out,
            "   proved     {} signed both {} and {}",
            first.actor(),
            first.value(),
            second.value()
        )?;
    }
    if let Some(explanation) = replica.explain(("Offer", "o1", "price"))? {
        let rule = explanation.over.map(|(_, rule)| rule.to_string()).unwrap_or_default();
        writeln!(out, "   everywhere {} wins, because {rule}", explanation.winner.op.op().value())?;
    }
    Ok(())
}

fn agree_in_any_order(out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "\n5. two replicas get the same operations in different orders")?;
    let devices = [device("alice")?, device("bob")?, device("carol")?];
    let mut keys = Vec::new();
    let mut writers = Vec::new();
    for device in devices {
        keys.push(device.public_key().clone());
        writers.push(Replica::open(ReplicaOptions::new().write_as(device))?);
    }
    let mut ops = Vec::new();
    for (minute, word) in (0..).zip(["red", "green", "blue"]) {
        for writer in &mut writers {
            let now = WallMillis(NOW.0 + minute * 60_000);
            ops.push(writer.set(now, ("Task", "t1", "colour"), word)?);
            ops.push(writer.set(now, ("Task", "t2", "colour"), word)?);
        }
        // Each minute one device changes its mind.
        if let Some(writer) = writers.last_mut() {
            ops.push(writer.delete(WallMillis(NOW.0 + minute * 60_000), ("Task", "t2", "colour"))?);
        }
    }

    let later = NOW.saturating_add(HOUR);
    let mut digests = Vec::new();
    for (name, reversed) in [("forwards", false), ("backwards", true)] {
        let mut replica = Replica::open(ReplicaOptions::new())?;
        for key in &keys {
            replica.keys_mut().register(key.clone())?;
        }
        let mut batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
        if reversed {
            batch.reverse();
        }
        for outcome in replica.ingest_batch(later, &batch)? {
            outcome?;
        }
        let task = |id| replica.entity("Task", id).map(|task| task.unwrap_or_else(|| "nothing".to_owned()));
        writeln!(out, "   {name:<10} Task t1 = {}, Task t2 = {}", task("t1")?, task("t2")?)?;
        writeln!(out, "              log   {}", replica.log().digest())?;
        writeln!(out, "              state {}", replica.state_digest())?;
        digests.push((replica.log().digest(), replica.state_digest()));
    }
    let equal = digests.windows(2).all(|pair| pair.first() == pair.last());
    writeln!(out, "   {}", if equal { "the digests are equal" } else { "THE DIGESTS DIFFER" })?;
    if equal { Ok(()) } else { Err("two replicas with the same operations disagree".into()) }
}

fn shown(value: Option<policysync::Value>) -> String {
    value.map_or_else(|| String::from("nothing"), |value| value.to_string())
}

/// Returns the same JSON with `null` for a signature.
fn without_signature(json: &str) -> Result<String, Failure> {
    let mut op: serde_json::Value = serde_json::from_str(json)?;
    let members = op.as_object_mut().ok_or("an operation is an object")?;
    members.insert(String::from("sig"), serde_json::Value::Null);
    Ok(op.to_string())
}

// A file of operations

/// The limits of one batch, in operations and in bytes.
const BATCH: usize = 1000;
const BATCH_BYTES: usize = 8 * MAX_OP_BYTES;

struct Arguments {
    operations: String,
    keys: Option<String>,
}

fn parse_arguments(words: impl Iterator<Item = String>) -> Result<Option<Arguments>, Failure> {
    let (mut operations, mut keys) = (None, None);
    let mut words = words;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--keys" if keys.is_none() => {
                keys = Some(words.next().ok_or_else(|| format!("--keys needs a file\n{USAGE}"))?);
            }
            option if option.starts_with('-') => {
                return Err(format!("{option} is not an option\n{USAGE}").into());
            }
            _ if operations.is_none() => operations = Some(word),
            _ => return Err(format!("one file of operations at a time\n{USAGE}").into()),
        }
    }
    match (operations, keys) {
        (Some(operations), keys) => Ok(Some(Arguments { operations, keys })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(format!("--keys needs a file of operations too\n{USAGE}").into()),
    }
}

/// Returns true if every line was admitted.
fn ingest_file(arguments: &Arguments, out: &mut impl Write) -> Result<bool, Failure> {
    let mut lines = Lines::open(&arguments.operations)?;
    let keys = match &arguments.keys {
        Some(file) => {
            let keys = read_keys(file)?;
            writeln!(out, "keys:  {} from {file}", keys.len())?;
            keys
        }
        None => {
            writeln!(out, "keys:  none, so every operation is refused; see --keys")?;
            KeyRegistry::new()
        }
    };
    let mut tally = Tally {
        // The `id` is only a label, which the reference implementation lets authors choose.
        replica: Replica::open(ReplicaOptions::new().keys(keys).labels(Labels::Any))?,
        now: system_wall_clock(),
        counts: BTreeMap::new(),
        all_admitted: true,
    };

    let mut batch: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut bytes = 0;
    while let Some(line) = lines.next()? {
        match line.text {
            Some(text) if text.trim_ascii().is_empty() => {}
            Some(text) => {
                bytes += text.len();
                batch.push((line.number, text));
            }
            None => {
                let message = format!("longer than the {MAX_OP_BYTES} bytes of an operation");
                tally.refuse(line.number, "malformed: too-large", &message);
            }
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            tally.ingest(&batch)?;
            batch.clear();
            bytes = 0;
        }
    }
    tally.ingest(&batch)?;
    tally.report(&arguments.operations, lines.number, out)?;
    Ok(tally.all_admitted)
}

/// The results of the lines, counted.
struct Tally {
    replica: Replica,
    now: WallMillis,
    counts: BTreeMap<String, u64>,
    all_admitted: bool,
}

impl Tally {
    fn ingest(&mut self, batch: &[(u64, Vec<u8>)]) -> Result<(), Failure> {
        let incoming: Vec<Incoming<'_>> = batch.iter().map(|(_, text)| Incoming::Json(text)).collect();
        let outcomes = self.replica.ingest_batch(self.now, &incoming)?;
        for ((number, _), outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Ok(Outcome::Appended { effect: Effect::Won { .. }, .. }) => {
                    self.count("appended, won its field")
                }
                Ok(Outcome::Appended { effect: Effect::Lost { .. }, .. }) => {
                    self.count("appended, lost its field to a later operation");
                }
                Ok(Outcome::Held { .. }) => self.count("held until its time comes"),
                Ok(Outcome::Duplicate { .. }) => self.count("duplicate"),
                Ok(other) => self.count(&format!("{other:?}")),
                Err(refused) => self.refuse(*number, &reason(&refused), &refused.to_string()),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, number: u64, reason: &str, message: &str) {
        complain(&format!("line {number}: {message}"));
        self.count(&format!("refused, {reason}"));
        self.all_admitted = false;
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn report(&mut self, file: &str, lines: u64, out: &mut impl Write) -> Result<(), Failure> {
        writeln!(out, "lines: {lines} from {file}")?;
        for (what, count) in &self.counts {
            writeln!(out, "{count:>9} {what}")?;
        }
        let changed = self.replica.poll(self.now)?.len();
        let forks = self.replica.log().forks()?.len();
        writeln!(out, "log:   {}", self.replica.log().digest())?;
        writeln!(out, "state: {changed} fields, {}", self.replica.state_digest())?;
        writeln!(out, "forks: {forks} pairs of operations of one actor with one timestamp")?;
        Ok(())
    }
}

/// Returns the reason of a refusal, and the rule that was broken.
fn reason(refused: &OpRefusal) -> String {
    match refused {
        OpRefusal::Malformed(error) => format!("malformed: {}", error.rule()),
        OpRefusal::WrongSpace { .. } => String::from("another space"),
        OpRefusal::UnknownKey { .. } => String::from("unknown key"),
        OpRefusal::BadSignature => String::from("bad signature"),
        OpRefusal::Denied => String::from("denied by the guard"),
        other => other.to_string(),
    }
}

/// The lines of a file, each read only up to the limit of an operation.
struct Lines {
    file: BufReader<File>,
    name: String,
    number: u64,
}

struct Line {
    /// The number of the line, from 1.
    number: u64,
    /// The line without its end; `None` if it is longer than an operation may be.
    text: Option<Vec<u8>>,
}

impl Lines {
    fn open(name: &str) -> Result<Self, Failure> {
        let file = File::open(name).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { file: BufReader::new(file), name: name.to_owned(), number: 0 })
    }

    fn next(&mut self) -> Result<Option<Line>, Failure> {
        let unreadable = |error| format!("{}: line {}: {error}", self.name, self.number + 1);
        // The line and its end.
        let limit = u64::try_from(MAX_OP_BYTES)? + 2;
        let mut text = Vec::new();
        if self.file.by_ref().take(limit).read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        if text.last() == Some(&b'\n') {
            text.pop();
            text.pop_if(|last| *last == b'\r');
        } else {
            self.file.skip_until(b'\n').map_err(unreadable)?;
        }
        let fits = text.len() <= MAX_OP_BYTES;
        self.number += 1;
        Ok(Some(Line { number: self.number, text: fits.then_some(text) }))
    }
}

fn read_keys(name: &str) -> Result<KeyRegistry, Failure> {
    let text = std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?;
    Ok(KeyRegistry::from_text(&text).map_err(|error| format!("{name}: {error}"))?)
}
