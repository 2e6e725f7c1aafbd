//! Operations on their way out.

use super::ops::OpWriter;
use crate::op::SignedOpRef;
use crate::replica::Replica;
use crate::store::StoreError;

/// Room that a further copy of an operation takes beside its value, at most: a signature, and names of its own.
const COPY_BYTES: usize = 2048;

/// Packs an operation, with other copies of it where there are any; `false` where there is no more room.
pub(super) fn pack(replica: &Replica, number: u32, writer: &mut OpWriter) -> Result<bool, StoreError> {
    let copies = replica.copies_of(number);
    replica.log().with_op(number, |signed| {
        let needed = copies.len().saturating_mul(signed.op().value().len().saturating_add(COPY_BYTES));
        if !copies.is_empty() && writer.count() > 0 && needed > writer.room() {
            return false;
        }
        if !writer.push(signed) {
            return false;
        }
        // Where the first of a message has too many copies for it, the last ones wait until others are gone.
        for (kid, signature) in copies {
            writer.push(SignedOpRef::from_log(signed.op(), kid, *signature));
        }
        true
    })
}
