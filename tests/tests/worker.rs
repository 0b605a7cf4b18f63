//! The edge on Workers, as it is deployed: the built Worker in workerd, a real server, a real browser.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::{Answer, Api, BROWSER};
use headwater_tests::beacons::{body, view};
use headwater_tests::browser::Browser;
use headwater_tests::proxy::Proxy;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, ahead, edge, free_port, headwater};
use headwater_tests::site::Site;
use headwater_tests::workerd::Workerd;
use serde_json::{Value, json};

/// No limits: what is tested here is not they.
const UNLIMITED: [(&str, &str); 2] = [("RATE_LIMIT_VISITOR", "0"), ("RATE_LIMIT_SITE", "0")];

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Asks until the answer is the wanted one.
fn eventually<T: PartialEq + std::fmt::Debug>(what: &str, seconds: u64, wanted: &T, mut ask: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    loop {
        let found = ask();
        if found == *wanted {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(seconds), "{what}: {found:?} instead of {wanted:?}");
        sleep(Duration::from_millis(50));
    }
}

/// Posts a beacon as the browser of somebody at an address does, through Cloudflare.
fn post(api: &Api, site: &str, address: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
    let origin = format!("https://{site}");
    api.send("/b", body, &[("Origin", &origin), ("User-Agent", BROWSER), ("CF-Connecting-IP", address)])
}

fn beacon(site: &str, load: u64, page: &str) -> Vec<u8> {
    body(&view(BeaconId { load: load.to_le_bytes(), seq: 0 }, site, page), 0)
}

fn events_of(api: &Api, site: &str) -> u64 {
    api.totals(site, &["events"])[0].as_u64().unwrap_or_default()
}

#[test]
fn a_click_reaches_the_numbers_through_the_worker() {
    const SITE: &str = "shop.localhost";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let folder = temporary();
    let worker = Workerd::start(folder.path(), free_port(), server.port, &[]);
    let script = format!("http://127.0.0.1:{}/t.js", worker.port);
    let page = format!(
        "<!doctype html><title>Home</title><script defer data-site={SITE} data-local=250 data-automated src={script}>\
         </script><button data-headwater-event=Signup>Sign up</button>"
    );
    let shop = Site::serve(&[("/", page)]);
    let api = server.api();
    let browser = Browser::start();
    browser.visit(&format!("http://{SITE}:{}/", shop.port));
    eventually("a view", 20, &json!([1, 1]), || api.totals(SITE, &["visitors", "pageviews"]).into());
    browser.click("button");
    let took = eventually("a click", 20, &json!([1, 1, 2]), || api.totals(SITE, &["visitors", "pageviews", "events"]).into());
    println!("from the click to the number: {took:.1?}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    // The platform says where that was.
    let by = |dimension: &str| {
        let ask = json!({"site_id": SITE, "metrics": ["visits"], "date_range": "all", "dimensions": [dimension]});
        api.query(&ask)["results"][0]["dimensions"][0].clone()
    };
    assert_eq!([by("visit:country"), by("visit:region"), by("visit:city")], [json!("US"), json!("US-TX"), json!("Austin")]);

    // The rest of the contract, as the server keeps it.
    let anyone = worker.anyone();
    let script = "text/javascript; charset=utf-8";
    for (path, kind) in [("/t.js", script), ("/t.auto.js", script), ("/t.wasm", "application/wasm")] {
        let at_server = if path == "/t.auto.js" { "/t.js?auto" } else { path };
        let (ours, theirs) = (anyone.get(path).expect("an answer"), server.api().anonymous().get(at_server).expect("an answer"));
        assert_eq!((ours.status, ours.header("content-type")), (200, kind));
        for header in ["content-type", "cache-control", "access-control-allow-origin", "cross-origin-resource-policy"] {
            assert_eq!(ours.header(header), theirs.header(header), "{header} of {path}");
        }
        assert!(!ours.header("etag").is_empty());
    }
    let event = |domain: &str, name: &str| json!({"name": name, "url": format!("https://{domain}/"), "domain": domain});
    let send = |path: &str, body: &[u8], headers: &[(&str, &str)]| {
        let browser = [("User-Agent", BROWSER), ("CF-Connecting-IP", "10.0.0.9")];
        let unless_given = browser.into_iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
        let given: Vec<(&str, &str)> = unless_given.chain(headers.iter().copied()).collect();
        anyone.send(path, body, &given).expect("an answer")
    };
    let origin = [("Origin", "http://shop.localhost")];
    let statuses = [
        send("/b", &beacon("nowhere.example", 1, "/"), &origin).status,
        send("/b", &beacon(SITE, 2, "/"), &[("Origin", "https://evil.example")]).status,
        send("/b", b"\x01\x00nonsense", &origin).status,
        send("/b", &vec![1; 70_000], &origin).status,
        send("/api/event", b"{", &origin).status,
        send("/api/event", event(SITE, "x").to_string().as_bytes(), &[("Authorization", "Bearer nobody")]).status,
        send("/api/event", event(SITE, "Googled").to_string().as_bytes(), &[("User-Agent", "Googlebot/2.1")]).status,
    ];
    assert_eq!(statuses, [404, 403, 400, 413, 400, 401, 202]);
    let foreign = send("/b", &beacon(SITE, 3, "/"), &[("Origin", "https://evil.example")]);
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    let good = send("/b", &beacon(SITE, 4, "/"), &origin);
    assert_eq!((good.status, good.header("access-control-allow-origin")), (202, "http://shop.localhost"), "{}", good.text);
    // An array for two sites, one of which is none.
    let array = json!([event(SITE, "One"), event("nowhere.example", "Two"), {"name": "Three"}, event(SITE, "Four")]);
    let answer = send("/api/event", array.to_string().as_bytes(), &origin).json();
    assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(2), &json!(0)), "{answer}");
    let rejected: Vec<_> =
        answer["rejected"].as_array().into_iter().flatten().map(|item| (&item["index"], &item["status"])).collect();
    assert_eq!(rejected, [(&json!(1), &json!(404)), (&json!(2), &json!(400))], "{answer}");
    eventually("five events", 20, &5, || events_of(&api, SITE));
}

