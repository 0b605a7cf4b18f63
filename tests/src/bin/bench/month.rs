//! A site with a month of traffic, loaded through the collector's own door: how long queries take, how much is stored.
//!
//! One million events, and ten (`HEADWATER_BENCH_EVENTS=100000000` for a hundred, which takes ten to twenty minutes to
//! load): visits of two and a half events on average, 50,000 people a million events, pages by Zipf's law, twelve dimensions
//! of a visit. With `HEADWATER_BENCH_DATA` the data is kept in a folder, and found there the next time.
use std::path::Path;

use headwater_core::{Activity, Batch, EventDelta, Fold, Minute, NodeId, PAGEVIEW, Partial, SiteId, VisitDimension, VisitorHash};
use headwater_tests::api::Api;
use headwater_tests::beacons;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};
use serde_json::{Value, json};

use crate::{milliseconds, quantile};

pub(crate) const SITE: &str = "bench.example";
pub(crate) const DAYS: u32 = 30;
const PAGES: usize = 5_000;

/// Prints all of it.
pub(crate) fn print() {
    let asked = std::env::var("HEADWATER_BENCH_EVENTS").ok().and_then(|events| events.parse().ok());
    for events in asked.map_or(vec![1_000_000, 10_000_000], |events| vec![events]) {
        print_for(events);
    }
}

fn print_for(events: usize) {
    let people = events / 20;
    println!("\nOne site, {events} events over {DAYS} days, {people} people, {PAGES} pages, 12 dimensions of visits");
    let temporary = tempfile::tempdir().expect("a temporary directory");
    // A folder to look at a month again, which is loaded only if it is not there yet.
    let kept = std::env::var_os("HEADWATER_BENCH_DATA").map(|kept| Path::new(&kept).join(events.to_string()));
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let there = folder.exists() && kept.is_some();
    std::fs::create_dir_all(folder).expect("a folder");
    let server = Server::start_on(folder, free_port());
    let (port, data) = (server.port, server.data());
    if !there {
        server.add_site(SITE, &[]);
        let mut drawn = 0;
        let before = server.cpu_milliseconds();
        let took = milliseconds(|| drawn = fill(&server.api(), events, people)) / 1000.0;
        let cpu = (server.cpu_milliseconds() - before) / 1000.0;
        println!(
            "loading through /v1/partials: {took:.1} s, {:.0} events/s, {cpu:.1} s of the server's CPU",
            drawn as f64 / took
        );
        assert_eq!(server.api().totals(SITE, &["events"])[0], drawn, "every event is counted");
        wait_until_settled(&data);
    }
    let drawn = server.api().totals(SITE, &["events"])[0].as_f64().expect("a number");
    assert!(server.stop().success());
    print_stored(&data, drawn);

    let page = format!("/page/{}", 7);
    let two = json!([["is", "visit:source", ["Google", "GitHub"]], ["is", "visit:country", ["DE", "FR"]]]);
    let queries: [(&str, Value); 8] = [
        ("time series by day", json!({"metrics": ["visitors", "pageviews"], "dimensions": ["time:day"]})),
        ("top pages", json!({"metrics": ["visitors", "pageviews"], "dimensions": ["event:page"]})),
        ("distinct visitors, visits, bounces", json!({"metrics": ["visitors", "visits", "pageviews", "bounce_rate"]})),
        ("sources", json!({"metrics": ["visitors", "visits", "bounce_rate"], "dimensions": ["visit:source"]})),
        ("events by name", json!({"metrics": ["events", "visitors"], "dimensions": ["event:name"]})),
        (
            "one page's numbers",
            json!({"metrics": ["visitors", "visits", "pageviews", "bounce_rate"], "filters": [["is", "event:page", [page]]]}),
        ),
        ("filter on two dimensions", json!({"metrics": ["visitors", "visits", "pageviews", "bounce_rate"], "filters": two})),
        ("the same, top pages", json!({"metrics": ["visitors", "pageviews"], "dimensions": ["event:page"], "filters": two})),
    ];
    println!("{:<36}{:>10}{:>10}{:>10}{:>12}", "query over all days, ms", "cold", "warm p50", "warm p99", "warm CPU");
    let mut memory = 0;
    for (name, mut query) in queries {
        query["site_id"] = SITE.into();
        query["date_range"] = "all".into();
        query["pagination"] = json!({"limit": 100});
        // Cold: a server that was just started and has answered nothing yet.
        let server = Server::start_on(folder, port);
        let api = server.api();
        let cold = milliseconds(|| drop(api.query(&query)));
        const ROUNDS: usize = 30;
        let before = server.cpu_milliseconds();
        let mut warm: Vec<f64> = (0..ROUNDS).map(|_| milliseconds(|| drop(api.query(&query)))).collect();
        let cpu = (server.cpu_milliseconds() - before) / ROUNDS as f64;
        warm.sort_by(f64::total_cmp);
        println!("{name:<36}{cold:>10.1}{:>10.1}{:>10.1}{cpu:>12.1}", quantile(&warm, 0.5), quantile(&warm, 0.99));
        memory = memory.max(server.peak_memory());
    }
    println!("memory of the server at most: {:.0} MB", memory as f64 / 1e6);
}

