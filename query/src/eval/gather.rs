//! The buckets that a question looks at: read, and put where they belong.
use std::collections::HashMap;

use headwater_core::{Grain, Minute, Profiles};

use super::exits::exits;
use super::goals::Reached;
use super::needs::Needs;
use super::unit::Part;
use super::view::View;
use super::{Bucket, Need, Plan, Read, SiteContext};
use crate::{QueryError, Span};

/// Reads some of what the plan asks for, in the order of time.
pub(super) fn gather<B: Bucket, E>(
    plan: &Plan,
    reads: &[Read],
    whole: bool,
    site: &SiteContext,
    read: &mut impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Vec<B>, E> {
    let mut gathered = Vec::new();
    for part in reads {
        let mut get = |need| {
            let found = read(part.grain, part.span, need)?;
            Ok::<Vec<B>, E>(found.into_iter().filter(|b| part.span.contains(b.span().start)).collect())
        };
        let need = plan.need(part, whole, site);
        let mut found = get(need)?;
        if matches!(need, Need::Uniques(_)) {
            // Around a change of the zone two buckets may share a window after all.
            let mut windows: Vec<Minute> = found.iter().map(|b| site.window(b.span().start)).collect();
            windows.sort_unstable();
            if part.grain == Grain::Day && site.counts_by_day(part.span) && windows.windows(2).any(|two| two[0] == two[1]) {
                found = get(Need::People(need.rows()))?;
            }
        }
        gathered.extend(found);
    }
    // The order of time, which the caller's order need not be.
    gathered.sort_by_key(|b: &B| b.span().start);
    Ok(gathered)
}

/// The buckets' people as questions see them, of which all ask for exit pages or none.
pub(super) fn views<'a, B: Bucket>(all: &[&Needs], site: &'a SiteContext, buckets: &'a [B]) -> Vec<View<'a>> {
    let people = |bucket: &'a B| (site.window(bucket.span().start), &*bucket.aggregate().people);
    let parts: Vec<(Minute, &Profiles)> =
        if all.iter().any(|needs| needs.exits) { buckets.iter().map(people).collect() } else { Vec::new() };
    let mut exits = exits(&parts).into_iter();
    let goals = all.iter().any(|needs| needs.goals);
    let view = |bucket: &'a B| View {
        exits: exits.next(),
        reached: goals.then(|| Reached::new(&bucket.aggregate().people, &site.goals)),
        goals: &site.goals,
    };
    buckets.iter().map(view).collect()
}

/// Buckets with where they belong.
pub(super) fn parts<'a, B: Bucket>(
    plan: &Plan,
    site: &SiteContext,
    buckets: &'a [B],
    views: &'a [View<'a>],
) -> Result<Vec<Part<'a>>, QueryError> {
    let calendar = site.calendar();
    let mut theta: HashMap<Minute, u64> = HashMap::new();
    for bucket in buckets {
        let least = theta.entry(site.window(bucket.span().start)).or_insert(u64::MAX);
        *least = bucket.aggregate().people.theta.min(*least);
    }
    let part = |(bucket, view): (&'a B, &'a View<'a>)| {
        let start = bucket.span().start;
        if plan.needs.people && !bucket.has_people() {
            return Err(QueryError::NotAvailable {
                field: "date_range".to_owned(),
                needs: format!("this needs the visitors of {}", calendar.local(start)),
                available: "only counts are kept so far back at this grain".to_owned(),
            });
        }
        let (row, window) = (plan.row(start, site), site.window(start));
        let window_theta = theta.get(&window).copied().unwrap_or(u64::MAX);
        Ok(Part { aggregate: bucket.aggregate(), view, lens: bucket.lens(), chosen: None, start, row, window, window_theta })
    };
    buckets.iter().zip(views).map(part).collect()
}
