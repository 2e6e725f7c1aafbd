//! The self-test of libsodium: it checks the verdicts that all replicas must share.
//!
//! RFC 8032 leaves the edge cases open, and the build of libsodium decides them (`ED25519_COMPAT`). A build script can
//! link any libsodium, so it is tested before use.

use super::{CryptoError, decode_hex_array};

/// The operations that the self-test needs. Unlike with [`Sodium`](super::Sodium), keys are raw bytes, valid or not.
pub(super) trait Ed25519 {
    /// Signs with the key pair of `seed`.
    fn sign(&self, message: &[u8], seed: &[u8; 32]) -> [u8; 64];
    /// Verifies a signature, with any bytes as the key.
    fn verify(&self, signature: &[u8; 64], message: &[u8], key: &[u8; 32]) -> bool;
    /// Returns true if the bytes are the canonical encoding of a point of the prime-order group other than the neutral
    /// element.
    fn is_valid_point(&self, key: &[u8; 32]) -> bool;
}

/// Runs all tests. The first failure is the error.
pub(super) fn run(library: &impl Ed25519) -> Result<(), CryptoError> {
    run_cases(library, &CASES)
}

fn run_cases<'c>(
    library: &impl Ed25519,
    cases: impl IntoIterator<Item = &'c Case>,
) -> Result<(), CryptoError> {
    match cases.into_iter().find(|(_, rule)| !rule.holds(library)) {
        Some((case, _)) => Err(CryptoError::SelfTest { case }),
        None => Ok(()),
    }
}

/// A signature of a message.
#[derive(Clone, Copy)]
struct Signed {
    key: [u8; 32],
    message: &'static [u8],
    signature: [u8; 64],
}

