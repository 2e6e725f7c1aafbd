//! The canonical texts of an operation (RFC 8785): the signed text, the JSON form.

use crate::op::{OpError, OpRef, SignedOpRef};
use crate::value::write_string;

/// The greatest length of an operation in bytes, of its JSON text as received and of its canonical JSON form with the
/// signature: 1 MiB. It is a protocol constant: replicas with different limits would accept different operations.
pub const MAX_OP_BYTES: usize = 1 << 20;

/// The placeholder for the signature in the signed text. The TypeScript reference signs it; because it is not JSON, no
/// signature of a JSON document can be mistaken for the signature of an operation.
const UNSIGNED: &str = "undefined";

/// Replaces `text` with the text that is signed and hashed.
pub(super) fn write_signed_text(op: OpRef<'_>, kid: &str, text: &mut String) -> Result<(), OpError> {
    #[cfg(test)]
    SIGNED_TEXTS.set(SIGNED_TEXTS.get() + 1);
    text.clear();
    text.reserve(capacity(op));
    write_before_sig(op, text);
    text.push_str(UNSIGNED);
    write_after_sig(op, text);
    check_len(text.len() - UNSIGNED.len() + sig_len(kid))
}

/// Checks that a decoded operation does not exceed [`MAX_OP_BYTES`].
pub(super) fn check_size(signed: SignedOpRef<'_>) -> Result<(), OpError> {
    // Names have at most 1 KiB, so only a long value can exceed the limit.
    if signed.op().value().len() < MAX_OP_BYTES / 2 {
        return Ok(());
    }
    // The value is counted, not copied.
    let op = signed.op();
    let mut text = String::new();
    write_before_sig(op, &mut text);
    write_up_to_value(op, &mut text);
    check_len(text.len() + sig_len(signed.kid()) + op.value().len() + "}".len())
}

fn check_len(len: usize) -> Result<(), OpError> {
    if len > MAX_OP_BYTES { Err(OpError::TooLarge { len, limit: MAX_OP_BYTES }) } else { Ok(()) }
}

#[cfg(test)]
thread_local! {
    /// The number of signed texts that this thread has written.
    pub(crate) static SIGNED_TEXTS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl SignedOpRef<'_> {
    /// Returns the canonical JSON form (RFC 8785), on one line.
    #[must_use]
    pub fn to_json(self) -> String {
        let op = self.op();
        let mut text = String::with_capacity(capacity(op) + 128 + self.kid().len());
        write_before_sig(op, &mut text);
        text.push_str("{\"alg\":\"ed25519\",\"bytes\":\"");
        text.push_str(&self.signature().to_base64());
        write_text(&mut text, "\",\"kid\":", self.kid());
        text.push('}');
        write_after_sig(op, &mut text);
        text
    }
}

/// Returns a capacity that suffices for an operation without escapes, so that its text is allocated once.
fn capacity(op: OpRef<'_>) -> usize {
    let names = op.entity().len() + op.entity_id().len() + op.path().len() + op.space().map_or(0, str::len);
    192 + 3 * op.actor().len() + op.label().map_or(0, str::len) + names + op.value().len()
}

fn write_before_sig(op: OpRef<'_>, text: &mut String) {
    write_text(text, "{\"actor\":", op.actor());
    write_text(text, ",\"entity\":", op.entity());
    write_text(text, ",\"entityId\":", op.entity_id());
    write_text(text, ",\"id\":", op.label().unwrap_or(op.actor()));
    if op.label().is_none() {
        // Before the closing quote.
        text.pop();
        write_integer(text, ":", op.ts().t());
        write_integer(text, ":", op.ts().c());
        text.push('"');
    }
    text.push_str(",\"kind\":\"");
    text.push_str(op.kind().as_str());
    write_text(text, "\",\"path\":", op.path());
    text.push_str(",\"sig\":");
}

