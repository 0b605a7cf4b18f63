//! The decoders of everything that comes over the wire, fed with mutated golden vectors.
//!
//! Whatever the bytes, a decoder answers with a value or an error, in bounded time and memory. A value that it gives is
//! whole: it is written as it was read, and merges.
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::beacon::{self, Beacon, Delta, MinutePart, Str, VisitPart};
use headwater_core::{
    Activity, Aggregate, Batch, BeaconId, EventDelta, Fold, Hlls, Minute, NodeId, Partial, RowDimension, SiteId, VisitDimension,
    VisitorHash,
};
use headwater_core::{Grain, Packed};
use headwater_query::{Buckets, Calendar, DateRange, Dimension, Identity, Metric, Query, SiteContext, Span, VisitProperty};

use crate::random::Random;

/// A decoder under test.
pub struct Target {
    /// The word for it on the command line.
    pub name: &'static str,
    /// Valid bytes to start from.
    pub golden: fn() -> Vec<Vec<u8>>,
    /// Decodes, and checks what came out; panics if a law is broken. Says whether the bytes were accepted.
    pub decode: fn(&[u8]) -> bool,
}

/// Every decoder of the core, and that of what a page merges.
pub const TARGETS: [Target; 4] = [
    Target { name: "beacon", golden: golden_beacons, decode: decode_beacon },
    Target { name: "aggregate", golden: golden_aggregates, decode: decode_aggregate },
    Target { name: "batch", golden: golden_batches, decode: decode_batch },
    Target { name: "buckets", golden: golden_buckets, decode: decode_buckets },
];

/// What a run did.
#[derive(Debug, Default)]
pub struct Tried {
    /// Mutated inputs.
    pub inputs: u64,
    /// Those that were still valid.
    pub accepted: u64,
}

/// The longest that one input may take. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(5);

impl Target {
    /// Feeds mutated golden vectors to the decoder until `limit` is over; for ever without one.
    pub fn run(&self, random: &mut Random, limit: Option<Duration>) -> Tried {
        let golden = (self.golden)();
        for vector in &golden {
            assert!((self.decode)(vector), "a golden vector of {} is refused", self.name);
        }
        let start = Instant::now();
        let mut tried = Tried::default();
        while limit.is_none_or(|limit| start.elapsed() < limit) {
            let input = mutate(&golden, random);
            let began = Instant::now();
            let accepted = std::panic::catch_unwind(|| (self.decode)(&input)).unwrap_or_else(|_| {
                panic!("the decoder of {} fell over these bytes: {}", self.name, hex(&input));
            });
            assert!(began.elapsed() < PATIENCE, "the decoder of {} took {:?} for {}", self.name, began.elapsed(), hex(&input));
            tried.inputs += 1;
            tried.accepted += u64::from(accepted);
        }
        tried
    }
}

