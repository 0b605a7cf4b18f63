//! Values over time, and the line that the chart draws.
use headwater_query::ResultRow;

use crate::card::Card;
use crate::label::Spacing;
use crate::period::Period;
use crate::report::{Figure, Reading};

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
    /// Reads the answer to [`crate::question::series`]. `now` is the site's own clock, written as labels are.
    #[must_use]
    pub fn read(reading: &Reading, period: Period, now: &str) -> Self {
        let label_of = |row: &ResultRow| row.dimensions.first().cloned().unwrap_or_default();
        let labels = reading.meta.time_labels.clone().unwrap_or_else(|| reading.results.iter().map(label_of).collect());
        let begun = labels.iter().take_while(|label| label.as_str() <= now).count();
        // A clock that is a little behind must not hide what is counted already.
        let told =
            reading.results.last().map(label_of).and_then(|last| labels.iter().rposition(|l| *l == last)).map_or(0, |n| n + 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
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
}
