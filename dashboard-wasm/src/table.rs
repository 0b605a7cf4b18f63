//! The rows of a panel, or of a whole list.
use headwater_query::{Dimension, ResultRow};

use crate::measure::Measure;
use crate::panel::Tab;
use crate::report::{Figure, Reading};
use crate::vitals::VITALS;

/// The value that stands for everything beyond the caps.
const OTHER: &str = "(other)";
/// The value of a property where an event has no such property.
const NONE: &str = "(none)";

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The dimension's value, as the API names it.
    pub value: String,
    /// The columns.
    pub figures: Vec<Figure>,
    /// The length of the bar, 0 to 1: the first column as a share of the largest.
    pub share: f64,
}

impl Row {
    /// Whether it stands for everything beyond the caps. It is no value, so nothing can be filtered by it.
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.value == OTHER
    }
}

/// The rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Of which tab.
    pub tab: Tab,
    /// By what it breaks down; none while no property is chosen.
    pub dimension: Option<Dimension>,
    /// The rows, largest first, with `(other)` at the end.
    pub rows: Vec<Row>,
    /// How many rows there are in all.
    pub total: u64,
    /// Why there are none.
    pub failure: Option<String>,
}

impl Table {
    /// Without rows.
    #[must_use]
    pub const fn empty(tab: Tab, failure: Option<String>) -> Self {
        Self { tab, dimension: None, rows: Vec::new(), total: 0, failure }
    }

    /// Reads the answer to [`crate::question::panel`] or, with more columns, [`crate::question::whole`].
    #[must_use]
    pub fn read(reading: &Reading, tab: Tab, dimension: Dimension, columns: &[Measure]) -> Self {
        let first = |n: usize| columns.first().and_then(|measure| reading.figure(n, 0, *measure).value);
        // Nearly all events carry no property: beside them, the values of one would have no bars.
        let is_lack = |row: &ResultRow| {
            matches!(dimension, Dimension::Prop(_)) && row.dimensions.first().is_some_and(|value| value == NONE)
        };
        let measured = reading.results.iter().enumerate().filter(|(_, row)| !is_lack(row)).filter_map(|(n, _)| first(n));
        let largest = measured.fold(0.0, f64::max);
        let row = |(n, result): (usize, &ResultRow)| {
            let figures: Vec<_> = columns.iter().enumerate().map(|(at, measure)| reading.figure(n, at, *measure)).collect();
            let share = if largest > 0.0 && !is_lack(result) { first(n).unwrap_or(0.0) / largest } else { 0.0 };
            Row { value: result.dimensions.first().cloned().unwrap_or_default(), figures, share }
        };
        let mut rows: Vec<_> = reading.results.iter().enumerate().map(row).collect();
        let lacks = matches!(dimension, Dimension::Prop(_));
        rows.sort_by_key(|row| (row.is_other(), lacks && row.value == NONE));
        let total = reading.meta.total_rows.unwrap_or(rows.len() as u64);
        Self { tab, dimension: Some(dimension), rows, total, failure: None }
    }

    /// The first rows, as a panel shows them: web vitals stand elsewhere, and would push away events that somebody cares to mark.
    pub fn first(&self, few: usize) -> impl Iterator<Item = &Row> {
        let elsewhere = |row: &&Row| self.tab == Tab::Events && VITALS.iter().any(|vital| vital.name == row.value);
        self.rows.iter().filter(move |row| !elsewhere(row)).take(few)
    }

