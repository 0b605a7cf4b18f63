//! Whose a virtual shard is. At first all are those of object 0. Each time one moves, who gives it away notes whom it was
//! given to and stops taking anything for it; that note is durable before what is remembered of it leaves the object. So at
//! any moment one object at most takes requests for it, and from object 0 the notes lead to who has it now.
//!
//! Each move has a number, its generation. Who asks first learns it and then asks for the move from just this generation: a
//! request that arrives late finds another one and moves nothing; one that is repeated because its answer was lost gets
//! the same answer.
use std::collections::BTreeMap;

/// What an object knows of virtual shards.
#[derive(Debug, Default)]
pub(crate) struct Shards {
    index: u16,
    known: BTreeMap<u8, (u16, u32)>,
}

impl Shards {
    /// From what is stored.
    pub(crate) fn new(index: u16, moves: &[(u8, u16, u32)]) -> Self {
        Self { index, known: moves.iter().map(|(shard, owner, generation)| (*shard, (*owner, *generation))).collect() }
    }

    /// Who has it, as far as this object knows, and how often it had moved then.
    pub(crate) fn owner(&self, shard: u8) -> (u16, u32) {
        self.known.get(&shard).copied().unwrap_or((0, 0))
    }

    /// Whether it is this object's.
    pub(crate) fn owns(&self, shard: u8) -> bool {
        self.owner(shard).0 == self.index
    }

    /// It has moved.
    pub(crate) fn moved(&mut self, shard: u8, owner: u16, generation: u32) {
        self.known.insert(shard, (owner, generation));
    }

    /// What to do when `to` wants it.
    pub(crate) fn asked(&self, shard: u8, to: u16, generation: Option<u32>) -> Asked {
        let (owner, current) = self.owner(shard);
        match generation {
            Some(known) if owner == self.index && to != self.index && known == current => Asked::Give(current + 1),
            Some(known) if owner == to && to != self.index && known.checked_add(1) == Some(current) => Asked::GiveAgain(current),
            _ => Asked::Tell(owner, current),
        }
    }
}

/// See [`Shards::asked`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Give it away under this generation.
    Give(u32),
    /// It was given to just this one, and the answer may have been lost.
    GiveAgain(u32),
    /// Say who has it.
    Tell(u16, u32),
}
