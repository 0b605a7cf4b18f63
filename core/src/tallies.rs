//! Tallies: exact counts by dimension and value. They answer whatever is not filtered and not about people.
mod sheets;

use crate::dict::Dict;
use crate::{Numbers, RowDimension, StrId};

/// Exact non-negative counts of a row. Nothing in it is ever subtracted: bounces are shown as `visits` less
/// `visits_went_on`, exits as `views` less `views_went_on`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Page views.
    pub views: u64,
    /// Events, page views among them.
    pub events: u64,
    /// Visits that started.
    pub visits: u64,
    /// Visits, of those that started here, that went on.
    pub visits_went_on: u64,
    /// Views that were followed by another view of their visit.
    pub views_went_on: u64,
    /// Engaged seconds.
    pub engaged: u64,
    /// Per cent of page depth: the increments of each view's deepest point.
    pub depth: u64,
    /// Values by currency (empty where they are no money), sorted. Only rows of `event:name` have them: the values of
    /// different events have nothing in common.
    pub numbers: Vec<(StrId, Numbers)>,
}

impl Tally {
    /// Adds another tally; both speak of the same dictionary.
    pub fn add(&mut self, other: &Self) {
        self.views = self.views.saturating_add(other.views);
        self.events = self.events.saturating_add(other.events);
        self.visits = self.visits.saturating_add(other.visits);
        self.visits_went_on = self.visits_went_on.saturating_add(other.visits_went_on);
        self.views_went_on = self.views_went_on.saturating_add(other.views_went_on);
        self.engaged = self.engaged.saturating_add(other.engaged);
        self.depth = self.depth.saturating_add(other.depth);
        for (currency, numbers) in &other.numbers {
            match self.numbers.binary_search_by_key(currency, |n| n.0) {
                Ok(at) => self.numbers[at].1.add(numbers),
                Err(at) => self.numbers.insert(at, (*currency, numbers.clone())),
            }
        }
    }
}

/// What a tally is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The dimension.
    pub dimension: RowDimension,
    /// The property's name for [`RowDimension::Prop`], otherwise empty.
    pub key: StrId,
    /// The dimension's value.
    pub value: StrId,
}

/// One value of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is counted.
    pub key: RowKey,
    /// The counts.
    pub tally: Tally,
}

/// The tallies of a bucket: rows sorted by key, each key once, none of them all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// The strings of keys, values and currencies.
    pub dict: Dict,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Tallies {
    /// The rows of one dimension (of all property names for `Prop`), sorted by key and value.
    #[must_use]
    pub fn of(&self, dimension: RowDimension) -> &[Row] {
        let start = self.rows.partition_point(|r| r.key.dimension < dimension);
        let end = self.rows.partition_point(|r| r.key.dimension <= dimension);
        &self.rows[start..end]
    }

    /// The sum of everything; `None` if nothing happened.
    #[must_use]
    pub fn total(&self) -> Option<&Tally> {
        self.of(RowDimension::Total).first().map(|row| &row.tally)
    }

    /// The sum of tallies: commutative, associative, with [`Tallies::default`] as identity.
    #[must_use]
    pub fn merge(inputs: &[&Self]) -> Self {
        if let [one] = inputs {
            return (*one).clone();
        }
        let dicts: Vec<&Dict> = inputs.iter().map(|t| &t.dict).collect();
        let (dict, maps) = Dict::union(&dicts);
        let mut rows: Vec<Row> = Vec::with_capacity(inputs.iter().map(|t| t.rows.len()).sum());
        for (tallies, map) in inputs.iter().zip(&maps) {
            rows.extend(tallies.rows.iter().map(|row| row.translated(map)));
        }
        rows.sort_by_key(|row| row.key);
        rows.dedup_by(|later, kept| {
            let same = later.key == kept.key;
            if same {
                kept.tally.add(&later.tally);
            }
            same
        });
        Self { dict, rows }
    }

    /// These tallies with the rows that `admits` refuses summed into `(other)` of their dimension and key, so that
    /// rows and `(other)` still equal the total. Numeric summaries go along.
    #[must_use]
    pub fn admit(&self, mut admits: impl FnMut(RowDimension, &str, &str) -> bool) -> Self {
        let mut kept = Vec::new();
        let mut refused = Vec::new();
        for row in &self.rows {
            let RowKey { dimension, key, value } = row.key;
            let named = dimension == RowDimension::Total || self.dict.get(value) == crate::OTHER;
            if named || admits(dimension, self.dict.get(key), self.dict.get(value)) {
                kept.push(row.clone());
            } else {
                refused.push(row.clone());
            }
        }
        if refused.is_empty() {
            return self.clone();
        }
        let others = Dict::from_sorted([crate::OTHER]);
        let (dict, maps) = Dict::union(&[&self.dict, &others]);
        let other = maps[1][1];
        for row in &mut refused {
            *row = row.translated(&maps[0]);
            row.key.value = other;
        }
        kept.iter_mut().for_each(|row| *row = row.translated(&maps[0]));
        refused.sort_by_key(|row| row.key);
        let others = Self { dict: dict.clone(), rows: Vec::new() }.with(refused);
        Self::merge(&[&Self { dict, rows: kept }, &others]).pruned()
    }

    fn with(mut self, rows: Vec<Row>) -> Self {
        for row in rows {
            match self.rows.last_mut() {
                Some(last) if last.key == row.key => last.tally.add(&row.tally),
                _ => self.rows.push(row),
            }
        }
        self
    }

    /// The same rows with a dictionary of only what they use.
    #[must_use]
    pub(crate) fn pruned(&self) -> Self {
        let mut used = vec![false; self.dict.len()];
        for row in &self.rows {
            used[row.key.key.index()] = true;
            used[row.key.value.index()] = true;
            row.tally.numbers.iter().for_each(|(currency, _)| used[currency.index()] = true);
        }
        let (dict, map) = self.dict.pruned(&used);
        Self { dict, rows: self.rows.iter().map(|row| row.translated(&map)).collect() }
    }
}

impl Row {
    fn translated(&self, map: &[StrId]) -> Self {
        let mut row = self.clone();
        row.key.key = map[row.key.key.index()];
        row.key.value = map[row.key.value.index()];
        row.tally.numbers.iter_mut().for_each(|n| n.0 = map[n.0.index()]);
        row
    }
}
