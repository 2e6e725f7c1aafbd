//! A session over a million common operations and a thousand differences.
//!
//! Both sides run in one process, without verification: the first time, and again with the same peer.

use policysync::sync::{ResumeToken, SessionResult};
use policysync::{Incoming, Replica, Responder, SyncOptions, SyncSession};

use crate::common::{BATCH, NOW, Signing, Workload, cpu_nanoseconds, ingest, median};
use crate::table::{Bar, Table};

const COMMON: usize = 1_000_000;
const DIFFERENCES: usize = 1000;
const REPEATS: usize = 5;

/// Runs a whole session. Returns its milliseconds of CPU time and the state for the next session.
fn session(
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
    number: u8,
    base: Option<ResumeToken>,
) -> (f64, ResumeToken) {
    let options = base.into_iter().fold(SyncOptions::new(), SyncOptions::resume);
    let mut session = SyncSession::new(options, [number; 16]);
    let start = cpu_nanoseconds();
    while let Some(request) = session.next_message(ours).unwrap() {
        let reply = responder.respond(theirs, NOW, &request).unwrap();
        session.receive(ours, NOW, &reply.message).unwrap();
    }
    let milliseconds = (cpu_nanoseconds() - start) as f64 / 1e6;
    match session.result() {
        Some(SessionResult::Converged { resume: Some(base), .. }) => (milliseconds, base.clone()),
        other => panic!("{other:?}"),
    }
}

/// Gives the operations to both sides in turn.
fn deal(ops: &[&[u8]], ours: &mut Replica, theirs: &mut Replica) {
    for (number, replica) in [ours, theirs].into_iter().enumerate() {
        let mine: Vec<Incoming<'_>> =
            ops.iter().skip(number).step_by(2).map(|op| Incoming::Binary(op)).collect();
        ingest(replica, &mine);
    }
}

pub fn measure(table: &mut Table) {
    let workload = Workload::new(COMMON + DIFFERENCES * (REPEATS + 1), Signing::False);
    let binary = workload.binary();
    let open = || {
        let mut replica = Replica::open(workload.options().dangerously_accept_unverified()).unwrap();
        for batch in binary[..COMMON].chunks(BATCH) {
            let batch: Vec<Incoming<'_>> = batch.iter().map(|op| Incoming::Binary(op)).collect();
            ingest(&mut replica, &batch);
        }
        replica
    };
    let (mut ours, mut theirs) = (open(), open());
    let mut responder = Responder::new([9; 32], SyncOptions::new());

    let mut rest = binary[COMMON..].chunks(DIFFERENCES);
    let (mut first, mut repeats) = (0.0, Vec::new());
    let mut base = None;
    for number in 0..=REPEATS {
        deal(rest.next().unwrap(), &mut ours, &mut theirs);
        let number = u8::try_from(number).unwrap();
        let (milliseconds, next) = session(&mut ours, &mut responder, &mut theirs, number, base.take());
        base = Some(next);
        if number == 0 {
            first = milliseconds;
        } else {
            repeats.push(milliseconds);
        }
    }
    let what = "a session over 10^6 common operations and 1,000 differences, both sides";
    table.row(what, first, " ms of CPU time", Bar::AtMost(600.0));
    table.row("the same, repeated with the same peer", median(repeats), " ms of CPU time", Bar::AtMost(60.0));
}
