//! The rows of one dimension, of all buckets of a range.
//!
//! Values are numbered once, and what rows count stands in columns: so thousands of rows of many days are short, and shorter still when they
//! are compressed.
use headwater_core::Estimate;
use serde::Serialize;

use super::read::Reader;
use crate::Dimension;
use crate::sum::share;
use crate::totals::{Table, What};

/// The columns: what is [counted](Counts) of each row, in that order.
const COLUMNS: usize = 13;

/// What is counted of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Events; page views; visits, and those that went on; engaged seconds; depth: as in a [`headwater_core::Tally`].
    pub(crate) events: u64,
    pub(crate) views: u64,
    pub(crate) started: u64,
    pub(crate) went_on: u64,
    pub(crate) engaged: u64,
    pub(crate) depth: u64,
    /// The visitors that the sample holds.
    pub(crate) visitors: u64,
    /// By dimensions of events, distinct visits with such an event.
    pub(crate) visits: u64,
    /// Of the visits that a bounce rate is of, how many started, and how many went on; by pages, those that entered there: for certain, as
    /// tallies have them.
    pub(crate) bounces: [u64; 2],
    /// Of the last three the sums of the squares of what each visitor has, where a sample tells them.
    pub(crate) squares: [u64; 3],
}

impl Counts {
    /// Of events those that are no page views are written: they are few.
    #[cfg(feature = "eval")]
    const fn columns(&self) -> [u64; COLUMNS] {
        let Self { events, views, started, went_on, engaged, depth, visitors, visits, bounces, squares } = *self;
        let others = events.wrapping_sub(views);
        let ([bounced, on], [a, b, c]) = (bounces, squares);
        [others, views, started, went_on, engaged, depth, visitors, visits, bounced, on, a, b, c]
    }

    const fn of(columns: [u64; COLUMNS]) -> Self {
        let [others, views, started, went_on, engaged, depth, visitors, visits, bounced, on, squares @ ..] = columns;
        let events = others.wrapping_add(views);
        Self { events, views, started, went_on, engaged, depth, visitors, visits, bounces: [bounced, on], squares }
    }
}

/// The rows of one dimension, bucket by bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sheet {
    /// The dimension.
    pub dimension: Dimension,
    /// Its values as answers call them, ascending.
    values: Vec<String>,
    /// How many rows each bucket has.
    rows: Vec<u64>,
    /// The value of each row: by how many places it comes after that of the row before in the bucket.
    steps: Vec<u64>,
    /// What is counted, by row; nothing where all is 0.
    columns: Vec<Vec<u64>>,
    /// What HyperLogLogs say of visitors where that is surer than the sample, by row.
    sketched: Vec<(u64, Estimate)>,
}

/// A row that is written.
#[cfg(feature = "eval")]
pub(crate) struct Line<'a> {
    pub(crate) value: &'a str,
    pub(crate) counts: Counts,
    pub(crate) sketched: Option<Estimate>,
}

