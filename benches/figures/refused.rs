//! The cost of a session beside a million operations that a device refuses, and of a stranger's smallest request to a
//! responder that holds a million operations.

use policysync::crypto::{KeyPair, Sodium};
use policysync::keys::sign_op;
use policysync::sync::{DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES, Progress};
use policysync::{
    Hlc, Incoming, Op, Replica, ReplicaOptions, Responder, SigningSecretKey, SyncOptions, SyncSession,
};

use crate::allocator;
use crate::common::{NOW, Signing, Workload, cpu_nanoseconds, ingest, median};
use crate::speaker::{Bound, Content, Filter, Phase, Range, Request, Sections};
use crate::table::{Bar, Table};

const REFUSED: usize = 1_000_000;
const WELCOME: u32 = 1000;
const SESSIONS: u8 = 4;
const REQUESTS: u8 = 20;

pub fn measure(table: &mut Table) {
    let mut workload = Workload::new(REFUSED, Signing::False);
    // A pass over the order then jumps through the log.
    workload.shuffle();
    let friend = SigningSecretKey::new("friend", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap();
    let crypto = Sodium::new().unwrap();
    let op = |n| Op::lww_set("friend", Hlc::new(NOW.0, n).unwrap(), ("Task", "t1", "title"), "x").unwrap();
    let welcome: Vec<Vec<u8>> =
        (0..WELCOME).map(|n| sign_op(&crypto, op(n), &friend).unwrap().to_binary()).collect();
    let ops: Vec<Incoming<'_>> = workload
        .binary()
        .into_iter()
        .chain(welcome.iter().map(Vec::as_slice))
        .map(Incoming::Binary)
        .collect();
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    ingest(&mut relay, &ops);

    // Nobody whom the device knows, or known authors with other people's signatures.
    let strangers = Replica::open(ReplicaOptions::new()).unwrap();
    let forgeries = Replica::open(workload.options()).unwrap();
    for (what, mut device) in [("by unknown authors", strangers), ("with forged signatures", forgeries)] {
        device.keys_mut().register(friend.public_key().clone()).unwrap();
        let mut responder = Responder::new([9; 32], SyncOptions::new());
        for number in 1..=SESSIONS {
            let (progress, milliseconds) = session(number, &mut device, &mut responder, &mut relay);
            let row = format!("session {number} beside 10^6 operations {what}");
            let bytes = (progress.bytes_sent + progress.bytes_received) as f64;
            table.row(
                &format!("{row}, welcome ones brought"),
                progress.received.new_ops() as f64,
                "",
                Bar::None,
            );
            table.row(&format!("{row}, bytes"), bytes, " bytes", Bar::None);
            table.row(&format!("{row}, both sides"), milliseconds, " ms of CPU time", Bar::None);
        }
        assert_eq!(device.log().len(), usize::try_from(WELCOME).unwrap());
    }
    drop(ops);
    ask(table, &mut relay);
}

fn session(
    number: u8,
    device: &mut Replica,
    responder: &mut Responder,
    relay: &mut Replica,
) -> (Progress, f64) {
    let mut session = SyncSession::new(SyncOptions::new().peer("relay"), [number; 16]);
    let start = cpu_nanoseconds();
    while let Some(request) = session.next_message(device).unwrap() {
        let reply = responder.respond(relay, NOW, &request).unwrap();
        session.receive(device, NOW, &reply.message).unwrap();
    }
    (session.progress(), (cpu_nanoseconds() - start) as f64 / 1e6)
}

/// Measures the smallest requests of a stranger, each in a session of its own.
fn ask(table: &mut Table, relay: &mut Replica) {
    let cursor = u64::try_from(relay.log().len()).unwrap();
    let hello = Phase::Hello { count: 0, since: 0, hint: [0; 8] };
    let differs = Content::Fingerprint { count: 1, fingerprint: [1; 8] };
    let everything = |content| vec![Range { low: Bound::start(), high: Bound::End, content }];
    let all = everything(Content::Ids(Vec::new()));
    let one = everything(Content::Ids(vec![[1; 8]]));
    let (default, most) = (DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
    let bars = (Bar::AtMost(100.0), Bar::AtMost(16.0));
    for (what, limit, phase, ranges, (time, memory)) in [
        ("the first of a session", default, hello, Vec::new(), bars),
        ("for everything", default, Phase::Later { cursor }, all.clone(), bars),
        ("for everything but one", default, Phase::Later { cursor }, one, bars),
        ("about a part of the log", default, Phase::Later { cursor: cursor / 2 }, everything(differs), bars),
        // Answers that are as long as the responder's owner allows.
        ("for 16 MiB", most, Phase::Later { cursor }, all, (Bar::None, Bar::None)),
    ] {
        let mut responder = Responder::new([9; 32], SyncOptions::new().max_message_bytes(limit));
        let (mut times, mut peaks, mut kept, mut len) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for number in 1..=REQUESTS {
            let sections = Sections { ranges: ranges.clone(), ..Sections::default() };
            let request = Request {
                nonce: [number; 16],
                space: Sodium::new().unwrap().hash(b"policysync/sync/space/v1").as_bytes()[..8]
                    .try_into()
                    .unwrap(),
                round: 0,
                limit: u64::try_from(limit).unwrap(),
                resume: None,
                phase: phase.clone(),
                filter: Filter::default(),
                sections,
            };
            let request = request.write();
            len = request.len();
            let start = cpu_nanoseconds();
            let usage = allocator::peak(|| responder.respond(relay, NOW, &request).unwrap());
            times.push((cpu_nanoseconds() - start) as f64 / 1e6);
            peaks.push(usage.peak as f64 / 1e6);
            kept.push(usage.kept as f64 / 1e6);
        }
        let row = format!("a stranger's request of {len} bytes, {what}, at 10^6 operations");
        table.row(&row, median(times), " ms of CPU time", time);
        table.row(
            &format!("{row}: memory at its peak"),
            peaks.into_iter().fold(0.0, f64::max),
            " MB",
            memory,
        );
        let grown: f64 = kept[kept.len() / 2..].iter().sum();
        table.row(
            &format!("{row}: growth over the last {} requests", REQUESTS / 2),
            grown,
            " MB",
            Bar::AtMost(0.1),
        );
    }
}
