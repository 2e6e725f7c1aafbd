//! Bundles: operations in a file or a stream, for devices without a connection.
//!
//! A bundle travels on a USB stick, in an e-mail or through an object store. It holds frames of about 1 MiB, each
//! followed by a digest over everything before it; the manual's [format page](crate::manual::format) has the byte
//! table. The digests show damage, not the author of the bundle: operations are verified at import as always.
//!
//! ```
//! use policysync::oplog::Cursor;
//! use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis, bundle};
//!
//! let now = WallMillis(1_760_000_000_000);
//! let alice = SigningSecretKey::generate("alice")?;
//! let alices_key = alice.public_key().clone();
//! let mut phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
//! phone.set(now, ("Task", "t1", "title"), "Hello world")?;
//!
//! let mut file = Vec::new();
//! let exported = bundle::export_since(&phone, Cursor::START, &mut file)?;
//!
//! let mut laptop = Replica::open(ReplicaOptions::new())?;
//! laptop.keys_mut().register(alices_key)?;
//! let imported = bundle::import(&mut laptop, now, file.as_slice())?;
//! assert_eq!((exported.ops, imported.received.appended), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io::{self, Read, Write};

use crate::codec::tags::BUNDLE;
use crate::codec::{
    ByteReader, CodecError, CodecFault, MAX_OP_BYTES, OpHash, OpPacker, put_text, unpack_ops, wide,
};
use crate::crypto::{Hash, Sodium};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::Cursor;
use crate::replica::{IngestError, Replica};
use crate::store::StoreError;
use crate::sync::{IngestedOps, Received, pack_op};

pub use crate::codec::tags::BUNDLE_VERSION;

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

/// The outcome of importing a whole bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Operations of the bundle.
    pub received: Received,
    /// Bytes of the bundle that were read.
    pub bytes: u64,
}

/// Ingests the operations of a bundle, one frame of about 1 MiB at a time. At most one frame is in memory. Each frame
/// is checked against its digest before any of its operations is ingested. Reads are small, so `bundle` should be
/// buffered.
///
/// # Errors
///
/// [`BundleError`]. Operations admitted from earlier frames stay; the same bundle may be imported again.
pub fn import(replica: &mut Replica, now: WallMillis, bundle: impl Read) -> Result<Imported, BundleError> {
    let crypto = replica.crypto();
    let space = replica.log().space().map(str::to_owned);
    let mut source = Source { bundle, read: 0 };
    let mut digest = source.header(crypto, space.as_deref())?;
    let mut imported = Imported::default();
    loop {
        let at = source.read;
        let frame = source.frame(at)?;
        digest = chain(crypto, &digest, &frame);
        let expected = Hash::from_bytes(source.array()?);
        if digest != expected {
            return Err(BundleError::Altered { at });
        }
        if frame.is_empty() {
            let count = source.array().map(u64::from_le_bytes)?;
            source.end()?;
            imported.bytes = source.read;
            let complete = count == imported.received.total();
            return if complete { Ok(imported) } else { Err(BundleError::Altered { at }) };
        }
        let mut reader = ByteReader::new(&frame);
        let ops = unpack_ops(&mut reader, space.as_deref()).and_then(|ops| reader.end().map(|()| ops));
        let ops = ops.map_err(|CodecError { fault, .. }| BundleError::Frame { at, fault })?;
        imported.received.add(&IngestedOps::ingest(replica, now, ops)?.received);
        imported.bytes = source.read;
    }
}

struct Source<R> {
    bundle: R,
    /// Bytes read.
    read: u64,
}

