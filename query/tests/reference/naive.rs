//! The reference: every event is looked at for every row. What it does is what design and contract say, word by word.
use std::collections::{BTreeMap, HashSet};

use headwater_core::Minute;
use headwater_query::{
    Comparison, DateRange, DateTime, Dimension, Filter, Metric, MetricValue, Moment, Query, Span, TimeDimension, VisitProperty,
};

use crate::traffic::{Raw, World};

fn missing(dimension: &Dimension) -> &'static str {
    match dimension {
        Dimension::Prop(_) => "(none)",
        Dimension::Visit(VisitProperty::Source | VisitProperty::Referrer) => "Direct / None",
        Dimension::Visit(VisitProperty::Channel) => "Direct",
        Dimension::Visit(VisitProperty::Country | VisitProperty::Region | VisitProperty::City | VisitProperty::EntryPage) => "",
        Dimension::Visit(_) => "(not set)",
        _ => "",
    }
}

/// The value as stored, and whether there is one.
fn value(raw: &Raw, dimension: &Dimension) -> Option<&'static str> {
    match dimension {
        Dimension::Name => Some(raw.name),
        Dimension::Page => Some(raw.page),
        Dimension::Hostname => Some(raw.hostname),
        Dimension::Prop(key) => raw.props.iter().find(|p| p.0 == key).map(|p| p.1),
        Dimension::Visit(property) => Some(raw.visit[*property as usize]),
        Dimension::Goal | Dimension::ExitPage | Dimension::Time(_) => unreachable!(),
    }
}

fn shown(raw: &Raw, dimension: &Dimension) -> String {
    match value(raw, dimension) {
        Some("") if matches!(dimension, Dimension::Visit(_)) => missing(dimension),
        Some(value) => value,
        None => missing(dimension),
    }
    .to_owned()
}

fn passes(filter: &Filter, raw: &Raw, all: &[&Raw]) -> bool {
    match filter {
        Filter::And(inner) => inner.iter().all(|f| passes(f, raw, all)),
        Filter::Or(inner) => inner.iter().any(|f| passes(f, raw, all)),
        Filter::Not(inner) => !passes(inner, raw, all),
        Filter::HasDone(inner) => all.iter().any(|r| r.hash == raw.hash && r.count > 0 && passes(inner, r, all)),
        Filter::HasNotDone(inner) => !all.iter().any(|r| r.hash == raw.hash && r.count > 0 && passes(inner, r, all)),
        Filter::When(c) => {
            let fold = |s: &str| if c.case_sensitive { s.to_owned() } else { s.to_lowercase() };
            let text = fold(value(raw, &c.dimension).unwrap_or(""));
            let label = if text.is_empty() { fold(missing(&c.dimension)) } else { text.clone() };
            let fits = |v: &String| match c.comparison {
                Comparison::Is => fold(v) == text || fold(v) == label,
                Comparison::Contains => text.contains(&fold(v)),
                Comparison::Matches => {
                    regex::RegexBuilder::new(v).case_insensitive(!c.case_sensitive).build().unwrap().is_match(&text)
                }
            };
            c.values.iter().any(fits) != c.negated
        }
    }
}

fn of_events(filter: &Filter) -> Vec<&Dimension> {
    match filter {
        Filter::When(c) if c.dimension.is_event() => vec![&c.dimension],
        Filter::When(_) | Filter::HasDone(_) | Filter::HasNotDone(_) => Vec::new(),
        Filter::And(inner) | Filter::Or(inner) => inner.iter().flat_map(of_events).collect(),
        Filter::Not(inner) => of_events(inner),
    }
}

