//! A relay that lies in every way that it can. It has no keys: it can copy, drop, delay and invent, but not sign.

use std::collections::BTreeMap;
use std::error::Error;

use policysync::crypto::Sodium;
use policysync::keys::sign_op;
use policysync::transport::{HTTP_CONTENT_TYPE, HttpRequest};
use policysync::{
    Hlc, Op, Replica, ReplicaOptions, Responder, SignedOp, SigningSecretKey, SyncOptions, answer_http,
};

use super::device::{LIST, at, key, key_pair};
use super::http::{Request, Response, Server};

type Failed = Box<dyn Error>;

/// Starts the relay. The path of a request says who asks and how the relay lies: `/phone/forges`.
pub fn start() -> std::io::Result<Server> {
    let mut relay = Relay::default();
    let limit = Responder::new([0; 32], SyncOptions::new()).max_message_bytes();
    Server::start(limit, move |request| relay.answer(request).unwrap_or_else(|_| Response::status(500)))
}

/// For each device a log of its own, with what that device shall see.
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
    fn new() -> Result<Self, Failed> {
        let options = ReplicaOptions::new().space(LIST).dangerously_accept_unverified();
        Ok(Self { replica: Replica::open(options)?, responder: Responder::new([9; 32], SyncOptions::new()) })
    }

    fn ops(&self) -> Result<Vec<SignedOp>, Failed> {
        self.replica.log().iter().map(|entry| Ok(entry?.op)).collect()
    }
}

impl Relay {
    fn answer(&mut self, request: &Request) -> Result<Response, Failed> {
        let Some((device, lie)) = request.path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
            return Ok(Response::status(404));
        };
        match lie {
            "drops" => return Ok(Response::status(504)),
            "repeats" => {
                let body = self.last_answer.clone();
                return Ok(Response { status: 200, content_type: HTTP_CONTENT_TYPE, body });
            }
            _ => {}
        }
        let mut others = Vec::new();
        for (_, mailbox) in self.mailboxes.iter().filter(|(name, _)| *name != device) {
            others.extend(mailbox.ops()?);
        }
        if lie == "forges" {
            others.extend(forge(&others)?);
        }
        if lie == "withholds" {
            others.retain(|op| op.op().actor() != "laptop" || op.op().entity_id() != "t2");
        }
        if !self.mailboxes.contains_key(device) {
            self.mailboxes.insert(device.to_owned(), Mailbox::new()?);
        }
        let mailbox = self.mailboxes.get_mut(device).ok_or("no mailbox")?;
        for op in &others {
            mailbox.replica.ingest(at(20), op)?;
        }
        let content_type = request.content_type.as_deref();
        let request = HttpRequest { method: &request.method, content_type, body: &request.body };
        let mut answer = answer_http(&mut mailbox.responder, &mut mailbox.replica, at(20), &request);
        if lie == "alters"
            && let Some(last) = answer.body.last_mut()
        {
            *last ^= 1;
        }
        self.last_answer.clone_from(&answer.body);
        Ok(Response { status: answer.status, content_type: HTTP_CONTENT_TYPE, body: answer.body })
    }
}

/// Makes what can be made of genuine operations without their keys.
fn forge(genuine: &[SignedOp]) -> Result<Vec<SignedOp>, Failed> {
    let crypto = Sodium::new()?;
    let Some(bread) = genuine.iter().find(|op| op.op().entity_id() == "t1") else { return Ok(Vec::new()) };
    let mallory = key("mallory")?;
    let title = |actor: &str, value: &str| {
        let ts = Hlc::new(at(19).0, 0)?;
        Ok::<_, Failed>(Op::lww_set(actor, ts, ("Task", "t1", "title"), value)?.in_space(LIST)?)
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
