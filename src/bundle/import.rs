//! Reading bundles.

use std::io::Read;

use super::{BUNDLE_VERSION, BundleError, MAX_FRAME_BYTES, chain, header_of};
use crate::codec::CodecError;
use crate::codec::packed::unpack_ops;
use crate::codec::tags::BUNDLE;
use crate::codec::wire::{ByteReader, wide};
use crate::crypto::{Hash, Sodium};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{IngestedOps, Received};

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
