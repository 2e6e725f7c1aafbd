//! The self-test of libsodium: it checks the verdicts that all replicas must share.
//!
//! RFC 8032 leaves the edge cases open, and the build of libsodium decides them (`ED25519_COMPAT`). A build script can
//! link any libsodium, so it is tested before use.

use super::{CryptoError, SelfTestCase, decode_hex_array};

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
    let expect = |holds, case| if holds { Ok(()) } else { Err(CryptoError::SelfTest { case }) };

    let Signed { key, message, signature } = &RFC_8032_TEST_2;
    expect(library.sign(message, &RFC_8032_TEST_2_SEED) == *signature, SelfTestCase::Sign)?;
    expect(library.verify(signature, message, key), SelfTestCase::Verify)?;
    for (number, Signed { key, message, signature }) in &EDGE_CASES {
        let case = SelfTestCase::EdgeCase { number: *number };
        expect(!library.verify(signature, message, key), case)?;
    }
    expect(library.is_valid_point(key), SelfTestCase::HonestKey)?;
    expect(!library.is_valid_point(&MIXED_ORDER_KEY), SelfTestCase::MixedOrderKey)
}

/// A signature of a message of `M` bytes.
struct Signed<const M: usize> {
    key: [u8; 32],
    message: [u8; M],
    signature: [u8; 64],
}

// RFC 8032, section 7.1, TEST 2.
const RFC_8032_TEST_2_SEED: [u8; 32] =
    hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const RFC_8032_TEST_2: Signed<1> = Signed {
    key: hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    message: hex("72"),
    signature: hex(concat!(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    )),
};

/// The key of TEST 2 plus the point (0, −1) of order 2, which is the point with both coordinates negated. libsodium
/// before 1.0.21 accepted it as a point of the prime-order group (CVE-2025-69277).
const MIXED_ORDER_KEY: [u8; 32] = hex("b0bfe83c17bc76a56d48f558b2e481436367d330d13b69733f32aa0ed50b99f3");

/// "Taming the many EdDSAs" (Chalkias, Garillot and Nikolaenko, 2020), numbers 0, 6 and 11 of `cases.json` in
/// novifinancial/ed25519-speccheck. A build with `ED25519_COMPAT` accepts all three.
const EDGE_CASES: [(u8, Signed<32>); 3] = [
    // S = 0, and both A and R of small order.
    (
        0,
        Signed {
            key: hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            message: hex("8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6"),
            signature: hex(concat!(
                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                "0000000000000000000000000000000000000000000000000000000000000000",
            )),
        },
    ),
    // S past the order of the group.
    (
        6,
        Signed {
            key: hex("442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"),
            message: hex("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40"),
            signature: hex(concat!(
                "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e",
                "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
            )),
        },
    ),
    // A of small order, in an encoding that is not canonical.
    (
        11,
        Signed {
            key: hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
            message: hex("39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f"),
            signature: hex(concat!(
                "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
                "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
            )),
        },
    ),
];

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

    /// A libsodium with one wrong answer.
    struct Odd {
        library: Sodium,
        signs_differently: bool,
        refuses_signatures: bool,
        accepts_edge_cases: &'static [usize],
        valid_point: Option<bool>,
    }

    impl Odd {
        fn without_fault() -> Odd {
            Odd {
                library: Sodium::new().unwrap(),
                signs_differently: false,
                refuses_signatures: false,
                accepts_edge_cases: &[],
                valid_point: None,
            }
        }
    }

    impl Ed25519 for Odd {
        fn sign(&self, message: &[u8], seed: &[u8; 32]) -> [u8; 64] {
            let mut signature = Ed25519::sign(&self.library, message, seed);
            signature[0] ^= u8::from(self.signs_differently);
            signature
        }

        fn verify(&self, signature: &[u8; 64], message: &[u8], key: &[u8; 32]) -> bool {
            let accepted = |at: &usize| EDGE_CASES[*at].1.signature == *signature;
            if self.refuses_signatures {
                return false;
            }
            self.accepts_edge_cases.iter().any(accepted)
                || Ed25519::verify(&self.library, signature, message, key)
        }

        fn is_valid_point(&self, key: &[u8; 32]) -> bool {
            self.valid_point.unwrap_or_else(|| self.library.is_valid_point(key))
        }
    }

    fn verdict(odd: &Odd) -> Option<SelfTestCase> {
        match run(odd) {
            Ok(()) => None,
            Err(CryptoError::SelfTest { case }) => Some(case),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_linked_library_passes() {
        assert_eq!(run(&Sodium::new().unwrap()), Ok(()));
        assert_eq!(verdict(&Odd::without_fault()), None);
    }

    #[test]
    fn a_compat_build_is_refused() {
        let compat = Odd { accepts_edge_cases: &[0, 1, 2], ..Odd::without_fault() };
        assert_eq!(verdict(&compat), Some(SelfTestCase::EdgeCase { number: 0 }));
    }

    #[test]
    fn each_edge_case_alone_is_enough_to_be_refused() {
        for (accepted, number) in [(&[0], 0), (&[1], 6), (&[2], 11)] {
            let odd = Odd { accepts_edge_cases: accepted, ..Odd::without_fault() };
            assert_eq!(verdict(&odd), Some(SelfTestCase::EdgeCase { number }));
        }
    }

    #[test]
    fn a_library_that_signs_differently_is_refused() {
        let odd = Odd { signs_differently: true, ..Odd::without_fault() };
        assert_eq!(verdict(&odd), Some(SelfTestCase::Sign));
    }

    #[test]
    fn a_library_that_refuses_good_signatures_is_refused() {
        let odd = Odd { refuses_signatures: true, ..Odd::without_fault() };
        assert_eq!(verdict(&odd), Some(SelfTestCase::Verify));
    }

    #[test]
    fn a_library_that_checks_points_wrongly_is_refused() {
        let odd = Odd { valid_point: Some(true), ..Odd::without_fault() };
        assert_eq!(verdict(&odd), Some(SelfTestCase::MixedOrderKey));
        let odd = Odd { valid_point: Some(false), ..Odd::without_fault() };
        assert_eq!(verdict(&odd), Some(SelfTestCase::HonestKey));
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
        for (number, Signed { key, message, signature }) in &EDGE_CASES {
            let case = &cases[usize::from(*number)];
            assert_eq!(crate::crypto::encode_hex(key), bytes(&case["pub_key"]));
            assert_eq!(crate::crypto::encode_hex(message), bytes(&case["message"]));
            assert_eq!(crate::crypto::encode_hex(signature), bytes(&case["signature"]));
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
