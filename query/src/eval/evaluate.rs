//! Rows from buckets.
use std::collections::{BTreeMap, HashMap, HashSet};

use headwater_core::{Estimate, Minute, People};

use super::accumulate::{Table, Totals, What};
use super::compare;
use super::done::Done;
use super::exits::exits;
use super::goals::Reached;
use super::groups::Groups;
use super::matcher::Node;
use super::metrics::{self, Bases};
use super::needs::{Needs, Shape, Visits};
use super::order::{self, Row};
use super::time::TimeUnit;
use super::unit::{self, Job, Part};
use super::view::View;
use super::{Bucket, Plan, SiteContext, plan, range};
use crate::{Answer, Dimension, Filter, Meta, Metric, Query, QueryError, ResultRow, Span};

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
pub(super) const MAX_LABELS: usize = 20_000;
/// The most rows of an answer before it is cut into pages.
const MAX_ROWS: usize = 250_000;

/// Answers a query: plans, reads, evaluates. `read` gives the buckets of a grain that lie in a span, in any order, with
/// those that reach over its ends or without.
///
/// # Errors
/// [`AnswerError`].
pub fn answer<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    mut read: impl FnMut(headwater_core::Grain, Span) -> Result<Vec<B>, E>,
) -> Result<Answer, AnswerError<E>> {
    let plan = plan(query, site)?;
    let mut gather = |plan: &Plan| {
        let mut buckets = Vec::new();
        for part in &plan.reads {
            let found = read(part.grain, part.span).map_err(AnswerError::Read)?;
            buckets.extend(found.into_iter().filter(|b| part.span.contains(b.span().start)));
        }
        // The order of time, which the caller's order need not be.
        buckets.sort_by_key(|b: &B| b.span().start);
        Ok::<_, AnswerError<E>>(buckets)
    };
    let (mut answer, starts) = {
        let buckets = gather(&plan)?;
        let views = views(&plan.needs, site, &buckets);
        page(query, &plan, site, evaluate(query, &plan, site, &buckets, &views)?)?
    };
    if let Some(other) = &plan.compared {
        let buckets = gather(other)?;
        let views = views(&other.needs, site, &buckets);
        let rows = evaluate(query, other, site, &buckets, &views)?;
        compare::join(&mut answer, &starts, query, [&plan, other], site, rows)?;
    }
    Ok(answer)
}

/// The buckets' people as the query sees them.
fn views<'a, B: Bucket>(needs: &Needs, site: &'a SiteContext, buckets: &'a [B]) -> Vec<View<'a>> {
    let people = |bucket: &'a B| (site.window(bucket.span().start), &bucket.aggregate().people);
    let parts: Vec<(Minute, &People)> = if needs.exits { buckets.iter().map(people).collect() } else { Vec::new() };
    let mut exits = exits(&parts).into_iter();
    let view = |bucket: &'a B| View {
        exits: exits.next(),
        reached: needs.goals.then(|| Reached::new(&bucket.aggregate().people, &site.goals)),
        goals: &site.goals,
        valued: needs.goals && needs.shape.of_goals(),
    };
    buckets.iter().map(view).collect()
}

