//! Several edges at once, and their clocks.
use std::thread::sleep;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::{Api, BROWSER};
use headwater_tests::beacons::{body, view};
use headwater_tests::random::Random;
use headwater_tests::server::{Server, ahead, edge, free_port, headwater};
use headwater_tests::workerd::Workerd;
use serde_json::json;

use super::{UNLIMITED, beacon, events_of, eventually, temporary};

#[test]
fn two_workers_a_native_edge_and_the_embedded_one_are_one_place() {
    const SITE: &str = "one.example";
    let (server, single) = (Server::start(), Server::start());
    server.add_site(SITE, &[]);
    single.add_site(SITE, &[]);
    let folders = [temporary(), temporary(), temporary()];
    let workers = [0, 1].map(|at| Workerd::start(folders[at].path(), free_port(), server.port, &UNLIMITED));
    let native = Server::start_as(edge(server.port), folders[2].path(), free_port());
    let everywhere = [workers[0].anyone(), workers[1].anyone(), native.api().anonymous(), server.api().anonymous()];
    let mut random = Random::from_env();
    let send = |api: &Api, address: &str, body: &[u8]| {
        // Each edge hears of the address in its own way; where the sender is, is left out here.
        let headers = [
            ("Origin", "https://one.example"),
            ("User-Agent", BROWSER),
            ("CF-Connecting-IP", address),
            ("X-Forwarded-For", address),
            ("MF-CF-Blob", "{}"),
        ];
        let answer = api.send("/b", body, &headers).expect("an answer");
        assert_eq!(answer.status, 202, "{}", answer.text);
    };
    let (mut sent, people) = (0, 40);
    for n in 0..300u64 {
        let address = format!("10.0.0.{}", random.below(people));
        let page = format!("/page/{}", random.below(12));
        let mut beacon = view(BeaconId { load: random.bits().to_le_bytes(), seq: 0 }, SITE, &page);
        let back = random.below(7200) as u32;
        beacon.created -= back;
        beacon.visits[0].tag = 7 + (n % 3) as u16;
        let body = body(&beacon, u64::from(back) * 1000);
        send(&everywhere[random.below(everywhere.len())], &address, &body);
        send(&single.api().anonymous(), &address, &body);
        sent += 1;
    }
    // One visitor whom all have seen is one.
    for (at, api) in everywhere.iter().enumerate() {
        let body = beacon(SITE, 77 + at as u64, "/everyone");
        send(api, "10.9.9.9", &body);
        send(&single.api().anonymous(), "10.9.9.9", &body);
        sent += 1;
    }
    eventually("all arrived", 30, &sent, || events_of(&server.api(), SITE));
    eventually("all arrived in the one place", 30, &sent, || events_of(&single.api(), SITE));
    let visitors = |server: &Server| {
        let ask = json!({"site_id": SITE, "metrics": ["visitors", "pageviews"], "date_range": "all", "filters": [["is", "event:page", ["/everyone"]]]});
        server.api().query(&ask)["results"][0]["metrics"].clone()
    };
    assert_eq!(visitors(&server), json!([1, 4]));
    for dimensions in
        [json!(["time:minute"]), json!(["event:page"]), json!(["visit:entry_page"]), json!(["time:hour", "event:page"])]
    {
        // The range of minutes that are kept.
        let ask = json!({
            "site_id": SITE, "metrics": ["visitors", "visits", "pageviews", "events", "bounce_rate"], "date_range": "24h", "dimensions": dimensions,
        });
        let rows = |server: &Server| {
            let mut rows = server.api().query(&ask)["results"].as_array().cloned().unwrap_or_default();
            rows.sort_by_key(ToString::to_string);
            rows
        };
        let (many, one) = (rows(&server), rows(&single));
        // Which hash a visitor has differs, the salts being random; what is counted does not.
        assert_eq!(many, one, "by {dimensions}");
        assert!(!many.is_empty());
    }
}

#[test]
fn with_clocks_hours_off_and_the_collector_away_over_midnight_each_day_gets_its_own() {
    const SITE: &str = "night.example";
    const DAY: u64 = 86_400;
    let folders = [temporary(), temporary(), temporary()];
    let (port, worker_port) = (free_port(), free_port());
    // The edges' clocks are right. The collector's is ahead by so much that its midnight is 15 seconds away.
    // Pauses grow to 3 seconds, and the collector will be away for several times that.
    let settings = [UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "300"), ("RETRY_SECONDS", "3")];
    let worker = Workerd::start(folders[0].path(), worker_port, port, &settings);
    let mut native = edge(port);
    native.args(["--retry-seconds", "3"]);
    let native = Server::start_as(native, folders[1].path(), free_port());
    let now = || u64::from(headwater_tests::beacons::now());
    let off = (DAY - now() % DAY + DAY - 15) % DAY;
    let midnight = (now() + off) / DAY * DAY + DAY - off;
    let start = || Server::start_as(ahead(headwater(&["serve"]), off), folders[2].path(), port);
    let server = start();
    server.add_site(SITE, &[]);
    let everywhere = [worker.anyone(), native.api().anonymous()];
    let mut load = 0;
    let mut send = |page: &str| {
        for api in &everywhere {
            load += 1;
            let body = beacon(SITE, load, page);
            let headers = [
                ("Origin", "https://night.example"),
                ("User-Agent", BROWSER),
                ("CF-Connecting-IP", "10.4.4.4"),
                ("X-Forwarded-For", "10.4.4.4"),
            ];
            let sent = || api.send("/b", &body, &headers).expect("an answer").status;
            // A cold edge may have asked before the collector was there.
            eventually("an event is taken", 10, &202, sent);
        }
    };
    let days = |server: &Server| {
        let ask = json!({"site_id": SITE, "metrics": ["events", "visitors"], "date_range": "all", "dimensions": ["time:day"]});
        let rows = server.api().query(&ask)["results"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["metrics"].clone()).collect::<Vec<_>>()
    };
    send("/evening");
    eventually("the evening", 30, &vec![json!([2, 1])], || days(&server));
    server.kill();
    send("/night");
    assert!(now() < midnight, "this machine is too slow to be there before midnight");
    // An object that is asked how it is stays awake, so that its pauses grow to the longest.
    let failures = || worker.status(SITE, 0)["failures_in_a_row"].as_u64().unwrap_or_default();
    eventually("the pauses have grown", 30, &true, || failures() > 4);
    let away = Instant::now();
    sleep(Duration::from_secs((midnight.saturating_sub(now()) + 2).max(4)));
    assert!(away.elapsed() > Duration::from_secs(3), "the collector was not away for longer than a pause");
    send("/morning");
    let server = start();
    eventually("two days", 30, &vec![json!([4, 1]), json!([2, 1])], || days(&server));
}