fn span(world: &World, query: &Query) -> Span {
    let calendar = world.site.calendar();
    let today = calendar.date(world.site.now);
    let dates =
        |from, to: headwater_query::Date| Span { start: calendar.start_of(from), end: calendar.start_of(to.plus_days(1)) };
    let unix = |at: DateTime, offset: i64| Minute(((at.to_unix() - offset) / 60) as u32);
    match query.date_range {
        DateRange::Day => dates(today, today),
        DateRange::Days(n) => dates(today.plus_days(-i64::from(n)), today.plus_days(-1)),
        DateRange::All => dates(calendar.date(world.site.first_data.unwrap()), today),
        DateRange::Between(Moment::Date(from), Moment::Date(to)) => dates(from, to),
        DateRange::Between(Moment::At(from, Some(a)), Moment::At(to, Some(b))) => Span { start: unix(from, a), end: unix(to, b) },
        _ => unreachable!(),
    }
}

fn label(world: &World, time: TimeDimension, minute: Minute, span: Span) -> String {
    let calendar = world.site.calendar();
    let date = calendar.date(minute);
    match time {
        TimeDimension::Minute => calendar.local(minute).to_string(),
        // The second of two equal hours is told apart by the test alone.
        TimeDimension::Hour => calendar.local(calendar.hour(minute).start).to_string(),
        TimeDimension::Day => date.to_string(),
        TimeDimension::Week => date.monday().max(calendar.date(span.start)).to_string(),
        TimeDimension::Month => date.first_of_month(0).to_string(),
        TimeDimension::Auto => unreachable!(),
    }
}

/// The start of a row of time, so that two equal hours stay two.
fn place(world: &World, time: Option<TimeDimension>, minute: Minute) -> u32 {
    match time {
        Some(TimeDimension::Hour) => world.site.calendar().hour(minute).start.0,
        _ => 0,
    }
}

