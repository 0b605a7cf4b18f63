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
const AT_ONCE: usize = 2;

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

    /// Whether it looks at people only, part of the range by part: then others can look with it.
    fn is_shared(&self) -> bool {
        self.plan.needs.tallies.is_none() && !self.is_whole()
    }

    /// Whether two look at the same people.
    pub(super) fn looks_with(&self, other: &Self) -> bool {
        let of = |asked: &Self| (&asked.plan.reads, &asked.plan.needs.shape.filters, asked.plan.needs.exits);
        self.is_shared() && other.is_shared() && of(self) == of(other)
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
        let chosen: Vec<ChosenOnce> = buckets.iter().map(|_| ChosenOnce::default()).collect();
        let parts = match parts(first.plan, site, &buckets, &views, &chosen) {
            Ok(parts) => parts,
            Err(error) => return all_fail(error),
        };
        if choice.by_window {
            choice.look_ahead(&parts);
        }
        let (choice, parts, room) = (&choice, &parts[..], &room);
        if passes.len() > 1 {
            // First what all need, or they would wait for each other.
            let choose = |part| -> Task<'_> {
                Box::new(move || {
                    choice.of(part);
                })
            };
            workers.run(parts.iter().map(choose).collect());
        }
        let tasks = passes.iter_mut().map(|pass| -> Task<'_> { Box::new(move || pass.add(choice, parts, site, room)) });
        workers.run(tasks.collect());
    }
    passes.into_iter().map(|pass| pass.finish(site, imported)).collect()
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
