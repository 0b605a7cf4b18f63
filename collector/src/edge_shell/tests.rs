//! The native edge end to end in one process: requests to its router, batches into a collector of the test's own.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use headwater_core::{Batch, Millis, Minute, NodeId};
use headwater_edge::{Identity as How, SaltWindow};
use tower::ServiceExt;

use super::*;

const NOW: Millis = Millis(1_760_000_000_000);

struct OneSite(Mutex<bool>);

impl Sites for OneSite {
    fn look(&self, domain: &str) -> Look {
        let salts = vec![SaltWindow { from: Minute(0), to: Minute(u32::MAX), identity: How::Month, salt: [5; 32] }];
        let facts = SiteFacts { id: SiteId(1), domain: "example.com".into(), salts, ..SiteFacts::default() };
        if domain == facts.domain && *self.0.lock().unwrap() { Look::Known(Arc::new(facts)) } else { Look::Unknown }
    }

    fn may_send(&self, bearer: &str, _: &SiteFacts) -> bool {
        bearer == "good"
    }
}

/// Applies each batch once, as a collector does.
#[derive(Default)]
struct Collector {
    away: AtomicBool,
    /// Take the batch, but lose the answer.
    mute: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    marks: BTreeMap<NodeId, Applied>,
    seen: BTreeMap<(NodeId, u64), Vec<u8>>,
    events: u64,
    repeated: u64,
}

impl Deliver for Collector {
    fn deliver(&self, bytes: &[u8]) -> Result<(), DeliverError> {
        let fail = || Err(DeliverError { message: "away".into(), retry_after: None });
        if self.away.load(Ordering::Relaxed) {
            return fail();
        }
        let batch = Batch::decode(bytes).unwrap();
        let mut state = self.state.lock().unwrap();
        let first = state.seen.entry((batch.node, batch.seq)).or_insert_with(|| bytes.to_vec());
        assert_eq!(first, bytes, "a batch is sent byte for byte");
        if state.marks.get(&batch.node).is_none_or(|mark| batch.seq > mark.seq) {
            let mark = Applied { seq: batch.seq, position: batch.position, digest: headwater_edge::resume::digest(bytes) };
            state.marks.insert(batch.node, mark);
            let totals = batch.partials.iter().filter_map(|p| p.aggregate.tallies.total());
            state.events += totals.map(|t| t.events).sum::<u64>();
        } else {
            state.repeated += 1;
        }
        if self.mute.load(Ordering::Relaxed) { fail() } else { Ok(()) }
    }

    fn applied(&self, node: NodeId) -> Result<Option<Applied>, DeliverError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(DeliverError { message: "away".into(), retry_after: None });
        }
        Ok(self.state.lock().unwrap().marks.get(&node).copied())
    }
}

struct Rig {
    dir: tempfile::TempDir,
    edge: EdgeShell,
    collector: Arc<Collector>,
    sites: Arc<OneSite>,
}

fn config(dir: &Path) -> EdgeConfig {
    let mut config = EdgeConfig::new(dir.to_owned());
    (config.visitor_per_minute, config.site_per_second) = (0, 0);
    config.flush_after = Duration::from_millis(20);
    config
}

fn rig_in(dir: tempfile::TempDir, collector: Arc<Collector>, pages: Option<u32>) -> Rig {
    let sites = Arc::new(OneSite(Mutex::new(true)));
    let (inbox, identity) = Inbox::open(&dir.path().join("inbox.db")).unwrap();
    if let Some(pages) = pages {
        inbox.limit_pages(pages);
    }
    let clock = Clock::from_fn(ticking());
    let edge = EdgeShell::start(inbox, identity, config(dir.path()), clock, sites.clone(), collector.clone());
    Rig { dir, edge: edge.unwrap(), collector, sites }
}

/// The real clock, moved to a known day.
fn ticking() -> impl Fn() -> Millis + Send + Sync {
    let start = crate::clock::instant();
    move || NOW.offset(start.elapsed().as_millis() as i64)
}

fn rig() -> Rig {
    rig_in(tempfile::tempdir().unwrap(), Arc::default(), None)
}

