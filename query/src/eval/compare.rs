//! The rows of another time beside those of an answer.
use std::collections::HashMap;

use headwater_core::Minute;

use super::metrics::{self, Bases};
use super::page::{labels, starts};
use super::{Plan, SiteContext, range};
use crate::figures::named_of_all;
use crate::order::Row;
use crate::totals::Totals;
use crate::{Answer, ComparedMeta, ComparedRow, MetricValue, Query, QueryError, change};

/// Puts beside each row of the answer, whose time begins at `starts`, the row of the other time at the same place: of
/// the same values, and where there is a dimension of time, as far from the start of the range.
pub(super) fn join(
    answer: &mut Answer,
    rows_start: &[Minute],
    query: &Query,
    [plan, other]: [&Plan; 2],
    site: &SiteContext,
    rows: &[Row],
) -> Result<(), QueryError> {
    let mut places: HashMap<Minute, Minute> = HashMap::new();
    if let (Some(time), Some(their_time)) = (plan.time, other.time) {
        let field = "include.comparisons";
        let (ours, theirs) = (starts(time, plan.span, field, site)?, starts(their_time, other.span, field, site)?);
        places.extend(ours.into_iter().zip(theirs));
    }
    let mut by_name: HashMap<(Minute, Vec<&str>), &Row> = HashMap::new();
    by_name.extend(rows.iter().map(|row| ((row.time, row.names.iter().map(|name| &**name).collect()), row)));
    let nothing = nothing(query, plan);
    let mut bounds = Vec::with_capacity(answer.results.len());
    for (result, start) in answer.results.iter_mut().zip(rows_start) {
        let place = if plan.time.is_some() { places.get(start).copied() } else { Some(Minute(0)) };
        let labelled = query.dimensions.iter().zip(&result.dimensions);
        let dimensions = labelled.clone().map(|(dimension, value)| match (dimension.time(), other.time) {
            (Some(_), Some(time)) => place.map(|at| time.label(at, site.calendar())),
            _ => Some(value.clone()),
        });
        let dimensions = dimensions.collect();
        let names: Vec<&str> = labelled.filter(|(d, _)| d.time().is_none()).map(|(_, value)| value.as_str()).collect();
        let row = place.and_then(|place| by_name.get(&(place, names)).copied());
        bounds.push(row.map_or(&[][..], |row| &row.bounds));
        let metrics = row.map_or_else(|| nothing.clone(), |row| row.metrics.clone());
        let both = query.metrics.iter().zip(&result.metrics).zip(&metrics);
        let change = both.map(|((metric, here), there)| change(*metric, here, there)).collect();
        result.comparison = Some(ComparedRow { metrics, dimensions, change });
    }
    let bounds = named_of_all(&query.metrics, bounds.into_iter());
    let time_labels = match (query.include.time_labels, other.time) {
        (true, Some(time)) => Some(labels(time, other.span, site)?),
        _ => None,
    };
    answer.meta.comparison = Some(ComparedMeta {
        date_range: range::told(other.span, site.calendar()),
        visitors_unit: site.unit(other.span).map(str::to_owned),
        bounds,
        time_labels,
    });
    Ok(())
}

/// The metrics where nothing happened.
fn nothing(query: &Query, plan: &Plan) -> Vec<MetricValue> {
    let none = headwater_core::Estimate::exact(0);
    let bases = Bases { all: none, converting: none, group: none };
    query.metrics.iter().map(|m| metrics::metric(*m, &Totals::default(), &plan.needs, &bases).0).collect()
}