/// One of `golden` with a few things done to it.
fn mutate(golden: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = golden[random.below(golden.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff][random.below(7)],
            2 if !bytes.is_empty() => bytes[at] = random.bits() as u8,
            3 => bytes.truncate(at),
            4 => bytes.extend((0..random.below(20)).map(|i| i as u8)),
            // A length or an index that claims far too much.
            5 => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x0f])),
            6 if !bytes.is_empty() => drop(bytes.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])),
            7 => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let other = &golden[random.below(golden.len())];
                let from = random.below(other.len());
                let to = (from + random.below(32)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_beacon(bytes: &[u8]) -> bool {
    let Ok((_, frozen)) = beacon::open(bytes) else { return false };
    let Ok(beacon) = Beacon::decode(frozen) else { return false };
    let written = beacon.encode();
    assert_eq!(Beacon::decode(&written).as_ref(), Ok(&beacon));
    for visit in &beacon.visits {
        for delta in visit.minutes.iter().flat_map(|minute| &minute.deltas) {
            let _ = (beacon.string(delta.name), beacon.string(delta.page));
        }
    }
    true
}

fn decode_aggregate(bytes: &[u8]) -> bool {
    let Ok(aggregate) = Aggregate::decode(bytes) else { return false };
    holds_together(&aggregate);
    true
}

fn decode_batch(bytes: &[u8]) -> bool {
    let Ok(batch) = Batch::decode(bytes) else { return false };
    assert_eq!(Batch::decode(&batch.encode()).as_ref(), Ok(&batch));
    batch.partials.iter().for_each(|partial| holds_together(&partial.aggregate));
    true
}

/// What was decoded is written as it was read, and tells its lists.
fn decode_buckets(bytes: &[u8]) -> bool {
    let Some(told) = Buckets::decode(bytes) else { return false };
    let again = Buckets::decode(&told.encode()).map(|again| again.encode());
    // Bytes: a number that is none equals nothing.
    assert_eq!(again, Some(told.encode()));
    let metrics = vec![Metric::Visitors, Metric::Visits, Metric::BounceRate, Metric::TimeOnPage, Metric::Percentage];
    let fits = |told: Option<(Vec<headwater_query::ResultRow>, headwater_query::Meta)>| {
        told.is_none_or(|(rows, meta)| meta.bounds.is_empty() || meta.bounds.len() == rows.len())
    };
    assert!(fits(told.total(&metrics[..1])));
    for dimension in buckets_of() {
        let query = Query { dimensions: vec![dimension], ..Query::new("", metrics.clone(), DateRange::All) };
        assert!(fits(told.list(None, &query, str::to_lowercase)));
        let day = told.rows.last().and_then(|row| headwater_query::Date::parse(&row.label));
        assert!(fits(told.list(day.map(|day| (day, day)), &query, str::to_lowercase)));
    }
    true
}

/// What was decoded is whole: written as it was read, and it adds to others in either order.
fn holds_together(aggregate: &Aggregate) {
    assert_eq!(Aggregate::decode(&aggregate.encode()).as_ref(), Ok(aggregate));
    let other = busy_aggregate();
    assert_eq!(Aggregate::merge(&[aggregate, &other]), Aggregate::merge(&[&other, aggregate]));
    // Bytes may name a string that nothing uses; merging leaves it out, and from then on the form is the canonical one.
    let canonical = Aggregate::merge(&[aggregate, &Aggregate::default()]);
    assert_eq!(Aggregate::merge(&[&canonical, &Aggregate::default()]), canonical);
    assert_eq!(Aggregate::decode(&canonical.encode()).as_ref(), Ok(&canonical));
    assert_eq!(canonical.tallies.total(), aggregate.tallies.total());
}

fn golden_beacons() -> Vec<Vec<u8>> {
    let mut busy = Beacon {
        id: BeaconId { load: [1, 2, 3, 4, 5, 6, 7, 8], seq: 3 },
        created: 1_790_000_000,
        site: "example.com",
        device: [9; 8],
        screen: 1920,
        language: Str(1),
        zone: Str(2),
        strings: vec![
            "de-DE",
            "Europe/Berlin",
            "/",
            "/pricing",
            "example.com",
            "Signup",
            "plan",
            "pro",
            "EUR",
            "https://news.example/a",
        ],
        visits: Vec::new(),
    };
    let view =
        |page, count| Delta { page: Str(page), hostname: Str(5), count, went_on: 1, engaged: 30, depth: 100, ..Delta::default() };
    let signup = Delta {
        name: Str(6),
        page: Str(4),
        hostname: Str(5),
        props: vec![(Str(7), Str(8))],
        currency: Str(9),
        count: 2,
        values: vec![29_000_000, -1],
        ..Delta::default()
    };
    busy.visits.push(VisitPart {
        tag: 77,
        referrer: Str(10),
        entry: Str(3),
        minutes: vec![
            MinutePart { at: 0, started: 1, went_on: 1, deltas: vec![view(3, 1), view(4, 1)] },
            MinutePart { at: 61, deltas: vec![signup], ..MinutePart::default() },
        ],
        ..VisitPart::default()
    });
    let plain = Beacon { site: "a", visits: vec![VisitPart::default()], ..Beacon::default() };
    [busy, plain]
        .iter()
        .map(|beacon| {
            let mut body = Vec::new();
            beacon::envelope(beacon.created().offset(86_400_000), &mut body);
            body.extend(beacon.encode());
            body
        })
        .collect()
}

fn busy_aggregate() -> Aggregate {
    let mut fold = Fold::new();
    for visitor in 0..6u64 {
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Country as usize] = ["DE", "FR"][visitor as usize % 2];
        visit[VisitDimension::EntryPage as usize] = "/";
        let view = EventDelta {
            name: "pageview",
            page: "/",
            hostname: "a.example",
            count: 2,
            went_on: 1,
            engaged: 9,
            depth: 50,
            ..EventDelta::default()
        };
        let values = [1_000_000, -5, 0, 29_000_000];
        let signup = EventDelta {
            name: "Signup",
            page: "/pricing",
            hostname: "a.example",
            currency: "EUR",
            props: &[("plan", "pro")],
            count: 4,
            values: &values,
            order: visitor,
            ..EventDelta::default()
        };
        fold.add(&Activity {
            visitor: VisitorHash(visitor.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            minute: Minute(29_000_000),
            tag: visitor as u16,
            visit: &visit,
            started: 1,
            went_on: 1,
            events: &[view, signup],
        });
    }
    fold.finish()
}

/// An aggregate that has outgrown its sample: those above theta are gone, the sketches know them.
fn sampled_aggregate() -> Aggregate {
    let mut aggregate = busy_aggregate();
    let people = &mut aggregate.people;
    people.theta = people.visitors.last().map_or(0, |last| last.hash.0) + 1;
    let mut hlls = Hlls::default();
    people.visitors.iter().for_each(|visitor| hlls.total.insert(visitor.hash));
    if let Some(germany) = people.dict.find("DE") {
        hlls.values.push((RowDimension::Visit(VisitDimension::Country), germany, hlls.total.clone()));
    }
    people.hlls = Some(hlls);
    aggregate
}

fn golden_aggregates() -> Vec<Vec<u8>> {
    vec![Aggregate::default().encode(), busy_aggregate().encode(), sampled_aggregate().encode()]
}

fn golden_batches() -> Vec<Vec<u8>> {
    let partial = |site, minute| Partial { site: SiteId(site), minute: Minute(minute), aggregate: busy_aggregate() };
    let batch =
        Batch { node: NodeId([7; 16]), seq: 5, position: 900, partials: vec![partial(1, 29_000_000), partial(2, 29_000_000)] };
    vec![Batch { partials: Vec::new(), ..batch.clone() }.encode(), batch.encode()]
}

fn buckets_of() -> [Dimension; 3] {
    [Dimension::Page, Dimension::Name, Dimension::Visit(VisitProperty::Country)]
}

/// Two days, the second with a sample; with rows and without.
fn golden_buckets() -> Vec<Vec<u8>> {
    let day = |n: u32| Span { start: Minute(29_001_600 + n * 1440), end: Minute(29_001_600 + (n + 1) * 1440) };
    let packed = |aggregate: Aggregate| Arc::new(Packed::from(aggregate));
    let days = [(day(0), packed(busy_aggregate())), (day(1), packed(sampled_aggregate()))];
    let mut site = SiteContext::new(Calendar::utc(), Identity::Day, day(1).end.offset(60));
    site.first_data = Some(day(0).start);
    let told = |dimensions: &[Dimension]| {
        let read = |_, _, _| Ok::<_, ()>(days.to_vec());
        headwater_query::buckets(&DateRange::Days(2), Grain::Day, dimensions, &site, read).map(|told| told.encode())
    };
    [told(&[]), told(&buckets_of())].into_iter().flatten().collect()
}
