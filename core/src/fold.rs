//! The fold: from what visitors did in one minute to its aggregate.
//!
//! The hot path of an edge. Strings are interned once; a visit's context and an event's tuple become numbers; what is
//! added up per context and per tuple becomes rows only at the end, so the cost of an event does not depend on how
//! many dimensions there are.
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use crate::chain::{Chains, Link};
use crate::dict::{Dict, Interner, Last};
use crate::people::{Assembler, Draft};
use crate::tallies::{Row, RowKey};
use crate::{
    Aggregate, Fact, Minute, Numbers, OTHER, RowDimension, Stamped, StrId, Tallies, Tally, Tuple, VisitDimension, VisitorHash,
};

/// The name of the event that is a page view.
pub const PAGEVIEW: &str = "pageview";

/// What one visitor did in one visit and one minute.
#[derive(Clone, Copy, Debug)]
pub struct Activity<'a> {
    /// Who.
    pub visitor: VisitorHash,
    /// When; only orders values.
    pub minute: Minute,
    /// Tells the visits of a visitor apart.
    pub tag: u16,
    /// The visit's properties, by [`VisitDimension`].
    pub visit: &'a [&'a str; VisitDimension::COUNT],
    /// Visits that started: 0 or 1.
    pub started: u64,
    /// Visits, started in this minute, that went on: 0 or 1.
    pub went_on: u64,
    /// The events.
    pub events: &'a [EventDelta<'a>],
}

/// Equal events of an [`Activity`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EventDelta<'a> {
    /// The event's name; [`PAGEVIEW`] for a view.
    pub name: &'a str,
    /// The path of the page.
    pub page: &'a str,
    /// The host of the page.
    pub hostname: &'a str,
    /// ISO 4217 code of the values; empty where they are no money.
    pub currency: &'a str,
    /// Property names and values, in any order; of a repeated name the first in sorted order counts.
    pub props: &'a [(&'a str, &'a str)],
    /// How many.
    pub count: u64,
    /// How many of these views went on.
    pub went_on: u64,
    /// Engaged seconds.
    pub engaged: u64,
    /// Increments of depth in per cent.
    pub depth: u64,
    /// Values in millionths.
    pub values: &'a [i64],
    /// A hash of the beacon's or event's id: orders values of one minute.
    pub order: u64,
}

impl EventDelta<'_> {
    const fn is_nothing(&self) -> bool {
        self.count == 0 && self.went_on == 0 && self.engaged == 0 && self.depth == 0
    }
}

/// Items numbered in order of arrival.
struct Table<T> {
    ids: HashMap<T, u32, RandomState>,
    sums: Vec<Tally>,
}

impl<T: Hash + Eq + Clone> Table<T> {
    fn new() -> Self {
        Self { ids: HashMap::default(), sums: Vec::new() }
    }

    fn id(&mut self, item: &T) -> u32 {
        if let Some(&id) = self.ids.get(item) {
            return id;
        }
        let id = self.sums.len() as u32;
        self.ids.insert(item.clone(), id);
        self.sums.push(Tally::default());
        id
    }

    /// The items by id.
    fn items(&self) -> Vec<&T> {
        let mut items: Vec<(u32, &T)> = self.ids.iter().map(|(item, id)| (*id, item)).collect();
        items.sort_unstable_by_key(|i| i.0);
        items.into_iter().map(|i| i.1).collect()
    }
}

/// What is added to one visit of one visitor.
struct Part {
    context: u32,
    tag: u16,
    started: u64,
    went_on: u64,
    /// The last of its facts.
    facts: Link,
}

/// How far back an equal visit or fact is looked for. What is told twice all the same is added up by the [`Assembler`], so
/// nobody can make the search long.
const NEAR: usize = 8;

/// Tuple keys while strings are not sorted yet.
#[derive(Clone, PartialEq, Eq, Hash)]
struct RawTuple {
    fixed: [u32; 4],
    props: Vec<(u32, u32)>,
}

/// Adds up the activities of one site and one minute.
pub struct Fold {
    strings: Interner,
    contexts: Table<[u32; VisitDimension::COUNT]>,
    tuples: Table<RawTuple>,
    /// The last of each visitor's parts.
    visitors: HashMap<VisitorHash, Link, RandomState>,
    parts: Chains<Part>,
    facts: Chains<Fact>,
    numbers: HashMap<(u32, u32), Numbers, RandomState>,
    scratch: RawTuple,
    last_name: Last,
    last_hostname: Last,
    pageview: u32,
    other: u32,
}

impl Default for Fold {
    fn default() -> Self {
        Self::new()
    }
}

