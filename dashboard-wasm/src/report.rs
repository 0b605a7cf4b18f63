//! An answer, and the figures in it with their bounds.
use headwater_query::{Date, DateRange, Meta, MetricValue, Moment, ResultRow};
use serde::Deserialize;

use crate::measure::Measure;

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
    /// Of money, its ISO 4217 code.
    pub currency: Option<[char; 3]>,
}

impl Reading {
    /// The figure of a measure in one row and column.
    #[must_use]
    pub fn figure(&self, row: usize, column: usize, measure: Measure) -> Figure {
        let metric = self.results.get(row).and_then(|r| r.metrics.get(column));
        let bounds = self.meta.bounds.get(row).and_then(|bounds| bounds.get(measure.name())).copied();
        let currency = match metric {
            Some(MetricValue::Money { currency, .. }) => currency.chars().collect::<Vec<_>>().try_into().ok(),
            _ => None,
        };
        Figure { value: metric.and_then(MetricValue::number), bounds, currency }
    }
}

impl Figure {
    /// "between 98 and 103, 95 times in 100" for an estimate, the full figure otherwise.
    #[must_use]
    pub fn tooltip(&self, measure: Measure) -> Option<String> {
        let value = self.value?;
        let exact = |value| self.with_currency(measure.exact(value));
        Some(match self.bounds {
            Some([low, high]) => {
                format!("{}, an estimate: between {} and {} in 95 of 100 cases", exact(value), exact(low), exact(high))
            }
            None => exact(value),
        })
    }

    /// The figure as it stands in a row; `≈` says that it is an estimate.
    #[must_use]
    pub fn written(&self, measure: Measure) -> String {
        let Some(value) = self.value else { return "–".into() };
        let figure = self.with_currency(measure.figure(value));
        if self.bounds.is_some() { format!("≈ {figure}") } else { figure }
    }

    fn with_currency(&self, figure: String) -> String {
        match self.currency {
            Some(code) => [figure, " ".to_owned()].into_iter().chain(code.map(String::from)).collect(),
            None => figure,
        }
    }
}

/// Whether an answer holds anything but zeros.
#[must_use]
pub fn is_anything(reading: &Reading) -> bool {
    reading.results.iter().flat_map(|row| &row.metrics).any(|m| m.number().is_some_and(|n| n > 0.0))
}

/// How a card's figure stands to that of the other time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// The figure of the other time.
    pub before: Option<f64>,
    /// In per cent, or of shares in points; none where there is nothing to compare with.
    pub change: Option<f64>,
}

/// The figures of the cards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    figures: [Figure; Measure::CARDS.len()],
    changes: [Change; Measure::CARDS.len()],
    /// `day` or `month` when visitors could be told apart only within one of them, and so were counted for each.
    pub unit: Option<String>,
    /// The time that is compared with.
    pub compared: Option<DateRange>,
    /// The day on which counting began, if that time reaches before it: then nothing is compared, for it would only seem to have grown.
    pub since: Option<Date>,
}

impl Totals {
    /// Reads the answer to [`crate::question::totals`].
    #[must_use]
    pub fn read(reading: &Reading) -> Self {
        let compared = reading.meta.comparison.as_ref().map(|meta| meta.date_range);
        let mut totals = Self { unit: reading.meta.visitors_unit.clone(), compared, ..Self::default() };
        let other = reading.results.first().and_then(|row| row.comparison.as_ref());
        let slots = totals.figures.iter_mut().zip(&mut totals.changes);
        for (column, ((figure, change), measure)) in slots.zip(Measure::CARDS).enumerate() {
            *figure = reading.figure(0, column, measure);
            *change = Change {
                before: other.and_then(|row| row.metrics.get(column)).and_then(|m| m.number()),
                change: other.and_then(|row| row.change.get(column).copied().flatten()),
            };
        }
        totals
    }

