//! Groups: the combinations of values that rows are of, numbered densely over all buckets of a query.
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use headwater_core::{OTHER, Profiles, RowDimension, StrId, Tallies};

use super::Names;
use super::labels;
use super::matcher::Memo;
use super::view::View;
use crate::Dimension;

/// Every value and every combination seen so far. With one dimension a group is its value.
#[derive(Default)]
pub(super) struct Groups {
    ids: HashMap<Rc<str>, u32, RandomState>,
    values: Vec<Rc<str>>,
    combined: HashMap<Box<[u32]>, u32, RandomState>,
    combinations: Vec<Box<[u32]>>,
    /// The values of all buckets before in their order, the place in them, and both those and this bucket's up to there.
    before: Vec<u32>,
    at: usize,
    walked: Vec<u32>,
    walking: bool,
    /// The groups of numbered names, by number; `NONE` where there is none yet.
    numbered: Option<(Arc<Names>, Vec<u32>)>,
}

const NONE: u32 = u32::MAX;

impl Groups {
    pub(super) fn value(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let (id, text): (u32, Rc<str>) = (self.values.len() as u32, text.into());
        self.ids.insert(text.clone(), id);
        self.values.push(text);
        id
    }

    /// Begins a bucket of so many values, which come in ascending order.
    pub(super) fn walk(&mut self, values: usize) {
        if self.walking {
            let rest = self.before.get(self.at..).unwrap_or(&[]);
            self.walked.extend_from_slice(rest);
            self.before = std::mem::take(&mut self.walked);
            self.at = 0;
        }
        // Past many to meet few takes longer than to look these up.
        self.walking = self.before.len() <= values.saturating_mul(4);
    }

    /// The next value of a walk. Buckets have mostly the same values in the same order, so it is likely the one that
    /// came next before, which costs a comparison instead of a look-up.
    pub(super) fn next(&mut self, text: &str) -> u32 {
        if !self.walking {
            return self.value(text);
        }
        while let Some(&id) = self.before.get(self.at) {
            let order = self.values.get(id as usize).map_or(Ordering::Less, |value| (**value).cmp(text));
            if order == Ordering::Greater {
                break;
            }
            self.at += 1;
            self.walked.push(id);
            if order == Ordering::Equal {
                return id;
            }
        }
        let id = self.value(text);
        self.walked.push(id);
        id
    }

    /// The value of the row at a place, whose number among names is known. Which names it is that are asked for by number is decided by
    /// the first.
    pub(super) fn numbered<'t>(
        &mut self,
        (names, numbers): (&Arc<Names>, &[u32]),
        place: usize,
        text: impl FnOnce() -> &'t str,
    ) -> u32 {
        let number = numbers.get(place).copied().unwrap_or(0);
        let (known, groups) = self.numbered.get_or_insert_with(|| (names.clone(), Vec::new()));
        if !Arc::ptr_eq(known, names) {
            return self.value(text());
        }
        match groups.get(number as usize) {
            Some(&group) if group != NONE => return group,
            Some(_) => {}
            None => groups.resize(number as usize + 1, NONE),
        }
        let group = self.value(text());
        if let Some(known) = self.numbered.as_mut().and_then(|(_, groups)| groups.get_mut(number as usize)) {
            *known = group;
        }
        group
    }

    fn combination(&mut self, key: &[u32]) -> u32 {
        match key {
            [] => 0,
            [one] => *one,
            _ => {
                if let Some(&id) = self.combined.get(key) {
                    return id;
                }
                let id = self.combinations.len() as u32;
                self.combined.insert(key.into(), id);
                self.combinations.push(key.into());
                id
            }
        }
    }

    /// The values of a group.
    pub(super) fn names(&self, group: u32, dimensions: usize) -> Vec<Rc<str>> {
        let name = |id: u32| self.values.get(id as usize).cloned().unwrap_or_default();
        match dimensions {
            0 => Vec::new(),
            1 => vec![name(group)],
            _ => self.combinations.get(group as usize).map_or(Vec::new(), |key| key.iter().map(|id| name(*id)).collect()),
        }
    }
}

/// The groups of a bucket's visits and events.
pub(super) struct Local<'a> {
    by_context: Vec<u32>,
    by_tuple: Vec<u32>,
    combined: Combined<'a>,
    kinds: Option<Kinds>,
}

/// By `event:goal` an event of a tuple counts for each goal that it reaches: as an event of several kinds, or of none.
struct Kinds {
    /// Where the kinds of each tuple begin.
    starts: Vec<u32>,
    /// The tuple and the goal of each.
    of: Vec<(u32, u16)>,
}

impl Kinds {
    fn new(people: &Profiles, view: &View<'_>) -> Self {
        let mut kinds = Self { starts: vec![0], of: Vec::new() };
        for tuple in 0..people.tuples.len() {
            kinds.of.extend(view.reached(tuple).iter().map(|goal| (tuple as u32, *goal)));
            kinds.starts.push(kinds.of.len() as u32);
        }
        kinds
    }
}

