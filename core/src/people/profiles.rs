//! Profiles: people laid out in narrow columns. This is how they are written, stored, kept in memory and looked through;
//! [`People`], which is made of rows, is how they are merged.
use super::{Coded, Fact, People, Tuple, Visit, Visitor};
use crate::{Column, Dict, Hlls, Numbers, StrId, VisitDimension, VisitorHash};

/// The people of a bucket in columns. It is whole: every number is in range, and every order holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiles {
    /// The strings of contexts, tuples and sketches.
    pub dict: Dict,
    /// The distinct contexts of visits, sorted: a column of strings for each dimension.
    pub contexts: [Coded; VisitDimension::COUNT],
    /// The distinct event tuples, sorted.
    pub tuples: Vec<Tuple>,
    /// As [`People::theta`].
    pub theta: u64,
    /// Ascending.
    pub hashes: Box<[u64]>,
    /// Where each visitor's visits end; they begin where those of the one before end.
    pub visits_end: Box<[u32]>,
    /// The visits of all visitors, in their order.
    pub visits: VisitColumns,
    /// The facts of all visits, in their order.
    pub facts: FactColumns,
    /// The values of those facts that have any, with their places, ascending.
    pub numbers: Vec<(u32, Numbers)>,
    /// As [`People::hlls`].
    pub hlls: Option<Hlls>,
}

/// [`Visit`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisitColumns {
    /// Index into the contexts.
    pub context: Column,
    /// As [`Visit::tag`].
    pub tag: Column,
    /// As [`Visit::started`].
    pub started: Column,
    /// As [`Visit::went_on`].
    pub went_on: Column,
    /// Where its facts end.
    pub facts_end: Box<[u32]>,
}

/// [`Fact`]s without their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactColumns {
    /// Index into the tuples.
    pub tuple: Column,
    /// As [`Fact::count`].
    pub count: Column,
    /// As [`Fact::went_on`].
    pub went_on: Column,
    /// As [`Fact::engaged`].
    pub engaged: Column,
    /// As [`Fact::depth`].
    pub depth: Column,
}

impl Default for Profiles {
    fn default() -> Self {
        Self::from(&People::default())
    }
}

/// A visit with its place, that of its visitor and those of its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitAt {
    /// The place of its visitor.
    pub visitor: usize,
    /// Its place among all visits.
    pub place: usize,
    /// The places of its facts.
    pub facts: core::ops::Range<usize>,
}

