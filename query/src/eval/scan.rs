//! One pass over those of a bucket who are chosen: sums by group, and who is in which group.
use headwater_core::Profiles;

use super::choice::{Chosen, ChosenEvent, ChosenVisit};
use super::groups::Groups;
use super::local::Local;
use super::view::View;
use crate::totals::What;

/// What is summed by looking at people: the first of [`What`], in their order.
pub(super) const SCANNED: [What; 6] = [What::Events, What::Views, What::Engaged, What::Depth, What::Started, What::WentOn];

/// Which of them are asked for.
pub(super) type Sums = [bool; SCANNED.len()];

/// What is added up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Want {
    /// What happened in the events, and whether any did, which says whether a row is shown.
    pub(super) counts: bool,
    /// *Started* and *went on* of the visits that pass, where no single events are chosen.
    pub(super) started: bool,
    pub(super) sums: Sums,
    /// Which events have values, and of goals their worth if that counts.
    pub(super) numbers: bool,
    pub(super) valued: bool,
    pub(super) visitors: bool,
    /// Which visitors these are, where others join them.
    pub(super) named: bool,
    /// Distinct visits with a matching event.
    pub(super) visits: bool,
}

/// What was found of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct InGroup {
    pub(super) group: u32,
    /// The sums that are asked for.
    pub(super) sums: [u64; 6],
    /// The sums of the squares of each visitor's.
    pub(super) squares: [f64; 6],
    pub(super) visitors: u64,
    /// Whether anything happened that is shown.
    pub(super) shown: bool,
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

/// What a scan found.
#[derive(Default)]
pub(super) struct Found {
    /// In which anything happened.
    pub(super) groups: Vec<InGroup>,
    /// How many visitors, each once.
    pub(super) visitors: u64,
    /// (visitor, group), each once, in order of visitor.
    pub(super) named: Vec<(u32, u32)>,
    /// (visitor, tag, group), each once, in order of visitor.
    pub(super) visits: Vec<(u32, u16, u32)>,
    /// Of those with values.
    pub(super) numbers: Vec<Valued>,
}

/// Adds up those who are chosen.
pub(super) fn scan(
    people: &Profiles,
    view: &View<'_>,
    chosen: &Chosen,
    local: &mut Local<'_>,
    groups: &mut Groups,
    want: Want,
) -> Found {
    let sums = (0..).zip(want.sums).filter(|(_, asked)| *asked).map(|(sum, _)| sum);
    let asked: Vec<usize> = if want.counts || want.started { sums.collect() } else { Vec::new() };
    let scan = Scan { people, view, chosen, want };
    // Groups are small, so that many are at hand: most questions ask for few sums.
    match *asked.as_slice() {
        [] => scan.by(local, groups, []),
        [one] => scan.by(local, groups, [one]),
        [one, two] => scan.by(local, groups, [one, two]),
        _ => scan.by(local, groups, [0, 1, 2, 3, 4, 5]),
    }
}

struct Scan<'a> {
    people: &'a Profiles,
    view: &'a View<'a>,
    chosen: &'a Chosen,
    want: Want,
}

impl Scan<'_> {
    /// Adds up the sums of these places.
    fn by<const N: usize>(&self, local: &mut Local<'_>, groups: &mut Groups, asked: [usize; N]) -> Found {
        let mut sums = Adding::new(self.want, groups.known());
        if local.is_of_visits() && !self.want.numbers {
            self.by_visit(local, groups, asked, &mut sums);
        } else {
            self.by_event(local, groups, asked, &mut sums);
        }
        sums.finish(asked)
    }

    /// Where all events of a visit are in its group.
    fn by_visit<const N: usize>(&self, local: &mut Local<'_>, groups: &mut Groups, asked: [usize; N], sums: &mut Adding<N>) {
        for visit in &self.chosen.visits {
            let group = local.of_visit(visit.kind, groups);
            let happened = visit.sums[What::Events as usize] > 0;
            let shown = self.want.counts && (happened || self.begins(visit));
            sums.add(group, visit.visitor, shown, |at| visit.sums[asked[at]]);
            if happened {
                sums.saw(group, visit.visitor, || self.tag(visit));
            }
        }
    }

    fn by_event<const N: usize>(&self, local: &mut Local<'_>, groups: &mut Groups, asked: [usize; N], sums: &mut Adding<N>) {
        let Self { people, view, chosen, want } = *self;
        for (visit, events) in chosen.each() {
            let (visitor, kind) = (visit.visitor, visit.kind);
            if want.started && visit.sums[What::Started as usize] | visit.sums[What::WentOn as usize] > 0 {
                let own = |at: usize| if asked[at] >= What::Started as usize { visit.sums[asked[at]] } else { 0 };
                sums.add(local.of_visit(kind, groups), visitor, self.begins(visit), own);
            }
            for &event in events {
                let ChosenEvent { fact, tuple, count } = event;
                for one in local.kinds(tuple) {
                    let group = local.of_event(kind, one, groups);
                    if want.counts {
                        sums.add(group, visitor, count > 0, |at| self.sum_of(event, asked[at]));
                    }
                    if want.numbers {
                        let goal = local.goal(one);
                        let worth = want.valued && view.worth(tuple as usize, goal).is_some();
                        if worth || people.numbers_of(fact).is_some() {
                            sums.found.numbers.push(Valued { visitor, fact, group, goal });
                        }
                    }
                    // Who only went on or only engaged here counts as no visitor until an event joins.
                    if count > 0 {
                        sums.saw(group, visitor, || self.tag(visit));
                    }
                }
            }
        }
    }

    /// Whether a visit that began here counts as such.
    fn begins(&self, visit: &ChosenVisit) -> bool {
        self.want.started && visit.sums[What::Started as usize] > 0
    }

    fn tag(&self, visit: &ChosenVisit) -> u16 {
        self.people.visits.tag.get(visit.place as usize) as u16
    }

    /// One of the sums of an event.
    #[inline]
    fn sum_of(&self, event: ChosenEvent, sum: usize) -> u64 {
        const EVENTS: usize = What::Events as usize;
        const VIEWS: usize = What::Views as usize;
        const ENGAGED: usize = What::Engaged as usize;
        const DEPTH: usize = What::Depth as usize;
        let (fact, asked) = (event.fact as usize, self.want.sums[sum]);
        match sum {
            EVENTS => event.count,
            VIEWS => event.count * u64::from(self.chosen.is_view[event.tuple as usize]),
            ENGAGED if asked => self.people.facts.engaged.get(fact),
            DEPTH if asked => self.people.facts.depth.get(fact),
            _ => 0,
        }
    }
}

