//! Rows from buckets.
use std::collections::{BTreeMap, HashMap};

use headwater_core::Minute;

use super::accumulate::{Table, Totals};
use super::done::Done;
use super::groups::Groups;
use super::matcher::Node;
use super::needs::{Needs, Shape, Visits};
use super::order::{self, Row};
use super::unit::{self, Job, Part};
use super::{Bucket, Plan, SiteContext, metrics, plan, range};
use crate::{Answer, Dimension, Filter, Meta, Metric, Query, QueryError, ResultRow};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError<E> {
    /// The query is at fault.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Reading buckets failed.
    #[error("the buckets can't be read")]
    Read(#[source] E),
}

/// The most labels that `include.time_labels` lists.
const MAX_LABELS: usize = 20_000;

/// Answers a query: plans, reads, evaluates. `read` gives the buckets of a grain that lie in a span, in any order, with
/// those that reach over its ends or without.
///
/// # Errors
/// [`AnswerError`].
pub fn answer<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    mut read: impl FnMut(headwater_core::Grain, crate::Span) -> Result<Vec<B>, E>,
) -> Result<Answer, AnswerError<E>> {
    let plan = plan(query, site)?;
    let mut buckets = Vec::new();
    for part in &plan.reads {
        let found = read(part.grain, part.span).map_err(AnswerError::Read)?;
        buckets.extend(found.into_iter().filter(|b| part.span.contains(b.span().start)));
    }
    Ok(evaluate(query, &plan, site, &buckets)?)
}

/// Answers from the buckets that the plan asked for, each once.
///
/// # Errors
/// [`QueryError`], if a pattern is none or people are missing that the answer needs.
pub fn evaluate<B: Bucket>(query: &Query, plan: &Plan, site: &SiteContext, buckets: &[B]) -> Result<Answer, QueryError> {
    let calendar = site.calendar();
    let row = |minute: Minute| plan.time.map_or(Minute(0), |time| time.row(minute, calendar, plan.span));
    let mut parts = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let start = bucket.span().start;
        if plan.needs.people && !bucket.has_people() && !bucket.aggregate().is_empty() {
            return Err(QueryError::NotAvailable {
                field: "date_range".to_owned(),
                needs: format!("this needs the visitors of {}", calendar.local(start)),
                available: "only counts are kept so far back at this grain".to_owned(),
            });
        }
        parts.push(Part { aggregate: bucket.aggregate(), lens: bucket.lens(), row: row(start), window: site.window(start) });
    }
    // The order of time, which the caller's order need not be.
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&i| buckets[i].span().start);
    let parts: Vec<Part<'_>> = order.into_iter().map(|i| parts[i]).collect();

    let mut groups = Groups::default();
    let mut totals = rows(&plan.needs, &parts, &mut groups)?;
    let width = plan.needs.shape.dimensions.len();
    if query.dimensions.is_empty() && totals.is_empty() {
        totals.push((Minute(0), 0, Totals::default()));
    }
    let all_visitors = if query.metrics.contains(&Metric::Percentage) { all_visitors(query, &parts)? } else { 0.0 };
    let shown = totals.iter().filter(|(.., totals)| query.dimensions.is_empty() || totals.is_shown());
    let mut rows: Vec<Row<'_>> = shown
        .map(|(time, group, totals)| {
            let values = query.metrics.iter().map(|m| metrics::metric(*m, totals, &plan.needs, all_visitors));
            let (metrics, bounds) = values.unzip();
            Row { time: *time, names: groups.names(*group, width), metrics, bounds }
        })
        .collect();
    order::sort(&mut rows, query);
    page(query, plan, site, rows)
}

