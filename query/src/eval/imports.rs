//! What other programs counted, added to the rows of an answer. It is sums by day and one dimension, so it answers whatever is not
//! filtered, not finer than a day and of one dimension at most; every answer says whether it is in it, and if not why.
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use headwater_core::{Estimate, Minute, PAGEVIEW, RowDimension};

use super::groups::Groups;
use super::labels;
use super::needs::{Needs, Visits};
use super::{Plan, SiteContext};
use crate::imported::answered_by;
use crate::totals::{Totals, What};
use crate::{Date, Dimension, ImportedDay, ImportedRow, Metric, MetricWarning, Query, Target};

/// Reads the imported rows of one dimension (the total is called `""`) of the days in a range, its end not included.
pub type ReadImported<'a, E> = dyn FnMut(&str, Range<Date>) -> Result<Vec<ImportedDay>, E> + 'a;

/// Why imports are not in an answer; the words are Plausible's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    NotWanted,
    NoData,
    OutOfRange,
    Query,
    Interval,
}

impl Skipped {
    pub(super) const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::NotWanted => return None,
            Self::NoData => "no_imported_data",
            Self::OutOfRange => "out_of_range",
            Self::Query => "unsupported_query",
            Self::Interval => "unsupported_interval",
        })
    }

    pub(super) const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Query => Some(
                "Imported numbers are not included: they are sums by day of one dimension each, so they answer no filters, one dimension besides time at most, and only those that the import knows.",
            ),
            Self::Interval => Some("Imported numbers are not included: they are sums by day, and this asks for less than a day."),
            _ => None,
        }
    }

    /// Whether it must be said although nobody asked: numbers that are there are missing.
    pub(super) const fn is_told(self) -> bool {
        matches!(self, Self::Query | Self::Interval)
    }
}

/// The imported days that belong into an answer, or why none do.
pub(super) fn days(query: &Query, plan: &Plan, site: &SiteContext) -> Result<Range<Date>, Skipped> {
    if query.include.imports == Some(false) {
        return Err(Skipped::NotWanted);
    }
    let Some((first, last)) = site.imported else { return Err(Skipped::NoData) };
    let (calendar, span) = (site.calendar(), plan.span);
    // Whole days only: nobody knows which part of one was when.
    let mut from = calendar.date(span.start);
    if calendar.start_of(from) < span.start {
        from = from.plus_days(1);
    }
    let range = from.max(first)..calendar.date(span.end).min(last.plus_days(1));
    // A range inside one day would have something of it, were it told by the hour.
    let touched = calendar.date(span.start) <= last && first < calendar.date(span.end.offset(-1)).plus_days(1);
    if span.is_empty() || !touched {
        return Err(Skipped::OutOfRange);
    }
    if plan.time.is_some_and(|time| time.grain() < headwater_core::Grain::Day) || range.is_empty() {
        return Err(Skipped::Interval);
    }
    if !plan.needs.shape.filters.is_empty()
        || plan.needs.shape.dimensions.len() > 1
        || answered_by(dimension(&plan.needs)).is_none()
    {
        return Err(Skipped::Query);
    }
    Ok(range)
}

fn dimension(needs: &Needs) -> Option<&Dimension> {
    needs.shape.dimensions.first()
}

/// Whether imports know a metric by this dimension; of the others an answer tells what Headwater counted itself.
pub(super) fn know(metric: Metric, needs: &Needs) -> bool {
    let dimension = dimension(needs);
    match metric {
        // How deep and how long a page was read is kept elsewhere in another sense: per visit, and of some visits only.
        Metric::ScrollDepth | Metric::TimeOnPage => false,
        Metric::Visits | Metric::ViewsPerVisit => match dimension {
            Some(dimension) if dimension.is_event() => matches!(dimension, Dimension::Page | Dimension::Hostname),
            _ => true,
        },
        Metric::BounceRate => dimension.is_none_or(|d| !d.is_event() || *d == Dimension::Page),
        Metric::VisitDuration => dimension.is_none_or(|d| !d.is_event()),
        _ => true,
    }
}

/// What is to be said of the metrics of an answer with imports in it.
pub(super) fn warnings(query: &Query, needs: &Needs) -> BTreeMap<String, MetricWarning> {
    let unknown = query.metrics.iter().filter(|metric| !know(**metric, needs));
    let warning = |metric: &Metric| {
        let name = metric.name();
        let warning = format!("{name} is of what was counted here: the import does not know it{}", by(needs));
        (name.to_owned(), MetricWarning { code: format!("no_imported_{name}"), warning })
    };
    unknown.map(warning).collect()
}

fn by(needs: &Needs) -> String {
    dimension(needs).map_or_else(String::new, |dimension| format!(" by {dimension}"))
}

/// Rows of an answer: start of the time, group, totals.
pub(super) type Rows = Vec<(Minute, u32, Totals)>;

/// What imports say of visitors of which rows are shares: in all, and by row of time.
#[derive(Default)]
pub(super) struct Everyone {
    pub(super) all: u64,
    pub(super) by_time: HashMap<Minute, u64>,
}

