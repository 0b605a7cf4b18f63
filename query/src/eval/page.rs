//! From rows to the page of an answer that is asked for.
use headwater_core::Minute;

use super::imports::{self, Skipped};
use super::time::TimeUnit;
use super::{Plan, SiteContext, range};
use crate::figures::named_of_all;
use crate::order::{self, Row};
use crate::{Answer, Dimension, Meta, Query, QueryError, ResultRow, Span};

/// The most labels that `include.time_labels` lists.
const MAX_LABELS: usize = 20_000;

/// Sorts the rows, cuts out the page that was asked for and says what there is to say; and where the time of each row of
/// the page begins.
pub(super) fn page(
    query: &Query,
    plan: &Plan,
    site: &SiteContext,
    mut rows: Vec<Row>,
    all: usize,
) -> Result<(Answer, Vec<Minute>), QueryError> {
    let calendar = site.calendar();
    let time_labels = match (query.include.time_labels, plan.time) {
        (true, Some(time)) => Some(labels(time, plan.span, site)?),
        _ => None,
    };
    let total_rows = query.include.total_rows.then_some(all as u64);
    order::sort_first(&mut rows, last(query), query);
    let page: Vec<Row> = rows.into_iter().skip(query.pagination.offset as usize).take(query.pagination.limit as usize).collect();
    let bounds = named_of_all(&query.metrics, page.iter().map(|row| &*row.bounds));
    let starts = page.iter().map(|row| row.time).collect();
    let result = |row: Row| {
        let mut names = row.names.iter();
        let name = |dimension: &Dimension| match (dimension.time(), plan.time) {
            (Some(_), Some(time)) => time.label(row.time, calendar),
            _ => names.next().map_or_else(String::new, |name| name.to_string()),
        };
        let dimensions = query.dimensions.iter().map(name).collect();
        ResultRow { metrics: row.metrics, dimensions, comparison: None }
    };
    let results = page.into_iter().map(result).collect();
    let changes: Vec<String> = site.changes(plan.span).map(|at| calendar.local(at).to_string()).collect();
    let answer = Answer {
        results,
        meta: Meta {
            visitors_unit: site.unit(plan.span).map(str::to_owned),
            bounds,
            time_labels,
            total_rows,
            changes,
            ..Meta::default()
        },
        query: Query { date_range: range::told(plan.span, calendar), ..query.clone() },
    };
    Ok((answer, starts))
}

/// Says whether imports are in the answer, where there is something to say.
pub(super) fn tell_imports(query: &Query, plan: &Plan, site: &SiteContext, meta: &mut Meta) {
    let asked = query.include.imports.is_some();
    match imports::days(query, plan, site) {
        Ok(days) => {
            meta.imports_included = Some(true);
            meta.metric_warnings = imports::warnings(query, &plan.needs);
            // Visitors that are only a number can't be told from one day to the next.
            if days.start.plus_days(1) < days.end {
                meta.visitors_unit = Some("day".to_owned());
            }
        }
        Err(skipped) if asked || skipped.is_told() => {
            meta.imports_included = Some(false);
            meta.imports_skip_reason = skipped.reason().map(str::to_owned);
            meta.imports_warning = skipped.warning().map(str::to_owned);
        }
        Err(Skipped::NotWanted | Skipped::NoData | Skipped::OutOfRange | Skipped::Query | Skipped::Interval) => {}
    }
}

/// The labels of all rows of time of a span.
pub(super) fn labels(time: TimeUnit, span: Span, site: &SiteContext) -> Result<Vec<String>, QueryError> {
    let starts = starts(time, span, "include.time_labels", site)?;
    Ok(starts.into_iter().map(|at| time.label(at, site.calendar())).collect())
}

/// The first minutes of all rows of time of a span.
pub(super) fn starts(time: TimeUnit, span: Span, field: &str, site: &SiteContext) -> Result<Vec<Minute>, QueryError> {
    time.starts(site.calendar(), span, MAX_LABELS).ok_or_else(|| QueryError::TooMuch {
        field: field.to_owned(),
        found: "the range has too many labels".to_owned(),
        allowed: format!("at most {MAX_LABELS}; ask for a shorter range, or for longer units of time"),
    })
}

/// How many rows there are up to the end of the page that was asked for.
pub(super) fn last(query: &Query) -> usize {
    let last = u64::from(query.pagination.offset).saturating_add(query.pagination.limit.into());
    usize::try_from(last).unwrap_or(usize::MAX)
}
