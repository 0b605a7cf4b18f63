//! The reference: every event is looked at for every row. What it does is what design and contract say, word by word.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use headwater_core::{Minute, VisitDimension};
use headwater_query::{
    Comparison, DateRange, DateTime, Dimension, Filter, Goal, Metric, MetricValue, Moment, Query, Span, Target, TimeDimension,
    VisitProperty,
};

use crate::traffic::{Raw, World};

fn missing(dimension: &Dimension) -> &'static str {
    match dimension {
        Dimension::Prop(_) | Dimension::Currency => "(none)",
        Dimension::Visit(VisitProperty::Source | VisitProperty::Referrer) => "Direct / None",
        Dimension::Visit(VisitProperty::Channel) => "Direct",
        Dimension::Visit(VisitProperty::Country | VisitProperty::Region | VisitProperty::City | VisitProperty::EntryPage) => "",
        Dimension::Visit(_) => "(not set)",
        _ => "",
    }
}

/// What is known of a range beside its events.
struct Known<'a> {
    goals: &'a [Goal],
    exits: HashMap<(u64, u16, Context), &'static str>,
    all: &'a [&'a Raw],
    patterns: RefCell<HashMap<(String, bool), regex::Regex>>,
    done: RefCell<HashMap<*const Filter, HashSet<u64>>>,
}

type Context = [&'static str; VisitDimension::COUNT];

impl<'a> Known<'a> {
    fn new(world: &'a World, all: &'a [&'a Raw]) -> Self {
        let mut views: BTreeMap<(u64, u16, Context, &'static str), i64> = BTreeMap::new();
        for raw in all.iter().filter(|r| r.name == "pageview") {
            *views.entry((raw.hash, raw.tag, raw.visit, raw.page)).or_default() += raw.count as i64 - raw.view_went_on as i64;
        }
        let mut best: HashMap<(u64, u16, Context), (&'static str, i64)> = HashMap::new();
        // In order of page, and only more is better: of equals the first stays.
        for ((hash, tag, visit, page), more) in views {
            let best = best.entry((hash, tag, visit)).or_insert(("", 0));
            if more > best.1 {
                *best = (page, more);
            }
        }
        let exits = best.into_iter().map(|(visit, (page, _))| (visit, page)).collect();
        Self { goals: &world.site.goals, exits, all, patterns: RefCell::default(), done: RefCell::default() }
    }

    fn reached(&self, raw: &Raw) -> Vec<&'a Goal> {
        let reaches = |goal: &&Goal| match &goal.target {
            Target::Event(name) => name == raw.name,
            Target::Page(pattern) => raw.name == "pageview" && star(pattern.to_string().as_bytes(), raw.page.as_bytes()),
        };
        self.goals.iter().filter(reaches).collect()
    }

    /// The values as stored; none, one or, of goals, several.
    fn values(&self, raw: &Raw, dimension: &Dimension) -> Vec<&'a str> {
        match dimension {
            Dimension::Name => vec![raw.name],
            Dimension::Page => vec![raw.page],
            Dimension::Hostname => vec![raw.hostname],
            Dimension::Prop(key) => raw.props.iter().filter(|p| p.0 == key).map(|p| p.1).collect(),
            Dimension::Currency => [raw.currency].into_iter().filter(|c| !c.is_empty()).collect(),
            Dimension::Visit(property) => vec![raw.visit[*property as usize]],
            Dimension::ExitPage => vec![self.exits.get(&(raw.hash, raw.tag, raw.visit)).copied().unwrap_or("")],
            Dimension::Goal => self.reached(raw).into_iter().map(|goal| &*goal.name).collect(),
            Dimension::Time(_) => unreachable!(),
        }
    }

    /// As [`Known::values`], as they are shown. Without a goal an event is in no row.
    fn shown(&self, raw: &Raw, dimension: &Dimension) -> Vec<String> {
        let shown: Vec<String> = self
            .values(raw, dimension)
            .into_iter()
            .map(|v| if v.is_empty() && matches!(dimension, Dimension::Visit(_)) { missing(dimension) } else { v }.to_owned())
            .collect();
        if shown.is_empty() && *dimension != Dimension::Goal { vec![missing(dimension).to_owned()] } else { shown }
    }

    fn passes(&self, filter: &Filter, raw: &Raw) -> bool {
        // Who has is the same for all events, so it is found out once.
        let has_done = |inner: &Filter| {
            let place = std::ptr::from_ref(inner);
            if let Some(known) = self.done.borrow().get(&place) {
                return known.contains(&raw.hash);
            }
            let done: HashSet<u64> = self.all.iter().filter(|r| r.count > 0 && self.passes(inner, r)).map(|r| r.hash).collect();
            self.done.borrow_mut().entry(place).or_insert(done).contains(&raw.hash)
        };
        match filter {
            Filter::And(inner) => inner.iter().all(|f| self.passes(f, raw)),
            Filter::Or(inner) => inner.iter().any(|f| self.passes(f, raw)),
            Filter::Not(inner) => !self.passes(inner, raw),
            Filter::HasDone(inner) => has_done(inner),
            Filter::HasNotDone(inner) => !has_done(inner),
            Filter::When(c) => {
                let fold = |s: &str| if c.case_sensitive { s.to_owned() } else { s.to_lowercase() };
                let mut values = self.values(raw, &c.dimension);
                if values.is_empty() {
                    values.push("");
                }
                let fits = |value: &str| {
                    let text = fold(value);
                    let label = if text.is_empty() { fold(missing(&c.dimension)) } else { text.clone() };
                    c.values.iter().any(|v| match c.comparison {
                        Comparison::Is => fold(v) == text || fold(v) == label,
                        Comparison::Contains => text.contains(&fold(v)),
                        Comparison::Matches => {
                            let mut patterns = self.patterns.borrow_mut();
                            let new = || regex::RegexBuilder::new(v).case_insensitive(!c.case_sensitive).build().unwrap();
                            patterns.entry((v.clone(), c.case_sensitive)).or_insert_with(new).is_match(&text)
                        }
                    })
                };
                values.into_iter().any(fits) != c.negated
            }
        }
    }
}

/// Whether a text fits a pattern in which a star is any text.
fn star(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| star(rest, &text[skipped..])),
        Some((byte, rest)) => text.first() == Some(byte) && star(rest, &text[1..]),
    }
}

