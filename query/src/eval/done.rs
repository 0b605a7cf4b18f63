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
                for (visitor, (hash, first, visits)) in people.iter().enumerate() {
                    let has = visits.iter().zip(first..).any(|(visit, place)| {
                        let kind = part.view.kind(place, visit);
                        let mut facts = people.facts_of(place).iter().filter(|fact| fact.count > 0);
                        matched.visit(visitor, kind) && facts.any(|fact| matched.event(visitor, kind, fact.tuple))
                    });
                    if has && matched.visitor(visitor) {
                        set.push(hash.0);
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
            let has = |visitor: &headwater_core::Visitor| {
                rest = &rest[rest.partition_point(|hash| *hash < visitor.hash.0)..];
                rest.first() == Some(&visitor.hash.0)
            };
            part.aggregate.people.visitors.iter().map(has).collect()
        };
        self.sets.iter().map(among).collect()
    }
}
