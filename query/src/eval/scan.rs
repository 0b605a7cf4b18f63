//! One pass over the people of a bucket: counts by group, and who is in which group.
use headwater_core::{PAGEVIEW, Profiles};

use super::groups::{Groups, Local};
use super::matcher::Matched;
use super::view::View;
use crate::totals::What;

/// Of events, views, engaged seconds, depth, *started* and *went on*, which are the first of [`What`]: those that are asked for.
pub(super) type Sums = [bool; 6];

/// What is added up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// Events, which say whether a row is shown; views, engaged seconds and depth if they are asked for.
    pub(super) counts: bool,
    /// *Started* and *went on* of the visits that pass, where no single events are chosen.
    pub(super) started: bool,
    pub(super) sums: Sums,
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
        for ((own, sum), count) in self.own.iter_mut().zip(&mut self.sums).zip(counts).filter(|(_, count)| *count > 0) {
            let (before, more) = (*own as f64, count as f64);
            *own += count;
            // (before + more)² - before²
            *sum += more * (2.0 * before + more);
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
    people: &Profiles,
    view: &View<'_>,
    theta: u64,
    matched: &Matched,
    local: &mut Local<'_>,
    groups: &mut Groups,
    want: Want,
) -> Found {
    let mut found = Found::default();
    let pageview = people.dict.find(PAGEVIEW);
    let is_view: Vec<bool> = people.tuples.iter().map(|t| Some(t.name) == pageview).collect();
    let by_event = want.counts || want.visitors || want.visits || want.numbers;
    let asked = |what: What| want.sums[what as usize];
    let (engaged_asked, depth_asked) = (asked(What::Engaged), asked(What::Depth));
    let events_asked = want.sums[..What::Started as usize].contains(&true);
    let squares_of_events = want.squares && events_asked;
    // Where nothing is asked of single events, one of them tells that a visit counts.
    let whole_visits = !events_asked && !want.visits && !want.numbers && !matched.is_of_events() && local.is_of_visits();
    let squares_of_visits = want.squares && want.sums[What::Started as usize..].contains(&true);
    let (visits, facts) = (&people.visits, &people.facts);
    let known = people.hashes.partition_point(|hash| *hash < theta);
    let end = known.checked_sub(1).and_then(|last| people.visits_end.get(last)).copied().unwrap_or(0);
    let mut index = 0;
    let (mut before, mut first_of_visitor) = (usize::MAX, 0);
    for place in candidates(people, view, end, matched, want) {
        let place = place as usize;
        while people.visits_end.get(index).is_some_and(|end| *end as usize <= place) {
            index += 1;
        }
        if index != before {
            (before, first_of_visitor) = (index, found.visits.len());
        }
        let kind = view.kind(place, people);
        if !matched.visitor(index) || !matched.visit(index, kind) {
            continue;
        }
        let visitor = index as u32;
        if want.started {
            let (started, went_on) = (visits.started.get(place), visits.went_on.get(place));
            if started | went_on > 0 {
                let group = local.of_visit(kind);
                let counts = found.counts(group);
                counts.started += started;
                counts.went_on += went_on;
                if squares_of_visits {
                    found.square(group, visitor, [0, 0, 0, 0, started, went_on]);
                }
            }
        }
        if !by_event {
            continue;
        }
        if whole_visits {
            if people.counts(people.facts_of(place)) {
                let group = local.of_visit(kind);
                if want.counts {
                    found.counts(group).events += 1;
                }
                if want.visitors {
                    found.saw(visitor, group);
                }
            }
            continue;
        }
        for at in people.facts_of(place) {
            let tuple = facts.tuple.get(at) as u32;
            if !matched.event(index, kind, tuple) {
                continue;
            }
            let count = facts.count.get(at);
            for event in local.kinds(tuple) {
                let group = local.of_event(kind, event, groups);
                if want.counts {
                    let views = if is_view[tuple as usize] { count } else { 0 };
                    let engaged = if engaged_asked { facts.engaged.get(at) } else { 0 };
                    let depth = if depth_asked { facts.depth.get(at) } else { 0 };
                    let counts = found.counts(group);
                    counts.events += count;
                    counts.views += views;
                    counts.engaged += engaged;
                    counts.depth += depth;
                    if squares_of_events {
                        found.square(group, visitor, [count, views, engaged, depth, 0, 0]);
                    }
                }
                if want.numbers {
                    let goal = local.goal(event);
                    if people.numbers_of(at as u32).is_some() || view.worth(tuple as usize, goal).is_some() {
                        found.numbers.push(Valued { visitor, fact: at as u32, group, goal });
                    }
                }
                // Who only went on or only engaged here counts as no visitor until an event joins.
                if count > 0 {
                    if want.visitors {
                        found.saw(visitor, group);
                    }
                    if want.visits {
                        found.saw_visit(first_of_visitor, visitor, visits.tag.get(place) as u16, group);
                    }
                }
            }
        }
    }
    found
}

/// The visits before `end` that may pass, in order: the narrowest of what one column can tell. Most visits are left out
/// by these tight loops.
fn candidates(people: &Profiles, view: &View<'_>, end: u32, matched: &Matched, want: Want) -> Vec<u32> {
    let mut some = Vec::new();
    match (matched.by_tuple(), matched.by_kind()) {
        // *Started* counts for a visit without events, too.
        (Some(table), _) if !want.started => {
            let (mut place, mut last) = (0u32, u32::MAX);
            people.facts.tuple.each_in(table, |fact| {
                while people.visits.facts_end.get(place as usize).is_some_and(|end| *end as usize <= fact) {
                    place += 1;
                }
                if place != last && place < end {
                    some.push(place);
                    last = place;
                }
            });
        }
        (_, Some(table)) => match &view.exits {
            None => people.visits.context.each_in(table, |place| {
                if place < end as usize {
                    some.push(place as u32);
                }
            }),
            Some(_) => some.extend((0..end).filter(|place| table[view.kind(*place as usize, people) as usize])),
        },
        _ => some.extend(0..end),
    }
    some
}