enum Combined<'a> {
    Context,
    Tuple,
    /// By one property of events, whose values become groups as they occur: a filter leaves few of many.
    One(Occurring<'a>),
    /// (combination of the tuple, combination of the context) → group, filled as they occur.
    Both {
        known: HashMap<(u32, u32), u32, RandomState>,
        contexts: Vec<Vec<u32>>,
        tuples: Vec<Vec<u32>>,
        events: Vec<bool>,
    },
}

/// The values of one dimension of events.
struct Occurring<'a> {
    people: &'a Profiles,
    admitted: Option<Admitted<'a>>,
    missing: &'static str,
    /// Of each tuple; `None` where the event has no such property.
    values: Vec<Option<StrId>>,
    known: Memo<u32>,
}

impl<'a> Occurring<'a> {
    fn new(dimension: &Dimension, people: &'a Profiles, rows: Option<(&'a Tallies, RowDimension)>) -> Self {
        let key = labels::key_of(people, dimension);
        Self {
            people,
            admitted: rows.map(|(tallies, of)| Admitted::new(tallies, of, dimension)),
            missing: labels::missing_of(dimension),
            values: people.tuples.iter().map(|tuple| labels::of_tuple(tuple, dimension, key)).collect(),
            known: Memo::new(people.dict.len()),
        }
    }

    fn group(&mut self, tuple: u32, groups: &mut Groups) -> u32 {
        let Some(id) = self.values.get(tuple as usize).copied().flatten() else { return groups.value(self.missing) };
        let Self { people, admitted, known, .. } = self;
        known.get(id, |id| {
            let raw = people.dict.get(id);
            groups.value(if admitted.as_ref().is_none_or(|a| a.has(raw)) { raw } else { OTHER })
        })
    }
}

impl<'a> Local<'a> {
    /// With `rows`, values that have no row of their own in the tallies fall to `(other)`, as they did there.
    pub(super) fn new(
        dimensions: &[Dimension],
        people: &'a Profiles,
        view: &View<'_>,
        rows: Option<(&'a Tallies, RowDimension)>,
        groups: &mut Groups,
    ) -> Self {
        match dimensions {
            // Everything is in the group 0, which is also what is past the end of a table.
            [] => return Self { by_context: Vec::new(), by_tuple: Vec::new(), combined: Combined::Context, kinds: None },
            [one] if one.is_event() && *one != Dimension::Goal => {
                let combined = Combined::One(Occurring::new(one, people, rows));
                return Self { by_context: Vec::new(), by_tuple: Vec::new(), combined, kinds: None };
            }
            _ => {}
        }
        let kinds = dimensions.contains(&Dimension::Goal).then(|| Kinds::new(people, view));
        let columns: Vec<(bool, Vec<u32>)> =
            dimensions.iter().map(|d| column(d, people, view, kinds.as_ref(), rows, groups)).collect();
        let some = |event: bool| columns.iter().any(|c| c.0 == event);
        let (contexts, tuples) = (view.contexts(people), kinds.as_ref().map_or(people.tuples.len(), |k| k.of.len()));
        if !some(true) {
            let by_context = match <[_; 1]>::try_from(columns) {
                Ok([(_, groups)]) => groups,
                Err(columns) => (0..contexts).map(|c| groups.combination(&key(&columns, c, c))).collect(),
            };
            return Self { by_context, by_tuple: Vec::new(), combined: Combined::Context, kinds };
        }
        if !some(false) {
            let by_tuple = (0..tuples).map(|t| groups.combination(&key(&columns, t, t))).collect();
            return Self { by_context: Vec::new(), by_tuple, combined: Combined::Tuple, kinds };
        }
        let (by_context, contexts) = distinct(&columns, false, contexts);
        let (by_tuple, tuples) = distinct(&columns, true, tuples);
        let events = columns.iter().map(|c| c.0).collect();
        Self { by_context, by_tuple, combined: Combined::Both { known: HashMap::default(), contexts, tuples, events }, kinds }
    }

    /// The kinds of an event of a tuple.
    pub(super) fn kinds(&self, tuple: u32) -> std::ops::Range<u32> {
        let Some(Kinds { starts, .. }) = &self.kinds else { return tuple..tuple + 1 };
        let at = |i: usize| starts.get(i).copied().unwrap_or(0);
        at(tuple as usize)..at(tuple as usize + 1)
    }

    /// The goal that a kind of event stands for, if kinds are of goals.
    pub(super) fn goal(&self, kind: u32) -> Option<u16> {
        self.kinds.as_ref().and_then(|kinds| kinds.of.get(kind as usize)).map(|of| of.1)
    }

    /// Whether no dimension is of events.
    pub(super) const fn is_of_visits(&self) -> bool {
        matches!(self.combined, Combined::Context) && self.kinds.is_none()
    }

    /// The group of a visit; meaningful if no dimension is of events.
    pub(super) fn of_visit(&self, context: u32) -> u32 {
        self.by_context.get(context as usize).copied().unwrap_or(0)
    }

    /// The group of an event, by the kind of its visit and its own.
    pub(super) fn of_event(&mut self, context: u32, tuple: u32, groups: &mut Groups) -> u32 {
        let at = |table: &[u32], i: u32| table.get(i as usize).copied().unwrap_or(0);
        match &mut self.combined {
            Combined::Context => at(&self.by_context, context),
            Combined::Tuple => at(&self.by_tuple, tuple),
            Combined::One(occurring) => occurring.group(tuple, groups),
            Combined::Both { known, contexts, tuples, events } => {
                let (c, t) = (at(&self.by_context, context), at(&self.by_tuple, tuple));
                *known.entry((t, c)).or_insert_with(|| {
                    let (mut of_visit, mut of_event) = (contexts[c as usize].iter(), tuples[t as usize].iter());
                    let mut next = |event: &bool| if *event { of_event.next() } else { of_visit.next() };
                    let key: Vec<u32> = events.iter().map(|event| next(event).copied().unwrap_or(0)).collect();
                    groups.combination(&key)
                })
            }
        }
    }
}

/// Whether the dimension is of events, and its value for each kind of event or visit.
fn column(
    dimension: &Dimension,
    people: &Profiles,
    view: &View<'_>,
    kinds: Option<&Kinds>,
    rows: Option<(&Tallies, RowDimension)>,
    groups: &mut Groups,
) -> (bool, Vec<u32>) {
    let missing = labels::missing_of(dimension);
    let key = labels::key_of(people, dimension);
    let admitted = rows.map(|(tallies, of)| Admitted::new(tallies, of, dimension));
    let mut known = Memo::new(people.dict.len());
    let mut value = |id| {
        known.get(id, |id| {
            let raw = people.dict.get(id);
            let admitted = admitted.as_ref().is_none_or(|a| a.has(raw));
            let shown = if raw.is_empty() && !dimension.is_event() { missing } else { raw };
            groups.value(if admitted { shown } else { OTHER })
        })
    };
    match dimension {
        Dimension::Visit(property) => (false, view.values(people, *property).into_iter().map(value).collect()),
        Dimension::ExitPage => (false, (0..view.contexts(people)).map(|kind| groups.value(view.exit(kind))).collect()),
        Dimension::Goal => {
            let name = |goal: u16| view.goals.get(usize::from(goal)).map_or("", |goal| &*goal.name);
            let of = kinds.map_or(&[][..], |kinds| &kinds.of);
            (true, of.iter().map(|(_, goal)| groups.value(name(*goal))).collect())
        }
        _ => {
            let of = |tuple: &headwater_core::Tuple| labels::of_tuple(tuple, dimension, key);
            let ids: Vec<_> = match kinds {
                Some(kinds) => kinds.of.iter().map(|(tuple, _)| people.tuples.get(*tuple as usize).and_then(of)).collect(),
                None => people.tuples.iter().map(of).collect(),
            };
            let mut values: Vec<u32> = ids.iter().map(|id| id.map_or(u32::MAX, &mut value)).collect();
            if values.contains(&u32::MAX) {
                let none = groups.value(missing);
                values.iter_mut().filter(|v| **v == u32::MAX).for_each(|v| *v = none);
            }
            (true, values)
        }
    }
}

/// The values that have a row of their own in a bucket's tallies.
struct Admitted<'t> {
    tallies: &'t Tallies,
    rows: &'t [headwater_core::Row],
    key: Option<headwater_core::StrId>,
    /// Without an `(other)` nothing was refused.
    all: bool,
}