/// 100 beacons a second, each of a page load of its own but for every second, which comes again with its next number.
fn steadily(worker: &Workerd, site: &str, seconds: u64) -> Vec<(String, Vec<u8>)> {
    const SENDERS: u64 = 20;
    let start = Instant::now() + Duration::from_millis(200);
    let one = |sender: u64| {
        let api = worker.anyone();
        let mut sent = Vec::new();
        for n in 0..seconds * 100 / SENDERS {
            let due = start + Duration::from_millis(n * 10 * SENDERS + sender * 10);
            sleep(due.saturating_duration_since(Instant::now()));
            let load = 1_000_000 * (sender + 1) + n / 2;
            let mut beacon = view(BeaconId { load: load.to_le_bytes(), seq: (n % 2) as u32 }, site, "/steady");
            beacon.created -= (n / 2 % 600) as u32;
            let address = format!("10.{sender}.0.{}", n / 2 % 250);
            let bytes = body(&beacon, 1000 * (n / 2 % 600));
            let answer = post(&api, site, &address, &bytes).expect("an answer");
            assert_eq!(answer.status, 202, "{}", answer.text);
            sent.push((address, bytes));
        }
        sent
    };
    scope(|threads| {
        let senders: Vec<_> = (0..SENDERS).map(|sender| threads.spawn(move || one(sender))).collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender")).collect()
    })
}

