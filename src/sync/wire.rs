//! Integers, texts and arrays in bytes, read strictly: each has one spelling.

use super::error::{MessageFault, SyncError};

/// Bytes of the longest integer: 64 bits, seven a byte.
const MAX_VARINT: usize = 10;

/// Reads bytes that nobody vouches for. Nothing is allocated for what a length claims.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len() }
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn fault(&self, fault: MessageFault) -> SyncError {
        SyncError::Message { fault, at: self.len.saturating_sub(self.rest.len()) }
    }

    /// Whether this is the next byte.
    pub(super) fn next_is(&self, byte: u8) -> bool {
        self.rest.first() == Some(&byte)
    }

    pub(super) fn byte(&mut self) -> Result<u8, SyncError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SyncError> {
        let (array, rest) =
            self.rest.split_first_chunk().ok_or_else(|| self.fault(MessageFault::Truncated))?;
        self.rest = rest;
        Ok(*array)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], SyncError> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| self.fault(MessageFault::Truncated))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// An integer, seven bits a byte, the least first, in as few bytes as it needs.
    pub(super) fn varint(&mut self) -> Result<u64, SyncError> {
        let mut value = 0_u64;
        for place in 0..MAX_VARINT {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shift = 7 * u32::try_from(place).unwrap_or(u32::MAX);
            let shifted = bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits);
            value |= shifted.ok_or_else(|| self.fault(MessageFault::Integer))?;
            if byte & 0x80 == 0 {
                let longer_than_needed = byte == 0 && place > 0;
                return if longer_than_needed { Err(self.fault(MessageFault::Integer)) } else { Ok(value) };
            }
        }
        Err(self.fault(MessageFault::Integer))
    }

    /// An integer that fits 32 bits.
    pub(super) fn varint_u32(&mut self) -> Result<u32, SyncError> {
        u32::try_from(self.varint()?).map_err(|_| self.fault(MessageFault::Integer))
    }

    /// A number of things of at least `least_bytes` each: there cannot be more than the bytes that are left.
    pub(super) fn count(&mut self, least_bytes: usize) -> Result<usize, SyncError> {
        let count = usize::try_from(self.varint()?).map_err(|_| self.fault(MessageFault::Truncated))?;
        match count.checked_mul(least_bytes) {
            Some(bytes) if bytes <= self.left() => Ok(count),
            _ => Err(self.fault(MessageFault::Truncated)),
        }
    }

    /// A length and so many bytes of UTF-8.
    pub(super) fn text(&mut self) -> Result<&'a str, SyncError> {
        let len = self.count(1)?;
        let bytes = self.bytes(len)?;
        std::str::from_utf8(bytes).map_err(|_| self.fault(MessageFault::Utf8))
    }

    /// One of two bytes: `00` or `01`.
    pub(super) fn flag(&mut self) -> Result<bool, SyncError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(self.fault(MessageFault::Tag { found })),
        }
    }

    pub(super) fn end(&self) -> Result<(), SyncError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(MessageFault::TrailingBytes)) }
    }
}

/// Appends an integer as [`Reader::varint`] reads it.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a count or a length.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, wide(count));
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// A machine's number in 64 bits.
pub(super) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_one_spelling() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.end(), Ok(()));
            // The same with a byte more.
            *bytes.last_mut().unwrap() |= 0x80;
            bytes.push(0);
            assert!(Reader::new(&bytes).varint().is_err(), "{value}");
        }
        assert!(Reader::new(&[0xff; 10]).varint().is_err());
        assert!(Reader::new(&[0x80; 9]).varint().is_err());
    }

    #[test]
    fn a_count_is_bounded_by_what_is_left() {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, 3);
        bytes.extend_from_slice(&[0; 11]);
        assert!(Reader::new(&bytes).count(4).is_err());
        bytes.push(0);
        assert_eq!(Reader::new(&bytes).count(4), Ok(3));
    }
}
