//! HTTP: each message of a session is a POST, its answer the body of the response.

mod client;
mod error;
mod exchange;
mod handler;
mod head;
mod options;

pub use client::{HttpClient, SyncReport};
pub(crate) use client::{LocalSession, Received};
pub use error::{HttpError, HttpStage};
pub use handler::{HttpAnswer, HttpRequest, answer_http};
pub use options::HttpOptions;

/// The content type of a message, in a request and in its answer.
pub const HTTP_CONTENT_TYPE: &str = "application/vnd.policysync";

/// The scheme of a URL without TLS.
const SCHEME: &str = "http";
