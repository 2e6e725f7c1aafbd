//! Decoders never panic on any bytes, and accepted input re-encodes to the same bytes.

mod common;

use std::str::FromStr;

use common::{NOW, crypto, key, reader, set};
use policysync::codec::DecodeError;
use policysync::crypto::{Hash, PublicKey, Signature};
use policysync::keys::sign_op;
use policysync::op::SignedOpRef;
use policysync::{Hlc, Incoming, Op, OpHash, SignedOp, Value};
use proptest::prelude::*;
use proptest::sample::Index;

/// Checks that an error text is short and printable, so that it cannot forge a line of a log.
fn check_error(error: &dyn std::error::Error) {
    let mut error = Some(error);
    while let Some(current) = error {
        let text = current.to_string();
        assert!(!text.is_empty() && text.len() < 512, "{} bytes: {text}", text.len());
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
        error = current.source();
    }
}

fn check_decode_error(error: &DecodeError) {
    check_error(error);
    assert!(!error.rule().is_empty());
    // The debug form appears in logs as well.
    assert!(format!("{error:?}").len() < 1024);
}

/// Passes the bytes to every decoder. Returns the number of decoders that accepted them.
fn feed(bytes: &[u8]) -> usize {
    let mut accepted = 0;
    match SignedOp::from_json(bytes) {
        Ok(op) => {
            accepted += 1;
            let json = op.to_json();
            assert_eq!(SignedOp::from_json(json.as_bytes()).unwrap(), op);
            assert_eq!(SignedOp::from_binary(&op.to_binary()).unwrap(), op);
        }
        Err(error) => check_decode_error(&error),
    }
    match SignedOpRef::from_binary(bytes) {
        Ok(op) => {
            accepted += 1;
            assert_eq!(op.to_binary(), bytes);
            let owned = SignedOp::from_binary(bytes).unwrap();
            assert_eq!(owned, op.to_signed_op());
            assert_eq!(owned.to_binary(), bytes);
            assert_eq!(SignedOp::from_json(owned.to_json().as_bytes()).unwrap(), owned);
        }
        Err(error) => {
            check_decode_error(&error);
            assert_eq!(SignedOp::from_binary(bytes), Err(error));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        accepted += feed_text(text);
    }
    accepted += feed_text(&String::from_utf8_lossy(bytes));
    if let Some(bytes) = bytes.first_chunk::<32>() {
        match PublicKey::from_bytes(bytes) {
            Ok(_) => accepted += 1,
            Err(error) => check_error(&error),
        }
    }
    let mut replica = reader(&["alice"]);
    for incoming in [Incoming::from(bytes), Incoming::Json(bytes), Incoming::Binary(bytes)] {
        match replica.ingest(NOW, incoming) {
            Ok(_) => accepted += 1,
            Err(error) => check_error(&error),
        }
    }
    accepted
}

fn feed_text(text: &str) -> usize {
    let mut accepted = 0;
    match Value::parse(text) {
        Ok(value) => {
            accepted += 1;
            assert_eq!(Value::parse(value.as_str()).unwrap(), value);
            assert_eq!(Value::parse(value.as_str()).unwrap().as_str(), value.as_str());
            assert_eq!(Value::from_serde(&value.to_serde()).unwrap(), value);
        }
        Err(error) => check_error(&error),
    }
    match Hash::from_str(text) {
        Ok(hash) => {
            accepted += 1;
            assert_eq!(hash.to_string(), text);
        }
        Err(error) => check_error(&error),
    }
    match OpHash::from_str(text) {
        Ok(hash) => {
            accepted += 1;
            assert_eq!(hash.to_string(), text);
        }
        Err(error) => check_error(&error),
    }
    match Signature::from_base64(text) {
        Ok(signature) => {
            accepted += 1;
            assert_eq!(signature.to_base64(), text);
        }
        Err(error) => check_error(&error),
    }
    // Any text is a value. If it is an identifier, an operation with this name decodes to itself.
    assert_eq!(Value::parse(Value::from(text).as_str()).unwrap(), Value::from(text));
    match Op::lww_set("alice", Hlc::MIN, (text, "i", text), text) {
        Ok(op) => {
            let op = SignedOp::new(op, "kid", Signature::from_bytes([1; 64])).unwrap();
            assert_eq!(SignedOp::from_json(op.to_json().as_bytes()).unwrap(), op);
        }
        Err(error) => check_error(&error),
    }
    accepted
}

/// Valid encodings of every kind, as a start for mutations.
fn seeds() -> Vec<Vec<u8>> {
    let values = [
        "null",
        "[1,2.5e-7,-3e300]",
        "{\"a\":{\"b\":[[],{}]},\"\u{e9}\":\"\u{1F600}\\u0000\\\"\"}",
        "9007199254740991",
        "\"\u{FB33}\u{202E}\u{7f}\"",
    ];
    let mut seeds = Vec::new();
    for value in values {
        let op = set("alice", NOW.0, 3, "a/b", Value::parse(value).unwrap());
        let other =
            Op::lww_set("alice", Hlc::MAX, ("E", "\u{1F600}", "p"), Value::parse(value).unwrap()).unwrap();
        let other = other.in_space("home").unwrap().labelled("alice:1").unwrap();
        let other = sign_op(&crypto(), other, &key("alice")).unwrap();
        for op in [op, other] {
            seeds.extend([
                op.to_binary(),
                op.to_json().into_bytes(),
                op.signature().to_base64().into_bytes(),
            ]);
        }
        seeds.push(value.into());
    }
    seeds.push(crypto().hash(b"").to_string().into_bytes());
    seeds.push(b"{\"actor\":\"\\ud83d\\ude00\",\"x\":[1E5,-0.0,1e400,18446744073709551616]}".to_vec());
    seeds
}

#[derive(Clone, Debug)]
enum Mutation {
    Delete(Index, usize),
    Insert(Index, Vec<u8>),
    Overwrite(Index, u8),
    Swap(Index, Index),
    /// The start of this encoding followed by the end of another.
    Splice(Index, Index, Index),
    Repeat(Index, usize),
    /// Eight bytes overwritten with a number, like a length of the binary form.
    Length(Index, u64),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let token = prop::sample::select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\u0000",
        "\\ud800",
        "e",
        "-",
        "0",
        ".",
        " ",
        "\n",
        "null",
        "\u{feff}",
        "\u{202e}",
        "\u{1F600}",
    ]);
    prop_oneof![
        (at(), 1..6_usize).prop_map(|(at, len)| Mutation::Delete(at, len)),
        (at(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), token).prop_map(|(at, token)| Mutation::Insert(at, token.into())),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Overwrite(at, byte)),
        (at(), at()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        (at(), at(), at()).prop_map(|(seed, a, b)| Mutation::Splice(seed, a, b)),
        (at(), 1..20_usize).prop_map(|(at, len)| Mutation::Repeat(at, len)),
        (at(), prop_oneof![0..40_u64, Just(u64::MAX), Just(1 << 31), any::<u64>()])
            .prop_map(|(at, length)| Mutation::Length(at, length)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: Mutation, seeds: &[Vec<u8>]) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Delete(at, len) => {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + len).min(bytes.len()));
        }
        Mutation::Insert(at, more) => {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, more);
        }
        Mutation::Overwrite(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Mutation::Swap(a, b) => {
            let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
            bytes.swap(a, b);
        }
        Mutation::Splice(seed, a, b) => {
            let seed = seed.get(seeds);
            bytes.truncate(a.index(bytes.len()));
            bytes.extend_from_slice(&seed[b.index(seed.len())..]);
        }
        Mutation::Repeat(at, len) => {
            let at = at.index(bytes.len());
            let again = bytes[at..(at + len).min(bytes.len())].to_vec();
            bytes.splice(at..at, again);
        }
        Mutation::Length(at, length) => {
            let at = at.index(bytes.len());
            for (byte, new) in bytes.iter_mut().skip(at).zip(length.to_le_bytes()) {
                *byte = new;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        feed(&bytes);
    }

    #[test]
    fn no_bytes_behind_a_version_byte_make_a_decoder_panic(
        bytes in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 64..300),
    ) {
        feed(&[&[1], bytes.as_slice()].concat());
    }

    #[test]
    fn no_text_makes_a_decoder_panic(text in "[\\[\\]{},:\"\\\\u0-9a-fA-F.eE+\\- \\n\u{e9}\u{202e}\u{1F600}tru]{0,200}") {
        feed(text.as_bytes());
    }

    #[test]
    fn no_mutation_of_a_valid_encoding_makes_a_decoder_panic(
        seed: Index,
        mutations in prop::collection::vec(mutation(), 1..5),
    ) {
        let seeds = seeds_once();
        let mut bytes = seed.get(seeds).clone();
        for mutation in mutations {
            mutate(&mut bytes, mutation, seeds);
        }
        feed(&bytes);
    }

    #[test]
    fn any_text_is_a_value_or_a_name_that_decodes_to_itself(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        feed_text(&text);
    }
}

