//! A program that writes the first corpus of every target into `corpus`, always the same files.
//!
//! It is built like a target, because code built for fuzzing links only with libFuzzer. Run it by `.scripts/fuzz seed`.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use policysync::bundle;
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::sync::Push;
use policysync::{Hlc, Op, Replica, SignedOp, SyncOptions, SyncSession};
use policysync_fuzz::sync::{base, nonce, ours, responder, session, theirs};
use policysync_fuzz::{ACTORS, NOW, VALUES, crypto, ingest, keys, reader, seed_ops};

fuzz_target!(init: seed(), |_data: &[u8]| {});

fn seed() {
    write("value", VALUES.iter().map(|value| value.as_bytes().to_vec()));
    let json = seed_ops().iter().map(SignedOp::to_json);
    // Repeated names, one of them escaped.
    let twice = [("{", "{\"path\":\"b\","), ("{", "{\"\\u0061ctor\":\"alice\",")]
        .map(|(from, to)| seed_ops()[0].to_json().replacen(from, to, 1));
    write("op_json", json.chain(twice).map(String::into_bytes));
    write("op_binary", seed_ops().iter().map(SignedOp::to_binary));
    write("bundle", bundles());
    write("sync_message", messages());
    for (target, len) in [("signed", 40), ("sync_two_party", 24), ("database", 12), ("c_abi", 60)] {
        write(target, scripts(target, len));
    }
    let numbered = calls().into_iter().enumerate();
    for (number, script) in numbered {
        save("c_abi", &format!("calls-{number}"), &script);
    }
    std::process::exit(0);
}

fn write(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    for (number, input) in inputs.into_iter().enumerate() {
        save(target, &format!("{number:02}"), &input);
    }
}

fn save(target: &str, name: &str, input: &[u8]) {
    let directory = Path::new("corpus").join(target);
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    std::fs::write(directory.join(format!("seed-{name}")), input).expect("there is room");
}

