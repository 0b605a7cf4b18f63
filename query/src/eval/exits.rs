//! The exit page of a visit: the page whose views exceed those that went on, by most, over all buckets of the query in
//! which the visit is the same; of equals the first by name. A visit that went on beyond them has none.
use std::collections::HashMap;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use headwater_core::{Coded, Minute, PAGEVIEW, Profiles, VisitAt};

/// The exit pages of a bucket's visits.
#[derive(Default)]
pub(super) struct Exits<'a> {
    /// (context, exit page): the kinds of visits that there are.
    pub(super) kinds: Vec<(u32, &'a str)>,
    /// The kind of each visit.
    pub(super) of_visit: Vec<u32>,
}

/// Who and which visit.
type Key = (u64, u64);

/// The exit pages of the visits of buckets, each with the first minute of its identity window: a visit is the same in
/// two buckets if its window, visitor, context and tag are.
pub(super) fn exits<'a>(parts: &[(Minute, &'a Profiles)]) -> Vec<Exits<'a>> {
    let hasher = RandomState::default();
    let mut windows: HashMap<Minute, Vec<usize>> = HashMap::new();
    for (index, (window, _)) in parts.iter().enumerate() {
        windows.entry(*window).or_default().push(index);
    }
    let mut all: Vec<Exits<'a>> = parts.iter().map(|_| Exits::default()).collect();
    for same in windows.values() {
        let peoples: Vec<&'a Profiles> = same.iter().map(|i| parts[*i].1).collect();
        for (index, exits) in same.iter().zip(of_window(&peoples, &hasher)) {
            all[*index] = exits;
        }
    }
    all
}

fn of_window<'a>(peoples: &[&'a Profiles], hasher: &RandomState) -> Vec<Exits<'a>> {
    let keys: Vec<Vec<u64>> = peoples.iter().map(|people| context_keys(people, hasher)).collect();
    let mut excess: Vec<(Key, &'a str, i64)> = Vec::new();
    for (people, keys) in peoples.iter().zip(&keys) {
        let pageview = people.dict.find(PAGEVIEW);
        each_visit(people, keys, hasher, |visit, key, _| {
            let tuple = |fact| people.tuples.get(people.facts.tuple.get(fact) as usize);
            let views = visit.facts.clone().filter_map(|fact| tuple(fact).map(|tuple| (fact, tuple)));
            for (fact, tuple) in views.filter(|(_, t)| Some(t.name) == pageview) {
                let more = people.facts.count.get(fact) as i64 - people.facts.went_on.get(fact) as i64;
                if more != 0 {
                    excess.push((key, people.dict.get(tuple.page), more));
                }
            }
        });
    }
    excess.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let mut pages: Vec<(Key, &'a str)> = Vec::new();
    for visit in excess.chunk_by(|a, b| a.0 == b.0) {
        let sums = visit.chunk_by(|a, b| a.1 == b.1).map(|page| (page[0].1, page.iter().map(|p| p.2).sum::<i64>()));
        // The last of the largest in reverse is the first of them.
        let most = sums.collect::<Vec<_>>().into_iter().rev().max_by_key(|sum| sum.1);
        pages.extend(most.filter(|most| most.1 > 0).map(|most| (visit[0].0, most.0)));
    }
    let found = peoples.iter().zip(&keys).map(|(people, keys)| {
        let mut exits = Exits { kinds: Vec::new(), of_visit: vec![0; people.visits.context.len()] };
        let mut known: HashMap<(u32, &'a str), u32, RandomState> = HashMap::default();
        each_visit(people, keys, hasher, |visit, key, context| {
            let page = pages.binary_search_by_key(&key, |p| p.0).ok().and_then(|at| pages.get(at)).map_or("", |p| p.1);
            let next = exits.kinds.len() as u32;
            let kind = *known.entry((context, page)).or_insert(next);
            if kind == next {
                exits.kinds.push((context, page));
            }
            if let Some(slot) = exits.of_visit.get_mut(visit.place) {
                *slot = kind;
            }
        });
        exits
    });
    found.collect()
}

/// A number for the strings of each context, the same in every bucket.
fn context_keys(people: &Profiles, hasher: &RandomState) -> Vec<u64> {
    let text = |column: &Coded, context| people.dict.get(column.get(context));
    let key = |context| hasher.hash_one(people.contexts.each_ref().map(|column| text(column, context)));
    (0..people.contexts()).map(key).collect()
}

/// Calls with each visit, its key and context.
fn each_visit(people: &Profiles, keys: &[u64], hasher: &RandomState, mut each: impl FnMut(&VisitAt, Key, u32)) {
    for visit in people.each_visit() {
        let (context, tag) = (people.visits.context.get(visit.place) as u32, people.visits.tag.get(visit.place));
        let key = keys.get(context as usize).copied().unwrap_or(0);
        let hash = people.hashes.get(visit.visitor).copied().unwrap_or(u64::MAX);
        each(&visit, (hash, hasher.hash_one((key, tag))), context);
    }
}
