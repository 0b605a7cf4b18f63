//! Who is chosen: the visits and events of a bucket that pass the filters, found once for all questions that have the same filters.
use std::sync::OnceLock;

use headwater_core::{PAGEVIEW, Profiles, Tuple};

use super::done::Done;
use super::matcher::{Matched, Node};
use super::needs::{Needs, Shape, Visits};
use super::unit::Part;
use super::view::View;
use crate::totals::What;
use crate::{Filter, QueryError};

/// Filters, prepared for all buckets of some questions.
pub(super) struct Choice {
    filters: Vec<Node>,
    /// With the entry page in place of the page, if a bounce rate asks for them and they are others.
    entry: Option<Vec<Node>>,
    /// The filters inside each `has_done`, those of the innermost first, and who passes them.
    inside: Vec<Vec<Node>>,
    done: Done,
    look: Look,
    /// Whether something looks at the whole window, so that only whom every bucket of it would hold can be judged.
    pub(super) by_window: bool,
}

/// What any of the questions asks of events.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    /// Whether they are looked at at all; if not, only visits that started or went on are chosen.
    any: bool,
    /// Whether they are looked at one by one; if not, one of them tells that a visit counts.
    single: bool,
    engaged: bool,
    depth: bool,
}

impl Choice {
    /// For questions whose filters are the same, and of which all ask for exit pages or none.
    ///
    /// # Errors
    /// If a pattern is none.
    pub(super) fn new(all: &[&Needs]) -> Result<Self, QueryError> {
        let compile = |filters: &[Filter], done: &mut Vec<Vec<Node>>| -> Result<Vec<Node>, QueryError> {
            filters.iter().enumerate().map(|(i, f)| Node::compile(f, &format!("filters[{i}]"), done)).collect()
        };
        let shared = all.first().map_or(&[][..], |needs| &needs.shape.filters);
        let mut inside = Vec::new();
        let filters = compile(shared, &mut inside)?;
        let by_entry = Shape { dimensions: Vec::new(), filters: shared.to_vec() }.by_entry().filters;
        let entry = if by_entry != shared && all.iter().any(|needs| needs.counts_entries()) {
            // The sets of `has_done` are the same, in the same order.
            Some(compile(&by_entry, &mut Vec::new())?)
        } else {
            None
        };
        let asked = |what: What| all.iter().any(|needs| needs.sums[what as usize]);
        let distinct = |needs: &Needs| [needs.visits, needs.bounces].contains(&Some(Visits::Distinct));
        let look = Look {
            any: true,
            single: [What::Events, What::Views, What::Engaged, What::Depth].into_iter().any(asked)
                || all.iter().any(|needs| needs.shape.of_events() || needs.numbers || distinct(needs)),
            engaged: asked(What::Engaged),
            depth: asked(What::Depth),
        };
        let by_window = all.iter().any(|needs| needs.looks_at_windows());
        Ok(Self { filters, entry, inside, done: Done::default(), look, by_window })
    }

