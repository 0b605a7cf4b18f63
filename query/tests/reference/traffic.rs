//! Random traffic, as raw events and as buckets.
use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::{
    Activity, Aggregate, EventDelta, Fold, Grain, Hll, Hlls, Minute, Packed, Profiles, RowDimension, VisitDimension, VisitorHash,
};
use headwater_query::{Bucket, Calendar, Date, Goal, Identity, Lens, Names, Need, Rows, SiteContext, Span, Target, Worth};

/// SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) hash: u64,
    pub(crate) minute: Minute,
    pub(crate) tag: u16,
    pub(crate) visit: [&'static str; VisitDimension::COUNT],
    pub(crate) started: u64,
    pub(crate) visit_went_on: u64,
    pub(crate) name: &'static str,
    pub(crate) page: &'static str,
    pub(crate) hostname: &'static str,
    pub(crate) props: Vec<(&'static str, &'static str)>,
    pub(crate) count: u64,
    pub(crate) view_went_on: u64,
    pub(crate) engaged: u64,
    pub(crate) depth: u64,
    pub(crate) value: Option<i64>,
    pub(crate) currency: &'static str,
}

/// A bucket as it is read.
pub(crate) struct Stored {
    span: Span,
    aggregate: Arc<Packed>,
    lens: Option<Lens>,
}

impl Bucket for Stored {
    fn span(&self) -> Span {
        self.span
    }
    fn aggregate(&self) -> &Packed {
        &self.aggregate
    }
    fn lens(&self) -> Option<&Lens> {
        self.lens.as_ref()
    }
}

pub(crate) struct World {
    pub(crate) site: SiteContext,
    pub(crate) raw: Vec<Raw>,
    buckets: BTreeMap<(Grain, Minute), (Span, Arc<Packed>)>,
    names: Arc<Names>,
}

