//! A session over a million common operations and a thousand differences, both sides in one process, without the
//! verification: the first time, and repeated with the same peer.
//!
//! `cargo bench --features parallel --bench sync`

mod common;

use common::{NOW, Signing, Workload, cpu_nanoseconds, ingest, median};
use policysync::{Finish, Incoming, Replica, Responder, SyncBase, SyncOptions, SyncSession};

const COMMON: usize = 1_000_000;
const DIFFERENCES: usize = 1000;
const REPEATS: usize = 5;

/// A session from the first message to the last; returns milliseconds of CPU time and what it ended with.
fn session(
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
    number: u8,
    base: Option<SyncBase>,
) -> (f64, SyncBase) {
    let options = base.into_iter().fold(SyncOptions::new(), SyncOptions::since);
    let mut session = SyncSession::new(options, [number; 16]);
    let start = cpu_nanoseconds();
    while let Some(request) = session.next_message(ours).unwrap() {
        let reply = responder.respond(theirs, NOW, &request).unwrap();
        session.receive(ours, NOW, &reply.message).unwrap();
    }
    let milliseconds = (cpu_nanoseconds() - start) as f64 / 1e6;
    let progress = session.progress();
    let bytes = progress.bytes_sent + progress.bytes_received;
    let overhead = bytes - progress.op_bytes_sent - progress.op_bytes_received;
    let trips = progress.round_trips;
    println!(
        "| {number} | {milliseconds:.1} | {trips} | {overhead} | {} |",
        progress.sent + progress.received
    );
    match session.finish() {
        Some(Finish::Converged { base: Some(base), .. }) => (milliseconds, base.clone()),
        other => panic!("{other:?}"),
    }
}

/// Gives every other operation to one side.
fn deal(ops: &[&[u8]], ours: &mut Replica, theirs: &mut Replica) {
    for (number, replica) in [ours, theirs].into_iter().enumerate() {
        let mine: Vec<Incoming<'_>> =
            ops.iter().skip(number).step_by(2).map(|op| Incoming::Binary(op)).collect();
        ingest(replica, &mine);
    }
}

fn main() {
    let workload = Workload::new(COMMON + DIFFERENCES * (REPEATS + 1), Signing::False);
    let binary = workload.binary();
    let open = || {
        let mut replica = Replica::open(workload.options().dangerously_accept_unverified()).unwrap();
        for batch in binary[..COMMON].chunks(common::BATCH) {
            let batch: Vec<Incoming<'_>> = batch.iter().map(|op| Incoming::Binary(op)).collect();
            ingest(&mut replica, &batch);
        }
        replica
    };
    let (mut ours, mut theirs) = (open(), open());
    let mut responder = Responder::new([9; 32], SyncOptions::new());

    println!(
        "| session | ms of CPU time, both sides | round trips | bytes without operations | operations |"
    );
    println!("|---:|---:|---:|---:|---:|");
    let mut rest = binary[COMMON..].chunks(DIFFERENCES);
    let mut repeats = Vec::new();
    let mut base = None;
    for number in 0..=REPEATS {
        deal(rest.next().unwrap(), &mut ours, &mut theirs);
        let number = u8::try_from(number).unwrap();
        let (milliseconds, next) = session(&mut ours, &mut responder, &mut theirs, number, base.take());
        base = Some(next);
        if number > 0 {
            repeats.push(milliseconds);
        }
    }
    println!();
    println!("repeated: {:.1} ms, the median of {REPEATS}", median(repeats));
    // From the beginning again: other keys, nothing remembered.
    session(&mut ours, &mut responder, &mut theirs, 100, None);
}
