//! The order of rows.
use std::cmp::Ordering;
use std::sync::Arc;

use headwater_core::Minute;

#[cfg(feature = "eval")]
use crate::Metric;
use crate::figures::rank;
use crate::{Dimension, Direction, MetricValue, OrderBy, OrderKey, Query};

/// A row before it is cut into a page.
pub(crate) struct Row {
    pub(crate) time: Minute,
    /// Values of the dimensions without time.
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) metrics: Vec<MetricValue>,
    pub(crate) bounds: Vec<Option<[f64; 2]>>,
}

/// Keeps of what becomes rows what can be among the first `most` of the answer, if one number tells: that of the metric by which
/// they are sorted before anything else. Those that are equal by it stay all.
#[cfg(feature = "eval")]
pub(crate) fn keep_first<T>(rows: &mut Vec<T>, most: usize, query: &Query, value: impl Fn(&T, Metric) -> MetricValue) {
    let (metric, direction) = match (query.order_by.first(), query.metrics.first()) {
        (Some(OrderBy { key: OrderKey::Metric(metric), direction }), _) => (*metric, *direction),
        (None, Some(metric)) if query.dimensions.iter().all(|d| d.time().is_none()) => (*metric, Direction::Desc),
        _ => return,
    };
    if most == 0 || most >= rows.len() {
        return;
    }
    // The lower, the earlier: as `metrics` has it.
    let key = |row: &T| match (value(row, metric).number(), direction) {
        (None, _) => f64::INFINITY,
        (Some(number), Direction::Asc) => number,
        (Some(number), Direction::Desc) => -number,
    };
    let keys: Vec<f64> = rows.iter().map(key).collect();
    let last = *keys.clone().select_nth_unstable_by(most - 1, f64::total_cmp).1;
    let mut keys = keys.iter();
    rows.retain(|_| keys.next().is_some_and(|key| key.total_cmp(&last).is_le()));
}

/// Puts the first `most` rows in front and sorts them as asked.
#[cfg(feature = "eval")]
pub(crate) fn sort_first(rows: &mut Vec<Row>, most: usize, query: &Query) {
    let compare = order(query);
    // Of thousands of rows a page is shown: the rest need no order.
    if most < rows.len() {
        rows.select_nth_unstable_by(most, &compare);
        rows.truncate(most);
    }
    rows.sort_unstable_by(compare);
}

/// Sorts rows as asked. Less code than to sort the first of them, which counts where a page carries it.
pub(crate) fn sort(rows: &mut [Row], query: &Query) {
    rows.sort_unstable_by(order(query));
}

/// The order that was asked for. What that leaves equal is in the default order: time ascending, the first metric descending, then the dimensions
/// ascending.
fn order(query: &Query) -> impl Fn(&Row, &Row) -> Ordering {
    let named: Vec<&Dimension> = query.dimensions.iter().filter(|d| d.time().is_none()).collect();
    let compare = move |a: &Row, b: &Row, by: &OrderBy| {
        let ascending = match &by.key {
            OrderKey::Metric(metric) => {
                let Some(at) = query.metrics.iter().position(|m| m == metric) else { return Ordering::Equal };
                return metrics(a, b, at, by.direction);
            }
            OrderKey::Dimension(Dimension::Time(_)) => a.time.cmp(&b.time),
            OrderKey::Dimension(dimension) => {
                let at = named.iter().position(|d| *d == dimension);
                at.map_or(Ordering::Equal, |at| a.names.get(at).cmp(&b.names.get(at)))
            }
        };
        if by.direction == Direction::Asc { ascending } else { ascending.reverse() }
    };
    move |a: &Row, b: &Row| {
        let asked = query.order_by.iter().map(|by| compare(a, b, by)).find(|o| o.is_ne());
        asked.unwrap_or_else(|| {
            a.time.cmp(&b.time).then_with(|| metrics(a, b, 0, Direction::Desc)).then_with(|| a.names.cmp(&b.names))
        })
    }
}

fn metrics(a: &Row, b: &Row, at: usize, direction: Direction) -> Ordering {
    let none = MetricValue::None;
    let (a, b) = (a.metrics.get(at).unwrap_or(&none), b.metrics.get(at).unwrap_or(&none));
    match (a.number(), b.number()) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        _ if direction == Direction::Asc => rank(a).total_cmp(&rank(b)),
        _ => rank(b).total_cmp(&rank(a)),
    }
}