/// A test: the failure in words, and the rule that it checks.
type Case = (&'static str, Rule);

/// A rule that the library must keep.
enum Rule {
    /// Signing the message with this seed gives this signature.
    Signs([u8; 32], Signed),
    Accepts(Signed),
    Refuses(Signed),
    ValidPoint([u8; 32]),
    InvalidPoint([u8; 32]),
}

impl Rule {
    fn holds(&self, library: &impl Ed25519) -> bool {
        let verify = |signed: &Signed| library.verify(&signed.signature, signed.message, &signed.key);
        match self {
            Self::Signs(seed, signed) => library.sign(signed.message, seed) == signed.signature,
            Self::Accepts(signed) => verify(signed),
            Self::Refuses(signed) => !verify(signed),
            Self::ValidPoint(key) => library.is_valid_point(key),
            Self::InvalidPoint(key) => !library.is_valid_point(key),
        }
    }
}

/// All tests.
const CASES: [Case; 8] = [
    (
        "the signature of RFC 8032 TEST 2 came out differently",
        Rule::Signs(RFC_8032_TEST_2_SEED, RFC_8032_TEST_2),
    ),
    ("the signature of RFC 8032 TEST 2 was refused", Rule::Accepts(RFC_8032_TEST_2)),
    ("edge case 0 was accepted", Rule::Refuses(TAMING_0)),
    ("edge case 6 was accepted", Rule::Refuses(TAMING_6)),
    ("edge case 11 was accepted", Rule::Refuses(TAMING_11)),
    ("a signature with a residue of order 4 was accepted", Rule::Refuses(CCTV_286)),
    ("the public key of RFC 8032 TEST 2 was refused", Rule::ValidPoint(RFC_8032_TEST_2.key)),
    ("a public key of mixed order was accepted (CVE-2025-69277)", Rule::InvalidPoint(MIXED_ORDER_KEY)),
];

// RFC 8032, section 7.1, TEST 2.
const RFC_8032_TEST_2_SEED: [u8; 32] =
    hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const RFC_8032_TEST_2: Signed = Signed {
    key: hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    message: &hex::<1>("72"),
    signature: hex(concat!(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    )),
};

/// The key of TEST 2 plus the point (0, −1) of order 2, which is the point with both coordinates negated. libsodium
/// before 1.0.21 accepted it as a point of the prime-order group (CVE-2025-69277).
const MIXED_ORDER_KEY: [u8; 32] = hex("b0bfe83c17bc76a56d48f558b2e481436367d330d13b69733f32aa0ed50b99f3");

// "Taming the many EdDSAs" (Chalkias, Garillot and Nikolaenko, 2020), `cases.json` in novifinancial/ed25519-speccheck.
// A build with `ED25519_COMPAT` accepts all three.

/// S = 0, and both A and R of small order.
const TAMING_0: Signed = Signed {
    key: hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    message: &hex::<32>("8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6"),
    signature: hex(concat!(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0000000000000000000000000000000000000000000000000000000000000000",
    )),
};

/// S past the order of the group.
const TAMING_6: Signed = Signed {
    key: hex("442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"),
    message: &hex::<32>("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40"),
    signature: hex(concat!(
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e",
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    )),
};

/// A of small order, in an encoding that is not canonical.
const TAMING_11: Signed = Signed {
    key: hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    message: &hex::<32>("39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f"),
    signature: hex(concat!(
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    )),
};

/// C2SP CCTV `ed25519vectors`, number 286: a valid key, and an R with a component of order 4, so that S·B − h·A − R is
/// a point of order 4. libsodium's development branch at commit 7014b204 ignores such a residue and accepts.
const CCTV_286: Signed = Signed {
    key: hex("ef75b20e7540e3dff77404193652ba2bd13df99c1508eee1515e27ae25f28076"),
    message: b"ed25519vectors 11",
    signature: hex(concat!(
        "b797b156efcd45a4e2454d2fd0b21438b3ccd80d4c7fd1d1b2c8e55bd4ed4a94",
        "26cc293b14d304864a4cd689cbcc23cb13fcb1098f9c434cc9ca7439c9cf2505",
    )),
};

/// Decodes a constant.
const fn hex<const N: usize>(text: &str) -> [u8; N] {
    match decode_hex_array(text) {
        Ok(bytes) => bytes,
        Err(_) => panic!("a constant is not hexadecimal or has the wrong length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Sodium, vectors_tests};

    /// A libsodium that gives the wrong answer to some tests, and to nothing else.
    struct Odd<'c>(Sodium, &'c [&'static str]);

    impl Odd<'_> {
        /// Returns true if the answer to a question with these bytes is to be wrong.
        fn is_wrong(&self, asked: impl Fn(&Rule) -> bool) -> bool {
            CASES.iter().any(|(case, rule)| self.1.contains(case) && asked(rule))
        }
    }

    impl Ed25519 for Odd<'_> {
        fn sign(&self, message: &[u8], seed: &[u8; 32]) -> [u8; 64] {
            let mut signature = Ed25519::sign(&self.0, message, seed);
            signature[0] ^=
                u8::from(self.is_wrong(|rule| matches!(rule, Rule::Signs(known, _) if known == seed)));
            signature
        }

        fn verify(&self, signature: &[u8; 64], message: &[u8], key: &[u8; 32]) -> bool {
            let asked = |rule: &Rule| match rule {
                Rule::Accepts(signed) | Rule::Refuses(signed) => signed.signature == *signature,
                _ => false,
            };
            self.is_wrong(asked) != Ed25519::verify(&self.0, signature, message, key)
        }

        fn is_valid_point(&self, key: &[u8; 32]) -> bool {
            let asked = |rule: &Rule| match rule {
                Rule::ValidPoint(known) | Rule::InvalidPoint(known) => known == key,
                _ => false,
            };
            self.is_wrong(asked) != Ed25519::is_valid_point(&self.0, key)
        }
    }

    fn odd<'c>(wrong: &'c [&'static str]) -> Odd<'c> {
        Odd(Sodium::new().unwrap(), wrong)
    }

    fn failed(case: &'static str) -> Result<(), CryptoError> {
        Err(CryptoError::SelfTest { case })
    }

    #[test]
    fn the_linked_library_passes() {
        assert_eq!(run(&Sodium::new().unwrap()), Ok(()));
        assert_eq!(run(&odd(&[])), Ok(()));
    }

    #[test]
    fn a_compat_build_is_refused() {
        let compat = ["edge case 0 was accepted", "edge case 6 was accepted", "edge case 11 was accepted"];
        assert_eq!(run(&odd(&compat)), failed(compat[0]));
    }

    #[test]
    fn each_wrong_answer_is_found_by_one_test_and_by_no_other() {
        for (position, (case, _)) in CASES.iter().enumerate() {
            let (case, wrong) = (*case, [*case]);
            assert_eq!(run(&odd(&wrong)), failed(case));
            let others = CASES.iter().enumerate().filter(|(other, _)| *other != position);
            assert_eq!(run_cases(&odd(&wrong), others.map(|(_, case)| case)), Ok(()), "{case:?}");
        }
    }

    #[test]
    fn a_build_that_ignores_the_cofactor_is_refused() {
        let case = "a signature with a residue of order 4 was accepted";
        assert_eq!(run(&odd(&[case])), failed(case));
        let vectors = vectors_tests::public("cctv_ed25519vectors.json");
        let vector = &vectors[286];
        assert_eq!(vector["number"], 286);
        assert_eq!(vector["flags"], serde_json::json!(["low_order_component_R", "low_order_residue"]));
        assert_eq!(vector["key"], crate::crypto::encode_hex(&CCTV_286.key));
        assert_eq!(vector["msg"].as_str().map(str::as_bytes), Some(CCTV_286.message));
        assert_eq!(vector["sig"], crate::crypto::encode_hex(&CCTV_286.signature));
        // Number 286: refused by the released versions, with a valid key.
        let verdicts = vectors_tests::public("cctv_verdicts.json");
        assert_eq!(verdicts["verdicts"][286], serde_json::json!([286, 0, 1]));
    }

    #[test]
    fn the_mixed_order_key_is_the_honest_one_with_both_coordinates_negated() {
        let (honest, mixed) = (&RFC_8032_TEST_2.key, &MIXED_ORDER_KEY);
        assert_ne!(honest[31] & 0x80, mixed[31] & 0x80, "the signs of x differ");
        // y + (p − y) = p = 2^255 − 19, byte by byte.
        let mut carry = 0;
        for at in 0..32 {
            let mask = if at == 31 { 0x7f } else { 0xff };
            let sum = u16::from(honest[at] & mask) + u16::from(mixed[at] & mask) + carry;
            let [byte, over] = sum.to_le_bytes();
            let p = match at {
                0 => 0xed,
                31 => 0x7f,
                _ => 0xff,
            };
            assert_eq!(byte, p);
            carry = u16::from(over);
        }
        assert_eq!(carry, 0);
    }

    #[test]
    fn the_constants_are_those_of_the_published_files() {
        let cases = vectors_tests::public("taming_12_cases.json");
        let bytes = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        for (number, Signed { key, message, signature }) in [(0, TAMING_0), (6, TAMING_6), (11, TAMING_11)] {
            let case = &cases[number];
            assert_eq!(crate::crypto::encode_hex(&key), bytes(&case["pub_key"]));
            assert_eq!(crate::crypto::encode_hex(message), bytes(&case["message"]));
            assert_eq!(crate::crypto::encode_hex(&signature), bytes(&case["signature"]));
        }
    }

    #[test]
    fn a_constant_decodes_to_its_bytes() {
        assert_eq!(hex::<3>("00a9ff"), [0x00, 0xa9, 0xff]);
        for wrong in ["00a9", "00a9f", "00a9fg", "00A9FF"] {
            assert!(std::panic::catch_unwind(|| hex::<3>(wrong)).is_err(), "{wrong}");
        }
    }
}