/// Prints what takes how much, by grain.
fn print_stored(data: &Path, events: f64) {
    let all = bytes(data) as f64;
    println!("stored: {:.1} MB, {:.2} bytes an event:", all / 1e6, all / events);
    let database = rusqlite::Connection::open(data.join("headwater.db")).expect("the database");
    let sql = "SELECT grain, count(*), total(length(tallies)), total(length(people)) FROM segments GROUP BY grain";
    let mut statement = database.prepare(sql).expect("a statement");
    let mut rest = all;
    println!("{:<36}{:>10}{:>20}{:>20}", "bytes an event", "segments", "tallies", "people");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let grain = ["minutes", "hours", "days"][row.get::<_, u8>(0).expect("a grain") as usize];
        let (count, tallies, people): (i64, f64, f64) =
            (row.get(1).expect("a count"), row.get(2).expect("a sum"), row.get(3).expect("a sum"));
        println!("{grain:<36}{count:>10}{:>20.2}{:>20.2}", tallies / events, people / events);
        rest -= tallies + people;
    }
    println!("{:<36}{:>10}{:>20.2}", "indexes, free pages, other files", "", rest / events);
}

/// Waits until the server has made one segment of each bucket whose time is over, as it does every few seconds.
pub(crate) fn wait_until_settled(data: &Path) {
    let database = rusqlite::Connection::open(data.join("headwater.db")).expect("the database");
    let old = i64::from(beacons::now() / 60) - 2 * 1440;
    let left = "SELECT count(*) FROM unsettled WHERE \"end\" < ?1";
    for _ in 0..600 {
        if database.query_row(left, [old], |row| row.get::<_, i64>(0)).expect("a count") == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

/// What a file system holds under a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the data directory");
    entries
        .flatten()
        .map(|entry| entry.metadata().map_or(0, |meta| if meta.is_dir() { bytes(&entry.path()) } else { meta.len() }))
        .sum()
}

/// One visit as it was drawn: who, when it began in its day, and how many events it has.
struct Drawn {
    minute: u32,
    person: u64,
    events: u32,
}

/// Draws a month of visits and sends them in batches of an hour each, as an edge elsewhere would. Tells how many events
/// there were.
pub(crate) fn fill(api: &Api, events: usize, people: usize) -> u64 {
    let facts = api.get(&format!("/v1/edge/sites/{SITE}")).expect("an answer").json();
    let site = SiteId(facts["id"].as_u64().expect("the site's number") as u32);
    let first = beacons::now() / 60 / 1440 - DAYS;
    let pages: Vec<String> = (0..PAGES).map(|page| format!("/page/{page}")).collect();
    let (mut random, mut seq, mut total) = (Random::new(5), 0, 0);
    for day in first..first + DAYS {
        let mut visits: Vec<Drawn> = Vec::new();
        let mut left = events / DAYS as usize;
        while left > 0 {
            // Half of the visits have one event, the rest up to seven.
            let more = if random.below(2) == 0 { 1 } else { 1 + random.below(7) };
            let drawn =
                Drawn { minute: random.below(1440) as u32, person: random.below(people) as u64, events: more.min(left) as u32 };
            left -= drawn.events as usize;
            total += u64::from(drawn.events);
            visits.push(drawn);
        }
        visits.sort_by_key(|visit| visit.minute);
        for hour in visits.chunk_by(|a, b| a.minute / 60 == b.minute / 60) {
            let minutes = hour.chunk_by(|a, b| a.minute == b.minute);
            let partials = minutes.map(|visits| partial(site, day, visits, &pages, &mut random)).collect();
            seq += 1;
            let batch = Batch { node: NodeId(*b"a month of bench"), seq, position: seq, partials };
            let answer =
                api.send("/v1/partials", &batch.encode(), &[("Content-Type", "application/octet-stream")]).expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    total
}

/// A rank below `n`: the i-th is drawn 1/i times as often as the first.
fn zipf(bits: u64, n: usize) -> usize {
    ((n as f64 + 1.0).powf((bits >> 11) as f64 / (1u64 << 53) as f64) as usize - 1).min(n - 1)
}

fn partial(site: SiteId, day: u32, visits: &[Drawn], pages: &[String], random: &mut Random) -> Partial {
    const COUNTRIES: [&str; 8] = ["US", "DE", "FR", "GB", "IN", "BR", "JP", "PL"];
    const REGIONS: [&str; 12] =
        ["US-CA", "DE-BE", "FR-IDF", "GB-LND", "IN-MH", "BR-SP", "JP-13", "PL-MZ", "US-NY", "DE-BY", "US-TX", "DE-NW"];
    const CITIES: [&str; 10] =
        ["Los Angeles", "Berlin", "Paris", "London", "Mumbai", "São Paulo", "Tokyo", "Warszawa", "New York", "München"];
    const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];
    const VERSIONS: [&str; 6] = ["156", "155", "154", "150", "140", "18"];
    const SYSTEMS: [&str; 5] = ["Windows", "iOS", "Android", "Mac", "Linux"];
    const SOURCES: [&str; 8] = ["", "Google", "Bing", "news.example", "GitHub", "newsletter", "Reddit", "Mastodon"];
    const CHANNELS: [&str; 5] = ["Direct", "Organic Search", "Referral", "Email", "Organic Social"];
    const CAMPAIGNS: [&str; 5] = ["", "spring", "launch", "black-friday", "webinar"];
    let minute = Minute(day * 1440 + visits.first().map_or(0, |visit| visit.minute));
    let mut fold = Fold::new();
    for (i, Drawn { person, events, .. }) in visits.iter().enumerate() {
        let mix = |a: u64| a.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let visitor = VisitorHash(mix(mix(person + 1) ^ u64::from(day)));
        // A person has the same properties every time, but comes from different places.
        let mut own = Random::new(*person);
        let place = zipf(own.bits(), 8);
        let source = zipf(random.bits(), 8);
        let entry = &pages[zipf(random.bits(), pages.len())];
        let mut visit = [""; VisitDimension::COUNT];
        for (dimension, value) in [
            (VisitDimension::Country, COUNTRIES[place]),
            (VisitDimension::Region, REGIONS[place + zipf(own.bits(), 5)]),
            (VisitDimension::City, CITIES[place + zipf(own.bits(), 3)]),
            (VisitDimension::Device, ["Desktop", "Mobile", "Tablet"][zipf(own.bits(), 3)]),
            (VisitDimension::Browser, BROWSERS[zipf(own.bits(), 4)]),
            (VisitDimension::BrowserVersion, VERSIONS[zipf(own.bits(), 6)]),
            (VisitDimension::Os, SYSTEMS[zipf(own.bits(), 5)]),
            (VisitDimension::Language, ["en", "de", "fr", "pt"][zipf(own.bits(), 4)]),
            (VisitDimension::Source, SOURCES[source]),
            (VisitDimension::Channel, CHANNELS[source.min(4)]),
            (VisitDimension::UtmCampaign, CAMPAIGNS[zipf(random.bits(), 5)]),
            (VisitDimension::EntryPage, entry),
        ] {
            visit[dimension as usize] = value;
        }
        let deltas: Vec<EventDelta<'_>> = (0..*events)
            .map(|n| {
                let click = n > 0 && random.below(5) == 0;
                let page = if n == 0 { entry } else { &pages[zipf(random.bits(), pages.len())] };
                let name = if click { "Signup" } else { PAGEVIEW };
                let went_on = u64::from(!click && n + 1 < *events);
                let (engaged, depth) = (random.below(60) as u64, random.below(100) as u64);
                EventDelta {
                    name,
                    page,
                    hostname: SITE,
                    count: 1,
                    went_on,
                    engaged,
                    depth,
                    order: i as u64,
                    ..EventDelta::default()
                }
            })
            .collect();
        fold.add(&Activity {
            visitor,
            minute,
            tag: random.bits() as u16,
            visit: &visit,
            started: 1,
            went_on: u64::from(*events > 1),
            events: &deltas,
        });
    }
    Partial { site, minute, aggregate: fold.finish() }
}
