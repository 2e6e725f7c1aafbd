//! The published test vectors of RFC 8785, read from `tests/vectors/public/jcs`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::crypto::Sodium;

use super::{JsonFault, JsonReader, Value, check_canonical, utf16_cmp, write_number, write_string};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/public/jcs")
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
fn the_published_inputs_yield_the_published_outputs() {
    let folder = folder();
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
fn the_numbers_of_appendix_b_print_as_published() {
    let folder = folder();
    let file = read_json(folder.join("rfc8785_appendix_b.json"));
    let samples = file["samples"].as_array().unwrap();
    assert!(samples.len() > 20);
    for sample in samples {
        let number = double(sample[0].as_str().unwrap());
        match sample[1].as_str() {
            // The RFC prints negative zero as zero; this crate refuses it, because its sign would be lost.
            Some("0") if number.is_sign_negative() => {
                let error = Value::try_from(number).unwrap_err();
                assert_eq!(error.fault(), &JsonFault::NegativeZero);
            }
            Some(text) => {
                assert_eq!(Value::try_from(number).unwrap().as_str(), text);
                assert_eq!(JsonReader::new(text.as_bytes()).unwrap().number(), Ok(number));
                assert_eq!(check_canonical(text), Ok(()));
            }
            None => assert_eq!(Value::try_from(number).unwrap_err().fault(), &JsonFault::NotFinite),
        }
    }
}

#[test]
fn names_sort_like_the_vectors() {
    let folder = folder();
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
fn a_million_numbers_print_like_ecmascript() {
    const LINES: u64 = 1_000_000;
    let folder = folder();
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
        // Every hundredth is also read back: the reader returns the printed double.
        if count % 100 == 0 {
            assert_eq!(JsonReader::new(&lines.as_bytes()[start..]).unwrap().number(), Ok(number));
        }
        lines.push('\n');
        if let Some(hash) = expected.get(count.to_string()) {
            assert_eq!(hex(&sha256(lines.as_bytes()), ""), hash.as_str().unwrap(), "{count} lines");
            checked += 1;
        }
    }
    assert_eq!(checked, 4, "1000, 10 000, 100 000 and 1 000 000 lines");
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    *Sodium::new().unwrap().hash(bytes).as_bytes()
}
