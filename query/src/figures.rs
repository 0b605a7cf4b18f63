//! From sums to the figures that are shown: whole per cents and seconds, views per visit with two decimals. One place for them, so that
//! who merges [buckets](crate::Buckets) tells the same as an answer.
use std::collections::BTreeMap;

use headwater_core::Estimate;

use crate::made::Made;
use crate::sum::{Z, quotient};
use crate::totals::{Totals, What};
use crate::{Metric, MetricValue};

/// A metric with its bounds at 95 %, if it is an estimate.
pub(crate) type Told = (MetricValue, Option<[f64; 2]>);

pub(crate) fn count(estimate: Estimate) -> Told {
    let bounds = (!estimate.is_exact()).then(|| [estimate.low.floor().max(0.0), estimate.high.ceil()]);
    (MetricValue::Whole(round(estimate.value)), bounds)
}

/// A mean or a per cent, whole.
pub(crate) fn whole(estimate: Option<Estimate>) -> Told {
    estimate.map_or((MetricValue::None, None), count)
}

/// A number that is never negative, with as many decimals as `scale` has zeros.
pub(crate) fn decimal(estimate: Option<Estimate>, scale: f64) -> Told {
    let Some(estimate) = estimate else { return (MetricValue::None, None) };
    let bounds = [(estimate.low * scale).floor().max(0.0) / scale, (estimate.high * scale).ceil() / scale];
    (MetricValue::Decimal((estimate.value * scale).round() / scale), (!estimate.is_exact()).then_some(bounds))
}

/// The share of visits that did not go on. "Went on" may stand in another row after a lost race; no bounce is shown below 0.
pub(crate) fn bounced(visits: f64, went_on: f64) -> f64 {
    (visits - went_on).max(0.0) / visits
}

pub(crate) fn round(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

/// The estimated metrics of a row with their bounds, as [`crate::Meta::bounds`] has them.
fn named(metrics: &[Metric], bounds: &[Option<[f64; 2]>]) -> BTreeMap<String, [f64; 2]> {
    let mut named = BTreeMap::new();
    for (metric, bounds) in metrics.iter().zip(bounds) {
        if let Some(bounds) = bounds {
            named.insert(metric.name().to_owned(), *bounds);
        }
    }
    named
}

/// Those of all rows; none where every row is exact.
pub(crate) fn named_of_all<'b>(
    metrics: &[Metric],
    rows: impl Iterator<Item = &'b [Option<[f64; 2]>]>,
) -> Vec<BTreeMap<String, [f64; 2]>> {
    let named: Vec<_> = rows.map(|bounds| named(metrics, bounds)).collect();
    if named.iter().all(BTreeMap::is_empty) { Vec::new() } else { named }
}

/// The number that rows are sorted by; missing values are last, whichever way.
pub(crate) fn rank(value: &MetricValue) -> f64 {
    value.number().unwrap_or(f64::NEG_INFINITY)
}

/// How visits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visits {
    /// By adding up *started* and *went on* of the visits that pass.
    Started,
    /// By adding them up where the entry page stands for the page: the bounce rate of a page.
    Entry,
    /// The distinct visits with a matching event.
    Distinct,
}

/// The sums of a row, and how they came about.
pub(crate) struct Counted<'a> {
    pub(crate) totals: &'a Totals,
    /// Whether counts come from tallies, which know everyone.
    pub(crate) certain: bool,
    pub(crate) visits: Visits,
    /// The visits that a bounce rate is of.
    pub(crate) bounces: Visits,
    /// Whether the row is of events: then there may be no visits whose bounce rate it could have.
    pub(crate) of_events: bool,
}

impl Counted<'_> {
    /// A sum. Visits are those that are counted in the way that is asked for.
    pub(crate) fn of(&self, what: What) -> Estimate {
        let certain = match what {
            What::Visits if self.visits != Visits::Distinct => return self.of(What::Started),
            What::Events | What::Views | What::Engaged | What::Depth | What::Started | What::WentOn => self.certain,
            What::BounceStarted | What::BounceWentOn => self.bounces == Visits::Entry && self.certain,
            What::Visitors | What::Visits => false,
        };
        if certain { exact(self.totals.value(what)) } else { self.totals.estimate(what) }
    }

    /// A metric of the row, whose visitors are a part of `all`; `None` if it is not of these sums.
    pub(crate) fn figure(&self, metric: Metric, all: Estimate) -> Option<Told> {
        Some(match Made::of(metric) {
            Made::Sum(what) => count(self.of(what)),
            Made::Mean(some, by) => {
                let by = self.of(by);
                let mean = quotient(self.of(some), by);
                match metric {
                    Metric::ViewsPerVisit => decimal(mean.or_else(|| over_nothing(by)), 100.0),
                    Metric::VisitDuration => whole(mean.or_else(|| over_nothing(by))),
                    Metric::ScrollDepth => whole(mean.map(|depth| held(depth, 100.0))),
                    _ => whole(mean),
                }
            }
            Made::Bounces => self.bounce_rate(),
            Made::Share if metric == Metric::Percentage => decimal(part(self.of(What::Visitors), all), 10.0),
            Made::Share | Made::Values => return None,
        })
    }

    fn bounce_rate(&self) -> Told {
        let (started, went_on) = match self.bounces {
            Visits::Started => (What::Started, What::WentOn),
            Visits::Entry | Visits::Distinct => (What::BounceStarted, What::BounceWentOn),
        };
        let (all, on) = (self.of(started), self.of(went_on));
        if all.value <= 0.0 {
            return (if self.of_events || !all.is_exact() { MetricValue::None } else { MetricValue::Whole(0) }, None);
        }
        let rate = bounced(all.value, on.value);
        let found = self.totals.found(started);
        let bounds = (!all.is_exact()).then(|| wilson(rate, found).map(|share| share * 100.0));
        (MetricValue::Whole(round(rate * 100.0)), bounds.map(|[low, high]| [low.floor(), high.ceil()]))
    }
}

/// A ratio over nothing is 0 where there is nothing, and not known where the samples found nothing.
pub(crate) fn over_nothing(of: Estimate) -> Option<Estimate> {
    of.is_exact().then_some(exact(0.0))
}

pub(crate) const fn exact(value: f64) -> Estimate {
    Estimate { value, low: value, high: value }
}

fn held(estimate: Estimate, most: f64) -> Estimate {
    Estimate { value: estimate.value.min(most), low: estimate.low.min(most), high: estimate.high.min(most) }
}

/// Per cent of some visitors among others, of whom they are a part.
pub(crate) fn part(some: Estimate, all: Estimate) -> Option<Estimate> {
    let share = quotient(some, all)?;
    Some(held(Estimate { value: share.value * 100.0, low: share.low * 100.0, high: share.high * 100.0 }, 100.0))
}

/// Bounds of a share of which `n` were looked at: Wilson's score interval (1927) at 95 %.
fn wilson(share: f64, n: f64) -> [f64; 2] {
    const Z2: f64 = Z * Z;
    if n <= 0.0 {
        return [0.0, 1.0];
    }
    let middle = share + Z2 / (2.0 * n);
    let spread = (Z2 * (share * (1.0 - share) / n + Z2 / (4.0 * n * n))).sqrt();
    [middle - spread, middle + spread].map(|bound| (bound / (1.0 + Z2 / n)).clamp(0.0, 1.0))
}
