//! The actors whose operations a side accepts. It says so beforehand, so that the other side leaves out what would be
//! refused.
//!
//! A filter names no keys: the hash of an operation does not cover the kid, so a copy with a made-up kid would be left
//! out silently, and the genuine operation with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codec::{ByteReader, CodecError, CodecFault, put_count, put_text};
use crate::crypto::{Sodium, first};
use crate::keys::SigningPublicKey;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::replica::Replica;

/// Actors that a filter names. A side that knows more names those that it has refused instead.
const MAX_NAMED: usize = 256;
/// Unknown authors that are named in full.
const MAX_UNKNOWN: usize = 32;
/// Bytes of the names of unknown authors: a session that has nothing to do takes at most 4 KiB, claims included, if the
/// filters are short. Each filter takes 8 bytes for an actor, so up to 2 KiB more.
const MAX_UNKNOWN_BYTES: usize = 2048;

const ALL: u8 = 0;
const ONLY: u8 = 1;
const EXCEPT: u8 = 2;

/// An actor, shortened with the nonce of a session.
type ShortActor = [u8; 8];

/// The actors whose operations a side accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum AuthorFilter {
    /// All, as far as is known.
    #[default]
    All,
    /// Only these, in order.
    Only(Vec<ShortActor>),
    /// All but these, in order: they were refused before.
    Except(Vec<ShortActor>),
}

/// An author whose operations a session left out or refused, because its key is not registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct UnknownAuthor {
    /// The actor.
    pub actor: Box<str>,
    /// The id of its key.
    pub kid: Box<str>,
}

impl AuthorFilter {
    /// Returns the actors that this replica accepts, for a session with this nonce: those of its keys and of its log.
    pub(crate) fn of(replica: &Replica, nonce: &[u8; 16]) -> Self {
        if replica.accepts_unverified() {
            return Self::All;
        }
        let short = |actor: &str| shorten(replica.crypto(), nonce, actor);
        let (keys, index) = (replica.keys(), replica.log().index());
        let sorted = |mut named: Vec<ShortActor>| {
            named.sort_unstable();
            named.dedup();
            named
        };
        if keys.len().max(index.authors().len()) <= MAX_NAMED {
            let known =
                keys.iter().map(SigningPublicKey::actor).chain(index.authors().map(|(actor, _)| actor));
            let named = sorted(known.map(short).collect());
            if named.len() <= MAX_NAMED {
                return Self::Only(named);
            }
        }
        let mut unknown: BTreeSet<&str> = replica.peers().refused_authors().map(|(actor, _)| actor).collect();
        unknown.retain(|actor| !replica.knows_actor(actor));
        let named = sorted(unknown.into_iter().map(short).take(MAX_NAMED).collect());
        if named.is_empty() { Self::All } else { Self::Except(named) }
    }

    /// Returns true if it names all actors that are accepted: then a peer sends nothing of others.
    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self, Self::Only(_))
    }

    /// Returns true if nothing can be refused because of its actor.
    const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    fn accepts(&self, actor: &ShortActor) -> bool {
        match self {
            Self::All => true,
            Self::Only(named) => named.binary_search(actor).is_ok(),
            Self::Except(named) => named.binary_search(actor).is_err(),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (kind, named): (u8, &[ShortActor]) = match self {
            Self::All => (ALL, &[]),
            Self::Only(named) => (ONLY, named),
            Self::Except(named) => (EXCEPT, named),
        };
        out.push(kind);
        if kind != ALL {
            put_count(out, named.len());
            out.extend(named.iter().flatten());
        }
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>) -> Result<Self, CodecError> {
        let kind = reader.byte()?;
        if kind == ALL {
            return Ok(Self::All);
        }
        if kind != ONLY && kind != EXCEPT {
            return Err(reader.fault(CodecFault::Tag { found: kind }));
        }
        let count = reader.count(8)?;
        if count > MAX_NAMED {
            return Err(reader.fault(CodecFault::TooMany));
        }
        let named: Vec<ShortActor> = (0..count).map(|_| reader.array()).collect::<Result<_, _>>()?;
        if !named.is_sorted_by(|a, b| a < b) {
            return Err(reader.fault(CodecFault::Reference));
        }
        Ok(if kind == ONLY { Self::Only(named) } else { Self::Except(named) })
    }
}

/// Shortens an actor. The nonce is new in each session, so nobody can choose names that collide.
fn shorten(crypto: Sodium, nonce: &[u8; 16], actor: &str) -> ShortActor {
    first(&crypto.short_hash(nonce, actor.as_bytes()))
}

/// The filter that a peer told in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerFilter {
    /// The initiator's nonce, which shortens the actors.
    nonce: [u8; 16],
    filter: Arc<AuthorFilter>,
}

impl PeerFilter {
    pub(crate) fn new(nonce: [u8; 16], filter: AuthorFilter) -> Self {
        if filter.is_all() {
            return Self::default();
        }
        Self { nonce, filter: Arc::new(filter) }
    }

    /// Returns true if the peer accepts operations of this actor.
    pub(crate) fn accepts(&self, crypto: Sodium, actor: &str) -> bool {
        self.filter.is_all() || self.filter.accepts(&shorten(crypto, &self.nonce, actor))
    }

