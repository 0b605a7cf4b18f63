//! From sums to the figures that are shown: whole per cents and seconds, views per visit with two decimals. One place for them, so that
//! who merges [buckets](crate::Buckets) tells the same as an answer.
use headwater_core::Estimate;

use crate::MetricValue;

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
