//! The published test vectors of RFC 8785, read from `$POLICYSYNC_VECTORS/public/jcs/`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::{JsonFault, Reader, Value, check_canonical, utf16_cmp, write_number, write_string};

/// The folder of the vectors; `None`, said aloud, where nobody has named it.
fn folder() -> Option<PathBuf> {
    match std::env::var_os("POLICYSYNC_VECTORS") {
        Some(folder) => Some(PathBuf::from(folder).join("public/jcs")),
        None => {
            println!("SKIPPED: POLICYSYNC_VECTORS is not set");
            None
        }
    }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_json(path: PathBuf) -> serde_json::Value {
    serde_json::from_str(&read(path)).unwrap()
}

fn double(bits: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(bits, 16).unwrap())
}

fn hex(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

#[test]
fn the_inputs_of_the_author_give_his_outputs() {
    let Some(folder) = folder() else { return };
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let input = read(folder.join(format!("input/{name}.json")));
        let output = read(folder.join(format!("output/{name}.json")));
        let output_hex = read(folder.join(format!("outhex/{name}.txt")));
        let value = Value::parse(&input).unwrap();
        assert_eq!(value.as_str(), output, "{name}");
        let output_hex: Vec<&str> = output_hex.split_ascii_whitespace().collect();
        assert_eq!(hex(value.as_str().as_bytes(), " "), output_hex.join(" "), "{name}");
        assert_eq!(check_canonical(&output), Ok(()), "{name}");
    }
}

#[test]
fn the_numbers_of_appendix_b_are_printed_as_there() {
    let Some(folder) = folder() else { return };
    let file = read_json(folder.join("rfc8785_appendix_b.json"));
    let samples = file["samples"].as_array().unwrap();
    assert!(samples.len() > 20);
    for sample in samples {
        let number = double(sample[0].as_str().unwrap());
        match sample[1].as_str() {
            // The RFC prints negative zero as zero; we refuse to make it, as its sign would be lost.
            Some("0") if number.is_sign_negative() => {
                let error = Value::try_from(number).unwrap_err();
                assert_eq!(error.fault(), &JsonFault::NegativeZero);
            }
            Some(text) => {
                assert_eq!(Value::try_from(number).unwrap().as_str(), text);
                assert_eq!(Reader::new(text.as_bytes()).unwrap().number(), Ok(number));
                assert_eq!(check_canonical(text), Ok(()));
            }
            None => assert_eq!(Value::try_from(number).unwrap_err().fault(), &JsonFault::NotFinite),
        }
    }
}

#[test]
fn names_are_ordered_as_the_vectors_order_them() {
    let Some(folder) = folder() else { return };
    let file = read_json(folder.join("key_order.json"));
    let strings = |name: &str| -> Vec<String> {
        file[name].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let (mut names, ordered) = (strings("keys"), strings("utf16_order_jcs"));
    assert_eq!(Value::parse(&object(&names)).unwrap().as_str(), object(&ordered));
    names.sort_by(|a, b| utf16_cmp(a, b));
    assert_eq!(names, ordered);
}

fn object(names: &[String]) -> String {
    let mut json = String::from("{");
    for name in names {
        if json.len() > 1 {
            json.push(',');
        }
        write_string(&mut json, name);
        json.push_str(":0");
    }
    json + "}"
}

/// The first million of the hundred million numbers.
#[test]
fn a_million_numbers_are_printed_as_ecmascript_prints_them() {
    const LINES: u64 = 1_000_000;
    let Some(folder) = folder() else { return };
    let file = read_json(folder.join("es6_numbers.json"));
    let stated = file["static_u64"].as_array().unwrap().iter().map(|bits| double(bits.as_str().unwrap()));
    let smallest_normal = (0..2_000).map(|step| f64::from_bits(0x0010_0000_0000_0000 + step));

    let mut block = [0; 32];
    let hashed = std::iter::from_fn(|| {
        block = sha256(&block);
        Some(block.as_chunks::<8>().0.iter().map(|bits| f64::from_le_bytes(*bits)).collect::<Vec<_>>())
    });
    let hashed = hashed.flatten().filter(|number| *number != 0.0 && number.is_finite());

    let mut lines = String::new();
    let mut checked = 0;
    let expected = &file["sha256_of_first_lines"];
    for (number, count) in stated.chain(smallest_normal).chain(hashed).zip(1..=LINES) {
        write!(lines, "{:x},", number.to_bits()).unwrap();
        let start = lines.len();
        write_number(&mut lines, number);
        // Every hundredth also the other way: our reader sees the double that was printed.
        if count % 100 == 0 {
            assert_eq!(Reader::new(&lines.as_bytes()[start..]).unwrap().number(), Ok(number));
        }
        lines.push('\n');
        if let Some(hash) = expected.get(count.to_string()) {
            assert_eq!(hex(&sha256(lines.as_bytes()), ""), hash.as_str().unwrap(), "{count} lines");
            checked += 1;
        }
    }
    assert_eq!(checked, 4, "1000, 10 000, 100 000 and 1 000 000 lines");
}

/// SHA-256 (FIPS 180-4, section 6.2).
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut state = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let (blocks, tail) = bytes.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, block);
    }
    let mut last = tail.to_vec();
    last.push(0x80);
    while last.len() % 64 != 56 {
        last.push(0);
    }
    last.extend((u64::try_from(bytes.len()).unwrap() * 8).to_be_bytes());
    for block in last.as_chunks::<64>().0 {
        compress(&mut state, block);
    }
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    const K: [u32; 64] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];
    let mut w = [0_u32; 64];
    for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for t in 16..64 {
        let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
        let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
        w[t] = w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for t in 0..64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(K[t]).wrapping_add(w[t]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e, d, c, b, a) =
            (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(s0.wrapping_add(majority)));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(add);
    }
}
