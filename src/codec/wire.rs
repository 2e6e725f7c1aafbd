//! The encoding of integers, texts and arrays in messages: each has exactly one form.

use super::error::{CodecError, CodecFault};

/// Bytes of the longest integer: 64 bits, seven a byte.
const MAX_VARINT_BYTES: usize = 10;

/// Reads untrusted bytes. It allocates nothing for a length before the bytes are known to be there.
#[derive(Clone)]
pub(crate) struct ByteReader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> ByteReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len() }
    }

    /// Returns the number of unread bytes.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Returns the error for a fault at the current byte.
    pub(crate) fn fault(&self, fault: CodecFault) -> CodecError {
        CodecError { fault, at: self.len.saturating_sub(self.rest.len()) }
    }

    /// Returns true if this is the next byte.
    pub(crate) fn next_is(&self, byte: u8) -> bool {
        self.rest.first() == Some(&byte)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, CodecError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(|| self.fault(CodecFault::Truncated))?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| self.fault(CodecFault::Truncated))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads an integer: seven bits a byte, lowest first, in as few bytes as it needs.
    pub(crate) fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for place in 0..MAX_VARINT_BYTES {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shift = 7 * u32::try_from(place).unwrap_or(u32::MAX);
            let shifted = bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits);
            value |= shifted.ok_or_else(|| self.fault(CodecFault::Integer))?;
            if byte & 0x80 == 0 {
                let longer_than_needed = byte == 0 && place > 0;
                return if longer_than_needed { Err(self.fault(CodecFault::Integer)) } else { Ok(value) };
            }
        }
        Err(self.fault(CodecFault::Integer))
    }

    /// Reads an integer of at most 32 bits.
    pub(crate) fn varint_u32(&mut self) -> Result<u32, CodecError> {
        u32::try_from(self.varint()?).map_err(|_| self.fault(CodecFault::Integer))
    }

    /// Reads the number of items in a list. Each takes at least `min_bytes`, so the unread bytes bound the number.
    pub(crate) fn count(&mut self, min_bytes: usize) -> Result<usize, CodecError> {
        let count = usize::try_from(self.varint()?).map_err(|_| self.fault(CodecFault::Truncated))?;
        match count.checked_mul(min_bytes) {
            Some(bytes) if bytes <= self.left() => Ok(count),
            _ => Err(self.fault(CodecFault::Truncated)),
        }
    }

    /// Reads a length and that many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, CodecError> {
        let len = self.count(1)?;
        self.text_of(len)
    }

    /// Reads a text of `len` bytes.
    pub(crate) fn text_of(&mut self, len: usize) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.bytes(len)?).map_err(|_| self.fault(CodecFault::Utf8))
    }

    /// Reads a byte that is 0 or 1.
    pub(crate) fn flag(&mut self) -> Result<bool, CodecError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(self.fault(CodecFault::Tag { found })),
        }
    }

    /// Checks that no bytes are left.
    pub(crate) fn end(&self) -> Result<(), CodecError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(CodecFault::TrailingBytes)) }
    }
}

/// Appends an integer for [`ByteReader::varint`].
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
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

/// Appends a count or a length for [`ByteReader::count`].
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, wide(count));
}

/// Appends a text for [`ByteReader::text`].
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Converts a length to 64 bits.
pub(crate) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_one_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = ByteReader::new(&bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.end(), Ok(()));
            // The same integer in one byte more.
            *bytes.last_mut().unwrap() |= 0x80;
            bytes.push(0);
            assert!(ByteReader::new(&bytes).varint().is_err(), "{value}");
        }
        assert!(ByteReader::new(&[0xff; 10]).varint().is_err());
        assert!(ByteReader::new(&[0x80; 9]).varint().is_err());
    }

    #[test]
    fn a_count_is_bounded_by_the_unread_bytes() {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, 3);
        bytes.extend_from_slice(&[0; 11]);
        assert!(ByteReader::new(&bytes).count(4).is_err());
        bytes.push(0);
        assert_eq!(ByteReader::new(&bytes).count(4), Ok(3));
    }
}
