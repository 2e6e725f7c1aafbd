//! What an operation does to its field.

use std::fmt;

/// What an operation does to its field. The names on the wire are `lww_set` and `lww_delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `lww_set`: the field has this value, until a later operation on it.
    Set,
    /// `lww_delete`: the field is gone, until a later set. The operation's value is `null`.
    Delete,
}

impl Kind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "lww_set",
            Self::Delete => "lww_delete",
        }
    }

    /// The kind of this name; names are compared byte for byte.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "lww_set" => Some(Self::Set),
            "lww_delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
