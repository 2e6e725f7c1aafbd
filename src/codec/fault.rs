//! The errors of reading messages, bundles and what is saved of sessions.

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}")]
#[expect(clippy::exhaustive_structs, reason = "an error is a fault and a position")]
pub struct CodecError {
    /// The rule that the bytes break.
    pub fault: CodecFault,
    /// The byte that the reader had reached.
    pub at: usize,
}

/// A rule of the encoding that bytes can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecFault {
    /// The bytes end too early, or a count promises more than they hold.
    #[error("it is cut short")]
    Truncated,
    /// Bytes follow the end.
    #[error("bytes follow its end")]
    TrailingBytes,
    /// An integer is too large, or takes more bytes than it needs.
    #[error("a bad integer")]
    Integer,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A tag byte has no meaning.
    #[error("unknown tag {found}")]
    Tag {
        /// The byte.
        found: u8,
    },
    /// A bound is not greater than the bound before it, or is not in its shortest form.
    #[error("a bound out of order")]
    Bound,
    /// A list is longer than its limit.
    #[error("too many of its parts")]
    TooMany,
    /// A number refers to a name that was not sent before, or a name is sent twice.
    #[error("a bad reference to a name")]
    Reference,
}
