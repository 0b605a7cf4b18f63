//! A site with a million events in 30 days, loaded through the collector's own door: how long queries take, and how much
//! is stored.
use std::collections::BTreeMap;
use std::path::Path;

use headwater_core::{Activity, Batch, EventDelta, Fold, Minute, NodeId, PAGEVIEW, Partial, SiteId, VisitDimension, VisitorHash};
use headwater_tests::api::Api;
use headwater_tests::beacons;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};
use serde_json::{Value, json};

use crate::{milliseconds, quantile};

const SITE: &str = "bench.example";
const EVENTS: usize = 1_000_000;
const DAYS: u32 = 30;
const PEOPLE: usize = 50_000;

/// Prints all of it.
pub(crate) fn print() {
    println!("\nOne site, {EVENTS} events over {DAYS} days, {PEOPLE} people, 1,000 pages, 12 dimensions");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_on(folder.path(), free_port());
    server.add_site(SITE, &[]);
    let took = milliseconds(|| fill(&server.api())) / 1000.0;
    println!("loading through /v1/partials: {took:.1} s, {:.0} events/s", EVENTS as f64 / took);
    assert_eq!(server.api().totals(SITE, &["events"])[0], EVENTS, "every event is counted");
    let (port, data) = (server.port, server.data());
    assert!(server.stop().success());
    let stored = bytes(&data);
    println!(
        "stored: {:.1} MB, {:.1} bytes an event, minutes of two days and all people included",
        stored as f64 / 1e6,
        stored as f64 / EVENTS as f64
    );

    let queries: [(&str, Value); 7] = [
        ("visitors, views, bounces", json!({"metrics": ["visitors", "visits", "pageviews", "bounce_rate"]})),
        ("time series by day", json!({"metrics": ["visitors", "pageviews"], "dimensions": ["time:day"]})),
        (
            "top pages by views",
            json!({"metrics": ["pageviews", "events"], "dimensions": ["event:page"], "pagination": {"limit": 10}}),
        ),
        (
            "top pages by visitors",
            json!({"metrics": ["visitors", "pageviews"], "dimensions": ["event:page"], "pagination": {"limit": 10}}),
        ),
        (
            "sources by visitors",
            json!({"metrics": ["visitors", "visits"], "dimensions": ["visit:source"], "pagination": {"limit": 10}}),
        ),
        (
            "entry pages by visits",
            json!({"metrics": ["visits", "bounce_rate"], "dimensions": ["visit:entry_page"], "pagination": {"limit": 10}}),
        ),
        ("events by name", json!({"metrics": ["events", "visitors"], "dimensions": ["event:name"]})),
    ];
    println!("{:<28}{:>12}{:>12}{:>12}", "query over all days, ms", "cold", "warm p50", "warm p99");
    let mut memory = 0;
    for (name, query) in queries {
        let mut query = query;
        query["site_id"] = SITE.into();
        query["date_range"] = "all".into();
        // Cold: a server that was just started and has answered nothing yet.
        let server = Server::start_on(folder.path(), port);
        let api = server.api();
        let cold = milliseconds(|| drop(api.query(&query)));
        let mut warm: Vec<f64> = (0..50).map(|_| milliseconds(|| drop(api.query(&query)))).collect();
        warm.sort_by(f64::total_cmp);
        println!("{name:<28}{cold:>12.1}{:>12.1}{:>12.1}", quantile(&warm, 0.5), quantile(&warm, 0.99));
        memory = memory.max(server.peak_memory());
    }
    println!("memory of the server at most: {:.0} MB", memory as f64 / 1e6);
}

/// What a file system holds under a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the data directory");
    entries
        .flatten()
        .map(|entry| entry.metadata().map_or(0, |meta| if meta.is_dir() { bytes(&entry.path()) } else { meta.len() }))
        .sum()
}

/// One event as it was drawn.
struct Drawn {
    person: usize,
    page: usize,
    click: bool,
}

/// Draws a month of events and sends it in batches of an hour each, as an edge elsewhere would.
fn fill(api: &Api) {
    let facts = api.get(&format!("/v1/edge/sites/{SITE}")).expect("an answer").json();
    let site = SiteId(facts["id"].as_u64().expect("the site's number") as u32);
    let now = beacons::now() / 60;
    let first = now - DAYS * 1440;
    let mut random = Random::new(5);
    let mut minutes: BTreeMap<u32, Vec<Drawn>> = BTreeMap::new();
    for _ in 0..EVENTS {
        let minute = first + random.below(DAYS as usize * 1440) as u32;
        // The n-th page is visited 1/n times as often as the first.
        let page = 1000f64.powf((random.bits() >> 11) as f64 / (1u64 << 53) as f64) as usize;
        let drawn = Drawn { person: random.below(PEOPLE), page, click: random.below(5) == 0 };
        minutes.entry(minute).or_default().push(drawn);
    }
    let minutes: Vec<(u32, Vec<Drawn>)> = minutes.into_iter().collect();
    for (seq, hour) in minutes.chunk_by(|a, b| a.0 / 60 == b.0 / 60).enumerate() {
        let partials = hour.iter().map(|(minute, drawn)| partial(site, Minute(*minute), drawn)).collect();
        let batch = Batch { node: NodeId(*b"a month of bench"), seq: seq as u64 + 1, position: seq as u64 + 1, partials };
        let answer =
            api.send("/v1/partials", &batch.encode(), &[("Content-Type", "application/octet-stream")]).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

fn partial(site: SiteId, minute: Minute, drawn: &[Drawn]) -> Partial {
    const COUNTRIES: [&str; 8] = ["DE", "US", "FR", "GB", "IN", "BR", "JP", "PL"];
    const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];
    const SYSTEMS: [&str; 5] = ["Windows", "iOS", "Android", "Mac", "Linux"];
    const SOURCES: [&str; 6] = ["Direct / None", "Google", "Bing", "news.example", "GitHub", "newsletter"];
    let mut fold = Fold::new();
    for (i, Drawn { person, page, click }) in drawn.iter().enumerate() {
        let day = u64::from(minute.0 / 1440);
        let mix = |a: u64| a.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let visitor = VisitorHash(mix(mix(*person as u64 + 1) ^ day));
        let page = format!("/page/{page}");
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Country as usize] = COUNTRIES[person % 8];
        visit[VisitDimension::Browser as usize] = BROWSERS[person / 8 % 4];
        visit[VisitDimension::Os as usize] = SYSTEMS[person / 32 % 5];
        visit[VisitDimension::Device as usize] = if person % 3 == 0 { "Mobile" } else { "Desktop" };
        visit[VisitDimension::Source as usize] = SOURCES[person / 160 % 6];
        visit[VisitDimension::Language as usize] = ["de", "en", "fr"][person % 3];
        visit[VisitDimension::EntryPage as usize] = &page;
        let name = if *click { "Signup" } else { PAGEVIEW };
        let event = EventDelta { name, page: &page, hostname: SITE, count: 1, order: i as u64, ..EventDelta::default() };
        fold.add(&Activity {
            visitor,
            minute,
            tag: *person as u16,
            visit: &visit,
            started: 1,
            went_on: u64::from(*click),
            events: &[event],
        });
    }
    Partial { site, minute, aggregate: fold.finish() }
}
