use std::time::Duration;

use headwater_collector::clock::instant;
use serde_json::json;

use crate::harness::{ADMIN, Answer, Server};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn view(server: &Server, domain: &str, page: &str) -> Answer {
    let event = json!({"name": "pageview", "domain": domain, "url": format!("https://{domain}{page}")});
    let ask = server.ask("POST", "/api/event").header("user-agent", BROWSER).header("origin", &format!("https://{domain}"));
    ask.header("x-forwarded-for", "192.0.2.7").header("content-type", "text/plain").json(&event).send().await
}

async fn pageviews(server: &Server) -> u64 {
    let body = json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "24h"});
    let answer = server.admin("POST", "/api/v2/query").json(&body).send().await.json();
    answer["results"][0]["metrics"][0].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_in_queries_within_a_second() {
    let server = Server::running();
    server.add("example.com").await;
    for page in ["/", "/pricing"] {
        let answer = view(&server, "example.com", page).await;
        assert_eq!(answer.status, 202, "{}", answer.json());
    }
    let began = instant();
    while pageviews(&server).await < 2 {
        assert!(began.elapsed() < Duration::from_secs(1), "within a second of its 202");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(pageviews(&server).await, 2);
    let metrics = String::from_utf8(server.ask("GET", "/metrics").send().await.body).unwrap();
    assert!(metrics.lines().any(|line| line == "headwater_ingest_accepted_total 2"), "{metrics}");
    assert!(metrics.contains("route=\"/api/event\",status=\"202\""), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_sends_in_the_name_of_others_and_a_removed_site_takes_nothing() {
    let server = Server::running();
    server.add("example.com").await;
    let event = json!({"name": "Signup", "domain": "example.com", "url": "https://example.com/", "ip": "192.0.2.9", "user_agent": BROWSER});
    let send = |token: &'static str| server.ask("POST", "/api/event").token(token).json(&event).send();
    assert_eq!(send(ADMIN).await.status, 202);
    assert_eq!(send("hw_wrong").await.status, 401);
    assert_eq!(server.admin("DELETE", "/api/v1/sites/example.com").send().await.status, 204);
    for answer in [send(ADMIN).await, view(&server, "example.com", "/").await] {
        assert_eq!((answer.status.as_u16(), &answer.json()["rejected"][0]["status"]), (400, &json!(404)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_come_from_the_file_and_hints_from_the_browser() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/geo/GeoLite2-City-Test.mmdb");
    let server = Server::running_with(|options| options.geo_db = Some(file.into()));
    server.add("example.com").await;
    let event = json!({"name": "pageview", "domain": "example.com", "url": "https://example.com/?gclid=secret"});
    let ask =
        server.ask("POST", "/api/event").token(ADMIN).header("user-agent", BROWSER).header("x-forwarded-for", "89.160.20.128");
    let ask = ask.header("sec-ch-ua", r#""Brave";v="126""#).header("sec-ch-ua-platform", r#""Windows""#);
    assert_eq!(ask.header("sec-ch-ua-platform-version", r#""15.0.0""#).json(&event).send().await.status, 202);
    let mut event = event;
    (event["ip"], event["user_agent"]) = (json!("81.2.69.160"), json!(BROWSER));
    assert_eq!(server.ask("POST", "/api/event").token(ADMIN).json(&event).send().await.status, 202);
    let dimensions = ["visit:region", "visit:city", "visit:browser", "visit:os_version", "visit:channel"];
    let body = json!({"site_id": "example.com", "metrics": ["visits"], "date_range": "24h", "dimensions": dimensions});
    let began = instant();
    loop {
        let rows = server.admin("POST", "/api/v2/query").json(&body).send().await.json()["results"].clone();
        if rows.as_array().is_some_and(|rows| rows.len() == 2) {
            assert_eq!(rows[0]["dimensions"], json!(["GB-ENG", "London", "Firefox", "(not set)", "Paid Search"]));
            assert_eq!(rows[1]["dimensions"], json!(["SE-E", "Linköping", "Brave", "11", "Paid Search"]));
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{rows}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bots_send_is_counted_by_site_and_day_and_in_no_total() {
    let server = Server::start();
    server.add("example.com").await;
    server.add("other.example").await;
    let robot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let event = |domain: &str| json!({"name": "pageview", "domain": domain, "url": format!("https://{domain}/")});
    let send = async |agent: &str, body: serde_json::Value| {
        let ask = server.ask("POST", "/api/event").header("user-agent", agent).header("x-forwarded-for", "192.0.2.7");
        ask.header("content-type", "text/plain").json(&body).send().await
    };
    let bots = async |domain: &str| {
        server.app.store_bots().unwrap();
        server.admin("GET", &format!("/api/v1/sites/{domain}")).send().await.json()["bots"].clone()
    };
    assert_eq!(send(robot, event("example.com")).await.header("x-headwater-dropped"), "bot");
    assert_eq!(send(robot, json!([event("example.com"), event("other.example"), event("nowhere.example")])).await.status, 202);
    assert_eq!(send(BROWSER, event("example.com")).await.status, 202);
    // What is refused is nobody's.
    assert_eq!(send(robot, event("nowhere.example")).await.status, 400);
    assert_eq!(bots("example.com").await, json!([{"date": "2026-11-22", "count": 2}]));
    assert_eq!(bots("other.example").await, json!([{"date": "2026-11-22", "count": 1}]));
    server.pass(86_400_000);
    send(robot, event("example.com")).await;
    send(robot, event("example.com")).await;
    bots("example.com").await;
    send(robot, event("example.com")).await;
    assert_eq!(bots("example.com").await, json!([{"date": "2026-11-23", "count": 3}, {"date": "2026-11-22", "count": 2}]));
    let body = json!({"site_id": "other.example", "metrics": ["events", "visitors"], "date_range": "all"});
    let answer = server.admin("POST", "/api/v2/query").json(&body).send().await.json();
    assert_eq!(answer["results"][0]["metrics"], json!([0, 0]));
    assert_eq!(server.admin("DELETE", "/api/v1/sites/example.com").send().await.status, 204);
    server.app.store_bots().unwrap();
}
