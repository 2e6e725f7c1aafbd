//! Tests of the small HTTP server.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::http::{MAX_HEAD_BYTES, MAX_HEADERS, Refusal, Request, Response, Server, read_request};

fn read(request: &str) -> Result<Request, u16> {
    read_request(&mut request.as_bytes(), 10).map_err(|refusal| match refusal {
        Refusal::Status(status) => status,
        Refusal::Io(error) => panic!("{error}"),
    })
}

#[test]
fn a_request_is_read() {
    let request = read("POST /a/b HTTP/1.1\r\nHost: x\r\ncontent-TYPE: t/x \r\nContent-Length: 3\r\n\r\nabc");
    let (method, path, content_type) = ("POST".into(), "/a/b".into(), Some("t/x".into()));
    assert_eq!(request, Ok(Request { method, path, content_type, body: b"abc".to_vec() }));
}

#[test]
fn a_request_may_come_in_any_pieces() {
    struct Bytewise<'b>(&'b [u8]);
    impl Read for Bytewise<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let one = out.len().min(1);
            self.0.read(&mut out[..one])
        }
    }
    let request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(read_request(&mut Bytewise(request), 10).unwrap().body, b"ab");
}

#[test]
fn what_is_not_such_a_request_is_refused() {
    for (request, status) in [
        ("", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1", 400),
        ("POST /\r\n\r\n", 400),
        ("POST  / HTTP/1.1\r\n\r\n", 400),
        ("POST http://x/ HTTP/1.1\r\n\r\n", 400),
        ("POST /é HTTP/1.1\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\n\r\n", 505),
        ("POST / HTTP/1.1\r\n\r\n", 411),
        ("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", 417),
        // The body is cut short, or longer than it says.
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd", 400),
    ] {
        assert_eq!(read(request), Err(status), "{request}");
    }
    let long = format!("POST / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(MAX_HEAD_BYTES + 1024));
    assert_eq!(read(&long), Err(431));
    let many = format!("POST / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
    assert_eq!(read(&many), Err(431));
}

#[test]
fn a_server_answers_and_ends() {
    let server = Server::start(10, |request| Response {
        status: 200,
        content_type: "text/plain",
        body: request.path.clone().into_bytes(),
    });
    let server = server.unwrap();
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection.write_all(b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n/x"), "{answer}");
    drop(server);
}
