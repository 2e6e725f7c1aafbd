//! The section about copies of operations, which differ in their signatures.

use super::limits::{MAX_ALTERNATES_WANTED, MAX_CLAIMS};
use super::version::ProtocolVersion;
use crate::codec::{ByteReader, CodecError, CodecFault, OpHash, put_count};
use crate::replica::CopyDigest;

/// The statements of a side about copies of operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Operations whose signatures are in doubt: the other side's copy is wanted if it is another than those with this
    /// digest. Version 1 has no digest.
    pub(crate) wanted: Vec<OpCopies>,
    /// Operations of which the other side wanted a copy, and this side has just those with this digest.
    pub(crate) same: Vec<OpCopies>,
}

/// Copies of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpCopies {
    pub(crate) hash: OpHash,
    /// The digest over the copies.
    pub(crate) digest: CopyDigest,
}

impl OpCopies {
    /// Bytes of an operation's hash and the digest.
    const BYTES: usize = 32 + CopyDigest::BYTES;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(self.digest.as_bytes());
    }

    fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let hash = OpHash::from_bytes(reader.array()?);
        Ok(Self { hash, digest: CopyDigest::from_bytes(reader.array()?) })
    }
}

impl Copies {
    /// Returns true if it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.same.is_empty()
    }

    pub(crate) fn write(&self, version: ProtocolVersion, out: &mut Vec<u8>) {
        if version == ProtocolVersion::V1 {
            put_count(out, self.wanted.len());
            return self.wanted.iter().for_each(|wanted| out.extend_from_slice(wanted.hash.as_bytes()));
        }
        for list in [&self.wanted, &self.same] {
            put_count(out, list.len());
            list.iter().for_each(|copies| copies.write(out));
        }
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>, version: ProtocolVersion) -> Result<Self, CodecError> {
        if version == ProtocolVersion::V1 {
            let wanted = read_hashes(reader, MAX_ALTERNATES_WANTED)?.into_iter();
            let wanted = wanted.map(|hash| OpCopies { hash, digest: CopyDigest::default() }).collect();
            return Ok(Self { wanted, same: Vec::new() });
        }
        let mut list = || {
            let count = reader.count(OpCopies::BYTES)?;
            if count > MAX_CLAIMS {
                return Err(reader.fault(CodecFault::TooMany));
            }
            (0..count).map(|_| OpCopies::read(reader)).collect()
        };
        Ok(Self { wanted: list()?, same: list()? })
    }
}

pub(crate) fn write_hashes(hashes: &[OpHash], out: &mut Vec<u8>) {
    put_count(out, hashes.len());
    hashes.iter().for_each(|hash| out.extend_from_slice(hash.as_bytes()));
}

pub(crate) fn read_hashes(reader: &mut ByteReader<'_>, most: usize) -> Result<Vec<OpHash>, CodecError> {
    let count = reader.count(32)?;
    if count > most {
        return Err(reader.fault(CodecFault::TooMany));
    }
    (0..count).map(|_| reader.array().map(OpHash::from_bytes)).collect()
}