#[test]
fn at_100_beacons_a_second_half_a_row_is_written_for_each_and_what_came_is_known_after_sleep_and_death() {
    const SITE: &str = "rows.example";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, port) = (temporary(), free_port());
    let worker = Workerd::start(folder.path(), port, server.port, &UNLIMITED);
    let sent = steadily(&worker, SITE, 10);
    let count = sent.len() as u64;
    eventually("all are counted", 30, &count, || events_of(&server.api(), SITE));
    let status = worker.status(SITE, 0);
    let rows = status["rows_written"].as_f64().unwrap_or(f64::NAN) / count as f64;
    println!("{count} beacons in {} rows, {rows:.2} rows written for each: {status}", status["groups"]);
    assert_eq!(status["accepted"], json!(count));
    assert!(rows <= 0.5, "{rows} rows written for each beacon");

    // Everything again: to the same object, to the one that woke after it was evicted, to the one that woke after a kill.
    let again = |worker: &Workerd| {
        let api = worker.anyone();
        for (address, bytes) in sent.iter().step_by(7) {
            assert_eq!(post(&api, SITE, address, bytes).expect("an answer").status, 202);
        }
        let status = worker.status(SITE, 0);
        assert_eq!((&status["accepted"], &status["duplicates"]), (&json!(0), &json!(sent.len().div_ceil(7))), "{status}");
        status["born"].clone()
    };
    sleep(Duration::from_secs(13)); // workerd evicts an object that nobody has asked for ten seconds
    let woken = again(&worker);
    assert_ne!(woken, status["born"], "the object was not evicted");
    worker.kill();
    let worker = Workerd::start(folder.path(), port, server.port, &UNLIMITED);
    again(&worker);
    sleep(Duration::from_secs(5));
    assert_eq!(events_of(&server.api(), SITE), count);
    println!("workerd held at most {} MB", worker.peak_memory() >> 20);

    // What an object stores shows no salt: the server's are in none of its files.
    let facts = server.api().get(&format!("/v1/edge/sites/{SITE}")).expect("an answer").json();
    let salts: Vec<Vec<u8>> = facts["salts"].as_array().into_iter().flatten().map(|window| bytes_of(&window["salt"])).collect();
    assert!(salts.len() >= 3 && salts.iter().all(|salt| salt.len() == 32));
    let stored = files(&folder.path().join("objects"));
    assert!(stored.iter().any(|bytes| holds(bytes, b"/steady") || holds(bytes, SITE.as_bytes())), "the search looks elsewhere");
    for secret in salts.iter().map(Vec::as_slice).chain([&b"10.3.0.7"[..], b"AppleWebKit"]) {
        assert!(!stored.iter().any(|bytes| holds(bytes, secret)), "{secret:?} is in an object's storage");
    }
}

fn bytes_of(array: &Value) -> Vec<u8> {
    array.as_array().into_iter().flatten().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.extend(std::fs::read(entry.path()));
        }
    }
    all
}

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

/// One client: sends unique measurements, each until it is answered, and now and then once more.
fn client(api: &Api, site: &str, events: bool, mut random: Random, stop: &AtomicBool) -> (usize, usize, usize) {
    let (mut sent, mut answers, mut lost) = (0, 0, 0);
    while !stop.load(Relaxed) && sent < 15_000 {
        let (address, page) = (format!("10.{}.{}.{}", sent >> 16, sent >> 8 & 255, sent & 255), format!("/page/{sent}"));
        let bytes = if events {
            json!({"name": "pageview", "domain": site, "url": format!("https://{site}{page}"), "id": sent.to_string()})
                .to_string()
                .into_bytes()
        } else {
            beacon(site, random.bits(), &page)
        };
        sent += 1;
        let again = usize::from(random.below(20) == 0);
        let mut left = 1 + again;
        let start = Instant::now();
        while left > 0 {
            assert!(start.elapsed() < Duration::from_secs(60), "{page} of {site} is not taken");
            let origin = format!("https://{site}");
            let headers = [("Origin", origin.as_str()), ("User-Agent", BROWSER), ("CF-Connecting-IP", &address)];
            match api.send(if events { "/api/event" } else { "/b" }, &bytes, &headers) {
                Ok(answer) if answer.status == 202 => {
                    left -= 1;
                    answers += 1;
                }
                Ok(answer) => {
                    assert!(matches!(answer.status, 500 | 503), "{}: {}", answer.status, answer.text);
                    sleep(Duration::from_millis(20));
                }
                Err(_) => {
                    lost += 1;
                    sleep(Duration::from_millis(20));
                }
            }
        }
    }
    (sent, answers, lost)
}