    /// Knowing on which day of the site's clock counting began.
    #[must_use]
    pub fn counted_since(mut self, since: Option<Date>) -> Self {
        let begins = match self.compared {
            Some(DateRange::Between(Moment::Date(from), _)) => Some(from),
            Some(DateRange::Between(Moment::At(from, _), _)) => Some(from.date),
            _ => None,
        };
        if let (Some(begins), Some(since)) = (begins, since)
            && begins < since
        {
            self.changes = Default::default();
            self.since = Some(since);
        }
        self
    }

    /// The figure of a card.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Figure {
        of(&self.figures, measure)
    }

    /// How it stands to that of the other time.
    #[must_use]
    pub fn change(&self, measure: Measure) -> Change {
        of(&self.changes, measure)
    }

    /// Whether all that is counted is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.figures.iter().all(|figure| figure.value.unwrap_or(0.0) == 0.0)
    }
}

/// The entry of a card among those of all cards; the default for what is on no card.
pub(crate) fn of<T: Copy + Default>(all: &[T], measure: Measure) -> T {
    Measure::CARDS.iter().position(|m| *m == measure).and_then(|n| all.get(n)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn totals_keep_their_unit_and_bounds() {
        let totals = Totals::read(&reading(
            r#"{"results":[{"metrics":[98000,40,90,2.25,null,61,120],"dimensions":[]}],
                "meta":{"visitors_unit":"day","bounds":[{"visitors":[97000.4,99000.2]}]},"query":{"anything":1}}"#,
        ));
        assert_eq!(totals.unit.as_deref(), Some("day"));
        assert_eq!(
            totals.get(Measure::Visitors).tooltip(Measure::Visitors).unwrap(),
            "98,000, an estimate: between 97,000 and 99,000 in 95 of 100 cases"
        );
        assert_eq!(totals.get(Measure::Visitors).written(Measure::Visitors), "≈ 98,000");
        assert_eq!(totals.get(Measure::Events).tooltip(Measure::Events).unwrap(), "120");
        assert_eq!((totals.get(Measure::BounceRate).value, totals.get(Measure::ViewsPerVisit).value), (None, Some(2.25)));
        assert_eq!(totals.change(Measure::Visits), Change::default());
        assert!(!totals.is_empty());
        assert!(Totals::read(&Reading::default()).is_empty());
    }

    #[test]
    fn money_says_its_currency() {
        let told = reading(r#"{"results":[{"metrics":[{"value":1234.5,"currency":"EUR"}],"dimensions":["Purchase"]}]}"#);
        let figure = told.figure(0, 0, Measure::Revenue);
        assert_eq!(figure.written(Measure::Revenue), "1,234.5 EUR");
        assert_eq!(figure.tooltip(Measure::Revenue).unwrap(), "1,234.5 EUR");
    }

    #[test]
    fn totals_tell_the_change() {
        let totals = Totals::read(&reading(
            r#"{"results":[{"metrics":[4,4,8,2,50,61,9],"dimensions":[],
                "comparison":{"metrics":[2,2,8,4,null,0,9],"dimensions":[],"change":[100,100,0,-50,null,100,0]}}],
                "meta":{"comparison":{"date_range":["2026-11-15T00:00:00+00:00","2026-11-21T23:59:59+00:00"]}}}"#,
        ));
        assert_eq!(totals.change(Measure::Visitors), Change { before: Some(2.0), change: Some(100.0) });
        assert_eq!(totals.change(Measure::BounceRate), Change::default());
        assert!(matches!(totals.compared, Some(DateRange::Between(..))));
        // What was not counted yet is no comparison.
        let day = |text| Date::parse(text);
        assert_eq!(totals.clone().counted_since(day("2026-11-15")), totals);
        let late = totals.clone().counted_since(day("2026-11-16"));
        assert_eq!((late.change(Measure::Visitors), late.since), (Change::default(), day("2026-11-16")));
        assert_eq!(totals.clone().counted_since(None), totals);
    }
}
