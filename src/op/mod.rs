//! Operations: signed writes to fields.

mod content;
mod error;
mod field;
mod identifier;
mod seq;
mod signed;

pub use content::{Kind, Op, OpRef, op_id};
pub use error::OpError;
pub use field::Field;
pub use identifier::{IdentifierError, IdentifierFault, MAX_IDENTIFIER_BYTES, Member};
pub use seq::OpSeq;

pub use signed::{SignedOp, SignedOpRef};

pub(crate) use content::{Parts, is_op_id};
pub(crate) use identifier::check;
pub(crate) use signed::MaybeOwned;
