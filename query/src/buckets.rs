//! Buckets by their totals: what `GET /api/v1/sites/{site}/buckets` tells, and what follows from merging them. The dashboard
//! asks once for a range and then parts, adds up and zooms by itself, with the same sums and figures as an answer has.
//!
//! Of people there is a count for each bucket, never a hash or a profile. So distinct visitors can be added up only where no two
//! buckets share an identity window: over days, where visitors are told apart by the day. Where they can't, there is no figure, and
//! whoever needs it asks the server.
use std::collections::BTreeMap;

use headwater_core::{Estimate, Grain, Minute, Tally};
use serde::{Deserialize, Serialize};

use crate::figures::{Told, bounced, count, decimal, round, whole};
use crate::sum::{Sampled, quotient, share};
use crate::{Date, Meta, Metric, MetricValue, ResultRow, TimeDimension};

/// The first byte of what is written.
const VERSION: u8 = 1;

/// The buckets of one grain in a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    /// How long each is.
    pub grain: Grain,
    /// As [`Meta::visitors_unit`], of the whole range.
    pub unit: Option<String>,
    /// Whether they are all that an answer holds: nothing was imported into the range, and one time zone and identity hold all over it. If
    /// not, nothing is told from them.
    pub whole: bool,
    /// Every place in time of the range, in order, also where nothing happened.
    pub rows: Vec<TimeRow>,
}

/// A place in time, as the rows of an answer by time have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeRow {
    /// What it is called by the site's clock: a date, or a date and time.
    pub label: String,
    /// The first minute of its identity window.
    pub window: Minute,
    /// What is counted in it: mostly one bucket; around a change of the time zone more.
    pub buckets: Vec<Bucketed>,
}

/// A bucket's totals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucketed {
    /// The first minute of its identity window.
    pub window: Minute,
    /// Page views; events; visits; visits that went on; views that went on; engaged seconds; depth: as in a [`Tally`].
    counts: [u64; 7],
    /// Its distinct visitors.
    pub visitors: Found,
}

/// What is known of the distinct visitors of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// How many the sample holds.
    pub sampled: u64,
    /// The hash below which it holds everyone; `u64::MAX` if it holds all.
    pub theta: u64,
    /// What the HyperLogLog says, where that is surer.
    pub sketched: Option<Estimate>,
}

impl Bucketed {
    /// A bucket's totals.
    #[must_use]
    pub const fn new(window: Minute, tally: &Tally, visitors: Found) -> Self {
        let Tally { views, events, visits, visits_went_on, views_went_on, engaged, depth, .. } = tally;
        let counts = [*views, *events, *visits, *visits_went_on, *views_went_on, *engaged, *depth];
        Self { window, counts, visitors }
    }
}

