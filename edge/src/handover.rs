//! Whose a virtual shard is. At first all are those of object 0. Each time one moves, who gives it away notes whom it was
//! given to and stops taking anything for it; that note is durable before what is remembered of it leaves the object. So at
//! any moment one object at most takes requests for it, and from object 0 the notes lead to who has it now.
//!
//! Each move has a number, its generation. Who asks first learns it and then asks for the move from just this generation: a
//! request that arrives late finds another one and moves nothing; one that is repeated because its answer was lost gets
//! the same answer.
//!
//! So it may be given to an object that does not have it: it was killed, or the answer lost, before it stored what came. Its own
//! note is then older than the giver's. Who looks for the virtual shard finds the two in turn, sees it by the generations,
//! and has the object fetch what it was given before it asks it for the shard.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an object knows of virtual shards.
#[derive(Debug, Default)]
pub struct Shards {
    index: u16,
    known: BTreeMap<u8, (u16, u32)>,
}

impl Shards {
    /// From what is stored.
    #[must_use]
    pub fn new(index: u16, moves: &[(u8, u16, u32)]) -> Self {
        Self { index, known: moves.iter().map(|(shard, owner, generation)| (*shard, (*owner, *generation))).collect() }
    }

    /// Who has it, as far as this object knows, and how often it had moved then.
    #[must_use]
    pub fn owner(&self, shard: u8) -> (u16, u32) {
        self.known.get(&shard).copied().unwrap_or((0, 0))
    }

    /// Whether it is this object's.
    #[must_use]
    pub fn owns(&self, shard: u8) -> bool {
        self.owner(shard).0 == self.index
    }

    /// It has moved.
    pub fn moved(&mut self, shard: u8, owner: u16, generation: u32) {
        self.known.insert(shard, (owner, generation));
    }

    /// Whether this object was given a virtual shard and does not know: what came with it was never stored.
    #[must_use]
    pub fn lacks(&self, shard: u8, given: Given) -> bool {
        self.owner(shard).1 < given.generation
    }

    /// What to do when `to` wants it.
    #[must_use]
    pub fn asked(&self, shard: u8, to: u16, generation: Option<u32>) -> Asked {
        let (owner, current) = self.owner(shard);
        match generation {
            Some(known) if owner == self.index && to != self.index && known == current => Asked::Give(current + 1),
            Some(known) if owner == to && to != self.index && known.checked_add(1) == Some(current) => Asked::GiveAgain(current),
            _ => Asked::Tell(owner, current),
        }
    }
}

/// See [`Shards::asked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Give it away under this generation.
    Give(u32),
    /// It was given to just this one, and the answer may have been lost.
    GiveAgain(u32),
    /// Say who has it.
    Tell(u16, u32),
}

/// The way of who wants a virtual shard to who has it: from note to note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Who wants it.
    pub to: u16,
    /// The object to ask next.
    pub from: u16,
    /// The generation to ask for.
    pub generation: Option<u32>,
    /// Who has told that the object to ask has it, and under which generation: if it does not know, it has to fetch it there.
    pub given: Option<Given>,
    /// The latest generation that was told: notes lead from each move to a later one.
    known: u32,
}

/// That an object was given a virtual shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Who gave it.
    pub by: u16,
    /// Under which generation.
    pub generation: u32,
}

impl Search {
    /// Begins with what the object itself knows.
    #[must_use]
    pub fn new(shards: &Shards, shard: u8) -> Self {
        let (owner, generation) = shards.owner(shard);
        let given = (generation > 0).then_some(Given { by: shards.index, generation });
        Self { to: shards.index, from: owner, generation: None, given, known: generation }
    }

    /// Begins with what the object was given and does not have.
    #[must_use]
    pub fn for_given(shards: &Shards, given: Given) -> Self {
        Self {
            to: shards.index,
            from: given.by,
            generation: given.generation.checked_sub(1),
            given: None,
            known: given.generation.saturating_sub(1),
        }
    }