/// The totals of each row: start of its time, group, totals; in order of time.
fn rows<'a>(needs: &Needs, parts: &[Part<'a>], groups: &mut Groups<'a>) -> Result<Vec<(Minute, u32, Totals)>, QueryError> {
    let compile = |filters: &[Filter], done: &mut Vec<Vec<Node>>| -> Result<Vec<Node>, QueryError> {
        filters.iter().enumerate().map(|(i, f)| Node::compile(f, &format!("filters[{i}]"), done)).collect()
    };
    let mut done = Vec::new();
    let filters = compile(&needs.shape.filters, &mut done)?;
    let entry = if needs.bounces == Some(Visits::Entry) && needs.tallies.is_none() {
        let Shape { dimensions, filters } = needs.shape.by_entry();
        // The sets of `has_done` are the same, in the same order.
        Some((dimensions, compile(&filters, &mut Vec::new())?))
    } else {
        None
    };
    let job = Job { needs, filters, entry, has_done: !done.is_empty(), done: Done::new(&done, parts) };
    let mut theta: HashMap<Minute, u64> = HashMap::new();
    for part in parts {
        let least = theta.entry(part.window).or_insert(u64::MAX);
        *least = part.aggregate.people.theta.min(*least);
    }
    let mut table = Table::default();
    let mut rows = Vec::new();
    for row in parts.chunk_by(|a, b| a.row == b.row) {
        for parts in row.chunk_by(|a, b| a.window == b.window) {
            let least = theta.get(&parts[0].window).copied().unwrap_or(u64::MAX);
            unit::add(&job, parts, least, groups, &mut table);
        }
        rows.extend(table.take().map(|(group, totals)| (row[0].row, group, totals)));
    }
    Ok(rows)
}

/// The visitors of all rows together.
fn all_visitors(query: &Query, parts: &[Part<'_>]) -> Result<f64, QueryError> {
    let needs = Needs::visitors_of(Shape { dimensions: Vec::new(), filters: query.filters.clone() });
    let whole: Vec<Part<'_>> = parts.iter().map(|p| Part { row: Minute(0), ..*p }).collect();
    let rows = rows(&needs, &whole, &mut Groups::default())?;
    Ok(rows.first().map_or(0.0, |(.., totals)| totals.visitors.value))
}

/// Cuts out the page that was asked for and says what there is to say.
fn page(query: &Query, plan: &Plan, site: &SiteContext, rows: Vec<Row<'_>>) -> Result<Answer, QueryError> {
    let calendar = site.calendar();
    let time_labels = match (query.include.time_labels, plan.time) {
        (true, Some(time)) => Some(time.labels(calendar, plan.span, MAX_LABELS).ok_or_else(|| {
            QueryError::invalid("include.time_labels", "true", format!("a range with at most {MAX_LABELS} labels"))
        })?),
        _ => None,
    };
    let total_rows = query.include.total_rows.then_some(rows.len() as u64);
    let mut results = Vec::new();
    let mut bounds = Vec::new();
    let page = rows.into_iter().skip(query.pagination.offset as usize).take(query.pagination.limit as usize);
    for row in page {
        let mut names = row.names.iter();
        let name = |dimension: &Dimension| match (dimension.time(), plan.time) {
            (Some(_), Some(time)) => time.label(row.time, calendar),
            _ => names.next().map_or_else(String::new, |name| (*name).to_owned()),
        };
        let dimensions = query.dimensions.iter().map(name).collect();
        let named = query.metrics.iter().zip(&row.bounds);
        bounds.push(named.filter_map(|(m, b)| b.map(|b| (m.name().to_owned(), b))).collect::<BTreeMap<_, _>>());
        results.push(ResultRow { metrics: row.metrics, dimensions });
    }
    if bounds.iter().all(BTreeMap::is_empty) {
        bounds.clear();
    }
    let changes: Vec<String> = site.changes(plan.span).map(|at| calendar.local(at).to_string()).collect();
    Ok(Answer {
        results,
        meta: Meta {
            visitors_unit: site.unit(plan.span).map(str::to_owned),
            bounds,
            time_labels,
            total_rows,
            imports_included: query.include.imports.then_some(false),
            changes,
        },
        query: Query { date_range: range::told(plan.span, calendar), ..query.clone() },
    })
}