fn seeds_once() -> &'static [Vec<u8>] {
    static SEEDS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    SEEDS.get_or_init(seeds)
}

#[test]
fn unmutated_seeds_are_accepted() {
    let mut accepted = 0;
    for seed in seeds_once() {
        accepted += usize::from(feed(seed) > 0);
    }
    // All but the last, which is invalid on purpose.
    assert_eq!(accepted, seeds_once().len() - 1);
    assert!(accepted >= 36, "{accepted}");
}

#[test]
fn every_splice_of_two_binary_forms_is_refused_or_decodes_to_itself() {
    let ops =
        [set("alice", 1, 0, "p", "x"), set("alice", 256, 1, "pp", Value::null())].map(|op| op.to_binary());
    let mut tried = 0;
    let mut accepted = 0;
    for a in 0..=ops[0].len() {
        for b in 0..=ops[1].len() {
            let bytes = [&ops[0][..a], &ops[1][b..]].concat();
            match SignedOpRef::from_binary(&bytes) {
                Ok(op) => {
                    assert_eq!(op.to_binary(), bytes);
                    accepted += 1;
                }
                Err(error) => check_decode_error(&error),
            }
            tried += 1;
        }
    }
    assert!(tried >= 20_000 && accepted >= 100, "{tried} {accepted}");
}

/// `1e20` with its comma has five bytes as received and twenty-two in canonical form.
#[test]
fn an_operation_whose_canonical_text_is_too_large_is_refused_by_the_decoder() {
    let frame = set("alice", NOW.0, 0, "p", Value::null()).to_json();
    let json = [frame.strip_suffix("null}").unwrap(), "[0", &",1e20".repeat(60_000), "]}"].concat();
    assert!(json.len() < policysync::codec::MAX_OP_BYTES);
    match SignedOp::from_json(json.as_bytes()) {
        Err(error) => assert_eq!(error.rule(), "too-large"),
        // Accepted input must decode to itself.
        Ok(op) => assert_eq!(SignedOp::from_json(op.to_json().as_bytes()).map(|_| ()), Ok(())),
    }
}
