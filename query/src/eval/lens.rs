//! A lens: what is worked out once about a bucket and kept beside it, as long as it stays in memory.
//!
//! The people of one bucket and one row of tallies never change while the bucket does not, so the questions that are
//! asked most (who saw which page, day by day) cost a look at the rows instead of a scan of everyone. A bucket whose time is
//! over can be stored with what its lens knows ([`Lens::written`]).
use std::sync::{Arc, OnceLock};

use headwater_core::{Dict, Estimate, Hlls, OTHER, Packed, Profiles, Row, RowDimension, StrId, Tallies, VisitDimension};

use serde::{Deserialize, Serialize};

use super::Names;
use super::matcher::Memo;

/// Kept beside one aggregate; never beside another.
#[derive(Clone, Debug, Default)]
pub struct Lens {
    by_dimension: [OnceLock<Uniques>; PLACES],
    names: Option<Arc<Names>>,
    /// The number of the value of each row, by dimension.
    numbers: [OnceLock<Box<[u32]>>; PLACES],
    /// The numbers of what people have, if it is kept beside them.
    people: Option<Box<Numbered>>,
}

/// Names of what people have.
#[derive(Clone, Debug, Default)]
struct Numbered {
    names: Arc<Names>,
    /// By the places of a column of contexts.
    contexts: [OnceLock<Box<[u32]>>; VisitDimension::COUNT],
    /// By strings, of which only pages have numbers.
    pages: OnceLock<Box<[u32]>>,
}

/// How many dimensions have a place.
const PLACES: usize = 4 + VisitDimension::COUNT;

/// About each row of one dimension, in the order of the rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Uniques {
    /// How many visitors the sample holds.
    pub(super) visitors: Vec<u32>,
    /// What their sketch says, where that is surer, by row.
    pub(super) sketched: Vec<(u32, Estimate)>,
    /// For dimensions of events: distinct visits with such an event, how many of them started in this bucket, and how
    /// many of those went on, as found in the sample.
    pub(super) visits: Vec<[u64; 3]>,
    /// The sums of the squares of each visitor's; nothing where the sample holds everyone.
    pub(super) squares: Vec<[f64; 3]>,
}

impl Uniques {
    /// What the sketch of a row says, if that is surer than the sample.
    pub(super) fn sketch(&self, row: usize) -> Option<Estimate> {
        self.sketched.binary_search_by_key(&row, |s| s.0 as usize).ok().and_then(|at| self.sketched.get(at)).map(|s| s.1)
    }

    /// The visits of a row, and the sums of squares.
    pub(super) fn visits(&self, row: usize) -> ([u64; 3], [f64; 3]) {
        (self.visits.get(row).copied().unwrap_or_default(), self.squares.get(row).copied().unwrap_or_default())
    }
}

/// What is written of a dimension.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u8,
    /// The least hash of those whom the sample leaves out.
    theta: u64,
    uniques: Uniques,
}

/// Of what is written.
const VERSION: u8 = 1;

impl Lens {
    /// A lens for a bucket of a site, whose rows have the numbers that its other buckets' have.
    #[must_use]
    pub fn of_site(names: Arc<Names>) -> Self {
        Self { names: Some(names), ..Self::default() }
    }

    /// A lens for the people of a bucket, whatever rows they come with.
    #[must_use]
    pub fn of_people(names: Arc<Names>) -> Self {
        Self { people: Some(Box::new(Numbered { names, ..Numbered::default() })), ..Self::default() }
    }

    /// The numbers of the values of a property of visits, in their order, and whose they are.
    pub(super) fn contexts(&self, property: VisitDimension, people: &Profiles) -> Option<(&Arc<Names>, &[u32])> {
        let Numbered { names, contexts, .. } = &**self.people.as_ref()?;
        let values = || people.contexts[property as usize].values.iter().map(|id| people.dict.get(*id));
        Some((names, contexts[property as usize].get_or_init(|| names.numbers(values()))))
    }

    /// The numbers of the pages of events by their strings, and whose they are.
    pub(super) fn pages(&self, people: &Profiles) -> Option<(&Arc<Names>, &[u32])> {
        let Numbered { names, pages, .. } = &**self.people.as_ref()?;
        let number = || {
            let mut ids: Vec<StrId> = people.tuples.iter().map(|tuple| tuple.page).collect();
            ids.sort_unstable();
            ids.dedup();
            let numbers = names.numbers(ids.iter().map(|id| people.dict.get(*id)));
            let mut by_string = vec![0; people.dict.len()].into_boxed_slice();
            for (id, number) in ids.iter().zip(&numbers) {
                by_string[id.index()] = *number;
            }
            by_string
        };
        Some((names, pages.get_or_init(number)))
    }

    /// The numbers of the values of a dimension's rows, and whose they are; `None` for properties, and without a site.
    pub(super) fn numbers(&self, dimension: RowDimension, tallies: &Tallies) -> Option<(&Arc<Names>, &[u32])> {
        let names = self.names.as_ref()?;
        let numbers = || names.numbers(tallies.of(dimension).iter().map(|row| tallies.dict.get(row.key.value)));
        Some((names, self.numbers.get(place(dimension)?)?.get_or_init(numbers)))
    }

