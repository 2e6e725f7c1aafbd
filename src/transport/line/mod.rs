//! The protocol of a line that stays open: a session, then new operations both ways. No sockets.

mod initiator;
mod responder;
mod resume;

pub use initiator::{LineEvent, LineInitiator};
pub use responder::LineResponder;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyPair;
    use crate::hlc::WallMillis;
    use crate::keys::SigningSecretKey;
    use crate::replica::{Replica, ReplicaOptions};
    use crate::sync::{Responder, SyncOptions};

    const NOW: WallMillis = WallMillis(1_760_000_000_000);

    fn key(actor: &str, seed: u8) -> SigningSecretKey {
        SigningSecretKey::new(actor, KeyPair::from_seed(&[seed; 32]).unwrap()).unwrap()
    }

    /// A line between two replicas.
    struct Line {
        ours: Replica,
        theirs: Replica,
        initiator: LineInitiator,
        responder: LineResponder,
        sessions: Responder,
    }

    impl Line {
        /// Carries messages until neither side has one. Returns their number.
        fn carry(&mut self, now: WallMillis) -> usize {
            let Self { ours, theirs, initiator, responder, sessions } = self;
            let mut carried = 0;
            loop {
                let before = carried;
                while let Some(message) = initiator.next_message(ours, now).unwrap() {
                    carried += 1;
                    if let Some(answer) = responder.receive(sessions, theirs, now, &message).unwrap() {
                        initiator.receive(ours, now, &answer).unwrap();
                    }
                }
                while let Some(message) = responder.next_message(theirs).unwrap() {
                    carried += 1;
                    initiator.receive(ours, now, &message).unwrap();
                }
                assert!(carried < 50, "it does not end");
                if carried == before {
                    return carried;
                }
            }
        }
    }

    #[test]
    fn what_was_left_out_arrives_when_either_side_learns_a_key() {
        let (alice, bob) = (key("alice", 1), key("bob", 2));
        let (alices, bobs) = (alice.public_key().clone(), bob.public_key().clone());
        let open = |key| Replica::open(ReplicaOptions::new().write_as(key)).unwrap();
        let mut line = Line {
            ours: open(alice),
            theirs: open(bob),
            initiator: LineInitiator::new(SyncOptions::new(), [3; 32]),
            responder: LineResponder::new(),
            sessions: Responder::new([4; 32], SyncOptions::new()),
        };
        line.carry(NOW);
        assert!(line.initiator.is_pushing() && line.responder.is_pushing());
        // Neither accepts what the other writes.
        line.ours.set(NOW, ("Task", "t1", "title"), "a").unwrap();
        line.theirs.set(NOW, ("Task", "t2", "title"), "b").unwrap();
        assert_eq!(line.carry(NOW), 0);
        line.theirs.keys_mut().register(alices).unwrap();
        // Not more often than once a second, whatever the other side says.
        assert_eq!(line.carry(NOW), 1);
        line.carry(WallMillis(NOW.0 + 1000));
        assert_eq!((line.ours.log().len(), line.theirs.log().len()), (1, 2));
        line.ours.keys_mut().register(bobs).unwrap();
        line.carry(WallMillis(NOW.0 + 1000));
        assert_eq!(line.ours.log().digest(), line.theirs.log().digest());
        assert!(line.initiator.is_pushing() && line.responder.is_pushing());
        assert_eq!(line.carry(WallMillis(NOW.0 + 9000)), 0);
    }
}