impl Fold {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let mut strings = Interner::new();
        let (pageview, other) = (strings.id(PAGEVIEW), strings.id(OTHER));
        let scratch = RawTuple { fixed: [0; 4], props: Vec::new() };
        Self {
            strings,
            contexts: Table::new(),
            tuples: Table::new(),
            visitors: HashMap::default(),
            parts: Chains::new(),
            facts: Chains::new(),
            numbers: HashMap::default(),
            scratch,
            last_name: Last::default(),
            last_hostname: Last::default(),
            pageview,
            other,
        }
    }

    /// How many distinct visitors were added: an edge ends a batch before [`crate::SAMPLE_SIZE`].
    #[must_use]
    pub fn visitors(&self) -> usize {
        self.visitors.len()
    }

    /// The number of a visit's context, for [`Fold::add_in`]. Callers that see the same context often remember it.
    pub fn context(&mut self, visit: &[&str; VisitDimension::COUNT]) -> u32 {
        let key = visit.map(|string| self.strings.id(string));
        self.contexts.id(&key)
    }

    /// Adds an activity.
    pub fn add(&mut self, activity: &Activity<'_>) {
        let context = self.context(activity.visit);
        self.add_in(context, activity);
    }

    /// Adds an activity whose visit has the given [`Fold::context`]; its `visit` is not looked at.
    pub fn add_in(&mut self, context: u32, activity: &Activity<'_>) {
        if activity.started == 0 && activity.went_on == 0 && activity.events.iter().all(EventDelta::is_nothing) {
            return;
        }
        let last = self.visitors.entry(activity.visitor).or_default();
        let same = |(_, part): &(_, &Part)| part.context == context && part.tag == activity.tag;
        let known = self.parts.walk(*last).take(NEAR).find(same).map(|(at, _)| at);
        let at = known.or_else(|| {
            *last = self.parts.push(Part { context, tag: activity.tag, started: 0, went_on: 0, facts: None }, *last);
            *last
        });
        let Some(part) = at.and_then(|at| self.parts.get_mut(at)) else { return };
        part.started = part.started.saturating_add(activity.started);
        part.went_on = part.went_on.saturating_add(activity.went_on);
        let visit = &mut self.contexts.sums[context as usize];
        visit.visits = visit.visits.saturating_add(activity.started);
        visit.visits_went_on = visit.visits_went_on.saturating_add(activity.went_on);
        for event in activity.events.iter().filter(|e| !e.is_nothing()) {
            let key = &mut self.scratch;
            key.fixed = [
                self.strings.id_after(&mut self.last_name, event.name),
                self.strings.id(event.page),
                self.strings.id_after(&mut self.last_hostname, event.hostname),
                self.strings.id(event.currency),
            ];
            key.props.clear();
            key.props.extend(event.props.iter().map(|(k, v)| (self.strings.id(k), self.strings.id(v))));
            sort_props(&mut key.props, event.props);
            let tuple = self.tuples.id(key);
            let sum = Tally {
                views: if key.fixed[0] == self.pageview { event.count } else { 0 },
                events: event.count,
                views_went_on: event.went_on,
                engaged: event.engaged,
                depth: event.depth,
                ..Tally::default()
            };
            visit.add(&sum);
            self.tuples.sums[tuple as usize].add(&sum);
            let mut fact = Fact {
                tuple,
                count: event.count,
                went_on: event.went_on,
                engaged: event.engaged,
                depth: event.depth,
                numbers: None,
            };
            for (index, &value) in event.values.iter().enumerate() {
                let one = Numbers::of(Stamped { minute: activity.minute, id: event.order, index: index as u32, value });
                match &mut fact.numbers {
                    Some(numbers) => numbers.add(&one),
                    none => *none = Some(Box::new(one)),
                }
            }
            if let Some(numbers) = &fact.numbers {
                let sum = self.numbers.entry((key.fixed[0], key.fixed[3]));
                sum.and_modify(|n| n.add(numbers)).or_insert_with(|| (**numbers).clone());
            }
            let known = self.facts.walk(part.facts).take(NEAR).find(|(_, known)| known.tuple == tuple).map(|(at, _)| at);
            match known.and_then(|at| self.facts.get_mut(at)) {
                Some(same) => same.add(&fact),
                None => part.facts = self.facts.push(fact, part.facts),
            }
        }
    }

    /// The aggregate of everything added.
    #[must_use]
    pub fn finish(self) -> Aggregate {
        let (dict, map) = self.strings.sorted();
        Aggregate { tallies: self.tallies(dict.clone(), &map), people: self.people(dict, &map) }
    }

    fn people(&self, dict: Dict, map: &[StrId]) -> crate::People {
        let other = map[self.other as usize];
        let name = |id: u32| map[id as usize];
        let raw = self.contexts.items();
        let (contexts, context_map) =
            sorted(raw.into_iter().map(|c| c.map(name)).chain([[other; VisitDimension::COUNT]]).collect());
        let raw = self.tuples.items();
        let others = Tuple { name: other, page: other, hostname: other, currency: other, props: Box::default() };
        let (tuples, tuple_map) = sorted(raw.into_iter().map(|t| t.translated(map)).chain([others]).collect());
        let (other_context, other_tuple) = (context_map.last().copied(), tuple_map.last().copied());
        let mut assembler = Assembler::new(dict, contexts, tuples, other_context.unwrap_or(0), other_tuple.unwrap_or(0));
        let mut visitors: Vec<(VisitorHash, Link)> = self.visitors.iter().map(|(hash, last)| (*hash, *last)).collect();
        visitors.sort_unstable_by_key(|v| v.0);
        let mut drafts = Vec::new();
        for (hash, last) in visitors {
            drafts.clear();
            drafts.extend(self.parts.walk(last).map(|(_, part)| Draft {
                context: context_map[part.context as usize],
                tag: part.tag,
                started: part.started,
                went_on: part.went_on,
                facts: self.facts.walk(part.facts).map(|(_, fact)| fact),
                tuples: &tuple_map,
            }));
            assembler.push(hash, &mut drafts);
        }
        assembler.finish(u64::MAX).pruned()
    }

    fn tallies(&self, dict: Dict, map: &[StrId]) -> Tallies {
        let mut rows: HashMap<RowKey, Tally, RandomState> = HashMap::default();
        let mut add = |dimension, key: StrId, value: StrId, tally: &Tally| {
            rows.entry(RowKey { dimension, key, value }).or_default().add(tally);
        };
        let none = StrId(0);
        for (context, sum) in self.contexts.items().into_iter().zip(&self.contexts.sums) {
            add(RowDimension::Total, none, none, sum);
            for (dimension, value) in VisitDimension::ALL.iter().zip(context) {
                add(RowDimension::Visit(*dimension), none, map[*value as usize], sum);
            }
        }
        for (tuple, sum) in self.tuples.items().into_iter().zip(&self.tuples.sums) {
            let fixed = [RowDimension::Name, RowDimension::Page, RowDimension::Hostname];
            for (dimension, value) in fixed.into_iter().zip(&tuple.fixed) {
                add(dimension, none, map[*value as usize], sum);
            }
            for (key, value) in &tuple.props {
                add(RowDimension::Prop, map[*key as usize], map[*value as usize], sum);
            }
        }
        for (&(name, currency), numbers) in &self.numbers {
            let tally = Tally { numbers: vec![(map[currency as usize], numbers.clone())], ..Tally::default() };
            add(RowDimension::Name, none, map[name as usize], &tally);
        }
        rows.retain(|_, tally| *tally != Tally::default());
        let mut rows: Vec<Row> = rows.into_iter().map(|(key, tally)| Row { key, tally }).collect();
        rows.sort_unstable_by_key(|row| row.key);
        Tallies { dict, rows }.pruned()
    }
}