/// A group while it is added up.
#[derive(Clone, Copy)]
struct Open<const N: usize> {
    /// The visitor whose own sums these are, plus one.
    visitor: u32,
    /// The last visitor seen, plus one.
    seen: u32,
    visitors: u32,
    /// Whether anything happened.
    shown: bool,
    own: [u64; N],
    sums: [u64; N],
    squares: [u64; N],
}

impl<const N: usize> Open<N> {
    const NEW: Self = Self { visitor: 0, seen: 0, visitors: 0, shown: false, own: [0; N], sums: [0; N], squares: [0; N] };

    /// Begins another visitor.
    #[inline]
    fn turn_to(&mut self, visitor: u32) {
        for ((own, sum), squares) in self.own.iter_mut().zip(&mut self.sums).zip(&mut self.squares) {
            *sum += *own;
            // What one visitor has in one bucket is far below 2³².
            *squares = squares.saturating_add(own.saturating_mul(*own));
            *own = 0;
        }
        self.visitor = visitor;
    }
}

/// Groups by number, while visitors come one after the other.
struct Adding<const N: usize> {
    want: Want,
    groups: Vec<Open<N>>,
    found: Found,
    /// The last visitor seen, plus one, and where their visits begin.
    seen: u32,
    first: usize,
}

impl<const N: usize> Adding<N> {
    fn new(want: Want, known: usize) -> Self {
        Self { want, groups: vec![Open::NEW; known], found: Found::default(), seen: 0, first: 0 }
    }

    #[inline]
    fn at(&mut self, group: u32) -> &mut Open<N> {
        let index = group as usize;
        if index >= self.groups.len() {
            self.groups.resize(index + 1, Open::NEW);
        }
        &mut self.groups[index]
    }

    /// Adds what a visitor has in a group, sum by sum.
    #[inline]
    fn add(&mut self, group: u32, visitor: u32, shown: bool, own: impl Fn(usize) -> u64) {
        let found = self.at(group);
        found.shown |= shown;
        if N > 0 {
            if found.visitor != visitor + 1 {
                found.turn_to(visitor + 1);
            }
            found.own.iter_mut().enumerate().for_each(|(at, sum)| *sum += own(at));
        }
    }

    /// Sees a visitor, with a visit of this tag, in a group.
    #[inline]
    fn saw(&mut self, group: u32, visitor: u32, tag: impl FnOnce() -> u16) {
        let Want { visitors, named, visits, .. } = self.want;
        if self.seen != visitor + 1 {
            self.seen = visitor + 1;
            self.first = self.found.visits.len();
            self.found.visitors += 1;
        }
        if visitors {
            let found = self.at(group);
            if found.seen != visitor + 1 {
                found.seen = visitor + 1;
                found.visitors += 1;
                if named {
                    self.found.named.push((visitor, group));
                }
            }
        }
        if visits {
            let visit = (visitor, tag(), group);
            // A visitor has few visits; the cap of a profile bounds them.
            if !self.found.visits[self.first..].contains(&visit) {
                self.found.visits.push(visit);
            }
        }
    }

    fn finish(mut self, asked: [usize; N]) -> Found {
        for (group, open) in (0..).zip(&mut self.groups).filter(|(_, open)| open.shown || open.visitor > 0 || open.visitors > 0) {
            open.turn_to(0);
            let (visitors, shown) = (open.visitors.into(), open.shown);
            let mut found = InGroup { group, visitors, shown, ..InGroup::default() };
            for ((sum, own), squares) in asked.into_iter().zip(open.sums).zip(open.squares) {
                (found.sums[sum], found.squares[sum]) = (own, squares as f64);
            }
            self.found.groups.push(found);
        }
        self.found
    }
}
