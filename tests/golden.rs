//! Golden files of the binary form, written by another program, with a second reader of the layout.

mod common;

use common::{NOW, hex, key, knowing};
use policysync::codec::{BINARY_VERSION, BinaryFault, DecodeError};
use policysync::keys::sign_op;
use policysync::op::{Kind, SignedOpRef, op_id};
use policysync::replica::Labels;
use policysync::{Hlc, Op, Outcome, Replica, SignedOp, Value, WallMillis};

/// A golden file: the encodings of one operation.
struct Golden {
    name: &'static str,
    json: String,
    text: String,
    hash: String,
    binary: Vec<u8>,
}

macro_rules! golden {
    ($($name:literal),*) => {
        [$(Golden::read($name, include_str!(concat!("golden/", $name, ".txt")))),*]
    };
}

fn all() -> [Golden; 8] {
    golden!("set", "delete", "space", "label", "limits", "escapes", "long", "empty")
}

impl Golden {
    fn read(name: &'static str, file: &str) -> Golden {
        let (head, binary) = file.split_once("\nbinary:\n").expect("the bytes follow a line of their own");
        let member = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("no {name}")).to_owned()
        };
        let digits: String = binary
            .lines()
            .map(|line| line.split_once('#').map_or(line, |(digits, _)| digits).trim())
            .collect();
        Golden {
            name,
            json: member("json"),
            text: member("text"),
            hash: member("hash"),
            binary: hex(&digits),
        }
    }

    /// Builds the operation from the JSON of the file with a general JSON library.
    fn op(&self) -> SignedOp {
        let json: serde_json::Value = serde_json::from_str(&self.json).unwrap();
        let text = |name: &str| json[name].as_str().unwrap();
        let number = |name: &str| json["ts"][name].as_u64().unwrap();
        let ts = Hlc::new(number("t"), number("c").try_into().unwrap()).unwrap();
        // The value as the file writes it: the text after the last of the other members.
        let (_, value) = self.json.split_once("},\"value\":").unwrap();
        let value = Value::parse(value.strip_suffix('}').unwrap()).unwrap();
        let op = match text("kind") {
            "lww_delete" => {
                Op::lww_delete(text("actor"), ts, (text("entity"), text("entityId"), text("path")))
            }
            _ => Op::lww_set(text("actor"), ts, (text("entity"), text("entityId"), text("path")), value),
        };
        let mut op = op.unwrap();
        if text("id") != op_id(op.actor(), ts) {
            op = op.labelled(text("id")).unwrap();
        }
        if let Some(space) = json["space"].as_str() {
            op = op.in_space(space).unwrap();
        }
        let key = key(op.actor());
        sign_op(&common::crypto(), op, &key).unwrap()
    }
}

#[test]
fn every_operation_encodes_to_its_golden_bytes() {
    for golden in all() {
        let op = golden.op();
        assert_eq!(op.to_binary(), golden.binary, "{}", golden.name);
        assert_eq!(op.to_json(), golden.json, "{}", golden.name);
        let mut out = b"before".to_vec();
        op.as_ref().write_binary(&mut out);
        assert_eq!(out, [b"before".as_slice(), &golden.binary].concat(), "{}", golden.name);
    }
}

#[test]
fn every_golden_file_decodes_to_its_operation() {
    let mut labels = 0;
    let mut spaces = 0;
    let mut deletes = 0;
    for golden in all() {
        let op = golden.op();
        assert_eq!(SignedOp::from_binary(&golden.binary).unwrap(), op, "{}", golden.name);
        assert_eq!(SignedOpRef::from_binary(&golden.binary).unwrap(), op.as_ref(), "{}", golden.name);
        assert_eq!(SignedOp::from_json(golden.json.as_bytes()).unwrap(), op, "{}", golden.name);
        labels += usize::from(op.as_ref().op().label().is_some());
        spaces += usize::from(op.op().space().is_some());
        deletes += usize::from(op.op().kind() == Kind::Delete);
    }
    assert!(labels >= 2 && spaces >= 2 && deletes >= 1);
}

#[test]
fn every_golden_file_is_accepted_with_its_hash() {
    for golden in all() {
        let op = golden.op();
        let options = knowing(&[op.op().actor()]).labels(Labels::Any).max_drift(WallMillis::MAX);
        let mut replica = Replica::open(match op.op().space() {
            Some(space) => options.space(space),
            None => options,
        })
        .unwrap();
        match replica.ingest(NOW, golden.binary.as_slice()).unwrap() {
            Outcome::Appended { hash, .. } => assert_eq!(hash.to_string(), golden.hash, "{}", golden.name),
            other => panic!("{}: {other:?}", golden.name),
        }
        assert!(matches!(replica.ingest(NOW, golden.json.as_str()), Ok(Outcome::Duplicate { .. })));
        let (before, after) = golden.text.split_once("\"sig\":undefined").unwrap();
        assert!(golden.json.starts_with(before) && golden.json.ends_with(after), "{}", golden.name);
    }
}

/// Reads the layout without the library.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// Reads a number, least significant byte first.
    fn number(&mut self, width: usize) -> u64 {
        self.take(width).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn text(&mut self) -> &'a str {
        let len = usize::try_from(self.number(8)).unwrap();
        std::str::from_utf8(self.take(len)).unwrap()
    }

    fn optional(&mut self) -> Option<&'a str> {
        match self.byte() {
            0 => None,
            1 => Some(self.text()),
            other => panic!("tag {other}"),
        }
    }
}

