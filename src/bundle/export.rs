//! Writing bundles.

use std::io::Write;

use super::{BundleError, chain, header_of};
use crate::codec::packed::OpPacker;
use crate::codec::wire::wide;
use crate::codec::{MAX_OP_BYTES, OpHash};
use crate::crypto::{Hash, Sodium};
use crate::op::OpSeq;
use crate::oplog::Cursor;
use crate::replica::Replica;
use crate::sync::pack_op;

/// The contents and size of a bundle that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// Operations in the bundle.
    pub ops: u64,
    /// Bytes of the bundle.
    pub bytes: u64,
    /// Position from which the next bundle continues, after [`export_since`].
    pub cursor: Cursor,
}

/// Writes the operations that arrived since `cursor` into a bundle. At most one frame of about 1 MiB is in memory.
/// Writes are small, so `out` should be buffered.
///
/// # Errors
///
/// [`BundleError`]; the bytes written so far are then not a bundle.
pub fn export_since(replica: &Replica, cursor: Cursor, out: impl Write) -> Result<Exported, BundleError> {
    export(replica, cursor.next().until(replica.log().cursor().next()), out)
}

/// Writes these operations into a bundle, in this order.
///
/// # Errors
///
/// [`BundleError::Missing`] if an operation is not in the log, and others; the bytes written so far are then not a
/// bundle.
pub fn export_ops(replica: &Replica, hashes: &[OpHash], out: impl Write) -> Result<Exported, BundleError> {
    let number =
        |hash: &OpHash| replica.log().find_confirmed(hash).ok_or(BundleError::Missing { hash: *hash });
    let numbers: Result<Vec<OpSeq>, BundleError> = hashes.iter().map(number).collect();
    export(replica, numbers?, out)
}

fn export(
    replica: &Replica,
    numbers: impl IntoIterator<Item = OpSeq>,
    out: impl Write,
) -> Result<Exported, BundleError> {
    let mut frames = FrameWriter::new(replica.crypto(), replica.log().space(), out)?;
    for number in numbers {
        if !pack_op(replica, number, &mut frames.ops)? {
            frames.flush()?;
            // Every operation fits into an empty frame.
            pack_op(replica, number, &mut frames.ops)?;
        }
    }
    let (ops, bytes) = frames.finish()?;
    Ok(Exported { ops, bytes, cursor: replica.log().cursor() })
}

/// A bundle that is being written.
struct FrameWriter<W> {
    crypto: Sodium,
    out: W,
    /// Bytes written.
    bytes: u64,
    /// The digest over everything written.
    digest: Hash,
    /// Operations written.
    count: u64,
    /// Operations of the next frame.
    ops: OpPacker,
}

impl<W: Write> FrameWriter<W> {
    fn new(crypto: Sodium, space: Option<&str>, out: W) -> Result<Self, BundleError> {
        let header = header_of(space);
        let digest = crypto.hash(&header);
        let mut writer = Self { crypto, out, bytes: 0, digest, count: 0, ops: OpPacker::new(MAX_OP_BYTES) };
        writer.write(&header)?;
        Ok(writer)
    }

    /// Writes the operations collected so far as a frame; without any, the empty frame that ends a bundle.
    fn flush(&mut self) -> Result<(), BundleError> {
        let ops = std::mem::replace(&mut self.ops, OpPacker::new(MAX_OP_BYTES));
        self.count = self.count.saturating_add(wide(ops.count()));
        let mut frame = Vec::new();
        if ops.count() > 0 {
            ops.finish(&mut frame);
        }
        self.digest = chain(self.crypto, &self.digest, &frame);
        self.write(&u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        self.write(&frame)?;
        let digest = self.digest;
        self.write(digest.as_bytes())
    }

    /// Writes the end of the bundle. Returns the number of operations and of bytes.
    fn finish(mut self) -> Result<(u64, u64), BundleError> {
        if self.ops.count() > 0 {
            self.flush()?;
        }
        self.flush()?;
        self.write(&self.count.to_le_bytes())?;
        self.out.flush().map_err(|error| BundleError::Io { kind: error.kind() })?;
        Ok((self.count, self.bytes))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.out.write_all(bytes).map_err(|error| BundleError::Io { kind: error.kind() })?;
        self.bytes = self.bytes.saturating_add(wide(bytes.len()));
        Ok(())
    }
}
