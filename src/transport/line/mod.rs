//! The protocol of a line that stays open: a session, then new operations both ways. No sockets.

mod initiator;
mod responder;
mod resume;

pub use initiator::{LineEvent, LineInitiator};
pub use responder::LineResponder;