fn event(id: &str) -> String {
    format!(r#"{{"name":"pageview","url":"https://example.com/","domain":"example.com","id":"{id}"}}"#)
}

fn request(path: &str, body: impl Into<Body>) -> axum::http::request::Builder {
    let _ = body.into();
    Request::post(path).header("origin", "https://example.com").header("user-agent", "Firefox/126.0")
}

impl Rig {
    async fn send(&self, request: Request<Body>) -> Response<Body> {
        let mut request = request;
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([9, 9, 9, 9], 1))));
        self.edge.routes().oneshot(request).await.unwrap()
    }

    async fn post(&self, body: String) -> u16 {
        self.send(request("/api/event", "").body(body.into()).unwrap()).await.status().as_u16()
    }

    fn events(&self) -> u64 {
        self.collector.state.lock().unwrap().events
    }

    /// Waits until so many events arrived, at most a few seconds.
    async fn arrive(&self, events: u64) {
        for _ in 0..500 {
            if self.events() >= events {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.events(), events);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_share_commits_and_arrive() {
    let rig = Arc::new(rig());
    let tasks: Vec<_> = (0..300)
        .map(|i| {
            let rig = rig.clone();
            tokio::spawn(async move { rig.post(event(&i.to_string())).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 202);
    }
    let metrics = rig.edge.metrics();
    assert_eq!((metrics.requests, metrics.accepted), (300, 300));
    assert!(metrics.commits < 300, "{metrics:?}");
    rig.arrive(300).await;
    // An event is there soon after its 202.
    let before = crate::clock::instant();
    assert_eq!(rig.post(event("late")).await, 202);
    rig.arrive(301).await;
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill_and_counts_once() {
    let first = rig();
    first.collector.mute.store(true, Ordering::Relaxed);
    for i in 0..50 {
        assert_eq!(first.post(event(&i.to_string())).await, 202);
    }
    first.arrive(first.events()).await;
    // The files as they are now are what a kill would leave: nothing is flushed, closed or checkpointed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["inbox.db-wal", "inbox.db"] {
        let _ = std::fs::copy(first.dir.path().join(name), copy.path().join(name));
    }
    // The same batch, its answer lost, comes again from the second life and is not counted twice.
    first.collector.away.store(true, Ordering::Relaxed);
    let collector = Arc::new(Collector::default());
    {
        let mut from = first.collector.state.lock().unwrap();
        *collector.state.lock().unwrap() = std::mem::take(&mut *from);
    }
    let second = rig_in(copy, collector, None);
    second.arrive(50).await;
    for i in 0..50 {
        assert_eq!(second.post(event(&i.to_string())).await, 202);
    }
    assert_eq!(second.edge.metrics().duplicates, 50);
    second.edge.drain(Duration::from_secs(5));
    assert_eq!(second.events(), 50);
}

/// The files of an inbox as they are now: what a backup taken now would restore.
fn copy_of(rig: &Rig) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = rusqlite::Connection::open(rig.dir.path().join("inbox.db")).unwrap();
    from.execute("VACUUM INTO ?1", [copy.path().join("inbox.db").to_str().unwrap()]).unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_inbox_drops_what_was_delivered_and_goes_on_under_a_new_node() {
    let first = rig();
    assert_eq!(first.post(event("delivered before the backup")).await, 202);
    first.arrive(1).await;
    // The backup holds two that are delivered only after it, and a third life of the same backup is no different.
    first.collector.away.store(true, Ordering::Relaxed);
    assert_eq!(first.post(event("a")).await, 202);
    assert_eq!(first.post(event("b")).await, 202);
    let (early, late) = (copy_of(&first), copy_of(&first));
    first.collector.away.store(false, Ordering::Relaxed);
    first.arrive(3).await;
    assert_eq!(first.post(event("c")).await, 202);
    first.arrive(4).await;
    let collector = first.collector.clone();
    let edge = first.edge.clone();
    tokio::task::spawn_blocking(move || edge.drain(Duration::from_secs(5))).await.unwrap();

    // What comes before the collector can be asked is taken, and is not mistaken for what was delivered.
    for (copy, expected) in [(early, 6), (late, 8)] {
        collector.away.store(true, Ordering::Relaxed);
        let restored = rig_in(copy, collector.clone(), None);
        for id in ["d", "e"] {
            assert_eq!(restored.post(event(&format!("{id}{expected}"))).await, 202);
        }
        assert_eq!(restored.post(event("a")).await, 202);
        assert_eq!(restored.edge.metrics().duplicates, 1, "its ids are remembered");
        collector.away.store(false, Ordering::Relaxed);
        restored.arrive(expected).await;
        let edge = restored.edge.clone();
        tokio::task::spawn_blocking(move || edge.drain(Duration::from_secs(5))).await.unwrap();
        assert_eq!(restored.events(), expected);
    }
    assert_eq!(collector.state.lock().unwrap().marks.len(), 3, "a node for each life");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_inbox_is_503_until_the_collector_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let collector: Arc<Collector> = Arc::default();
    collector.away.store(true, Ordering::Relaxed);
    let mut small = config(dir.path());
    small.most_waiting = 2000;
    let sites = Arc::new(OneSite(Mutex::new(true)));
    let edge = EdgeShell::open(small, Clock::from_fn(ticking()), sites.clone(), collector.clone()).unwrap();
    let rig = Rig { dir, edge, collector, sites };
    let mut accepted = 0;
    let full = loop {
        let response = rig.send(request("/api/event", "").body(event(&accepted.to_string()).into()).unwrap()).await;
        if response.status() != 202 {
            break response;
        }
        accepted += 1;
        assert!(accepted < 1000);
    };
    assert_eq!((full.status().as_u16(), full.headers().contains_key("retry-after")), (503, true));
    assert!(accepted > 1 && rig.edge.is_healthy());
    rig.collector.away.store(false, Ordering::Relaxed);
    rig.arrive(accepted).await;
    let start = crate::clock::instant();
    while rig.post(event("after")).await != 202 {
        assert!(start.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rig.arrive(accepted + 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_503_and_heals() {
    let rig = rig_in(tempfile::tempdir().unwrap(), Arc::default(), Some(24));
    rig.collector.away.store(true, Ordering::Relaxed);
    let mut accepted = 0;
    let long = "x".repeat(900);
    loop {
        let status = rig.post(event(&format!("{accepted}")).replace("example.com/", &format!("example.com/{long}"))).await;
        if status != 202 {
            assert_eq!(status, 503);
            break;
        }
        accepted += 1;
        assert!(accepted < 10_000);
    }
    assert!(!rig.edge.is_healthy());
    let full = rig.send(request("/api/event", "").body(event("full").into()).unwrap()).await;
    if full.status() == 503 {
        assert!(full.headers().contains_key("retry-after"));
    } else {
        accepted += 1; // a smaller one may still have had room
    }
    // Space comes back: by delivering nothing here, so by a larger disk.
    let copy = tempfile::tempdir().unwrap();
    for name in ["inbox.db-wal", "inbox.db"] {
        let _ = std::fs::copy(rig.dir.path().join(name), copy.path().join(name));
    }
    let larger = rig_in(copy, Arc::default(), None);
    larger.arrive(accepted).await;
    assert_eq!(larger.post(event("after")).await, 202);
    larger.arrive(accepted + 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_drains_and_a_deleted_site_is_forgotten() {
    let rig = rig();
    assert_eq!(rig.post(event("first")).await, 202);
    rig.arrive(1).await;
    rig.collector.away.store(true, Ordering::Relaxed);
    assert_eq!(rig.post(event("a")).await, 202);
    tokio::time::sleep(Duration::from_millis(300)).await; // it is in the batch under way now
    assert_eq!(rig.post(event("b")).await, 202);
    *rig.sites.0.lock().unwrap() = false;
    assert_eq!(rig.post(event("c")).await, 400);
    let edge = rig.edge.clone();
    tokio::task::spawn_blocking(move || edge.forget(SiteId(1))).await.unwrap().unwrap();
    rig.collector.away.store(false, Ordering::Relaxed);
    let edge = rig.edge.clone();
    tokio::task::spawn_blocking(move || edge.drain(Duration::from_secs(20))).await.unwrap();
    // What was under way went; what waited is gone.
    assert_eq!(rig.events(), 2);
    *rig.sites.0.lock().unwrap() = true;
    assert_eq!(rig.post(event("b")).await, 202);
    assert_eq!(rig.edge.metrics().duplicates, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_can_be_read_by_the_sites_pages() {
    let rig = rig();
    let preflight = Request::options("/b").header("origin", "https://example.com").body(Body::empty()).unwrap();
    let cases = [
        (preflight, 204),
        (request("/b", "").body(vec![9, 9, 9].into()).unwrap(), 400),
        (request("/b", "").body(vec![1; 70_000].into()).unwrap(), 413),
        (request("/b", "").header("content-length", "99999999").body(Body::empty()).unwrap(), 413),
        (request("/api/event", "").body("{".into()).unwrap(), 400),
        (request("/api/event", "").header("authorization", "Bearer bad").body(event("x").into()).unwrap(), 401),
        (request("/api/event", "").header("authorization", "Bearer good").body(event("x").into()).unwrap(), 202),
        (Request::get("/b").header("origin", "https://example.com").body(Body::empty()).unwrap(), 405),
        (request("/api/event", "").header("user-agent", "Googlebot/2.1").body(event("y").into()).unwrap(), 202),
    ];
    for (request, status) in cases {
        let response = rig.send(request).await;
        assert_eq!(response.status(), status);
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        assert_eq!(header("access-control-allow-origin"), Some("https://example.com"), "{status}");
        assert_eq!(header("access-control-expose-headers"), Some("Retry-After, X-Headwater-Dropped, X-Headwater-Warning"));
        if status >= 400 && status != 405 {
            assert_eq!(header("content-type"), Some("application/problem+json"));
        }
    }
    // The bot's was the second user agent of that request, so look at one with only its own.
    let bot = Request::post("/api/event").header("user-agent", "Googlebot/2.1").body(event("z").into()).unwrap();
    let response = rig.send(bot).await;
    assert_eq!(
        (response.status().as_u16(), response.headers().get("x-headwater-dropped").map(|v| v.as_bytes())),
        (202, Some(&b"bot"[..]))
    );
    let forwarded = request("/api/event", "").header("x-forwarded-for", "1.2.3.4").body(event("w").into()).unwrap();
    assert!(rig.send(forwarded).await.headers().contains_key("x-headwater-warning"));
    let foreign = Request::post("/api/event").header("origin", "https://evil.org").body(event("v").into()).unwrap();
    let response = rig.send(foreign).await;
    assert!(response.status() == 400 && !response.headers().contains_key("access-control-allow-origin"));
}

#[test]
fn a_newer_inbox_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inbox.db");
    drop(Inbox::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Inbox::open(&path), Err(OpenError::Newer { found: 99, .. })));
}
