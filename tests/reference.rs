//! The 300 operations of the TypeScript reference: text, hash, signature, order and state are equal.

mod common;

use common::{NOW, crypto, hex};
use policysync::crypto::{Hash, KeyPair, Signature};
use policysync::keys::sign_op;
use policysync::replica::Labels;
use policysync::{Hlc, Incoming, KeyRegistry, Op, Replica, ReplicaOptions, SignedOp, SigningSecretKey};
use serde_json::{Value as Json, json};

struct Reference {
    /// The text of each operation as in the file.
    texts: Vec<&'static str>,
    keys: Vec<SigningSecretKey>,
    ops: Vec<Json>,
    arrival: Vec<usize>,
    order: Vec<usize>,
    state: Vec<Json>,
}

fn reference() -> Reference {
    let text = include_str!("vectors/reference-v1.json");
    let json: Json = serde_json::from_str(text).unwrap();
    let numbers = |name: &str| -> Vec<usize> {
        json[name].as_array().unwrap().iter().map(|n| n.as_u64().unwrap().try_into().unwrap()).collect()
    };
    let keys = json["keys"].as_array().unwrap().iter().map(|key| {
        let seed: [u8; 32] = hex(key["seed"].as_str().unwrap()).try_into().unwrap();
        let pair = KeyPair::from_seed(&seed).unwrap();
        assert_eq!(pair.public_key().to_string(), key["publicKey"].as_str().unwrap());
        SigningSecretKey::with_kid(key["actor"].as_str().unwrap(), key["kid"].as_str().unwrap(), pair)
            .unwrap()
    });
    Reference {
        texts: text.split("\"op\": ").skip(1).map(object).collect(),
        keys: keys.collect(),
        ops: json["ops"].as_array().unwrap().clone(),
        arrival: numbers("arrival"),
        order: numbers("order"),
        state: json["state"].as_array().unwrap().clone(),
    }
}

/// Returns the JSON object at the start of a text.
fn object(text: &str) -> &str {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..=at];
        }
    }
    panic!("not an object: {text}");
}

impl Reference {
    fn key_of(&self, kid: &str) -> &SigningSecretKey {
        self.keys.iter().find(|key| key.public_key().kid() == kid).unwrap()
    }

    fn registry(&self) -> KeyRegistry {
        let mut registry = KeyRegistry::new();
        for key in &self.keys {
            registry.register(key.public_key().clone()).unwrap();
        }
        registry
    }

    /// Returns an operation as JSON text that the reference would send: the bytes of the file, with the signature as a
    /// member. `serde_json` must not convert the value, because it reads some doubles one unit off.
    fn json_text(&self, number: usize) -> String {
        let entry = &self.ops[number];
        let signature: [u8; 64] = hex(entry["sig"]["bytes"].as_str().unwrap()).try_into().unwrap();
        let sig = json!({
            "kid": entry["sig"]["kid"],
            "alg": entry["sig"]["alg"],
            "bytes": Signature::from_bytes(signature).to_base64(),
        });
        let members = self.texts[number].strip_prefix('{').unwrap();
        format!("{{\"sig\":{sig},{members}")
    }

    fn signed_ops(&self) -> Vec<SignedOp> {
        (0..self.ops.len()).map(|n| SignedOp::from_json(self.json_text(n).as_bytes()).unwrap()).collect()
    }
}

/// Builds the signed text from the canonical JSON form by replacing the object of the signature.
fn signed_text(op: &SignedOp) -> String {
    let json = op.to_json();
    let start = json.find("\"sig\":{\"alg\":").unwrap() + "\"sig\":".len();
    let end = start + json[start..].find('}').unwrap() + 1;
    format!("{}undefined{}", &json[..start], &json[end..])
}

#[test]
fn every_signed_text_and_hash_equals_that_of_the_reference() {
    let reference = reference();
    assert_eq!(reference.ops.len(), 300);
    for (op, entry) in reference.signed_ops().iter().zip(&reference.ops) {
        let text = signed_text(op);
        assert_eq!(text, entry["payload"].as_str().unwrap());
        assert_eq!(crypto().hash(text.as_bytes()).to_string(), entry["payloadSha256"].as_str().unwrap());
    }
}

#[test]
fn every_signature_is_reproduced_from_the_seed() {
    let reference = reference();
    let mut labelled = 0;
    for (received, entry) in reference.signed_ops().iter().zip(&reference.ops) {
        let op = &entry["op"];
        let ts =
            Hlc::new(op["ts"]["t"].as_u64().unwrap(), op["ts"]["c"].as_u64().unwrap().try_into().unwrap());
        let name = |member: &str| op[member].as_str().unwrap();
        let value = received.op().value().clone();
        let made =
            Op::lww_set(name("actor"), ts.unwrap(), (name("entity"), name("entityId"), name("path")), value)
                .unwrap();
        let made = made.labelled(name("id")).unwrap();
        assert_eq!(made.id(), name("id"));
        labelled += usize::from(made.as_ref().label().is_some());
        let key = reference.key_of(entry["sig"]["kid"].as_str().unwrap());
        let signed = sign_op(&crypto(), made, key).unwrap();
        assert_eq!(signed.signature().as_bytes().to_vec(), hex(entry["sig"]["bytes"].as_str().unwrap()));
        assert_eq!(signed, *received);
    }
    assert!(labelled > 0, "some ids are labels");
}

#[test]
fn order_and_state_equal_those_of_the_reference() {
    let reference = reference();
    let ops = reference.signed_ops();
    let hash_of =
        |number: usize| -> Hash { reference.ops[number]["payloadSha256"].as_str().unwrap().parse().unwrap() };
    let mut replica =
        Replica::open(ReplicaOptions::new().keys(reference.registry()).labels(Labels::Any)).unwrap();
    let batch: Vec<Incoming<'_>> = reference.arrival.iter().map(|number| (&ops[*number]).into()).collect();
    for outcome in replica.ingest_batch(NOW, &batch).unwrap() {
        assert!(matches!(outcome, Ok(policysync::Outcome::Appended { .. })), "{outcome:?}");
    }
    let order: Vec<String> = replica.log().iter().map(|entry| entry.unwrap().hash.to_string()).collect();
    let expected: Vec<String> = reference.order.iter().map(|number| hash_of(*number).to_string()).collect();
    assert_eq!(order, expected);

    assert_eq!(reference.state.len(), 112);
    for register in &reference.state {
        let name = |member: &str| register[member].as_str().unwrap();
        let winner: usize = register["winner"].as_u64().unwrap().try_into().unwrap();
        let explanation =
            replica.explain((name("entity"), name("entityId"), name("path"))).unwrap().expect("somebody won");
        assert_eq!(explanation.winner.hash.to_string(), hash_of(winner).to_string());
    }
    let entities: std::collections::BTreeSet<&str> = ops.iter().map(|op| op.op().entity()).collect();
    let registers: usize = entities
        .iter()
        .flat_map(|entity| replica.entities(entity).into_iter().map(move |id| (*entity, id)))
        .map(|(entity, id)| replica.fields(entity, &id, "").unwrap().len())
        .sum();
    assert_eq!(registers, reference.state.len());
}