#[test]
fn whatever_is_killed_cut_or_moved_each_counts_once() {
    let mut random = Random::from_env();
    let (data, folder) = (temporary(), temporary());
    let (server_port, worker_port) = (free_port(), free_port());
    let mut server = Server::start_on(data.path(), server_port);
    let sites: Vec<(String, bool)> = (0..4).map(|n| (format!("fault{n}.example"), n % 2 == 1)).collect();
    sites.iter().for_each(|(site, _)| server.add_site(site, &[]));
    // The collector is reached by one link, the Worker by another; both lose answers.
    let upward = Proxy::to(server_port, Random::new(random.bits()));
    let inward = Proxy::to(worker_port, Random::new(random.bits()));
    let settings = [UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "500")];
    let mut worker = Workerd::start(folder.path(), worker_port, upward.port, &settings);
    let shards = |server: &Server, count: u16| {
        for (site, _) in &sites {
            let answer = server.api().patch(&format!("/api/v1/sites/{site}"), &json!({"shards": count})).expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    let stop = AtomicBool::new(false);
    let (results, server, worker) = scope(|threads| {
        let clients: Vec<_> = sites
            .iter()
            .map(|(site, events)| {
                let (random, inward, stop) = (Random::new(random.bits()), inward.port, &stop);
                threads.spawn(move || client(&Api::new(inward, None), site, *events, random, stop))
            })
            .collect();
        upward.lose(100);
        inward.lose(30);
        sleep(Duration::from_secs(3));
        shards(&server, 4);
        sleep(Duration::from_secs(2));
        for round in 0..3 {
            worker.kill();
            worker = Workerd::start(folder.path(), worker_port, upward.port, &settings);
            sleep(Duration::from_millis(1000 + random.below(1500) as u64));
            server.kill();
            sleep(Duration::from_millis(500 + random.below(1500) as u64));
            server = Server::start_on(data.path(), server_port);
            sleep(Duration::from_millis(500 + random.below(1000) as u64));
            shards(&server, [2, 7, 3][round]);
        }
        sleep(Duration::from_secs(3));
        upward.lose(0);
        inward.lose(0);
        stop.store(true, Relaxed);
        let results: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
        (results, server, worker)
    });
    println!("sent, answered and not answered: {results:?}");
    let objects: Vec<_> = (0..7).map(|index| worker.status(&sites[0].0, index)["virtual_shards"].clone()).collect();
    println!("virtual shards of the first site's objects: {objects:?}");
    assert!(objects.iter().filter(|owned| **owned != json!(0)).count() > 2, "nothing moved");
    for ((site, _), (sent, answers, lost)) in sites.iter().zip(results) {
        assert!(sent > 20 && answers >= sent && lost > 0, "too little load to show anything: {sent}");
        let wanted: BTreeMap<String, u64> = (0..sent).map(|n| (format!("/page/{n}"), 1)).collect();
        let start = Instant::now();
        loop {
            let counted: BTreeMap<String, u64> = server.api().events_by(site, "event:page").into_iter().collect();
            if counted == wanted {
                break;
            }
            let twice = counted.iter().find(|(_, events)| **events != 1);
            assert_eq!(twice, None, "counted more than once on {site}");
            let missing = wanted.keys().find(|page| !counted.contains_key(*page));
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{site}: {missing:?} is lost, {} of {sent} counted",
                counted.len()
            );
            sleep(Duration::from_millis(200));
        }
        let totals = server.api().totals(site, &["events", "visitors", "visits"]);
        assert!(totals.iter().all(|total| *total == sent), "{site}: {sent} sent, {totals:?} counted");
    }
}