    /// Returns the operations before `end` that the peer does not accept. It looks at no others, nor at their authors.
    pub(crate) fn declined(&self, crypto: Sodium, index: &Index, end: OpSeq) -> Declined {
        let mut declined = Declined::default();
        if self.filter.is_all() {
            return declined;
        }
        let mut authors = index.authors();
        for number in OpSeq::FIRST.until(end) {
            let position = index.author_position(number);
            while declined.authors.len() <= position {
                // Every operation has an author.
                let Some((actor, _)) = authors.next() else { break };
                declined.authors.push(!self.accepts(crypto, actor));
            }
            declined.count += u64::from(declined.is_of(position));
        }
        declined
    }
}

/// The operations that a peer does not accept, by their authors.
#[derive(Default)]
pub(crate) struct Declined {
    /// For each author of the operations that were looked at, true if the peer does not accept them.
    authors: Vec<bool>,
    /// The number of operations that the peer does not accept.
    pub(crate) count: u64,
}

impl Declined {
    fn is_of(&self, author: usize) -> bool {
        self.authors.get(author).copied().unwrap_or(false)
    }

    /// Returns true if the peer does not accept this operation.
    pub(crate) fn contains(&self, index: &Index, number: OpSeq) -> bool {
        self.count > 0 && self.is_of(index.author_position(number))
    }

    /// Returns the authors whose operations the peer does not accept, the newest first, as many as may be named.
    pub(crate) fn authors(&self, index: &Index) -> Vec<UnknownAuthor> {
        let mut named = UnknownAuthors::default();
        let authors = index.authors().take(self.authors.len());
        let declined = authors.zip(&self.authors).rev().filter(|(_, declined)| **declined);
        // All of a log are different, so more than these are not needed.
        declined.take(MAX_UNKNOWN).for_each(|((actor, kid), _)| named.add(actor, kid));
        named.0
    }
}

/// Unknown authors that a session names, not too many.
#[derive(Default)]
pub(crate) struct UnknownAuthors(Vec<UnknownAuthor>);

impl UnknownAuthors {
    pub(crate) fn as_slice(&self) -> &[UnknownAuthor] {
        &self.0
    }

    /// Adds an author, unless there are enough.
    pub(crate) fn add(&mut self, actor: &str, kid: &str) {
        let bytes = |author: &UnknownAuthor| author.actor.len().saturating_add(author.kid.len());
        let used: usize = self.0.iter().map(bytes).sum();
        let is_known = self.0.iter().any(|known| *known.actor == *actor && *known.kid == *kid);
        if !is_known && self.0.len() < MAX_UNKNOWN && used + actor.len() + kid.len() <= MAX_UNKNOWN_BYTES {
            self.0.push(UnknownAuthor { actor: actor.into(), kid: kid.into() });
        }
    }
}

pub(crate) fn write_unknown(authors: &[UnknownAuthor], out: &mut Vec<u8>) {
    put_count(out, authors.len());
    for author in authors {
        put_text(out, &author.actor);
        put_text(out, &author.kid);
    }
}

pub(crate) fn read_unknown(reader: &mut ByteReader<'_>) -> Result<Vec<UnknownAuthor>, CodecError> {
    let count = reader.count(2)?;
    if count > MAX_UNKNOWN {
        return Err(reader.fault(CodecFault::TooMany));
    }
    let mut read = UnknownAuthors::default();
    for _ in 0..count {
        let (actor, kid) = (reader.text()?, reader.text()?);
        let is_identifier = |text: &str| crate::op::check(crate::op::Member::Actor, text).is_ok();
        if !is_identifier(actor) || !is_identifier(kid) {
            return Err(reader.fault(CodecFault::Reference));
        }
        read.add(actor, kid);
    }
    if read.0.len() < count {
        return Err(reader.fault(CodecFault::TooMany));
    }
    Ok(read.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_they_were_written() {
        for filter in [
            AuthorFilter::All,
            AuthorFilter::Only(Vec::new()),
            AuthorFilter::Only(vec![[1; 8], [2; 8]]),
            AuthorFilter::Except(vec![[1; 8]]),
        ] {
            let mut bytes = Vec::new();
            filter.write(&mut bytes);
            let mut reader = ByteReader::new(&bytes);
            assert_eq!(AuthorFilter::read(&mut reader), Ok(filter));
            assert_eq!(reader.end(), Ok(()));
        }
        // Out of order, twice, too many, an unknown kind.
        let listed = |authors: &[ShortActor]| {
            let mut bytes = vec![ONLY];
            put_count(&mut bytes, authors.len());
            bytes.extend(authors.iter().flatten());
            AuthorFilter::read(&mut ByteReader::new(&bytes))
        };
        assert!(listed(&[[2; 8], [1; 8]]).is_err());
        assert!(listed(&[[1; 8], [1; 8]]).is_err());
        let many: Vec<ShortActor> = (0..257_u64).map(u64::to_be_bytes).collect();
        assert!(listed(&many[1..]).is_ok());
        assert!(listed(&many).is_err());
        assert!(AuthorFilter::read(&mut ByteReader::new(&[3])).is_err());
    }

    #[test]
    fn unknown_authors_are_named_within_bounds() {
        let mut named = UnknownAuthors::default();
        (0..40).for_each(|number| named.add(&format!("a{number}"), "k"));
        assert_eq!(named.as_slice().len(), MAX_UNKNOWN);
        let mut bytes = Vec::new();
        write_unknown(named.as_slice(), &mut bytes);
        assert_eq!(read_unknown(&mut ByteReader::new(&bytes)).as_deref(), Ok(named.as_slice()));
        let mut long = UnknownAuthors::default();
        (0..40).for_each(|number| long.add(&format!("{number:0>1000}"), "k"));
        assert_eq!(long.as_slice().len(), 2);
    }
}