impl<'t> Admitted<'t> {
    fn new(tallies: &'t Tallies, of: RowDimension, dimension: &Dimension) -> Self {
        let key = match dimension {
            Dimension::Prop(name) => tallies.dict.find(name),
            _ => Some(headwater_core::StrId(0)),
        };
        let mut admitted = Self { tallies, rows: tallies.of(of), key, all: false };
        admitted.all = !admitted.has(OTHER);
        admitted
    }

    fn has(&self, value: &str) -> bool {
        let (Some(key), Some(id)) = (self.key, self.tallies.dict.find(value)) else { return self.all };
        self.all || self.rows.binary_search_by_key(&(key, id), |r| (r.key.key, r.key.value)).is_ok()
    }
}

fn key(columns: &[(bool, Vec<u32>)], context: usize, tuple: usize) -> Vec<u32> {
    let value = |(event, values): &(bool, Vec<u32>)| values.get(if *event { tuple } else { context }).copied().unwrap_or(0);
    columns.iter().map(value).collect()
}

/// Numbers the combinations of one side, in order of first occurrence.
fn distinct(columns: &[(bool, Vec<u32>)], event: bool, len: usize) -> (Vec<u32>, Vec<Vec<u32>>) {
    let mut seen: HashMap<Vec<u32>, u32, RandomState> = HashMap::default();
    let mut keys = Vec::new();
    let ids = (0..len).map(|i| {
        let key: Vec<u32> = columns.iter().filter(|c| c.0 == event).map(|c| c.1.get(i).copied().unwrap_or(0)).collect();
        let next = keys.len() as u32;
        *seen.entry(key).or_insert_with_key(|key| {
            keys.push(key.clone());
            next
        })
    });
    (ids.collect(), keys)
}
