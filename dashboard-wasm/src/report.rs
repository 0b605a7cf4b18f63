//! From questions to what is drawn: totals, a series and tables. All of it is asked for again whenever the range or the data change.
use headwater_query::{DateRange, Dimension, Include, Meta, Pagination, Query, ResultRow};
use serde::Deserialize;

use crate::card::Card;
use crate::label::Spacing;
use crate::panel::Panel;
use crate::period::Period;

/// The value that stands for everything beyond the caps.
const OTHER: &str = "(other)";

/// An answer without the echo of the question, which the page knows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Reading {
    /// The rows.
    pub results: Vec<ResultRow>,
    /// What there is to know about them.
    #[serde(default)]
    pub meta: Meta,
}

/// A figure and, where it is an estimate, the bounds that hold the truth in 95 of 100 cases.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure {
    /// The value; none where there is none, such as the bounce rate of no visits.
    pub value: Option<f64>,
    /// `[low, high]` of an estimate.
    pub bounds: Option<[f64; 2]>,
}

impl Reading {
    fn figure(&self, row: usize, column: usize, card: Card) -> Figure {
        let value = self.results.get(row).and_then(|r| r.metrics.get(column)).and_then(|m| m.number());
        let bounds = card.metric().and_then(|metric| self.meta.bounds.get(row)?.get(metric.name())).copied();
        Figure { value, bounds }
    }
}

impl Figure {
    /// "between 98 and 103, 95 times in 100" for an estimate, the full figure otherwise.
    #[must_use]
    pub fn tooltip(&self, card: Card) -> Option<String> {
        let value = self.value?;
        Some(match self.bounds {
            Some([low, high]) => {
                format!("{}, an estimate: between {} and {} in 95 of 100 cases", card.exact(value), card.exact(low), card.exact(high))
            }
            None => card.exact(value),
        })
    }
}

/// The question behind the cards.
#[must_use]
pub fn totals_query(site: &str, period: Period) -> Query {
    Query::new(site, Card::METRICS.to_vec(), range(period))
}

/// The question behind the chart. It asks for all metrics, so that choosing another card needs no request.
#[must_use]
pub fn series_query(site: &str, period: Period) -> Query {
    Query {
        dimensions: vec![Dimension::Time(period.grain())],
        include: Include { time_labels: true, ..Include::default() },
        ..totals_query(site, period)
    }
}

/// The question behind a panel.
#[must_use]
pub fn panel_query(site: &str, period: Period, panel: Panel, limit: u32) -> Query {
    Query {
        dimensions: vec![panel.dimension()],
        include: Include { total_rows: true, ..Include::default() },
        pagination: Pagination { limit, offset: 0 },
        ..Query::new(site, panel.metrics(), range(period))
    }
}

/// The question whether anything was ever counted.
#[must_use]
pub fn ever_query(site: &str) -> Query {
    Query::new(site, vec![headwater_query::Metric::Events], DateRange::All)
}

/// Whether an answer holds anything but zeros.
#[must_use]
pub fn is_anything(reading: &Reading) -> bool {
    reading.results.iter().flat_map(|row| &row.metrics).any(|m| m.number().is_some_and(|n| n > 0.0))
}

const fn range(period: Period) -> DateRange {
    match period {
        Period::Today => DateRange::Day,
        Period::Hours24 => DateRange::Hours24,
        Period::Days7 => DateRange::Days(7),
        Period::Days28 => DateRange::Days(28),
        Period::All => DateRange::All,
    }
}

/// The figures of the cards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    figures: [Figure; Card::METRICS.len()],
    /// `day` or `month` when visitors could be told apart only within one of them, and so were counted for each.
    pub unit: Option<String>,
}

impl Totals {
    /// Reads the answer to [`totals_query`].
    #[must_use]
    pub fn read(reading: &Reading) -> Self {
        let mut totals = Self { unit: reading.meta.visitors_unit.clone(), ..Self::default() };
        let cards = Card::ALL.into_iter().filter(|card| card.metric().is_some());
        for (column, (slot, card)) in totals.figures.iter_mut().zip(cards).enumerate() {
            *slot = reading.figure(0, column, card);
        }
        totals
    }

    /// The figure of a card; nothing for [`Card::Now`].
    #[must_use]
    pub fn get(&self, card: Card) -> Figure {
        let column = card.metric().and_then(|metric| Card::METRICS.iter().position(|m| *m == metric));
        column.and_then(|n| self.figures.get(n)).copied().unwrap_or_default()
    }

    /// Whether all that is counted is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.figures.iter().all(|figure| figure.value.unwrap_or(0.0) == 0.0)
    }
}