pub(crate) const PAGES: &[&str] = &["/", "/pricing", "/blog", "/blog/a", "/blog/b", "/docs", "/größe"];
pub(crate) const NAMES: &[&str] = &["pageview", "pageview", "pageview", "Signup", "Click", "Purchase"];
pub(crate) const SOURCES: &[&str] = &["", "Google", "news.example", "Mastodon"];
pub(crate) const VALUES: &[&str] = &["", "x", "y", "Zed"];
const ZONES: &[&str] = &["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana"];
/// Name, what reaches it, worth in units with its currency.
type NamedGoal = (&'static str, &'static str, Option<(i64, &'static str)>);

const GOALS: &[NamedGoal] = &[
    ("Signup", "Signup", Some((5, "EUR"))),
    ("Visit /blog*", "/blog*", None),
    ("Anything read", "/*", Some((2, ""))),
    ("Bought", "Purchase", Some((7, "USD"))),
    ("Nobody", "Never", None),
];

impl World {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let (people, visits) = (3 + rng.below(30), rng.below(160));
        Self::with(rng, 12 * 24 * 60, people, visits)
    }

    fn with(rng: &mut Rng, length: u32, people: usize, visits: usize) -> Self {
        let calendar = Calendar::new(rng.pick(ZONES)).unwrap();
        let identity = rng.pick(&[Identity::Day, Identity::Day, Identity::Month, Identity::Device]);
        // Around a change of the clock, or a turn of the month.
        let first = rng.pick(&["2026-03-24", "2026-10-20", "2026-10-28", "2026-03-29"]);
        let first = calendar.start_of(Date::parse(first).unwrap());
        let now = Minute(first.0 + length - 700);
        let mut site = SiteContext::new(calendar.clone(), identity, now);
        site.first_data = Some(first);
        for (name, target, worth) in GOALS.iter().filter(|_| !rng.chance(4)) {
            let target =
                if target.contains('/') { Target::Page(target.parse().unwrap()) } else { Target::Event((*target).into()) };
            let worth = worth.map(|(units, currency)| Worth { value: units * 1_000_000, currency: currency.to_owned() });
            site.goals.push(Goal { name: (*name).to_owned(), target, worth });
        }
        let mut raw = Vec::new();
        for _ in 0..visits {
            let minute = Minute(first.0 + rng.below(length as usize) as u32);
            visit(rng, &calendar, identity, people, minute, &mut raw);
        }
        let buckets = buckets(&calendar, &raw);
        Self { site, raw, buckets, names: Arc::default() }
    }

    /// The same traffic where each bucket holds a sample of the visitors below a hash, as one that has outgrown its size.
    pub(crate) fn sampled(&self, theta: u64) -> Self {
        let cut = |(span, bucket): &(Span, Arc<Packed>)| {
            let mut people = bucket.people.to_people();
            let mut everyone = Hll::default();
            people.iter().for_each(|(hash, first, visits)| {
                if (first..first + visits.len()).any(|visit| people.visit_counts(visit)) {
                    everyone.insert(hash);
                }
            });
            people.visitors.retain(|visitor| visitor.hash.0 < theta);
            people.visits.truncate(people.visitors.last().map_or(0, |v| v.visits_end as usize));
            people.facts.truncate(people.visits.last().map_or(0, |v| v.facts_end as usize));
            people.theta = theta;
            people.hlls = Some(Hlls { total: everyone, values: Vec::new() });
            (*span, Arc::new(Packed { tallies: bucket.tallies.clone(), people: Arc::new(Profiles::from(&people)) }))
        };
        let buckets = self.buckets.iter().map(|(key, bucket)| (*key, cut(bucket))).collect();
        Self { site: self.site.clone(), raw: self.raw.clone(), buckets, names: Arc::default() }
    }

    /// A site with many visitors over a few days.
    pub(crate) fn crowded(rng: &mut Rng, visits: usize) -> Self {
        Self::with(rng, 4 * 24 * 60, visits / 2, visits)
    }

    /// The buckets of a span, with nothing that is not needed.
    pub(crate) fn read(&self, grain: Grain, span: Span, need: Need) -> Vec<Stored> {
        let from = Minute(span.start.0.saturating_sub(1500));
        let near = self.buckets.range((grain, from)..(grain, span.end)).map(|(_, bucket)| bucket.clone());
        let stored = |(span, aggregate): (Span, Arc<Packed>)| {
            let tallies = match need.rows() {
                Rows::All => aggregate.tallies.clone(),
                Rows::None => Arc::default(),
                Rows::Of(dimension) => {
                    let mut sheets = aggregate.tallies.sheets();
                    let at = sheets.iter().position(|(of, _)| *of == dimension.sheet()).unwrap_or(0);
                    Arc::new(sheets.swap_remove(at).1)
                }
            };
            // What is still being written has no numbers.
            let lens = if span.start.0 / 60 % 5 == 0 { Lens::default() } else { Lens::of_site(self.names.clone()) };
            let mut theta = u64::MAX;
            match need {
                Need::Tallies(_) => {}
                Need::People(_) => {
                    let people = aggregate.people.clone();
                    let lens = Some(Lens::of_people(self.names.clone())).filter(|_| span.start.0 / 60 % 5 > 0);
                    return Stored { span, aggregate: Arc::new(Packed { tallies, people }), lens };
                }
                // As stored beside a bucket, or worked out when asked for.
                Need::Uniques(dimension) if dimension != RowDimension::Prop && span.start.0 / 60 % 2 == 0 => {
                    for (of, written) in
                        Lens::written(&aggregate).filter(|(of, _)| *of == dimension || *of == RowDimension::Total)
                    {
                        theta = lens.read(of, &written, &tallies).unwrap();
                    }
                }
                Need::Uniques(dimension) => {
                    lens.prepare(dimension, &Packed { tallies: tallies.clone(), people: aggregate.people.clone() });
                    theta = aggregate.people.theta;
                }
            }
            let people = Arc::new(Profiles { theta, ..Profiles::default() });
            Stored { span, aggregate: Arc::new(Packed { tallies, people }), lens: Some(lens) }
        };
        near.filter(|(s, _)| s.end > span.start).map(stored).collect()
    }
}

fn window(calendar: &Calendar, identity: Identity, minute: Minute) -> i64 {
    let date = calendar.date(minute);
    match identity {
        Identity::Day => date.to_days(),
        Identity::Month => date.first_of_month(0).to_days(),
        Identity::Device => 0,
    }
}

/// A visit of some views and events over up to a few hours, told minute by minute; now and then only a part of it.
fn visit(rng: &mut Rng, calendar: &Calendar, identity: Identity, people: usize, start: Minute, raw: &mut Vec<Raw>) {
    let person = rng.below(people) as u64;
    let tag = if rng.chance(5) { 0 } else { rng.below(4) as u16 };
    let mut context = [""; VisitDimension::COUNT];
    for (place, value) in context.iter_mut().enumerate() {
        *value = if place == VisitDimension::Source as usize { rng.pick(SOURCES) } else { rng.pick(VALUES) };
    }
    let entry = rng.pick(PAGES);
    context[VisitDimension::EntryPage as usize] = entry;
    let currency = rng.pick(&["", "EUR", "EUR", "USD"]);
    let steps = 1 + rng.below(5);
    let mut minute = start;
    for step in 0..steps {
        let salted = window(calendar, identity, minute) as u64 ^ 0x5a17;
        let first = step == 0;
        let name = if first { "pageview" } else { rng.pick(NAMES) };
        let props = if rng.chance(3) { vec![("plan", rng.pick(VALUES)), ("a", rng.pick(&["1", "2"]))] } else { Vec::new() };
        raw.push(Raw {
            hash: mix(mix(person) ^ mix(salted)),
            minute,
            tag,
            visit: context,
            started: u64::from(first),
            visit_went_on: u64::from(first && steps > 1),
            name,
            page: if first { entry } else { rng.pick(PAGES) },
            hostname: if rng.chance(9) { "www.example.com" } else { "example.com" },
            props,
            // Sometimes only what comes after the event is told, or the event is lost.
            count: u64::from(first || !rng.chance(6)),
            view_went_on: u64::from(rng.chance(3)),
            engaged: rng.below(40) as u64,
            depth: rng.below(100) as u64,
            value: (name == "Purchase" && !rng.chance(4)).then(|| rng.below(50_000_000) as i64 - 1_000_000),
            currency: if name == "Purchase" { currency } else { "" },
        });
        minute = Minute(minute.0 + [0, 1, 20, 90, 700][rng.below(5)]);
    }
}

fn buckets(calendar: &Calendar, raw: &[Raw]) -> BTreeMap<(Grain, Minute), (Span, Arc<Packed>)> {
    let mut by_minute: BTreeMap<Minute, Fold> = BTreeMap::new();
    for (order, raw) in raw.iter().enumerate() {
        let values: Vec<i64> = raw.value.into_iter().filter(|_| raw.count > 0).collect();
        by_minute.entry(raw.minute).or_default().add(&Activity {
            visitor: VisitorHash(raw.hash),
            minute: raw.minute,
            tag: raw.tag,
            visit: &raw.visit,
            started: raw.started,
            went_on: raw.visit_went_on,
            events: &[EventDelta {
                name: raw.name,
                page: raw.page,
                hostname: raw.hostname,
                currency: raw.currency,
                props: &raw.props,
                count: raw.count,
                went_on: raw.view_went_on,
                engaged: raw.engaged,
                depth: raw.depth,
                values: &values,
                order: order as u64,
            }],
        });
    }
    let mut parts: BTreeMap<(Grain, Minute), (Span, Vec<Aggregate>)> = BTreeMap::new();
    for (minute, fold) in by_minute {
        let aggregate = fold.finish();
        for grain in Grain::ALL {
            let span = calendar.bucket(grain, minute);
            parts.entry((grain, span.start)).or_insert((span, Vec::new())).1.push(aggregate.clone());
        }
    }
    let merged = |parts: Vec<Aggregate>| Arc::new(Packed::from(Aggregate::merge(&parts.iter().collect::<Vec<_>>())));
    parts.into_iter().map(|(key, (span, parts))| (key, (span, merged(parts)))).collect()
}
