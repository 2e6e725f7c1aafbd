//! `policysync sync`: one session with a server.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use policysync::sync::{Progress, Refusals, SessionResult, SessionTrace};
use policysync::transport::{ConnectionError, ConnectionOptions, HttpError, HttpOptions, SyncReport};
use policysync::{HttpClient, SyncOptions, system_wall_clock};

use crate::failure::{Failure, Fault};
use crate::json::Object;
use crate::output::{Output, ProgressLine};
use crate::secret_file;
use crate::store_options::StoreOptions;

pub fn command() -> Command {
    let command = Command::new("sync")
        .about("Synchronizes with a server over HTTP")
        .after_help(
            "Exit code 0 if both sides hold the same operations in the end, 1 if not. Only operations by keys that \
             are known are taken. The store is made if there is none.\n\n\
             Example:\n  policysync sync https://relay.example/sync --store list.db --keys keys.txt \
             --token-file token.txt",
        )
        .args([
            Arg::new("url").value_name("URL").required(true).help("The server's address"),
            Arg::new("token-file")
                .long("token-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Sends the server the token in this file, which only its owner may read"),
            Arg::new("proxy")
                .long("proxy")
                .value_name("URL")
                .help("Connects through this HTTP proxy: http://[user:password@]host[:port]"),
            Arg::new("retry-for")
                .long("retry-for")
                .value_name("SECONDS")
                .default_value("10")
                .value_parser(value_parser!(u16))
                .help("Repeats a request that fails for a temporary reason for so long"),
            Arg::new("trace")
                .long("trace")
                .action(ArgAction::SetTrue)
                .help("Prints to standard error what was asked, sent, received and refused: no names, no values"),
        ]);
    StoreOptions::on(command)
}

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let url = matches.get_one::<String>("url").map_or("", String::as_str);
    let mut connection = ConnectionOptions::new();
    if let Some(path) = matches.get_one::<PathBuf>("token-file") {
        connection = connection.bearer_token(secret_file::read(path)?.trim());
    }
    if let Some(proxy) = matches.get_one::<String>("proxy") {
        connection = connection.proxy(proxy);
    }
    let retry = Duration::from_secs(matches.get_one::<u16>("retry-for").copied().unwrap_or(0).into());
    let options = HttpOptions::new().connection(connection).retry_for(retry);
    let client = HttpClient::new(url, options).map_err(explained)?;
    let mut replica = StoreOptions::of(matches)?.open_or_create()?;
    let trace = SessionTrace::new();
    let mut line = ProgressLine::new();
    let result = client.sync(&mut replica, SyncOptions::new().trace(&trace), system_wall_clock, |progress| {
        let Progress { left_to_receive, sent, left_to_send, .. } = progress;
        let received = progress.received.new_ops();
        line.show(&format!(
            "received {received} of {}, sent {sent} of {}",
            received + left_to_receive,
            sent + left_to_send
        ));
        ControlFlow::Continue(())
    });
    drop(line);
    if matches.get_flag("trace") {
        // Also of a session that failed, and apart from the data.
        eprint!("{trace}");
    }
    let report = result.map_err(explained)?;
    let converged = match &report.result {
        SessionResult::Converged { count, .. } => Some(*count),
        _ => None,
    };
    if output.is_json() {
        output.line(&described(&report, converged))?;
    } else {
        let progress = &report.progress;
        output.line(&format!(
            "sent {}, received {}, duplicates {}",
            progress.sent,
            progress.received.new_ops(),
            progress.received.duplicates
        ))?;
        let (refused, by_server) = refusals_of(&report.result, progress);
        print_refusals(output, "refused", &refused)?;
        print_refusals(output, "refused by the server", &by_server)?;
        output.line(&match converged {
            Some(count) => format!("both hold the same {count} operations"),
            None => "the server does not hold the same operations".to_owned(),
        })?;
    }
    if converged.is_some() { Ok(()) } else { Err(Failure::said()) }
}

/// Returns the operations that this side refuses, those that the server left out among them, and those that the server
/// refuses.
pub fn refusals_of(result: &SessionResult, progress: &Progress) -> (Refusals, Refusals) {
    match result {
        SessionResult::ConvergedExcept { refused, refused_by_peer, .. } => (*refused, *refused_by_peer),
        _ => (progress.received.refused, progress.refused_by_peer),
    }
}

fn described(report: &SyncReport, converged: Option<u64>) -> String {
    let progress = &report.progress;
    let (refused, by_server) = refusals_of(&report.result, progress);
    let object = Object::new()
        .number("bytesReceived", progress.bytes_received)
        .number("bytesSent", progress.bytes_sent)
        .boolean("converged", converged.is_some())
        .number("held", progress.received.held)
        .number("duplicates", progress.received.duplicates)
        .raw("operations", &converged.map_or_else(|| "null".to_owned(), |count| count.to_string()))
        .number("received", progress.received.new_ops())
        .raw("refused", &refusals(&refused))
        .raw("refusedByPeer", &refusals(&by_server))
        .number("roundTrips", progress.round_trips.into());
    object.number("sent", progress.sent).finish()
}

/// Returns the failure of an HTTP error, with advice where this program can give it.
fn explained(error: HttpError) -> Failure {
    let no_tls = matches!(error, HttpError::Connection(ConnectionError::NoTls));
    let failure = Failure::from(error);
    if no_tls {
        return failure
            .advise(Fault::Usage, "install this program with: cargo install --path cli --features tls");
    }
    failure.advise(Fault::Keys, "the server wants a token, or another one: --token-file")
}

/// Returns counts of refused operations as a JSON object.
pub fn refusals(refused: &Refusals) -> String {
    reasons(refused)
        .into_iter()
        .fold(Object::new(), |object, (name, _, count)| object.number(name, count))
        .finish()
}

/// Prints counts of refused operations, a line for each reason.
pub fn print_refusals(output: &mut Output, verb: &str, refused: &Refusals) -> io::Result<()> {
    for (_, reason, count) in reasons(refused) {
        if count > 0 {
            output.line(&format!("{verb} {count}: {reason}"))?;
        }
    }
    Ok(())
}

fn reasons(refused: &Refusals) -> [(&'static str, &'static str, u64); 6] {
    [
        ("badSignature", "not signed by the actor that they name", refused.bad_signature),
        ("denied", "not allowed", refused.denied),
        ("malformed", "not operations", refused.malformed),
        ("other", "for another reason", refused.other),
        ("otherSpace", "of another space", refused.other_space),
        ("unknownKey", "by a key that is not known", refused.unknown_key),
    ]
}
