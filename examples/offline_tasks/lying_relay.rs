//! A relay that lies in every way that it can. It has no keys: it can copy, drop, delay and invent, but not sign.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use policysync::crypto::Sodium;
use policysync::keys::sign_op;
use policysync::transport::{HTTP_CONTENT_TYPE, HttpRequest};
use policysync::{
    Hlc, Op, Replica, ReplicaOptions, Responder, SignedOp, SigningSecretKey, SyncOptions, answer_http,
};
use tokio::net::TcpListener;

use super::{LIST, at, key, key_pair};

type Failure = Box<dyn Error>;

pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let result = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(serve()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    // When the program that started this one has gone, its end of the pipe is closed.
    std::thread::spawn(|| {
        let _bytes = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let relay = Arc::new(Mutex::new(Relay::default()));
    let routes = Router::new().route("/{device}/{lie}", post(answer)).with_state(relay);
    Ok(axum::serve(listener, routes).await?)
}

/// What it keeps: for each device a log of its own, and in it what that device shall see.
#[derive(Default)]
struct Relay {
    mailboxes: BTreeMap<String, Mailbox>,
    last_answer: Vec<u8>,
}

struct Mailbox {
    replica: Replica,
    responder: Responder,
}

impl Mailbox {
    fn new() -> Result<Self, Failure> {
        let options = ReplicaOptions::new().space(LIST).dangerously_accept_unverified();
        Ok(Self { replica: Replica::open(options)?, responder: Responder::new([9; 32], SyncOptions::new()) })
    }

    fn ops(&self) -> Result<Vec<SignedOp>, Failure> {
        self.replica.log().iter().map(|entry| Ok(entry?.op)).collect()
    }
}

async fn answer(
    State(relay): State<Arc<Mutex<Relay>>>,
    Path((device, lie)): Path<(String, String)>,
    request: Bytes,
) -> impl IntoResponse {
    let mut relay = relay.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match relay.answer(&device, &lie, &request) {
        Ok(answer) => answer,
        Err(error) => {
            eprintln!("relay: {error}");
            (500, Vec::new())
        }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = if status == StatusCode::GATEWAY_TIMEOUT { "text/plain" } else { HTTP_CONTENT_TYPE };
    (status, [(CONTENT_TYPE, content_type)], body)
}

impl Relay {
    fn answer(&mut self, device: &str, lie: &str, request: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
        match lie {
            "drops" => return Ok((504, Vec::new())),
            "repeats" => return Ok((200, self.last_answer.clone())),
            _ => {}
        }
        let mut others = Vec::new();
        for (_, mailbox) in self.mailboxes.iter().filter(|(name, _)| *name != device) {
            others.extend(mailbox.ops()?);
        }
        if !self.mailboxes.contains_key(device) {
            self.mailboxes.insert(device.to_owned(), Mailbox::new()?);
        }
        let mailbox = self.mailboxes.get_mut(device).ok_or("no mailbox")?;
        if lie == "forges" {
            others.extend(forge(&others)?);
        }
        if lie == "withholds" {
            others.retain(|op| op.op().actor() != "laptop" || op.op().entity_id() != "t2");
        }
        for op in &others {
            mailbox.replica.ingest(at(20), op)?;
        }
        let request = HttpRequest { method: "POST", content_type: Some(HTTP_CONTENT_TYPE), body: request };
        let mut answer = answer_http(&mut mailbox.responder, &mut mailbox.replica, at(20), &request);
        if lie == "alters"
            && let Some(last) = answer.body.last_mut()
        {
            *last ^= 1;
        }
        self.last_answer.clone_from(&answer.body);
        Ok((answer.status, answer.body))
    }
}

/// What can be made of genuine operations without their keys.
fn forge(genuine: &[SignedOp]) -> Result<Vec<SignedOp>, Failure> {
    let crypto = Sodium::new()?;
    let Some(bread) = genuine.iter().find(|op| op.op().entity_id() == "t1") else { return Ok(Vec::new()) };
    let mallory = key("mallory")?;
    let title = |actor: &str, value: &str| {
        let ts = Hlc::new(at(19).0, 0)?;
        Ok::<_, Failure>(Op::lww_set(actor, ts, ("Task", "t1", "title"), value)?.in_space(LIST)?)
    };

    let altered = bread.to_json().replace("bread", "caviar");
    // The phone's name on mallory's key: under the phone's own kid, and under another.
    let as_phone = SigningSecretKey::with_kid("phone", bread.kid(), key_pair("mallory")?)?;
    let also_as_phone =
        SigningSecretKey::with_kid("phone", mallory.public_key().kid(), key_pair("mallory")?)?;
    Ok(vec![
        SignedOp::from_json(altered.as_bytes())?,
        sign_op(&crypto, title("phone", "Buy shares")?, &as_phone)?,
        sign_op(&crypto, title("phone", "Buy more shares")?, &also_as_phone)?,
        sign_op(&crypto, title("mallory", "Buy mallory a car")?, &mallory)?,
    ])
}
