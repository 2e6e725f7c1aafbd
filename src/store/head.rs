//! The head of a log: what it says of its records.

use super::seal::Seal;
use super::{Damage, Place, StoreError};
use crate::codec::OpHash;
use crate::codec::tags::{STORE_HEAD_VERSION, STORE_TRACE};
use crate::crypto::Sodium;

const SPACE: u8 = 1;
const SEAL: u8 = 2;
const COPIED: u8 = 4;

/// The description of a log that every commit replaces. Numbers are little endian.
///
/// | bytes | content |
/// |---|---|
/// | 1 | version, 1 |
/// | 1 | which of the optional members follow: 1 space, 2 seal, 4 copied |
/// | 4 | count of operations |
/// | 16 | trace |
/// | 2, then as many | space: length and UTF-8 |
/// | 32 | seal |
/// | 4 | copied |
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The count of operations.
    pub(crate) count: u32,
    /// A digest over all commits: two heads are equal only after the same ones.
    pub(crate) trace: [u8; 16],
    /// The space that all operations belong to.
    pub(crate) space: Option<Box<str>>,
    /// The keyed digest over all operations, where the log is sealed.
    pub(crate) seal: Option<Seal>,
    /// In a backup, the count of operations when it was made.
    pub(crate) copied: Option<u32>,
}

impl Head {
    /// Creates the head of an empty log.
    pub(crate) fn new(space: Option<Box<str>>) -> Self {
        Self { count: 0, trace: [0; 16], space, seal: None, copied: None }
    }

    /// Returns the trace after a commit that appends operations with these hashes.
    pub(crate) fn trace_after(&self, crypto: Sodium, hashes: impl Iterator<Item = OpHash>) -> [u8; 16] {
        let mut message = STORE_TRACE.to_vec();
        message.extend_from_slice(&self.trace);
        hashes.for_each(|hash| message.extend_from_slice(hash.as_bytes()));
        let hash = crypto.hash(&message);
        let mut trace = [0; 16];
        trace.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        trace
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let flag = |is_there: bool, flag| if is_there { flag } else { 0 };
        let flags = flag(self.space.is_some(), SPACE)
            | flag(self.seal.is_some(), SEAL)
            | flag(self.copied.is_some(), COPIED);
        let mut out = vec![STORE_HEAD_VERSION, flags];
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.trace);
        if let Some(space) = &self.space {
            // A space has at most 1024 bytes.
            out.extend_from_slice(&u16::try_from(space.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend_from_slice(space.as_bytes());
        }
        if let Some(seal) = &self.seal {
            out.extend_from_slice(seal);
        }
        if let Some(copied) = self.copied {
            out.extend_from_slice(&copied.to_le_bytes());
        }
        out
    }

    /// Reads a head, which is not trusted.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let [version, flags] = *bytes.first_chunk().ok_or_else(unexpected)?;
        if version > STORE_HEAD_VERSION {
            return Err(StoreError::Newer { found: version.into(), known: STORE_HEAD_VERSION.into() });
        }
        if version != STORE_HEAD_VERSION || flags & !(SPACE | SEAL | COPIED) != 0 {
            return Err(unexpected());
        }
        Self::decode_members(flags, bytes.get(2..).unwrap_or_default()).ok_or_else(unexpected)
    }

    fn decode_members(flags: u8, rest: &[u8]) -> Option<Self> {
        let (count, rest) = rest.split_first_chunk()?;
        let (trace, mut rest) = rest.split_first_chunk()?;
        let mut head = Self { count: u32::from_le_bytes(*count), trace: *trace, ..Self::new(None) };
        if flags & SPACE != 0 {
            let (len, after) = rest.split_first_chunk()?;
            let (space, after) = after.split_at_checked(u16::from_le_bytes(*len).into())?;
            head.space = Some(std::str::from_utf8(space).ok()?.into());
            rest = after;
        }
        if flags & SEAL != 0 {
            let (seal, after) = rest.split_first_chunk()?;
            head.seal = Some(*seal);
            rest = after;
        }
        if flags & COPIED != 0 {
            let (copied, after) = rest.split_first_chunk()?;
            head.copied = Some(u32::from_le_bytes(*copied));
            rest = after;
        }
        rest.is_empty().then_some(head)
    }
}

fn unexpected() -> StoreError {
    StoreError::Corrupt { place: Place::Head, damage: Damage::Unexpected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Head {
        let (space, seal) = (Some("home".into()), Some([3; 32]));
        Head { count: 7, trace: [2; 16], space, seal, copied: Some(5) }
    }

    #[test]
    fn a_head_comes_back_with_any_of_its_members() {
        for members in 0..8 {
            let mut head = full();
            head.space = head.space.filter(|_| members & 1 != 0);
            head.seal = head.seal.filter(|_| members & 2 != 0);
            head.copied = head.copied.filter(|_| members & 4 != 0);
            assert_eq!(Head::decode(&head.encode()), Ok(head));
        }
    }

    #[test]
    fn only_what_is_written_is_read() {
        let bytes = full().encode();
        for len in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..len]), Err(unexpected()), "{len} bytes");
        }
        assert_eq!(Head::decode(&[&bytes[..], &[0]].concat()), Err(unexpected()));
        assert_eq!(Head::decode(&[&[0], &bytes[1..]].concat()), Err(unexpected()));
        assert_eq!(Head::decode(&[&[1, 15], &bytes[2..]].concat()), Err(unexpected()));
        let newer = Head::decode(&[&[2], &bytes[1..]].concat());
        assert_eq!(newer, Err(StoreError::Newer { found: 2, known: 1 }));
    }

    #[test]
    fn every_commit_has_a_trace_of_its_own() {
        let crypto = Sodium::new().unwrap();
        let (a, b) = (OpHash::from_bytes([1; 32]), OpHash::from_bytes([2; 32]));
        let after = |head: &Head, hashes: &[OpHash]| Head {
            trace: head.trace_after(crypto, hashes.iter().copied()),
            ..head.clone()
        };
        let start = Head::new(None);
        let traces = [
            start.clone(),
            after(&start, &[]),
            after(&start, &[a]),
            after(&start, &[b]),
            after(&after(&start, &[a]), &[b]),
            after(&start, &[a, b]),
        ];
        for (n, head) in traces.iter().enumerate() {
            assert!(traces[..n].iter().all(|other| other.trace != head.trace), "{n}");
        }
    }
}