/// The filters of which all must hold.
fn joined(filters: &[Filter]) -> Vec<Filter> {
    let flat = |f: &Filter| if let Filter::And(inner) = f { joined(inner) } else { vec![f.clone()] };
    filters.iter().flat_map(flat).collect()
}

fn of_events(filter: &Filter) -> Vec<&Dimension> {
    match filter {
        Filter::When(c) if c.dimension.is_event() => vec![&c.dimension],
        Filter::When(_) | Filter::HasDone(_) | Filter::HasNotDone(_) => Vec::new(),
        Filter::And(inner) | Filter::Or(inner) => inner.iter().flat_map(of_events).collect(),
        Filter::Not(inner) => of_events(inner),
    }
}

/// The minutes of a range that is written as two moments.
fn span(query: &Query) -> Span {
    let unix = |at: DateTime, offset: i64| Minute(((at.to_unix() - offset + 59) / 60) as u32);
    let DateRange::Between(Moment::At(from, Some(a)), Moment::At(to, Some(b))) = query.date_range else { unreachable!() };
    Span { start: unix(from, a), end: unix(to, b) }
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

/// One row: the values of its dimensions, and its metrics.
pub(crate) type Row = (Vec<String>, Vec<MetricValue>);

/// The rows of a query whose range is written as two moments.
pub(crate) fn answer(world: &World, query: &Query) -> Vec<Row> {
    let span = span(query);
    let all: Vec<&Raw> = world.raw.iter().filter(|r| span.contains(r.minute)).collect();
    let known = Known::new(world, &all);
    let time = query.dimensions.iter().find_map(Dimension::time);
    // The rows that an event is in: one for each goal.
    let rows_of = |raw: &Raw, entry: bool| -> Vec<(u32, Vec<String>)> {
        let mut rows = vec![(place(world, time, raw.minute), Vec::new())];
        for dimension in &query.dimensions {
            let names = match dimension {
                Dimension::Time(time) => vec![label(world, *time, raw.minute, span)],
                Dimension::Page if entry => known.shown(raw, &Dimension::Visit(VisitProperty::EntryPage)),
                d => known.shown(raw, d),
            };
            let with = |row: &(u32, Vec<String>), name: &String| (row.0, [row.1.clone(), vec![name.clone()]].concat());
            rows = rows.iter().flat_map(|row| names.iter().map(move |name| with(row, name))).collect();
        }
        rows
    };
    let mut event_dimensions: Vec<&Dimension> = query.dimensions.iter().filter(|d| d.is_event()).collect();
    event_dimensions.extend(query.filters.iter().flat_map(of_events));
    let events_chosen = !event_dimensions.is_empty();
    let pages_only = event_dimensions.iter().all(|d| **d == Dimension::Page);
    let by_goals = event_dimensions.contains(&&Dimension::Goal);
    let goal_at = query.dimensions.iter().position(|d| *d == Dimension::Goal);

    let who = |raws: &[&Raw]| raws.iter().filter(|r| r.count > 0).map(|r| r.hash).collect::<HashSet<u64>>().len() as u64;
    let passing: Vec<&Raw> = all.iter().copied().filter(|r| query.filters.iter().all(|f| known.passes(f, r))).collect();
    let by_entry: Vec<Filter> = query.filters.iter().map(entry_filter).collect();
    let converts = |f: &Filter| matches!(f, Filter::When(c) if matches!(c.dimension, Dimension::Goal | Dimension::Prop(_)));
    let before: Vec<Filter> = joined(&query.filters).into_iter().filter(|f| !converts(f)).collect();
    let before: Vec<&Raw> = all.iter().copied().filter(|r| before.iter().all(|f| known.passes(f, r))).collect();
    let mut rows: BTreeMap<(u32, Vec<String>), Vec<&Raw>> = BTreeMap::new();
    for raw in &passing {
        for row in rows_of(raw, false) {
            rows.entry(row).or_default().push(raw);
        }
    }
    if query.dimensions.is_empty() {
        rows.entry((0, Vec::new())).or_default();
    }
    let everyone = who(&passing);
    // Those of the same group, whatever their goals.
    let mut groups: HashMap<(u32, Vec<String>), Vec<&Raw>> = HashMap::new();
    for raw in before.iter().filter(|_| query.metrics.contains(&Metric::GroupConversionRate)) {
        let name = |d: &Dimension| match d {
            Dimension::Time(time) => label(world, *time, raw.minute, span),
            d => known.shown(raw, d).remove(0),
        };
        let named = query.dimensions.iter().filter(|d| **d != Dimension::Goal);
        groups.entry((place(world, time, raw.minute), named.map(name).collect())).or_default().push(raw);
    }
    let mut answer = Vec::new();
    for (key, raws) in rows {
        let sum = |f: &dyn Fn(&Raw) -> u64| raws.iter().map(|r| f(r)).sum::<u64>();
        let events = sum(&|r| r.count);
        let started = if events_chosen { 0 } else { sum(&|r| r.started) };
        if events == 0 && started == 0 && !query.dimensions.is_empty() {
            continue;
        }
        let views = sum(&|r| if r.name == "pageview" { r.count } else { 0 });
        let visitors = who(&raws);
        let tags: HashSet<(u64, u16)> = raws.iter().filter(|r| r.count > 0).map(|r| (r.hash, r.tag)).collect();
        let visits = if events_chosen { tags.len() as u64 } else { started };
        // The visits that a bounce rate is of.
        let bounce_of: Vec<&Raw> = if !events_chosen {
            raws.clone()
        } else if pages_only {
            let entered = |r: &&&Raw| by_entry.iter().all(|f| known.passes(f, r)) && rows_of(r, true).contains(&key);
            all.iter().filter(entered).copied().collect()
        } else {
            let time_of = |r: &Raw| time.map(|t| (place(world, time, r.minute), label(world, t, r.minute, span)));
            let mine = raws.first().map(|r| time_of(r));
            all.iter().filter(|r| tags.contains(&(r.hash, r.tag)) && Some(time_of(r)) == mine).copied().collect()
        };
        let bounce_started: u64 = bounce_of.iter().map(|r| r.started).sum();
        let bounce_on: u64 = bounce_of.iter().map(|r| r.visit_went_on).sum();
        let of_page = query.dimensions.iter().any(Dimension::is_event);
        let without_goal: Vec<String> =
            key.1.iter().enumerate().filter(|(i, _)| Some(*i) != goal_at).map(|(_, name)| name.clone()).collect();
        // Values with their currency and their place in order.
        let mut values: Vec<(&str, (u32, usize), i64)> = Vec::new();
        for raw in raws.iter().filter(|r| r.count > 0) {
            let at = world.raw.iter().position(|r| std::ptr::eq(r, *raw)).unwrap();
            let goals = known.reached(raw);
            let goal = match goal_at {
                Some(at) => goals.into_iter().find(|g| g.name == key.1[at]),
                None => goals.into_iter().find(|g| g.worth.is_some()),
            };
            let worth = goal.and_then(|g| g.worth.as_ref()).filter(|_| by_goals);
            match (raw.value, worth) {
                (Some(value), _) => values.push((raw.currency, (raw.minute.0, at), value)),
                (None, Some(worth)) => values.push((&worth.currency, (raw.minute.0, at), worth.value)),
                (None, None) => {}
            }
        }
        let metrics = Metrics {
            visitors,
            visits,
            views,
            events,
            engaged: sum(&|r| r.engaged),
            depth: sum(&|r| r.depth),
            bounces: (bounce_started, bounce_on),
            everyone,
            converting: who(&before),
            group: groups.get(&(key.0, without_goal)).map_or(0, |same| who(same)),
            of_page,
            values,
        };
        answer.push((key.1, query.metrics.iter().map(|metric| metrics.get(*metric)).collect()));
    }
    answer
}

/// What a row's metrics are made of.
struct Metrics<'a> {
    visitors: u64,
    visits: u64,
    views: u64,
    events: u64,
    engaged: u64,
    depth: u64,
    bounces: (u64, u64),
    everyone: u64,
    converting: u64,
    group: u64,
    of_page: bool,
    values: Vec<(&'a str, (u32, usize), i64)>,
}

fn ratio(a: u64, b: u64) -> Option<f64> {
    if b == 0 { None } else { Some(a as f64 / b as f64) }
}

fn whole(v: Option<f64>) -> MetricValue {
    v.map_or(MetricValue::None, |v| MetricValue::Whole(v.round() as u64))
}

impl Metrics<'_> {
    fn get(&self, metric: Metric) -> MetricValue {
        let decimal = |v: f64, scale: f64| MetricValue::Decimal((v * scale).round() / scale);
        let (started, went_on) = self.bounces;
        match metric {
            Metric::Visitors => MetricValue::Whole(self.visitors),
            Metric::Visits => MetricValue::Whole(self.visits),
            Metric::Pageviews => MetricValue::Whole(self.views),
            Metric::Events => MetricValue::Whole(self.events),
            Metric::ViewsPerVisit => decimal(ratio(self.views, self.visits).unwrap_or(0.0), 100.0),
            Metric::BounceRate => match ratio(started.saturating_sub(went_on) * 100, started) {
                None if !self.of_page => MetricValue::Whole(0),
                rate => whole(rate),
            },
            Metric::VisitDuration => whole(Some(ratio(self.engaged, self.visits).unwrap_or(0.0))),
            Metric::TimeOnPage => whole(ratio(self.engaged, self.visits)),
            Metric::ScrollDepth => whole(ratio(self.depth, self.views).map(|d| d.min(100.0))),
            Metric::Percentage => ratio(self.visitors * 100, self.everyone).map_or(MetricValue::None, |s| decimal(s, 10.0)),
            Metric::ConversionRate => decimal(ratio(self.visitors * 100, self.converting).unwrap_or(0.0), 100.0),
            Metric::GroupConversionRate => decimal(ratio(self.visitors * 100, self.group).unwrap_or(0.0), 100.0),
            Metric::TotalRevenue | Metric::AverageRevenue => self.revenue(metric == Metric::AverageRevenue),
            _ => self.number(metric),
        }
    }

    fn revenue(&self, average: bool) -> MetricValue {
        let money: Vec<_> = self.values.iter().filter(|v| !v.0.is_empty()).collect();
        let Some(first) = money.first().filter(|first| money.iter().all(|v| v.0 == first.0)) else { return MetricValue::None };
        let sum = money.iter().map(|v| v.2).sum::<i64>() as f64 / 1e6;
        let value = if average { sum / money.len() as f64 } else { sum };
        MetricValue::Money { value: (value * 1000.0).round() / 1000.0, currency: first.0.to_owned() }
    }

    fn number(&self, metric: Metric) -> MetricValue {
        let Some(first) = self.values.first() else {
            return if metric == Metric::Count { MetricValue::Whole(0) } else { MetricValue::None };
        };
        if self.values.iter().any(|v| v.0 != first.0) {
            return MetricValue::None;
        }
        let n = self.values.len();
        let mut sorted: Vec<f64> = self.values.iter().map(|v| v.2 as f64 / 1e6).collect();
        sorted.sort_by(f64::total_cmp);
        let sum: f64 = sorted.iter().sum();
        let mean = sum / n as f64;
        let variance = sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        let quantile = |q: f64| sorted[(q * (n - 1) as f64).round() as usize];
        MetricValue::Decimal(match metric {
            Metric::Count => return MetricValue::Whole(n as u64),
            Metric::Sum => sum,
            Metric::Avg => mean,
            Metric::Min => sorted[0],
            Metric::Max => sorted[n - 1],
            Metric::First => self.values.iter().min_by_key(|v| v.1).unwrap().2 as f64 / 1e6,
            Metric::Last => self.values.iter().max_by_key(|v| v.1).unwrap().2 as f64 / 1e6,
            Metric::Stddev => variance.sqrt(),
            Metric::Variance => variance,
            Metric::P50 => quantile(0.5),
            Metric::P75 => quantile(0.75),
            Metric::P90 => quantile(0.9),
            Metric::P99 => quantile(0.99),
            _ => unreachable!(),
        })
    }
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
