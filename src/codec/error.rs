//! The errors of the encodings.

use crate::op::{IdentifierFault, Member, OpError};
use crate::value::{Excerpt, JsonError, JsonFault};

/// The reason why bytes are not an operation. Their author is at fault, and a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are longer than an operation may be.
    #[error("{len} bytes, an operation has at most {limit}")]
    TooLarge {
        /// The number of bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is not the strict JSON of operations.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing.
    #[error("{member} is missing")]
    MissingMember {
        /// The member.
        member: Member,
    },
    /// An unknown member. A later format will have another version, not more members.
    #[error("unknown member \"{name}\" at byte {at}")]
    UnknownMember {
        /// The name, shortened and escaped.
        name: Excerpt,
        /// The position of the reader in bytes.
        at: usize,
    },
    /// A member occurs twice.
    #[error("{member} occurs twice, again at byte {at}")]
    DuplicateMember {
        /// The member.
        member: Member,
        /// The position of the reader in bytes.
        at: usize,
    },
    /// `kind` is neither `lww_set` nor `lww_delete`.
    #[error("unknown kind \"{name}\"")]
    UnknownKind {
        /// The kind, shortened and escaped.
        name: Excerpt,
    },
    /// `ts.t` is not an integer from 0 to 2^53 - 1.
    #[error("ts.t is {found}, expected an integer from 0 to 9007199254740991")]
    TimeOutOfRange {
        /// The value that was found.
        found: Excerpt,
    },
    /// `ts.c` is not an integer from 0 to 2^32 - 2.
    #[error("ts.c is {found}, expected an integer from 0 to 4294967294")]
    CounterOutOfRange {
        /// The value that was found.
        found: Excerpt,
    },
    /// `ts.a` is not the actor.
    #[error("ts.a is \"{found}\", the actor is \"{actor}\"")]
    TimestampActor {
        /// `ts.a`, shortened and escaped.
        found: Excerpt,
        /// `actor`, shortened and escaped.
        actor: Excerpt,
    },
    /// `id` is not `actor:t:c`, and the replica was not opened to accept any label.
    #[error("id is \"{found}\", expected \"{expected}\"")]
    IdMismatch {
        /// `id`, shortened and escaped.
        found: Excerpt,
        /// The expected `id`, shortened and escaped.
        expected: Excerpt,
    },
    /// The signature is missing.
    #[error("the operation is not signed")]
    Unsigned,
    /// The algorithm of the signature is not `ed25519`.
    #[error("unknown signature algorithm \"{name}\"")]
    UnknownAlgorithm {
        /// The algorithm, shortened and escaped.
        name: Excerpt,
    },
    /// The signature is not 64 bytes in canonical base64 with padding.
    #[error("sig.bytes is not the canonical base64 of 64 bytes")]
    SignatureEncoding,
    /// The members are not an operation.
    #[error(transparent)]
    Op(#[from] OpError),
    /// The bytes are not the binary form.
    #[error("binary form: {0}")]
    Binary(#[from] BinaryFault),
}

/// A fault of a binary form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryFault {
    /// There are no bytes.
    #[error("no bytes")]
    Empty,
    /// The first byte is a version that this library does not know.
    #[error("unknown version {found}")]
    Version {
        /// The byte.
        found: u8,
    },
    /// A length points past the end.
    #[error("truncated")]
    Truncated,
    /// Bytes follow the operation.
    #[error("bytes follow the operation")]
    TrailingBytes,
    /// A name or the value is not UTF-8.
    #[error("a text is not UTF-8")]
    InvalidUtf8,
    /// A tag byte is not defined.
    #[error("unknown tag {found} for {what}")]
    Tag {
        /// The byte.
        found: u8,
        /// The purpose of the tag.
        what: &'static str,
    },
    /// The default label is present. It must be omitted, so that each operation has one binary form.
    #[error("the default id is not omitted")]
    DefaultLabel,
    /// The bytes do not match the layout.
    #[error("not the layout of an operation")]
    Layout,
}

impl DecodeError {
    /// Returns a short, stable name of the broken rule for counters and logs, such as `duplicate-member`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Op(OpError::TooLarge { .. }) => "too-large",
            Self::Json(error) => json_rule(error.fault()),
            Self::MissingMember { .. } => "missing-member",
            Self::UnknownMember { .. } => "unknown-member",
            Self::DuplicateMember { .. } => "duplicate-member",
            Self::UnknownKind { .. } => "unknown-kind",
            Self::TimeOutOfRange { .. } | Self::Op(OpError::Timestamp(_)) => "time-out-of-range",
            Self::CounterOutOfRange { .. } => "counter-out-of-range",
            Self::TimestampActor { .. } => "timestamp-actor",
            Self::IdMismatch { .. } => "id-mismatch",
            Self::Unsigned => "unsigned",
            Self::UnknownAlgorithm { .. } => "unknown-algorithm",
            Self::SignatureEncoding => "signature-encoding",
            Self::Op(OpError::Identifier(error)) => match error.fault {
                IdentifierFault::Empty => "identifier-empty",
                IdentifierFault::TooLong { .. } => "identifier-too-long",
                IdentifierFault::Control { .. } => "identifier-control",
                IdentifierFault::Bidi { .. } => "identifier-bidi",
            },
            Self::Op(OpError::DeleteWithValue) => "delete-with-value",
            Self::Binary(fault) => match fault {
                BinaryFault::Empty | BinaryFault::Truncated => "truncated",
                BinaryFault::Version { .. } => "unknown-version",
                BinaryFault::TrailingBytes => "trailing-bytes",
                BinaryFault::InvalidUtf8 => "invalid-utf8",
                BinaryFault::Tag { .. } | BinaryFault::Layout => "layout",
                BinaryFault::DefaultLabel => "not-canonical",
            },
        }
    }
}

const fn json_rule(fault: &JsonFault) -> &'static str {
    match fault {
        JsonFault::InvalidUtf8 => "invalid-utf8",
        JsonFault::ByteOrderMark => "byte-order-mark",
        JsonFault::Syntax { .. } | JsonFault::Unquoted { .. } | JsonFault::UnexpectedEnd => "syntax",
        JsonFault::TrailingBytes => "trailing-bytes",
        JsonFault::TooDeep => "too-deep",
        JsonFault::DuplicateMember { .. } => "duplicate-member",
        JsonFault::LoneSurrogate => "lone-surrogate",
        JsonFault::UnsafeInteger { .. } => "unsafe-integer",
        JsonFault::NumberOverflow { .. } => "number-overflow",
        JsonFault::NumberUnderflow { .. } => "number-underflow",
        JsonFault::NegativeZero => "negative-zero",
        JsonFault::WrongType { .. } => "wrong-type",
        JsonFault::ControlCharacter => "control-character",
        JsonFault::NotCanonical => "not-canonical",
        JsonFault::NotFinite => "not-finite",
        JsonFault::TooLong => "too-large",
        JsonFault::Unserializable { .. } => "unserializable",
    }
}

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
    /// Packed operations expand to more than 16 MiB and more than 16 times their bytes, because they use the same long
    /// names many times. A writer splits them.
    #[error("operations that expand too much")]
    Expansion,
}
