//! Operations in a file or a stream, for where there is no line: a USB stick, an e-mail, an object store.

use std::io::{self, Read, Write};

use super::error::{MessageFault, SyncError};
use super::intake::{Intake, Refusals};
use super::ops::{self, OpWriter};
use super::outbox::pack;
use super::wire::{Reader, put_text, wide};
use crate::codec::{MAX_OP_BYTES, OpHash};
use crate::crypto::{Hash, Sodium};
use crate::hlc::WallMillis;
use crate::op::OpSeq;
use crate::oplog::Cursor;
use crate::replica::{IngestError, Replica};
use crate::store::StoreError;

/// The first bytes of a bundle, and its version.
const MAGIC: [u8; 8] = *b"PSbundle";
/// The version of bundles, the byte behind the first eight.
pub const BUNDLE_VERSION: u8 = 1;
/// Bytes of a frame: operations until they are so many, or one.
const MAX_FRAME_BYTES: usize = MAX_OP_BYTES + 16;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// Operations in the bundle.
    pub ops: u64,
    /// Bytes of the bundle.
    pub bytes: u64,
    /// Where the next bundle goes on from, after [`Replica::export_since`].
    pub cursor: Cursor,
}

/// What came of a bundle that was read to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Operations that are new in this log.
    pub received: u64,
    /// Operations that were here already.
    pub known: u64,
    /// Operations that this replica refused.
    pub refused: Refusals,
    /// Bytes of the bundle that were read.
    pub bytes: u64,
}

/// Why a bundle was not written or not read to its end. What was admitted from the frames before stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes do not begin as a bundle does.
    #[error("not a bundle")]
    NotABundle,
    /// Another version of this library wrote it.
    #[error("the bundle has version {found}, this library knows version {known}")]
    Version {
        /// Its version.
        found: u8,
        /// Ours.
        known: u8,
    },
    /// It holds operations of another space.
    #[error("the bundle belongs to another space")]
    OtherSpace,
    /// It ends before its end.
    #[error("the bundle is cut short at byte {at}")]
    Truncated {
        /// How many bytes there are.
        at: u64,
    },
    /// The frame that begins at this byte is not what was written. Nothing of it was admitted.
    #[error("the bundle is damaged in the frame at byte {at}")]
    Altered {
        /// Where the frame begins.
        at: u64,
    },
    /// The frame at this byte is whole, but not one that this library writes.
    #[error("the frame at byte {at} of the bundle is malformed: {fault}")]
    Frame {
        /// Where the frame begins.
        at: u64,
        /// What is wrong with it.
        fault: MessageFault,
    },
    /// Bytes follow the end of the bundle.
    #[error("bytes follow the end of the bundle at byte {at}")]
    TrailingBytes {
        /// Where it ends.
        at: u64,
    },
    /// An operation that should be exported is not in the log.
    #[error("operation {hash} is not in the log")]
    Missing {
        /// Which one.
        hash: OpHash,
    },
    /// Reading or writing the bundle failed.
    #[error("reading or writing the bundle failed: {kind}")]
    Io {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The replica took nothing of a frame: the guard stopped it, or the store failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store failed to read an operation.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Replica {
    /// Writes the operations that arrived since `cursor` into a bundle, in frames of about 1 MiB: no more than one is
    /// in memory. Wants a writer with a buffer.
    ///
    /// ```
    /// use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis};
    /// use policysync::oplog::Cursor;
    ///
    /// let now = WallMillis(1_760_000_000_000);
    /// let alice = SigningSecretKey::generate("alice")?;
    /// let alices_key = alice.public_key().clone();
    /// let mut phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
    /// phone.set(now, "Task", "t1", "title", "Hello world")?;
    ///
    /// let mut file = Vec::new();
    /// let exported = phone.export_since(Cursor::START, &mut file)?;
    ///
    /// let mut laptop = Replica::open(ReplicaOptions::new())?;
    /// laptop.keys_mut().register(alices_key)?;
    /// let imported = laptop.import(now, file.as_slice())?;
    /// assert_eq!((exported.ops, imported.received), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BundleError`]; what was written is then no bundle.
    pub fn export_since(&self, cursor: Cursor, out: impl Write) -> Result<Exported, BundleError> {
        export(self, cursor.next().until(self.log().cursor().next()), out)
    }

    /// Writes these operations into a bundle, in this order.
    ///
    /// # Errors
    ///
    /// [`BundleError::Missing`] for one that is not in the log, and others; what was written is then no bundle.
    pub fn export_set(&self, hashes: &[OpHash], out: impl Write) -> Result<Exported, BundleError> {
        let number =
            |hash: &OpHash| self.log().index().find(hash).ok_or(BundleError::Missing { hash: *hash });
        let numbers: Result<Vec<OpSeq>, BundleError> = hashes.iter().map(number).collect();
        export(self, numbers?, out)
    }

    /// Offers the operations of a bundle to this replica, a frame of about 1 MiB at a time: no more than one is in
    /// memory. A frame is checked against its digest before anything of it is offered. The digests show damage, not who
    /// made the bundle; operations are verified as ever. Wants a reader with a buffer.
    ///
    /// # Errors
    ///
    /// [`BundleError`]. What was admitted from the frames before stays; the same bundle may be imported again.
    pub fn import(&mut self, now: WallMillis, bundle: impl Read) -> Result<Imported, BundleError> {
        let crypto = self.crypto();
        let space = self.log().space().map(str::to_owned);
        let mut source = Source { bundle, read: 0 };
        let mut digest = source.header(crypto, space.as_deref())?;
        let mut imported = Imported::default();
        let mut offered = 0_u64;
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
                return if count == offered { Ok(imported) } else { Err(BundleError::Altered { at }) };
            }
            let intake = unpack(self, now, &frame, space.as_deref(), at)?;
            offered = offered.saturating_add(intake.offered());
            imported.received = imported.received.saturating_add(intake.accepted);
            imported.known = imported.known.saturating_add(intake.known);
            imported.refused.add(&intake.refused);
            imported.bytes = source.read;
        }
    }
}