impl Buckets {
    /// The written form: a version byte, then postcard's.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Writing into memory fails for no value of ours: all sequences have known lengths.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Reads the written form; `None` if it is none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (told, rest) = postcard::take_from_bytes(rest).ok()?;
        (*version == VERSION && rest.is_empty()).then_some(told)
    }

    /// Those from one day to another, both included; `None` if they don't reach so far, or can't be told from these.
    #[must_use]
    pub fn between(&self, from: Date, to: Date) -> Option<Self> {
        let (first, last) = (self.rows.first()?.date()?, self.rows.last()?.date()?);
        if from < first || to > last || from > to {
            return None;
        }
        let within = |row: &&TimeRow| row.date().is_some_and(|date| (from..=to).contains(&date));
        let rows: Vec<_> = self.rows.iter().filter(within).cloned().collect();
        let one_window = rows.first().map(|row| row.window) == rows.last().map(|row| row.window);
        Some(Self { unit: self.unit.clone().filter(|_| !one_window), rows, ..*self })
    }

    /// One row for the whole range, as an answer without dimensions has it.
    #[must_use]
    pub fn total(&self, metrics: &[Metric]) -> Option<(Vec<ResultRow>, Meta)> {
        let all: Vec<_> = self.rows.iter().flat_map(|row| &row.buckets).collect();
        if !self.whole {
            return None;
        }
        Some(self.told(vec![(None, figures(&all, metrics)?)], metrics))
    }

    /// A row for each unit of time in which something happened, and the labels of all of them, as an answer by time has them.
    /// `None` if these buckets are too coarse for it, or a figure can't be told from them.
    #[must_use]
    pub fn by_time(&self, unit: TimeDimension, metrics: &[Metric]) -> Option<(Vec<ResultRow>, Meta)> {
        let mut rows: Vec<(String, Vec<&Bucketed>)> = Vec::new();
        let first = self.rows.first().and_then(TimeRow::date);
        let finer = match unit {
            TimeDimension::Auto => return None,
            TimeDimension::Minute => Grain::Minute,
            TimeDimension::Hour => Grain::Hour,
            TimeDimension::Day | TimeDimension::Week | TimeDimension::Month => Grain::Day,
        };
        if self.grain > finer || !self.whole {
            return None;
        }
        for row in &self.rows {
            let label = match unit {
                _ if self.grain == finer && unit <= TimeDimension::Day => None,
                TimeDimension::Day => Some(row.date()?),
                TimeDimension::Week => Some(row.date()?.monday().max(first?)),
                TimeDimension::Month => Some(row.date()?.first_of_month(0)),
                _ => return None,
            };
            match (label.map(|date| date.to_string()), rows.last_mut()) {
                (Some(label), Some(last)) if last.0 == label => last.1.extend(&row.buckets),
                (label, _) => rows.push((label.unwrap_or_else(|| row.label.clone()), row.buckets.iter().collect())),
            }
        }
        let labels = rows.iter().map(|row| row.0.clone()).collect();
        let shown = |buckets: &[&Bucketed]| buckets.iter().any(|bucket| bucket.counts[1] > 0 || bucket.counts[2] > 0);
        let rows = rows.into_iter().filter(|(_, buckets)| shown(buckets));
        let rows = rows.map(|(label, buckets)| Some((Some(label), figures(&buckets, metrics)?))).collect::<Option<Vec<_>>>()?;
        let (rows, meta) = self.told(rows, metrics);
        Some((rows, Meta { time_labels: Some(labels), ..meta }))
    }

    fn told(&self, rows: Vec<(Option<String>, Vec<Told>)>, metrics: &[Metric]) -> (Vec<ResultRow>, Meta) {
        let mut bounds = Vec::new();
        let mut results = Vec::new();
        for (label, figures) in rows {
            let mut named = BTreeMap::new();
            for (metric, told) in metrics.iter().zip(&figures) {
                if let Some(of) = told.1 {
                    named.insert(metric.name().to_owned(), of);
                }
            }
            bounds.push(named);
            let metrics = figures.into_iter().map(|told| told.0).collect();
            results.push(ResultRow { metrics, dimensions: label.into_iter().collect(), comparison: None });
        }
        if bounds.iter().all(BTreeMap::is_empty) {
            bounds.clear();
        }
        (results, Meta { visitors_unit: self.unit.clone(), bounds, ..Meta::default() })
    }
}

impl TimeRow {
    fn date(&self) -> Option<Date> {
        Date::parse(self.label.get(..10)?)
    }
}

/// The figures of buckets together; `None` if one of them can't be told.
fn figures(buckets: &[&Bucketed], metrics: &[Metric]) -> Option<Vec<Told>> {
    let mut counts = [0_u64; 7];
    for bucket in buckets {
        counts.iter_mut().zip(bucket.counts).for_each(|(sum, count)| *sum = sum.saturating_add(count));
    }
    let [views, events, visits, went_on, _, engaged, _] = counts;
    let ratio = |count: u64| {
        // A ratio over nothing is 0 where there is nothing.
        quotient(Estimate::exact(count), Estimate::exact(visits)).or_else(|| Some(Estimate::exact(0)))
    };
    let figure = |metric: &Metric| {
        Some(match metric {
            Metric::Visitors => count(visitors(buckets)?),
            Metric::Visits => count(Estimate::exact(visits)),
            Metric::Pageviews => count(Estimate::exact(views)),
            Metric::Events => count(Estimate::exact(events)),
            Metric::ViewsPerVisit => decimal(ratio(views), 100.0),
            Metric::VisitDuration => whole(ratio(engaged)),
            Metric::BounceRate if visits == 0 => (MetricValue::Whole(0), None),
            Metric::BounceRate => (MetricValue::Whole(round(bounced(visits as f64, went_on as f64) * 100.0)), None),
            _ => return None,
        })
    };
    metrics.iter().map(figure).collect()
}

/// The distinct visitors of buckets together: the sum of those of each, if no two share a window.
fn visitors(buckets: &[&Bucketed]) -> Option<Estimate> {
    if buckets.windows(2).any(|two| matches!(two, [a, b] if a.window == b.window)) {
        return None;
    }
    let (mut certain, mut sum, mut least) = (0_u64, Sampled::default(), 1.0_f64);
    for Found { sampled, theta, sketched } in buckets.iter().map(|bucket| bucket.visitors) {
        let p = share(theta);
        least = least.min(p);
        match sketched {
            Some(estimate) => sum.add_sketched(estimate),
            None if p >= 1.0 => certain = certain.saturating_add(sampled),
            None => sum.add(sampled as f64, sampled as f64, p),
        }
        sum.settle();
    }
    Some(sum.estimate(certain as f64, least))
}
