//! From totals to the metrics that are shown. Formats as Plausible's: whole per cents and seconds, views per visit with
//! two decimals; 0 for a ratio of nothing over all, `null` for that of a page where nothing began.
use headwater_core::Estimate;

use super::accumulate::{Money, Totals, Valued, What};
use super::needs::{Needs, Visits};
use crate::{Dimension, Metric, MetricValue};

/// A metric of a row, with bounds if it is an estimate.
pub(super) fn metric(metric: Metric, totals: &Totals, needs: &Needs, all_visitors: f64) -> (MetricValue, Option<[f64; 2]>) {
    let whole = |estimate: Estimate| (MetricValue::Whole(round(estimate.value)), bounds(&estimate));
    let ratio = |value: Option<f64>| (value.map_or(MetricValue::None, |v| MetricValue::Whole(round(v))), None);
    let visits = match needs.visits {
        Some(Visits::Distinct) => totals.visits,
        _ => totals.estimate(What::Started),
    };
    match metric {
        Metric::Visitors => whole(totals.visitors),
        Metric::Visits => whole(visits),
        Metric::Pageviews => whole(totals.estimate(What::Views)),
        Metric::Events => whole(totals.estimate(What::Events)),
        Metric::ViewsPerVisit => {
            let value = quotient(totals.value(What::Views), visits.value).unwrap_or(0.0);
            (MetricValue::Decimal((value * 100.0).round() / 100.0), None)
        }
        Metric::BounceRate => bounce_rate(totals, needs),
        Metric::VisitDuration => ratio(Some(quotient(totals.value(What::Engaged), visits.value).unwrap_or(0.0))),
        Metric::TimeOnPage => ratio(quotient(totals.value(What::Engaged), visits.value)),
        Metric::ScrollDepth => ratio(quotient(totals.value(What::Depth), totals.value(What::Views)).map(|d| d.min(100.0))),
        Metric::Percentage => {
            let value = quotient(totals.visitors.value * 100.0, all_visitors);
            (value.map_or(MetricValue::None, |v| MetricValue::Decimal((v * 10.0).round() / 10.0)), None)
        }
        // Refused when the query was read: there are no goals.
        Metric::ConversionRate | Metric::GroupConversionRate => (MetricValue::None, None),
        Metric::TotalRevenue => (money(totals, |v| v.sum), None),
        Metric::AverageRevenue => (money(totals, |v| v.sum / v.count), None),
        _ => (value(metric, totals), None),
    }
}

/// The number that rows are sorted by; missing values are last, whichever way.
pub(super) fn rank(value: &MetricValue) -> f64 {
    value.number().unwrap_or(f64::NEG_INFINITY)
}

fn bounds(estimate: &Estimate) -> Option<[f64; 2]> {
    (!estimate.is_exact()).then(|| [estimate.low.floor().max(0.0), estimate.high.ceil()])
}

fn round(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

fn quotient(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}

fn bounce_rate(totals: &Totals, needs: &Needs) -> (MetricValue, Option<[f64; 2]>) {
    let (started, went_on) = match needs.bounces {
        Some(Visits::Started) | None => (What::Started, What::WentOn),
        Some(Visits::Entry | Visits::Distinct) => (What::BounceStarted, What::BounceWentOn),
    };
    let (all, on) = (totals.value(started), totals.value(went_on));
    // "Went on" may stand in another row after a lost race; no bounce is shown below 0.
    let Some(rate) = quotient((all - on).max(0.0) * 100.0, all) else {
        let of_page = needs.shape.dimensions.iter().any(Dimension::is_event);
        return (if of_page { MetricValue::None } else { MetricValue::Whole(0) }, None);
    };
    let estimate = totals.estimate(started);
    let bounds = (!estimate.is_exact()).then(|| wilson(rate / 100.0, totals.found(started)).map(|share| share * 100.0));
    (MetricValue::Whole(round(rate)), bounds)
}

/// Bounds of a share of which `n` were looked at: Wilson's score interval (1927) at 95 %.
fn wilson(share: f64, n: f64) -> [f64; 2] {
    const Z2: f64 = 1.959_964 * 1.959_964;
    let middle = share + Z2 / (2.0 * n);
    let spread = (Z2 * (share * (1.0 - share) / n + Z2 / (4.0 * n * n))).sqrt();
    [middle - spread, middle + spread].map(|bound| (bound / (1.0 + Z2 / n)).clamp(0.0, 1.0))
}

fn money(totals: &Totals, of: impl Fn(&Valued) -> f64) -> MetricValue {
    totals.values().and_then(Money::amount).map_or(MetricValue::None, |(currency, valued)| MetricValue::Money {
        value: (of(valued) * 1000.0).round() / 1000.0,
        currency: currency.to_owned(),
    })
}

fn value(metric: Metric, totals: &Totals) -> MetricValue {
    let Some((_, valued)) = totals.values().and_then(Money::only) else {
        return if metric == Metric::Count && totals.values().is_none() { MetricValue::Whole(0) } else { MetricValue::None };
    };
    let numbers = &valued.numbers;
    let units = |millionths: i64| millionths as f64 / 1e6;
    MetricValue::Decimal(match metric {
        Metric::Count => return MetricValue::Whole(round(valued.count)),
        Metric::Sum => valued.sum,
        Metric::Avg => valued.sum / valued.count,
        Metric::Min => units(numbers.min),
        Metric::Max => units(numbers.max),
        Metric::First => units(numbers.first.value),
        Metric::Last => units(numbers.last.value),
        Metric::Variance => numbers.variance(),
        Metric::Stddev => numbers.variance().sqrt(),
        Metric::P50 => numbers.quantile(0.5),
        Metric::P75 => numbers.quantile(0.75),
        Metric::P90 => numbers.quantile(0.9),
        _ => numbers.quantile(0.99),
    })
}
