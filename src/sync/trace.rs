//! The trace of sessions.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::Progress;
use super::{Received, Refusals, SyncError};
use crate::hlc::WallMillis;
use crate::replica::IngestError;

/// The most steps that a trace keeps.
const MAX_STEPS: usize = 1000;

/// A record of what sessions ask, send, receive and refuse, in counts, bytes and times, for error reports of users. It
/// contains no names, no values and no paths. Its steps are answered requests: a request without an answer has none.
///
/// Clones are handles of the same record, so the application keeps one and gives another to
/// [`SyncOptions::trace`](super::SyncOptions::trace). Several sessions may use it at a time. What was recorded stays
/// if a session fails. It keeps the last thousand steps.
///
/// ```
/// use policysync::{Replica, ReplicaOptions, Responder, SyncOptions, SyncSession, WallMillis};
/// use policysync::crypto::random;
/// use policysync::sync::SessionTrace;
///
/// let now = WallMillis(1_760_000_000_000);
/// let (mut phone, mut laptop) =
///     (Replica::open(ReplicaOptions::new())?, Replica::open(ReplicaOptions::new())?);
/// let trace = SessionTrace::new();
/// let mut session = SyncSession::new(SyncOptions::new().trace(&trace), random()?);
/// let mut responder = Responder::new(random()?, SyncOptions::new());
/// while let Some(request) = session.next_message(&phone)? {
///     let reply = responder.respond(&mut laptop, now, &request)?;
///     session.receive(&mut phone, now, &reply.message)?;
/// }
/// assert_eq!(trace.steps().len(), 1);
/// println!("{trace}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SessionTrace(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    sessions: u64,
    steps: VecDeque<TraceStep>,
    /// The number of older steps that were dropped.
    dropped: u64,
}

/// A session in a trace.
pub(super) struct TracedSession {
    trace: SessionTrace,
    /// The number of the session in the trace, from 1.
    number: u64,
    /// The progress at the last step.
    last: Progress,
}

/// An answer that was given to a session, with the request before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceStep {
    /// The number of the session in this trace, from 1.
    pub session: u64,
    /// The time of the answer, as the application passed it.
    pub at: WallMillis,
    /// Bytes of the request that ask and describe: all but its operations.
    pub question_bytes: u64,
    /// Bytes of operations in the request.
    pub sent_bytes: u64,
    /// Bytes of the answer other than its operations.
    pub answer_bytes: u64,
    /// Bytes of operations in the answer.
    pub received_bytes: u64,
    /// Operations that were sent and that the answer acknowledges.
    pub sent: u64,
    /// Of these, those that the peer refused.
    pub refused_by_peer: Refusals,
    /// Operations in the answer, by their outcome.
    pub received: Received,
    /// Operations known to remain to be sent.
    pub left_to_send: u64,
    /// A lower bound for the operations that remain to be received.
    pub left_to_receive: u64,
    /// The error that the answer ended with, without names, values and paths.
    pub error: Option<String>,
}

impl SessionTrace {
    /// Returns an empty trace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the steps, the oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<TraceStep> {
        self.record().steps.iter().cloned().collect()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TracedSession {
    /// Begins a session in the trace.
    pub(super) fn begin(trace: &SessionTrace) -> Self {
        let mut record = trace.record();
        record.sessions = record.sessions.saturating_add(1);
        Self { trace: trace.clone(), number: record.sessions, last: Progress::default() }
    }

    /// Notes an answer.
    pub(super) fn note(&mut self, now: WallMillis, progress: &Progress, error: Option<&SyncError>) {
        let last = std::mem::replace(&mut self.last, *progress);
        let between = |of: fn(&Progress) -> u64| of(progress).saturating_sub(of(&last));
        let (sent_bytes, received_bytes) =
            (between(|all| all.op_bytes_sent), between(|all| all.op_bytes_received));
        let step = TraceStep {
            session: self.number,
            at: now,
            question_bytes: between(|all| all.bytes_sent).saturating_sub(sent_bytes),
            sent_bytes,
            answer_bytes: between(|all| all.bytes_received).saturating_sub(received_bytes),
            received_bytes,
            sent: between(|all| all.sent),
            refused_by_peer: progress.refused_by_peer.since(&last.refused_by_peer),
            received: Received {
                appended: between(|all| all.received.appended),
                held: between(|all| all.received.held),
                duplicates: between(|all| all.received.duplicates),
                refused: progress.received.refused.since(&last.received.refused),
            },
            left_to_send: progress.left_to_send,
            left_to_receive: progress.left_to_receive,
            error: error.map(without_content),
        };
        let mut record = self.trace.record();
        if record.steps.len() >= MAX_STEPS {
            record.steps.pop_front();
            record.dropped = record.dropped.saturating_add(1);
        }
        record.steps.push_back(step);
    }
}

/// Returns the message of an error without the names and values that it may quote.
fn without_content(error: &SyncError) -> String {
    match error {
        SyncError::Store(error) | SyncError::Ingest(IngestError::Store(error)) => error.without_content(),
        SyncError::Ingest(IngestError::Refused(_)) => String::from("an operation was refused"),
        error => error.to_string(),
    }
}

/// Formats the trace as text, a line for each step, with times since the first of them.
impl fmt::Display for SessionTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record();
        let first = record.steps.front().map_or(WallMillis(0), |step| step.at);
        writeln!(
            f,
            "sessions {}, steps {}, dropped {}",
            record.sessions,
            record.steps.len(),
            record.dropped
        )?;
        record.steps.iter().try_for_each(|step| step.write(first, f))
    }
}

