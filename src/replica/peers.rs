//! The memory of a replica of its sessions with others.

use std::collections::{BTreeMap, VecDeque};

use super::refused::NAME_BYTES;
use super::{NewRefused, Refused, RefusedByPeer, Replica, SessionEnd};

/// Named peers that are remembered. The one that was used longest ago makes room for a new one.
pub(super) const MAX_PEERS: usize = 256;
/// Connections without a name that are remembered, in the same way.
const MAX_CONNECTIONS: usize = 64;
/// Bytes of all that is remembered: 4 MiB.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// Those of them that are for refused authors.
const MAX_AUTHOR_BYTES: usize = 128 << 10;
/// The others.
const MAX_PEER_BYTES: usize = MAX_BYTES - MAX_AUTHOR_BYTES;
/// Bytes of what is remembered of all connections without a name: 1 MiB, if named peers leave as much.
const MAX_CONNECTION_BYTES: usize = 1 << 20;
/// Bytes of a peer besides its name and what is refused.
const ENTRY_BYTES: usize = 256;
/// Refused authors that are remembered, if their names are not very long.
pub(super) const MAX_REFUSED_AUTHORS: usize = 256;
/// Sessions in version 1 after which the newest version is tried again.
const SESSIONS_IN_VERSION_1: u8 = 16;

/// The name of a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PeerName {
    /// The application has named it.
    Named(Box<str>),
    /// The other side of a connection that the application has not named: it may be anybody.
    Connection([u8; 16]),
}

impl PeerName {
    /// Returns the name that the application has given.
    pub(crate) const fn given(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Connection(_) => None,
        }
    }

    const fn bytes(&self) -> usize {
        match self {
            Self::Named(name) => name.len() + ENTRY_BYTES,
            Self::Connection(_) => ENTRY_BYTES,
        }
    }
}

/// The memory of the peers, and of all. What is refused by named ones is kept beside the log; the versions of peers are
/// not.
#[derive(Default)]
pub(crate) struct Peers {
    by_name: BTreeMap<PeerName, Peer>,
    /// The number of uses so far.
    uses: u64,
    /// Authors of whom an operation was refused because their key is unknown, the newest last.
    refused_authors: VecDeque<(Box<str>, Box<str>)>,
    /// True if what is refused has changed since it was kept.
    has_changed: bool,
}

/// A peer.
#[derive(Default)]
struct Peer {
    /// The number of the last use.
    used: u64,
    /// The number of sessions that will be begun in version 1.
    in_version_1: u8,
    refused: Refused,
}

impl Peers {
    /// Returns peers with what was kept of them.
    pub(super) fn restored(
        by_name: BTreeMap<Box<str>, Refused>,
        refused_authors: VecDeque<(Box<str>, Box<str>)>,
    ) -> Self {
        let peer = |(name, refused)| (PeerName::Named(name), Peer { refused, ..Peer::default() });
        Self { by_name: by_name.into_iter().map(peer).collect(), refused_authors, ..Self::default() }
    }

