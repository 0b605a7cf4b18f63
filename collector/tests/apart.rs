//! An edge apart from its collector, both in this process and with clocks that the test sets: what is counted in which minute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use headwater_collector::clock::{Clock, instant};
use headwater_collector::secret::Secret;
use headwater_collector::{App, CollectorAddress, EdgeServer, Options};
use headwater_core::Millis;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const ADMIN: &str = "the-administrator's-token-of-the-tests";
/// 2026-11-22T22:00:00Z: two hours before a midnight.
const NOW: Millis = Millis(1_795_384_800_000);
const HOUR: u64 = 3_600_000;
const SITE: &str = "example.com";

/// The one true clock. It runs, and the test can put it forward.
#[derive(Clone)]
struct Time(Arc<AtomicU64>, Instant);

impl Time {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW.0)), instant())
    }

    fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// A clock that is wrong by so many milliseconds.
    fn clock(&self, wrong: i64) -> Clock {
        let Self(time, start) = self.clone();
        Clock::from_fn(move || Millis(time.load(Ordering::SeqCst)).offset(wrong + start.elapsed().as_millis() as i64))
    }
}

/// A collector on a port, which can be away.
struct Collector {
    app: App,
    port: u16,
    serving: Option<tokio::task::JoinHandle<()>>,
    _dir: TempDir,
}

impl Collector {
    async fn start(time: &Time) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { admin_token: Secret::chosen(ADMIN), ..Options::in_dir(dir.path()) };
        let app = App::open(options, time.clock(0)).unwrap();
        app.welcome().unwrap();
        let mut this = Self { app, port: 0, serving: None, _dir: dir };
        this.come().await;
        let added = this.ask("POST", "/api/v1/sites", &json!({"domain": SITE})).await;
        assert_eq!(added["domain"], SITE);
        this
    }

    async fn come(&mut self) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let service = self.app.router().into_make_service_with_connect_info::<SocketAddr>();
        self.serving = Some(tokio::spawn(async move { axum::serve(listener, service).await.unwrap() }));
    }

    /// Nobody listens any more, and connections that were open are closed.
    async fn go(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        assert!(serving.await.is_err());
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {ADMIN}"));
        send(self.app.router(), request.body(body.to_string().into()).unwrap()).await.1
    }

    async fn query(&self, dimension: &str) -> Value {
        let body = json!({"site_id": SITE, "metrics": ["events", "visitors"], "date_range": "all", "dimensions": [dimension]});
        self.ask("POST", "/api/v2/query", &body).await["results"].clone()
    }

    async fn eventually(&self, dimension: &str, wanted: &Value) {
        let start = instant();
        loop {
            let found = self.query(dimension).await;
            if found == *wanted {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(15), "{found} instead of {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn send(router: Router, request: Request<Body>) -> (u16, Value) {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn edge(dir: &TempDir, collector: &Collector, clock: Clock) -> EdgeServer {
    let to = CollectorAddress::new(&format!("http://127.0.0.1:{}", collector.port), Secret::chosen(ADMIN).unwrap());
    let edge = EdgeServer::open(&Options::in_dir(dir.path()), to.unwrap(), clock).unwrap();
    tokio::spawn(edge.clone().refresh());
    edge
}

async fn post(edge: &EdgeServer, id: &str) -> u16 {
    let body = json!({"name": "pageview", "url": format!("https://{SITE}/{id}"), "domain": SITE, "id": id});
    let request = Request::post("/api/event").header("user-agent", "Firefox/126.0").body(body.to_string().into());
    send(edge.router(), request.unwrap()).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_an_hour_off_is_corrected_by_the_collectors() {
    let time = Time::new();
    let collector = Collector::start(&time).await;
    let (behind, ahead) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hour = HOUR.cast_signed();
    let edges = [edge(&behind, &collector, time.clock(-hour)), edge(&ahead, &collector, time.clock(hour))];
    for (edge, id) in edges.iter().zip(["behind", "ahead"]) {
        assert_eq!(post(edge, id).await, 202);
    }
    collector.eventually("time:minute", &json!([{"dimensions": ["2026-11-22 22:00:00"], "metrics": [2, 1]}])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_collector_is_away_over_a_midnight_everything_is_kept_for_its_day() {
    let time = Time::new();
    let mut collector = Collector::start(&time).await;
    let dir = tempfile::tempdir().unwrap();
    let first = edge(&dir, &collector, time.clock(0));
    assert_eq!(post(&first, "evening").await, 202);
    collector.eventually("time:day", &json!([{"dimensions": ["2026-11-22"], "metrics": [1, 1]}])).await;

    collector.go().await;
    time.pass(HOUR);
    assert_eq!(post(&first, "late").await, 202);
    time.pass(2 * HOUR);
    assert_eq!(post(&first, "after-midnight").await, 202);
    assert_eq!(post(&first, "late").await, 202, "told again, counted once");
    // It ends, as a process does: two on one inbox there are never.
    first.drain(Duration::from_millis(100)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(first);
    // A restart while the collector is away: what is known of the site is on the disk.
    let second = edge(&dir, &collector, time.clock(0));
    time.pass(30 * HOUR);
    assert_eq!(post(&second, "next-day").await, 202);

    collector.come().await;
    let day = |date: &str, events: u64| json!({"dimensions": [date], "metrics": [events, 1]});
    collector.eventually("time:day", &json!([day("2026-11-22", 2), day("2026-11-23", 1), day("2026-11-24", 1)])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_counts_for_sites_that_the_collector_has_and_forgets_those_that_it_removed() {
    let time = Time::new();
    let collector = Collector::start(&time).await;
    let dir = tempfile::tempdir().unwrap();
    let edge = edge(&dir, &collector, time.clock(0));
    // Many at once on a cold start: one asks, the others wait for it.
    let all: Vec<_> = (0..20)
        .map(|i| {
            tokio::spawn({
                let edge = edge.clone();
                async move { post(&edge, &i.to_string()).await }
            })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), 202);
    }
    let other = json!({"name": "pageview", "url": "https://other.example/", "domain": "other.example"});
    let other = || Request::post("/api/event").header("user-agent", "Firefox/126.0").body(other.to_string().into()).unwrap();
    let (status, problem) = send(edge.router(), other()).await;
    assert_eq!((status, problem["detail"].as_str().map(|detail| detail.contains("site"))), (400, Some(true)), "{problem}");
    // Good tokens send for other addresses, bad ones not at all.
    let with = |token: &str| {
        let body = json!({"name": "pageview", "url": "https://example.com/x", "domain": SITE, "ip": "192.0.2.7"}).to_string();
        Request::post("/api/event")
            .header("authorization", format!("Bearer {token}"))
            .header("user-agent", "Firefox/126.0")
            .body(body.into())
            .unwrap()
    };
    assert_eq!(send(edge.router(), with(ADMIN)).await.0, 202);
    assert_eq!(send(edge.router(), with("wrong")).await.0, 401);

    collector.ask("DELETE", &format!("/api/v1/sites/{SITE}"), &Value::Null).await;
    time.pass(60_000);
    let start = instant();
    while post(&edge, "gone").await != 400 {
        assert!(start.elapsed() < Duration::from_secs(15));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Its salts and the ids that were seen are deleted here, too.
    let rows = |file: &str, sql: &str| -> i64 {
        rusqlite::Connection::open(dir.path().join(file)).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let day = NOW.0 / 86_400_000;
    let ids = format!("SELECT count(*) FROM ids_{day}");
    while rows("inbox.db", &ids) > 0 || rows("facts.db", "SELECT count(*) FROM sites") > 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