impl Profiles {
    /// Whether everyone is there.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.theta == u64::MAX
    }

    /// How many distinct contexts there are.
    #[must_use]
    pub fn contexts(&self) -> usize {
        self.contexts.first().map_or(0, |column| column.codes.len())
    }

    /// A value of a context.
    #[must_use]
    pub fn context(&self, context: usize, dimension: VisitDimension) -> StrId {
        self.contexts[dimension as usize].get(context)
    }

    /// Every visit, in order.
    pub fn each_visit(&self) -> impl Iterator<Item = VisitAt> {
        let mut visitor = 0;
        (0..self.visits.facts_end.len()).map(move |place| {
            // Every visitor has a visit.
            visitor += usize::from(self.visits_end.get(visitor).is_some_and(|end| *end as usize == place));
            VisitAt { visitor, place, facts: self.facts_of(place) }
        })
    }

    /// The places of a visitor's visits.
    #[inline]
    #[must_use]
    pub fn visits_of(&self, visitor: usize) -> core::ops::Range<usize> {
        between(&self.visits_end, visitor)
    }

    /// The places of a visit's facts.
    #[inline]
    #[must_use]
    pub fn facts_of(&self, visit: usize) -> core::ops::Range<usize> {
        between(&self.visits.facts_end, visit)
    }

    /// Whether a visit with these facts has an event: one that only went on, or only engaged, counts as no visitor yet.
    #[must_use]
    pub fn counts(&self, mut facts: core::ops::Range<usize>) -> bool {
        facts.any(|fact| self.facts.count.get(fact) > 0)
    }

    /// The values of a fact, if it has any.
    #[must_use]
    pub fn numbers_of(&self, fact: u32) -> Option<&Numbers> {
        self.numbers.binary_search_by_key(&fact, |n| n.0).ok().and_then(|at| self.numbers.get(at)).map(|n| &n.1)
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let VisitColumns { context, tag, started, went_on, facts_end } = &self.visits;
        let of_facts = [&self.facts.tuple, &self.facts.count, &self.facts.went_on, &self.facts.engaged, &self.facts.depth];
        let columns = [context, tag, started, went_on].into_iter().chain(of_facts);
        let contexts: usize = self.contexts.iter().map(|column| column.codes.bytes() + column.values.len() * 4).sum();
        let props: usize = self.tuples.iter().map(|tuple| size_of_val(&*tuple.props)).sum();
        columns.map(Column::bytes).sum::<usize>()
            + contexts
            + self.hashes.len() * 12
            + facts_end.len() * 4
            + self.dict.bytes()
            + self.tuples.len() * size_of::<Tuple>()
            + props
            + self.numbers.len() * (size_of::<Numbers>() + 256)
            + self.hlls.as_ref().map_or(0, |hlls| (hlls.values.len() + 1) << 14)
    }

    /// As rows, to be merged.
    #[must_use]
    pub fn to_people(&self) -> People {
        let columns: Vec<Vec<StrId>> = self.contexts.iter().map(|column| column.map(|id| id)).collect();
        let mut people = People {
            dict: self.dict.clone(),
            contexts: (0..self.contexts()).map(|row| core::array::from_fn(|d| columns[d][row])).collect(),
            tuples: self.tuples.clone(),
            theta: self.theta,
            visitors: Vec::with_capacity(self.hashes.len()),
            visits: Vec::with_capacity(self.visits.context.len()),
            facts: Vec::with_capacity(self.facts.tuple.len()),
            hlls: self.hlls.clone(),
        };
        for (hash, end) in self.hashes.iter().zip(&self.visits_end) {
            people.visitors.push(Visitor { hash: VisitorHash(*hash), visits_end: *end });
        }
        for (at, end) in self.visits.facts_end.iter().enumerate() {
            people.visits.push(Visit {
                context: self.visits.context.get(at) as u32,
                tag: self.visits.tag.get(at) as u16,
                started: self.visits.started.get(at),
                went_on: self.visits.went_on.get(at),
                facts_end: *end,
            });
        }
        people.facts.extend((0..self.facts.tuple.len()).map(|at| Fact {
            tuple: self.facts.tuple.get(at) as u32,
            count: self.facts.count.get(at),
            went_on: self.facts.went_on.get(at),
            engaged: self.facts.engaged.get(at),
            depth: self.facts.depth.get(at),
            numbers: None,
        }));
        for (fact, numbers) in &self.numbers {
            if let Some(fact) = people.facts.get_mut(*fact as usize) {
                fact.numbers = Some(Box::new(numbers.clone()));
            }
        }
        people
    }
}

impl From<&People> for Profiles {
    fn from(people: &People) -> Self {
        let visits = &people.visits;
        let facts = &people.facts;
        let numbers = (0..).zip(facts).filter_map(|(at, fact)| fact.numbers.as_ref().map(|n| (at, (**n).clone())));
        Self {
            dict: people.dict.clone(),
            contexts: core::array::from_fn(|d| {
                Coded::new(&people.contexts.iter().map(|context| context[d].0).collect::<Vec<_>>())
            }),
            tuples: people.tuples.clone(),
            theta: people.theta,
            hashes: people.visitors.iter().map(|visitor| visitor.hash.0).collect(),
            visits_end: people.visitors.iter().map(|visitor| visitor.visits_end).collect(),
            visits: VisitColumns {
                context: of(visits, |visit| visit.context),
                tag: of(visits, |visit| visit.tag),
                started: of(visits, |visit| visit.started),
                went_on: of(visits, |visit| visit.went_on),
                facts_end: visits.iter().map(|visit| visit.facts_end).collect(),
            },
            facts: FactColumns {
                tuple: of(facts, |fact| fact.tuple),
                count: of(facts, |fact| fact.count),
                went_on: of(facts, |fact| fact.went_on),
                engaged: of(facts, |fact| fact.engaged),
                depth: of(facts, |fact| fact.depth),
            },
            numbers: numbers.collect(),
            hlls: people.hlls.clone(),
        }
    }
}

fn of<R, T: Copy + Into<u64>>(rows: &[R], number: impl Fn(&R) -> T) -> Column {
    Column::new(&rows.iter().map(number).collect::<Vec<T>>())
}

/// What is at a place, if this is where each ends.
#[inline]
fn between(ends: &[u32], at: usize) -> core::ops::Range<usize> {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    start..ends.get(at).map_or(start, |end| *end as usize)
}
