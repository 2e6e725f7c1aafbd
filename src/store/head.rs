//! The head of a log: what it says of its records.

use super::clock::StoredClock;
use super::seal::{ClockSeal, Seal};
use super::{Place, StoreError};
use crate::codec::tags::{STORE_HEAD, STORE_HEAD_VERSION, STORE_TRACE};
use crate::codec::{ByteReader, CodecError, CodecFault, OpHash};
use crate::crypto::Sodium;
use crate::hlc::WallMillis;

const SPACE: u8 = 1;
const SEAL: u8 = 2;
const COPIED: u8 = 4;
const HORIZON: u8 = 8;
const RESET: u8 = 16;

/// The version of a head that was converted from a file of version 0.1.0: without the digest, the clock and its seal.
const CONVERTED: u8 = 0;
/// The length of the digest over a head.
const DIGEST_BYTES: usize = 16;

/// The description of a log that every commit replaces. Numbers are little endian.
///
/// | bytes | content |
/// |---|---|
/// | 1 | version, 1 |
/// | 1 | the sum of 1 space, 2 seal, 4 copied, 8 horizon, which follow, and 16 if the clock was reset |
/// | 4 | count of operations |
/// | 16 | trace |
/// | 2, then as many | space: length and UTF-8 |
/// | 32, 8, 16 | seal over the operations, id of its key, seal over the clock |
/// | 4 | copied |
/// | 8 | horizon |
/// | 16 | digest over the bytes before |
///
/// The digest needs no key: it detects accidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The count of operations.
    pub(crate) count: u32,
    /// A digest over all commits: two heads are equal only after the same ones.
    pub(crate) trace: [u8; 16],
    /// The space that all operations belong to.
    pub(crate) space: Option<Box<str>>,
    /// The seal, where the log has one.
    pub(crate) seal: Option<LogSeal>,
    /// In a backup, the count of operations when it was made.
    pub(crate) copied: Option<u32>,
    /// The state of the replica's clock.
    pub(crate) clock: StoredClock,
}

/// The keyed digests over the operations and the clock of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSeal {
    pub(crate) ops: Seal,
    /// `None` in a file of version 0.1.0, which has no clock.
    pub(crate) clock: Option<ClockSeal>,
}

impl Head {
    /// Creates the head of an empty log.
    pub(crate) fn new(space: Option<Box<str>>) -> Self {
        Self { count: 0, trace: [0; 16], space, seal: None, copied: None, clock: StoredClock::default() }
    }

    /// Returns the trace after a commit that appends operations with these hashes.
    pub(crate) fn trace_after(&self, crypto: Sodium, hashes: impl Iterator<Item = OpHash>) -> [u8; 16] {
        let mut message = STORE_TRACE.to_vec();
        message.extend_from_slice(&self.trace);
        hashes.for_each(|hash| message.extend_from_slice(hash.as_bytes()));
        crypto.hash(&message).first()
    }

    /// Returns the head of a file of version 0.1.0, which has no clock.
    #[cfg(feature = "sqlite")]
    pub(crate) fn converted(
        space: Option<Box<str>>,
        count: u32,
        seal: Option<Seal>,
        copied: Option<u32>,
    ) -> Vec<u8> {
        let seal = seal.map(|ops| LogSeal { ops, clock: None });
        Self { count, seal, copied, ..Self::new(space) }.members(CONVERTED)
    }

    /// Returns the bytes to store. A seal without one over the clock is left out.
    pub(crate) fn encode(&self, crypto: Sodium) -> Vec<u8> {
        let seal = self.seal.filter(|seal| seal.clock.is_some());
        let mut out = Self { seal, ..self.clone() }.members(STORE_HEAD_VERSION);
        let digest = digest(crypto, &out);
        out.extend_from_slice(&digest);
        out
    }

