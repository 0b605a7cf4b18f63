//! Web vitals (<https://web.dev/articles/vitals>): the 75th percentile of each, and what it is rated.
use headwater_query::MetricValue;

use crate::report::Reading;
use crate::{csv, format};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vital {
    /// The event whose values it is of.
    pub name: &'static str,
    /// What it is short for.
    pub title: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// The largest good value, and the largest that is not poor; milliseconds, of `CLS` without unit.
    limits: [f64; 2],
}

/// All of them: the three core ones first.
pub const VITALS: [Vital; 5] = [
    Vital {
        name: "LCP",
        title: "Largest Contentful Paint",
        about: "When the largest part of what is first seen was drawn",
        limits: [2500.0, 4000.0],
    },
    Vital {
        name: "INP",
        title: "Interaction to Next Paint",
        about: "How long the page took to answer the slowest interaction",
        limits: [200.0, 500.0],
    },
    Vital { name: "CLS", title: "Cumulative Layout Shift", about: "How much of the page jumped around", limits: [0.1, 0.25] },
    Vital { name: "FCP", title: "First Contentful Paint", about: "When something was first drawn", limits: [1800.0, 3000.0] },
    Vital { name: "TTFB", title: "Time to First Byte", about: "When the server's answer began to come", limits: [800.0, 1800.0] },
];

/// What a value is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rating {
    /// Nothing to do.
    Good,
    /// Between the two.
    Fair,
    /// Visitors suffer.
    Poor,
}

impl Rating {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Fair => "Needs work",
            Self::Poor => "Poor",
        }
    }

    /// Its class in the page.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }
}

impl Vital {
    /// What a value of it is worth.
    #[must_use]
    pub fn rating(&self, value: f64) -> Rating {
        let [good, poor] = self.limits;
        if value <= good {
            Rating::Good
        } else if value <= poor {
            Rating::Fair
        } else {
            Rating::Poor
        }
    }

    /// A value in words: `850 ms`, `2.31 s`, `0.08`.
    #[must_use]
    pub fn written(&self, value: f64) -> String {
        match value {
            _ if self.name == "CLS" => format::ratio(value),
            ms if ms < 999.5 => format!("{} ms", format::ratio(ms.round())),
            ms => format!("{} s", format::ratio(ms / 1000.0)),
        }
    }

    /// Where a value stands on a scale of three parts of one length, from 0 to 1. It ends at twice what is poor.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        let [good, poor] = self.limits;
        let (part, from, to) = match self.rating(value) {
            Rating::Good => (0.0, 0.0, good),
            Rating::Fair => (1.0, good, poor),
            Rating::Poor => (2.0, poor, 2.0 * poor),
        };
        (part + ((value - from) / (to - from)).clamp(0.0, 1.0)) / 3.0
    }
}

/// A 75th percentile, and of how many page loads it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// Of the values.
    pub p75: f64,
    /// How many values.
    pub count: u64,
}

/// What was told of each of [`VITALS`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vitals([Option<Told>; VITALS.len()]);

impl Vitals {
    /// Reads the answer to [`crate::question::vitals`].
    #[must_use]
    pub fn read(reading: &Reading) -> Self {
        Self(VITALS.map(|vital| {
            let row = reading.results.iter().find(|row| row.dimensions.first().is_some_and(|name| name == vital.name))?;
            told(&row.metrics)
        }))
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What was told of one.
    #[must_use]
    pub fn get(&self, n: usize) -> Option<Told> {
        self.0.get(n).copied().flatten()
    }

    /// All that was told, as a file.
    #[must_use]
    pub fn csv(&self) -> String {
        let line = |(vital, told): (&Vital, &Option<Told>)| {
            let Told { p75, count } = (*told)?;
            Some(vec![vital.name.to_owned(), format::decimal(p75), vital.rating(p75).words().to_owned(), count.to_string()])
        };
        let lines: Vec<_> = VITALS.iter().zip(&self.0).filter_map(line).collect();
        csv::file(&["Vital", "75th percentile", "Rating", "Page loads"], &lines)
    }
}

/// Each page with what was told of it: the answer to [`crate::question::vital_pages`].
#[must_use]
pub fn pages(reading: &Reading) -> Vec<(String, Told)> {
    let page = |row: &headwater_query::ResultRow| Some((row.dimensions.first()?.clone(), told(&row.metrics)?));
    reading.results.iter().filter_map(page).collect()
}

/// How many values, and their 75th percentile.
fn told(metrics: &[MetricValue]) -> Option<Told> {
    let [count, p75] = metrics else { return None };
    // A cast saturates.
    Some(Told { p75: p75.number()?, count: count.number()? as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rated_and_have_their_place() {
        let [lcp, _, cls, ..] = VITALS;
        assert_eq!([2500.0, 2501.0, 4001.0].map(|value| lcp.rating(value)), [Rating::Good, Rating::Fair, Rating::Poor]);
        assert_eq!(
            [0.0, 1250.0, 2500.0, 3250.0, 8000.0, 1e9].map(|v| (lcp.place(v) * 12.0).round()),
            [0.0, 2.0, 4.0, 6.0, 12.0, 12.0]
        );
        assert_eq!([lcp.written(849.6), lcp.written(2314.0), cls.written(0.084)], ["850 ms", "2.31 s", "0.08"]);
    }

    #[test]
    fn they_are_found_among_other_events() {
        let answer = r#"{"results":[{"metrics":[90,18.5],"dimensions":["Purchase"]},{"metrics":[40,1800],"dimensions":["LCP"]},
            {"metrics":[0,null],"dimensions":["CLS"]}]}"#;
        let vitals = Vitals::read(&serde_json::from_str(answer).unwrap());
        assert_eq!((vitals.get(0), vitals.get(2)), (Some(Told { p75: 1800.0, count: 40 }), None));
        assert!(!vitals.is_empty() && Vitals::default().is_empty());
        assert_eq!(vitals.csv(), "Vital,75th percentile,Rating,Page loads\r\nLCP,1800,Good,40\r\n");
    }
}
