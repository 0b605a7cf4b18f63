//! Questions of which all look at the same buckets and people, evaluated in one pass.
use std::collections::HashSet;
use std::sync::Arc;

use headwater_core::{Grain, Minute};

use super::bases::AllBases;
use super::choice::{Choice, ChosenOnce};
use super::gather::{gather, parts, views};
use super::groups::Groups;
use super::imports::{self, ReadImported};
use super::ledger::Ledger;
use super::metrics::{self, Bases};
use super::needs::Needs;
use super::room::{Room, Stop};
use super::unit::Part;
use super::{Bucket, Need, Plan, SiteContext, Task, Workers, page};
use crate::order::{self, Row};
use crate::totals::{Totals, What};
use crate::{Dimension, Metric, Query, QueryError, Span};

/// Of how many rows of time and identity windows the people are in memory together: a few, so that whoever reads them can
/// unpack several at a time.
pub(super) const AT_ONCE: usize = 2;

/// A question about one span.
#[derive(Clone, Copy)]
pub(super) struct Asked<'q> {
    pub(super) query: &'q Query,
    pub(super) plan: &'q Plan,
}

/// The rows in no order, at least those up to the end of the page; and how many there are.
pub(super) type Evaluated = (Vec<Row>, usize);

impl Asked<'_> {
    /// Whether visitors are also counted over all rows of time together, which needs all buckets at once.
    fn is_whole(&self) -> bool {
        let shares = [Metric::Percentage, Metric::ConversionRate, Metric::GroupConversionRate];
        !counts_everyone_beside(self.query, self.plan) && self.query.metrics.iter().any(|metric| shares.contains(metric))
    }

    /// Whether it looks at people only, day by day: then others can look with it, and who is chosen need not be kept for long.
    fn is_shared(&self, site: &SiteContext) -> bool {
        self.plan.needs.tallies.is_none() && !self.is_whole() && site.counts_by_day(self.plan.span)
    }

    /// Whether two look at the same people.
    pub(super) fn looks_with(&self, other: &Self, site: &SiteContext) -> bool {
        let of = |asked: &Self| (&asked.plan.reads, &asked.plan.needs.shape.filters, asked.plan.needs.exits);
        self.is_shared(site) && other.is_shared(site) && of(self) == of(other)
    }
}