#[test]
fn the_layout_matches_the_documentation_byte_by_byte() {
    for golden in all() {
        let op = golden.op();
        let mut walk = Walk { bytes: &golden.binary, at: 0 };
        assert_eq!(walk.byte(), 1);
        assert_eq!(walk.take(64), op.signature().as_bytes());
        assert_eq!(walk.byte(), 1, "the algorithm");
        assert_eq!(walk.byte(), if op.op().kind() == Kind::Set { 1 } else { 2 });
        assert_eq!(walk.number(8), op.op().ts().t());
        assert_eq!(walk.number(4), u64::from(op.op().ts().c()));
        assert_eq!(walk.text(), op.kid());
        assert_eq!(walk.text(), op.op().actor());
        assert_eq!(walk.text(), op.op().entity());
        assert_eq!(walk.text(), op.op().entity_id());
        assert_eq!(walk.text(), op.op().path());
        assert_eq!(walk.optional(), op.as_ref().op().label());
        assert_eq!(walk.optional(), op.op().space());
        assert_eq!(walk.text(), op.op().value().as_str());
        assert_eq!(walk.at, golden.binary.len(), "{}", golden.name);
    }
    assert_eq!(BINARY_VERSION, 1);
}

#[test]
fn each_rule_of_the_layout_has_its_own_error() {
    let golden = Golden::read("set", include_str!("golden/set.txt")).binary;
    let fault = |bytes: &[u8]| match SignedOp::from_binary(bytes) {
        Err(DecodeError::Binary(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let with = |at: usize, byte: u8| {
        let mut bytes = golden.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(fault(b""), BinaryFault::Empty);
    for version in [0, 2, 255] {
        assert_eq!(fault(&with(0, version)), BinaryFault::Version { found: version });
    }
    for len in 1..golden.len() {
        assert_eq!(fault(&golden[..len]), BinaryFault::Truncated, "{len} bytes");
    }
    assert_eq!(fault(&[golden.as_slice(), b"\0"].concat()), BinaryFault::TrailingBytes);
    // After version and signature: the algorithm, the kind, the time, the counter, the length of the kid.
    assert_eq!(fault(&with(65, 0)), BinaryFault::Tag { found: 0, what: "the signature's algorithm" });
    assert_eq!(fault(&with(66, 3)), BinaryFault::Tag { found: 3, what: "the kind" });
    assert!(matches!(SignedOp::from_binary(&with(74, 1)), Err(DecodeError::TimeOutOfRange { .. })));
    let mut full = golden.clone();
    full[75..79].fill(0xff);
    assert!(matches!(SignedOp::from_binary(&full), Err(DecodeError::CounterOutOfRange { .. })));
    for at in 79..87 {
        assert_eq!(fault(&with(at, 0xff)), BinaryFault::Truncated, "byte {at} of the kid's length");
    }
    assert_eq!(fault(&with(87, 0xff)), BinaryFault::InvalidUtf8);
    // The tags of label and space come before the length of the value and its 13 bytes.
    let tags = golden.len() - 13 - 8 - 2;
    for at in [tags, tags + 1] {
        assert_eq!(fault(&with(at, 2)), BinaryFault::Tag { found: 2, what: "an optional member" });
    }
}

#[test]
fn an_explicit_default_label_is_refused() {
    let golden = Golden::read("set", include_str!("golden/set.txt")).binary;
    let tag = golden.len() - 13 - 8 - 2;
    let label = b"alice:1760000000000:1";
    let len = u64::try_from(label.len()).unwrap().to_le_bytes();
    let spelt_out = [&golden[..tag], b"\x01", &len, label, &golden[tag + 1..]].concat();
    assert_eq!(SignedOp::from_binary(&spelt_out), Err(BinaryFault::DefaultLabel.into()));
    // Another label makes another operation.
    let other = [&golden[..tag], b"\x01", &len, b"alice:1760000000000:2", &golden[tag + 1..]].concat();
    assert_eq!(SignedOp::from_binary(&other).unwrap().op().id(), "alice:1760000000000:2");
}

#[test]
fn a_value_that_is_not_canonical_is_refused() {
    let golden = Golden::read("set", include_str!("golden/set.txt")).binary;
    let frame = &golden[..golden.len() - 13 - 8];
    let with_value = |value: &str| {
        let len = u64::try_from(value.len()).unwrap().to_le_bytes();
        SignedOp::from_binary(&[frame, &len, value.as_bytes()].concat())
    };
    for canonical in ["null", "1", "-0.1", "1e+21", "{\"a\":1,\"b\":2}", "\"\\u0000\"", "\"/\""] {
        assert_eq!(with_value(canonical).unwrap().op().value().as_str(), canonical);
    }
    for other in [
        "",
        " null",
        "null ",
        "1.0",
        "1e21",
        "-0",
        "{\"b\":2,\"a\":1}",
        "{\"a\":1,\"a\":1}",
        "{ }",
        "[1, 2]",
        "\"\\u0041\"",
        "\"\\/\"",
        "\"\\u000A\"",
        "\"\\ud83d\\ude00\"",
        "undefined",
        "\u{feff}1",
        "1 2",
        "9007199254740993",
    ] {
        assert!(matches!(with_value(other), Err(DecodeError::Json(_))), "{other}");
    }
}
