//! What is said over a line that stays open: a session, and then new operations both ways. No sockets.

mod answerer;
mod caller;
mod go_on;

pub use answerer::LineAnswerer;
pub use caller::{LineCaller, LineEvent};