    /// Finds out who has done what, over all the buckets that will be looked at.
    pub(super) fn look_ahead(&mut self, parts: &[Part<'_>]) {
        self.done = Done::new(&self.inside, parts);
    }

    /// Those of a bucket, for all who hand in the same `once`.
    pub(super) fn of<'c>(&self, part: &Part<'_>, once: &'c ChosenOnce) -> &'c Chosen {
        once.by_page.get_or_init(|| self.choose(&self.filters, self.look, part))
    }

    /// The same where the entry page stands for the page; of their events nothing is known.
    pub(super) fn of_entry<'c>(&self, part: &Part<'_>, once: &'c ChosenOnce) -> &'c Chosen {
        match &self.entry {
            None => self.of(part, once),
            Some(filters) => once.by_entry.get_or_init(|| self.choose(filters, Look::default(), part)),
        }
    }

    fn choose(&self, filters: &[Node], look: Look, part: &Part<'_>) -> Chosen {
        let (people, view) = (&*part.aggregate.people, part.view);
        let matched = Matched::new(filters, people, view, &self.done.of(part));
        let (visits, facts) = (&people.visits, &people.facts);
        let single = look.single || matched.is_of_events();
        let pageview = people.dict.find(PAGEVIEW);
        let of_views = |t: &Tuple| Some(t.name) == pageview;
        let is_view = if single { people.tuples.iter().map(of_views).collect() } else { Vec::new() };
        let known = people.hashes.partition_point(|hash| *hash < part.theta(self.by_window));
        let end = known.checked_sub(1).and_then(|last| people.visits_end.get(last)).copied().unwrap_or(0);
        let places = candidates(people, view, end, &matched);
        let mut chosen = Chosen { visits: Vec::with_capacity(places.len()), events: Vec::new(), is_view };
        let mut index = 0;
        for place in places {
            let at = place as usize;
            while people.visits_end.get(index).is_some_and(|end| *end as usize <= at) {
                index += 1;
            }
            let kind = view.kind(at, people);
            if !matched.visitor(index) || !matched.visit(index, kind) {
                continue;
            }
            let (mut happened, mut views, mut engaged, mut depth) = (0, 0, 0, 0);
            let before = chosen.events.len();
            if single {
                for fact in people.facts_of(at) {
                    let tuple = facts.tuple.get(fact) as u32;
                    if !matched.event(index, kind, tuple) {
                        continue;
                    }
                    let count = facts.count.get(fact);
                    chosen.events.push(ChosenEvent { fact: fact as u32, tuple, count });
                    happened += count;
                    views += if chosen.is_view[tuple as usize] { count } else { 0 };
                    engaged += if look.engaged { facts.engaged.get(fact) } else { 0 };
                    depth += if look.depth { facts.depth.get(fact) } else { 0 };
                }
            } else if look.any {
                happened = u64::from(people.counts(people.facts_of(at)));
            }
            let (started, went_on) = (visits.started.get(at), visits.went_on.get(at));
            if chosen.events.len() == before && happened | started | went_on == 0 {
                continue;
            }
            let sums = [happened, views, engaged, depth, started, went_on];
            let (visitor, events_end) = (index as u32, chosen.events.len() as u32);
            chosen.visits.push(ChosenVisit { visitor, place, kind, events_end, sums });
        }
        chosen
    }
}

/// Who is chosen of one bucket, as soon as somebody asked.
#[derive(Default)]
pub(super) struct ChosenOnce {
    by_page: OnceLock<Chosen>,
    by_entry: OnceLock<Chosen>,
}

/// The visits of a bucket that are chosen, in order.
pub(super) struct Chosen {
    pub(super) visits: Vec<ChosenVisit>,
    /// The events of all these visits, if they are looked at one by one.
    pub(super) events: Vec<ChosenEvent>,
    /// Which tuples are of views.
    pub(super) is_view: Vec<bool>,
}

/// A visit that is chosen, or of which events are. It takes a line of the processor's cache.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChosenVisit {
    pub(super) visitor: u32,
    /// Its place among all visits.
    pub(super) place: u32,
    pub(super) kind: u32,
    /// Where its chosen events end.
    pub(super) events_end: u32,
    /// The first six of [`What`]: of its chosen events, as far as somebody asked, and of itself. If events are not looked at one by one, it
    /// has 1 if there is any.
    pub(super) sums: [u64; 6],
}

/// An event that is chosen, or several that are equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChosenEvent {
    /// Its place among all facts.
    pub(super) fact: u32,
    pub(super) tuple: u32,
    pub(super) count: u64,
}

impl Chosen {
    /// Each visit with its events.
    pub(super) fn each(&self) -> impl Iterator<Item = (&ChosenVisit, &[ChosenEvent])> {
        let mut start = 0;
        self.visits.iter().map(move |visit| {
            let end = visit.events_end as usize;
            let events = self.events.get(start..end).unwrap_or(&[]);
            start = end;
            (visit, events)
        })
    }
}

/// The visits before `end` that may pass, in order: the narrowest of what one column can tell. Most visits are left out
/// by these tight loops.
fn candidates(people: &Profiles, view: &View<'_>, end: u32, matched: &Matched) -> Vec<u32> {
    let mut some = Vec::new();
    match (matched.by_tuple(), matched.by_kind()) {
        // Where events are chosen, a visit without any of them is not.
        (Some(table), _) => {
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
