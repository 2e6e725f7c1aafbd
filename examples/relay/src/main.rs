//! A small relay, which keeps operations in an SQLite file and serves clients over HTTP and WebSocket.
//!
//! ```text
//! cargo run --release -p policysync-relay -- --file FILE (--keys KEYS | --blind) [OPTIONS]
//!
//!   --listen ADDRESS   the address to listen on, with port 0 for any free port; default: 127.0.0.1:8080
//!   --space NAME       the log's space; default: none
//!   --keys KEYS        verifies operations with the keys in this file, one a line, as `policysync key show` prints
//!                      them; keys that are added to it while the relay runs are registered
//!   --blind            stores every well-formed operation without verifying it
//!   --token-file FILE  requires the token in this file (`Authorization: Bearer …`), and answers others with 401
//!   --secret SECRET    a file with 32 random bytes that nobody else can read (head -c 32 /dev/urandom >SECRET); with it
//!                      the relay keeps its sessions in FILE.sessions when it ends, and can resume them after a restart
//!   --connections N    connections at a time; default: 1000, at most three quarters of them WebSockets. One more takes
//!                      the place of the slowest, a WebSocket that of one of the address with the most of them
//!   --per-address N    connections of one address, or of one network of IPv6; default: 100. Those of this machine are
//!                      not counted: they may come from a reverse proxy
//! ```
//!
//! Without `--token-file` the token is taken from the environment variable `RELAY_TOKEN`; without either, no token is
//! required. A POST to `/sync` is a message of a session, a WebSocket there a line that stays open. The relay does not
//! speak TLS: let a reverse proxy add it, or the token can be read on the way. It ends on SIGTERM and Ctrl-C with exit
//! code 0; with 2 if it cannot start.

mod connections;
mod keys;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::middleware::{self, Next as Handler};
use axum::response::Response;
use axum::routing::get;
use connections::{Bounds, Limited, Places, Watched};
use policysync::crypto::{Hash, Sodium};
use policysync::transport::{HTTP_CONTENT_TYPE, HttpRequest, LineResponder};
use policysync::{
    Replica, ReplicaOptions, Responder, SyncError, SyncOptions, answer_http, system_wall_clock,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{interval, sleep, timeout};

type Failure = Box<dyn Error + Send + Sync>;

/// The interval of pings on a WebSocket.
const PING: Duration = Duration::from_secs(20);
/// The time-out of closing a line, and of sending an answer when the relay ends.
const GOODBYE: Duration = Duration::from_secs(3);

/// The environment variable with the token.
const TOKEN_VARIABLE: &str = "RELAY_TOKEN";

const USAGE: &str = "usage: policysync-relay --file FILE (--keys KEYS | --blind) [--listen ADDRESS] [--space NAME] \
                     [--token-file FILE] [--secret SECRET] [--connections N] [--per-address N]";

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    match Arguments::parse(words).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

// Arguments

struct Arguments {
    listen: String,
    file: PathBuf,
    space: Option<String>,
    /// The file with the keys; a relay without one is blind.
    keys: Option<PathBuf>,
    token: Option<PathBuf>,
    /// The file with the responder's secret; a relay without one forgets its sessions when it ends.
    secret: Option<PathBuf>,
    bounds: Bounds,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (mut listen, mut file, mut space, mut keys, mut blind) = (None, None, None, None, false);
        let (mut token, mut secret) = (None, None);
        let mut bounds = Bounds { connections: 1000, per_address: 100 };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
            match word.as_str() {
                "--listen" => listen = Some(value()?),
                "--file" => file = Some(value()?.into()),
                "--space" => space = Some(value()?),
                "--keys" => keys = Some(value()?.into()),
                "--secret" => secret = Some(value()?.into()),
                "--blind" => blind = true,
                "--token-file" => token = Some(value()?.into()),
                "--connections" => bounds.connections = number(&value()?)?,
                "--per-address" => bounds.per_address = number(&value()?)?,
                _ => return Err(format!("{word} is not an option\n{USAGE}").into()),
            }
        }
        if keys.is_some() == blind {
            return Err(format!("either --keys or --blind is needed\n{USAGE}").into());
        }
        let file = file.ok_or_else(|| format!("--file is missing\n{USAGE}"))?;
        let listen = listen.unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        Ok(Self { listen, file, space, keys, token, secret, bounds })
    }

    /// Returns the path of the file with earlier sessions.
    fn sessions(&self) -> PathBuf {
        let mut path = self.file.clone().into_os_string();
        path.push(".sessions");
        path.into()
    }
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text} is not a number\n{USAGE}").into())
}

// The token

/// The hash of the token that a client must send.
struct Token(Hash);

