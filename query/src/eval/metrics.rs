//! From totals to the metrics that are shown. Formats as Plausible's: whole per cents and seconds, views per visit with
//! two decimals; 0 for a ratio of nothing over all, `null` for that of a page where nothing began.
use headwater_core::{Estimate, Numbers};

use super::accumulate::{Totals, What};
use super::money::{Money, Valued};
use super::needs::{Needs, Visits};
use crate::figures::{Told, bounced, count, decimal, round, whole};
use crate::sum::{Z, quotient};
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

/// What can be said of the sums of a row.
struct Known<'a> {
    totals: &'a Totals,
    needs: &'a Needs,
}

impl Known<'_> {
    fn of(&self, what: What) -> Estimate {
        let Self { totals, needs } = self;
        let certain = match what {
            What::Events | What::Views | What::Engaged | What::Depth | What::Started | What::WentOn => needs.counts_are_certain(),
            What::BounceStarted | What::BounceWentOn => needs.bounces == Some(Visits::Entry) && needs.counts_are_certain(),
            What::Visitors | What::Visits => false,
        };
        if certain { exact(totals.value(what)) } else { totals.estimate(what) }
    }

    fn visits(&self) -> Estimate {
        match self.needs.visits {
            Some(Visits::Distinct) => self.of(What::Visits),
            _ => self.of(What::Started),
        }
    }
}

/// A metric of a row.
pub(super) fn metric(metric: Metric, totals: &Totals, needs: &Needs, bases: &Bases) -> Told {
    let known = Known { totals, needs };
    let over_visits = |what| quotient(known.of(what), known.visits());
    // A ratio over nothing is 0 where there is nothing, and not known where the samples found nothing.
    let over_nothing = |of: Estimate| of.is_exact().then_some(exact(0.0));
    match metric {
        Metric::Visitors => count(known.of(What::Visitors)),
        Metric::Visits => count(known.visits()),
        Metric::Pageviews => count(known.of(What::Views)),
        Metric::Events => count(known.of(What::Events)),
        Metric::ViewsPerVisit => decimal(over_visits(What::Views).or_else(|| over_nothing(known.visits())), 100.0),
        Metric::BounceRate => bounce_rate(&known),
        Metric::VisitDuration => whole(over_visits(What::Engaged).or_else(|| over_nothing(known.visits()))),
        Metric::TimeOnPage => whole(over_visits(What::Engaged)),
        Metric::ScrollDepth => whole(quotient(known.of(What::Depth), known.of(What::Views)).map(|depth| held(depth, 100.0))),
        Metric::Percentage => decimal(share(known.of(What::Visitors), bases.all), 10.0),
        Metric::ConversionRate | Metric::GroupConversionRate => {
            let base = if metric == Metric::ConversionRate { bases.converting } else { bases.group };
            decimal(share(known.of(What::Visitors), base).or_else(|| over_nothing(base)), 100.0)
        }
        Metric::TotalRevenue | Metric::AverageRevenue => revenue(metric, totals),
        _ => value(metric, totals),
    }
}

/// The number that rows are sorted by; missing values are last, whichever way.
pub(super) fn rank(value: &MetricValue) -> f64 {
    value.number().unwrap_or(f64::NEG_INFINITY)
}

const fn exact(value: f64) -> Estimate {
    Estimate { value, low: value, high: value }
}

fn held(estimate: Estimate, most: f64) -> Estimate {
    Estimate { value: estimate.value.min(most), low: estimate.low.min(most), high: estimate.high.min(most) }
}

/// Per cent of some visitors among others, of whom they are a part.
fn share(some: Estimate, all: Estimate) -> Option<Estimate> {
    let share = quotient(some, all)?;
    Some(held(Estimate { value: share.value * 100.0, low: share.low * 100.0, high: share.high * 100.0 }, 100.0))
}

fn bounce_rate(known: &Known<'_>) -> Told {
    let (started, went_on) = match known.needs.bounces {
        Some(Visits::Started) | None => (What::Started, What::WentOn),
        Some(Visits::Entry | Visits::Distinct) => (What::BounceStarted, What::BounceWentOn),
    };
    let (all, on) = (known.of(started), known.of(went_on));
    if all.value <= 0.0 {
        let of_page = known.needs.shape.dimensions.iter().any(Dimension::is_event);
        return (if of_page || !all.is_exact() { MetricValue::None } else { MetricValue::Whole(0) }, None);
    }
    let rate = bounced(all.value, on.value);
    let found = known.totals.found(started);
    let bounds = (!all.is_exact()).then(|| wilson(rate, found).map(|share| share * 100.0));
    (MetricValue::Whole(round(rate * 100.0)), bounds.map(|[low, high]| [low.floor(), high.ceil()]))
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
