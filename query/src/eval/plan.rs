//! Which buckets answer a query.
use headwater_core::{Grain, Minute, RowDimension};

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

/// Which rows of tallies are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// None.
    None,
    /// The total, and those of the [sheet](RowDimension::sheet) of a dimension.
    Of(RowDimension),
    /// All.
    All,
}

/// What of a bucket is looked at: the less, the less has to be in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Rows of its tallies.
    Tallies(Rows),
    /// The rows of a dimension, theta of its people, and what its [`super::Lens`] [knows](super::Lens::knows) of the dimension.
    Uniques(RowDimension),
    /// Its people, and rows of its tallies.
    People(Rows),
}

impl Need {
    /// Which rows are needed.
    #[must_use]
    pub const fn rows(self) -> Rows {
        match self {
            Self::Tallies(rows) | Self::People(rows) => rows,
            Self::Uniques(dimension) => Rows::Of(dimension),
        }
    }

    /// Whether it needs nobody's profile.
    pub(super) const fn is_light(self) -> bool {
        !matches!(self, Self::People(_))
    }
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

impl Plan {
    /// What of the buckets of a read is looked at. `whole` says that visitors are also counted over all rows of time
    /// together.
    pub(super) fn need(&self, read: &Read, whole: bool, site: &SiteContext) -> Need {
        let days = read.grain == Grain::Day && site.counts_by_day(read.span);
        let own_row = self.time.is_some_and(|time| time.is_bucket(read.grain)) && !whole;
        match self.needs.rows_of() {
            Some(of) if !self.needs.people => Need::Tallies(Rows::Of(of)),
            // A bucket that is alone in its row and identity window is its own union.
            Some(of) if self.needs.by_lens && (days || own_row) => Need::Uniques(of),
            // Those of whom visitors are a share may be told by rows of another dimension.
            _ if whole => Need::People(Rows::All),
            Some(of) => Need::People(Rows::Of(of)),
            None => Need::People(Rows::None),
        }
    }

    /// The first minute of the row of time that holds a minute.
    pub(super) fn row(&self, at: Minute, site: &SiteContext) -> Minute {
        self.time.map_or(Minute(0), |time| time.row(at, site.calendar(), self.span))
    }

    /// The reads of plans that read the same, those together that belong to one row of time and one identity window of any of
    /// them. So no more has to be in memory than what is looked at together.
    pub(super) fn chunks(all: &[&Self], site: &SiteContext) -> Vec<Vec<Read>> {
        let Some(first_plan) = all.first() else { return Vec::new() };
        let calendar = site.calendar();
        let key = |at: Minute| (site.window(at), all.iter().map(|plan| plan.row(at, site)).collect::<Vec<_>>());
        let joined =
            |a: &(Minute, Vec<Minute>), b: &(Minute, Vec<Minute>)| a.0 == b.0 && a.1.iter().zip(&b.1).any(|(a, b)| a == b);
        // Long before the first and long after the last bucket there is nothing to part.
        let first = site.first_data.map_or(first_plan.span.end, |first| first.offset(-3 * 24 * 60));
        let last = site.now.offset(3 * 24 * 60);
        let mut chunks: Vec<Vec<Read>> = Vec::new();
        let mut before = None;
        for read in &first_plan.reads {
            let mut start = read.span.start;
            while start < read.span.end {
                let mut end = read.span.end;
                if read.grain == Grain::Day && start >= first && start < last {
                    end = end.min(calendar.day(start).end.max(start.offset(1)));
                } else if read.grain == Grain::Day && start < first {
                    end = end.min(calendar.day(first).start.max(start.offset(1)));
                }
                let piece = Read { grain: read.grain, span: Span { start, end } };
                match chunks.last_mut() {
                    Some(chunk) if before.as_ref().is_some_and(|before| joined(before, &key(start))) => chunk.push(piece),
                    _ => chunks.push(vec![piece]),
                }
                before = Some(key(calendar.bucket(read.grain, end.offset(-1)).start));
                start = end;
            }
        }
        chunks
    }
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