#[test]
fn an_object_put_back_to_an_earlier_state_counts_nothing_twice() {
    const SITE: &str = "back.example";
    let mut random = Random::from_env();
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, kept, port) = (temporary(), temporary(), free_port());
    let upward = Proxy::to(server.port, Random::new(random.bits()));
    let settings = [UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "300")];
    let start = || Workerd::start(folder.path(), port, upward.port, &settings);
    let views: Vec<Vec<u8>> = (0..35).map(|n| beacon(SITE, 1000 + n, &format!("/{n}"))).collect();
    let send = |which: std::ops::Range<usize>| {
        for n in which {
            let answer = post(&Api::new(port, None), SITE, &format!("10.3.0.{n}"), &views[n]).expect("an answer");
            assert_eq!(answer.status, 202, "{}", answer.text);
        }
    };
    let counted = |wanted: u64| eventually("all are counted", 30, &wanted, || events_of(&server.api(), SITE));

    // What is put back holds ten that were delivered, and as the link is down ten that wait.
    let worker = start();
    send(0..10);
    counted(10);
    upward.set_down(true);
    send(10..20);
    worker.kill();
    copy(&folder.path().join("objects"), &kept.path().join("objects"));
    upward.set_down(false);
    let worker = start();
    send(20..30);
    counted(30);
    worker.kill();
    std::fs::remove_dir_all(folder.path().join("objects")).expect("it goes");
    copy(&kept.path().join("objects"), &folder.path().join("objects"));
    let _worker = start();
    send(0..20);
    send(30..35);
    counted(35);
    sleep(Duration::from_secs(2));
    let rows = server.api().events_by(SITE, "event:page");
    assert!(rows.len() == 35 && rows.iter().all(|(_, events)| *events == 1), "{rows:?}");
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn with_clocks_hours_off_and_the_collector_away_over_midnight_each_day_gets_its_own() {
    const SITE: &str = "night.example";
    const DAY: u64 = 86_400;
    let folders = [temporary(), temporary(), temporary()];
    let (port, worker_port) = (free_port(), free_port());
    // The edges' clocks are right. The collector's is ahead by so much that its midnight is 15 seconds away.
    let worker = Workerd::start(folders[0].path(), worker_port, port, &[UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "300")]);
    let native = Server::start_as(edge(port), folders[1].path(), free_port());
    let now = || u64::from(headwater_tests::beacons::now());
    let off = (DAY - now() % DAY + DAY - 15) % DAY;
    let midnight = (now() + off) / DAY * DAY + DAY - off;
    let start = || Server::start_as(ahead(&headwater(&["serve"]), off), folders[2].path(), port);
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
    assert!(now() < midnight, "this machine is too slow to be there before midnight");
    server.kill();
    sleep(Duration::from_secs(midnight.saturating_sub(now()) + 2));
    send("/morning");
    let server = start();
    eventually("two days", 30, &vec![json!([2, 1]), json!([2, 1])], || days(&server));
}

#[test]
fn wrangler_runs_what_is_deployed() {
    const SITE: &str = "dev.example";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, port) = (temporary(), free_port());
    let dev = headwater_tests::workerd::Dev::start(folder.path(), port, server.port);
    let api = Api::new(port, None);
    for path in ["/t.js", "/t.auto.js", "/t.wasm"] {
        let at_server = if path == "/t.auto.js" { "/t.js?auto" } else { path };
        let (ours, theirs) = (api.get(path).expect("an answer"), server.api().anonymous().get(at_server).expect("an answer"));
        assert_eq!(ours.status, 200);
        for header in ["content-type", "cache-control", "access-control-allow-origin", "cross-origin-resource-policy"] {
            assert_eq!(ours.header(header), theirs.header(header), "{header} of {path}");
        }
    }
    let answer = post(&api, SITE, "10.0.0.1", &beacon(SITE, 1, "/")).expect("an answer");
    assert_eq!(answer.status, 202, "{}\n{}", answer.text, dev.log());
    eventually("a view", 20, &1, || events_of(&server.api(), SITE));
}