    /// Returns true if what is refused has changed since the last call.
    pub(super) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.has_changed, false)
    }

    /// Notes that what is refused is to be kept.
    pub(super) const fn note_changed(&mut self) {
        self.has_changed = true;
    }

    /// Returns all named peers with what is refused of them.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &Refused)> {
        self.by_name.iter().filter_map(|(name, peer)| Some((name.given()?, &peer.refused)))
    }

    /// Returns the refused authors, the oldest first.
    pub(super) fn authors(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.refused_authors.iter().map(|(actor, kid)| (&**actor, &**kid))
    }

    /// Returns the actor and the kid of authors of whom an operation was refused, the newest first.
    pub(crate) fn refused_authors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refused_authors.iter().rev().map(|(actor, kid)| (&**actor, &**kid))
    }

    /// Notes that an operation of this author was refused because the key is unknown.
    pub(crate) fn has_refused_author(&mut self, actor: &str, kid: &str) {
        if self.refused_authors().any(|known| known == (actor, kid)) {
            return;
        }
        self.refused_authors.push_back((actor.into(), kid.into()));
        while self.refused_authors.len() > MAX_REFUSED_AUTHORS || self.author_bytes() > MAX_AUTHOR_BYTES {
            self.refused_authors.pop_front();
        }
        self.has_changed = true;
    }

    /// Returns the operations that this replica and the peer have refused from each other.
    pub(crate) fn refused(&self, name: &PeerName) -> Option<&Refused> {
        self.by_name.get(name).map(|peer| &peer.refused)
    }

    /// Remembers operations of a peer that were refused under this admission tag. Returns false if there is no room for
    /// all: the peers that were used longest ago are forgotten first, those without a name before the others.
    pub(crate) fn remember<'a>(
        &mut self,
        name: &PeerName,
        tag: [u8; 8],
        refused: impl Iterator<Item = NewRefused<'a>>,
    ) -> bool {
        let mut room = None;
        for refused in refused {
            // At most as much: a name that is there already takes no room.
            let Some((peer, left)) = self.peer_with_room(name, room, refused.bytes()) else { return false };
            room = Some(left.saturating_sub(peer.add(tag, refused)));
        }
        true
    }

    /// Remembers operations that a peer refused under its admission tag. Returns false if there is no room for all.
    pub(crate) fn remember_by_peer(
        &mut self,
        name: &PeerName,
        tag: [u8; 8],
        refused: impl Iterator<Item = RefusedByPeer>,
    ) -> bool {
        let (mut room, bytes) = (None, size_of::<RefusedByPeer>());
        for refused in refused {
            let Some((peer, left)) = self.peer_with_room(name, room, bytes) else { return false };
            room = Some(left.saturating_sub(bytes));
            peer.add_by_peer(tag, refused);
        }
        true
    }

    /// Notes that a session with the peer has ended.
    pub(crate) fn settle(&mut self, name: &PeerName, tag: [u8; 8], end: SessionEnd) {
        let refused = &mut self.peer(name).refused;
        let has_changed = !end.forgotten.is_empty() || end.reached != refused.reached;
        refused.settle(tag, end);
        self.has_changed |= has_changed && name.given().is_some();
    }

    /// Returns what is refused of this peer, to be changed, and the bytes that it may grow, if they are at least
    /// `needed`. `room` are these bytes, as far as they are known. Forgets others if there is no room.
    fn peer_with_room(
        &mut self,
        name: &PeerName,
        room: Option<usize>,
        needed: usize,
    ) -> Option<(&mut Refused, usize)> {
        // Connections without a name are not kept.
        self.has_changed |= name.given().is_some();
        let room = match room {
            Some(room) if room >= needed => room,
            _ => {
                self.peer(name);
                self.room(name, needed)
            }
        };
        let peer = self.by_name.get_mut(name).filter(|_| room >= needed)?;
        Some((&mut peer.refused, room))
    }

    /// Returns the bytes that may be remembered of this peer besides those that are. Forgets others while these are
    /// fewer than `needed`.
    fn room(&mut self, name: &PeerName, needed: usize) -> usize {
        let is_named = name.given().is_some();
        let most = if is_named { MAX_PEER_BYTES } else { MAX_CONNECTION_BYTES };
        loop {
            let used = self.bytes_of(|_| true);
            let alike = self.bytes_of(|other| is_named || other.given().is_none());
            let room = most.saturating_sub(alike).min(MAX_PEER_BYTES.saturating_sub(used));
            // A stranger does not displace what is known of a named peer.
            let others = self.by_name.iter().filter(|(other, peer)| {
                *other != name && peer.refused.bytes() > 0 && (is_named || other.given().is_none())
            });
            let oldest = others.min_by_key(|(other, peer)| (other.given().is_some(), peer.used));
            match oldest.map(|(name, _)| name.clone()) {
                Some(oldest) if room < needed => _ = self.by_name.remove(&oldest),
                _ => return room,
            }
        }
    }

    fn bytes_of(&self, is_counted: impl Fn(&PeerName) -> bool) -> usize {
        let counted = self.by_name.iter().filter(|(name, _)| is_counted(name));
        counted.map(|(name, peer)| name.bytes() + peer.refused.bytes()).sum()
    }

    fn author_bytes(&self) -> usize {
        self.refused_authors.iter().map(|(actor, kid)| actor.len() + kid.len() + NAME_BYTES).sum()
    }

    /// Returns true if the peer has refused the newest version lately.
    pub(crate) fn speaks_version_1(&self, name: &PeerName) -> bool {
        self.by_name.get(name).is_some_and(|peer| peer.in_version_1 > 0)
    }

    /// Notes that the peer has refused the newest version.
    pub(crate) fn has_refused_version(&mut self, name: &PeerName) {
        self.peer(name).in_version_1 = SESSIONS_IN_VERSION_1;
    }

    /// Notes that a session in version 1 has begun.
    pub(crate) fn has_spoken_version_1(&mut self, name: &PeerName) {
        if let Some(peer) = self.by_name.get_mut(name) {
            peer.in_version_1 = peer.in_version_1.saturating_sub(1);
        }
    }

    /// Returns the peer of this name, as the one that was used last.
    fn peer(&mut self, name: &PeerName) -> &mut Peer {
        self.uses = self.uses.saturating_add(1);
        if !self.by_name.contains_key(name) {
            let most = if name.given().is_some() { MAX_PEERS } else { MAX_CONNECTIONS };
            let alike =
                || self.by_name.iter().filter(|(other, _)| other.given().is_some() == name.given().is_some());
            if alike().count() >= most {
                let oldest = alike().min_by_key(|(_, peer)| peer.used).map(|(name, _)| name.clone());
                oldest.map(|name| self.by_name.remove(&name));
            }
        }
        let peer = self.by_name.entry(name.clone()).or_default();
        peer.used = self.uses;
        peer
    }
}