pub(crate) fn answer(world: &World, query: &Query) -> Vec<(Vec<String>, Vec<MetricValue>)> {
    let span = span(world, query);
    let all: Vec<&Raw> = world.raw.iter().filter(|r| span.contains(r.minute)).collect();
    let time = query.dimensions.iter().find_map(Dimension::time);
    let row_of = |raw: &Raw, entry: bool| -> (u32, Vec<String>) {
        let name = |d: &Dimension| match d {
            Dimension::Time(time) => label(world, *time, raw.minute, span),
            Dimension::Page if entry => shown(raw, &Dimension::Visit(VisitProperty::EntryPage)),
            d => shown(raw, d),
        };
        (place(world, time, raw.minute), query.dimensions.iter().map(name).collect())
    };
    let mut event_dimensions: Vec<&Dimension> = query.dimensions.iter().filter(|d| d.is_event()).collect();
    event_dimensions.extend(query.filters.iter().flat_map(of_events));
    let events_chosen = !event_dimensions.is_empty();
    let pages_only = event_dimensions.iter().all(|d| **d == Dimension::Page);

    let passing: Vec<&Raw> = all.iter().copied().filter(|r| query.filters.iter().all(|f| passes(f, r, &all))).collect();
    let by_entry: Vec<Filter> = query.filters.iter().map(entry_filter).collect();
    let mut rows: BTreeMap<(u32, Vec<String>), Vec<&Raw>> = BTreeMap::new();
    for raw in &passing {
        rows.entry(row_of(raw, false)).or_default().push(raw);
    }
    if query.dimensions.is_empty() {
        rows.entry((0, Vec::new())).or_default();
    }
    let everyone: HashSet<u64> = passing.iter().filter(|r| r.count > 0).map(|r| r.hash).collect();
    let mut answer = Vec::new();
    for (key, raws) in rows {
        let sum = |f: &dyn Fn(&Raw) -> u64| raws.iter().map(|r| f(r)).sum::<u64>();
        let events = sum(&|r| r.count);
        let started = if events_chosen { 0 } else { sum(&|r| r.started) };
        if events == 0 && started == 0 && !query.dimensions.is_empty() {
            continue;
        }
        let views = sum(&|r| if r.name == "pageview" { r.count } else { 0 });
        let visitors: HashSet<u64> = raws.iter().filter(|r| r.count > 0).map(|r| r.hash).collect();
        let tags: HashSet<(u64, u16)> = raws.iter().filter(|r| r.count > 0).map(|r| (r.hash, r.tag)).collect();
        let visits = if events_chosen { tags.len() as u64 } else { started };
        // The visits that a bounce rate is of.
        let bounce_of: Vec<&Raw> = if !events_chosen {
            raws.clone()
        } else if pages_only {
            let entered = |r: &&&Raw| by_entry.iter().all(|f| passes(f, r, &all)) && row_of(r, true) == key;
            all.iter().filter(entered).copied().collect()
        } else {
            let time_of = |r: &Raw| time.map(|t| (place(world, time, r.minute), label(world, t, r.minute, span)));
            let mine = raws.first().map(|r| time_of(r));
            all.iter().filter(|r| tags.contains(&(r.hash, r.tag)) && Some(time_of(r)) == mine).copied().collect()
        };
        let bounce_started: u64 = bounce_of.iter().map(|r| r.started).sum();
        let bounce_on: u64 = bounce_of.iter().map(|r| r.visit_went_on).sum();
        let of_page = query.dimensions.iter().any(Dimension::is_event);
        let values: Vec<i64> = raws.iter().filter(|r| r.count > 0).filter_map(|r| r.value).collect();
        let ratio = |a: f64, b: u64| if b == 0 { None } else { Some(a / b as f64) };
        let whole = |v: Option<f64>| v.map_or(MetricValue::None, |v| MetricValue::Whole(v.round() as u64));
        let metrics = query.metrics.iter().map(|metric| match metric {
            Metric::Visitors => MetricValue::Whole(visitors.len() as u64),
            Metric::Visits => MetricValue::Whole(visits),
            Metric::Pageviews => MetricValue::Whole(views),
            Metric::Events => MetricValue::Whole(events),
            Metric::ViewsPerVisit => MetricValue::Decimal((ratio(views as f64, visits).unwrap_or(0.0) * 100.0).round() / 100.0),
            Metric::BounceRate => match ratio(bounce_started.saturating_sub(bounce_on) as f64 * 100.0, bounce_started) {
                None if !of_page => MetricValue::Whole(0),
                rate => whole(rate),
            },
            Metric::VisitDuration => whole(Some(ratio(sum(&|r| r.engaged) as f64, visits).unwrap_or(0.0))),
            Metric::TimeOnPage => whole(ratio(sum(&|r| r.engaged) as f64, visits)),
            Metric::ScrollDepth => whole(ratio(sum(&|r| r.depth) as f64, views).map(|d| d.min(100.0))),
            Metric::Percentage => {
                let share = ratio(visitors.len() as f64 * 100.0, everyone.len() as u64);
                share.map_or(MetricValue::None, |s| MetricValue::Decimal((s * 10.0).round() / 10.0))
            }
            Metric::Count => MetricValue::Whole(values.len() as u64),
            Metric::Sum if !values.is_empty() => MetricValue::Decimal(values.iter().sum::<i64>() as f64 / 1e6),
            Metric::Max if !values.is_empty() => MetricValue::Decimal(values.iter().max().copied().unwrap() as f64 / 1e6),
            _ => MetricValue::None,
        });
        answer.push((key.1, metrics.collect()));
    }
    answer
}

fn entry_filter(filter: &Filter) -> Filter {
    let list = |inner: &[Filter]| inner.iter().map(entry_filter).collect();
    match filter {
        Filter::When(c) if c.dimension == Dimension::Page => {
            let mut c = c.clone();
            c.dimension = Dimension::Visit(VisitProperty::EntryPage);
            Filter::When(c)
        }
        Filter::And(inner) => Filter::And(list(inner)),
        Filter::Or(inner) => Filter::Or(list(inner)),
        Filter::Not(inner) => Filter::Not(Box::new(entry_filter(inner))),
        other => other.clone(),
    }
}