/// Returns the number of bytes of the member `sig` in the canonical JSON form.
fn sig_len(kid: &str) -> usize {
    const FRAME: usize = "{\"alg\":\"ed25519\",\"bytes\":\"\",\"kid\":\"\"}".len() + 88;
    // An identifier has no control characters, so only quotes and backslashes are escaped.
    FRAME + kid.len() + kid.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

fn write_after_sig(op: OpRef<'_>, text: &mut String) {
    write_up_to_value(op, text);
    text.push_str(op.value());
    text.push('}');
}

fn write_up_to_value(op: OpRef<'_>, text: &mut String) {
    if let Some(space) = op.space() {
        write_text(text, ",\"space\":", space);
    }
    write_text(text, ",\"ts\":{\"a\":", op.actor());
    write_integer(text, ",\"c\":", op.ts().c());
    write_integer(text, ",\"t\":", op.ts().t());
    text.push_str("},\"value\":");
}

fn write_text(text: &mut String, before: &str, member: &str) {
    text.push_str(before);
    write_string(text, member);
}

fn write_integer(text: &mut String, before: &str, member: impl itoa::Integer) {
    text.push_str(before);
    text.push_str(itoa::Buffer::new().format(member));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Signature;
    use crate::hlc::Hlc;
    use crate::op::{Op, SignedOp};

    fn signed_text(op: OpRef<'_>, kid: &str) -> Result<String, OpError> {
        let mut text = String::new();
        write_signed_text(op, kid, &mut text).map(|()| text)
    }

    fn op() -> Op {
        let ts = Hlc::new(1_760_000_000_000, 1).unwrap();
        Op::lww_set("alice", ts, ("Task", "t1", "title"), "Hello world").unwrap()
    }

    #[test]
    fn the_signed_text_is_the_one_of_the_manual() {
        assert_eq!(
            signed_text(op().as_ref(), "k").unwrap(),
            r#"{"actor":"alice","entity":"Task","entityId":"t1","id":"alice:1760000000000:1","kind":"lww_set","path":"title","sig":undefined,"ts":{"a":"alice","c":1,"t":1760000000000},"value":"Hello world"}"#
        );
    }

    #[test]
    fn a_space_is_written_between_sig_and_ts() {
        let text = signed_text(op().in_space("home").unwrap().as_ref(), "k").unwrap();
        assert!(text.contains(r#""sig":undefined,"space":"home","ts":"#), "{text}");
    }

    #[test]
    fn a_label_replaces_the_default_id() {
        let text = signed_text(op().labelled("alice:1").unwrap().as_ref(), "k").unwrap();
        assert!(text.contains(r#""id":"alice:1","#), "{text}");
    }

    #[test]
    fn the_limit_counts_the_json_form_with_its_signature() {
        for kid in ["k", "a\"b\\c"] {
            let frame = SignedOp::new(op_with_value_len(0), kid, Signature::from_bytes([7; 64])).unwrap();
            let room = MAX_OP_BYTES - frame.to_json().len();
            let largest = op_with_value_len(room);
            assert!(signed_text(largest.as_ref(), kid).is_ok());
            let signed = SignedOp::new(largest, kid, Signature::from_bytes([7; 64])).unwrap();
            assert_eq!(signed.to_json().len(), MAX_OP_BYTES);
            assert_eq!(check_size(signed.as_ref()), Ok(()));
            let too_large = op_with_value_len(room + 1);
            let error = OpError::TooLarge { len: MAX_OP_BYTES + 1, limit: MAX_OP_BYTES };
            assert_eq!(signed_text(too_large.as_ref(), kid), Err(error.clone()));
            let too_large = SignedOp::new(too_large, kid, Signature::from_bytes([7; 64])).unwrap();
            assert_eq!(check_size(too_large.as_ref()), Err(error));
        }
    }

    #[test]
    fn the_text_is_allocated_once_with_little_excess() {
        for long in 0..6 {
            for ts in [Hlc::new(0, 0).unwrap(), Hlc::MAX] {
                let [actor, entity, id, path, value, other] =
                    [0, 1, 2, 3, 4, 5].map(|at| "x".repeat(if at == long { 200 } else { 9 }));
                let op = Op::lww_set(&actor, ts, (&entity, &id, &path), value).unwrap();
                let labelled = op.clone().labelled(&other).unwrap();
                let deleting = Op::lww_delete(&actor, ts, (&entity, &id, &path)).unwrap();
                for op in [deleting.in_space(&other).unwrap(), labelled, op] {
                    let len = signed_text(op.as_ref(), "k").unwrap().len();
                    let enough = capacity(op.as_ref());
                    // A label replaces the default one, which begins with the actor.
                    let unused = if op.as_ref().label().is_some() { actor.len() } else { 0 };
                    assert!((len..len + 120 + unused).contains(&enough), "{enough} for {len}: {op:?}");
                    let signed = SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap();
                    assert_eq!(signed.to_json().capacity(), enough + 129, "allocated once");
                }
            }
        }
    }

    fn op_with_value_len(len: usize) -> Op {
        Op::lww_set("a\"", Hlc::new(5, 6).unwrap(), ("E", "i", "p"), "x".repeat(len)).unwrap()
    }
}
