//! A server, a front with pages and a line that can be bad, and a browser.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater_tests::api::Api;
use headwater_tests::browser::{Browser, Kind};
use headwater_tests::front::Front;
use headwater_tests::server::Server;
use serde_json::{Value, json};

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) front: Front,
    pub(crate) browser: Browser,
    api: Api,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        let front = Front::of(&server.api());
        let api = server.api();
        Self { server, front, browser: Browser::start(), api }
    }

    /// A site of its own for a story, with these pages: path, attributes of the tag, HTML. Gives its domain.
    pub(crate) fn site(&self, name: &str, pages: &[(&str, &str, &str)]) -> String {
        let domain = format!("{name}.localhost");
        self.server.add_site(&domain, &[]);
        for (path, attributes, html) in pages {
            self.page(&domain, path, 200, "", &format!("{}{html}", self.tag(&domain, attributes)));
        }
        domain
    }

    pub(crate) fn page(&self, host: &str, path: &str, status: u16, headers: &'static str, html: &str) {
        let html = format!("<!doctype html><meta charset=utf-8><title>{path}</title><body>{html}");
        self.front.page(&format!("{host}{path}"), (status, headers, html));
    }

    /// The tag of a site, without web vitals. A driven browser and localhost count, and beacons need not wait for ten seconds.
    pub(crate) fn tag(&self, site: &str, attributes: &str) -> String {
        let port = self.front.port;
        let attributes = without_vitals(attributes);
        format!(
            "<script defer data-site={site} data-local=250 data-automated {attributes} \
             src=http://127.0.0.1:{port}/t.js></script>"
        )
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.front.port)
    }

    /// Goes to a page of a host.
    pub(crate) fn go(&self, host: &str, path: &str) {
        self.browser.visit(&self.url(host, path));
    }

    /// Goes to a page of a host, and waits until all of the tracker is there: what is clicked before is not seen, and a page that
    /// is left before is told by its signals.
    pub(crate) fn stay(&self, host: &str, path: &str) {
        self.go(host, path);
        // What the page imports is there for us once it has run, and the page was told first. (WebKit does not list all that
        // a page loads.)
        let unlisted = self.browser.kind == Kind::WebKit;
        if unlisted {
            pause(800);
        }
        let script = format!(
            "const unlisted = {unlisted}; const names = performance.getEntriesByType('resource').map(entry => entry.name); \
                      const ran = () => document.ran = true; \
                      document.ran ??= import(document.querySelector('script[data-site]').src + '?auto').then(ran, ran) && false; \
                      return document.ran && (unlisted || names.some(name => name.endsWith('t.wasm')))"
        );
        eventually("the tracker is there", &json!(true), || self.browser.run(&script));
    }

    /// Adds a site whose visitors are told by an id that their browsers keep.
    pub(crate) fn device_site(&self, site: &str) {
        let answer = self.api.post("/api/v1/sites", &json!({"domain": site, "identity": "device"})).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Leaves the site.
    pub(crate) fn leave(&self) {
        self.browser.visit("about:blank");
    }

    /// Waits until visits, visits that bounced, page views and events are these. The sums are exact: a moment later they
    /// are still the same.
    pub(crate) fn counts(&self, site: &str, wanted: [u64; 4]) {
        let counts = || {
            let row = self.api.totals(site, &["visits", "bounce_rate", "pageviews", "events"]);
            let number = |at: usize| row.get(at).and_then(Value::as_f64).unwrap_or(0.0);
            [number(0), (number(0) * number(1) / 100.0).round(), number(2), number(3)].map(|number| number as u64)
        };
        eventually(&format!("{site}: visits, bounces, views, events"), &wanted, counts);
    }

    /// Waits until the events have these names and numbers, page views left out.
    pub(crate) fn events(&self, site: &str, wanted: &[(&str, u64)]) {
        let wanted: BTreeMap<String, u64> = wanted.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        eventually(&format!("{site}: events"), &wanted, || {
            self.by(site, "event:name", "events").into_iter().filter(|(name, _)| name != "pageview").collect()
        });
    }

    /// Waits until a dimension has these values of a metric, those without a value left out.
    pub(crate) fn rows(&self, site: &str, dimension: &str, metric: &str, wanted: &[(&str, u64)]) {
        let wanted: BTreeMap<String, u64> = wanted.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
        eventually(&format!("{site}: {metric} by {dimension}"), &wanted, || {
            self.by(site, dimension, metric).into_iter().filter(|(value, _)| value != "(none)").collect()
        });
    }

    pub(crate) fn by(&self, site: &str, dimension: &str, metric: &str) -> BTreeMap<String, u64> {
        let answer =
            self.api.query(&json!({"site_id": site, "metrics": [metric], "date_range": "all", "dimensions": [dimension]}));
        let rows = answer["results"].as_array().cloned().unwrap_or_default();
        let row = |row: Value| {
            let value = row["dimensions"][0].as_str().unwrap_or_default().to_owned();
            (value, row["metrics"][0].as_f64().unwrap_or(0.0).round() as u64)
        };
        rows.into_iter().map(row).filter(|(_, count)| *count > 0).collect()
    }

    /// One metric of events with a name.
    pub(crate) fn metric(&self, site: &str, name: &str, metric: &str) -> f64 {
        let answer = self.api.query(&json!({
            "site_id": site, "metrics": [metric], "date_range": "all", "filters": [["is", "event:name", [name]]]
        }));
        let value = &answer["results"][0]["metrics"][0];
        value.as_f64().or_else(|| value["value"].as_f64()).unwrap_or(f64::NAN)
    }

    /// Distinct visitors.
    pub(crate) fn visitors(&self, site: &str) -> u64 {
        self.api.totals(site, &["visitors"]).first().and_then(Value::as_u64).unwrap_or(0)
    }

    /// Seconds that were spent on all pages.
    pub(crate) fn seconds(&self, site: &str) -> u64 {
        let row = self.api.totals(site, &["visit_duration", "visits"]);
        let number = |at: usize| row.get(at).and_then(Value::as_f64).unwrap_or(0.0);
        (number(0) * number(1)).round() as u64
    }
}

/// Web vitals as `data-off` names them: how many of them a browser tells is its own business.
pub(crate) const VITALS: &str = "LCP,FCP,TTFB,INP,CLS,";

/// Attributes of a tag that leave out web vitals, too.
pub(crate) fn without_vitals(attributes: &str) -> String {
    let opening = ["data-off='", "data-off=\"", "data-off="].into_iter().find(|opening| attributes.contains(opening));
    match opening {
        Some(opening) => attributes.replace(opening, &format!("{opening}{VITALS}")),
        None => format!("data-off={VITALS} {attributes}"),
    }
}

/// Asks until the answer is the wanted one, and once more a moment later; fails with the last one after 15 seconds.
pub(crate) fn eventually<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, mut ask: impl FnMut() -> T) {
    let start = Instant::now();
    loop {
        let found = ask();
        if found == *wanted {
            std::thread::sleep(Duration::from_millis(300));
            let still = ask();
            assert_eq!(still, *wanted, "{what}: it was right, and then it was not");
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(15), "{what}: {found:?} instead of {wanted:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
