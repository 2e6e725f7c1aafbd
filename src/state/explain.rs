//! Why a register is as it is.

use std::cmp::Ordering;
use std::fmt;

use super::State;
use crate::codec::OpHash;
use crate::op::{OpSeq, SignedOp};
use crate::oplog::{Index, OpLog, RegisterId};
use crate::store::StoreError;

/// An operation on a register, and what it counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The operation.
    pub op: SignedOp,
    /// Its identity.
    pub hash: OpHash,
    /// What it counts for.
    pub standing: Standing,
}

/// What an operation counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It is the greatest operation on its register: the field is what it says.
    Winner,
    /// A greater operation stands above it.
    Superseded,
    /// Its time has not come.
    Held,
}

/// Why a register is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The operation that won.
    pub winner: Version,
    /// The greatest of those it won over, with the rule that decided; `None` where it is alone.
    pub over: Option<(Version, Rule)>,
}

/// The first rule of the total order by which two operations differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A later time wins.
    Time,
    /// At the same time, the higher counter wins.
    Counter,
    /// At the same time and counter, the greater actor wins, by UTF-16 code units.
    Actor,
    /// One actor said two things at one time: the greater hash wins.
    Hash,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "its time is later",
            Self::Counter => "the times are equal and its counter is higher",
            Self::Actor => "the timestamps are equal and its actor is greater",
            Self::Hash => "one actor wrote both at one time and its hash is greater",
        })
    }
}

impl State {
    /// Every operation on a register: those held and then those merged, each from the greatest down.
    pub(crate) fn history(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
        path: &str,
    ) -> Result<Vec<Version>, StoreError> {
        let index = log.index();
        let Some(register) = index.subjects.find(entity, entity_id, path) else {
            return Ok(Vec::new());
        };
        let mut held: Vec<OpSeq> = self.held(index).filter(|seq| index.register(*seq) == register).collect();
        held.reverse();
        let held = held.into_iter().map(|seq| version(log, seq, Standing::Held));
        let merged = self.greatest_first(index, register);
        let merged = merged
            .into_iter()
            .enumerate()
            .map(|(n, seq)| version(log, seq, if n == 0 { Standing::Winner } else { Standing::Superseded }));
        held.chain(merged).collect()
    }

    /// Which operation won a register, over which, and by what rule; `None` where there is no operation that is due.
    pub(crate) fn explain(
        &self,
        log: &OpLog,
        entity: &str,
        entity_id: &str,
        path: &str,
    ) -> Result<Option<Explanation>, StoreError> {
        let index = log.index();
        let Some(register) = index.subjects.find(entity, entity_id, path) else {
            return Ok(None);
        };
        let Some(winner) = self.winner(register) else {
            return Ok(None);
        };
        let second = self.merged(register).skip(1).max_by(|a, b| index.compare(*a, *b));
        let over = match second {
            None => None,
            Some(second) => {
                Some((version(log, second, Standing::Superseded)?, deciding_rule(index, winner, second)))
            }
        };
        Ok(Some(Explanation { winner: version(log, winner, Standing::Winner)?, over }))
    }

    fn greatest_first(&self, index: &Index, register: RegisterId) -> Vec<OpSeq> {
        let mut merged: Vec<OpSeq> = self.merged(register).collect();
        merged.sort_unstable_by(|a, b| index.compare(*b, *a));
        merged
    }
}

fn version(log: &OpLog, seq: OpSeq, standing: Standing) -> Result<Version, StoreError> {
    Ok(Version { op: log.read(seq)?, hash: *log.index().hash(seq), standing })
}

fn deciding_rule(index: &Index, winner: OpSeq, second: OpSeq) -> Rule {
    let (a, b) = (index.ts(winner), index.ts(second));
    if a.t() != b.t() {
        Rule::Time
    } else if a.cmp(&b) != Ordering::Equal {
        Rule::Counter
    } else if index.actor(winner) != index.actor(second) {
        Rule::Actor
    } else {
        Rule::Hash
    }
}
