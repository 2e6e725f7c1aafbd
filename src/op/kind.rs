//! The kinds of operations.

use std::fmt;

/// The kind of an operation. The names on the wire are `lww_set` and `lww_delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `lww_set`: sets the field to a value.
    Set,
    /// `lww_delete`: deletes the field. The value of the operation is `null`.
    Delete,
}

impl Kind {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "lww_set",
            Self::Delete => "lww_delete",
        }
    }

    /// Returns the kind with this name. Names are compared byte by byte.
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
