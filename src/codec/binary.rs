//! The binary form of an operation.
//!
//! The byte table is in the manual page `format`. Golden files test it.

use bincode::{DefaultOptions, ErrorKind, Options};
use serde::{Deserialize, Serialize};

use super::tags::BINARY_VERSION;
use super::text::check_size;
use super::{BinaryFault, DecodeError, MAX_OP_BYTES};
use crate::crypto::Signature;
use crate::hlc::Hlc;
use crate::op::{Field, Kind, OpError, OpRef, Parts, SignedOp, SignedOpRef, is_op_id};
use crate::value::{Excerpt, check_canonical};

const ED25519: u8 = 1;
const SET: u8 = 1;
const DELETE: u8 = 2;

/// The part after the version byte and the signature, in this order.
#[derive(Serialize, Deserialize)]
struct BinaryMembers<'a> {
    algorithm: u8,
    kind: u8,
    t: u64,
    c: u32,
    kid: &'a str,
    actor: &'a str,
    entity: &'a str,
    entity_id: &'a str,
    path: &'a str,
    /// `None` for the default id `actor:t:c`.
    label: Option<&'a str>,
    space: Option<&'a str>,
    /// Canonical JSON.
    value: &'a str,
}

/// Returns the configuration of bincode: fixed-width integers, little endian, no trailing bytes. Decoding borrows from
/// a slice, so a false length cannot make it allocate.
fn layout() -> impl Options {
    DefaultOptions::new().with_little_endian().with_fixint_encoding().reject_trailing_bytes()
}

impl<'a> SignedOpRef<'a> {
    /// Decodes the binary form. Names and value are borrowed from `bytes`. An accepted form re-encodes to the same
    /// bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the broken rule. The signature is not verified.
    pub fn from_binary(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_OP_BYTES {
            return Err(DecodeError::TooLarge { len: bytes.len(), limit: MAX_OP_BYTES });
        }
        let (version, rest) = bytes.split_first().ok_or(BinaryFault::Empty)?;
        if *version != BINARY_VERSION {
            return Err(BinaryFault::Version { found: *version }.into());
        }
        let (signature, rest) = rest.split_first_chunk().ok_or(BinaryFault::Truncated)?;
        let members: BinaryMembers<'a> = layout().deserialize(rest).map_err(|error| fault_of(&error))?;

        let unknown = |found, what| DecodeError::from(BinaryFault::Tag { found, what });
        if members.algorithm != ED25519 {
            return Err(unknown(members.algorithm, "the signature's algorithm"));
        }
        let kind = match members.kind {
            SET => Kind::Set,
            DELETE => Kind::Delete,
            found => return Err(unknown(found, "the kind")),
        };
        if members.t > Hlc::MAX.t() {
            return Err(DecodeError::TimeOutOfRange { found: Excerpt::of(&members.t.to_string()) });
        }
        if members.c > Hlc::MAX.c() {
            return Err(DecodeError::CounterOutOfRange { found: Excerpt::of(&members.c.to_string()) });
        }
        let ts = Hlc::new(members.t, members.c).map_err(OpError::from)?;
        let parts = Parts {
            label: members.label,
            actor: members.actor,
            ts,
            field: Field::new(members.entity, members.entity_id, members.path),
            kind,
            value: members.value,
            space: members.space,
        };
        check_value_and_label(&parts)?;
        let signed = SignedOpRef::new(OpRef::new(parts)?, members.kid, Signature::from_bytes(*signature))?;
        check_size(signed)?;
        Ok(signed)
    }

    /// Appends the binary form to `out`.
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail")]
    pub fn write_binary(self, out: &mut Vec<u8>) {
        let op = self.op();
        let members = BinaryMembers {
            algorithm: ED25519,
            kind: match op.kind() {
                Kind::Set => SET,
                Kind::Delete => DELETE,
            },
            t: op.ts().t(),
            c: op.ts().c(),
            kid: self.kid(),
            actor: op.actor(),
            entity: op.entity(),
            entity_id: op.entity_id(),
            path: op.path(),
            label: op.label(),
            space: op.space(),
            value: op.value(),
        };
        out.push(BINARY_VERSION);
        out.extend_from_slice(self.signature().as_bytes());
        layout().serialize_into(out, &members).expect("a Vec takes every byte, and there is no limit");
    }

