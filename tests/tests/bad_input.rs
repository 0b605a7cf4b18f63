//! Whatever comes in, each gets the contract's status and a message that says what to do. The server goes on, and what
//! was counted before is still there after.
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_core::beacon::{Beacon, Delta, Str};
use headwater_tests::api::{Answer, Api, BROWSER};
use headwater_tests::beacons::{self, body, view};
use headwater_tests::random::Random;
use headwater_tests::server::Server;
use serde_json::{Value, json};

const SITE: &str = "example.com";

/// A server with one site.
fn server() -> Server {
    let server = Server::start();
    server.add_site(SITE, &[]);
    server
}

/// Waits until as many events are counted; they may take a second.
fn wait_for_events(server: &Server, wanted: u64) {
    let start = Instant::now();
    loop {
        let counted = server.api().totals(SITE, &["events"]);
        if counted.first() == Some(&json!(wanted)) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{counted:?} events instead of {wanted}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Fails unless the answer is the status with a problem document in which every one of `words` stands.
fn refused(what: &str, answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert!(answer.header("content-type").starts_with("application/problem+json"), "{what}: {:?}", answer.headers);
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{what}: {problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what} says too little: {problem}");
    for word in words {
        assert!(answer.text.contains(word), "{what} does not name {word}: {problem}");
    }
}

/// Fails unless every event was rejected, the first for the reason that `status` stands for.
fn rejected(what: &str, answer: &Answer, status: u16, words: &[&str]) {
    refused(what, answer, 400, words);
    assert_eq!(answer.json()["rejected"][0]["status"], status, "{what}: {}", answer.text);
}

/// After the bad, one good event and one good beacon are counted, and nothing else was; nobody panicked.
fn still_well(server: &Server, counted_before: u64) {
    let api = Api::new(server.port, None);
    let event = json!({"name": "pageview", "domain": SITE, "url": "https://example.com/good"});
    assert_eq!(api.event("10.0.0.1", &event).expect("an answer").status, 202);
    let id = BeaconId { load: *b"goodgood", seq: 0 };
    assert_eq!(api.beacon("10.0.0.2", SITE, &body(&view(id, SITE, "/good"), 5)).expect("an answer").status, 202);
    wait_for_events(server, counted_before + 2);
    assert_eq!(api.get("/healthz").expect("an answer").status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn id(n: u8) -> BeaconId {
    BeaconId { load: [n; 8], seq: 0 }
}

#[test]
fn bad_beacons() {
    let server = server();
    let api = Api::new(server.port, None);
    let send = |bytes: &[u8]| api.beacon("10.1.1.1", SITE, bytes).expect("an answer");
    let limited = server.log().len();
    let good = body(&view(id(1), SITE, "/"), 0);

    refused("nothing", &send(&[]), 400, &[]);
    refused("another version", &send(&[&[9], &good[1..]].concat()), 400, &["version 9"]);
    refused("more than there should be", &send(&[&good[..], &[0]].concat()), 400, &[]);
    refused("64 KiB and one byte", &send(&[1; 64 * 1024 + 1]), 413, &["65536"]);
    refused("a length that claims too much", &send(&[&good[..2], &[0xff; 9], &[1]].concat()), 400, &[]);
    refused("half a list of signals", &send(b"[{"), 400, &[]);
    for end in 0..good.len() {
        // From many addresses, for one visitor may send 120 a minute.
        let answer = api.beacon(&format!("10.2.{end}.1"), SITE, &good[..end]).expect("an answer");
        refused(&format!("a beacon cut after {end} bytes"), &answer, 400, &[]);
    }

    refused("an unknown site", &send(&body(&view(id(2), "other.example", "/"), 0)), 404, &["site"]);
    let elsewhere = api.beacon("10.1.1.1", "evil.example", &good).expect("an answer");
    refused("a page of somebody else", &elsewhere, 403, &["hosts"]);
    let nowhere = api.send("/b", &good, &[("User-Agent", BROWSER)]).expect("an answer");
    refused("no page at all", &nowhere, 403, &["Origin"]);
    let old = Beacon { created: beacons::now() - 73 * 3600, ..view(id(3), SITE, "/") };
    refused("73 hours old", &send(&body(&old, 73 * 3_600_000)), 410, &["72"]);

    let delta = |change: fn(&mut Delta)| {
        let mut beacon = view(id(4), SITE, "/");
        change(&mut beacon.visits[0].minutes[0].deltas[0]);
        send(&body(&beacon, 0))
    };
    refused("1,001 events", &delta(|d| d.count = 1001), 400, &["count"]);
    refused("a string that is not there", &delta(|d| d.page = Str(900)), 400, &["strings"]);
    refused("a value beyond 10^12", &delta(|d| d.values = vec![i64::MAX]), 400, &["values"]);
    refused("more values than events", &delta(|d| d.values = vec![1, 2]), 400, &["values"]);
    refused("31 props", &delta(|d| d.props = vec![(Str(1), Str(1)); 31]), 400, &["props"]);
    let long = "x".repeat(1025);
    refused("a string of 1,025 bytes", &send(&body(&view(id(5), SITE, &long), 0)), 400, &["strings"]);
    let mut minutes = view(id(6), SITE, "/");
    let one = minutes.visits[0].minutes[0].clone();
    minutes.visits[0].minutes = vec![one; 65];
    refused("65 minutes", &send(&body(&minutes, 0)), 400, &["minutes"]);

    let mut random = Random::from_env();
    for n in 0..500 {
        let length = random.below(200);
        let mut bytes: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
        bytes.splice(0..0, [1]);
        let answer = api.beacon(&random.address(), SITE, &bytes).expect("an answer");
        assert!(matches!(answer.status, 400 | 404), "garbage {n}: {} {}", answer.status, answer.text);
    }
    assert!(limited <= server.log().len());
    still_well(&server, 0);
}

#[test]
fn bad_events() {
    let server = server();
    let api = Api::new(server.port, None);
    let raw = |bytes: &[u8]| {
        let headers = [("Content-Type", "text/plain"), ("User-Agent", BROWSER), ("X-Forwarded-For", "10.3.0.1")];
        api.send("/api/event", bytes, &headers).expect("an answer")
    };
    let good = json!({"name": "pageview", "domain": SITE, "url": "https://example.com/"});
    let with = |key: &str, value: Value| {
        let mut event = good.clone();
        event[key] = value;
        raw(event.to_string().as_bytes())
    };
    let without = |key: &str| {
        let mut event = good.clone();
        event.as_object_mut().expect("an object").remove(key);
        raw(event.to_string().as_bytes())
    };

    refused("nothing", &raw(b""), 400, &[]);
    refused("no JSON", &raw(b"name=pageview"), 400, &["JSON"]);
    refused("half of it", &raw(br#"{"name": "page"#), 400, &["JSON"]);
    refused("no UTF-8", &raw(b"{\"name\": \"\xff\xfe\"}"), 400, &[]);
    refused("a number", &raw(b"42"), 400, &[]);
    refused("an empty array", &raw(b"[]"), 400, &[]);
    refused("a very deep array", &raw("[".repeat(100_000).as_bytes()), 400, &[]);
    refused("more than 4 MiB", &raw(&vec![b' '; 4 * 1024 * 1024 + 1]), 413, &["4194304"]);
    refused("1,001 items", &raw(Value::from(vec![good.clone(); 1001]).to_string().as_bytes()), 400, &["1000"]);
    refused("no name", &without("name"), 400, &["name"]);
    refused("no domain", &without("domain"), 400, &["domain"]);
    refused("no address of a page", &without("url"), 400, &["url"]);
    refused("an address that is none", &with("url", json!("not a url")), 400, &["url"]);
    refused("a name that is a number", &with("name", json!(7)), 400, &["name"]);
    refused("a name of 1,025 bytes", &with("name", json!("n".repeat(1025))), 400, &["name"]);
    refused("props that are a list", &with("props", json!([1])), 400, &["props"]);
    rejected("an unknown site", &with("domain", json!("other.example")), 404, &["domain"]);
    let origin = [("Origin", "https://evil.example"), ("User-Agent", BROWSER)];
    let elsewhere = api.send("/api/event", good.to_string().as_bytes(), &origin).expect("an answer");
    rejected("a page of somebody else", &elsewhere, 403, &["Origin"]);
    rejected("an address in the body, and no token", &with("ip", json!("10.9.9.9")), 403, &["ip", "token"]);

    let trusted = server.api();
    let old = json!({"name": "pageview", "domain": SITE, "url": "https://example.com/", "ip": "10.4.0.1", "user_agent": BROWSER, "timestamp": "2020-01-01T00:00:00Z"});
    rejected("years ago", &trusted.post("/api/event", &old).expect("an answer"), 410, &["timestamp"]);
    let wrong = Api::new(server.port, Some("not-a-token-of-this-server-at-all")).post("/api/event", &good).expect("an answer");
    refused("a wrong token", &wrong, 401, &["token"]);

    let mixed = raw(json!([good, {"name": "pageview"}, {"name": "x", "domain": "other.example", "url": "https://a/"}])
        .to_string()
        .as_bytes());
    assert_eq!(mixed.status, 202, "{}", mixed.text);
    let answer = mixed.json();
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert_eq!((&answer["rejected"][0]["index"], &answer["rejected"][0]["status"]), (&json!(1), &json!(400)), "{answer}");
    assert_eq!((&answer["rejected"][1]["index"], &answer["rejected"][1]["status"]), (&json!(2), &json!(404)), "{answer}");
    let rejected = raw(json!([{"name": "pageview"}, 7]).to_string().as_bytes());
    assert_eq!(rejected.status, 400, "all rejected: {}", rejected.text);

    still_well(&server, 1);
}

/// A moment in the past, in ISO 8601.
fn hours_ago(hours: u32) -> String {
    jiff::Timestamp::from_second(i64::from(beacons::now() - hours * 3600)).expect("a time in range").to_string()
}

#[test]
fn bad_queries() {
    let server = server();
    let api = server.api();
    let ask = |change: Value| {
        let mut query = json!({"site_id": SITE, "metrics": ["visitors"], "date_range": "7d"});
        for (key, value) in change.as_object().expect("an object") {
            query[key] = value.clone();
        }
        api.post("/api/v2/query", &query).expect("an answer")
    };
    let names = |what: &str, change: Value, field: &str| {
        let answer = ask(change);
        refused(what, &answer, 400, &[]);
        let at = answer.json()["field"].as_str().unwrap_or_default().to_owned();
        assert!(at.starts_with(field), "{what} names {at:?} instead of {field}: {}", answer.text);
    };

    assert_eq!(ask(json!({})).status, 200);
    names("an unknown metric", json!({"metrics": ["visitors", "clicks"]}), "metrics");
    names("no metric", json!({"metrics": []}), "metrics");
    names("metrics in a string", json!({"metrics": "visitors"}), "metrics");
    names("an unknown range", json!({"date_range": "fortnight"}), "date_range");
    names("a range backwards", json!({"date_range": ["2026-02-02", "2026-02-01"]}), "date_range");
    names("a day that is none", json!({"date_range": ["2026-02-30", "2026-03-01"]}), "date_range");
    names("an unknown dimension", json!({"dimensions": ["visit:mood"]}), "dimensions");
    names("an unknown filter", json!({"filters": [["resembles", "event:page", ["/"]]]}), "filters");
    names("a filter on nothing", json!({"filters": [["is", "visit:mood", ["/"]]]}), "filters");
    names("an order by what was not asked for", json!({"order_by": [["events", "desc"]]}), "order_by");
    names("a negative limit", json!({"pagination": {"limit": -1}}), "pagination");
    names("a key that is not known", json!({"metric": []}), "metric");
    names("no range", json!({"date_range": null}), "date_range");

    let unparsed = api.send("/api/v2/query", b"{", &[("Content-Type", "application/json")]).expect("an answer");
    refused("half a query", &unparsed, 400, &["JSON"]);
    refused("an unknown site", &ask(json!({"site_id": "other.example"})), 404, &["site_id"]);
    // Three days ago is in the day's bucket; its minutes are not kept.
    let past = json!({"name": "pageview", "domain": SITE, "url": "https://example.com/", "user_agent": BROWSER, "timestamp": hours_ago(71)});
    assert_eq!(api.post("/api/event", &past).expect("an answer").status, 202);
    wait_for_events(&server, 1);
    refused("minutes of last week", &ask(json!({"date_range": "7d", "dimensions": ["time:minute"]})), 422, &["minute"]);
    let query = json!({"site_id": SITE, "metrics": ["visitors"], "date_range": "7d"});
    let nobody = Api::new(server.port, None).post("/api/v2/query", &query).expect("an answer");
    refused("nobody asks", &nobody, 401, &[]);
    let wrong =
        Api::new(server.port, Some("not-a-token-of-this-server-at-all")).post("/api/v2/query", &query).expect("an answer");
    refused("a wrong token", &wrong, 401, &[]);
    still_well(&server, 1);
}

#[test]
fn bad_requests_to_the_rest() {
    let server = server();
    let api = server.api();
    let add = |site: Value| api.post("/api/v1/sites", &site).expect("an answer");
    refused("no domain", &add(json!({})), 400, &["domain"]);
    refused("a domain that is none", &add(json!({"domain": "no domain"})), 400, &["domain"]);
    refused("a zone that is none", &add(json!({"domain": "a.example", "timezone": "Mars/Olympus"})), 400, &["timezone"]);
    refused("an identity that is none", &add(json!({"domain": "a.example", "identity": "week"})), 400, &["identity"]);
    refused("a key that is not known", &add(json!({"domain": "a.example", "colour": "red"})), 400, &["colour"]);
    refused("the same again", &add(json!({"domain": SITE})), 409, &["domain"]);
    refused("a site that is not there", &api.get("/api/v1/sites/other.example").expect("an answer"), 404, &["other.example"]);
    let anonymous = Api::new(server.port, None);
    refused(
        "nobody adds a site",
        &anonymous.post("/api/v1/sites", &json!({"domain": "a.example"})).expect("an answer"),
        401,
        &[],
    );
    refused("nobody lists", &anonymous.get("/api/v1/sites").expect("an answer"), 401, &[]);
    let session =
        anonymous.post("/api/v1/session", &json!({"token": "guessed-guessed-guessed-guessed-guessed"})).expect("an answer");
    refused("a guessed sign-in", &session, 401, &[]);
    refused("a batch of nobody", &anonymous.send("/v1/partials", b"x", &[]).expect("an answer"), 401, &[]);
    refused("a batch that is none", &api.send("/v1/partials", b"x", &[]).expect("an answer"), 400, &[]);
    refused("nothing there", &api.get("/api/v1/nothing").expect("an answer"), 404, &[]);
    refused("the wrong method", &api.get("/api/v2/query").expect("an answer"), 405, &[]);
    still_well(&server, 0);
}