fn export(
    replica: &Replica,
    numbers: impl IntoIterator<Item = OpSeq>,
    out: impl Write,
) -> Result<Exported, BundleError> {
    let crypto = replica.crypto();
    let mut sink = Sink { out, written: 0 };
    let header = header_of(replica.log().space());
    sink.write(&header)?;
    let mut digest = crypto.hash(&header);
    let mut writer = OpWriter::new(MAX_OP_BYTES);
    let mut ops = 0_u64;
    let mut flush = |writer: &mut OpWriter, sink: &mut Sink<_>| {
        let mut frame = Vec::new();
        let full = std::mem::replace(writer, OpWriter::new(MAX_OP_BYTES));
        ops = ops.saturating_add(wide(full.count()));
        if full.count() > 0 {
            full.finish(&mut frame);
        }
        digest = chain(crypto, &digest, &frame);
        sink.write(&u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        sink.write(&frame)?;
        sink.write(digest.as_bytes())
    };
    for number in numbers {
        if !pack(replica, number, &mut writer)? {
            flush(&mut writer, &mut sink)?;
            // Into an empty frame every operation fits.
            pack(replica, number, &mut writer)?;
        }
    }
    if writer.count() > 0 {
        flush(&mut writer, &mut sink)?;
    }
    flush(&mut writer, &mut sink)?;
    sink.write(&ops.to_le_bytes())?;
    sink.out.flush().map_err(|error| BundleError::Io { kind: error.kind() })?;
    Ok(Exported { ops, bytes: sink.written, cursor: replica.log().cursor() })
}

fn header_of(space: Option<&str>) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.push(BUNDLE_VERSION);
    // A space is never empty.
    put_text(&mut header, space.unwrap_or_default());
    header
}

/// The digest after a frame.
fn chain(crypto: Sodium, digest: &Hash, frame: &[u8]) -> Hash {
    let mut message = digest.as_bytes().to_vec();
    message.extend_from_slice(frame);
    crypto.hash(&message)
}

fn unpack(
    replica: &mut Replica,
    now: WallMillis,
    frame: &[u8],
    space: Option<&str>,
    at: u64,
) -> Result<Intake, BundleError> {
    let fault = |error| match error {
        SyncError::Message { fault, .. } => BundleError::Frame { at, fault },
        SyncError::Ingest(error) => error.into(),
        _ => BundleError::Altered { at },
    };
    let mut reader = Reader::new(frame);
    let ops = ops::read(&mut reader, space).and_then(|ops| reader.end().map(|()| ops)).map_err(fault)?;
    Intake::take(replica, now, ops).map_err(fault)
}

struct Sink<W> {
    out: W,
    written: u64,
}

impl<W: Write> Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.out.write_all(bytes).map_err(|error| BundleError::Io { kind: error.kind() })?;
        self.written = self.written.saturating_add(wide(bytes.len()));
        Ok(())
    }
}

struct Source<R> {
    bundle: R,
    read: u64,
}

impl<R: Read> Source<R> {
    /// So many bytes; memory is taken as they arrive.
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

    /// Reads the header, which must be the one of this space, and returns its digest.
    fn header(&mut self, crypto: Sodium, space: Option<&str>) -> Result<Hash, BundleError> {
        if self.array()? != MAGIC {
            return Err(BundleError::NotABundle);
        }
        let [found] = self.array()?;
        if found != BUNDLE_VERSION {
            return Err(BundleError::Version { found, known: BUNDLE_VERSION });
        }
        let header = header_of(space);
        let expected = header.get(MAGIC.len() + 1..).unwrap_or_default();
        if self.bytes(expected.len())? != expected {
            return Err(BundleError::OtherSpace);
        }
        Ok(crypto.hash(&header))
    }

    fn frame(&mut self, at: u64) -> Result<Vec<u8>, BundleError> {
        let len = self.array().map(u32::from_le_bytes)?;
        match usize::try_from(len) {
            Ok(len) if len <= MAX_FRAME_BYTES => self.bytes(len),
            _ => Err(BundleError::Altered { at }),
        }
    }

    fn end(&mut self) -> Result<(), BundleError> {
        match self.array::<1>() {
            Err(BundleError::Truncated { .. }) => Ok(()),
            Ok(_) => Err(BundleError::TrailingBytes { at: self.read.saturating_sub(1) }),
            Err(error) => Err(error),
        }
    }
}