    fn members(&self, version: u8) -> Vec<u8> {
        let flag = |is_there: bool, flag| if is_there { flag } else { 0 };
        let flags = flag(self.space.is_some(), SPACE)
            | flag(self.seal.is_some(), SEAL)
            | flag(self.copied.is_some(), COPIED)
            | flag(self.clock.horizon.is_some(), HORIZON)
            | flag(self.clock.was_reset, RESET);
        let mut out = vec![version, flags];
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.trace);
        if let Some(space) = &self.space {
            // A space has at most 1024 bytes.
            out.extend_from_slice(&u16::try_from(space.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend_from_slice(space.as_bytes());
        }
        if let Some(seal) = &self.seal {
            out.extend_from_slice(&seal.ops);
            if let Some(clock) = &seal.clock {
                out.extend_from_slice(&clock.key);
                out.extend_from_slice(&clock.seal);
            }
        }
        if let Some(copied) = self.copied {
            out.extend_from_slice(&copied.to_le_bytes());
        }
        if let Some(horizon) = self.clock.horizon {
            out.extend_from_slice(&horizon.0.to_le_bytes());
        }
        out
    }

    /// Reads a head, which is not trusted.
    pub(crate) fn decode(crypto: Sodium, bytes: &[u8]) -> Result<Self, StoreError> {
        let [version, _] = *bytes.first_chunk().ok_or(StoreError::unexpected(Place::Head))?;
        if version > STORE_HEAD_VERSION {
            return Err(StoreError::Newer { found: version.into(), known: STORE_HEAD_VERSION.into() });
        }
        let members = if version == CONVERTED { Some(bytes) } else { without_digest(crypto, bytes) };
        members
            .and_then(|members| Self::read(ByteReader::new(members)).ok())
            .ok_or(StoreError::unexpected(Place::Head))
    }

    fn read(mut reader: ByteReader<'_>) -> Result<Self, CodecError> {
        let (is_converted, flags) = (reader.byte()? == CONVERTED, reader.byte()?);
        let known =
            if is_converted { SPACE | SEAL | COPIED } else { SPACE | SEAL | COPIED | HORIZON | RESET };
        if flags & !known != 0 {
            return Err(reader.fault(CodecFault::Tag { found: flags }));
        }
        let mut head = Self::new(None);
        head.count = u32::from_le_bytes(reader.array()?);
        head.trace = reader.array()?;
        if flags & SPACE != 0 {
            let len = u16::from_le_bytes(reader.array()?);
            head.space = Some(reader.text_of(len.into())?.into());
        }
        if flags & SEAL != 0 {
            let ops = reader.array()?;
            let clock = match is_converted {
                true => None,
                false => Some(ClockSeal { key: reader.array()?, seal: reader.array()? }),
            };
            head.seal = Some(LogSeal { ops, clock });
        }
        if flags & COPIED != 0 {
            head.copied = Some(u32::from_le_bytes(reader.array()?));
        }
        head.clock.was_reset = flags & RESET != 0;
        if flags & HORIZON != 0 {
            head.clock.horizon = Some(WallMillis(u64::from_le_bytes(reader.array()?)));
        }
        if head.clock.horizon > Some(WallMillis::MAX) {
            return Err(reader.fault(CodecFault::Integer));
        }
        reader.end().map(|()| head)
    }
}

/// Returns the bytes before the digest, if it fits them.
fn without_digest(crypto: Sodium, bytes: &[u8]) -> Option<&[u8]> {
    let (members, stored) = bytes.split_last_chunk()?;
    (digest(crypto, members) == *stored).then_some(members)
}

fn digest(crypto: Sodium, members: &[u8]) -> [u8; DIGEST_BYTES] {
    crypto.hash(&[STORE_HEAD, members].concat()).first()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unexpected() -> StoreError {
        StoreError::unexpected(Place::Head)
    }

    fn full() -> Head {
        let space = Some("home".into());
        let seal = Some(LogSeal { ops: [3; 32], clock: Some(ClockSeal { key: [4; 8], seal: [5; 16] }) });
        let clock = StoredClock { horizon: Some(WallMillis(1_760_000_000_000)), was_reset: true };
        Head { count: 7, trace: [2; 16], space, seal, copied: Some(5), clock }
    }

    #[test]
    fn a_head_comes_back_with_any_of_its_members() {
        let crypto = Sodium::new().unwrap();
        for members in 0..32 {
            let mut head = full();
            head.space = head.space.filter(|_| members & 1 != 0);
            head.seal = head.seal.filter(|_| members & 2 != 0);
            head.copied = head.copied.filter(|_| members & 4 != 0);
            head.clock.horizon = head.clock.horizon.filter(|_| members & 8 != 0);
            head.clock.was_reset = members & 16 != 0;
            assert_eq!(Head::decode(crypto, &head.encode(crypto)), Ok(head));
        }
    }

    #[test]
    fn only_what_is_written_is_read() {
        let crypto = Sodium::new().unwrap();
        let decode = |members: &[u8]| Head::decode(crypto, &[members, &digest(crypto, members)].concat());
        let members = full().members(STORE_HEAD_VERSION);
        assert_eq!(decode(&members), Ok(full()));
        let bytes = full().encode(crypto);
        assert!((0..bytes.len()).all(|len| Head::decode(crypto, &bytes[..len]) == Err(unexpected())));
        for len in 2..members.len() {
            assert_eq!(decode(&members[..len]), Err(unexpected()), "{len} bytes");
        }
        assert_eq!(decode(&[&members[..], &[0]].concat()), Err(unexpected()));
        assert_eq!(decode(&[&[0], &members[1..]].concat()), Err(unexpected()));
        assert_eq!(decode(&[&[1, 63], &members[2..]].concat()), Err(unexpected()));
        let mut late = full();
        late.clock.horizon = Some(WallMillis(WallMillis::MAX.0 + 1));
        assert_eq!(decode(&late.members(STORE_HEAD_VERSION)), Err(unexpected()));
        let newer = decode(&[&[2], &members[1..]].concat());
        assert_eq!(newer, Err(StoreError::Newer { found: 2, known: 1 }));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let crypto = Sodium::new().unwrap();
        let bytes = full().encode(crypto);
        for at in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(Head::decode(crypto, &changed).is_err(), "bit {at}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_head_of_an_old_file_has_no_clock() {
        let crypto = Sodium::new().unwrap();
        let bytes = Head::converted(Some("home".into()), 7, Some([3; 32]), Some(5));
        let seal = Some(LogSeal { ops: [3; 32], clock: None });
        let old = Head { count: 7, seal, copied: Some(5), ..Head::new(Some("home".into())) };
        assert_eq!(Head::decode(crypto, &bytes), Ok(old.clone()));
        for clock in [HORIZON, RESET] {
            let flags = [0, bytes[1] | clock];
            let changed = [&flags, &bytes[2..], &[0; 8]].concat();
            assert_eq!(Head::decode(crypto, &changed), Err(unexpected()));
        }
        // Without the key the seal cannot be renewed.
        assert_eq!(Head::decode(crypto, &old.encode(crypto)), Ok(Head { seal: None, ..old }));
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