    /// About the rows of a dimension, worked out now if it was not before. `None` for properties.
    pub(super) fn of(&self, dimension: RowDimension, aggregate: &Packed) -> Option<&Uniques> {
        Some(self.by_dimension.get(place(dimension)?)?.get_or_init(|| Uniques::new(dimension, aggregate)))
    }

    /// Works out what is asked about the rows of a dimension, and of the total, as long as the people are at hand.
    /// Afterwards [`crate::Need::Uniques`] of it can be answered without them.
    pub fn prepare(&self, dimension: RowDimension, aggregate: &Packed) {
        self.of(RowDimension::Total, aggregate);
        self.of(dimension, aggregate);
    }

    /// What a lens knows of each dimension of a bucket, to be stored beside it.
    pub fn written(aggregate: &Packed) -> impl Iterator<Item = (RowDimension, Vec<u8>)> {
        let visits = VisitDimension::ALL.iter().map(|dimension| RowDimension::Visit(*dimension));
        let all = [RowDimension::Total, RowDimension::Name, RowDimension::Page, RowDimension::Hostname].into_iter().chain(visits);
        let write = |dimension| {
            let uniques = Uniques::new(dimension, aggregate);
            postcard::to_stdvec(&Written { version: VERSION, theta: aggregate.people.theta, uniques }).unwrap_or_default()
        };
        all.map(move |dimension| (dimension, write(dimension)))
    }

    /// Takes what was written of a dimension, and gives theta of the people it was written about. `None` if it was not written
    /// about these tallies.
    #[must_use]
    pub fn read(&self, dimension: RowDimension, written: &[u8], tallies: &Tallies) -> Option<u64> {
        let Written { version: VERSION, theta, uniques } = postcard::from_bytes(written).ok()? else { return None };
        let rows = tallies.of(dimension).len();
        let whole = |length: usize| length == 0 || length == rows;
        if uniques.visitors.len() != rows || !whole(uniques.visits.len()) || !whole(uniques.squares.len()) {
            return None;
        }
        self.by_dimension.get(place(dimension)?)?.get_or_init(|| uniques);
        Some(theta)
    }

    /// Whether that was done, or worked out, for a dimension and the total.
    #[must_use]
    pub fn knows(&self, dimension: RowDimension) -> bool {
        let known = |place: usize| self.by_dimension.get(place).is_some_and(|known| known.get().is_some());
        known(0) && place(dimension).is_some_and(known)
    }

    /// About how many bytes it takes now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let known = self.by_dimension.iter().filter_map(OnceLock::get);
        let bytes = |u: &Uniques| {
            u.visitors.len() * size_of::<u32>()
                + u.sketched.len() * size_of::<(u32, Estimate)>()
                + (u.visits.len() + u.squares.len()) * 24
        };
        let numbers = self.numbers.iter().filter_map(OnceLock::get).map(|numbers| size_of_val(&**numbers));
        known.map(bytes).chain(numbers).sum()
    }
}

/// Where a dimension has its place; properties have none.
const fn place(dimension: RowDimension) -> Option<usize> {
    Some(match dimension {
        RowDimension::Total => 0,
        RowDimension::Name => 1,
        RowDimension::Page => 2,
        RowDimension::Hostname => 3,
        RowDimension::Visit(property) => 4 + property as usize,
        RowDimension::Prop => return None,
    })
}

/// No row: there is none for the value, and no `(other)`.
const NONE: u32 = u32::MAX;

impl Uniques {
    fn new(dimension: RowDimension, aggregate: &Packed) -> Self {
        let Packed { tallies, people } = aggregate;
        let rows = tallies.of(dimension);
        let mut find = Finder::new(tallies, rows, &people.dict);
        let mut counted = Counted::new(rows.len());
        match dimension {
            RowDimension::Total => counted.visits(people, &vec![0; people.contexts()]),
            RowDimension::Visit(property) => {
                let of_context = people.contexts[property as usize].map(|id| find.row(id));
                counted.visits(people, &of_context);
            }
            _ => {
                let value = |t: &headwater_core::Tuple| match dimension {
                    RowDimension::Name => t.name,
                    RowDimension::Page => t.page,
                    _ => t.hostname,
                };
                let of_tuple: Vec<u32> = people.tuples.iter().map(|t| find.row(value(t))).collect();
                counted.events(people, &of_tuple);
            }
        }
        let sketched = people.hlls.as_ref().map(|hlls| sketches(&counted.visitors, hlls, dimension, rows, tallies, people));
        let Counted { visitors, visits, mut squares, .. } = counted;
        if people.is_complete() {
            squares.clear();
        }
        Self { visitors, sketched: sketched.unwrap_or_default(), visits, squares }
    }
}

