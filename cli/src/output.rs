//! Standard output for data and standard error for progress.

use std::io::{self, IsTerminal, Write};

use crate::json::quoted;

/// Where a command prints its data, and in which form.
pub struct Output {
    json: bool,
    out: io::Stdout,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, out: io::stdout() }
    }

    /// Returns true if data should be printed as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        let mut out = self.out.lock();
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns a JSON text with what could steer a terminal escaped: the canonical form leaves U+007F to U+009F and
/// bidirectional controls as they are.
pub fn shown(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_control() || is_bidirectional_control(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Returns a name as it is, or as a JSON string if it could be taken for several words.
pub fn name(name: &str) -> String {
    let plain = |character: char| !character.is_whitespace() && !matches!(character, '"' | '\'' | '=' | '\\');
    if name.chars().all(plain) { name.to_owned() } else { shown(&quoted(name)) }
}

fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line on standard error that says how far long work is. Only on a terminal.
pub struct ProgressLine {
    shown: bool,
    terminal: bool,
}

impl ProgressLine {
    pub fn new() -> Self {
        Self { shown: false, terminal: io::stderr().is_terminal() }
    }

    /// Replaces the line.
    pub fn show(&mut self, text: &str) {
        if self.terminal {
            self.shown = true;
            eprint!("\r\u{1b}[K{text}");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\u{1b}[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_steers_a_terminal() {
        assert_eq!(shown("\"a\u{9b}2J\u{7f}\u{202e}é\""), "\"a\\u009b2J\\u007f\\u202eé\"");
        assert_eq!(name("Task"), "Task");
        assert_eq!(name("Alice's phone"), "\"Alice's phone\"");
    }
}
