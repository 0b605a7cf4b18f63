//! Rows from buckets.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use headwater_core::{Estimate, Grain, Minute, Profiles};

use super::compare;
use super::done::Done;
use super::exits::exits;
use super::goals::Reached;
use super::groups::Groups;
use super::imports::{self, ReadImported, Skipped};
use super::matcher::Node;
use super::metrics::{self, Bases};
use super::needs::{Needs, Shape, Visits};
use super::time::TimeUnit;
use super::unit::{self, Added, Job, Part};
use super::view::View;
use super::{Bucket, Need, Plan, Read, SiteContext, plan, range};
use crate::figures::named;
use crate::order::{self, Row};
use crate::totals::{Table, Totals, What};
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
/// Of how many rows of time and identity windows the people are in memory together: a few, so that whoever reads them can
/// unpack several at a time.
const AT_ONCE: usize = 2;
/// The most rows of an answer before it is cut into pages.
const MAX_ROWS: usize = 250_000;

/// Answers a query: plans, reads, evaluates. `read` gives the buckets of a grain that lie in a span, in any order, with
/// those that reach over its ends or without, and of each at least what is needed. It is asked several times, so that not
/// everything has to be in memory at once.
///
/// # Errors
/// [`AnswerError`].
pub fn answer<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Answer, AnswerError<E>> {
    answer_with_imports(query, site, read, &mut |_, _| Ok(Vec::new()))
}

/// [`answer`] with what was imported: `imported` gives the rows of a dimension, which is asked for if [`SiteContext::imported`]
/// says that there are any.
///
/// # Errors
/// [`AnswerError`].
pub fn answer_with_imports<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    mut read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
    imported: &mut ReadImported<'_, E>,
) -> Result<Answer, AnswerError<E>> {
    let plan = plan(query, site)?;
    let (rows, all) = evaluate(query, &plan, site, &mut read, imported)?;
    let (mut answer, starts) = page(query, &plan, site, rows, all)?;
    tell_imports(query, &plan, site, &mut answer.meta);
    if let Some(other) = &plan.compared {
        let (rows, _) = evaluate(query, other, site, &mut read, imported)?;
        compare::join(&mut answer, &starts, query, [&plan, other], site, &rows)?;
    }
    Ok(answer)
}

