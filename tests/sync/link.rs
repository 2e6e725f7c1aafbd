//! Two sides joined by a wire that does not fail.

use policysync::sync::{Finish, Progress};
use policysync::{Replica, Responder, SyncError, SyncOptions, SyncSession, WallMillis};

/// A responder with a secret of its own.
pub fn responder() -> Responder {
    Responder::new([42; 32], SyncOptions::new())
}

/// A session with a nonce of this number.
pub fn session(number: u8) -> SyncSession {
    SyncSession::new(SyncOptions::new(), [number; 16])
}

/// Runs a session to its end.
pub fn run(
    session: &mut SyncSession,
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
    now: WallMillis,
) -> Result<(Finish, Progress), SyncError> {
    while let Some(request) = session.next_message(ours)? {
        let reply = responder.respond(theirs, now, &request)?;
        session.receive(ours, now, &reply.message)?;
    }
    Ok((session.finish().cloned().expect("the session is over"), session.progress()))
}

/// Synchronises two replicas once.
pub fn sync(ours: &mut Replica, theirs: &mut Replica, now: WallMillis) -> (Finish, Progress) {
    run(&mut session(1), ours, &mut responder(), theirs, now).expect("honest sides")
}