/// Adds the imported days of a range to rows.
pub(super) fn add<E>(
    plan: &Plan,
    site: &SiteContext,
    days: &Range<Date>,
    groups: &mut Groups,
    rows: &mut Rows,
    whole: bool,
    read: &mut ReadImported<'_, E>,
) -> Result<Everyone, E> {
    let needs = &plan.needs;
    let calendar = site.calendar();
    let time = |date: Date| plan.time.map_or(Minute(0), |time| time.row(calendar.start_of(date), calendar, plan.span));
    let mut places: HashMap<(Minute, u32), usize> =
        rows.iter().zip(0..).map(|((time, group, _), at)| ((*time, *group), at)).collect();
    let mut at = |rows: &mut Rows, time: Minute, group: u32, add: &dyn Fn(&mut Totals)| {
        let at = *places.entry((time, group)).or_insert_with(|| {
            rows.push((time, group, Totals::default()));
            rows.len() - 1
        });
        if let Some((.., totals)) = rows.get_mut(at) {
            add(totals);
        }
    };
    let dimension = dimension(needs);
    for of in answered_by(dimension).unwrap_or_default() {
        if dimension == Some(&Dimension::Page) && of != "event:page" && needs.bounces != Some(Visits::Entry) {
            continue; // entry pages tell the bounce rate, and nothing else
        }
        for day in read(&of, days.clone())? {
            let time = time(day.date);
            for row in &day.rows {
                match dimension {
                    None => at(rows, time, 0, &|totals| add_row(totals, row, true)),
                    Some(Dimension::Goal) => {
                        let goals = site.goals.iter().filter(|goal| match &goal.target {
                            Target::Event(name) => of == "event:name" && *name == row.value && name != PAGEVIEW,
                            Target::Page(pattern) => of == "event:page" && pattern.fits(&row.value),
                        });
                        for goal in goals {
                            let group = groups.value(&goal.name);
                            at(rows, time, group, &|totals| add_row(totals, row, false));
                        }
                    }
                    Some(Dimension::Page) if of != "event:page" => {
                        let group = groups.value(&row.value);
                        at(rows, time, group, &|totals| add_bounces(totals, row));
                    }
                    Some(Dimension::Page) => at(rows, time, groups.value(&row.value), &|totals| add_row(totals, row, false)),
                    Some(prop @ Dimension::Prop(_)) => {
                        let group = groups.value(if of.is_empty() { labels::missing_of(prop) } else { &row.value });
                        at(rows, time, group, &|totals| add_row(totals, row, false));
                    }
                    Some(Dimension::Visit(property)) => {
                        let group = groups.value(labels::of_row(RowDimension::Visit(*property), &row.value));
                        at(rows, time, group, &|totals| add_row(totals, row, true));
                    }
                    Some(other) => {
                        let group = groups.value(&row.value);
                        at(rows, time, group, &|totals| add_row(totals, row, *other == Dimension::ExitPage));
                    }
                }
            }
        }
    }
    if matches!(dimension, Some(Dimension::Prop(_))) {
        take_named(dimension, days, rows, groups, &time, read)?;
    }
    let mut everyone = Everyone::default();
    if whole {
        for day in read("", days.clone())? {
            let visitors: u64 = day.rows.iter().map(|row| row.visitors).sum();
            everyone.all = everyone.all.saturating_add(visitors);
            *everyone.by_time.entry(time(day.date)).or_default() += visitors;
        }
    }
    Ok(everyone)
}

/// What has not the property is the total less the rows that have it.
fn take_named<E>(
    dimension: Option<&Dimension>,
    days: &Range<Date>,
    rows: &mut Rows,
    groups: &mut Groups,
    time: &impl Fn(Date) -> Minute,
    read: &mut ReadImported<'_, E>,
) -> Result<(), E> {
    let Some(prop) = dimension.filter(|d| matches!(d, Dimension::Prop(key) if key == "url" || key == "path")) else {
        return Ok(());
    };
    let missing = groups.value(labels::missing_of(prop));
    for day in read(&prop.to_string(), days.clone())? {
        let named: u64 = day.rows.iter().map(|row| row.events).sum();
        let time = time(day.date);
        if let Some((.., totals)) = rows.iter_mut().find(|(at, group, _)| (*at, *group) == (time, missing)) {
            totals.take_imported(What::Events, named);
        }
    }
    Ok(())
}

/// Adds a row: of whole visits, or of events.
fn add_row(totals: &mut Totals, row: &ImportedRow, of_visits: bool) {
    totals.add_imported(What::Visitors, row.visitors);
    totals.add_imported(What::Events, row.events.max(row.pageviews));
    totals.add_imported(What::Views, row.pageviews);
    totals.add_imported(What::Visits, row.visits);
    if of_visits {
        totals.add_imported(What::Started, row.visits);
        totals.add_imported(What::WentOn, row.visits.saturating_sub(row.bounces));
        totals.add_imported(What::Engaged, row.seconds);
    }
}

fn add_bounces(totals: &mut Totals, row: &ImportedRow) {
    totals.add_imported(What::BounceStarted, row.visits);
    totals.add_imported(What::BounceWentOn, row.visits.saturating_sub(row.bounces));
}

/// An estimate with so many more for certain.
pub(super) fn plus(estimate: Estimate, more: u64) -> Estimate {
    let more = more as f64;
    Estimate { value: estimate.value + more, low: estimate.low + more, high: estimate.high + more }
}

/// The first minute that anything is known of: counted here or elsewhere.
pub(super) fn first(site: &SiteContext) -> Option<Minute> {
    let wanted = site.imported.map(|(first, _)| site.calendar().start_of(first));
    match (site.first_data, wanted) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
