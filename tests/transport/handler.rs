//! The statuses and refusals of the request handler.

use policysync::sync::Alert;
use policysync::transport::{HTTP_CONTENT_TYPE, HttpAnswer, HttpRequest};
use policysync::{Replica, ReplicaOptions, SyncError, SyncOptions, SyncSession, answer_http};

use crate::devices::{NOW, device, device_with, responder};

fn answer(replica: &mut Replica, body: &[u8]) -> HttpAnswer {
    let request = HttpRequest { method: "POST", content_type: Some(HTTP_CONTENT_TYPE), body };
    answer_http(&mut responder(), replica, NOW, &request)
}

/// Returns the result of the initiator's session for this answer.
fn received(answer: &HttpAnswer) -> Result<(), SyncError> {
    let mut replica = device("alice");
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    session.next_message(&replica).unwrap();
    session.receive(&mut replica, NOW, &answer.body).map(|_| ())
}

fn hello(replica: &Replica) -> Vec<u8> {
    SyncSession::new(SyncOptions::new(), [1; 16]).next_message(replica).unwrap().unwrap()
}

#[test]
fn an_invalid_message_is_a_bad_request() {
    let answer = answer(&mut device("bob"), b"<html>");
    assert_eq!(answer.status, 400);
    assert!(matches!(answer.error, Some(SyncError::Message { .. })));
    assert_eq!(received(&answer), Err(SyncError::AlertReceived(Alert::Message)));
}

#[test]
fn another_method_and_another_content_type_are_refused_whatever_the_body_is() {
    let mut replica = device("bob");
    let body = hello(&device_with("alice", 1));
    let mut ask = |method, content_type| {
        let request = HttpRequest { method, content_type, body: &body };
        answer_http(&mut responder(), &mut replica, NOW, &request).status
    };
    assert_eq!(ask("GET", Some(HTTP_CONTENT_TYPE)), 405);
    assert_eq!(ask("POST", None), 415);
    assert_eq!(ask("POST", Some("text/html")), 415);
    assert_eq!(ask("POST", Some("application/vnd.policysyncx")), 415);
    assert_eq!(ask("POST", Some("Application/Vnd.PolicySync; charset=x")), 200);
}

#[test]
fn only_a_body_over_the_limit_is_too_large() {
    let limit = responder().max_message_bytes();
    assert_eq!(answer(&mut device("bob"), &vec![0; limit]).status, 400);
    let answer = answer(&mut device("bob"), &vec![0; limit + 1]);
    assert_eq!(answer.status, 413);
    assert_eq!(received(&answer), Err(SyncError::AlertReceived(Alert::TooLarge)));
}

#[test]
fn a_log_of_another_space_is_forbidden() {
    let mut other = Replica::open(ReplicaOptions::new().space("other")).unwrap();
    let answer = answer(&mut other, &hello(&device("alice")));
    assert_eq!(answer.status, 403);
    assert_eq!(received(&answer), Err(SyncError::AlertReceived(Alert::OtherSpace)));
}
