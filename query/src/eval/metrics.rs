//! From totals to the metrics that are shown. Formats as Plausible's: whole per cents and seconds, views per visit with
//! two decimals; 0 for a ratio of nothing over all, `null` for that of a page where nothing began.
use headwater_core::{Estimate, Numbers};

use super::money::{Money, Valued};
use super::needs::{Needs, Visits};
use crate::figures::{Counted, Told, count, decimal, exact, over_nothing, part};
use crate::sum::{Z, quotient};
use crate::totals::{Totals, What};
use crate::{Dimension, Metric, MetricValue};

/// The visitors that a row's visitors are a share of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bases {
    /// Of `percentage`: those of all rows together.
    pub(super) all: Estimate,
    /// Of `conversion_rate`: those before conditions on goals and properties.
    pub(super) converting: Estimate,
    /// Of `group_conversion_rate`: those of the same group.
    pub(super) group: Estimate,
}

/// A metric of a row.
pub(super) fn metric(metric: Metric, totals: &Totals, needs: &Needs, bases: &Bases) -> Told {
    let counted = Counted {
        totals,
        certain: needs.counts_are_certain(),
        visits: needs.visits.unwrap_or(Visits::Started),
        bounces: needs.bounces.unwrap_or(Visits::Started),
        of_events: needs.shape.dimensions.iter().any(Dimension::is_event),
    };
    if let Some(told) = counted.figure(metric, bases.all) {
        return told;
    }
    match metric {
        Metric::ConversionRate | Metric::GroupConversionRate => {
            let base = if metric == Metric::ConversionRate { bases.converting } else { bases.group };
            decimal(part(counted.of(What::Visitors), base).or_else(|| over_nothing(base)), 100.0)
        }
        Metric::TotalRevenue | Metric::AverageRevenue => revenue(metric, totals),
        _ => value(metric, totals),
    }
}

fn revenue(metric: Metric, totals: &Totals) -> Told {
    let Some((currency, valued)) = totals.values().and_then(Money::amount) else { return (MetricValue::None, None) };
    let sum = valued.sum(totals.share());
    let amount = match metric {
        Metric::TotalRevenue => sum,
        _ => quotient(sum, valued.count(totals.share())).unwrap_or(sum),
    };
    let value = (amount.value * 1000.0).round() / 1000.0;
    let bounds = real_bounds(&amount).map(|[low, high]| [(low * 1000.0).floor() / 1000.0, (high * 1000.0).ceil() / 1000.0]);
    (MetricValue::Money { value, currency: currency.to_owned() }, bounds)
}

fn real_bounds(estimate: &Estimate) -> Option<[f64; 2]> {
    (!estimate.is_exact()).then_some([estimate.low, estimate.high])
}

fn value(metric: Metric, totals: &Totals) -> Told {
    let Some((_, valued)) = totals.values().and_then(Money::only) else {
        let none = metric == Metric::Count && totals.values().is_none();
        return if none {
            count(crate::sum::Sampled::default().estimate(0.0, totals.share()))
        } else {
            (MetricValue::None, None)
        };
    };
    let (numbers, p) = (&valued.numbers, totals.share());
    let units = |millionths: i64| millionths as f64 / 1e6;
    let quantile = |q| (numbers.quantile(q), quantile_bounds(q, valued, p));
    // The ends and the order of values that were not looked at can't be told: what was found is told without bounds.
    let found = |value: f64| (value, None);
    let (value, bounds) = match metric {
        Metric::Count => return count(valued.count(p)),
        Metric::Sum => (valued.sum(p).value, real_bounds(&valued.sum(p))),
        Metric::Avg => {
            let mean = quotient(valued.sum(p), valued.count(p)).unwrap_or(exact(numbers.mean()));
            (mean.value, real_bounds(&mean))
        }
        Metric::Min => found(units(numbers.min)),
        Metric::Max => found(units(numbers.max)),
        Metric::First => found(units(numbers.first.value)),
        Metric::Last => found(units(numbers.last.value)),
        Metric::Variance => (numbers.variance(), variance_bounds(numbers, valued, p)),
        Metric::Stddev => {
            let bounds = variance_bounds(numbers, valued, p).map(|bounds| bounds.map(f64::sqrt));
            (numbers.variance().sqrt(), bounds)
        }
        Metric::P50 => quantile(0.5),
        Metric::P75 => quantile(0.75),
        Metric::P90 => quantile(0.9),
        _ => quantile(0.99),
    };
    (MetricValue::Decimal(value), bounds)
}

/// Bounds of a quantile: those of its rank among what was found, and the width of a bin of the histogram.
fn quantile_bounds(q: f64, valued: &Valued, p: f64) -> Option<[f64; 2]> {
    if p >= 1.0 {
        return None;
    }
    let spread = Z * (q * (1.0 - q) / valued.effective().max(1.0)).sqrt();
    let (low, high) = (valued.numbers.quantile(q - spread), valued.numbers.quantile(q + spread));
    Some([low - 0.01 * low.abs(), high + 0.01 * high.abs()])
}

/// Bounds of a variance, by its own variance (the fourth moment less the square of the second).
fn variance_bounds(numbers: &Numbers, valued: &Valued, p: f64) -> Option<[f64; 2]> {
    if p >= 1.0 {
        return None;
    }
    let variance = numbers.variance();
    let spread = Z * ((numbers.fourth_moment() - variance * variance).max(0.0) / valued.effective().max(1.0)).sqrt();
    Some([(variance - spread).max(0.0), variance + spread])
}
