//! Buckets by their totals and rows, for who merges them elsewhere.
use headwater_core::{Grain, RowDimension, VisitDimension};

use super::gather::{gather, parts, views};
use super::page::starts;
use super::unit::Part;
use super::{Bucket, Lens, Need, SiteContext, imports, labels, plan};
use crate::buckets::{COLUMNS, Line, SheetWriter};
use crate::{
    AnswerError, Bucketed, Buckets, DateRange, Dimension, Found, Metric, Query, QueryError, Sheet, Span, TimeDimension, TimeRow,
};

/// Where in a line the visits stand that a bounce rate is of.
const BOUNCES: std::ops::Range<usize> = 8..10;
/// The most rows of a dimension, over all buckets.
const MAX_ROWS: usize = 250_000;

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
    if let Some(at) = dimensions.iter().position(|dimension| row_dimension(dimension).is_none()) {
        let allowed = "rows are told of event:page, event:name, event:hostname and visit:*, but visit:exit_page";
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
    for start in starts(time, plan.span, "date_range", site)? {
        let mut buckets = Vec::new();
        // Both are in the order of time.
        while let Some(part) = all.next_if(|part| part.row <= start) {
            buckets.extend(bucketed(part));
        }
        told.rows.push(TimeRow { label: time.label(start, calendar), window: site.window(start), buckets });
    }
    told.whole = site.changes(plan.span).next().is_none() && imports::days(&query, &plan, site).is_err();
    told.unit = site.unit(plan.span).map(str::to_owned);
    for dimension in dimensions {
        // Those that need what a lens knows of the rows.
        let metrics = vec![Metric::Visitors, Metric::Visits];
        let query = Query { metrics, dimensions: vec![Dimension::Time(unit), dimension.clone()], ..query.clone() };
        let plan = super::plan(&query, site)?;
        let found = gather(&plan, &plan.reads, false, site, &mut read).map_err(AnswerError::Read)?;
        let views = views(&[&plan.needs], site, &found);
        match sheet(dimension, &parts(&plan, site, &found, &views)?) {
            Some(sheet) => told.sheets.push(sheet),
            None => told.left_out.push(dimension.clone()),
        }
    }
    Ok(told)
}

/// The rows of tallies that hold the values of a dimension, if lenses know them.
fn row_dimension(dimension: &Dimension) -> Option<RowDimension> {
    Some(match dimension {
        Dimension::Name => RowDimension::Name,
        Dimension::Page => RowDimension::Page,
        Dimension::Hostname => RowDimension::Hostname,
        Dimension::Visit(property) => RowDimension::Visit(*property),
        _ => return None,
    })
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

/// The rows of a dimension; `None` if there are too many.
fn sheet(dimension: &Dimension, parts: &[Part<'_>]) -> Option<Sheet> {
    let of = row_dimension(dimension)?;
    let parts: Vec<_> = parts.iter().filter(|part| part.aggregate.tallies.total().is_some()).collect();
    // The visits of a page's bounce rate entered there.
    let also = (of == RowDimension::Page).then_some(RowDimension::Visit(VisitDimension::EntryPage));
    let rows =
        |part: &Part<'_>| [Some(of), also].into_iter().flatten().map(|of| part.aggregate.tallies.of(of).len()).sum::<usize>();
    if parts.iter().map(|part| rows(part)).sum::<usize>() > MAX_ROWS {
        return None;
    }
    let values = parts.iter().flat_map(|part| {
        let tallies = &part.aggregate.tallies;
        let of_entries = also.into_iter().flat_map(|also| tallies.of(also)).map(|row| tallies.dict.get(row.key.value));
        tallies.of(of).iter().map(move |row| labels::of_row(of, tallies.dict.get(row.key.value))).chain(of_entries)
    });
    let mut writer = SheetWriter::new(dimension.clone(), values);
    for part in parts {
        writer.bucket(&mut lines(part, of, also));
    }
    Some(writer.finish())
}

/// The rows of a bucket, and those of its entry pages, which a page's add to.
fn lines<'a>(part: &Part<'a>, of: RowDimension, also: Option<RowDimension>) -> Vec<Line<'a>> {
    let own = Lens::default();
    let tallies = &part.aggregate.tallies;
    let uniques = part.lens.unwrap_or(&own).of(of, part.aggregate);
    let line = |(place, row): (usize, &headwater_core::Row)| {
        let tally = &row.tally;
        let visitors = uniques.and_then(|uniques| uniques.visitors.get(place)).copied().unwrap_or(0);
        let (mut visits, mut squares) = uniques.map(|uniques| uniques.visits(place)).unwrap_or_default();
        if also.is_some() {
            (visits, squares) = ([visits[0], 0, 0], [squares[0], 0.0, 0.0]);
        }
        // Sums of squares of whole numbers.
        let squares = squares.map(|square| square as u64);
        let others = tally.events.wrapping_sub(tally.views);
        let counts = [
            others,
            tally.views,
            tally.visits,
            tally.visits_went_on,
            tally.engaged,
            tally.depth,
            visitors.into(),
            visits[0],
            visits[1],
            visits[2],
            squares[0],
            squares[1],
            squares[2],
        ];
        let sketched = uniques.and_then(|uniques| uniques.sketch(place));
        Line { value: labels::of_row(of, tallies.dict.get(row.key.value)), counts, sketched }
    };
    let mut lines: Vec<Line<'_>> = tallies.of(of).iter().enumerate().map(line).collect();
    // Rows are in the order of their values.
    let pages = lines.len();
    for row in also.into_iter().flat_map(|also| tallies.of(also)) {
        let (value, entries) = (tallies.dict.get(row.key.value), [row.tally.visits, row.tally.visits_went_on]);
        let at = lines.get(..pages).unwrap_or_default().binary_search_by(|line| line.value.cmp(value)).unwrap_or(lines.len());
        if at == lines.len() {
            lines.push(Line { value, counts: [0; COLUMNS], sketched: None });
        }
        if let Some(line) = lines.get_mut(at) {
            line.counts[BOUNCES].copy_from_slice(&entries);
        }
    }
    lines
}