impl Sheet {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let numbers = |reader: &mut Reader<'_>| reader.list(Reader::number);
        Some(Self {
            dimension: reader.dimension()?,
            values: reader.list(Reader::text)?,
            rows: numbers(reader)?,
            steps: numbers(reader)?,
            columns: reader.list(numbers)?,
            sketched: reader.list(|reader| Some((reader.number()?, reader.estimate()?)))?,
        })
    }

    /// Whether it is one of so many buckets, and holds together.
    pub(super) fn is_of(&self, buckets: usize) -> bool {
        let rows = self.steps.len();
        let sum = self.rows.iter().fold(0_u64, |sum, rows| sum.saturating_add(*rows));
        let columns =
            self.columns.len() == COLUMNS && self.columns.iter().all(|column| column.is_empty() || column.len() == rows);
        let ascends = self.sketched.windows(2).all(|two| matches!(two, [a, b] if a.0 < b.0));
        self.rows.len() == buckets && sum == rows as u64 && columns && ascends && self.values_are_known()
    }

    fn values_are_known(&self) -> bool {
        let mut start = 0;
        self.rows.iter().all(|rows| {
            let end = start + *rows as usize;
            let steps = self.steps.get(start..end).unwrap_or_default();
            start = end;
            let last = steps.iter().fold(0_u64, |sum, step| sum.saturating_add(*step));
            steps.is_empty() || last < self.values.len() as u64
        })
    }

    /// A value by its number.
    pub(super) fn value(&self, number: u32) -> &str {
        self.values.get(number as usize).map_or("", String::as_str)
    }

    /// Whether some values have no rows of their own.
    pub(super) fn has_other(&self) -> bool {
        self.values.binary_search_by(|value| value.as_str().cmp(headwater_core::OTHER)).is_ok()
    }

    /// Adds up the rows of some buckets, the first of which is the `first`th, by the number of their value. Of each is told theta.
    pub(super) fn add_up(&self, first: usize, thetas: impl Iterator<Item = u64>) -> Table {
        let mut table = Table::default();
        let before = self.rows.get(..first).unwrap_or_default();
        let mut row = before.iter().map(|rows| *rows as usize).sum::<usize>();
        for (theta, rows) in thetas.zip(self.rows.get(first..).unwrap_or_default()) {
            let p = share(theta);
            let mut value = 0;
            for _ in 0..*rows {
                value += self.steps.get(row).copied().unwrap_or(0) as u32;
                let mut counts = [0_u64; COLUMNS];
                let counted = self.columns.iter().map(|column| column.get(row).copied().unwrap_or(0));
                counts.iter_mut().zip(counted).for_each(|(count, counted)| *count = counted);
                let counts = Counts::of(counts);
                let totals = table.at(value);
                totals.add(What::Events, counts.events);
                totals.add(What::Views, counts.views);
                totals.add(What::Started, counts.started);
                totals.add(What::WentOn, counts.went_on);
                totals.add(What::Engaged, counts.engaged);
                totals.add(What::Depth, counts.depth);
                match self.sketched.binary_search_by_key(&(row as u64), |sketched| sketched.0) {
                    Ok(at) => self.sketched.get(at).into_iter().for_each(|s| totals.add_sketched(What::Visitors, s.1)),
                    Err(_) => totals.add_found(What::Visitors, counts.visitors, counts.visitors as f64, p),
                }
                let ([started, went_on], [of_visits, of_started, of_went_on]) =
                    (counts.bounces, counts.squares.map(|square| square as f64));
                totals.add_found(What::Visits, counts.visits, of_visits, p);
                // A page's are those of its row among the entry pages.
                let p = if self.dimension == Dimension::Page { 1.0 } else { p };
                totals.add_found(What::BounceStarted, started, of_started, p);
                totals.add_found(What::BounceWentOn, went_on, of_went_on, p);
                row += 1;
            }
            table.settle();
        }
        table
    }
}

/// A sheet that is being written.
#[cfg(feature = "eval")]
pub(crate) struct SheetWriter(Sheet);

#[cfg(feature = "eval")]
impl SheetWriter {
    /// For values in any order, which may come several times.
    pub(crate) fn new<'a>(dimension: Dimension, values: impl Iterator<Item = &'a str>) -> Self {
        let mut values: Vec<&str> =
            values.collect::<std::collections::HashSet<_, foldhash::fast::RandomState>>().into_iter().collect();
        values.sort_unstable();
        let values = values.into_iter().map(str::to_owned).collect();
        let columns = vec![Vec::new(); COLUMNS];
        Self(Sheet { dimension, values, rows: Vec::new(), steps: Vec::new(), columns, sketched: Vec::new() })
    }

    /// Adds the next bucket.
    pub(crate) fn bucket(&mut self, lines: &mut [Line<'_>]) {
        let Self(sheet) = self;
        // Those that are called the same stay in their order.
        lines.sort_by(|a, b| a.value.cmp(b.value));
        let mut before = 0;
        for line in &*lines {
            let number = sheet.values.partition_point(|value| value.as_str() < line.value) as u64;
            sheet.sketched.extend(line.sketched.map(|estimate| (sheet.steps.len() as u64, estimate)));
            sheet.steps.push(number - before);
            sheet.columns.iter_mut().zip(line.counts.columns()).for_each(|(column, count)| column.push(count));
            before = number;
        }
        sheet.rows.push(lines.len() as u64);
    }

    /// The sheet.
    pub(crate) fn finish(mut self) -> Sheet {
        self.0.columns.iter_mut().filter(|column| column.iter().all(|count| *count == 0)).for_each(Vec::clear);
        self.0
    }
}
