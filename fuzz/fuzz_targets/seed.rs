//! Writes the first corpus of every target into the directory `corpus`: always the same files.
//!
//! It is built like a target, because what is built for fuzzing links with nothing else: `.scripts/fuzz seed`.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use policysync::{
    CryptoProvider, Cursor, Hlc, Op, Push, Replica, SignedOp, SyncOptions, SyncSession, sign_op,
};
use policysync_fuzz::sync::{base, nonce, ours, responder, session, theirs};
use policysync_fuzz::{ACTORS, NOW, VALUES, crypto, ingest, keys, reader, seed_ops};

fuzz_target!(init: seed(), |_data: &[u8]| {});

fn seed() {
    write("value", VALUES.iter().map(|value| value.as_bytes().to_vec()));
    let json = seed_ops().iter().map(SignedOp::to_json);
    // Names twice, one of them escaped.
    let twice = [("{", "{\"path\":\"b\","), ("{", "{\"\\u0061ctor\":\"alice\",")]
        .map(|(from, to)| seed_ops()[0].to_json().replacen(from, to, 1));
    write("op_json", json.chain(twice).map(String::into_bytes));
    write("op_binary", seed_ops().iter().map(SignedOp::to_binary));
    write("bundle", bundles());
    write("sync_message", messages());
    for (target, len) in [("signed", 40), ("sync_two_party", 24), ("database", 12), ("c_abi", 60)] {
        write(target, scripts(target, len));
    }
    std::process::exit(0);
}

fn write(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let directory = Path::new("corpus").join(target);
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    for (number, input) in inputs.into_iter().enumerate() {
        std::fs::write(directory.join(format!("seed-{number:02}")), input).expect("there is room");
    }
}

fn piece(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("a short message");
    [&len.to_le_bytes(), bytes].concat()
}

fn bundles() -> Vec<Vec<u8>> {
    let exported = |replica: &Replica| {
        let mut bundle = Vec::new();
        replica.export_since(Cursor::START, &mut bundle).expect("a vector takes all");
        bundle
    };
    let mut inputs = Vec::new();
    let delete = Op::lww_delete(ACTORS[0], Hlc::MIN, "Task", "t1", "p").expect("identifiers");
    let mut few = reader();
    ingest(&mut few, &[&sign_op(&crypto(), delete, &keys()[0][0]).expect("the actor's key")]);
    for replica in [reader(), few, ours(), theirs()] {
        let bundle = exported(&replica);
        inputs.push([&[0], bundle.as_slice()].concat());
        // Of one frame: without the header and the digests.
        if let Some(len) = bundle.get(10..14).and_then(|len| len.try_into().ok()).map(u32::from_le_bytes) {
            let count = u8::try_from(replica.log().len()).expect("a small log");
            let frame = &bundle[14..14 + len as usize];
            inputs.push([&[1, count], piece(frame).as_slice()].concat());
        }
    }
    inputs
}

fn messages() -> Vec<Vec<u8>> {
    let (mut left, mut right) = (ours(), theirs());
    let mut responder = responder();
    let mut session = session();
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    while let Some(request) = session.next_message(&left).expect("an honest session") {
        let reply = responder.respond(&mut right, NOW, &request).expect("an honest request");
        session.receive(&mut left, NOW, &reply.message).expect("an honest answer");
        requests.push(piece(&request));
        answers.push(piece(&reply.message));
    }
    let refused = responder.respond(&mut right, NOW, &[]).expect_err("no request").to_message();
    let mut inputs = vec![
        [vec![0], requests.concat()].concat(),
        [vec![1], answers.concat()].concat(),
        [vec![2], answers[1..].concat()].concat(),
        [vec![1], piece(&refused)].concat(),
    ];
    for (number, message) in (0..).zip(requests.iter().chain(&answers)) {
        inputs.push([vec![number % 2], message.clone()].concat());
        inputs.push([vec![number % 2 + 2], message.clone()].concat());
    }
    // Greetings of others: the same, nothing, more.
    for (number, replica) in (10..).zip([ours(), theirs(), reader()]) {
        let mut other = SyncSession::new(SyncOptions::new(), nonce(number));
        let request = other.next_message(&replica).expect("the first message").expect("a greeting");
        inputs.push([vec![0], piece(&request)].concat());
    }
    let mut replica = theirs();
    let mut push = Push::after(base(&mut replica), &SyncOptions::new());
    let more = policysync_fuzz::sync::pool();
    ingest(&mut replica, &[&more[16], &more[17], &more[23]]);
    let message = push.next_message(&replica).expect("memory suffices").expect("something is new");
    inputs.push([vec![3], piece(&message)].concat());
    inputs
}

/// Bytes that decide: SHA-256 of the name and a number, again and again, longer and longer.
fn scripts(target: &str, step: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..16).map(move |number| {
        let block = |at: usize| *crypto().hash(format!("{target}/{number}/{at}").as_bytes()).as_bytes();
        let mut bytes: Vec<u8> = (0..).flat_map(block).take(step * number / 2).collect();
        // Small numbers choose what is common.
        if number % 2 == 0 {
            bytes.iter_mut().for_each(|byte| *byte &= 15);
        }
        bytes
    })
}
