//! `has_done`: who, in the whole range, has an event that passes a filter. Hashes compare within an identity window only.
use std::collections::HashMap;

use headwater_core::Minute;

use super::matcher::{Matched, Node};
use super::unit::Part;

/// For each `has_done` of a query and each identity window: the hashes, ascending.
#[derive(Default)]
pub(super) struct Done {
    sets: Vec<HashMap<Minute, Vec<u64>>>,
}

impl Done {
    /// `nodes` are the filters inside, those of the innermost first.
    pub(super) fn new(nodes: &[Vec<Node>], parts: &[Part<'_>]) -> Self {
        let mut done = Self { sets: Vec::new() };
        for inside in nodes {
            let mut sets: HashMap<Minute, Vec<u64>> = HashMap::new();
            for part in parts {
                let people = &part.aggregate.people;
                let matched = Matched::new(inside, people, part.view, &done.of(part));
                let set = sets.entry(part.window).or_default();
                let mut last = None;
                for visit in people.each_visit() {
                    let visitor = visit.visitor;
                    if last == Some(visitor) || !matched.visitor(visitor) {
                        continue;
                    }
                    let kind = part.view.kind(visit.place, people);
                    let mut facts = visit.facts.filter(|fact| people.facts.count.get(*fact) > 0);
                    let tuple = |fact| people.facts.tuple.get(fact) as u32;
                    if matched.visit(visitor, kind) && facts.any(|fact| matched.event(visitor, kind, tuple(fact))) {
                        last = Some(visitor);
                        set.extend(people.hashes.get(visitor));
                    }
                }
            }
            for set in sets.values_mut() {
                // Sorted runs, which the stable sort merges.
                set.sort();
                set.dedup();
            }
            done.sets.push(sets);
        }
        done
    }

    /// For each set, which visitors of a bucket are in it.
    pub(super) fn of(&self, part: &Part<'_>) -> Vec<Vec<bool>> {
        let among = |sets: &HashMap<Minute, Vec<u64>>| {
            let mut rest = sets.get(&part.window).map_or(&[][..], Vec::as_slice);
            let has = |hash: &u64| {
                let passed = rest.iter().take_while(|known| *known < hash).count();
                rest = rest.get(passed..).unwrap_or(&[]);
                rest.first() == Some(hash)
            };
            part.aggregate.people.hashes.iter().map(has).collect()
        };
        self.sets.iter().map(among).collect()
    }
}
