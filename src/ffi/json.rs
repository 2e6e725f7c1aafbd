//! The documents that cross as JSON. What they hold is described in the header, at the functions that write them.

use std::fmt::Display;

use crate::state::{Rule, Standing, Version};
#[cfg(feature = "sqlite")]
use crate::store::{Damage, Finding, Place};
use crate::{Change, Explanation, ForkProof, SigningPublicKey, Value};

/// A JSON array of what `write` makes of each item.
pub(super) fn array<T>(items: impl IntoIterator<Item = T>, write: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(|item| write(&item)).collect();
    format!("[{}]", items.join(","))
}

/// A JSON string.
pub(super) fn string(text: impl Display) -> String {
    Value::from(text.to_string()).to_string()
}

/// A JSON object of fields, in their order.
pub(super) fn fields(fields: &[(String, Value)]) -> String {
    let members: Vec<String> =
        fields.iter().map(|(path, value)| format!("{}:{value}", string(path))).collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn change(change: &Change) -> String {
    let Change { entity, entity_id, path, kind, winner } = change;
    let [entity, entity_id, path] = [entity, entity_id, path].map(string);
    format!(
        r#"{{"entity":{entity},"entityId":{entity_id},"path":{path},"kind":"{kind}","winner":"{winner}"}}"#
    )
}

pub(super) fn version(version: &Version) -> String {
    let standing = match version.standing {
        Standing::Winner => "winner",
        Standing::Superseded => "superseded",
        Standing::Held => "held",
    };
    format!(r#"{{"hash":"{}","standing":"{standing}","op":{}}}"#, version.hash, version.op.to_json())
}

pub(super) fn explanation(explanation: &Explanation) -> String {
    let winner = version(&explanation.winner);
    let (over, rule) = match &explanation.over {
        None => (String::from("null"), "null"),
        Some((over, rule)) => (
            version(over),
            match rule {
                Rule::Time => r#""time""#,
                Rule::Counter => r#""counter""#,
                Rule::Actor => r#""actor""#,
                Rule::Hash => r#""hash""#,
            },
        ),
    };
    format!(r#"{{"winner":{winner},"over":{over},"rule":{rule}}}"#)
}

pub(super) fn fork(proof: &ForkProof) -> String {
    format!(r#"{{"first":{},"second":{}}}"#, proof.first().to_json(), proof.second().to_json())
}

pub(super) fn key(key: &SigningPublicKey) -> String {
    let [actor, kid] = [key.actor(), key.kid()].map(string);
    format!(r#"{{"actor":{actor},"kid":{kid},"publicKey":"{}"}}"#, key.public_key())
}

#[cfg(feature = "sqlite")]
pub(super) fn finding(finding: &Finding) -> String {
    let (place, seq) = match finding.place {
        Place::File => ("file", None),
        Place::Schema => ("schema", None),
        Place::Meta => ("description", None),
        Place::Seal => ("seal", None),
        Place::Operation { seq } => ("operation", Some(seq)),
    };
    let arrival = seq.map(|seq| format!(r#""arrival":{seq},"#)).unwrap_or_default();
    let damage = match finding.damage {
        Damage::Malformed => "malformed",
        Damage::Check { .. } => "check",
        Damage::Empty => "empty",
        Damage::Missing => "missing",
        Damage::Unexpected => "unexpected",
        Damage::Decode(_) => "decode",
        Damage::Hash => "hash",
        Damage::Duplicate => "duplicate",
        Damage::Space => "space",
        Damage::Signature => "signature",
        Damage::UnknownKey { .. } => "unknown_key",
        Damage::Seal => "seal",
    };
    let text = string(&finding.damage);
    format!(r#"{{"place":"{place}",{arrival}"damage":"{damage}","text":{text}}}"#)
}