/// Returns scripts of `c_abi` that succeed. Random input would hardly find them.
///
/// They are: a session with pushes and another session; a replica in a file that is copied, checked, damaged and salvaged;
/// a bundle; a line with saved sessions; HTTP.
fn calls() -> Vec<Vec<u8>> {
    // A key and a replica for alice; a replica that only reads; a sealed one in the file a.db that alice writes into.
    const BEGIN: &[u8] = &[0];
    const READER: &[u8] = &[1, 0, 1, 15, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0];
    const IN_FILE: &[u8] = &[1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 2, 1, 2, 0, 0, 0];
    let set = |replica: u8| vec![8, replica, 0, 1, 6, 5, 0, 1, 0, 0];
    const SESSION: &[u8] = &[49, 0, 7, 0, 0, 0, 0];
    const RESPONDER: &[u8] = &[49, 0, 9, 0, 1, 0, 0];
    const CONVERSE: &[u8] = &[57, 0, 0, 0, 1, 0, 0, 0, 0, 0];
    const CONVERSE_AGAIN: &[u8] = &[57, 1, 0, 0, 1, 0, 0, 0, 0, 0];
    const PUSH_AFTER: &[u8] = &[59, 0, 0, 0, 0, 0, 0, 0];
    const PUSH_AFTER_RESPONDER: &[u8] = &[59, 0, 1, 2, 0, 0, 0, 0, 0, 0];
    const PUSH: &[u8] = &[59, 0, 0, 3, 0, 0];
    const TAKE_PUSH: &[u8] = &[59, 1, 1, 5, 0, 0, 0, 0, 0, 0];
    const WAITING: &[u8] = &[59, 0, 0, 6, 0, 0];
    const BACK_UP: &[u8] = &[41, 1, 1, 0];
    const CLOSE: &[u8] = &[6, 1];
    const CHECK: &[u8] = &[42, 0, 1, 0, 0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0];
    const SALVAGE: &[u8] = &[42, 0, 1, 0, 0, 0, 0, 0, 2, 1, 2, 0, 0, 1, 2, 0, 0, 0, 0];
    const DAMAGE: &[u8] = &[44, 0, 2, 10, 0, 2, 1];
    const EXPORT: &[u8] = &[45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const IMPORT: &[u8] = &[47, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const CALLER: &[u8] = &[62, 0, 0, 9, 0, 0, 0];
    const ANSWERER: &[u8] = &[62, 1, 0, 0];
    const TALK: &[u8] = &[62, 7, 0, 0, 0, 0, 1, 0, 47];
    const ASK_CALLER: &[u8] = &[62, 6, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    const WRITE_BASE: &[u8] = &[33, 0, 0, 0, 0, 0, 0];
    const READ_BASE: &[u8] = &[33, 1, 0, 0, 0, 0, 0, 0];
    const WRITE_REMEMBERED: &[u8] = &[33, 2, 0, 1, 0, 0];
    const READ_REMEMBERED: &[u8] = &[33, 3, 0, 0, 0, 1, 0];
    const CONVERSE_HTTP: &[u8] = &[63, 1, 0, 0, 0, 1, 0];
    const ANSWER_HTTP: &[u8] = &[63, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const CLIENT: &[u8] = &[63, 2, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const CONNECT: &[u8] = &[63, 3, 5, 7, 0, 0, 0];
    let session = [BEGIN, READER, &set(0), &set(0), SESSION, RESPONDER, CONVERSE];
    let follows = [PUSH_AFTER, PUSH_AFTER_RESPONDER, &set(0), WAITING, PUSH, TAKE_PUSH];
    let again = [SESSION, CONVERSE_AGAIN, EXPORT];
    let in_file = [BEGIN, IN_FILE, &set(1), &set(1), BACK_UP, CLOSE, CHECK, IN_FILE, &set(1), CLOSE];
    let damaged = [DAMAGE, CHECK, IN_FILE, SALVAGE, CHECK];
    let bundle = [BEGIN, READER, &set(0), &set(0), EXPORT, IMPORT, EXPORT, IMPORT];
    let line =
        [BEGIN, READER, &set(0), &set(0), RESPONDER, CALLER, ANSWERER, TALK, ASK_CALLER, &set(0), TALK];
    let kept = [WRITE_BASE, READ_BASE, WRITE_REMEMBERED, READ_REMEMBERED];
    let network = [BEGIN, READER, &set(0), &set(0), SESSION, RESPONDER, CONVERSE_HTTP, ANSWER_HTTP];
    let clients = [CLIENT, CONNECT];
    vec![
        [session.concat(), follows.concat(), again.concat()].concat(),
        [in_file.concat(), damaged.concat()].concat(),
        bundle.concat(),
        [line.concat(), kept.concat()].concat(),
        [network.concat(), clients.concat()].concat(),
    ]
}

fn piece(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("a short message");
    [&len.to_le_bytes(), bytes].concat()
}

fn bundles() -> Vec<Vec<u8>> {
    let exported = |replica: &Replica| {
        let mut bundle = Vec::new();
        bundle::export_since(&replica, Cursor::START, &mut bundle).expect("a vector takes all");
        bundle
    };
    let mut inputs = Vec::new();
    let delete = Op::lww_delete(ACTORS[0], Hlc::MIN, ("Task", "t1", "p")).expect("identifiers");
    let mut few = reader();
    ingest(&mut few, &[&sign_op(&crypto(), delete, &keys()[0][0]).expect("the actor's key")]);
    for replica in [reader(), few, ours(), theirs()] {
        let bundle = exported(&replica);
        inputs.push([&[0], bundle.as_slice()].concat());
        // One frame, without the header and the digests.
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
    let refused = responder.respond(&mut right, NOW, &[]).expect_err("no request").to_alert();
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
    // Greetings of other initiators.
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

/// Returns inputs of increasing length, made from SHA-256 of the name and a number.
fn scripts(target: &str, step: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..16).map(move |number| {
        let block = |at: usize| *crypto().hash(format!("{target}/{number}/{at}").as_bytes()).as_bytes();
        let mut bytes: Vec<u8> = (0..).flat_map(block).take(step * number / 2).collect();
        // Small numbers choose the common cases.
        if number % 2 == 0 {
            bytes.iter_mut().for_each(|byte| *byte &= 15);
        }
        bytes
    })
}
