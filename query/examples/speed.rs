//! How long queries take over a month of day buckets in memory: `cargo run --release -p headwater-query --example speed`.
//!
//! One million events of 50,000 people over 30 days, pages by Zipf's law, twelve dimensions with values of every size.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // a program: it reads the clock
use std::sync::Arc;
use std::time::Instant;

use headwater_core::{Activity, Aggregate, EventDelta, Fold, Minute, Packed, VisitDimension, VisitorHash};
use headwater_query::{Bucket, Calendar, Identity, Lens, Names, OneByOne, Query, SiteContext, Span, answer, answer_together};

const PEOPLE: u64 = 50_000;
const DAYS: u32 = 30;

struct Rng(u64);

/// A bucket in memory with what is known about it.
#[derive(Clone)]
struct Cached(Span, Arc<(Packed, Lens)>);

impl Bucket for Cached {
    fn span(&self) -> Span {
        self.0
    }
    fn aggregate(&self) -> &Packed {
        &self.1.0
    }
    fn lens(&self) -> Option<&Lens> {
        Some(&self.1.1)
    }
}

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A rank below n by Zipf's law with exponent about 1.
    fn zipf(&mut self, n: usize) -> usize {
        let u = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((n as f64 + 1.0).powf(u) - 1.0) as usize
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn day(rng: &mut Rng, day: u32, events: usize, identity: Identity, values: &[Vec<String>], pages: &[String]) -> Aggregate {
    let mut fold = Fold::new();
    let minute = Minute(day * 1440);
    for _ in 0..events {
        // A person has the same properties on all days, and on one day two or three events.
        let person = mix(u64::from(day) ^ (rng.next() % (PEOPLE * 2 / 5)).wrapping_mul(977)) % PEOPLE;
        let mut own = Rng(person);
        let window = if identity == Identity::Day { u64::from(day) } else { 0 };
        let mut visit: [&str; VisitDimension::COUNT] = [""; VisitDimension::COUNT];
        for (slot, values) in visit.iter_mut().zip(values) {
            *slot = &values[own.zipf(values.len())];
        }
        visit[VisitDimension::EntryPage as usize] = &pages[own.zipf(pages.len())];
        let started = u64::from(rng.next().is_multiple_of(2));
        fold.add(&Activity {
            visitor: VisitorHash(mix(person ^ mix(window))),
            minute,
            tag: (person % 7) as u16,
            visit: &visit,
            started,
            went_on: started & (rng.next() & 1),
            events: &[EventDelta {
                name: if rng.next().is_multiple_of(10) { "Signup" } else { "pageview" },
                page: &pages[rng.zipf(pages.len())],
                hostname: "example.com",
                count: 1,
                engaged: rng.next() % 60,
                ..EventDelta::default()
            }],
        });
    }
    fold.finish()
}

/// What a dashboard asks under a filter: how long it takes one by one, and together, at best; in milliseconds.
fn screen(site: &SiteContext, buckets: &[Cached]) -> (f64, f64) {
    let cards = r#"["visitors","visits","pageviews","views_per_visit","bounce_rate","visit_duration","events"]"#;
    let asked = [
        (cards, r#"[]"#),
        (cards, r#"["time:day"]"#),
        (r#"["visitors","percentage"]"#, r#"["visit:source"]"#),
        (r#"["visitors","pageviews"]"#, r#"["event:page"]"#),
        (r#"["visitors","percentage"]"#, r#"["visit:country"]"#),
        (r#"["visitors","percentage"]"#, r#"["visit:browser"]"#),
        (r#"["events","visitors"]"#, r#"["event:name"]"#),
    ];
    let query = |(metrics, dimensions)| {
        let body = format!(
            r#"{{"site_id":"example.com","date_range":"30d","metrics":{metrics},"dimensions":{dimensions},
            "filters":[["is","visit:device",["value 8 1","value 8 3"]]],"pagination":{{"limit":100}}}}"#
        );
        Query::parse(body.as_bytes()).unwrap()
    };
    let queries: Vec<Query> = asked.into_iter().map(query).collect();
    let read = |_, _, _| Ok::<_, ()>(buckets.to_vec());
    let best = |ask: &dyn Fn()| {
        let took = |_| {
            let start = Instant::now();
            ask();
            start.elapsed().as_secs_f64() * 1e3
        };
        (0..7).map(took).fold(f64::INFINITY, f64::min)
    };
    let alone = best(&|| queries.iter().for_each(|query| drop(answer(query, site, read).unwrap())));
    let all: Vec<&Query> = queries.iter().collect();
    let together = best(&|| drop(answer_together(&all, site, read, &mut |_, _| Ok(Vec::new()), &OneByOne).unwrap()));
    (alone, together)
}

fn main() {
    let sizes = [200, 500, 3000, 3, 8, 40, 10, 30, 40, 6, 50, 400, 10, 30, 10, 60, 20, 20, 1];
    let values: Vec<Vec<String>> = sizes
        .iter()
        .enumerate()
        .map(|(d, n)| (0..*n).map(|i| if i == 0 { String::new() } else { format!("value {d} {i}") }).collect())
        .collect();
    let pages: Vec<String> = (0..5000).map(|i| format!("/blog/{i}/an-article-with-a-title")).collect();
    let events = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1_000_000usize);
    for identity in [Identity::Day, Identity::Month] {
        let mut rng = Rng(7);
        let start = Instant::now();
        let names = Arc::<Names>::default();
        let first = 20_604u32; // 2026-05-31
        let buckets: Vec<Cached> = (first + 1..=first + DAYS)
            .map(|d| {
                let span = Span { start: Minute(d * 1440), end: Minute((d + 1) * 1440) };
                Cached(
                    span,
                    Arc::new((
                        day(&mut rng, d, events / DAYS as usize, identity, &values, &pages).into(),
                        Lens::of_people(names.clone()),
                    )),
                )
            })
            .collect();
        let people: usize = buckets.iter().map(|b| b.1.0.people.hashes.len()).sum();
        println!("{identity:?}: {events} events, {people} visitor-days, built in {:.1?}", start.elapsed());
        let site = SiteContext::new(Calendar::utc(), identity, Minute((first + DAYS + 1) * 1440 + 600));
        let asked = [
            ("totals", r#"["visitors","visits","pageviews","events","bounce_rate"]"#, r#"[]"#, r#"[]"#),
            ("time series", r#"["visitors","pageviews"]"#, r#"["time:day"]"#, r#"[]"#),
            ("top pages", r#"["visitors","pageviews"]"#, r#"["event:page"]"#, r#"[]"#),
            ("top pages, visits, bounces", r#"["visitors","visits","bounce_rate"]"#, r#"["event:page"]"#, r#"[]"#),
            ("top sources", r#"["visitors","visits","bounce_rate"]"#, r#"["visit:source"]"#, r#"[]"#),
            ("events", r#"["visitors","events"]"#, r#"["event:name"]"#, r#"[]"#),
            (
                "one page",
                r#"["visitors","visits","pageviews","bounce_rate"]"#,
                r#"[]"#,
                r#"[["is","event:page",["/blog/7/an-article-with-a-title"]]]"#,
            ),
            (
                "two filters",
                r#"["visitors","pageviews"]"#,
                r#"["event:page"]"#,
                r#"[["is","visit:source",["value 10 1","value 10 3"]],["contains","visit:browser",["1"]]]"#,
            ),
            ("source by country", r#"["visitors"]"#, r#"["visit:source","visit:country"]"#, r#"[]"#),
            ("has done", r#"["visitors","pageviews"]"#, r#"["event:page"]"#, r#"[["has_done",["is","event:name",["Signup"]]]]"#),
        ];
        for (name, metrics, dimensions, filters) in asked {
            let body = format!(
                r#"{{"site_id":"example.com","date_range":"30d","metrics":{metrics},"dimensions":{dimensions},"filters":{filters},"pagination":{{"limit":100}}}}"#
            );
            let query = Query::parse(body.as_bytes()).unwrap();
            let (mut best, mut first) = (f64::INFINITY, 0.0);
            let mut rows = 0;
            for _ in 0..7 {
                let start = Instant::now();
                let found = answer(&query, &site, |_, _, _| Ok::<_, ()>(buckets.clone())).unwrap();
                let took = start.elapsed().as_secs_f64() * 1e3;
                first = if best.is_infinite() { took } else { first };
                best = best.min(took);
                rows = found.results.len();
            }
            println!("  {name:28} first {first:7.2} ms, then {best:7.2} ms, {rows} rows");
        }
        let (alone, together) = screen(&site, &buckets);
        println!("  {:28} one by one {alone:7.2} ms, together {together:7.2} ms", "a screen, filtered");
    }
}
