//! The JSON form of an operation.

use std::borrow::Cow;

use super::text::check_size;
use super::{DecodeError, MAX_OP_BYTES};
use crate::crypto::Signature;
use crate::hlc::Hlc;
use crate::op::{Field, Kind, Member, OpError, OpRef, Parts, SignedOp, SignedOpRef, op_id};
use crate::value::{Excerpt, JsonReader};

impl SignedOp {
    /// Parses the JSON form strictly: UTF-8, no byte order mark, exactly the members of the format, no duplicate names,
    /// no number that another reader would read differently. White space, the order of members, escapes and the
    /// notation of numbers do not matter.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the broken rule. The signature is not verified.
    pub fn from_json(json: &[u8]) -> Result<Self, DecodeError> {
        if json.len() > MAX_OP_BYTES {
            return Err(DecodeError::TooLarge { len: json.len(), limit: MAX_OP_BYTES });
        }
        let mut reader = JsonReader::new(json)?;
        let members = read_members(&mut reader)?;
        reader.finish()?;
        members.into_signed_op()
    }

    /// Returns the canonical JSON form (RFC 8785), on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.as_ref().to_json()
    }
}

/// The members of the document.
#[derive(Default)]
struct Members<'a> {
    id: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
    ts: Option<(Hlc, Cow<'a, str>)>,
    entity: Option<Cow<'a, str>>,
    entity_id: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    kind: Option<Kind>,
    value: Option<String>,
    space: Option<Cow<'a, str>>,
    sig: Option<Sig<'a>>,
}

/// A kid and a signature.
type Sig<'a> = (Cow<'a, str>, Signature);

fn read_members<'a>(reader: &mut JsonReader<'a>) -> Result<Members<'a>, DecodeError> {
    let mut members = Members::default();
    for_each_member(reader, |reader, name| match name {
        "id" => once(&mut members.id, Member::Id, reader, text),
        "actor" => once(&mut members.actor, Member::Actor, reader, text),
        "ts" => once(&mut members.ts, Member::Ts, reader, read_ts),
        "entity" => once(&mut members.entity, Member::Entity, reader, text),
        "entityId" => once(&mut members.entity_id, Member::EntityId, reader, text),
        "path" => once(&mut members.path, Member::Path, reader, text),
        "kind" => once(&mut members.kind, Member::Kind, reader, read_kind),
        "value" => once(&mut members.value, Member::Value, reader, read_value),
        "space" => once(&mut members.space, Member::Space, reader, text),
        "sig" => once(&mut members.sig, Member::Sig, reader, read_sig),
        _ => Err(unknown_member(reader, name)),
    })?;
    Ok(members)
}

fn read_ts<'a>(reader: &mut JsonReader<'a>) -> Result<(Hlc, Cow<'a, str>), DecodeError> {
    let (mut t, mut c, mut a) = (None, None, None);
    for_each_member(reader, |reader, name| match name {
        "t" => once(&mut t, Member::TsTime, reader, |reader| {
            let found = reader.number()?;
            whole(found, Hlc::MAX.t())
                .ok_or_else(|| DecodeError::TimeOutOfRange { found: Excerpt::of(&found.to_string()) })
        }),
        "c" => once(&mut c, Member::TsCounter, reader, |reader| {
            let found = reader.number()?;
            whole(found, u64::from(Hlc::MAX.c()))
                .and_then(|whole| u32::try_from(whole).ok())
                .ok_or_else(|| DecodeError::CounterOutOfRange { found: Excerpt::of(&found.to_string()) })
        }),
        "a" => once(&mut a, Member::TsActor, reader, text),
        _ => Err(unknown_member(reader, name)),
    })?;
    let ts =
        Hlc::new(required(t, Member::TsTime)?, required(c, Member::TsCounter)?).map_err(OpError::from)?;
    Ok((ts, required(a, Member::TsActor)?))
}

