//! An HTTP server whose answers a test defines byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use policysync::transport::{HTTP_CONTENT_TYPE, HttpRequest};
use policysync::{Replica, Responder, answer_http};

use crate::devices::{NOW, responder};

/// A server on loopback. Its threads end with the test process.
pub struct Server {
    pub url: String,
    requests: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with the bytes that `answer` returns for its number (from 0) and body, then disconnects.
    pub fn start(answer: impl Fn(usize, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::with_streams(move |number, body, stream| {
            // The client may have disconnected.
            drop(stream.write_all(&answer(number, body)));
        })
    }

    pub fn with_streams(answer: impl Fn(usize, &[u8], &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sync", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (counter, answer, recorded) = (Arc::clone(&requests), Arc::new(answer), Arc::clone(&heads));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let (answer, recorded) = (Arc::clone(&answer), Arc::clone(&recorded));
                thread::spawn(move || {
                    let mut stream = stream;
                    if let Some((head, body)) = read_request(&stream) {
                        recorded.lock().unwrap().push(head);
                        answer(number, &body, &mut stream);
                    }
                });
            }
        });
        Self { url, requests, heads }
    }

    /// Starts a server that answers honestly.
    pub fn honest(peer: Peer) -> Self {
        Self::start(move |_, body| peer.answer(body))
    }

    /// Returns the number of requests.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Returns the heads of the requests, in their order.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A replica that several threads share.
#[derive(Clone)]
pub struct Peer(Arc<Mutex<(Replica, Responder)>>);

impl Peer {
    pub fn new(replica: Replica) -> Self {
        Self(Arc::new(Mutex::new((replica, responder()))))
    }

    /// Returns the answer to a request, with its head.
    pub fn answer(&self, body: &[u8]) -> Vec<u8> {
        let mut guard = self.0.lock().unwrap();
        let (replica, responder) = &mut *guard;
        let request = HttpRequest { method: "POST", content_type: Some(HTTP_CONTENT_TYPE), body };
        let answer = answer_http(responder, replica, NOW, &request);
        http(answer.status, HTTP_CONTENT_TYPE, &answer.body)
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Replica) -> T) -> T {
        work(&mut self.0.lock().unwrap().0)
    }
}

/// Returns an answer with its head.
pub fn http(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Continues a call that could be cancelled.
pub fn proceed() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Reads a request: its head and its body.
pub fn read_request(stream: impl Read) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut head) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        head.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
