//! Which buckets answer a query.
use headwater_core::{Grain, Minute};

use super::needs::Needs;
use super::time::TimeUnit;
use super::{SiteContext, range};
use crate::{Calendar, Query, QueryError, Span};

/// Buckets to be read: those of one grain that begin in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The grain.
    pub grain: Grain,
    /// The span. Buckets that only reach into it may be returned too: they are not counted.
    pub span: Span,
}

/// What a query needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In order of time, without overlap: the coarsest buckets that fit the range and the time dimension.
    pub reads: Vec<Read>,
    pub(super) span: Span,
    pub(super) time: Option<TimeUnit>,
    pub(super) needs: Needs,
    /// The same for the time that is compared with.
    pub(super) compared: Option<Box<Plan>>,
}

/// The most buckets that one query reads: more than six months of minutes never are.
const MAX_BUCKETS: u64 = 100_000;

/// Resolves the range and chooses the buckets.
///
/// # Errors
/// [`QueryError`], with status 422 if what is needed is not kept.
pub fn plan(query: &Query, site: &SiteContext) -> Result<Plan, QueryError> {
    let needs = Needs::of(query, &site.goals)?;
    let span = range::resolve(&query.date_range, "date_range", site)?;
    let dimension = query.dimensions.iter().find_map(crate::Dimension::time);
    let time = dimension.map(|dimension| TimeUnit::of(dimension, &query.date_range, span));
    let mut plan = of_span(span, time, needs, "date_range", site)?;
    if let Some(compare) = &query.include.comparisons {
        let span = range::compared(compare, &query.date_range, span, site)?;
        plan.compared = Some(Box::new(of_span(span, time, plan.needs.clone(), "include.comparisons", site)?));
    }
    Ok(plan)
}

fn of_span(span: Span, time: Option<TimeUnit>, needs: Needs, field: &str, site: &SiteContext) -> Result<Plan, QueryError> {
    let mut reads = Vec::new();
    let coarsest = time.map_or(Grain::Day, TimeUnit::grain);
    part(span, coarsest, site.calendar(), &mut reads);
    let by_time = time.is_some_and(|t| t.grain() < Grain::Day);
    for read in &reads {
        let field = if by_time && read.grain == coarsest && field == "date_range" { "dimensions" } else { field };
        available(read, needs.people, field, site)?;
    }
    let count: u64 = reads.iter().map(|read| buckets(read, site)).sum();
    if count > MAX_BUCKETS {
        return Err(QueryError::TooMuch {
            field: field.to_owned(),
            found: format!("this reads about {count} buckets"),
            allowed: format!("one query reads at most {MAX_BUCKETS}; ask for a shorter range, or for longer units of time"),
        });
    }
    Ok(Plan { reads, span, time, needs, compared: None })
}

/// Parts a span into the longest possible runs of the coarsest buckets.
fn part(span: Span, grain: Grain, calendar: &Calendar, reads: &mut Vec<Read>) {
    if span.is_empty() {
        return;
    }
    let finer = match grain {
        Grain::Minute => return reads.push(Read { grain, span }),
        Grain::Hour => Grain::Minute,
        Grain::Day => Grain::Hour,
    };
    let first = calendar.bucket(grain, span.start);
    let start = if first.start == span.start { span.start } else { first.end };
    let end = calendar.bucket(grain, span.end).start;
    if start >= end {
        return part(span, finer, calendar, reads);
    }
    part(Span { start: span.start, end: start }, finer, calendar, reads);
    reads.push(Read { grain, span: Span { start, end } });
    part(Span { start: end, end: span.end }, finer, calendar, reads);
}

/// About how many buckets there can be.
fn buckets(read: &Read, site: &SiteContext) -> u64 {
    let Some(first) = site.first_data else { return 0 };
    let span = Span { start: read.span.start.max(first), end: read.span.end.min(site.now.offset(2 * 24 * 60)) };
    let minutes = match read.grain {
        Grain::Minute => 1,
        Grain::Hour => 60,
        Grain::Day => 24 * 60,
    };
    u64::from(span.minutes() / minutes)
}

fn available(read: &Read, people: bool, field: &str, site: &SiteContext) -> Result<(), QueryError> {
    // Before the first data nothing was lost, and after now nothing happened.
    let Some(first) = site.first_data else { return Ok(()) };
    let start = read.span.start.max(first);
    let end = read.span.end.min(site.now.offset(1));
    let kept = site.retention.of(read.grain);
    let from = if people { kept.people.max(kept.buckets) } else { kept.buckets };
    let calendar = site.calendar();
    if start >= end || start >= calendar.bucket(read.grain, from).start {
        return Ok(());
    }
    let what = |grain: Grain| {
        let kept = site.retention.of(grain);
        let since = |from: Minute| match from.0 {
            0 => "always".to_owned(),
            _ => format!("from {}", calendar.local(calendar.bucket(grain, from).start)),
        };
        format!("{} {} (visitors and filters {})", plural(grain), since(kept.buckets), since(kept.people))
    };
    let kept: Vec<String> = Grain::ALL.into_iter().rev().map(what).collect();
    let visitors = if people { " with their visitors" } else { "" };
    Err(QueryError::NotAvailable {
        field: field.to_owned(),
        needs: format!("this needs {}{visitors} from {}", plural(read.grain), calendar.local(start)),
        available: format!("kept are {}", kept.join(", ")),
    })
}

const fn plural(grain: Grain) -> &'static str {
    match grain {
        Grain::Minute => "minutes",
        Grain::Hour => "hours",
        Grain::Day => "days",
    }
}