/// Values over time, for every card.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Every label of the range, those of the future among them.
    pub labels: Vec<String>,
    /// The figures of each label that has begun: the `n`th entry belongs to the `n`th label.
    points: Vec<[Figure; Card::METRICS.len()]>,
    /// Whether the last point is still being counted.
    pub open: bool,
}

impl Series {
    /// Reads the answer to [`series_query`]. `now` is the site's own clock, written as labels are.
    #[must_use]
    pub fn read(reading: &Reading, period: Period, now: &str) -> Self {
        let label_of = |row: &ResultRow| row.dimensions.first().cloned().unwrap_or_default();
        let labels = reading.meta.time_labels.clone().unwrap_or_else(|| reading.results.iter().map(label_of).collect());
        let begun = labels.iter().take_while(|label| label.as_str() <= now).count();
        // A clock that is a little behind must not hide what is counted already.
        let told = reading.results.last().map(label_of).and_then(|last| labels.iter().rposition(|l| *l == last)).map_or(0, |n| n + 1);
        let cards: Vec<_> = Card::ALL.into_iter().filter(|card| card.metric().is_some()).collect();
        let mut row = 0;
        let points = labels.iter().take(begun.max(told)).map(|label| {
            let mut point = [Figure { value: Some(0.0), bounds: None }; Card::METRICS.len()];
            // Rows come in the order of the labels. An hour that the clock repeats has its label twice.
            if reading.results.get(row).is_some_and(|r| label_of(r) == *label) {
                for (column, (slot, card)) in point.iter_mut().zip(&cards).enumerate() {
                    *slot = reading.figure(row, column, *card);
                }
                row += 1;
            }
            point
        });
        let points: Vec<_> = points.collect();
        Self { open: period.includes_now() && !points.is_empty(), labels, points }
    }

    /// The points of a card, as long as they have begun.
    #[must_use]
    pub fn line(&self, card: Card) -> Line {
        let column = card.metric().and_then(|metric| Card::METRICS.iter().position(|m| *m == metric));
        let figure = |point: &[Figure; Card::METRICS.len()]| column.and_then(|n| point.get(n)).copied().unwrap_or_default();
        Line {
            card,
            spacing: Spacing::of(&self.labels),
            labels: self.labels.clone(),
            values: self.points.iter().map(figure).collect(),
            open: self.open,
        }
    }
}

/// What the chart draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The card whose values these are.
    pub card: Card,
    /// How far apart the points are.
    pub spacing: Spacing,
    /// Every label of the axis.
    pub labels: Vec<String>,
    /// The values of the first labels; the others have not begun.
    pub values: Vec<Figure>,
    /// Whether the last value is still being counted.
    pub open: bool,
}

impl Line {
    /// The largest value.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.values.iter().filter_map(|f| f.value).fold(0.0, f64::max)
    }

    /// The chart in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let name = self.card.label();
        let value = |f: &Figure| f.value.unwrap_or(0.0);
        let peak = self.values.iter().zip(&self.labels).fold(None, |best: Option<(&Figure, &String)>, at| match best {
            Some((figure, _)) if value(figure) >= value(at.0) => best,
            _ => Some(at),
        });
        match peak {
            Some((figure, label)) if value(figure) > 0.0 => format!(
                "{name} {}: the most is {} ({}).",
                self.spacing.phrase(),
                self.card.exact(value(figure)),
                crate::label::full(label, self.spacing)
            ),
            _ => format!("{name} {}: none.", self.spacing.phrase()),
        }
    }
}

/// A row of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The dimension's value, as the API names it.
    pub value: String,
    /// The two columns.
    pub figures: [Figure; 2],
    /// The length of the bar, 0 to 1: the first column as a share of the largest.
    pub share: f64,
}

impl Row {
    /// Whether it stands for everything beyond the caps.
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.value == OTHER
    }
}

/// The rows of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The rows, largest first, with `(other)` at the end.
    pub rows: Vec<Row>,
    /// How many rows there are in all.
    pub total: u64,
}

