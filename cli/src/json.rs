//! JSON objects and arrays, put together from canonical texts.
//!
//! Operations and values have a canonical text already, which a general JSON library would not keep.

use policysync::Value;

/// A JSON object that is being written.
pub struct Object(String);

impl Object {
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// Adds a text.
    pub fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &quoted(text))
    }

    /// Adds a text, or `null`.
    pub fn maybe_text(self, name: &str, text: Option<&str>) -> Self {
        self.raw(name, &text.map_or_else(|| "null".to_owned(), quoted))
    }

    /// Adds a number.
    pub fn number(self, name: &str, number: u64) -> Self {
        self.raw(name, &number.to_string())
    }

    /// Adds `true` or `false`.
    pub fn boolean(self, name: &str, boolean: bool) -> Self {
        self.raw(name, if boolean { "true" } else { "false" })
    }

    /// Adds a JSON text.
    pub fn raw(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Returns a JSON array of JSON texts.
pub fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// Returns a text as a JSON string.
pub fn quoted(text: &str) -> String {
    Value::from(text).as_str().to_owned()
}
