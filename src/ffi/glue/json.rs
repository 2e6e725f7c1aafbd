//! The JSON documents for C. The header describes them at the functions that return them.

use std::fmt::Display;

#[cfg(feature = "sqlite")]
use crate::keys::VerifyError;
use crate::state::{Rule, Standing, Version};
#[cfg(feature = "sqlite")]
use crate::store::{Damage, Finding, Place};
use crate::{Change, Explanation, ForkProof, SigningPublicKey, Value};

/// Returns a JSON array of the items, each encoded by `write`.
pub(in crate::ffi) fn array<T>(items: impl IntoIterator<Item = T>, write: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(|item| write(&item)).collect();
    format!("[{}]", items.join(","))
}

/// Returns a JSON string.
pub(in crate::ffi) fn string(text: impl Display) -> String {
    Value::from(text.to_string()).to_string()
}

pub(in crate::ffi) fn change(change: &Change) -> String {
    let Change { entity, entity_id, path, kind, winner } = change;
    let winner = winner.map_or_else(|| String::from("null"), |winner| format!("\"{winner}\""));
    let [entity, entity_id, path] = [entity, entity_id, path].map(string);
    format!(r#"{{"entity":{entity},"entityId":{entity_id},"path":{path},"kind":"{kind}","winner":{winner}}}"#)
}

pub(in crate::ffi) fn version(version: &Version) -> String {
    let standing = match version.standing {
        Standing::Winner => "winner",
        Standing::Superseded => "superseded",
        Standing::Held => "held",
    };
    format!(r#"{{"hash":"{}","standing":"{standing}","op":{}}}"#, version.hash, version.op.to_json())
}

pub(in crate::ffi) fn explanation(explanation: &Explanation) -> String {
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

pub(in crate::ffi) fn fork(proof: &ForkProof) -> String {
    format!(r#"{{"first":{},"second":{}}}"#, proof.first().to_json(), proof.second().to_json())
}

pub(in crate::ffi) fn key(key: &SigningPublicKey) -> String {
    let [actor, kid] = [key.actor(), key.kid()].map(string);
    format!(r#"{{"actor":{actor},"kid":{kid},"publicKey":"{}"}}"#, key.public_key())
}

#[cfg(feature = "sqlite")]
pub(in crate::ffi) fn finding(finding: &Finding) -> String {
    let (place, seq) = match finding.place {
        Place::File => ("file", None),
        Place::Schema => ("schema", None),
        Place::Head => ("head", None),
        Place::Seal => ("seal", None),
        Place::Operation { seq } => ("operation", Some(seq)),
    };
    let seq = seq.map(|seq| format!(r#""opSeq":{seq},"#)).unwrap_or_default();
    let damage = match finding.damage {
        Damage::Malformed => "malformed",
        Damage::Check { .. } => "check",
        Damage::Empty => "empty",
        Damage::Missing => "missing",
        Damage::Unexpected => "unexpected",
        Damage::Decode(_) | Damage::Verify(VerifyError::Op(_)) => "decode",
        Damage::Hash => "hash",
        Damage::Duplicate => "duplicate",
        Damage::Space => "space",
        Damage::Verify(VerifyError::BadSignature) => "signature",
        Damage::Verify(VerifyError::UnknownKey { .. }) => "unknown_key",
        Damage::Seal => "seal",
    };
    let text = string(&finding.damage);
    format!(r#"{{"place":"{place}",{seq}"damage":"{damage}","text":{text}}}"#)
}
