//! The authors of operations, each stored once.

use crate::packed::{Interner, StrInterner, impl_key};

/// The number of an author: an actor with one of its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AuthorId(u32);

impl_key!(AuthorId);

/// The number of an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ActorId(u32);

impl_key!(ActorId);

/// The number of a kid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct KidId(u32);

impl_key!(KidId);

/// An actor with one of its keys. The actor has a number of its own because equivocation is detected per actor, with
/// whichever keys it signs.
struct Author {
    actor: ActorId,
    kid: KidId,
}

/// All authors of a log. Each name is stored once, however many authors it is part of.
#[derive(Default)]
pub(crate) struct Authors {
    actors: StrInterner<ActorId>,
    kids: StrInterner<KidId>,
    authors: Interner<Author, AuthorId>,
}

impl Authors {
    pub(crate) fn intern(&mut self, actor: &str, kid: &str) -> AuthorId {
        let hash = self.authors.hash((actor, kid));
        if let Some(author) = self.find(hash, actor, kid) {
            return author;
        }
        let author = Author { actor: self.actors.intern_str(actor), kid: self.kids.intern_str(kid) };
        let (actors, kids) = (&self.actors, &self.kids);
        self.authors.insert(hash, author, |author| (&**actors.get(author.actor), &**kids.get(author.kid)))
    }

    pub(crate) fn contains(&self, actor: &str, kid: &str) -> bool {
        self.find(self.authors.hash((actor, kid)), actor, kid).is_some()
    }

    pub(crate) fn contains_actor(&self, actor: &str) -> bool {
        self.actors.find_str(actor).is_some()
    }

    fn find(&self, hash: u64, actor: &str, kid: &str) -> Option<AuthorId> {
        self.authors.find(hash, |author| {
            **self.actors.get(author.actor) == *actor && **self.kids.get(author.kid) == *kid
        })
    }

    /// Returns the actor and the kid of each author, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> + ExactSizeIterator {
        let positions = 0..self.authors.len();
        positions.map(|position| {
            let author = AuthorId(position);
            (self.actor(author), self.kid(author))
        })
    }

    /// Returns the number of the author's actor.
    pub(crate) fn actor_of(&self, author: AuthorId) -> ActorId {
        self.authors.get(author).actor
    }

    pub(crate) fn actor(&self, author: AuthorId) -> &str {
        self.actors.get(self.authors.get(author).actor)
    }

    pub(crate) fn kid(&self, author: AuthorId) -> &str {
        self.kids.get(self.authors.get(author).kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough names that a table which compared only a part of them would find a wrong one.
    #[test]
    fn an_author_has_one_number_and_an_actor_one_for_all_its_keys() {
        let mut authors = Authors::default();
        for _ in 0..2 {
            for number in 0..1000 {
                let (actor, kid) = (format!("actor {}", number % 20), format!("kid {}", number / 20));
                let author = AuthorId(number);
                assert_eq!(authors.intern(&actor, &kid), author);
                assert!(authors.contains(&actor, &kid) && !authors.contains(&kid, &actor));
                assert_eq!((authors.actor(author), authors.kid(author)), (&*actor, &*kid));
                assert_eq!(authors.actor_of(author), ActorId(number % 20));
            }
        }
    }
}