impl Table {
    /// Reads the answer to [`panel_query`].
    #[must_use]
    pub fn read(reading: &Reading, panel: Panel) -> Self {
        let [first, second] = panel.columns();
        let largest = (0..reading.results.len()).filter_map(|n| reading.figure(n, 0, first).value).fold(0.0, f64::max);
        let row = |(n, result): (usize, &ResultRow)| {
            let figures = [reading.figure(n, 0, first), reading.figure(n, 1, second)];
            let share = if largest > 0.0 { figures[0].value.unwrap_or(0.0) / largest } else { 0.0 };
            Row { value: result.dimensions.first().cloned().unwrap_or_default(), figures, share }
        };
        let mut rows: Vec<_> = reading.results.iter().enumerate().map(row).collect();
        rows.sort_by_key(Row::is_other);
        let total = reading.meta.total_rows.unwrap_or(rows.len() as u64);
        Self { rows, total }
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
    fn questions_are_the_contracts() {
        let body = serde_json::to_value(series_query("a.b", Period::Days7)).unwrap();
        assert_eq!(body["date_range"], "7d");
        assert_eq!(body["dimensions"], serde_json::json!(["time:day"]));
        assert_eq!(body["include"], serde_json::json!({"time_labels": true}));
        for query in [totals_query("a.b", Period::All), panel_query("a.b", Period::Today, Panel::Sources, 9), ever_query("a.b")] {
            let body = serde_json::to_vec(&query).unwrap();
            assert_eq!(Query::parse(&body), Ok(query));
        }
    }

    #[test]
    fn totals_keep_their_unit_and_bounds() {
        let totals = Totals::read(&reading(
            r#"{"results":[{"metrics":[98000,40,90,2.25,null,120],"dimensions":[]}],
                "meta":{"visitors_unit":"day","bounds":[{"visitors":[97000.4,99000.2]}]},"query":{"anything":1}}"#,
        ));
        assert_eq!(totals.unit.as_deref(), Some("day"));
        assert_eq!(totals.get(Card::Visitors).tooltip(Card::Visitors).unwrap(), "98,000, an estimate: between 97,000 and 99,000 in 95 of 100 cases");
        assert_eq!(totals.get(Card::Events).tooltip(Card::Events).unwrap(), "120");
        assert_eq!((totals.get(Card::BounceRate).value, totals.get(Card::ViewsPerVisit).value), (None, Some(2.25)));
        assert!(!totals.is_empty());
        assert!(Totals::read(&Reading::default()).is_empty());
    }

    #[test]
    fn a_series_has_a_point_for_every_label_that_has_begun() {
        let answer = reading(
            r#"{"results":[{"metrics":[3,3,5,1.67,33,6],"dimensions":["2026-11-22 01:00:00"]}],
                "meta":{"time_labels":["2026-11-22 00:00:00","2026-11-22 01:00:00","2026-11-22 02:00:00","2026-11-22 03:00:00"]}}"#,
        );
        let line = Series::read(&answer, Period::Today, "2026-11-22 02:10:00").line(Card::Pageviews);
        let values: Vec<_> = line.values.iter().map(|f| f.value).collect();
        assert_eq!(values, [Some(0.0), Some(5.0), Some(0.0)]);
        assert!(line.open);
        assert_eq!((line.labels.len(), line.spacing, line.largest()), (4, Spacing::Hour, 5.0));
        assert_eq!(line.summary(), "Page views by hour: the most is 5 (Sun 22 Nov, 01:00–02:00).");
        // A clock that is behind hides nothing that was counted.
        assert_eq!(Series::read(&answer, Period::Today, "2026-11-21 23:59:00").line(Card::Visits).values.len(), 2);
    }

    #[test]
    fn a_repeated_hour_keeps_both_its_points() {
        let answer = reading(
            r#"{"results":[{"metrics":[1,1,1,1,0,1],"dimensions":["2026-10-25 02:00:00"]},{"metrics":[2,2,2,1,0,2],"dimensions":["2026-10-25 02:00:00"]}],
                "meta":{"time_labels":["2026-10-25 01:00:00","2026-10-25 02:00:00","2026-10-25 02:00:00"]}}"#,
        );
        let line = Series::read(&answer, Period::Days7, "2026-11-22 02:10:00").line(Card::Visitors);
        assert_eq!(line.values.iter().filter_map(|f| f.value).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert!(!line.open);
    }

    #[test]
    fn a_table_ends_with_the_rest() {
        let table = Table::read(
            &reading(r#"{"results":[{"metrics":[8,9],"dimensions":["(other)"]},{"metrics":[4,6],"dimensions":["/"]},{"metrics":[2,2],"dimensions":["/a"]}],"meta":{"total_rows":30}}"#),
            Panel::Pages,
        );
        let values: Vec<_> = table.rows.iter().map(|r| (r.value.as_str(), r.share)).collect();
        assert_eq!(values, [("/", 0.5), ("/a", 0.25), ("(other)", 1.0)]);
        assert_eq!((table.total, table.row("/a").is_some(), table.row("/b").is_none()), (30, true, true));
    }
}
