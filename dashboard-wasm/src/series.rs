//! Values over time, and the lines that the chart draws.
use headwater_query::ResultRow;

use crate::csv;
use crate::label::Spacing;
use crate::measure::Measure;
use crate::report::{self, Figure, Reading};

/// The figures of all cards at one point in time.
type Point = [Figure; Measure::CARDS.len()];

/// Values over time, for every card.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Every label of the range, those of the future among them.
    pub labels: Vec<String>,
    /// The figures of each label that has begun: the `n`th entry belongs to the `n`th label.
    points: Vec<Point>,
    /// Whether the last point is still being counted.
    pub open: bool,
    /// The labels and figures of the time that is compared with; the `n`th stands beside the `n`th label.
    before: Option<(Vec<String>, Vec<Point>)>,
}

impl Series {
    /// Reads the answer to [`crate::question::series`]. `now` is the site's own clock, written as labels are; `includes_now` says whether
    /// the range reaches up to it.
    #[must_use]
    pub fn read(reading: &Reading, includes_now: bool, now: &str) -> Self {
        let labels = labels(reading);
        let begun = labels.iter().take_while(|label| label.as_str() <= now).count();
        // A clock that is a little behind must not hide what is counted already.
        let told =
            reading.results.last().map(label_of).and_then(|last| labels.iter().rposition(|l| *l == last)).map_or(0, |n| n + 1);
        let points = points(reading, &labels, begun.max(told));
        Self { open: includes_now && !points.is_empty(), labels, points, before: None }
    }

    /// With the answer to [`crate::question::series_before`] beside it. What reaches beyond the range is left out.
    #[must_use]
    pub fn against(mut self, reading: &Reading) -> Self {
        let mut theirs = labels(reading);
        theirs.truncate(self.labels.len());
        let points = points(reading, &theirs, theirs.len());
        self.before = Some((theirs, points));
        self
    }

    /// The figures of all cards as a file: a line for each label that has begun.
    #[must_use]
    pub fn csv(&self) -> String {
        let heads: Vec<&str> = ["Time"].into_iter().chain(Measure::CARDS.map(Measure::label)).collect();
        let line = |(label, point): (&String, &Point)| {
            let figures = point.iter().map(|figure| figure.value.map(crate::format::decimal).unwrap_or_default());
            [label.clone()].into_iter().chain(figures).collect()
        };
        csv::file(&heads, &self.labels.iter().zip(&self.points).map(line).collect::<Vec<_>>())
    }

    /// Without anything beside it.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { before: None, ..self }
    }

    /// The points of a card, as long as they have begun.
    #[must_use]
    pub fn line(&self, measure: Measure) -> Line {
        let figures = |points: &[Point]| points.iter().map(|point| report::of(point, measure)).collect();
        let (labels_before, before) =
            self.before.as_ref().map(|(labels, points)| (labels.clone(), figures(points))).unwrap_or_default();
        Line {
            measure,
            spacing: Spacing::of(&self.labels),
            labels: self.labels.clone(),
            values: figures(&self.points),
            open: self.open,
            labels_before,
            before,
        }
    }
}

fn label_of(row: &ResultRow) -> String {
    row.dimensions.first().cloned().unwrap_or_default()
}

fn labels(reading: &Reading) -> Vec<String> {
    reading.meta.time_labels.clone().unwrap_or_else(|| reading.results.iter().map(label_of).collect())
}

/// A point for each of the first `count` labels.
fn points(reading: &Reading, labels: &[String], count: usize) -> Vec<Point> {
    let mut row = 0;
    let points = labels.iter().take(count).map(|label| {
        let mut point = [Figure { value: Some(0.0), ..Figure::default() }; Measure::CARDS.len()];
        // Rows come in the order of the labels. An hour that the clock repeats has its label twice.
        if reading.results.get(row).is_some_and(|r| label_of(r) == *label) {
            for (column, (slot, measure)) in point.iter_mut().zip(Measure::CARDS).enumerate() {
                *slot = reading.figure(row, column, measure);
            }
            row += 1;
        }
        point
    });
    points.collect()
}

/// What the chart draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What these are the values of.
    pub measure: Measure,
    /// How far apart the points are.
    pub spacing: Spacing,
    /// Every label of the axis.
    pub labels: Vec<String>,
    /// The values of the first labels; the others have not begun.
    pub values: Vec<Figure>,
    /// Whether the last value is still being counted.
    pub open: bool,
    /// The labels of the time that is compared with; empty without one.
    pub labels_before: Vec<String>,
    /// Its values.
    pub before: Vec<Figure>,
}