    /// Whether every row is here, so that another order needs no request.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failure.is_none() && self.rows.len() as u64 == self.total
    }

    /// The rows by the `n`th column, largest or smallest first, as the server orders them: then by value, and `(other)` at the end.
    #[must_use]
    pub fn ordered(mut self, n: usize, rising: bool) -> Self {
        let figure = |row: &Row| row.figures.get(n).and_then(|figure| figure.value).unwrap_or(f64::NEG_INFINITY);
        self.rows.sort_by(|a, b| {
            let by_figure = if rising { figure(a).total_cmp(&figure(b)) } else { figure(b).total_cmp(&figure(a)) };
            a.is_other().cmp(&b.is_other()).then(by_figure).then_with(|| a.value.cmp(&b.value))
        });
        self
    }

    /// The rows as a file, with these columns.
    #[must_use]
    pub fn csv(&self, columns: &[Measure]) -> String {
        let heads: Vec<&str> = [self.tab.noun()].into_iter().chain(columns.iter().map(|column| column.label())).collect();
        let line = |row: &Row| {
            let figures = row.figures.iter().map(|figure| figure.value.map(crate::format::decimal).unwrap_or_default());
            [row.value.clone()].into_iter().chain(figures).collect()
        };
        crate::csv::file(&heads, &self.rows.iter().map(line).collect::<Vec<_>>())
    }

    /// The row of a value.
    #[must_use]
    pub fn row(&self, value: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.value == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_table_ends_with_the_rest() {
        let table = Table::read(
            &reading(
                r#"{"results":[{"metrics":[8,9],"dimensions":["(other)"]},{"metrics":[4,6],"dimensions":["/"]},{"metrics":[2,2],"dimensions":["/a"]}],"meta":{"total_rows":30}}"#,
            ),
            Tab::Pages,
            Dimension::Page,
            &Tab::Pages.columns(),
        );
        let values: Vec<_> = table.rows.iter().map(|r| (r.value.as_str(), r.share)).collect();
        assert_eq!(values, [("/", 0.5), ("/a", 0.25), ("(other)", 1.0)]);
        assert_eq!(table.csv(&Tab::Pages.columns()), "Page,Visitors,Page views\r\n/,4,6\r\n/a,2,2\r\n(other),8,9\r\n");
        assert_eq!((table.total, table.row("/a").is_some(), table.row("/b").is_none()), (30, true, true));
    }

    #[test]
    fn what_is_whole_is_ordered_here() {
        let answer = reading(
            r#"{"results":[{"metrics":[8,9],"dimensions":["(other)"]},{"metrics":[4,6],"dimensions":["/b"]},{"metrics":[4,7],"dimensions":["/a"]},{"metrics":[2,8],"dimensions":["/c"]}],"meta":{"total_rows":4}}"#,
        );
        let table = Table::read(&answer, Tab::Pages, Dimension::Page, &Tab::Pages.columns());
        let order = |n, rising| table.clone().ordered(n, rising).rows.into_iter().map(|row| row.value).collect::<Vec<_>>();
        assert!(table.is_whole());
        assert_eq!(order(0, false), ["/a", "/b", "/c", "(other)"]);
        assert_eq!(order(1, true), ["/b", "/a", "/c", "(other)"]);
        assert!(!Table { total: 30, ..table.clone() }.is_whole() && !Table::empty(Tab::Pages, Some("no".into())).is_whole());
    }

    #[test]
    fn a_panel_of_events_leaves_web_vitals_to_theirs() {
        let answer = reading(
            r#"{"results":[{"metrics":[9,6],"dimensions":["pageview"]},{"metrics":[4,4],"dimensions":["LCP"]},{"metrics":[2,2],"dimensions":["Signup"]}]}"#,
        );
        let table = Table::read(&answer, Tab::Events, Dimension::Name, &Tab::Events.columns());
        assert_eq!(table.first(2).map(|row| &*row.value).collect::<Vec<_>>(), ["pageview", "Signup"]);
        let pages = Table { tab: Tab::Pages, ..table };
        assert_eq!(pages.first(2).map(|row| &*row.value).collect::<Vec<_>>(), ["pageview", "LCP"]);
    }

    #[test]
    fn events_without_a_property_dwarf_nothing() {
        let answer = reading(
            r#"{"results":[{"metrics":[900,900],"dimensions":["(none)"]},{"metrics":[4,6],"dimensions":["pro"]},{"metrics":[2,2],"dimensions":["free"]}]}"#,
        );
        let table = Table::read(&answer, Tab::Properties, Dimension::Prop("plan".into()), &Tab::Properties.columns());
        let values: Vec<_> = table.rows.iter().map(|r| (r.value.as_str(), r.share)).collect();
        assert_eq!(values, [("pro", 1.0), ("free", 0.5), ("(none)", 0.0)]);
    }
}