impl Token {
    fn read(file: Option<&PathBuf>) -> Result<Option<Self>, Failure> {
        let token = match file {
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
            }
            None => match std::env::var(TOKEN_VARIABLE) {
                Ok(token) => token,
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(error) => return Err(format!("{TOKEN_VARIABLE}: {error}").into()),
            },
        };
        // An empty token would protect nothing, and be overlooked.
        match token.trim() {
            "" => Err("the token is empty".into()),
            token => Ok(Some(Self(Sodium::new()?.hash(token.as_bytes())))),
        }
    }

    /// Returns true if the headers have the token. The time does not depend on the token: hashes are compared, all
    /// bytes of them.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        let Some((scheme, token)) = sent else { return false };
        let Ok(sodium) = Sodium::new() else { return false };
        let hash = sodium.hash(token.trim().as_bytes());
        let pairs = hash.as_bytes().iter().zip(self.0.as_bytes());
        let difference = pairs.fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b)));
        difference == 0 && scheme.eq_ignore_ascii_case("bearer")
    }
}

/// Answers a request without the token with 401, before its body is read.
async fn require_token(
    State(token): State<Arc<Option<Token>>>,
    request: Request,
    handler: Handler,
) -> Response {
    if token.as_ref().as_ref().is_some_and(|token| !token.is_in(request.headers())) {
        let mut response = status(401);
        response.headers_mut().insert(WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
        return response;
    }
    handler.run(request).await
}

// The relay

struct Relay {
    /// Behind one lock, since the disk is the bottleneck.
    store: Mutex<(Replica, Responder)>,
    /// The number of operations, which the lines watch.
    count: watch::Sender<usize>,
    /// True when the relay shuts down.
    ending: watch::Sender<bool>,
    max_bytes: usize,
    places: Places,
}

impl Relay {
    fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let mut options = ReplicaOptions::new().path(&arguments.file, system_wall_clock());
        if let Some(space) = &arguments.space {
            options = options.space(space);
        }
        let replica = Replica::open(match &arguments.keys {
            Some(path) => options.keys(keys::read(path)?),
            None => options.dangerously_accept_unverified(),
        })?;
        let mut secret = [0; 32];
        match &arguments.secret {
            Some(path) => {
                let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                secret = bytes.try_into().map_err(|_| format!("{}: not 32 bytes", path.display()))?;
            }
            None => Sodium::new()?.random(&mut secret),
        }
        let mut responder = Responder::new(secret, SyncOptions::new());
        if arguments.secret.is_some()
            && let Ok(sessions) = std::fs::read(arguments.sessions())
            && let Err(error) = responder.restore_sessions(&replica, &sessions)
        {
            eprintln!("{}: {error}", arguments.sessions().display());
        }
        let max_bytes = responder.max_message_bytes();
        let count = watch::Sender::new(replica.log().len());
        let ending = watch::Sender::new(false);
        let places = Places::new(arguments.bounds);
        Ok(Self { store: Mutex::new((replica, responder)), count, ending, max_bytes, places })
    }

    /// Writes the sessions to their file, completely or not at all.
    fn save_sessions(&self, arguments: &Arguments) -> Result<(), Failure> {
        if arguments.secret.is_some() {
            let sessions = self.work(|replica, responder| responder.save_sessions(replica));
            let path = arguments.sessions();
            let mut new = path.clone().into_os_string();
            new.push(".new");
            let mut file = std::fs::File::create(&new)?;
            file.write_all(&sessions)?;
            file.sync_all()?;
            std::fs::rename(new, path)?;
        }
        Ok(())
    }

    /// Runs `work` with the replica without blocking other connections, and notifies the lines of new operations.
    fn work<T>(&self, work: impl FnOnce(&mut Replica, &mut Responder) -> T) -> T {
        tokio::task::block_in_place(|| {
            // After a panic the replica in memory may differ from the file. A restart reads the file.
            let Ok(mut store) = self.store.lock() else {
                eprintln!("ended by a panic");
                std::process::exit(1)
            };
            let (replica, responder) = &mut *store;
            let result = work(replica, responder);
            let count = replica.log().len();
            self.count.send_if_modified(|known| std::mem::replace(known, count) != count);
            result
        })
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let token = Token::read(arguments.token.as_ref())?;
    let keys_before = arguments.keys.as_deref().map(keys::stamp);
    let relay = Arc::new(Relay::open(&arguments)?);
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let address = listener.local_addr()?;
    let mode = if arguments.keys.is_some() { "verifying" } else { "blind" };
    println!("listening on {address}, {mode}, {} operations", *relay.count.borrow());

    let routes = Router::new()
        .route("/sync", get(open_line).post(answer))
        .layer(middleware::from_fn_with_state(Arc::new(token), require_token))
        .with_state(Arc::clone(&relay));
    let routes = routes.into_make_service_with_connect_info::<Watched>();
    let listener = Limited { listener, places: relay.places.clone() };
    if let (Some(path), Some(seen)) = (&arguments.keys, keys_before) {
        tokio::spawn(keys::follow(path.clone(), seen, Arc::clone(&relay)));
    }
    let ending = Arc::clone(&relay);
    let ended = async move {
        shutdown_signal().await;
        ending.ending.send_replace(true);
    };
    let mut shutdown = relay.ending.subscribe();
    let late = async move {
        drop(shutdown.wait_for(|ending| *ending).await);
        sleep(GOODBYE).await;
    };
    tokio::select! {
        served = axum::serve(listener, routes).with_graceful_shutdown(ended).into_future() => served?,
        // A client that does not read its answer is disconnected.
        () = late => {}
    }
    // The lines close themselves; those that take too long are dropped.
    let all_closed = async {
        while !relay.places.are_free() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    drop(timeout(GOODBYE, all_closed).await);
    relay.save_sessions(&arguments)
}

#[cfg(unix)]
async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn shutdown_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

// HTTP

async fn answer(
    State(relay): State<Arc<Relay>>,
    ConnectInfo(connection): ConnectInfo<Watched>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let announced =
        head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|len| usize::try_from(len).map_or(true, |len| len > relay.max_bytes)) {
        return status(413);
    }
    // As long as it moves, however slow the line is. A broken body is no reason for the client to send shorter ones.
    let Ok(body) = axum::body::to_bytes(body, relay.max_bytes).await else { return status(400) };
    let busy = connection.busy();
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let request = HttpRequest { method: head.method.as_str(), content_type, body: &body };
    let answer =
        relay.work(|replica, responder| answer_http(responder, replica, system_wall_clock(), &request));
    drop(busy);
    if let Some(error) = &answer.error {
        eprintln!("answered {}: {error}", answer.status);
    }
    let mut response = status(answer.status);
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(HTTP_CONTENT_TYPE));
    *response.body_mut() = Body::from(answer.body);
    response
}