/// Evaluates questions that [look](Asked::looks_with) at the same people, or one. Of several those for which there was no room beside the others are
/// left out (`None`), and are to be evaluated alone.
///
/// # Errors
/// Those of reading; what is wrong with one question stands in its place.
pub(super) fn evaluate<B: Bucket, E>(
    asked: &[Asked<'_>],
    site: &SiteContext,
    read: &mut impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
    imported: &mut ReadImported<'_, E>,
    workers: &dyn Workers,
) -> Result<Vec<Option<Result<Evaluated, QueryError>>>, E> {
    let plans: Vec<&Plan> = asked.iter().map(|asked| asked.plan).collect();
    let needs: Vec<&Needs> = plans.iter().map(|plan| &plan.needs).collect();
    let all_fail = |error: QueryError| Ok(asked.iter().map(|_| Some(Err(error.clone()))).collect());
    let Some(first) = asked.first() else { return Ok(Vec::new()) };
    let mut choice = match Choice::new(&needs) {
        Ok(choice) => choice,
        Err(error) => return all_fail(error),
    };
    let whole = first.is_whole();
    let light = first.plan.reads.iter().all(|read| first.plan.need(read, whole, site).is_light());
    // Light buckets are read in one go; of heavy ones no more than are looked at together.
    let in_one = light || whole || choice.by_window;
    let chunks = if in_one { vec![first.plan.reads.clone()] } else { Plan::chunks(&plans, site) };
    let room = Room::default();
    let mut passes: Vec<Pass<'_>> = asked.iter().map(|asked| Pass::new(*asked)).collect();
    for chunk in chunks.chunks(AT_ONCE) {
        let buckets = gather(first.plan, &chunk.concat(), whole, site, read)?;
        let views = views(&needs, site, &buckets);
        let parts = match parts(first.plan, site, &buckets, &views) {
            Ok(parts) => parts,
            Err(error) => return all_fail(error),
        };
        if choice.by_window {
            choice.look_ahead(&parts);
        }
        match &mut passes[..] {
            [pass] => pass.add(&choice, &parts, site, &room),
            passes => add_together(passes, &choice, &parts, site, &room, workers),
        }
    }
    passes.into_iter().map(|pass| pass.finish(site, imported)).collect()
}

/// Adds buckets to several questions: of a few windows at a time all who are chosen, then each question's sums of them.
fn add_together(
    passes: &mut [Pass<'_>],
    choice: &Choice,
    parts: &[Part<'_>],
    site: &SiteContext,
    room: &Room,
    workers: &dyn Workers,
) {
    let mut rest = parts;
    while !rest.is_empty() {
        let windows = rest.chunk_by(|a, b| a.window == b.window).take(AT_ONCE);
        let (some, others) = rest.split_at(windows.map(<[_]>::len).sum());
        rest = others;
        let chosen: Vec<ChosenOnce> = some.iter().map(|_| ChosenOnce::default()).collect();
        let some: Vec<Part<'_>> = some.iter().zip(&chosen).map(|(part, once)| Part { chosen: Some(once), ..*part }).collect();
        let choose = |(part, once)| -> Task<'_> {
            Box::new(move || {
                choice.of(part, once);
            })
        };
        // First what all need, or they would wait for each other.
        workers.run(some.iter().zip(&chosen).map(choose).collect());
        let some = &some[..];
        let tasks = passes.iter_mut().map(|pass| -> Task<'_> { Box::new(move || pass.add(choice, some, site, room)) });
        workers.run(tasks.collect());
    }
}

/// What a question has of the buckets so far.
struct Pass<'q> {
    asked: Asked<'q>,
    ledger: Ledger<'q>,
    bases: AllBases,
    stopped: Option<Stop>,
}

impl<'q> Pass<'q> {
    fn new(asked: Asked<'q>) -> Self {
        let mut ledger = Ledger::new(&asked.plan.needs);
        ledger.everyone = counts_everyone_beside(asked.query, asked.plan).then(Totals::default);
        Self { asked, ledger, bases: AllBases::default(), stopped: None }
    }

    /// Adds buckets, all of each of its rows of time and identity windows.
    fn add(&mut self, choice: &Choice, parts: &[Part<'_>], site: &SiteContext, room: &Room) {
        if self.stopped.is_some() {
            return;
        }
        if let Err(stop) = self.try_add(choice, parts, site, room) {
            self.stopped = Some(stop);
            let ledger = std::mem::replace(&mut self.ledger, Ledger::new(&self.asked.plan.needs));
            room.leave(ledger.counted);
        }
    }

    fn try_add(&mut self, choice: &Choice, parts: &[Part<'_>], site: &SiteContext, room: &Room) -> Result<(), Stop> {
        let Asked { query, plan } = self.asked;
        let own: Vec<Part<'_>> = parts.iter().map(|part| Part { row: plan.row(part.start, site), ..*part }).collect();
        self.ledger.add(choice, &own, room)?;
        if self.asked.is_whole() {
            self.bases = AllBases::new(query, &plan.needs, &own)?;
        }
        Ok(())
    }

    /// The rows. The outer error is that of reading imports.
    fn finish<E>(
        self,
        site: &SiteContext,
        imported: &mut ReadImported<'_, E>,
    ) -> Result<Option<Result<Evaluated, QueryError>>, E> {
        let Self { asked, ledger, mut bases, stopped } = self;
        match stopped {
            Some(Stop::Query(error)) => return Ok(Some(Err(error))),
            Some(Stop::NoRoom) => return Ok(None),
            None => {}
        }
        let (Asked { query, plan }, whole) = (asked, asked.is_whole());
        let needs = &plan.needs;
        if let Some(everyone) = &ledger.everyone {
            bases.all = everyone.estimate(What::Visitors);
        }
        let (mut groups, mut totals) = ledger.finish();
        if query.dimensions.is_empty() && totals.is_empty() {
            totals.push((Minute(0), 0, Totals::default()));
        }
        if let Ok(days) = imports::days(query, plan, site) {
            let everyone = imports::add(plan, site, &days, &mut groups, &mut totals, whole, imported)?;
            if whole {
                bases.add_imported(needs, &everyone);
            }
        }
        Ok(Some(rows(asked, site, &groups, totals, &bases)))
    }
}

/// Rows from sums.
fn rows(
    asked: Asked<'_>,
    site: &SiteContext,
    groups: &Groups,
    mut totals: Vec<(Minute, u32, Totals)>,
    bases: &AllBases,
) -> Result<Evaluated, QueryError> {
    let Asked { query, plan } = asked;
    let (needs, width) = (&plan.needs, plan.needs.shape.dimensions.len());
    let told = |metric: Metric, totals: &Totals, bases: &Bases| {
        let own = totals.own().filter(|_| !imports::know(metric, needs));
        metrics::metric(metric, own.as_ref().unwrap_or(totals), needs, bases)
    };
    let row = |time: Minute, names: Vec<Arc<str>>, totals: &Totals| {
        let bases = bases.of(needs, time, &names);
        let (metrics, bounds) = query.metrics.iter().map(|m| told(*m, totals, &bases)).unzip();
        Row { time, names, metrics, bounds }
    };
    totals.retain(|(.., totals)| query.dimensions.is_empty() || totals.is_shown());
    let mut all = totals.len();
    // Of thousands of rows a page is shown. What is compared looks at the others, too, and shares need names.
    if query.include.comparisons.is_none() && !asked.is_whole() {
        let none = bases.of(needs, Minute(0), &[]);
        order::keep_first(&mut totals, page::last(query), query, |(.., totals), metric| told(metric, totals, &none).0);
    }
    let mut rows: Vec<Row> = totals.iter().map(|(time, group, totals)| row(*time, groups.names(*group, width), totals)).collect();
    // A line that is compared has all its points, also where only the other line has something.
    if let (Some(_), [Dimension::Time(_)], Some(time)) = (&query.include.comparisons, query.dimensions.as_slice(), plan.time) {
        let known: HashSet<Minute> = rows.iter().map(|row| row.time).collect();
        let missing = page::starts(time, plan.span, "include.comparisons", site)?.into_iter().filter(|at| !known.contains(at));
        let missing: Vec<Row> = missing.map(|at| row(at, Vec::new(), &Totals::default())).collect();
        all += missing.len();
        rows.extend(missing);
    }
    Ok((rows, all))
}

/// Whether those of whom `percentage` is are counted in the same pass: whoever passes the filters is in some group of it. By goals and
/// exit pages that need not be, rows of time have visitors in common, and without filters there is a quicker way.
fn counts_everyone_beside(query: &Query, plan: &Plan) -> bool {
    let (needs, asked) = (&plan.needs, |metric| query.metrics.contains(&metric));
    asked(Metric::Percentage)
        && !asked(Metric::ConversionRate)
        && !asked(Metric::GroupConversionRate)
        && !needs.shape.filters.is_empty()
        && !needs.shape.dimensions.contains(&Dimension::Goal)
        && !needs.exits
        && plan.time.is_none()
}