impl RawTuple {
    fn translated(&self, map: &[StrId]) -> Tuple {
        let [name, page, hostname, currency] = self.fixed.map(|id| map[id as usize]);
        let mut props: Vec<_> = self.props.iter().map(|(k, v)| (map[*k as usize], map[*v as usize])).collect();
        props.sort_unstable();
        Tuple { name, page, hostname, currency, props: props.into() }
    }
}

/// Puts properties into one order whatever order they came in, and drops repeated names.
fn sort_props(ids: &mut Vec<(u32, u32)>, strings: &[(&str, &str)]) {
    if ids.len() > 1 {
        let mut order: Vec<_> = ids.iter().copied().zip(strings).collect();
        order.sort_unstable_by_key(|o| o.1);
        order.dedup_by_key(|o| o.1.0);
        ids.clear();
        ids.extend(order.into_iter().map(|o| o.0));
    }
}

/// The items sorted, each once, and the way from the old places to the new ones.
fn sorted<T: Ord + Clone>(items: Vec<T>) -> (Vec<T>, Vec<u32>) {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    order.sort_by(|a, b| items[*a as usize].cmp(&items[*b as usize]));
    let mut map = vec![0; items.len()];
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for old in order {
        let item = &items[old as usize];
        if kept.last() != Some(item) {
            kept.push(item.clone());
        }
        map[old as usize] = kept.len() as u32 - 1;
    }
    (kept, map)
}
