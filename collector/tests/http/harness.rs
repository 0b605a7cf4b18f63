//! A server in a temporary directory, and requests to its router.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use headwater_collector::clock::Clock;
use headwater_collector::secret::Secret;
use headwater_collector::{App, Options};
use headwater_core::{Activity, Batch, EventDelta, Fold, Millis, NodeId, PAGEVIEW, Partial, SiteId, VisitDimension, VisitorHash};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// The administrator's token.
pub(crate) const ADMIN: &str = "the-administrator's-token-of-the-tests";
/// 2026-11-22T10:00:30Z, a Sunday.
pub(crate) const NOW: Millis = Millis(1_795_341_630_000);

/// A server whose clock the test sets.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) welcome: headwater_collector::Welcome,
    clock: Arc<AtomicU64>,
    pub(crate) dir: TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, and the field that a problem document names.
    pub(crate) fn fault(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["detail"].as_str().unwrap().len() > 5, "{problem}");
        (self.status.as_u16(), problem["field"].as_str().unwrap_or("").to_owned())
    }
}

/// A request to be made.
pub(crate) struct Ask<'a> {
    server: &'a Server,
    request: axum::http::request::Builder,
    body: Body,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(set: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(AtomicU64::new(NOW.0));
        let time = clock.clone();
        Self::open(set, clock, Clock::from_fn(move || Millis(time.load(Ordering::SeqCst))))
    }

    /// A server whose clock runs.
    pub(crate) fn running() -> Self {
        Self::running_with(|_| {})
    }

    pub(crate) fn running_with(set: impl FnOnce(&mut Options)) -> Self {
        Self::open(set, Arc::default(), Clock::system())
    }

    fn open(set: impl FnOnce(&mut Options), clock: Arc<AtomicU64>, time: Clock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { admin_token: Secret::chosen(ADMIN), ..Options::in_dir(dir.path()) };
        set(&mut options);
        let app = App::open(options, time).unwrap();
        let welcome = app.welcome().unwrap();
        Self { app, welcome, clock, dir }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// A request that nobody signed.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask { server: self, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    /// A request of the administrator.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).token(ADMIN)
    }

    /// Adds a site; its number.
    pub(crate) async fn add(&self, domain: &str) -> SiteId {
        let added = self.admin("POST", "/api/v1/sites").json(&json!({ "domain": domain })).send().await;
        assert_eq!(added.status, 201);
        let facts = self.admin("GET", &format!("/v1/edge/sites/{domain}")).send().await.json();
        SiteId(u32::try_from(facts["id"].as_u64().unwrap()).unwrap())
    }

    /// Delivers page views as an edge does: who viewed which page.
    pub(crate) async fn deliver(&self, seq: u64, site: SiteId, views: &[(u64, &str)]) -> Answer {
        let minute = Millis(self.clock.load(Ordering::SeqCst)).minute();
        let mut fold = Fold::new();
        for (visitor, page) in views {
            let event = EventDelta { name: PAGEVIEW, page, hostname: "example.com", count: 1, order: 1, ..EventDelta::default() };
            fold.add(&Activity {
                visitor: VisitorHash(*visitor),
                minute,
                tag: 1,
                visit: &[""; VisitDimension::COUNT],
                started: 1,
                went_on: 0,
                events: &[event],
            });
        }
        let partials = vec![Partial { site, minute, aggregate: fold.finish() }];
        let batch = Batch { node: NodeId([7; 16]), seq, position: seq, partials };
        self.admin("POST", "/v1/partials").bytes(batch.encode()).send().await
    }
}

impl Server {
    /// Delivers one event for each property, with its value.
    pub(crate) async fn deliver_props(&self, seq: u64, site: SiteId, props: &[(&str, &str)]) -> Answer {
        let minute = Millis(self.clock.load(Ordering::SeqCst)).minute();
        let mut fold = Fold::new();
        for prop in props {
            let event = EventDelta {
                name: "Signup",
                page: "/",
                hostname: "example.com",
                props: std::slice::from_ref(prop),
                count: 1,
                order: 1,
                ..EventDelta::default()
            };
            fold.add(&Activity {
                visitor: VisitorHash(5),
                minute,
                tag: 1,
                visit: &[""; VisitDimension::COUNT],
                started: 0,
                went_on: 0,
                events: &[event],
            });
        }
        let partials = vec![Partial { site, minute, aggregate: fold.finish() }];
        let batch = Batch { node: NodeId([7; 16]), seq, position: seq, partials };
        self.admin("POST", "/v1/partials").bytes(batch.encode()).send().await
    }
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        let value = format!("Bearer {token}");
        self.header("authorization", &value)
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Body::from(body.to_string());
        self
    }

    pub(crate) fn bytes(mut self, body: Vec<u8>) -> Self {
        self.body = Body::from(body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.server.app.router().oneshot(self.request.body(self.body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
