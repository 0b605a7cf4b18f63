//! Rows of tables to days whose rows add up.
use std::collections::{BTreeMap, HashMap};

use headwater_core::{OTHER, PAGEVIEW};
use headwater_query::{Date, ImportedRow, imported_dimensions};

use crate::store::aggregates::DayRows;

/// The most values of a dimension and day, as of what is counted here.
const MOST_VALUES: usize = 20_000;

/// What is counted so far.
#[derive(Default)]
pub(super) struct Days {
    days: BTreeMap<Date, HashMap<&'static str, HashMap<String, ImportedRow>>>,
    files: Vec<String>,
    /// In which file the rows of a table and day are.
    claims: HashMap<(&'static str, Date), usize>,
}

impl Days {
    /// The number of a file.
    pub(super) fn file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }

    /// Says that a day of a table is in a file: in two it would count twice.
    pub(super) fn claim(&mut self, table: &'static str, date: Date, file: usize) -> Result<(), String> {
        let known = *self.claims.entry((table, date)).or_insert(file);
        let named = |file: usize| self.files.get(file).map_or("another file", String::as_str);
        if known == file { Ok(()) } else { Err(format!("{date} is in {}, too; import one export after the other", named(known))) }
    }

    /// Adds to a row.
    pub(super) fn add(&mut self, date: Date, dimension: &'static str, value: &str, counts: &ImportedRow) {
        let rows = self.days.entry(date).or_default().entry(dimension).or_default();
        match rows.get_mut(value) {
            Some(row) => row.add(counts),
            None => {
                rows.insert(value.to_owned(), ImportedRow { value: value.to_owned(), ..counts.clone() });
            }
        }
    }

    /// The days, each dimension with all its rows.
    pub(super) fn finish(self) -> BTreeMap<Date, DayRows> {
        self.days.into_iter().map(|(date, tables)| (date, finish(tables))).collect()
    }
}

fn finish(mut tables: HashMap<&'static str, HashMap<String, ImportedRow>>) -> DayRows {
    let custom: u64 = tables.get("event:name").into_iter().flat_map(HashMap::values).map(|row| row.events).sum();
    let mut total = tables.remove("").and_then(|mut rows| rows.remove("")).unwrap_or_default();
    if total.is_empty() {
        total = largest(&tables);
    }
    total.events = total.pageviews.saturating_add(custom);
    let views = ImportedRow { events: total.pageviews, ..total.clone() };
    let mut day = DayRows::default();
    for dimension in imported_dimensions() {
        let mut rows: Vec<ImportedRow> = tables.remove(dimension.as_str()).unwrap_or_default().into_values().collect();
        if dimension.is_empty() {
            rows.push(total.clone());
        } else if dimension == "event:name" {
            rows.push(ImportedRow { value: PAGEVIEW.to_owned(), seconds: 0, bounces: 0, ..views.clone() });
        } else if !dimension.starts_with("event:props:") {
            rows.extend(rest(&dimension, &rows, &views));
        }
        rows.retain(|row| !row.is_empty());
        for row in &mut rows {
            // A visitor who came by two versions of a browser is one.
            row.visitors = row.visitors.min(total.visitors);
            row.events = row.events.max(row.pageviews);
        }
        let rows = within(rows);
        if !rows.is_empty() {
            day.0.insert(dimension, rows);
        }
    }
    day
}

/// The totals of a day that the table of totals leaves out: those of the table that tells most.
fn largest(tables: &HashMap<&'static str, HashMap<String, ImportedRow>>) -> ImportedRow {
    let mut largest = ImportedRow::default();
    for rows in tables.iter().filter(|(dimension, _)| !dimension.starts_with("event:props:")).map(|(_, rows)| rows) {
        let mut sum = ImportedRow::default();
        rows.values().for_each(|row| sum.add(row));
        largest.add(&sum.beyond(&largest.clone()));
    }
    largest
}

/// What a table leaves out (visits from unknown places, a whole table that is missing) has no value, as it is where it is
/// counted here.
fn rest(dimension: &str, rows: &[ImportedRow], total: &ImportedRow) -> Option<ImportedRow> {
    let mut sum = ImportedRow::default();
    rows.iter().for_each(|row| sum.add(row));
    let mut rest = total.beyond(&sum);
    rest.events = 0;
    if dimension.starts_with("event:") {
        // A visit sees several pages, so only views add up.
        rest = ImportedRow { pageviews: rest.pageviews, visitors: rest.visitors, ..ImportedRow::default() };
    }
    (rest.visits | rest.pageviews > 0).then_some(rest)
}

/// The rows by value, each once, the smallest in `(other)` where there are too many.
fn within(mut rows: Vec<ImportedRow>) -> Vec<ImportedRow> {
    if rows.len() > MOST_VALUES {
        let size = |row: &ImportedRow| row.visits.saturating_add(row.pageviews).saturating_add(row.events);
        rows.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.value.cmp(&b.value)));
        let mut other = ImportedRow::of(OTHER);
        rows.drain(MOST_VALUES - 1..).for_each(|row| other.add(&row));
        rows.push(other);
    }
    rows.sort_by(|a, b| a.value.cmp(&b.value));
    rows.dedup_by(|later, kept| {
        let same = later.value == kept.value;
        if same {
            kept.add(later);
        }
        same
    });
    rows
}