fn read_sig<'a>(reader: &mut JsonReader<'a>) -> Result<Sig<'a>, DecodeError> {
    if reader.null()? {
        return Err(DecodeError::Unsigned);
    }
    let (mut kid, mut algorithm, mut signature) = (None, None, None);
    for_each_member(reader, |reader, name| match name {
        "kid" => once(&mut kid, Member::Kid, reader, text),
        "alg" => once(&mut algorithm, Member::Alg, reader, |reader| match &*reader.string()? {
            "ed25519" => Ok(()),
            other => Err(DecodeError::UnknownAlgorithm { name: Excerpt::of(other) }),
        }),
        "bytes" => once(&mut signature, Member::SigBytes, reader, |reader| {
            Signature::from_base64(&reader.string()?).map_err(|_| DecodeError::SignatureEncoding)
        }),
        _ => Err(unknown_member(reader, name)),
    })?;
    required(algorithm, Member::Alg)?;
    Ok((required(kid, Member::Kid)?, required(signature, Member::SigBytes)?))
}

fn text<'a>(reader: &mut JsonReader<'a>) -> Result<Cow<'a, str>, DecodeError> {
    Ok(reader.string()?)
}

fn read_kind(reader: &mut JsonReader<'_>) -> Result<Kind, DecodeError> {
    let name = reader.string()?;
    Kind::from_name(&name).ok_or_else(|| DecodeError::UnknownKind { name: Excerpt::of(&name) })
}

fn read_value(reader: &mut JsonReader<'_>) -> Result<String, DecodeError> {
    let mut canonical = String::new();
    reader.value(&mut canonical)?;
    Ok(canonical)
}

/// Calls `member` with the name of each member of the next object. It reads the value.
fn for_each_member<'a>(
    reader: &mut JsonReader<'a>,
    mut member: impl FnMut(&mut JsonReader<'a>, &str) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    reader.begin_object()?;
    let mut first = true;
    while let Some(name) = reader.next_member(first)? {
        first = false;
        member(reader, &name)?;
    }
    Ok(())
}

fn unknown_member(reader: &JsonReader<'_>, name: &str) -> DecodeError {
    DecodeError::UnknownMember { name: Excerpt::of(name), at: reader.offset() }
}

/// Reads a member that may occur once.
fn once<'a, T>(
    slot: &mut Option<T>,
    member: Member,
    reader: &mut JsonReader<'a>,
    read: impl FnOnce(&mut JsonReader<'a>) -> Result<T, DecodeError>,
) -> Result<(), DecodeError> {
    if slot.is_some() {
        return Err(DecodeError::DuplicateMember { member, at: reader.offset() });
    }
    *slot = Some(read(reader)?);
    Ok(())
}

fn required<T>(slot: Option<T>, member: Member) -> Result<T, DecodeError> {
    slot.ok_or(DecodeError::MissingMember { member })
}

/// Converts a double to an integer from 0 to `max`, which is at most 2^53 - 1.
#[expect(
    clippy::as_conversions,
    reason = "an integral double in this range converts exactly; there is no TryFrom"
)]
fn whole(number: f64, max: u64) -> Option<u64> {
    if number < 0.0 || number > max as f64 || number.fract() != 0.0 {
        return None;
    }
    Some(number as u64)
}

impl Members<'_> {
    fn into_signed_op(self) -> Result<SignedOp, DecodeError> {
        let actor = required(self.actor, Member::Actor)?;
        let (ts, ts_actor) = required(self.ts, Member::Ts)?;
        let id = required(self.id, Member::Id)?;
        let (kid, signature) = self.sig.ok_or(DecodeError::Unsigned)?;
        if ts_actor != actor {
            return Err(DecodeError::TimestampActor {
                found: Excerpt::of(&ts_actor),
                actor: Excerpt::of(&actor),
            });
        }
        let parts = Parts {
            label: (id != op_id(&actor, ts)).then_some(&*id),
            actor: &actor,
            ts,
            field: Field {
                entity: &required(self.entity, Member::Entity)?,
                entity_id: &required(self.entity_id, Member::EntityId)?,
                path: &required(self.path, Member::Path)?,
            },
            kind: required(self.kind, Member::Kind)?,
            value: &required(self.value, Member::Value)?,
            space: self.space.as_deref(),
        };
        let signed = SignedOpRef::new(OpRef::new(parts)?, &kid, signature)?;
        check_size(signed)?;
        Ok(signed.to_signed_op())
    }
}