impl<R: Read> Source<R> {
    /// Reads `len` bytes. Memory grows with the bytes that arrive, not with `len`.
    fn bytes(&mut self, len: usize) -> Result<Vec<u8>, BundleError> {
        let mut bytes = Vec::new();
        let taken = (&mut self.bundle).take(wide(len)).read_to_end(&mut bytes);
        taken.map_err(|error| BundleError::Io { kind: error.kind() })?;
        self.read = self.read.saturating_add(wide(bytes.len()));
        if bytes.len() == len { Ok(bytes) } else { Err(BundleError::Truncated { at: self.read }) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        self.bytes(N)?.try_into().map_err(|_| BundleError::Truncated { at: self.read })
    }

    /// Reads the header, which must be that of this space. Returns its digest.
    fn header(&mut self, crypto: Sodium, space: Option<&str>) -> Result<Hash, BundleError> {
        if self.array()? != BUNDLE {
            return Err(BundleError::NotABundle);
        }
        let [found] = self.array()?;
        if found != BUNDLE_VERSION {
            return Err(BundleError::Version { found, known: BUNDLE_VERSION });
        }
        let header = header_of(space);
        let expected = header.get(BUNDLE.len() + 1..).unwrap_or_default();
        if self.bytes(expected.len())? != expected {
            return Err(BundleError::OtherSpace);
        }
        Ok(crypto.hash(&header))
    }

    /// Reads the frame that begins at byte `at`.
    fn frame(&mut self, at: u64) -> Result<Vec<u8>, BundleError> {
        let len = self.array().map(u32::from_le_bytes)?;
        match usize::try_from(len) {
            Ok(len) if len <= MAX_FRAME_BYTES => self.bytes(len),
            _ => Err(BundleError::Altered { at }),
        }
    }

    /// Checks that nothing follows the bundle.
    fn end(&mut self) -> Result<(), BundleError> {
        match self.array::<1>() {
            Err(BundleError::Truncated { .. }) => Ok(()),
            Ok(_) => Err(BundleError::TrailingBytes { at: self.read.saturating_sub(1) }),
            Err(error) => Err(error),
        }
    }
}

/// Most bytes of a frame.
const MAX_FRAME_BYTES: usize = MAX_OP_BYTES + 16;

/// Returns the header of a bundle of this space.
fn header_of(space: Option<&str>) -> Vec<u8> {
    let mut header = BUNDLE.to_vec();
    header.push(BUNDLE_VERSION);
    // A space is never empty.
    put_text(&mut header, space.unwrap_or_default());
    header
}

/// Returns the digest after a frame, given the digest before it.
fn chain(crypto: Sodium, digest: &Hash, frame: &[u8]) -> Hash {
    let mut message = digest.as_bytes().to_vec();
    message.extend_from_slice(frame);
    crypto.hash(&message)
}

/// Why a bundle could not be written, or not read to its end. Operations admitted from earlier frames stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes do not begin as a bundle does.
    #[error("not a bundle")]
    NotABundle,
    /// The bundle was written by another version of this library.
    #[error("the bundle has version {found}, this library knows version {known}")]
    Version {
        /// The version of the bundle.
        found: u8,
        /// The version that this library knows.
        known: u8,
    },
    /// The bundle holds operations of another space.
    #[error("the bundle belongs to another space")]
    OtherSpace,
    /// The bundle is incomplete.
    #[error("the bundle is cut short at byte {at}")]
    Truncated {
        /// The number of bytes that were read.
        at: u64,
    },
    /// The frame differs from the one that was written. None of its operations was admitted.
    #[error("the bundle is damaged in the frame at byte {at}")]
    Altered {
        /// The first byte of the frame.
        at: u64,
    },
    /// The frame is undamaged, but breaks a rule of the format.
    #[error("the frame at byte {at} of the bundle is malformed: {fault}")]
    Frame {
        /// The first byte of the frame.
        at: u64,
        /// The rule that it breaks.
        fault: CodecFault,
    },
    /// Bytes follow the end of the bundle.
    #[error("bytes follow the end of the bundle at byte {at}")]
    TrailingBytes {
        /// The end of the bundle.
        at: u64,
    },
    /// An operation to export is not in the log.
    #[error("operation {hash} is not in the log")]
    Missing {
        /// The operation.
        hash: OpHash,
    },
    /// Reading or writing the bundle failed.
    #[error("reading or writing the bundle failed: {kind}")]
    Io {
        /// The error of the reader or writer.
        kind: io::ErrorKind,
    },
    /// The replica rejected a whole frame: the guard stopped it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store could not read an operation.
    #[error(transparent)]
    Store(#[from] StoreError),
}
