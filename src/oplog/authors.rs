//! Who wrote, and with which key; each once.

use crate::columns::{Entry, Interned, Names};

/// An actor's key, as the log knows it. The actor has a number of its own, because equivocation is the actor's,
/// whichever key it uses.
struct Author {
    actor: u32,
    kid: Box<str>,
}

impl Entry for Author {
    type Key<'k> = (u32, &'k str);

    fn key(&self) -> (u32, &str) {
        (self.actor, &self.kid)
    }

    fn is(&self, (actor, kid): (u32, &str)) -> bool {
        self.actor == actor && *self.kid == *kid
    }
}

pub(crate) struct Authors {
    actors: Names,
    authors: Interned<Author>,
}

impl Authors {
    pub(crate) fn new() -> Self {
        Self { actors: Names::new(), authors: Interned::new() }
    }

    pub(crate) fn intern(&mut self, actor: &str, kid: &str) -> u32 {
        let (actor, _) = self.actors.intern(actor, || actor.into());
        let (author, _) = self.authors.intern((actor, kid), || Author { actor, kid: kid.into() });
        author
    }

    /// The number of the author's actor.
    pub(crate) fn actor_of(&self, author: u32) -> u32 {
        self.authors.get(author).actor
    }

    pub(crate) fn actor(&self, author: u32) -> &str {
        self.actors.get(self.actor_of(author))
    }

    pub(crate) fn kid(&self, author: u32) -> &str {
        &self.authors.get(author).kid
    }
}