impl Line {
    /// The largest value.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.values.iter().filter_map(|f| f.value).fold(0.0, f64::max)
    }

    /// The largest value of it and of what it is compared with.
    #[must_use]
    pub fn largest_of_both(&self) -> f64 {
        self.before.iter().filter_map(|f| f.value).fold(self.largest(), f64::max)
    }

    /// Label and value of the other time beside the `n`th point.
    #[must_use]
    pub fn beside(&self, n: usize) -> Option<(&str, f64)> {
        Some((self.labels_before.get(n)?, self.before.get(n)?.value?))
    }

    /// The chart in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let name = self.measure.label();
        let value = |f: &Figure| f.value.unwrap_or(0.0);
        let peak = self.values.iter().zip(&self.labels).fold(None, |best: Option<(&Figure, &String)>, at| match best {
            Some((figure, _)) if value(figure) >= value(at.0) => best,
            _ => Some(at),
        });
        match peak {
            Some((figure, label)) if value(figure) > 0.0 => format!(
                "{name} {}: the most is {} ({}).",
                self.spacing.phrase(),
                self.measure.exact(value(figure)),
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

    fn hours(hours: &str) -> Reading {
        reading(&format!(
            r#"{{"results":[{{"metrics":[3,3,5,1.67,33,9,6],"dimensions":["2026-11-22 01:00:00"]}}],"meta":{{"time_labels":[{hours}]}}}}"#
        ))
    }

    const FOUR: &str = r#""2026-11-22 00:00:00","2026-11-22 01:00:00","2026-11-22 02:00:00","2026-11-22 03:00:00""#;

    #[test]
    fn a_series_has_a_point_for_every_label_that_has_begun() {
        let answer = hours(FOUR);
        let line = Series::read(&answer, true, "2026-11-22 02:10:00").line(Measure::Pageviews);
        let values: Vec<_> = line.values.iter().map(|f| f.value).collect();
        assert_eq!(values, [Some(0.0), Some(5.0), Some(0.0)]);
        assert!(line.open);
        assert_eq!((line.labels.len(), line.spacing, line.largest()), (4, Spacing::Hour, 5.0));
        assert_eq!(line.summary(), "Page views by hour: the most is 5 (Sun 22 Nov, 01:00–02:00).");
        assert_eq!(line.beside(0), None);
        // A clock that is behind hides nothing that was counted.
        assert_eq!(Series::read(&answer, true, "2026-11-21 23:59:00").line(Measure::Visits).values.len(), 2);
    }

    #[test]
    fn a_series_is_a_file_too() {
        let series = Series::read(&hours(FOUR), true, "2026-11-22 01:10:00");
        let file = "Time,Visitors,Visits,Page views,Views per visit,Bounce rate,Visit duration,Events\r\n\
            2026-11-22 00:00:00,0,0,0,0,0,0,0\r\n2026-11-22 01:00:00,3,3,5,1.67,33,9,6\r\n";
        assert_eq!(series.csv(), file);
    }

    #[test]
    fn the_other_time_stands_beside_and_reaches_no_further() {
        let before = reading(
            r#"{"results":[{"metrics":[8,8,9,1.1,33,9,6],"dimensions":["2026-11-21 02:00:00"]}],"meta":{"time_labels":
                ["2026-11-21 00:00:00","2026-11-21 01:00:00","2026-11-21 02:00:00","2026-11-21 02:00:00","2026-11-21 03:00:00"]}}"#,
        );
        let line = Series::read(&hours(FOUR), true, "2026-11-22 01:10:00").against(&before).line(Measure::Pageviews);
        assert_eq!((line.values.len(), line.before.len()), (2, 4));
        assert_eq!(line.beside(2), Some(("2026-11-21 02:00:00", 9.0)));
        assert_eq!((line.largest(), line.largest_of_both()), (5.0, 9.0));
    }

    #[test]
    fn a_repeated_hour_keeps_both_its_points() {
        let answer = reading(
            r#"{"results":[{"metrics":[1,1,1,1,0,3,1],"dimensions":["2026-10-25 02:00:00"]},{"metrics":[2,2,2,1,0,3,2],"dimensions":["2026-10-25 02:00:00"]}],
                "meta":{"time_labels":["2026-10-25 01:00:00","2026-10-25 02:00:00","2026-10-25 02:00:00"]}}"#,
        );
        let line = Series::read(&answer, false, "2026-11-22 02:10:00").line(Measure::Visitors);
        assert_eq!(line.values.iter().filter_map(|f| f.value).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert!(!line.open);
    }
}