fn status(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response
}

// WebSocket

async fn open_line(
    State(relay): State<Arc<Relay>>,
    ConnectInfo(connection): ConnectInfo<Watched>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !relay.places.become_line(&connection) {
        return status(503);
    }
    let limit = relay.max_bytes;
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .write_buffer_size(0)
        .max_write_buffer_size(limit + 1024)
        .on_upgrade(|socket| serve_line(socket, relay))
}

/// The next step on a line.
enum Next {
    Send(Vec<u8>),
    Nothing,
    /// Close the line after this message.
    Close(Option<Vec<u8>>),
}

async fn serve_line(mut socket: WebSocket, relay: Arc<Relay>) {
    let mut line = LineResponder::new();
    let (mut count, mut ending) = (relay.count.subscribe(), relay.ending.subscribe());
    if *ending.borrow() {
        return;
    }
    let mut pings = interval(PING);
    loop {
        let next = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(message))) => receive(&relay, &mut line, &message),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Next::Nothing,
                _ => return,
            },
            _ = count.changed() => Next::Nothing,
            _ = ending.changed() => Next::Close(None),
            _ = pings.tick() => {
                if !sent(&mut socket, Message::Ping(Bytes::new())).await {
                    return;
                }
                Next::Nothing
            }
        };
        let message = match next {
            Next::Send(message) => Some(message),
            Next::Nothing => None,
            Next::Close(last) => {
                let sent_last = match last {
                    Some(last) => sent(&mut socket, Message::Binary(last.into())).await,
                    None => true,
                };
                let close = async {
                    if sent_last && sent(&mut socket, Message::Close(None)).await {
                        // Unread messages would make the system discard the close.
                        while let Some(Ok(_)) = socket.recv().await {}
                    }
                };
                drop(timeout(GOODBYE, close).await);
                return;
            }
        };
        if let Some(message) = message
            && !sent(&mut socket, Message::Binary(message.into())).await
        {
            return;
        }
        // A message is made only after the one before was sent: the log is the queue.
        loop {
            match relay.work(|replica, _| line.next_message(replica)) {
                Ok(None) => break,
                Ok(Some(message)) => {
                    if !sent(&mut socket, Message::Binary(message.into())).await {
                        return;
                    }
                }
                Err(error) => {
                    eprintln!("ended a line: {error}");
                    return;
                }
            }
        }
    }
}

fn receive(relay: &Relay, line: &mut LineResponder, message: &[u8]) -> Next {
    let now = system_wall_clock();
    let answer: Result<_, SyncError> =
        relay.work(|replica, responder| line.receive(responder, replica, now, message));
    match answer {
        Ok(answer) => answer.map_or(Next::Nothing, Next::Send),
        Err(error) => {
            eprintln!("ended a line: {error}");
            Next::Close(Some(error.to_alert()))
        }
    }
}

/// Sends a message, as long as it moves. Returns true if it was sent.
async fn sent(socket: &mut WebSocket, message: Message) -> bool {
    socket.send(message).await.is_ok()
}
