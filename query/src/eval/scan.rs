//! One pass over the people of a bucket: counts by group, and who is in which group.
use headwater_core::{PAGEVIEW, People};

use super::groups::{Groups, Local};
use super::matcher::Matched;
use super::view::View;

/// What is added up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// Events, views, engaged seconds, depth.
    pub(super) counts: bool,
    /// *Started* and *went on* of the visits that pass, where no single events are chosen.
    pub(super) started: bool,
    pub(super) numbers: bool,
    pub(super) visitors: bool,
    /// Distinct visits with a matching event.
    pub(super) visits: bool,
    /// Whether the squares are needed, because the sample holds not everyone.
    pub(super) squares: bool,
}

/// Sums of one group and one bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) views: u64,
    pub(super) engaged: u64,
    pub(super) depth: u64,
    pub(super) started: u64,
    pub(super) went_on: u64,
}

/// Sums of squares of each visitor's sums, and the visitor's own sums while they are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Squares {
    visitor: u32,
    own: [u64; 6],
    pub(super) sums: [f64; 6],
}

impl Squares {
    fn add(&mut self, visitor: u32, counts: [u64; 6]) {
        if self.visitor != visitor + 1 {
            self.visitor = visitor + 1;
            self.own = [0; 6];
        }
        for ((own, sum), count) in self.own.iter_mut().zip(&mut self.sums).zip(counts) {
            let before = *own as f64;
            *own += count;
            let after = *own as f64;
            *sum += after * after - before * before;
        }
    }
}

/// An event with a value, or whose goal has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Valued {
    pub(super) visitor: u32,
    pub(super) fact: u32,
    pub(super) group: u32,
    /// The goal, if the group is of one.
    pub(super) goal: Option<u16>,
}

/// What a scan found, by group.
#[derive(Default)]
pub(super) struct Found {
    pub(super) counts: Vec<Counts>,
    pub(super) squares: Vec<Squares>,
    /// (visitor, group), each once, in order of visitor.
    pub(super) visitors: Vec<(u32, u32)>,
    /// (visitor, tag, group), each once, in order of visitor.
    pub(super) visits: Vec<(u32, u16, u32)>,
    /// Of those with values.
    pub(super) numbers: Vec<Valued>,
    /// Last visitor seen in a group, plus one.
    seen: Vec<u32>,
}

impl Found {
    fn counts(&mut self, group: u32) -> &mut Counts {
        let index = group as usize;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, Counts::default());
        }
        &mut self.counts[index]
    }

    fn square(&mut self, group: u32, visitor: u32, counts: [u64; 6]) {
        let index = group as usize;
        if index >= self.squares.len() {
            self.squares.resize(index + 1, Squares::default());
        }
        self.squares[index].add(visitor, counts);
    }

    fn saw(&mut self, visitor: u32, group: u32) {
        let index = group as usize;
        if index >= self.seen.len() {
            self.seen.resize(index + 1, 0);
        }
        if self.seen[index] != visitor + 1 {
            self.seen[index] = visitor + 1;
            self.visitors.push((visitor, group));
        }
    }

    fn saw_visit(&mut self, first_of_visitor: usize, visitor: u32, tag: u16, group: u32) {
        let known = &self.visits[first_of_visitor..];
        // A visitor has few visits; the cap of a profile bounds them.
        if !known.contains(&(visitor, tag, group)) {
            self.visits.push((visitor, tag, group));
        }
    }
}

/// Scans everyone whose hash is below `theta`.
pub(super) fn scan(
    people: &People,
    view: &View<'_>,
    theta: u64,
    matched: &Matched,
    local: &mut Local,
    groups: &mut Groups,
    want: Want,
) -> Found {
    let mut found = Found::default();
    let pageview = people.dict.find(PAGEVIEW);
    let is_view: Vec<bool> = people.tuples.iter().map(|t| Some(t.name) == pageview).collect();
    let by_event = want.counts || want.visitors || want.visits || want.numbers;
    let mut visits_end = 0;
    for (index, person) in people.visitors.iter().enumerate() {
        let first_visit = std::mem::replace(&mut visits_end, person.visits_end as usize);
        if person.hash.0 >= theta {
            break;
        }
        if !matched.visitor(index) {
            continue;
        }
        let visitor = index as u32;
        let first_of_visitor = found.visits.len();
        let mut facts_end = first_visit.checked_sub(1).and_then(|before| people.visits.get(before)).map_or(0, |v| v.facts_end);
        for (visit, place) in people.visits.get(first_visit..visits_end).unwrap_or(&[]).iter().zip(first_visit..) {
            let first_fact = std::mem::replace(&mut facts_end, visit.facts_end);
            let kind = view.kind(place, visit);
            if !matched.visit(index, kind) {
                continue;
            }
            if want.started && (visit.started | visit.went_on) > 0 {
                let group = local.of_visit(kind);
                let counts = found.counts(group);
                counts.started += visit.started;
                counts.went_on += visit.went_on;
                if want.squares {
                    found.square(group, visitor, [0, 0, 0, 0, visit.started, visit.went_on]);
                }
            }
            if !by_event {
                continue;
            }
            let facts = people.facts.get(first_fact as usize..facts_end as usize).unwrap_or(&[]);
            for (fact, at) in facts.iter().zip(first_fact..) {
                if !matched.event(index, kind, fact.tuple) {
                    continue;
                }
                for event in local.kinds(fact.tuple) {
                    let group = local.of_event(kind, event, groups);
                    if want.counts {
                        let views = if is_view[fact.tuple as usize] { fact.count } else { 0 };
                        let counts = found.counts(group);
                        counts.events += fact.count;
                        counts.views += views;
                        counts.engaged += fact.engaged;
                        counts.depth += fact.depth;
                        if want.squares {
                            found.square(group, visitor, [fact.count, views, fact.engaged, fact.depth, 0, 0]);
                        }
                    }
                    if want.numbers {
                        let goal = local.goal(event);
                        if fact.numbers.is_some() || view.worth(fact.tuple as usize, goal).is_some() {
                            found.numbers.push(Valued { visitor, fact: at, group, goal });
                        }
                    }
                    // Who only went on or only engaged here counts as no visitor until an event joins.
                    if fact.count > 0 {
                        if want.visitors {
                            found.saw(visitor, group);
                        }
                        if want.visits {
                            found.saw_visit(first_of_visitor, visitor, visit.tag, group);
                        }
                    }
                }
            }
        }
    }
    found
}
