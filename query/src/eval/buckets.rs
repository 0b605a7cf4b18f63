//! Buckets by their totals, for who merges them elsewhere.
use headwater_core::{Grain, RowDimension};

use super::evaluate::{gather, parts, starts, views};
use super::{Bucket, Lens, Need, SiteContext, imports, plan};
use crate::{
    AnswerError, Bucketed, Buckets, DateRange, Dimension, Found, Metric, Query, QueryError, Span, TimeDimension, TimeRow,
};

/// The totals of the buckets of a grain in a range, which begins and ends where buckets do.
///
/// # Errors
/// [`AnswerError`].
pub fn buckets<B: Bucket, E>(
    range: &DateRange,
    grain: Grain,
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
    let Some(time) = plan.time else { return Ok(Buckets { grain, unit: None, whole: false, rows: Vec::new() }) };
    let found = gather(&plan, &plan.reads, false, site, &mut read)?;
    let views = views(&plan.needs, site, &found);
    let parts = parts(&plan, site, &found, &views)?;
    let mut parts = parts.iter().peekable();
    let calendar = site.calendar();
    let mut rows = Vec::new();
    for start in starts(time, plan.span, "date_range", site)? {
        let mut buckets = Vec::new();
        // Both are in the order of time.
        while let Some(part) = parts.next_if(|part| part.row <= start) {
            let own = Lens::default();
            let uniques = part.lens.unwrap_or(&own).of(RowDimension::Total, part.aggregate);
            let Some(tally) = part.aggregate.tallies.total() else { continue };
            let sampled = uniques.and_then(|uniques| uniques.visitors.first()).copied().unwrap_or(0);
            let sketched = uniques.and_then(|uniques| uniques.sketch(0));
            let visitors = Found { sampled: sampled.into(), theta: part.aggregate.people.theta, sketched };
            buckets.push(Bucketed::new(part.window, tally, visitors));
        }
        rows.push(TimeRow { label: time.label(start, calendar), window: site.window(start), buckets });
    }
    let whole = site.changes(plan.span).next().is_none() && imports::days(&query, &plan, site).is_err();
    Ok(Buckets { grain, unit: site.unit(plan.span).map(str::to_owned), whole, rows })
}
