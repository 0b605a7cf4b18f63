//! Unique measurements for fault injection, and what is held against what was counted.
//!
//! Every measurement is a view of a page of its own by a visitor of its own, so a page with two views is one that was
//! counted twice. Each client has a site of its own, which keeps it below the cap of 20,000 pages a day.
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use headwater_core::BeaconId;
use serde_json::json;

use crate::api::{Api, BROWSER};
use crate::beacons;
use crate::random::Random;

/// The most measurements of one client: below the cap on pages.
const MOST: usize = 18_000;

/// How a client sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sends {
    /// `/api/event`, without an id: never a second time.
    Event,
    /// `/api/event` under an id, until it is answered.
    EventWithId,
    /// `/b`: never a second time.
    Beacon,
    /// `/b`, until it is answered.
    BeaconAgain,
}

/// One client, and what it knows of its measurements: for each, whether it was acknowledged.
pub struct Client {
    /// How it sends.
    pub sends: Sends,
    /// Its site.
    pub site: String,
    /// For each measurement whether it was acknowledged.
    pub acknowledged: Vec<bool>,
    api: Api,
    port: u16,
    random: Random,
    /// Between two measurements.
    pause: Duration,
}

impl Client {
    /// A client that sends to the server on `port`.
    pub fn new(sends: Sends, site: &str, port: u16, random: Random) -> Self {
        let (site, api) = (site.to_owned(), Api::new(port, None));
        Self { sends, site, acknowledged: Vec::new(), api, port, random, pause: Duration::ZERO }
    }

    /// The same, with a pause between two measurements.
    pub fn pausing(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Whether it sends a measurement until it is answered.
    pub fn retries(&self) -> bool {
        matches!(self.sends, Sends::EventWithId | Sends::BeaconAgain)
    }

    /// The page of its measurement.
    pub fn page(&self, n: usize) -> String {
        format!("/page/{n}")
    }

    /// Sends one measurement after the other until it is told to stop.
    pub fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) && self.acknowledged.len() < MOST {
            let n = self.acknowledged.len();
            let request = self.request(n);
            let mut acknowledged = false;
            if self.retries() {
                if self.random.below(10) == 0 {
                    request.without_waiting(self.port);
                }
                while !acknowledged {
                    acknowledged = request.send(&self.api);
                }
                // An answer that got lost on the way looks like this to the server.
                if self.random.below(10) == 0 {
                    request.send(&self.api);
                }
            } else {
                acknowledged = request.send(&self.api);
            }
            self.acknowledged.push(acknowledged);
            sleep(self.pause);
        }
    }

    fn request(&mut self, n: usize) -> Request {
        let (address, page, site) = (format!("10.0.{}.{}", n >> 8, n & 255), self.page(n), self.site.as_str());
        match self.sends {
            Sends::Event | Sends::EventWithId => {
                let mut event = json!({"name": "pageview", "domain": site, "url": format!("https://{site}{page}")});
                if self.sends == Sends::EventWithId {
                    event["id"] = n.to_string().into();
                }
                Request { path: "/api/event", site: site.to_owned(), address, body: event.to_string().into_bytes() }
            }
            Sends::Beacon | Sends::BeaconAgain => {
                let id = BeaconId { load: self.random.bits().to_le_bytes(), seq: 0 };
                let body = beacons::body(&beacons::view(id, site, &page), 0);
                Request { path: "/b", site: site.to_owned(), address, body }
            }
        }
    }

    /// Holds what was counted against what was sent and acknowledged.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, api: &Api) -> Result<(), String> {
        let rows = api.events_by(&self.site, "event:page");
        let counted: BTreeMap<&str, u64> = rows.iter().map(|(page, events)| (page.as_str(), *events)).collect();
        let sent: BTreeMap<String, bool> = self.acknowledged.iter().enumerate().map(|(n, yes)| (self.page(n), *yes)).collect();
        if let Some((page, events)) = counted.iter().find(|(_, events)| **events != 1) {
            return Err(format!("{page} was counted {events} times"));
        }
        if let Some(page) = counted.keys().find(|page| !sent.contains_key(**page)) {
            return Err(format!("{page} was counted and never sent"));
        }
        if let Some((page, _)) = sent.iter().find(|(page, yes)| **yes && !counted.contains_key(page.as_str())) {
            return Err(format!("{page} was acknowledged and is not counted"));
        }
        if self.retries() && counted.len() != sent.len() {
            return Err(format!("{} sent, {} counted", sent.len(), counted.len()));
        }
        // Each measurement came from an address of its own, so the people agree, too.
        let totals = api.totals(&self.site, &["events", "pageviews", "visitors", "visits"]);
        let events = counted.len();
        if totals.iter().any(|total| *total != events) {
            return Err(format!("{events} pages, but the totals of events, pageviews, visitors, visits are {totals:?}"));
        }
        Ok(())
    }
}

struct Request {
    path: &'static str,
    site: String,
    address: String,
    body: Vec<u8>,
}

impl Request {
    /// Sends it and says whether the server took it. No answer, or one that asks to come again, is no.
    fn send(&self, api: &Api) -> bool {
        let origin = format!("https://{}", self.site);
        let headers = [("Origin", origin.as_str()), ("User-Agent", BROWSER), ("X-Forwarded-For", &self.address)];
        match api.send(self.path, &self.body, &headers) {
            Ok(answer) => {
                assert!(matches!(answer.status, 202 | 503), "{} for a good measurement: {}", answer.status, answer.text);
                answer.status == 202
            }
            Err(_) => {
                sleep(Duration::from_millis(5));
                false
            }
        }
    }

    /// Sends it and hangs up.
    fn without_waiting(&self, port: u16) {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return };
        let Self { path, site, address, body } = self;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://{site}\r\nUser-Agent: {BROWSER}\r\n\
             X-Forwarded-For: {address}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
    }
}