/// The rows, in no order, from the buckets that the plan asked for, which are in the order of time.
fn evaluate<'a, B: Bucket>(
    query: &Query,
    plan: &Plan,
    site: &SiteContext,
    buckets: &'a [B],
    views: &'a [View<'a>],
) -> Result<Vec<Row<'a>>, QueryError> {
    let calendar = site.calendar();
    let row = |minute: Minute| plan.time.map_or(Minute(0), |time| time.row(minute, calendar, plan.span));
    for bucket in buckets {
        if plan.needs.people && !bucket.has_people() && !bucket.aggregate().is_empty() {
            return Err(QueryError::NotAvailable {
                field: "date_range".to_owned(),
                needs: format!("this needs the visitors of {}", calendar.local(bucket.span().start)),
                available: "only counts are kept so far back at this grain".to_owned(),
            });
        }
    }
    let part = |(bucket, view): (&'a B, &'a View<'a>)| {
        let start = bucket.span().start;
        let (aggregate, lens) = (bucket.aggregate(), bucket.lens());
        Part { aggregate, view, lens, start, row: row(start), window: site.window(start) }
    };
    let parts: Vec<Part<'_>> = buckets.iter().zip(views).map(part).collect();

    let needs = &plan.needs;
    let mut groups = Groups::default();
    let mut totals = rows(needs, &parts, &mut groups)?;
    let width = needs.shape.dimensions.len();
    if query.dimensions.is_empty() && totals.is_empty() {
        totals.push((Minute(0), 0, Totals::default()));
    }
    let bases = AllBases::new(query, needs, &parts)?;
    let shown = totals.iter().filter(|(.., totals)| query.dimensions.is_empty() || totals.is_shown());
    let row = |time: Minute, names: Vec<&'a str>, totals: &Totals| {
        let bases = bases.of(needs, time, &names);
        let (metrics, bounds) = query.metrics.iter().map(|m| metrics::metric(*m, totals, needs, &bases)).unzip();
        Row { time, names, metrics, bounds }
    };
    let mut rows: Vec<Row<'a>> = shown.map(|(time, group, totals)| row(*time, groups.names(*group, width), totals)).collect();
    // A line that is compared has all its points, also where only the other line has something.
    if let (Some(_), [Dimension::Time(_)], Some(time)) = (&query.include.comparisons, query.dimensions.as_slice(), plan.time) {
        let known: HashSet<Minute> = rows.iter().map(|row| row.time).collect();
        let missing = starts(time, plan.span, "include.comparisons", site)?.into_iter().filter(|at| !known.contains(at));
        rows.extend(missing.map(|at| row(at, Vec::new(), &Totals::default())).collect::<Vec<_>>());
    }
    Ok(rows)
}

/// The first minutes of all rows of time of a span.
pub(super) fn starts(time: TimeUnit, span: Span, field: &str, site: &SiteContext) -> Result<Vec<Minute>, QueryError> {
    time.starts(site.calendar(), span, MAX_LABELS).ok_or_else(|| QueryError::TooMuch {
        field: field.to_owned(),
        found: "the range has too many labels".to_owned(),
        allowed: format!("at most {MAX_LABELS}; ask for a shorter range, or for longer units of time"),
    })
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
    let by_window = !done.is_empty() || needs.exits;
    let job = Job { needs, filters, entry, by_window, done: Done::new(&done, parts) };
    let mut theta: HashMap<Minute, u64> = HashMap::new();
    for part in parts {
        let least = theta.entry(part.window).or_insert(u64::MAX);
        *least = part.aggregate.people.theta.min(*least);
    }
    let mut table = Table::default();
    let mut rows = Vec::new();
    for row in parts.chunk_by(|a, b| a.row == b.row) {
        let mut share: f64 = 1.0;
        for parts in row.chunk_by(|a, b| a.window == b.window) {
            let least = theta.get(&parts[0].window).copied().unwrap_or(u64::MAX);
            share = share.min(unit::add(&job, parts, least, groups, &mut table));
            if rows.len() + table.len() > MAX_ROWS {
                return Err(QueryError::TooMuch {
                    field: "dimensions".to_owned(),
                    found: format!("the answer has more than {MAX_ROWS} rows"),
                    allowed: "ask for fewer dimensions, longer units of time or a shorter range, or filter".to_owned(),
                });
            }
        }
        if needs.shape.dimensions.is_empty() {
            // The one row there is, even if nobody passes: samples may have missed who does.
            table.at(0);
        }
        rows.extend(table.take(share).map(|(group, totals)| (row[0].row, group, totals)));
    }
    Ok(rows)
}

/// Of what visitors of rows are shares, as far as it is asked for.
struct AllBases<'a> {
    all: Estimate,
    converting: Estimate,
    by_group: HashMap<(Minute, Vec<&'a str>), Estimate>,
}

