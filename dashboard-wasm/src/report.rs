//! An answer, and the figures in it with their bounds.
use headwater_query::{Meta, ResultRow};
use serde::Deserialize;

use crate::card::Card;

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
    /// The figure of a card in one row and column.
    pub(crate) fn figure(&self, row: usize, column: usize, card: Card) -> Figure {
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
                format!(
                    "{}, an estimate: between {} and {} in 95 of 100 cases",
                    card.exact(value),
                    card.exact(low),
                    card.exact(high)
                )
            }
            None => card.exact(value),
        })
    }
}

/// Whether an answer holds anything but zeros.
#[must_use]
pub fn is_anything(reading: &Reading) -> bool {
    reading.results.iter().flat_map(|row| &row.metrics).any(|m| m.number().is_some_and(|n| n > 0.0))
}

/// The figures of the cards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    figures: [Figure; Card::METRICS.len()],
    /// `day` or `month` when visitors could be told apart only within one of them, and so were counted for each.
    pub unit: Option<String>,
}

impl Totals {
    /// Reads the answer to [`crate::question::totals`].
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn totals_keep_their_unit_and_bounds() {
        let totals = Totals::read(&reading(
            r#"{"results":[{"metrics":[98000,40,90,2.25,null,120],"dimensions":[]}],
                "meta":{"visitors_unit":"day","bounds":[{"visitors":[97000.4,99000.2]}]},"query":{"anything":1}}"#,
        ));
        assert_eq!(totals.unit.as_deref(), Some("day"));
        assert_eq!(
            totals.get(Card::Visitors).tooltip(Card::Visitors).unwrap(),
            "98,000, an estimate: between 97,000 and 99,000 in 95 of 100 cases"
        );
        assert_eq!(totals.get(Card::Events).tooltip(Card::Events).unwrap(), "120");
        assert_eq!((totals.get(Card::BounceRate).value, totals.get(Card::ViewsPerVisit).value), (None, Some(2.25)));
        assert!(!totals.is_empty());
        assert!(Totals::read(&Reading::default()).is_empty());
    }
}
