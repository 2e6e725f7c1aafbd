//! The versions of the protocol.

use crate::codec::tags::SYNC_VERSION;
use crate::codec::{ByteReader, CodecError, CodecFault, put_count};

/// A version of the protocol that this library speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProtocolVersion {
    /// The version of release 0.1.0.
    V1,
    V2,
}

impl ProtocolVersion {
    /// Returns the byte that names the version in messages.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => SYNC_VERSION,
        }
    }

    pub(crate) fn of_byte(byte: u8) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.byte() == byte)
    }
}

/// Features that a message may list.
const MAX_FEATURES: usize = 64;

/// Appends the features of this side, and the area for what later versions add. This version has none of either.
pub(crate) fn put_features(out: &mut Vec<u8>) {
    put_count(out, 0);
    put_count(out, 0);
}

/// Skips the other side's features and additions, of which this version knows none.
pub(crate) fn skip_features(reader: &mut ByteReader<'_>) -> Result<(), CodecError> {
    let features = reader.count(1)?;
    if features > MAX_FEATURES {
        return Err(reader.fault(CodecFault::TooMany));
    }
    for _ in 0..features {
        reader.varint()?;
    }
    let additions = reader.count(1)?;
    reader.bytes(additions).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_and_additions_of_a_later_version_are_skipped() {
        let mut written = Vec::new();
        put_features(&mut written);
        for bytes in [&written[..], &[2, 1, 0x80, 0x01, 3, 7, 7, 7]] {
            let mut reader = ByteReader::new(bytes);
            assert_eq!(skip_features(&mut reader), Ok(()));
            assert_eq!(reader.end(), Ok(()));
        }
        let many = [&[65][..], &[0; 66]].concat();
        assert!(skip_features(&mut ByteReader::new(&many)).is_err());
        assert!(skip_features(&mut ByteReader::new(&[0, 2, 1])).is_err());
    }
}