/// The sketches of the rows whose bounds are narrower than the sample's.
fn sketches(
    visitors: &[u32],
    hlls: &Hlls,
    dimension: RowDimension,
    rows: &[Row],
    tallies: &Tallies,
    people: &Profiles,
) -> Vec<(u32, Estimate)> {
    let of = |(at, (visitors, row)): (u32, (&u32, &Row))| {
        let hll = match dimension {
            RowDimension::Total => Some(&hlls.total),
            _ => people.dict.find(tallies.dict.get(row.key.value)).and_then(|id| hlls.of(dimension, id)),
        };
        let sampled = Estimate::from_sample(u64::from(*visitors), people.theta);
        let sketched = hll.map(headwater_core::Hll::estimate).filter(|e| e.high - e.low < sampled.high - sampled.low);
        sketched.map(|estimate| (at, estimate))
    };
    (0..).zip(visitors.iter().zip(rows)).filter_map(of).collect()
}

/// The row of a value of the people's dictionary: its own, or `(other)` if it was refused one.
struct Finder<'a> {
    tallies: &'a Tallies,
    rows: &'a [Row],
    dict: &'a Dict,
    known: Memo<u32>,
    other: u32,
}

impl<'a> Finder<'a> {
    fn new(tallies: &'a Tallies, rows: &'a [Row], dict: &'a Dict) -> Self {
        let other = find(tallies, rows, OTHER, NONE);
        Self { tallies, rows, dict, known: Memo::new(dict.len()), other }
    }

    fn row(&mut self, value: StrId) -> u32 {
        let Self { tallies, rows, dict, known, other } = self;
        known.get(value, |id| find(tallies, rows, dict.get(id), *other))
    }
}

fn find(tallies: &Tallies, rows: &[Row], value: &str, other: u32) -> u32 {
    let Some(id) = tallies.dict.find(value) else { return other };
    rows.binary_search_by_key(&id, |row| row.key.value).map_or(other, |at| at as u32)
}

struct Counted {
    visitors: Vec<u32>,
    visits: Vec<[u64; 3]>,
    squares: Vec<[f64; 3]>,
    /// The last visitor counted in a row, plus one.
    seen: Vec<u32>,
}

impl Counted {
    fn new(rows: usize) -> Self {
        Self { visitors: vec![0; rows], visits: Vec::new(), squares: Vec::new(), seen: vec![0; rows] }
    }

    fn saw(&mut self, row: u32, visitor: u32) -> bool {
        let Some(seen) = self.seen.get_mut(row as usize).filter(|seen| **seen != visitor + 1) else { return false };
        *seen = visitor + 1;
        self.visitors[row as usize] += 1;
        true
    }

    /// By properties of visits: a visit counts once it has an event.
    fn visits(&mut self, people: &Profiles, of_context: &[u32]) {
        for visit in people.each_visit() {
            if people.counts(visit.facts) {
                let context = people.visits.context.get(visit.place) as usize;
                self.saw(of_context.get(context).copied().unwrap_or(NONE), visit.visitor as u32);
            }
        }
    }

    /// By properties of events.
    fn events(&mut self, people: &Profiles, of_tuple: &[u32]) {
        let (columns, facts) = (&people.visits, &people.facts);
        self.visits.resize(self.visitors.len(), [0; 3]);
        self.squares.resize(self.visitors.len(), [0.0; 3]);
        let mut own: Vec<(u32, u64)> = Vec::new();
        let mut sums: Vec<(u32, [u64; 3])> = Vec::new();
        for visitor in 0..people.hashes.len() {
            let visits = people.visits_of(visitor);
            let single = visits.len() == 1;
            own.clear();
            for place in visits.clone() {
                let tag = columns.tag.get(place);
                for event in people.facts_of(place).filter(|event| facts.count.get(*event) > 0) {
                    let row = of_tuple.get(facts.tuple.get(event) as usize).copied().unwrap_or(NONE);
                    let new = self.saw(row, visitor as u32);
                    // With one visit, who is new here is a new visit too.
                    let new = if single { new } else { row != NONE && !own.contains(&(row, tag)) };
                    if new {
                        own.push((row, tag));
                    }
                }
            }
            sums.clear();
            for (row, tag) in own.iter().filter(|(row, _)| *row != NONE) {
                let same = visits.clone().filter(|place| columns.tag.get(*place) == *tag);
                let add = |sum: (u64, u64), at| (sum.0 + columns.started.get(at), sum.1 + columns.went_on.get(at));
                let (started, went_on) = same.fold((0, 0), add);
                match sums.iter_mut().find(|sum| sum.0 == *row) {
                    Some((_, sum)) => *sum = [sum[0] + 1, sum[1] + started, sum[2] + went_on],
                    None => sums.push((*row, [1, started, went_on])),
                }
            }
            for (row, sum) in &sums {
                let (visits, squares) = (&mut self.visits[*row as usize], &mut self.squares[*row as usize]);
                for (i, count) in sum.iter().enumerate() {
                    visits[i] += count;
                    squares[i] += (*count as f64).powi(2);
                }
            }
        }
    }
}
