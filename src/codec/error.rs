//! Why bytes are not an operation.

use crate::op::{IdentifierFault, Member, OpError};
use crate::value::{Excerpt, JsonError, JsonFault};

/// Why bytes are not an operation. Whoever made them is at fault, and no retry helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than an operation may have.
    #[error("{len} bytes, an operation has at most {limit}")]
    TooLarge {
        /// Bytes that arrived.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// Not the strict JSON that operations are written in.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is not there.
    #[error("{member} is missing")]
    MissingMember {
        /// Which one.
        member: Member,
    },
    /// A member that operations do not have. A later format would have another version, not more members.
    #[error("unknown member \"{name}\" at byte {at}")]
    UnknownMember {
        /// Its name, shortened and escaped.
        name: Excerpt,
        /// The byte that the reader had reached.
        at: usize,
    },
    /// A member is there twice.
    #[error("{member} is there twice, again at byte {at}")]
    DuplicateMember {
        /// Which one.
        member: Member,
        /// The byte that the reader had reached.
        at: usize,
    },
    /// `kind` is neither `lww_set` nor `lww_delete`.
    #[error("unknown kind \"{name}\"")]
    UnknownKind {
        /// The kind, shortened and escaped.
        name: Excerpt,
    },
    /// `ts.t` is not an integer from 0 to 2^53 - 1.
    #[error("ts.t is {found}, it is an integer from 0 to 9007199254740991")]
    TimeOutOfRange {
        /// What was there.
        found: Excerpt,
    },
    /// `ts.c` is not an integer from 0 to 2^32 - 2.
    #[error("ts.c is {found}, it is an integer from 0 to 4294967294")]
    CounterOutOfRange {
        /// What was there.
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
    /// `id` is not `actor:t:c`, and the replica was not opened to take any label.
    #[error("id is \"{found}\", it is \"{expected}\"")]
    IdMismatch {
        /// `id`, shortened and escaped.
        found: Excerpt,
        /// What it should be, shortened and escaped.
        expected: Excerpt,
    },
    /// There is no signature.
    #[error("the operation is not signed")]
    Unsigned,
    /// The signature's algorithm is not `ed25519`.
    #[error("unknown signature algorithm \"{name}\"")]
    UnknownAlgorithm {
        /// The algorithm, shortened and escaped.
        name: Excerpt,
    },
    /// The signature is not 64 bytes in canonical base64 with padding.
    #[error("sig.bytes is not the canonical base64 of 64 bytes")]
    SignatureEncoding,
    /// The members are there, and are not an operation.
    #[error(transparent)]
    Op(#[from] OpError),
    /// Not the binary form.
    #[error("binary form: {0}")]
    Binary(#[from] BinaryFault),
}

/// What is wrong with a binary form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryFault {
    /// There are no bytes.
    #[error("no bytes")]
    Empty,
    /// The first byte names a version that this library does not know.
    #[error("unknown version {found}")]
    Version {
        /// The byte.
        found: u8,
    },
    /// A length points past the end.
    #[error("cut short")]
    Truncated,
    /// Bytes follow the operation.
    #[error("bytes follow the operation")]
    TrailingBytes,
    /// A name or the value is not UTF-8.
    #[error("a text is not UTF-8")]
    InvalidUtf8,
    /// A tag byte has no meaning.
    #[error("unknown tag {found} for {what}")]
    Tag {
        /// The byte.
        found: u8,
        /// What it should tell.
        what: &'static str,
    },
    /// The default label is spelt out; then the same operation would have two binary forms.
    #[error("the default id is spelt out")]
    DefaultLabel,
    /// Bytes that fit no rule above.
    #[error("not the layout of an operation")]
    Layout,
}

impl DecodeError {
    /// A short, stable name of the rule that was broken, for counters and logs: `duplicate-member`.
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
        JsonFault::Syntax { .. } | JsonFault::UnexpectedEnd => "syntax",
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
