//! Bodies in memory: gone with the process.

use super::{Body, Damage, Store, StoreError};
use crate::codec::OpHash;
use crate::crypto::Signature;
use crate::guard::PermittedOp;
use crate::op::OpSeq;
use crate::packed::{ByteAddress, ByteArena, ChunkedVec};

const LABELLED: u8 = 1;

/// A store in memory, packed end to end: flags, signature, the label with its length where there is one, value.
pub struct MemoryStore {
    bodies: ByteArena,
    addresses: ChunkedVec<ByteAddress, OpSeq>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self { bodies: ByteArena::new(), addresses: ChunkedVec::new() }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn append(&mut self, ops: &[PermittedOp<'_>]) -> Result<(), StoreError> {
        // Bodies first: an address is what makes one reachable, so a batch that does not fit leaves nothing behind
        // but unused room.
        let mut addresses = Vec::with_capacity(ops.len());
        for permitted in ops {
            let signed = permitted.signed();
            let op = signed.op();
            let label = op.label().unwrap_or_default();
            let flags = if op.label().is_some() { LABELLED } else { 0 };
            let label_len = u16::try_from(label.len()).map_err(|_| StoreError::Full)?.to_le_bytes();
            let label_len: &[u8] = if op.label().is_some() { &label_len } else { &[] };
            let signature = signed.signature();
            let parts = [
                &[flags],
                signature.as_bytes().as_slice(),
                label_len,
                label.as_bytes(),
                op.value().as_bytes(),
            ];
            addresses.push(self.bodies.push(&parts).ok_or(StoreError::Full)?);
        }
        for address in addresses {
            self.addresses.push(address);
        }
        Ok(())
    }

    fn read<'a>(&'a self, seq: OpSeq, _: &OpHash, _: &'a mut Vec<u8>) -> Result<Body<'a>, StoreError> {
        if seq >= self.addresses.end() {
            return Err(StoreError::operation(seq, Damage::Missing));
        }
        unpack(self.bodies.get(*self.addresses.get(seq)))
            .ok_or_else(|| StoreError::operation(seq, Damage::Unexpected))
    }
}

fn unpack(body: &[u8]) -> Option<Body<'_>> {
    let (flags, rest) = body.split_first()?;
    let (signature, mut rest) = rest.split_first_chunk::<64>()?;
    let mut label = None;
    if flags & LABELLED != 0 {
        let (len, after) = rest.split_first_chunk::<2>()?;
        let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        label = Some(std::str::from_utf8(text).ok()?);
        rest = after;
    }
    Some(Body { value: std::str::from_utf8(rest).ok()?, label, signature: Signature::from_bytes(*signature) })
}