    /// The object that was asked told who has it. False if that leads back: then nothing must be taken.
    #[must_use]
    pub fn told(&mut self, owner: u16, current: u32) -> bool {
        if current < self.known {
            return false;
        }
        self.known = current;
        if owner == self.from {
            self.generation = Some(current);
        } else if owner == self.to {
            // Given to the very one that asks, and it never arrived: asked for again, as it was given.
            self.generation = current.checked_sub(1);
        } else {
            self.given = Some(Given { by: self.from, generation: current });
            (self.from, self.generation) = (owner, None);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SHARD: u8 = 7;
    const OBJECTS: u16 = 5;

    /// The objects of a site, what each remembers of one virtual shard, and what was counted.
    struct World {
        objects: Vec<(Shards, BTreeSet<u32>)>,
        counted: u32,
        messages: usize,
        fault: Option<(usize, Fault)>,
    }

    /// An answer: given, under which generation and with what, or who has it.
    type Told = Result<(u32, BTreeSet<u32>), (u16, u32)>;

    /// What may go wrong with a message.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fault {
        /// It never arrives.
        Request,
        /// It arrives, and its answer does not: or who asked is killed before what was given is durable.
        Answer,
    }

    impl World {
        fn new() -> Self {
            let object = |index| (Shards::new(index, &[]), BTreeSet::new());
            Self { objects: (0..OBJECTS).map(object).collect(), counted: 0, messages: 0, fault: None }
        }

        fn owners(&self) -> Vec<usize> {
            (0..self.objects.len()).filter(|at| self.objects[*at].0.owns(SHARD)).collect()
        }

        /// Whoever has it counts something new.
        fn count(&mut self) {
            if let [owner] = self.owners()[..] {
                self.objects[owner].1.insert(self.counted);
                self.counted += 1;
            }
        }

        /// One message and its answer; `None` when something was lost.
        fn ask(&mut self, search: Search) -> Option<Told> {
            self.messages += 1;
            let fault = self.fault.filter(|(at, _)| *at == self.messages).map(|(_, fault)| fault);
            if fault == Some(Fault::Request) {
                return None;
            }
            let asked = usize::from(search.from);
            if let Some(given) = search.given.filter(|given| self.objects[asked].0.lacks(SHARD, *given)) {
                self.run(Search::for_given(&self.objects[asked].0, given))?;
            }
            let (shards, kept) = &mut self.objects[asked];
            let answer = match shards.asked(SHARD, search.to, search.generation) {
                Asked::Tell(owner, generation) => Err((owner, generation)),
                Asked::Give(generation) | Asked::GiveAgain(generation) => {
                    shards.moved(SHARD, search.to, generation);
                    Ok((generation, kept.clone()))
                }
            };
            (fault != Some(Fault::Answer)).then_some(answer)
        }

        /// Follows the notes to the end; `None` when something was lost, or they lead nowhere.
        fn run(&mut self, mut search: Search) -> Option<()> {
            for _ in 0..4 * OBJECTS {
                match self.ask(search)? {
                    Err((owner, generation)) => search.told(owner, generation).then_some(())?,
                    Ok((generation, kept)) => {
                        let (shards, mine) = &mut self.objects[usize::from(search.to)];
                        *mine = kept;
                        shards.moved(SHARD, search.to, generation);
                        return Some(());
                    }
                }
            }
            None
        }

        /// Whether `to` has it in the end; with a fault at one of the messages.
        fn take(&mut self, to: u16, fault: Option<(usize, Fault)>) -> bool {
            (self.messages, self.fault) = (0, fault);
            let shards = &self.objects[usize::from(to)].0;
            shards.owns(SHARD) || self.run(Search::new(shards, SHARD)).is_some()
        }
    }

    proptest! {
        #[test]
        fn whatever_is_lost_one_has_it_and_who_should_gets_it_with_all_that_came(
            moves in prop::collection::vec((0..OBJECTS, prop::option::of((1..8usize, prop_oneof![Just(Fault::Request), Just(Fault::Answer)]))), 0..40),
            last in 0..OBJECTS,
        ) {
            let mut world = World::new();
            for (to, fault) in moves {
                world.take(to, fault);
                prop_assert!(world.owners().len() <= 1, "{:?} have it", world.owners());
                world.count();
            }
            prop_assert!(world.take(last, None), "it can't be had any more");
            prop_assert_eq!(world.owners(), [usize::from(last)]);
            prop_assert_eq!(world.objects[usize::from(last)].1.len() as u32, world.counted);
        }
    }
}
