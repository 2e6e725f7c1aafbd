//! The memory of a replica of its sessions with others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{NewRefused, Refused, RefusedByPeer, Replica};
use crate::codec::OpHash;

/// Peers that are remembered. The one that was used longest ago makes room for a new one.
pub(super) const MAX_PEERS: usize = 256;
/// Bytes of all that is remembered: 4 MiB.
const MAX_BYTES: usize = 4 << 20;
/// Refused authors that are remembered.
pub(super) const MAX_REFUSED_AUTHORS: usize = 256;
/// Sessions in version 1 after which the newest version is tried again.
const SESSIONS_IN_VERSION_1: u8 = 16;

/// The memory of the named peers, and of all. What is refused is kept beside the log; the versions of peers are not.
#[derive(Default)]
pub(crate) struct Peers {
    by_name: BTreeMap<Box<str>, Peer>,
    /// The number of uses so far.
    uses: u64,
    /// Authors of whom an operation was refused because their key is unknown, the newest last.
    refused_authors: VecDeque<(Box<str>, Box<str>)>,
    /// True if what is refused has changed since it was kept.
    has_changed: bool,
}

/// A named peer.
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
        let peer = |(name, refused)| (name, Peer { refused, ..Peer::default() });
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

    /// Returns all peers with what is refused of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Refused)> {
        self.by_name.iter().map(|(name, peer)| (&**name, &peer.refused))
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
        if self.refused_authors.len() >= MAX_REFUSED_AUTHORS {
            self.refused_authors.pop_front();
        }
        self.refused_authors.push_back((actor.into(), kid.into()));
        self.has_changed = true;
    }

    /// Returns the operations that this replica and the peer have refused from each other.
    pub(crate) fn refused(&self, name: &str) -> Option<&Refused> {
        self.by_name.get(name).map(|peer| &peer.refused)
    }

    /// Remembers operations of a peer that were refused under this admission tag. Returns false if there is no room for
    /// all: the peers that were used longest ago are forgotten first.
    pub(crate) fn remember<'a>(
        &mut self,
        name: &str,
        tag: [u8; 8],
        refused: impl Iterator<Item = NewRefused<'a>>,
    ) -> bool {
        let mut refused = refused.peekable();
        self.has_changed |= refused.peek().is_some();
        let mut room = self.room(name);
        let peer = &mut self.peer(name).refused;
        for refused in refused {
            // At most as much: a name that is there already takes no room.
            if room < refused.bytes() {
                return false;
            }
            room = room.saturating_sub(peer.add(tag, refused));
        }
        true
    }

    /// Remembers operations that a peer refused under its admission tag. Returns false if there is no room for all.
    pub(crate) fn remember_by_peer(
        &mut self,
        name: &str,
        tag: [u8; 8],
        refused: impl Iterator<Item = RefusedByPeer>,
    ) -> bool {
        let mut refused = refused.peekable();
        self.has_changed |= refused.peek().is_some();
        let mut room = self.room(name);
        let peer = &mut self.peer(name).refused;
        for refused in refused {
            let Some(left) = room.checked_sub(size_of::<RefusedByPeer>()) else { return false };
            room = left;
            peer.add_by_peer(tag, refused);
        }
        true
    }

    /// Notes that a session with the peer has ended.
    pub(crate) fn settle(&mut self, name: &str, session: Option<[u8; 16]>, forgotten: &BTreeSet<OpHash>) {
        self.has_changed |= !forgotten.is_empty();
        self.peer(name).refused.settle(session, forgotten);
    }

    /// Returns the bytes that may be remembered of this peer besides those that are. Forgets others while there is less
    /// than a quarter.
    fn room(&mut self, name: &str) -> usize {
        self.peer(name);
        loop {
            let room = MAX_BYTES.saturating_sub(self.bytes());
            let others =
                self.by_name.iter().filter(|(other, peer)| ***other != *name && peer.refused.bytes() > 0);
            let oldest = others.min_by_key(|(_, peer)| peer.used).map(|(name, _)| name.clone());
            match oldest {
                Some(oldest) if room < MAX_BYTES / 4 => _ = self.by_name.remove(&oldest),
                _ => return room,
            }
        }
    }

    fn bytes(&self) -> usize {
        self.by_name.values().map(|peer| peer.refused.bytes()).sum()
    }

    /// Returns true if the peer has refused the newest version lately.
    pub(crate) fn speaks_version_1(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|peer| peer.in_version_1 > 0)
    }

    /// Notes that the peer has refused the newest version.
    pub(crate) fn has_refused_version(&mut self, name: &str) {
        self.peer(name).in_version_1 = SESSIONS_IN_VERSION_1;
    }

    /// Notes that a session in version 1 has begun.
    pub(crate) fn has_spoken_version_1(&mut self, name: &str) {
        if let Some(peer) = self.by_name.get_mut(name) {
            peer.in_version_1 = peer.in_version_1.saturating_sub(1);
        }
    }

    /// Returns the peer of this name, as the one that was used last.
    fn peer(&mut self, name: &str) -> &mut Peer {
        self.uses = self.uses.saturating_add(1);
        if !self.by_name.contains_key(name) && self.by_name.len() >= MAX_PEERS {
            let oldest = self.by_name.iter().min_by_key(|(_, peer)| peer.used).map(|(name, _)| name.clone());
            oldest.map(|name| self.by_name.remove(&name));
        }
        let peer = self.by_name.entry(name.into()).or_default();
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

    #[test]
    fn version_1_is_remembered_for_a_while_and_of_the_last_peers() {
        let mut peers = Peers::default();
        peers.has_refused_version("a");
        for _ in 0..SESSIONS_IN_VERSION_1 {
            assert!(peers.speaks_version_1("a"));
            peers.has_spoken_version_1("a");
        }
        assert!(!peers.speaks_version_1("a"));
        for number in 0..=MAX_PEERS {
            peers.has_refused_version(&number.to_string());
        }
        assert_eq!(peers.by_name.len(), MAX_PEERS);
        assert!(!peers.speaks_version_1("0") && peers.speaks_version_1("1"));
    }
}
