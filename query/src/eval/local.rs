//! The groups of a bucket's people: what its visits and events have of the dimensions.
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use headwater_core::{Coded, OTHER, Profiles, RowDimension, StrId, Tallies, VisitDimension};

use super::groups::{Groups, NONE};
use super::unit::Part;
use super::view::View;
use super::{Names, labels};
use crate::Dimension;

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
    /// By one property of visits, likewise.
    Visit(Having<'a>),
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

/// The groups of values, whose strings are looked at once.
struct Values<'a> {
    people: &'a Profiles,
    admitted: Option<Admitted<'a>>,
    /// What is shown where there is none.
    missing: &'static str,
    /// Whether no text is none.
    blank: bool,
    numbers: Option<(&'a Arc<Names>, &'a [u32])>,
    /// The group of the value at each place; `NONE` where nobody asked.
    known: Vec<u32>,
}

impl<'a> Values<'a> {
    /// Of a dimension, at so many places. `numbers` are those of the values, by place.
    fn new(
        dimension: &Dimension,
        people: &'a Profiles,
        rows: Option<(&'a Tallies, RowDimension)>,
        numbers: Option<(&'a Arc<Names>, &'a [u32])>,
        places: usize,
    ) -> Self {
        Self {
            people,
            admitted: rows.map(|(tallies, of)| Admitted::new(tallies, of, dimension)),
            missing: labels::missing_of(dimension),
            blank: !dimension.is_event(),
            numbers,
            known: vec![NONE; places],
        }
    }

    /// The group of the value at a place, which has this string.
    #[inline]
    fn group(&mut self, place: usize, string: impl FnOnce() -> StrId, groups: &mut Groups) -> u32 {
        match self.known.get(place) {
            Some(&group) if group != NONE => group,
            _ => self.find(place, string(), groups),
        }
    }

    fn find(&mut self, place: usize, string: StrId, groups: &mut Groups) -> u32 {
        let raw = self.people.dict.get(string);
        let shown = if self.blank && raw.is_empty() { self.missing } else { raw };
        let group = match (self.numbers, &self.admitted) {
            (Some(numbers), None) => groups.numbered(numbers, place, || shown),
            (_, Some(admitted)) if !admitted.has(raw) => groups.value(OTHER),
            _ => groups.value(shown),
        };
        if let Some(known) = self.known.get_mut(place) {
            *known = group;
        }
        group
    }
}

/// The values of one property of visits, by the place in its column.
struct Having<'a> {
    column: &'a Coded,
    values: Values<'a>,
}

impl<'a> Having<'a> {
    fn new(property: VisitDimension, part: &Part<'a>, rows: Option<(&'a Tallies, RowDimension)>) -> Self {
        let people = &*part.aggregate.people;
        let column = &people.contexts[property as usize];
        let numbers = part.lens.and_then(|lens| lens.contexts(property, people));
        Self { column, values: Values::new(&Dimension::Visit(property), people, rows, numbers, column.values.len()) }
    }

    #[inline]
    fn group(&mut self, context: u32, groups: &mut Groups) -> u32 {
        let code = self.column.codes.get(context as usize) as usize;
        self.values.group(code, || self.column.values.get(code).copied().unwrap_or(StrId(0)), groups)
    }
}

/// The values of one dimension of events, by their strings.
struct Occurring<'a> {
    /// Of each tuple the string; `NONE` where the event has no such property.
    strings: Vec<u32>,
    values: Values<'a>,
}

impl<'a> Occurring<'a> {
    fn new(dimension: &Dimension, part: &Part<'a>, rows: Option<(&'a Tallies, RowDimension)>) -> Self {
        let people = &*part.aggregate.people;
        let key = labels::key_of(people, dimension);
        let string = |tuple| labels::of_tuple(tuple, dimension, key).map_or(NONE, |id| id.0);
        let numbers = part.lens.filter(|_| *dimension == Dimension::Page).and_then(|lens| lens.pages(people));
        Self {
            strings: people.tuples.iter().map(string).collect(),
            values: Values::new(dimension, people, rows, numbers, people.dict.len()),
        }
    }

    #[inline]
    fn group(&mut self, tuple: u32, groups: &mut Groups) -> u32 {
        match self.strings.get(tuple as usize).copied().unwrap_or(NONE) {
            NONE => groups.value(self.values.missing),
            string => self.values.group(string as usize, || StrId(string), groups),
        }
    }
}

impl<'a> Local<'a> {
    /// With `rows`, values that have no row of their own in the tallies fall to `(other)`, as they did there.
    pub(super) fn new(
        dimensions: &[Dimension],
        part: &Part<'a>,
        rows: Option<(&'a Tallies, RowDimension)>,
        groups: &mut Groups,
    ) -> Self {
        let (people, view) = (&*part.aggregate.people, part.view);
        match dimensions {
            // Everything is in the group 0, which is also what is past the end of a table.
            [] => return Self { by_context: Vec::new(), by_tuple: Vec::new(), combined: Combined::Context, kinds: None },
            [Dimension::Visit(property)] if view.exits.is_none() => {
                let combined = Combined::Visit(Having::new(*property, part, rows));
                return Self { by_context: Vec::new(), by_tuple: Vec::new(), combined, kinds: None };
            }
            [one] if one.is_event() && *one != Dimension::Goal => {
                let combined = Combined::One(Occurring::new(one, part, rows));
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
    #[inline]
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
        matches!(self.combined, Combined::Context | Combined::Visit(_)) && self.kinds.is_none()
    }

    /// The group of a visit; meaningful if no dimension is of events.
    #[inline]
    pub(super) fn of_visit(&mut self, context: u32, groups: &mut Groups) -> u32 {
        match &mut self.combined {
            Combined::Visit(having) => having.group(context, groups),
            _ => self.by_context.get(context as usize).copied().unwrap_or(0),
        }
    }

    /// The group of an event, by the kind of its visit and its own.
    #[inline]
    pub(super) fn of_event(&mut self, context: u32, tuple: u32, groups: &mut Groups) -> u32 {
        let at = |table: &[u32], i: u32| table.get(i as usize).copied().unwrap_or(0);
        match &mut self.combined {
            Combined::Context => at(&self.by_context, context),
            Combined::Tuple => at(&self.by_tuple, tuple),
            Combined::Visit(having) => having.group(context, groups),
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
    let key = labels::key_of(people, dimension);
    let mut values = Values::new(dimension, people, rows, None, people.dict.len());
    let mut value = |id: StrId, groups: &mut Groups| values.group(id.index(), || id, groups);
    match dimension {
        Dimension::Visit(property) => (false, view.values(people, *property).into_iter().map(|id| value(id, groups)).collect()),
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
            let missing = labels::missing_of(dimension);
            let group = |id: Option<StrId>| match id {
                Some(id) => value(id, groups),
                None => groups.value(missing),
            };
            (true, ids.into_iter().map(group).collect())
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