impl TraceStep {
    fn write(&self, first: WallMillis, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Received { appended, held, duplicates, refused } = &self.received;
        write!(f, "session {} +{} ms:", self.session, self.at.0.saturating_sub(first.0))?;
        write!(
            f,
            " asked {} B, sent {} B, acknowledged {}",
            self.question_bytes, self.sent_bytes, self.sent
        )?;
        write_refusals(f, "refused by the peer", &self.refused_by_peer)?;
        write!(f, "; answered {} B, received {} B,", self.answer_bytes, self.received_bytes)?;
        write!(f, " new {appended}, held {held}, duplicates {duplicates}")?;
        write_refusals(f, "refused", refused)?;
        write!(f, "; left to send {}, to receive {}", self.left_to_send, self.left_to_receive)?;
        match &self.error {
            Some(error) => writeln!(f, "; error: {error}"),
            None => writeln!(f),
        }
    }
}

/// Writes the counts that are not zero.
fn write_refusals(f: &mut fmt::Formatter<'_>, verb: &str, refused: &Refusals) -> fmt::Result {
    let names = ["malformed", "unknown key", "bad signature", "denied", "other space", "other"];
    for (name, count) in names.iter().zip(refused.to_array()) {
        if count > 0 {
            write!(f, ", {verb} {count} ({name})")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::op::OpSeq;
    use crate::store::{Damage, StoreError};

    #[test]
    fn a_step_has_what_the_answer_changed_and_a_new_session_begins_at_zero() {
        let trace = SessionTrace::new();
        let mut progress = Progress { bytes_sent: 100, op_bytes_sent: 60, sent: 3, ..Progress::default() };
        let mut one = TracedSession::begin(&trace);
        one.note(WallMillis(10), &progress, None);
        // Another session with the same trace, between two answers of the first.
        let mut two = TracedSession::begin(&trace);
        let first = Progress { bytes_sent: 40, ..Progress::default() };
        two.note(WallMillis(20), &first, None);
        (progress.bytes_sent, progress.received.appended, progress.received.refused.denied) = (150, 7, 2);
        one.note(WallMillis(35), &progress, None);
        two.note(WallMillis(40), &first, Some(&SyncError::OtherSpace));
        let steps = trace.steps();
        let sizes: Vec<_> = steps
            .iter()
            .map(|step| (step.session, step.question_bytes, step.sent_bytes, step.sent))
            .collect();
        assert_eq!(sizes, [(1, 40, 60, 3), (2, 40, 0, 0), (1, 50, 0, 0), (2, 0, 0, 0)]);
        assert_eq!((steps[2].received.appended, steps[2].received.refused.denied), (7, 2));
        let text = trace.to_string();
        assert!(text.starts_with("sessions 2, steps 4, dropped 0\nsession 1 +0 ms: asked 40 B"), "{text}");
        assert!(text.contains("session 1 +25 ms") && text.contains("refused 2 (denied)"), "{text}");
        assert!(text.ends_with("; error: the peer's log belongs to another space\n"), "{text}");
    }

    #[test]
    fn an_error_has_its_whole_fault_but_no_path_and_no_content() {
        let trace = SessionTrace::new();
        let mut session = TracedSession::begin(&trace);
        let path = format!("/home/alice/{}/list.db", "deep/".repeat(20));
        let damaged =
            |damage| StoreError::operation(OpSeq::new(u32::MAX - 2), damage).in_file(Path::new(&path));
        let quoting = crate::value::Value::parse("12345678901234567890").unwrap_err();
        for damage in [Damage::Malformed, Damage::Decode(quoting.into())] {
            let error = IngestError::Store(damaged(damage)).into();
            session.note(WallMillis(0), &Progress::default(), Some(&error));
        }
        let errors: Vec<_> = trace.steps().into_iter().filter_map(|step| step.error).collect();
        let place = "operation number 4294967293 of the store is damaged: ";
        assert_eq!(
            errors,
            [
                format!("{place}a page of the database is malformed or unreadable"),
                format!("{place}unsafe-integer"),
            ]
        );
    }

    #[test]
    fn a_long_trace_keeps_the_last_steps() {
        let trace = SessionTrace::new();
        let mut session = TracedSession::begin(&trace);
        for at in 0..1005 {
            session.note(WallMillis(at), &Progress::default(), None);
        }
        let steps = trace.steps();
        assert_eq!((steps.len(), steps[0].at), (1000, WallMillis(5)));
        assert!(trace.to_string().starts_with("sessions 1, steps 1000, dropped 5\n"));
    }
}