/// Reads some of what the plan asks for, in the order of time.
pub(super) fn gather<B: Bucket, E>(
    plan: &Plan,
    reads: &[Read],
    whole: bool,
    site: &SiteContext,
    read: &mut impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Vec<B>, AnswerError<E>> {
    let mut gathered = Vec::new();
    for part in reads {
        let mut get = |need| {
            let found = read(part.grain, part.span, need).map_err(AnswerError::Read)?;
            Ok::<Vec<B>, AnswerError<E>>(found.into_iter().filter(|b| part.span.contains(b.span().start)).collect())
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

/// The buckets' people as the query sees them.
pub(super) fn views<'a, B: Bucket>(needs: &Needs, site: &'a SiteContext, buckets: &'a [B]) -> Vec<View<'a>> {
    let people = |bucket: &'a B| (site.window(bucket.span().start), &*bucket.aggregate().people);
    let parts: Vec<(Minute, &Profiles)> = if needs.exits { buckets.iter().map(people).collect() } else { Vec::new() };
    let mut exits = exits(&parts).into_iter();
    let view = |bucket: &'a B| View {
        exits: exits.next(),
        reached: needs.goals.then(|| Reached::new(&bucket.aggregate().people, &site.goals)),
        goals: &site.goals,
        valued: needs.goals && needs.shape.of_goals(),
    };
    buckets.iter().map(view).collect()
}

/// The rows, in no order, at least those up to the end of the page; and how many there are.
fn evaluate<B: Bucket, E>(
    query: &Query,
    plan: &Plan,
    site: &SiteContext,
    read: &mut impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
    imported: &mut ReadImported<'_, E>,
) -> Result<(Vec<Row>, usize), AnswerError<E>> {
    let needs = &plan.needs;
    let shares = [Metric::Percentage, Metric::ConversionRate, Metric::GroupConversionRate];
    let beside = counts_everyone_beside(query, plan);
    let whole = !beside && query.metrics.iter().any(|metric| shares.contains(metric));
    let light = plan.reads.iter().all(|read| plan.need(read, whole, site).is_light());
    let by_window = needs.looks_at_windows();
    // Light buckets are read in one go; of heavy ones no more than are looked at together.
    let chunks = if light || whole || by_window { vec![plan.reads.clone()] } else { plan.chunks(site) };
    let mut bases = AllBases::default();
    let mut sum = Sum::new(needs)?;
    sum.everyone = beside.then(Totals::default);
    for chunk in chunks.chunks(AT_ONCE) {
        let buckets = gather(plan, &chunk.concat(), whole, site, read)?;
        let views = views(needs, site, &buckets);
        let parts = parts(plan, site, &buckets, &views)?;
        if by_window {
            sum.look_ahead(&parts);
        }
        sum.add(&parts)?;
        if whole {
            bases = AllBases::new(query, needs, &parts)?;
        }
    }
    if let Some(everyone) = &sum.everyone {
        bases.all = everyone.estimate(What::Visitors);
    }
    let (mut groups, mut totals) = sum.finish();
    let width = needs.shape.dimensions.len();
    if query.dimensions.is_empty() && totals.is_empty() {
        totals.push((Minute(0), 0, Totals::default()));
    }
    if let Ok(days) = imports::days(query, plan, site) {
        let everyone = imports::add(plan, site, &days, &mut groups, &mut totals, whole, imported).map_err(AnswerError::Read)?;
        if whole {
            bases.add_imported(needs, &everyone);
        }
    }
    let told = |metric: Metric, totals: &Totals, bases: &Bases| {
        let own = totals.own().filter(|_| !imports::know(metric, needs));
        metrics::metric(metric, own.as_ref().unwrap_or(totals), needs, bases)
    };
    let row = |time: Minute, names: Vec<Rc<str>>, totals: &Totals| {
        let bases = bases.of(needs, time, &names);
        let (metrics, bounds) = query.metrics.iter().map(|m| told(*m, totals, &bases)).unzip();
        Row { time, names, metrics, bounds }
    };
    totals.retain(|(.., totals)| query.dimensions.is_empty() || totals.is_shown());
    let mut all = totals.len();
    // Of thousands of rows a page is shown. What is compared looks at the others, too, and shares need names.
    if query.include.comparisons.is_none() && !whole {
        let none = bases.of(needs, Minute(0), &[]);
        order::keep_first(&mut totals, last(query), query, |(.., totals), metric| told(metric, totals, &none).0);
    }
    let mut rows: Vec<Row> = totals.iter().map(|(time, group, totals)| row(*time, groups.names(*group, width), totals)).collect();
    // A line that is compared has all its points, also where only the other line has something.
    if let (Some(_), [Dimension::Time(_)], Some(time)) = (&query.include.comparisons, query.dimensions.as_slice(), plan.time) {
        let known: HashSet<Minute> = rows.iter().map(|row| row.time).collect();
        let missing = starts(time, plan.span, "include.comparisons", site)?.into_iter().filter(|at| !known.contains(at));
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

/// How many rows there are up to the end of the page that was asked for.
fn last(query: &Query) -> usize {
    let last = u64::from(query.pagination.offset).saturating_add(query.pagination.limit.into());
    usize::try_from(last).unwrap_or(usize::MAX)
}

/// Buckets with where they belong.
pub(super) fn parts<'a, B: Bucket>(
    plan: &Plan,
    site: &SiteContext,
    buckets: &'a [B],
    views: &'a [View<'a>],
) -> Result<Vec<Part<'a>>, QueryError> {
    let calendar = site.calendar();
    let part = |(bucket, view): (&'a B, &'a View<'a>)| {
        let start = bucket.span().start;
        if plan.needs.people && !bucket.has_people() {
            return Err(QueryError::NotAvailable {
                field: "date_range".to_owned(),
                needs: format!("this needs the visitors of {}", calendar.local(start)),
                available: "only counts are kept so far back at this grain".to_owned(),
            });
        }
        let row = plan.time.map_or(Minute(0), |time| time.row(start, calendar, plan.span));
        let (aggregate, lens) = (bucket.aggregate(), bucket.lens());
        Ok(Part { aggregate, view, lens, start, row, window: site.window(start) })
    };
    buckets.iter().zip(views).map(part).collect()
}

/// The first minutes of all rows of time of a span.
pub(super) fn starts(time: TimeUnit, span: Span, field: &str, site: &SiteContext) -> Result<Vec<Minute>, QueryError> {
    time.starts(site.calendar(), span, MAX_LABELS).ok_or_else(|| QueryError::TooMuch {
        field: field.to_owned(),
        found: "the range has too many labels".to_owned(),
        allowed: format!("at most {MAX_LABELS}; ask for a shorter range, or for longer units of time"),
    })
}

/// The sums of rows, bucket by bucket in the order of time.
struct Sum<'n> {
    job: Job<'n>,
    done: Vec<Vec<Node>>,
    groups: Groups,
    table: Table,
    /// The row that is being added up, and the smallest share of any sample of it so far.
    row: Option<Minute>,
    share: f64,
    /// Start of its time, group, totals.
    rows: Vec<(Minute, u32, Totals)>,
    /// The visitors of all groups, each once, if they are asked for.
    everyone: Option<Totals>,
}

impl<'n> Sum<'n> {
    fn new(needs: &'n Needs) -> Result<Self, QueryError> {
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
        let job = Job { needs, filters, entry, by_window: needs.looks_at_windows(), done: Done::default() };
        let (groups, table) = (Groups::default(), Table::default());
        Ok(Self { job, done, groups, table, row: None, share: 1.0, rows: Vec::new(), everyone: None })
    }

    /// Finds out who has done what, over all the buckets that will be added.
    fn look_ahead(&mut self, parts: &[Part<'_>]) {
        self.job.done = Done::new(&self.done, parts);
    }

    /// Adds buckets: all those of each row and identity window at once.
    fn add(&mut self, parts: &[Part<'_>]) -> Result<(), QueryError> {
        let mut theta: HashMap<Minute, u64> = HashMap::new();
        for part in parts {
            let least = theta.entry(part.window).or_insert(u64::MAX);
            *least = part.aggregate.people.theta.min(*least);
        }
        for unit in parts.chunk_by(|a, b| (a.row, a.window) == (b.row, b.window)) {
            if self.row != Some(unit[0].row) {
                self.end_row();
                self.row = Some(unit[0].row);
            }
            let least = theta.get(&unit[0].window).copied().unwrap_or(u64::MAX);
            let Added { share, visitors } = unit::add(&self.job, unit, least, &mut self.groups, &mut self.table);
            self.share = self.share.min(share);
            if let Some(everyone) = &mut self.everyone {
                everyone.add_found(What::Visitors, visitors, visitors as f64, share);
                everyone.settle();
                everyone.miss(share);
            }
            if self.rows.len() + self.table.len() > MAX_ROWS {
                return Err(QueryError::TooMuch {
                    field: "dimensions".to_owned(),
                    found: format!("the answer has more than {MAX_ROWS} rows"),
                    allowed: "ask for fewer dimensions, longer units of time or a shorter range, or filter".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let Some(row) = self.row.take() else { return };
        if self.job.needs.shape.dimensions.is_empty() {
            // The one row there is, even if nobody passes: samples may have missed who does.
            self.table.at(0);
        }
        let share = std::mem::replace(&mut self.share, 1.0);
        self.rows.extend(self.table.take(share).map(|(group, totals)| (row, group, totals)));
    }

    /// The groups, and the rows in order of time.
    fn finish(mut self) -> (Groups, Vec<(Minute, u32, Totals)>) {
        self.end_row();
        (self.groups, self.rows)
    }
}

/// Of what visitors of rows are shares, as far as it is asked for.
struct AllBases {
    all: Estimate,
    converting: Estimate,
    by_group: HashMap<(Minute, Vec<Rc<str>>), Estimate>,
}

impl Default for AllBases {
    fn default() -> Self {
        Self { all: Estimate::exact(0), converting: Estimate::exact(0), by_group: HashMap::new() }
    }
}

impl AllBases {
    fn new(query: &Query, needs: &Needs, parts: &[Part<'_>]) -> Result<Self, QueryError> {
        let count = |needs: &Needs, parts: &[Part<'_>]| {
            let mut sum = Sum::new(needs)?;
            if needs.looks_at_windows() {
                sum.look_ahead(parts);
            }
            sum.add(parts)?;
            Ok::<_, QueryError>(sum.finish())
        };
        let whole: Vec<Part<'_>> = parts.iter().map(|p| Part { row: Minute(0), ..*p }).collect();
        let total = |filters: Vec<Filter>, metric| {
            if !query.metrics.contains(&metric) {
                return Ok(Estimate::exact(0));
            }
            let (_, rows) = count(&Needs::visitors_of(Shape { dimensions: Vec::new(), filters }), &whole)?;
            Ok::<_, QueryError>(rows.first().map_or(Estimate::exact(0), |(.., totals)| totals.estimate(What::Visitors)))
        };
        let shape = &needs.shape;
        let all = total(shape.filters.clone(), Metric::Percentage)?;
        let converting = total(shape.before_conversion(false).filters, Metric::ConversionRate)?;
        let mut by_group = HashMap::new();
        if query.metrics.contains(&Metric::GroupConversionRate) {
            let needs = Needs::visitors_of(shape.before_conversion(true));
            let width = needs.shape.dimensions.len();
            let (groups, rows) = count(&needs, parts)?;
            let told = rows.into_iter().map(|(time, group, t)| ((time, groups.names(group, width)), t.estimate(What::Visitors)));
            by_group.extend(told);
        }
        Ok(Self { all, converting, by_group })
    }

    /// Adds visitors that others counted to those that rows are shares of.
    fn add_imported(&mut self, needs: &Needs, everyone: &imports::Everyone) {
        self.all = imports::plus(self.all, everyone.all);
        self.converting = imports::plus(self.converting, everyone.all);
        if needs.shape.dimensions == [Dimension::Goal] {
            for (time, visitors) in &everyone.by_time {
                let base = self.by_group.entry((*time, Vec::new())).or_insert(Estimate::exact(0));
                *base = imports::plus(*base, *visitors);
            }
        }
    }

    fn of(&self, needs: &Needs, time: Minute, names: &[Rc<str>]) -> Bases {
        let group = || {
            let named = needs.shape.dimensions.iter().zip(names).filter(|(d, _)| **d != Dimension::Goal);
            self.by_group.get(&(time, named.map(|(_, name)| name.clone()).collect())).copied()
        };
        let group = if self.by_group.is_empty() { None } else { group() };
        Bases { all: self.all, converting: self.converting, group: group.unwrap_or(Estimate::exact(0)) }
    }
}

/// Sorts the rows, cuts out the page that was asked for and says what there is to say; and where the time of each row of
/// the page begins.
fn page(
    query: &Query,
    plan: &Plan,
    site: &SiteContext,
    mut rows: Vec<Row>,
    all: usize,
) -> Result<(Answer, Vec<Minute>), QueryError> {
    let calendar = site.calendar();
    let time_labels = match (query.include.time_labels, plan.time) {
        (true, Some(time)) => Some(labels(time, plan.span, site)?),
        _ => None,
    };
    let total_rows = query.include.total_rows.then_some(all as u64);
    order::sort(&mut rows, last(query), query);
    let mut results = Vec::new();
    let mut bounds = Vec::new();
    let mut starts = Vec::new();
    let page = rows.into_iter().skip(query.pagination.offset as usize).take(query.pagination.limit as usize);
    for row in page {
        let mut names = row.names.iter();
        let name = |dimension: &Dimension| match (dimension.time(), plan.time) {
            (Some(_), Some(time)) => time.label(row.time, calendar),
            _ => names.next().map_or_else(String::new, |name| name.to_string()),
        };
        let dimensions = query.dimensions.iter().map(name).collect();
        bounds.push(named(&query.metrics, &row.bounds));
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
            changes,
            ..Meta::default()
        },
        query: Query { date_range: range::told(plan.span, calendar), ..query.clone() },
    };
    Ok((answer, starts))
}

/// Says whether imports are in the answer, where there is something to say.
fn tell_imports(query: &Query, plan: &Plan, site: &SiteContext, meta: &mut Meta) {
    let asked = query.include.imports.is_some();
    match imports::days(query, plan, site) {
        Ok(days) => {
            meta.imports_included = Some(true);
            meta.metric_warnings = imports::warnings(query, &plan.needs);
            // Visitors that are only a number can't be told from one day to the next.
            if days.start.plus_days(1) < days.end {
                meta.visitors_unit = Some("day".to_owned());
            }
        }
        Err(skipped) if asked || skipped.is_told() => {
            meta.imports_included = Some(false);
            meta.imports_skip_reason = skipped.reason().map(str::to_owned);
            meta.imports_warning = skipped.warning().map(str::to_owned);
        }
        Err(Skipped::NotWanted | Skipped::NoData | Skipped::OutOfRange | Skipped::Query | Skipped::Interval) => {}
    }
}

/// The labels of all rows of time of a span.
pub(super) fn labels(time: TimeUnit, span: Span, site: &SiteContext) -> Result<Vec<String>, QueryError> {
    let starts = starts(time, span, "include.time_labels", site)?;
    Ok(starts.into_iter().map(|at| time.label(at, site.calendar())).collect())
}
