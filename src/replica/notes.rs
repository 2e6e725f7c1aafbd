//! The memory of peers in bytes, kept beside the log.

use std::collections::{BTreeMap, VecDeque};

use super::peers::{MAX_BYTES, MAX_PEERS, MAX_REFUSED_AUTHORS};
use super::refused::{NewRefused, Refused, RefusedByPeer, RefusedOp};
use super::{CopyDigest, Peers, Replica};
use crate::codec::tags::NOTES_VERSION;
use crate::codec::{ByteReader, CodecError, CodecFault, OpHash, put_count, put_text};

/// Bytes of the digest at the end, which shows damage.
const DIGEST_BYTES: usize = 32;
/// The longest notes: what may be remembered, and a few bytes for each peer. Longer ones were not written here.
const MAX_NOTES_BYTES: usize = MAX_BYTES + MAX_PEERS * 256;

impl Replica {
    /// Takes over what an earlier opening remembered of peers. Damaged notes are dropped: that costs bytes only.
    pub(super) fn restore_peers(&mut self, notes: Option<&[u8]>) {
        let read = notes.filter(|notes| notes.len() <= MAX_NOTES_BYTES).and_then(|notes| {
            let (bytes, digest) = notes.split_last_chunk::<DIGEST_BYTES>()?;
            (self.crypto.hash(bytes).as_bytes() == digest).then(|| read(bytes).ok()).flatten()
        });
        self.peers = read.unwrap_or_default();
    }

    /// Keeps what is remembered of peers beside the log, if it has changed. A store that cannot keep it costs only
    /// bytes: operations that were refused are transferred again after the next opening.
    pub(crate) fn keep_peers(&mut self) {
        if !self.peers.take_changed() {
            return;
        }
        let mut bytes = write(&self.peers);
        let digest = self.crypto.hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        let kept = self.log.set_notes(&bytes);
        if kept.is_err() {
            // The next session tries again.
            self.peers.note_changed();
        }
    }
}

fn write(peers: &Peers) -> Vec<u8> {
    let mut out = vec![NOTES_VERSION];
    put_count(&mut out, peers.authors().len());
    for (actor, kid) in peers.authors() {
        put_text(&mut out, actor);
        put_text(&mut out, kid);
    }
    let with_refused = || peers.named().filter(|(_, refused)| refused.bytes() > 0);
    put_count(&mut out, with_refused().count());
    for (name, refused) in with_refused() {
        put_text(&mut out, name);
        write_refused(refused, &mut out);
    }
    out
}

/// Appends what is refused of one peer, in no more bytes than it takes in memory, besides a few for each peer.
fn write_refused(refused: &Refused, out: &mut Vec<u8>) {
    out.extend_from_slice(&refused.tag);
    out.extend_from_slice(&refused.peer_tag);
    out.push(u8::from(refused.last_session.is_some()));
    out.extend(refused.last_session.into_iter().flatten());
    // No bound is empty.
    let reached = refused.reached.as_deref().unwrap_or_default();
    put_count(out, reached.len());
    out.extend_from_slice(reached);
    put_count(out, refused.settled);
    put_count(out, refused.ops.names().len());
    refused.ops.names().iter().for_each(|name| put_text(out, name));
    put_count(out, refused.ops.len());
    out.extend_from_slice(refused.ops.entries());
    put_count(out, refused.by_peer.len());
    for op in &refused.by_peer {
        out.extend_from_slice(op.hash.as_bytes());
        out.push(op.reason);
        out.extend_from_slice(op.alternates.as_bytes());
    }
}

fn read(bytes: &[u8]) -> Result<Peers, CodecError> {
    let mut reader = ByteReader::new(bytes);
    let version = reader.byte()?;
    if version != NOTES_VERSION {
        return Err(reader.fault(CodecFault::Tag { found: version }));
    }
    let mut authors = VecDeque::new();
    for _ in 0..reader.count(2)?.min(MAX_REFUSED_AUTHORS) {
        authors.push_back((reader.text()?.into(), reader.text()?.into()));
    }
    let mut by_name = BTreeMap::new();
    for _ in 0..reader.count(1)?.min(MAX_PEERS) {
        let name: Box<str> = reader.text()?.into();
        by_name.insert(name, read_refused(&mut reader)?);
    }
    reader.end()?;
    Ok(Peers::restored(by_name, authors))
}

