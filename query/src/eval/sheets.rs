//! The rows of buckets by one dimension, for who merges them elsewhere.
use std::collections::HashMap;

use headwater_core::{Grain, Minute, RowDimension, VisitDimension};

use super::choice::Choice;
use super::evaluate::AT_ONCE;
use super::gather::{gather, parts, views};
use super::groups::Groups;
use super::ledger::Ledger;
use super::room::Room;
use super::unit::Part;
use super::{Bucket, Lens, Need, Plan, SiteContext, labels};
use crate::buckets::{Counts, Line, SheetWriter};
use crate::totals::{Totals, What};
use crate::{AnswerError, Dimension, Metric, Query, Sheet, Span};

/// The most rows of a dimension, over all buckets.
const MAX_ROWS: usize = 250_000;

/// The rows of tallies that hold the values of a dimension, if lenses know them.
const fn row_dimension(dimension: &Dimension) -> Option<RowDimension> {
    Some(match dimension {
        Dimension::Name => RowDimension::Name,
        Dimension::Page => RowDimension::Page,
        Dimension::Hostname => RowDimension::Hostname,
        Dimension::Visit(property) => RowDimension::Visit(*property),
        _ => return None,
    })
}

/// The rows of a dimension in the buckets that begin at `starts`; `None` if there are too many. `query` asks for the same range by time.
pub(super) fn sheet<B: Bucket, E>(
    dimension: &Dimension,
    query: &Query,
    starts: &[Minute],
    site: &SiteContext,
    read: &mut impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Option<Sheet>, AnswerError<E>> {
    // With metrics for which all is looked at that a row can tell.
    let metrics = vec![Metric::Visitors, Metric::Visits, Metric::BounceRate];
    let dimensions = [&query.dimensions[..], std::slice::from_ref(dimension)].concat();
    let query = Query { metrics, dimensions, ..query.clone() };
    let plan = super::plan(&query, site)?;
    let Some(of) = row_dimension(dimension) else {
        let (choice, room) = (Choice::new(&[&plan.needs])?, Room::default());
        let mut ledger = Ledger::new(&plan.needs);
        for chunk in Plan::chunks(&[&plan], site).chunks(AT_ONCE) {
            let buckets = gather(&plan, &chunk.concat(), false, site, read).map_err(AnswerError::Read)?;
            let views = views(&[&plan.needs], site, &buckets);
            if ledger.add(&choice, &parts(&plan, site, &buckets, &views)?, &room).is_err() {
                // There is no room for so many rows.
                return Ok(None);
            }
        }
        let (groups, rows) = ledger.finish();
        return Ok(of_people(dimension, &groups, rows, starts));
    };
    let found = gather(&plan, &plan.reads, false, site, read).map_err(AnswerError::Read)?;
    let views = views(&[&plan.needs], site, &found);
    Ok(of_tallies(dimension, of, &parts(&plan, site, &found, &views)?))
}

/// Rows that were added up bucket by bucket, each of which is a row of time.
fn of_people(dimension: &Dimension, groups: &Groups, rows: Vec<(Minute, u32, Totals)>, starts: &[Minute]) -> Option<Sheet> {
    if rows.len() > MAX_ROWS {
        return None;
    }
    let name = |group: u32| groups.names(group, 1).pop().unwrap_or_default();
    let named: Vec<_> = rows.into_iter().map(|(time, group, totals)| (time, name(group), totals)).collect();
    let mut by_start: HashMap<Minute, Vec<Line<'_>>> = HashMap::new();
    for (time, name, totals) in &named {
        by_start.entry(*time).or_default().push(Line { value: name, counts: counts(totals), sketched: None });
    }
    let mut writer = SheetWriter::new(dimension.clone(), named.iter().map(|(_, name, _)| &**name));
    starts.iter().for_each(|start| writer.bucket(&mut by_start.remove(start).unwrap_or_default()));
    Some(writer.finish())
}

fn counts(totals: &Totals) -> Counts {
    // Whole numbers, found in one bucket.
    let found = |what| totals.found(what) as u64;
    let bounces = [What::BounceStarted, What::BounceWentOn];
    Counts {
        events: found(What::Events),
        views: found(What::Views),
        started: found(What::Started),
        went_on: found(What::WentOn),
        engaged: found(What::Engaged),
        depth: found(What::Depth),
        visitors: found(What::Visitors),
        visits: found(What::Visits),
        bounces: bounces.map(found),
        squares: [What::Visits, bounces[0], bounces[1]].map(|what| totals.squares(what) as u64),
    }
}

/// Rows of tallies, with what lenses know of them.
fn of_tallies(dimension: &Dimension, of: RowDimension, parts: &[Part<'_>]) -> Option<Sheet> {
    let parts: Vec<_> = parts.iter().filter(|part| part.aggregate.tallies.total().is_some()).collect();
    // The visits of a page's bounce rate entered there.
    let also = (of == RowDimension::Page).then_some(RowDimension::Visit(VisitDimension::EntryPage));
    // Mostly one is entered where the other is seen, and both stand in one line.
    let rows =
        |part: &Part<'_>| [Some(of), also].into_iter().flatten().map(|of| part.aggregate.tallies.of(of).len()).max().unwrap_or(0);
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
        let counts = Counts {
            events: tally.events,
            views: tally.views,
            started: tally.visits,
            went_on: tally.visits_went_on,
            engaged: tally.engaged,
            depth: tally.depth,
            visitors: visitors.into(),
            visits: visits[0],
            bounces: [visits[1], visits[2]],
            // Sums of squares of whole numbers.
            squares: squares.map(|square| square as u64),
        };
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
            lines.push(Line { value, counts: Counts::default(), sketched: None });
        }
        if let Some(line) = lines.get_mut(at) {
            line.counts.bounces = entries;
        }
    }
    lines
}
