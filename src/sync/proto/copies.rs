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
    pub(crate) wanted: Vec<WantedCopy>,
    /// Operations of which the other side wanted a copy, and this side has the same.
    pub(crate) same: Vec<OpHash>,
}

/// An operation of which a copy is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WantedCopy {
    pub(crate) hash: OpHash,
    /// The digest over the copies in doubt.
    pub(crate) doubted: CopyDigest,
}

impl Copies {
    /// Returns true if it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.same.is_empty()
    }

    pub(crate) fn write(&self, version: ProtocolVersion, out: &mut Vec<u8>) {
        put_count(out, self.wanted.len());
        for wanted in &self.wanted {
            out.extend_from_slice(wanted.hash.as_bytes());
            if version >= ProtocolVersion::V2 {
                out.extend_from_slice(&wanted.doubted.to_bytes());
            }
        }
        if version >= ProtocolVersion::V2 {
            write_hashes(&self.same, out);
        }
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>, version: ProtocolVersion) -> Result<Self, CodecError> {
        let (bytes, most) = match version {
            ProtocolVersion::V1 => (32, MAX_ALTERNATES_WANTED),
            ProtocolVersion::V2 => (40, MAX_CLAIMS),
        };
        let count = reader.count(bytes)?;
        if count > most {
            return Err(reader.fault(CodecFault::TooMany));
        }
        let mut copies = Self::default();
        for _ in 0..count {
            let hash = OpHash::from_bytes(reader.array()?);
            let doubted = match version {
                ProtocolVersion::V1 => CopyDigest::default(),
                ProtocolVersion::V2 => CopyDigest::of_bytes(reader.array()?),
            };
            copies.wanted.push(WantedCopy { hash, doubted });
        }
        if version >= ProtocolVersion::V2 {
            copies.same = read_hashes(reader, MAX_CLAIMS)?;
        }
        Ok(copies)
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
