//! Hostile and boundary documents of an independent program: each breaks one rule of the format, or obeys all of them
//! at a limit.

mod common;

use std::collections::BTreeMap;

use common::{crypto, hex};
use policysync::crypto::KeyPair;
use policysync::replica::Labels;
use policysync::{
    IngestError, KeyRegistry, OpRefusal, Outcome, Replica, ReplicaOptions, SignedOp, SigningSecretKey,
    WallMillis,
};

const DOCUMENTS: &str = include_str!("vectors/hostile.txt");
const NOW: WallMillis = WallMillis(1_760_000_100_000);

type Record<'a> = BTreeMap<&'a str, &'a str>;

fn records() -> Vec<Record<'static>> {
    let body: String = DOCUMENTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n");
    let body: &'static str = body.leak();
    body.split("\n\n")
        .map(str::trim)
        .filter(|record| !record.is_empty())
        .map(|record| record.lines().filter_map(|line| line.split_once(": ")).collect())
        .collect()
}

fn registry() -> KeyRegistry {
    let mut registry = KeyRegistry::new();
    for line in DOCUMENTS.lines().filter_map(|line| line.strip_prefix("# key: ")) {
        let fields: Vec<&str> = line.split(" | ").collect();
        // The first such line names the columns. The key of mallory is not registered.
        let [label, "registered", _, actor, kid, seed, public, ..] = fields[..] else { continue };
        if label == "label" {
            continue;
        }
        let text = |digits| String::from_utf8(hex(digits)).unwrap();
        let seed: [u8; 32] = hex(seed).try_into().unwrap();
        let pair = KeyPair::from_seed(&seed).unwrap();
        assert_eq!(pair.public_key().to_string(), public);
        let key = SigningSecretKey::with_kid(&text(actor), &text(kid), pair).unwrap();
        registry.register(key.public_key().clone()).unwrap();
    }
    assert!(registry.len() >= 6);
    registry
}

/// Returns the bytes that `NAME-hex` or `NAME-recipe` describes.
fn bytes(record: &Record<'_>, name: &str) -> Vec<u8> {
    let part = |digits: &str| if digits == "-" { Vec::new() } else { hex(digits) };
    if let Some(digits) = record.get(&*format!("{name}-hex")) {
        return part(digits);
    }
    let recipe = record.get(&*format!("{name}-recipe")).expect("a document has bytes");
    let words: Vec<&str> = recipe.split(' ').collect();
    match words[..] {
        ["pad", prefix, fill, count, suffix] => {
            [part(prefix), part(fill).repeat(count.parse().unwrap()), part(suffix)].concat()
        }
        ["nest", prefix, open, count, middle, close, suffix] => {
            let count = count.parse().unwrap();
            [part(prefix), part(open).repeat(count), part(middle), part(close).repeat(count), part(suffix)]
                .concat()
        }
        _ => panic!("unknown recipe {recipe}"),
    }
}

fn replica_for(record: &Record<'_>) -> Replica {
    let mut options = ReplicaOptions::new().keys(registry());
    match record["space"].split(' ').next().unwrap() {
        "-" => {}
        space => options = options.space(space),
    }
    if record.get("labels").is_some_and(|labels| labels.starts_with("any")) {
        options = options.labels(Labels::Any);
    }
    Replica::open(options).unwrap()
}

fn verdict(result: &Result<Outcome, IngestError>) -> String {
    match result {
        Ok(Outcome::Appended { .. }) => "appended".into(),
        Ok(Outcome::Held { .. }) => "held".into(),
        Ok(other) => format!("{other:?}"),
        Err(IngestError::Refused(OpRefusal::Malformed(error))) => format!("malformed/{}", error.rule()),
        Err(IngestError::Refused(OpRefusal::WrongSpace { .. })) => "refused/wrong-space".into(),
        Err(IngestError::Refused(OpRefusal::UnknownKey { .. })) => "refused/unknown-key".into(),
        Err(IngestError::Refused(OpRefusal::BadSignature)) => "refused/bad-signature".into(),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn every_document_gets_its_verdict() {
    let records = records();
    assert!(records.len() >= 600, "{} documents", records.len());
    let mut wrong = Vec::new();
    for record in &records {
        let mut replica = replica_for(record);
        let document = bytes(record, "document");
        let result = replica.ingest(NOW, policysync::Incoming::Json(&document));
        let found = verdict(&result);
        if found != record["expect"] {
            wrong.push(format!(
                "{}: {found}, expected {} ({})",
                record["name"], record["expect"], record["comment"]
            ));
        }
        if let Err(error) = &result {
            assert!(replica.log().is_empty(), "{}", record["name"]);
            let text = error.to_string();
            assert!(text.len() <= 512, "{}: {} bytes of error", record["name"], text.len());
            assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}: {text:?}", record["name"]);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), records.len(), wrong.join("\n"));
}

#[test]
fn accepted_documents_have_the_text_and_hash_of_the_other_implementation() {
    let mut accepted = 0;
    for record in records().iter().filter(|record| record.contains_key("op-hash")) {
        let document = bytes(record, "document");
        let op = SignedOp::from_json(&document).unwrap();
        let text = bytes(record, "signed-text");
        assert_eq!(crypto().hash(&text).to_string(), record["op-hash"], "{}", record["name"]);
        let mut replica = replica_for(record);
        let hash = match replica.ingest(NOW, &op).unwrap() {
            Outcome::Appended { hash, .. } | Outcome::Held { hash, .. } => hash,
            other => panic!("{other:?}"),
        };
        assert_eq!(hash.to_string(), record["op-hash"], "{}", record["name"]);

        // Both encodings, and the log, return the same operation.
        let stored = replica.log().get(&hash).unwrap().unwrap();
        assert_eq!(stored, op, "{}", record["name"]);
        assert_eq!(SignedOp::from_json(stored.to_json().as_bytes()).unwrap(), op);
        assert_eq!(SignedOp::from_binary(&stored.to_binary()).unwrap(), op);
        accepted += 1;
    }
    assert!(accepted >= 90, "{accepted}");
}

#[test]
fn each_rule_has_documents_that_break_it() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records() {
        *counts.entry(record["expect"]).or_default() += 1;
    }
    for rule in [
        "too-large",
        "invalid-utf8",
        "byte-order-mark",
        "syntax",
        "trailing-bytes",
        "too-deep",
        "duplicate-member",
        "lone-surrogate",
        "control-character",
        "unsafe-integer",
        "number-overflow",
        "number-underflow",
        "negative-zero",
        "wrong-type",
        "missing-member",
        "unknown-member",
        "identifier-empty",
        "identifier-too-long",
        "identifier-control",
        "identifier-bidi",
        "unknown-kind",
        "delete-with-value",
        "timestamp-actor",
        "time-out-of-range",
        "counter-out-of-range",
        "id-mismatch",
        "unknown-algorithm",
        "signature-encoding",
        "unsigned",
    ] {
        assert!(counts.get(&*format!("malformed/{rule}")).is_some_and(|count| *count >= 3), "{rule}");
    }
    for rule in ["refused/wrong-space", "refused/unknown-key", "refused/bad-signature"] {
        assert!(counts.get(rule).is_some_and(|count| *count >= 3), "{rule}");
    }
}