impl Replica {
    pub(crate) const fn peers(&self) -> &Peers {
        &self.peers
    }

    pub(crate) const fn peers_mut(&mut self) -> &mut Peers {
        &mut self.peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::OpHash;
    use crate::hlc::Hlc;
    use crate::replica::CopyDigest;

    fn named(name: &str) -> PeerName {
        PeerName::Named(name.into())
    }

    #[test]
    fn version_1_is_remembered_for_a_while_and_of_the_last_peers() {
        let mut peers = Peers::default();
        peers.has_refused_version(&named("a"));
        for _ in 0..SESSIONS_IN_VERSION_1 {
            assert!(peers.speaks_version_1(&named("a")));
            peers.has_spoken_version_1(&named("a"));
        }
        assert!(!peers.speaks_version_1(&named("a")));
        for number in 0..=MAX_PEERS {
            peers.has_refused_version(&named(&number.to_string()));
        }
        assert_eq!(peers.by_name.len(), MAX_PEERS);
        assert!(!peers.speaks_version_1(&named("0")) && peers.speaks_version_1(&named("1")));
    }

    fn remember(peers: &mut Peers, name: &PeerName, count: u32) -> bool {
        let op = |number: u32| {
            let mut hash = [7; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            let (ts, hash) = (Hlc::new(u64::from(number), 0).unwrap(), OpHash::from_bytes(hash));
            NewRefused { ts, actor: "alice", hash, reason: 3, copies: CopyDigest::default() }
        };
        // As the answers of a session bring them.
        (0..count).step_by(1000).all(|first| peers.remember(name, [1; 8], (first..first + 1000).map(op)))
    }

    /// A peer of which much is remembered, and another that refuses nothing, or little.
    #[test]
    fn a_peer_is_forgotten_only_when_another_needs_its_room() {
        let mut peers = Peers::default();
        let known = |peers: &Peers| peers.refused(&named("relay")).map_or(0, |refused| refused.ops.len());
        assert!(remember(&mut peers, &named("relay"), 90_000));
        assert!(peers.bytes_of(|_| true) > MAX_PEER_BYTES / 4 * 3);
        assert!(peers.take_changed());
        assert!(peers.remember(&named("other"), [1; 8], std::iter::empty()));
        assert!(peers.remember_by_peer(&named("other"), [1; 8], std::iter::empty()));
        assert!(!peers.take_changed());
        assert_eq!((known(&peers), peers.by_name.len()), (90_000, 1));
        assert!(remember(&mut peers, &named("other"), 1000));
        assert_eq!(known(&peers), 90_000);
        assert!(remember(&mut peers, &named("other"), 40_000));
        assert_eq!(known(&peers), 0);
    }

    /// Strangers come in any number, and each brings what is refused.
    #[test]
    fn connections_without_a_name_share_one_bound_and_displace_no_named_peer() {
        let mut peers = Peers::default();
        let known =
            |peers: &Peers, name: &PeerName| peers.refused(name).map_or(0, |refused| refused.ops.len());
        assert!(remember(&mut peers, &named("relay"), 10_000) && peers.take_changed());
        for number in 0..=u8::MAX {
            remember(&mut peers, &PeerName::Connection([number; 16]), 6_000);
            assert!(peers.bytes_of(|name| name.given().is_none()) <= MAX_CONNECTION_BYTES);
        }
        // They cause no writing.
        assert!(!peers.take_changed());
        assert_eq!(known(&peers, &named("relay")), 10_000);
        assert_eq!(known(&peers, &PeerName::Connection([255; 16])), 6_000);
        assert_eq!(known(&peers, &PeerName::Connection([200; 16])), 0);
        // A connection takes what named peers leave; a named peer takes what it needs.
        assert!(remember(&mut peers, &named("big"), 105_000));
        assert_eq!(known(&peers, &named("relay")), 0);
        assert_eq!(known(&peers, &PeerName::Connection([255; 16])), 0);
        assert!(!remember(&mut peers, &PeerName::Connection([1; 16]), 20_000));
        peers.has_refused_author(&"x".repeat(1000), "k");
        assert_eq!(known(&peers, &named("big")), 105_000);
        assert!(peers.bytes_of(|_| true) <= MAX_PEER_BYTES);
    }
}