impl<'a> AllBases<'a> {
    fn new(query: &Query, needs: &Needs, parts: &[Part<'a>]) -> Result<Self, QueryError> {
        let whole: Vec<Part<'a>> = parts.iter().map(|p| Part { row: Minute(0), ..*p }).collect();
        let total = |filters: Vec<Filter>, metric| {
            if !query.metrics.contains(&metric) {
                return Ok(Estimate::exact(0));
            }
            let needs = Needs::visitors_of(Shape { dimensions: Vec::new(), filters });
            let rows = rows(&needs, &whole, &mut Groups::default())?;
            Ok::<_, QueryError>(rows.first().map_or(Estimate::exact(0), |(.., totals)| totals.estimate(What::Visitors)))
        };
        let shape = &needs.shape;
        let all = total(shape.filters.clone(), Metric::Percentage)?;
        let converting = total(shape.before_conversion(false).filters, Metric::ConversionRate)?;
        let mut by_group = HashMap::new();
        if query.metrics.contains(&Metric::GroupConversionRate) {
            let needs = Needs::visitors_of(shape.before_conversion(true));
            let mut groups = Groups::default();
            let width = needs.shape.dimensions.len();
            for (time, group, totals) in rows(&needs, parts, &mut groups)? {
                by_group.insert((time, groups.names(group, width)), totals.estimate(What::Visitors));
            }
        }
        Ok(Self { all, converting, by_group })
    }

    fn of(&self, needs: &Needs, time: Minute, names: &[&'a str]) -> Bases {
        let group = || {
            let named = needs.shape.dimensions.iter().zip(names).filter(|(d, _)| **d != Dimension::Goal);
            self.by_group.get(&(time, named.map(|(_, name)| *name).collect())).copied()
        };
        let group = if self.by_group.is_empty() { None } else { group() };
        Bases { all: self.all, converting: self.converting, group: group.unwrap_or(Estimate::exact(0)) }
    }
}

/// Sorts the rows, cuts out the page that was asked for and says what there is to say; and where the time of each row of
/// the page begins.
fn page(query: &Query, plan: &Plan, site: &SiteContext, mut rows: Vec<Row<'_>>) -> Result<(Answer, Vec<Minute>), QueryError> {
    let calendar = site.calendar();
    let time_labels = match (query.include.time_labels, plan.time) {
        (true, Some(time)) => Some(labels(time, plan.span, site)?),
        _ => None,
    };
    order::sort(&mut rows, query);
    let total_rows = query.include.total_rows.then_some(rows.len() as u64);
    let mut results = Vec::new();
    let mut bounds = Vec::new();
    let mut starts = Vec::new();
    let page = rows.into_iter().skip(query.pagination.offset as usize).take(query.pagination.limit as usize);
    for row in page {
        let mut names = row.names.iter();
        let name = |dimension: &Dimension| match (dimension.time(), plan.time) {
            (Some(_), Some(time)) => time.label(row.time, calendar),
            _ => names.next().map_or_else(String::new, |name| (*name).to_owned()),
        };
        let dimensions = query.dimensions.iter().map(name).collect();
        bounds.push(row.bounds(query));
        starts.push(row.time);
        results.push(ResultRow { metrics: row.metrics, dimensions, comparison: None });
    }
    if bounds.iter().all(BTreeMap::is_empty) {
        bounds.clear();
    }
    let changes: Vec<String> = site.changes(plan.span).map(|at| calendar.local(at).to_string()).collect();
    let answer = Answer {
        results,
        meta: Meta {
            visitors_unit: site.unit(plan.span).map(str::to_owned),
            bounds,
            time_labels,
            total_rows,
            imports_included: query.include.imports.then_some(false),
            changes,
            comparison: None,
        },
        query: Query { date_range: range::told(plan.span, calendar), ..query.clone() },
    };
    Ok((answer, starts))
}

/// The labels of all rows of time of a span.
pub(super) fn labels(time: TimeUnit, span: Span, site: &SiteContext) -> Result<Vec<String>, QueryError> {
    let starts = starts(time, span, "include.time_labels", site)?;
    Ok(starts.into_iter().map(|at| time.label(at, site.calendar())).collect())
}