fn read_refused(reader: &mut ByteReader<'_>) -> Result<Refused, CodecError> {
    let mut refused = Refused { tag: reader.array()?, peer_tag: reader.array()?, ..Refused::default() };
    refused.last_session = if reader.flag()? { Some(reader.array()?) } else { None };
    let reached = reader.count(1)?;
    let reached = reader.bytes(reached)?;
    refused.reached = (!reached.is_empty()).then(|| reached.into());
    let settled = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    let names: Vec<&str> = (0..reader.count(1)?).map(|_| reader.text()).collect::<Result<_, _>>()?;
    let tag = refused.tag;
    let mut last = 0;
    for _ in 0..reader.count(32)? {
        let op = RefusedOp::read(reader, last, names.len())?;
        last = op.ts().t();
        let actor = names.get(crate::packed::index(op.actor)).copied().unwrap_or_default();
        let RefusedOp { hash, reason, copies, .. } = op;
        refused.add(tag, NewRefused { ts: op.ts(), actor, hash, reason, copies });
    }
    refused.settled = settled.min(refused.ops.len());
    let tag = refused.peer_tag;
    for _ in 0..reader.count(32)? {
        let (hash, reason) = (OpHash::from_bytes(reader.array()?), reader.byte()?);
        let alternates = CopyDigest::from_bytes(reader.array()?);
        refused.add_by_peer(tag, RefusedByPeer { hash, reason, alternates });
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hlc::Hlc;
    use crate::replica::{PeerName, ReplicaOptions, SessionEnd};

    fn relay() -> PeerName {
        PeerName::Named("relay".into())
    }

    fn remembering() -> Replica {
        let mut replica = Replica::open(ReplicaOptions::new()).unwrap();
        let hash = |byte| OpHash::from_bytes([byte; 32]);
        let copies = CopyDigest::from_bytes([7; 16]);
        let op = |byte, actor, reason| NewRefused {
            ts: Hlc::new(1 << 40, byte).unwrap(),
            actor,
            hash: hash(u8::try_from(byte).unwrap()),
            reason,
            copies,
        };
        let ops = [op(1, "alice", 2), op(2, "alice", 3), op(3, "bob", 5)];
        replica.peers.has_refused_author("carol", "k");
        assert!(replica.peers.remember(&relay(), [1; 8], ops.into_iter()));
        let (session, reached) = (Some([3; 16]), Some(vec![7; 9].into()));
        let end = SessionEnd { session, forgotten: [hash(2)].into(), reached };
        replica.peers.settle(&relay(), [1; 8], end);
        let by_peer = RefusedByPeer { hash: hash(9), reason: 3, alternates: copies };
        assert!(replica.peers.remember_by_peer(&relay(), [2; 8], std::iter::once(by_peer)));
        replica
    }

    fn kept(replica: &Replica) -> Vec<u8> {
        let mut bytes = write(&replica.peers);
        let digest = replica.crypto.hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    #[test]
    fn notes_are_read_as_they_were_written() {
        let first = remembering();
        let bytes = kept(&first);
        let mut second = Replica::open(ReplicaOptions::new()).unwrap();
        second.restore_peers(Some(&bytes));
        assert_eq!(kept(&second), bytes);
        let refused = second.peers.refused(&relay()).unwrap();
        assert_eq!((refused.ops.len(), refused.settled, refused.by_peer.len()), (2, 2, 1));
        assert_eq!(second.peers.refused_authors().collect::<Vec<_>>(), [("carol", "k")]);
    }

    #[test]
    fn damaged_notes_are_dropped() {
        let bytes = kept(&remembering());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let mut replica = remembering();
            replica.restore_peers(Some(&damaged));
            assert!(replica.peers.refused(&relay()).is_none(), "byte {at}");
            replica.restore_peers(Some(&bytes[..at]));
            assert!(replica.peers.refused(&relay()).is_none(), "{at} bytes");
        }
    }

    /// Refused operations of many actors with long names, in turn.
    #[test]
    fn notes_take_no_more_bytes_than_memory() {
        let mut replica = Replica::open(ReplicaOptions::new()).unwrap();
        let names: Vec<String> = (0..40).map(|number| format!("{number:0>1000}")).collect();
        let op = |number: u32| {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            let (ts, hash) = (Hlc::new(u64::from(number), 0).unwrap(), OpHash::from_bytes(hash));
            let actor = &names[usize::try_from(number).unwrap() % names.len()];
            NewRefused { ts, actor, hash, reason: 3, copies: CopyDigest::default() }
        };
        replica.peers.remember(&relay(), [1; 8], (0..200_000).map(op));
        (0..300).for_each(|number| replica.peers.has_refused_author(&format!("{number:0>1000}"), "k"));
        let of_stranger = PeerName::Connection([1; 16]);
        replica.peers.remember(&of_stranger, [1; 8], (0..9).map(op));
        assert!(replica.peers.refused(&relay()).unwrap().ops.len() > 100_000);
        let bytes = kept(&replica);
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        let mut second = Replica::open(ReplicaOptions::new()).unwrap();
        second.restore_peers(Some(&bytes));
        assert_eq!(kept(&second), bytes);
        assert!(second.peers.refused(&of_stranger).is_none());
    }

    /// A file that somebody has made may hold any notes, with a digest that fits.
    #[test]
    fn notes_longer_than_what_may_be_remembered_are_dropped() {
        let mut replica = remembering();
        for (count, is_read) in [(1000, true), (120_000, false)] {
            let mut refused = Refused::default();
            for number in 0..count {
                let mut hash = [0; 32];
                hash[..4].copy_from_slice(&u32::to_le_bytes(number));
                let (ts, hash) = (Hlc::new(u64::from(number), 0).unwrap(), OpHash::from_bytes(hash));
                let copies = CopyDigest::default();
                refused.add([1; 8], NewRefused { ts, actor: "alice", hash, reason: 3, copies });
            }
            let peers = Peers::restored(BTreeMap::from([("relay".into(), refused)]), VecDeque::new());
            let mut bytes = write(&peers);
            assert_eq!(bytes.len() <= MAX_NOTES_BYTES, is_read);
            let digest = replica.crypto.hash(&bytes);
            bytes.extend_from_slice(digest.as_bytes());
            replica.restore_peers(Some(&bytes));
            assert_eq!(replica.peers.refused(&relay()).is_some(), is_read);
        }
    }
}
