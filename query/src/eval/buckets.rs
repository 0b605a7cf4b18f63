//! Buckets by their totals and rows, for who merges them elsewhere.
use headwater_core::{Grain, RowDimension};

use super::gather::{gather, parts, views};
use super::page::starts;
use super::unit::Part;
use super::{Bucket, Lens, Need, SiteContext, imports, plan, sheets};
use crate::{
    AnswerError, Bucketed, Buckets, DateRange, Dimension, Found, Metric, Query, QueryError, Span, TimeDimension, TimeRow,
};

/// The buckets of a grain in a range, which begins and ends where buckets do: their totals and, by day, the rows of some dimensions. A dimension
/// with more than 250,000 of them is [left out](Buckets::left_out).
///
/// # Errors
/// [`AnswerError`].
pub fn buckets<B: Bucket, E>(
    range: &DateRange,
    grain: Grain,
    dimensions: &[Dimension],
    site: &SiteContext,
    mut read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Buckets, AnswerError<E>> {
    let unit = match grain {
        Grain::Minute => TimeDimension::Minute,
        Grain::Hour => TimeDimension::Hour,
        Grain::Day => TimeDimension::Day,
    };
    let query = Query { dimensions: vec![Dimension::Time(unit)], ..Query::new("", vec![Metric::Visitors], *range) };
    let plan = plan(&query, site)?;
    if plan.reads.iter().any(|read| read.grain != grain) {
        let found = format!("{} to {}", site.calendar().local(plan.span.start), site.calendar().local(plan.span.end));
        return Err(QueryError::invalid("date_range", found, format!("it begins and ends where a {} does", grain.name())).into());
    }
    if let Some(at) = dimensions.iter().position(|dimension| !dimension.has_rows()) {
        let allowed = "rows are told of event:page, event:name, event:hostname, event:props:* and visit:*, but visit:exit_page";
        return Err(QueryError::invalid(format!("dimensions[{at}]"), dimensions[at].to_string(), allowed).into());
    }
    if grain != Grain::Day && !dimensions.is_empty() {
        return Err(QueryError::invalid("grain", grain.name(), "rows of dimensions are told of days: it is day then").into());
    }
    let mut told = Buckets { grain, unit: None, whole: false, rows: Vec::new(), sheets: Vec::new(), left_out: Vec::new() };
    let Some(time) = plan.time else { return Ok(told) };
    let found = gather(&plan, &plan.reads, false, site, &mut read).map_err(AnswerError::Read)?;
    let views_of = views(&[&plan.needs], site, &found);
    let all = parts(&plan, site, &found, &views_of)?;
    let mut all = all.iter().peekable();
    let calendar = site.calendar();
    let mut starts_of = Vec::new();
    for start in starts(time, plan.span, "date_range", site)? {
        let mut buckets = Vec::new();
        // Both are in the order of time.
        while let Some(part) = all.next_if(|part| part.row <= start) {
            if let Some(bucket) = bucketed(part) {
                starts_of.push(part.start);
                buckets.push(bucket);
            }
        }
        told.rows.push(TimeRow { label: time.label(start, calendar), window: site.window(start), buckets });
    }
    told.whole = site.changes(plan.span).next().is_none() && imports::days(&query, &plan, site).is_err();
    told.unit = site.unit(plan.span).map(str::to_owned);
    for dimension in dimensions {
        match sheets::sheet(dimension, &query, &starts_of, site, &mut read)? {
            Some(sheet) => told.sheets.push(sheet),
            None => told.left_out.push(dimension.clone()),
        }
    }
    Ok(told)
}

/// The totals of a bucket in which something happened.
fn bucketed(part: &Part<'_>) -> Option<Bucketed> {
    let own = Lens::default();
    let uniques = part.lens.unwrap_or(&own).of(RowDimension::Total, part.aggregate);
    let tally = part.aggregate.tallies.total()?;
    let sampled = uniques.and_then(|uniques| uniques.visitors.first()).copied().unwrap_or(0);
    let sketched = uniques.and_then(|uniques| uniques.sketch(0));
    let visitors = Found { sampled: sampled.into(), theta: part.aggregate.people.theta, sketched };
    Some(Bucketed::new(part.window, tally, visitors))
}
