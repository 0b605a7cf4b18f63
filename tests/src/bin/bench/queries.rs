//! How long questions take, and how much is stored, at a million events.
use std::time::{Duration, Instant};

use headwater_core::{Activity, Batch, EventDelta, Fold, Minute, NodeId, Partial, SiteId, VisitDimension, VisitorHash};
use headwater_tests::beacons::now;
use headwater_tests::random::Random;
use headwater_tests::server::{ADMIN, Server, free_port, headwater};
use serde_json::json;

use crate::{ms, quantile};

const EVENTS: usize = 1_000_000;
const PEOPLE: usize = 50_000;
const DAYS: u32 = 30;
const PAGES: usize = 5_000;
const SITE: &str = "example.com";
/// How many values each dimension of a visit has, in their order.
const VALUES: [usize; VisitDimension::COUNT] = [60, 200, 800, 3, 8, 30, 6, 20, 30, 4, 40, 200, 8, 20, 8, 30, 10, 10, 1];

/// A rank below `n` by Zipf's law with exponent 1.
fn zipf(random: &mut Random, n: usize) -> usize {
    let uniform = (random.bits() >> 11) as f64 / (1u64 << 53) as f64;
    ((n as f64 + 1.0).powf(uniform) - 1.0) as usize
}

/// A day as a batch of 24 partials, drawn as on a real site: the same people have the same properties every day.
fn day(site: SiteId, day: u32, pages: &[String], values: &[Vec<String>], random: &mut Random) -> Batch {
    let mut partials = Vec::new();
    for hour in 0..24 {
        let minute = Minute(day * 1440 + hour * 60);
        let mut fold = Fold::new();
        for _ in 0..EVENTS / DAYS as usize / 24 {
            let person = random.below(PEOPLE) as u64;
            let mut own = Random::new(person);
            let mut visit = [""; VisitDimension::COUNT];
            visit.iter_mut().zip(values).for_each(|(slot, values)| *slot = &values[zipf(&mut own, values.len())]);
            visit[VisitDimension::EntryPage as usize] = &pages[zipf(&mut own, pages.len())];
            let started = u64::from(random.below(3) == 0);
            let name = if random.below(10) == 0 { "Signup" } else { "pageview" };
            let page = &pages[zipf(random, pages.len())];
            let event = EventDelta { name, page, hostname: SITE, count: 1, ..EventDelta::default() };
            fold.add(&Activity {
                visitor: VisitorHash(Random::new(person << 8 | u64::from(day % 256)).bits()),
                minute,
                tag: person as u16 | 1,
                visit: &visit,
                started,
                went_on: started & random.bits() & 1,
                events: &[event],
            });
        }
        partials.push(Partial { site, minute, aggregate: fold.finish() });
    }
    Batch { node: NodeId([9; 16]), seq: u64::from(day), position: u64::from(day), partials }
}

/// Prints the table.
pub fn bench() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve = || Server::start_as(headwater(&["serve"]), folder.path(), free_port());
    let server = serve();
    server.add_site(SITE, &[]);
    let site = server.api().get(&format!("/v1/edge/sites/{SITE}")).expect("an answer").json();
    let site = SiteId(site["id"].as_u64().expect("the site's number") as u32);
    let pages: Vec<String> = (0..PAGES).map(|i| format!("/articles/{i}/with-a-title")).collect();
    let values = VALUES
        .iter()
        .enumerate()
        .map(|(d, n)| (0..*n).map(|i| if i == 0 { String::new() } else { format!("value {d} {i}") }).collect());
    let values: Vec<Vec<String>> = values.collect();
    let mut random = Random::new(7);
    let (mut folding, start, today) = (Duration::ZERO, Instant::now(), now() / 86_400);
    for d in today - DAYS..today {
        let begun = Instant::now();
        let batch = day(site, d, &pages, &values, &mut random).encode();
        folding += begun.elapsed();
        let authorization = format!("Bearer {ADMIN}");
        let answer =
            server.api().anonymous().send("/v1/partials", &batch, &[("authorization", &authorization)]).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    println!(
        "Loaded through /v1/partials in {:.1} s, of which {:.1} s to draw and fold.",
        start.elapsed().as_secs_f64(),
        folding.as_secs_f64()
    );
    // Past buckets are settled in the background.
    std::thread::sleep(Duration::from_secs(15));
    assert!(server.stop().success());
    stored(&folder.path().join("data"));

    let server = serve();
    println!("{:<34} {:>10} {:>10} {:>7}", "", "cold", "warm", "rows");
    let asked = [
        ("time series", json!(["visitors", "pageviews"]), json!(["time:day"]), json!([])),
        ("distinct visitors", json!(["visitors", "visits", "bounce_rate"]), json!([]), json!([])),
        ("top pages, views", json!(["pageviews"]), json!(["event:page"]), json!([])),
        ("top pages, visitors and views", json!(["visitors", "pageviews"]), json!(["event:page"]), json!([])),
        ("top sources", json!(["visitors", "visits"]), json!(["visit:source"]), json!([])),
        ("entry pages", json!(["visits", "bounce_rate"]), json!(["visit:entry_page"]), json!([])),
        ("events", json!(["visitors", "events"]), json!(["event:name"]), json!([])),
        ("one page's numbers", json!(["visitors", "visits", "pageviews"]), json!([]), json!([["is", "event:page", [pages[3]]]])),
        (
            "filter on two dimensions",
            json!(["visitors", "pageviews"]),
            json!([]),
            json!([["is", "visit:source", ["value 10 1"]], ["is", "visit:device", ["value 3 1"]]]),
        ),
    ];
    for (name, metrics, dimensions, filters) in asked {
        let query = json!({
            "site_id": SITE, "metrics": metrics, "date_range": "30d", "dimensions": dimensions, "filters": filters,
            "pagination": {"limit": 100, "offset": 0},
        });
        let mut rows = 0;
        let mut ask = || {
            let start = Instant::now();
            rows = server.api().query(&query)["results"].as_array().map_or(0, Vec::len);
            start.elapsed()
        };
        let cold = ask();
        let mut warm: Vec<Duration> = (0..9).map(|_| ask()).collect();
        println!("{name:<34} {:>10} {:>10} {rows:>7}", ms(cold), ms(quantile(&mut warm, 0.5)));
    }
    println!("Cold: the first time after a start, the first line with all decoding in it. Warm: the median of nine.");
}

/// Prints what is on the disk.
fn stored(data: &std::path::Path) {
    let file = data.join("headwater.db");
    let size = std::fs::metadata(&file).map_or(0, |m| m.len());
    let connection = rusqlite::Connection::open(file).expect("the database");
    let sql = "SELECT grain, count(*), sum(length(tallies)), sum(coalesce(length(people), 0)) FROM segments GROUP BY grain";
    let mut statement = connection.prepare(sql).expect("the segments");
    let mut rows = statement.query([]).expect("the segments");
    while let Some(row) = rows.next().expect("a row") {
        let grain = ["minutes", "hours", "days"][row.get::<_, u8>(0).expect("a grain").min(2) as usize];
        let [segments, tallies, people] = [1, 2, 3].map(|i| row.get::<_, i64>(i).expect("a number"));
        let each = |bytes: i64| bytes as f64 / EVENTS as f64;
        println!(
            "  {grain:<8} {segments:>6} segments, {:.2} bytes an event in tallies, {:.2} in samples",
            each(tallies),
            each(people)
        );
    }
    println!("  the file: {:.1} bytes an event", size as f64 / EVENTS as f64);
}