    /// Returns the binary form.
    #[must_use]
    pub fn to_binary(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_binary(&mut out);
        out
    }

    /// Returns the length of the binary form in bytes.
    pub(crate) fn binary_len(self) -> usize {
        binary_len(self.op().parts(), self.kid())
    }
}

impl SignedOp {
    /// Decodes the binary form; see [`SignedOpRef::from_binary`].
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the broken rule. The signature is not verified.
    pub fn from_binary(bytes: &[u8]) -> Result<Self, DecodeError> {
        SignedOpRef::from_binary(bytes).map(SignedOpRef::to_signed_op)
    }

    /// Returns the binary form.
    #[must_use]
    pub fn to_binary(&self) -> Vec<u8> {
        self.as_ref().to_binary()
    }
}

/// Checks the members of a decoded operation, except the names, which are identifiers.
pub(super) fn check_with_checked_names<'a>(
    parts: Parts<'a>,
    kid: &'a str,
    signature: Signature,
) -> Result<SignedOpRef<'a>, DecodeError> {
    check_value_and_label(&parts)?;
    let signed = SignedOpRef::from_log(OpRef::with_checked_names(parts)?, kid, signature);
    check_size(signed)?;
    Ok(signed)
}

fn check_value_and_label(parts: &Parts<'_>) -> Result<(), DecodeError> {
    if parts.label.is_some_and(|label| is_op_id(label, parts.actor, parts.ts)) {
        return Err(BinaryFault::DefaultLabel.into());
    }
    Ok(check_canonical(parts.value)?)
}

/// Returns the length of the binary form in bytes.
pub(super) fn binary_len(parts: &Parts<'_>, kid: &str) -> usize {
    /// The version, the signature, the algorithm, the kind, the time, the counter, and whether there is a label and a
    /// space.
    const FIXED: usize = 1 + 64 + 1 + 1 + 8 + 4 + 1 + 1;
    /// The length of a text.
    const LEN: usize = 8;
    let Field { entity, entity_id, path, .. } = parts.field;
    let texts = [kid, parts.actor, entity, entity_id, path, parts.value];
    let optional = [parts.label, parts.space].into_iter().flatten();
    texts.into_iter().chain(optional).fold(FIXED, |sum, text| sum.saturating_add(LEN + text.len()))
}

fn fault_of(error: &ErrorKind) -> BinaryFault {
    match error {
        ErrorKind::Io(_) | ErrorKind::SizeLimit => BinaryFault::Truncated,
        ErrorKind::InvalidUtf8Encoding(_) => BinaryFault::InvalidUtf8,
        ErrorKind::InvalidTagEncoding(found) => match u8::try_from(*found) {
            Ok(found) => BinaryFault::Tag { found, what: "an optional member" },
            Err(_) => BinaryFault::Layout,
        },
        // The only custom error of reading plain members from a slice.
        ErrorKind::Custom(_) => BinaryFault::TrailingBytes,
        _ => BinaryFault::Layout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;

    #[test]
    fn the_length_of_the_binary_form_is_known_without_it() {
        let set = Op::lww_set("alice", Hlc::MAX, ("Task", "t1", "title"), "x".repeat(300)).unwrap();
        let delete = Op::lww_delete("al", Hlc::MIN, ("T", &"i".repeat(1024), "p")).unwrap();
        for op in [set.clone(), delete, set.in_space("home").unwrap().labelled("alice:1").unwrap()] {
            let signed = SignedOp::new(op, "kid", Signature::from_bytes([7; 64])).unwrap();
            assert_eq!(signed.as_ref().binary_len(), signed.to_binary().len());
        }
    }
}
