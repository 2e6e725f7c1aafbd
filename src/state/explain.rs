//! The explanation of a register: its operations, and the rule that decided.

use std::cmp::Ordering;
use std::fmt;

use super::State;
use crate::codec::OpHash;
use crate::op::{Field, OpSeq, SignedOp};
use crate::oplog::{Index, OpLog};
use crate::store::StoreError;

/// An operation on a register, with its standing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The operation.
    pub op: SignedOp,
    /// The hash of the operation.
    pub hash: OpHash,
    /// The standing of the operation.
    pub standing: Standing,
}

/// The standing of an operation on its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The greatest operation: it determines the field.
    Winner,
    /// A merged operation that is not the greatest.
    Superseded,
    /// An operation that is not due yet.
    Held,
}

/// The explanation of the state of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The winning operation.
    pub winner: Version,
    /// The next greatest operation, with the rule that decided; `None` if there is no other.
    pub over: Option<(Version, Rule)>,
}

/// The first rule of the total order by which two operations differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A later time wins.
    Time,
    /// At equal times, the higher counter wins.
    Counter,
    /// At equal timestamps, the greater actor wins, by UTF-16 code units.
    Actor,
    /// At equal timestamps of one actor, which equivocated, the greater hash wins.
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
    /// Returns every operation on a register: first the held, then the merged ones, each from the greatest down.
    pub(crate) fn history(&self, log: &OpLog, field: Field<'_>) -> Result<Vec<Version>, StoreError> {
        let index = log.index();
        let Some(register) = index.registers().find(field) else {
            return Ok(Vec::new());
        };
        let mut held: Vec<OpSeq> = self.held(index).filter(|seq| index.register(*seq) == register).collect();
        held.reverse();
        let held = held.into_iter().map(|seq| version(log, seq, Standing::Held));
        // Greatest first.
        let mut merged: Vec<OpSeq> = self.merged(register).collect();
        merged.sort_unstable_by(|a, b| index.compare(*b, *a));
        let merged = merged
            .into_iter()
            .enumerate()
            .map(|(n, seq)| version(log, seq, if n == 0 { Standing::Winner } else { Standing::Superseded }));
        held.chain(merged).collect()
    }

    /// Returns the winning operation of a register, the next one, and the rule that decided, or `None` if no operation
    /// is due.
    pub(crate) fn explain(&self, log: &OpLog, field: Field<'_>) -> Result<Option<Explanation>, StoreError> {
        let index = log.index();
        let register = index.registers().find(field);
        let Some((register, winner)) = register.and_then(|found| Some((found, self.winner(found)?))) else {
            return Ok(None);
        };
        let second = self.merged(register).skip(1).max_by(|a, b| index.compare(*a, *b));
        let over: Option<Result<_, StoreError>> = second.map(|second| {
            Ok((version(log, second, Standing::Superseded)?, deciding_rule(index, winner, second)))
        });
        Ok(Some(Explanation { winner: version(log, winner, Standing::Winner)?, over: over.transpose()? }))
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
