//! The collector as an edge elsewhere sees it: over HTTP, with what it said of sites kept on the disk, so that an edge that starts
//! while the collector is away counts on.
mod kept;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_core::{NodeId, SiteId};
use headwater_edge::SiteFacts;
use headwater_edge::clock::Correction;
use headwater_edge::facts::{Facts, Look};
use headwater_edge::resume::Applied;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::clock::Clock;
use crate::edge_shell::{Deliver, DeliverError, Sites};
use crate::secret::Secret;
use kept::Kept;
pub(crate) use kept::KeptError;

/// How long an answer may take; a large batch has to be sent in it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The same where a visitor's request waits for it.
const QUICK: Duration = Duration::from_secs(3);
/// The longest answer about a site in bytes.
const MOST: u64 = 4 << 20;

/// The address of a collector and the token for it.
#[derive(Clone, Debug)]
pub struct CollectorAddress {
    url: String,
    token: Secret,
}

impl CollectorAddress {
    /// Reads the address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(url: &str, token: Secret) -> Result<Self, String> {
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if host.is_none_or(|host| host.trim_matches('/').is_empty()) {
            return Err(format!("{url:?} is no address; write it as https://stats.example.com"));
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token })
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A collector elsewhere.
pub(crate) struct Remote {
    to: CollectorAddress,
    agent: Agent,
    own: Clock,
    correction: Arc<Mutex<Correction>>,
    facts: Mutex<Facts>,
    kept: Mutex<Kept>,
    /// Whether the last attempt to reach it failed.
    away: AtomicBool,
}

/// Why the collector gave no usable answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the collector can't be reached: {0}")]
    Unreached(#[from] ureq::Error),
    #[error("the collector answers {0}{hint}", hint = hint(*.0))]
    Status(StatusCode, Option<Duration>),
    #[error("the collector's answer can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// What to do about a status.
fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => ": it does not take this edge's token; make one there with `headwater token create --scope edge`",
        404 => ": is --collector the address of a Headwater server?",
        _ => "",
    }
}

impl Unanswered {
    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, retry_after) => *retry_after,
            Self::Unreached(_) | Self::Unreadable(_) => None,
        }
    }
}

impl From<Unanswered> for DeliverError {
    fn from(error: Unanswered) -> Self {
        Self { retry_after: error.retry_after(), message: error.to_string() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Remote {
    /// Opens what is kept in `dir`.
    ///
    /// # Errors
    /// When the file there can't be used.
    pub(crate) fn open(to: CollectorAddress, dir: &Path, own: Clock) -> Result<Self, KeptError> {
        let kept = Kept::open(&dir.join("facts.db"))?;
        let mut facts = Facts::default();
        for (learned, site) in kept.sites()? {
            let domain = site.domain.clone();
            facts.learned(&domain, learned, Some(site));
        }
        let agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into();
        let (correction, away) = (Arc::default(), AtomicBool::new(false));
        Ok(Self { to, agent, own, correction, facts: Mutex::new(facts), kept: Mutex::new(kept), away })
    }

    /// The edge's clock, as the collector corrects it.
    pub(crate) fn clock(&self) -> Clock {
        let (own, correction) = (self.own.clone(), self.correction.clone());
        Clock::from_fn(move || lock(&correction).apply(own.now()))
    }

    /// Asks again about the sites whose turn it is, and destroys salts whose time is over.
    pub(crate) fn refresh(&self) {
        let now = self.clock().now();
        let (due, changed) = {
            let mut facts = lock(&self.facts);
            (facts.due(now), facts.destroy_salts(now))
        };
        for site in changed {
            self.keep(|kept| kept.learned(&site.domain, now, Some(&site), None));
        }
        for domain in due {
            // While it is away each would wait its time out, and the server's end would wait for all of them.
            if !self.inquire(&domain) {
                break;
            }
        }
    }

    /// Asks about a site. Says whether the collector was reached.
    fn inquire(&self, domain: &str) -> bool {
        let answer = self.get::<SiteFacts>(&format!("/v1/edge/sites/{}", segment(domain)), QUICK);
        let now = self.clock().now();
        match answer {
            Ok(found) => {
                // Under this name or none: a name like `..` would otherwise be another's.
                let found = found.filter(|facts| facts.domain == domain);
                let gone = lock(&self.facts).learned(domain, now, found.clone());
                if found.is_some() || gone.is_some() {
                    self.keep(|kept| kept.learned(domain, now, found.as_ref(), gone));
                }
            }
            Err(error) => {
                lock(&self.facts).failed(domain, now);
                if matches!(error, Unanswered::Unreached(_)) {
                    return false;
                }
                tracing::warn!("{error}");
            }
        }
        true
    }

    /// The sites that were known and are no more; each until [`Remote::forgotten`].
    pub(crate) fn gone(&self) -> HashSet<SiteId> {
        let mut gone = HashSet::new();
        self.keep(|kept| {
            gone = kept.gone()?;
            Ok(())
        });
        gone
    }

    /// Nothing of the site is left here.
    pub(crate) fn forgotten(&self, site: SiteId) {
        self.keep(|kept| kept.forgotten(site));
    }

    /// Whether the collector was reached when it was last asked.
    pub(crate) fn is_reached(&self) -> bool {
        !self.away.load(Ordering::Relaxed)
    }

    fn keep(&self, work: impl FnOnce(&mut Kept) -> Result<(), KeptError>) {
        if let Err(error) = work(&mut lock(&self.kept)) {
            // It is known in memory, and asked for again after a restart.
            tracing::warn!("{error}");
        }
    }

    /// What is asked for, or `None` where the answer is 404.
    fn get<T: DeserializeOwned>(&self, path: &str, timeout: Duration) -> Result<Option<T>, Unanswered> {
        let request = self.agent.get(format!("{}{path}", self.to.url)).config().timeout_global(Some(timeout)).build();
        let request = request.header("authorization", format!("Bearer {}", self.to.token.reveal()));
        let mut response = self.timed(|| request.call())?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let status = checked(&response);
        let body = response.body_mut().with_config().limit(MOST).read_to_vec();
        status?;
        Ok(Some(serde_json::from_slice(&body?)?))
    }

    /// Runs a request, and learns from it what time it is.
    fn timed(&self, request: impl FnOnce() -> Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Unanswered> {
        let sent = self.own.now();
        let response = request();
        let answered = self.own.now();
        self.note(&response);
        let response = response?;
        if let Some(date) = response.headers().get("date").and_then(|date| date.to_str().ok()) {
            lock(&self.correction).observe(sent, answered, date);
        }
        Ok(response)
    }

    /// Remembers whether the collector is there, and says so when that changes.
    fn note(&self, response: &Result<Response<Body>, ureq::Error>) {
        let was = self.away.swap(response.is_err(), Ordering::Relaxed);
        match response {
            Ok(_) if was => tracing::info!("the collector is reached again"),
            Err(error) if !was => {
                tracing::warn!(%error, "the collector can't be reached; events are kept here until it can");
            }
            _ => {}
        }
    }
}

fn checked(response: &Response<Body>) -> Result<(), Unanswered> {
    if response.status().is_success() {
        return Ok(());
    }
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Err(Unanswered::Status(response.status(), seconds.map(Duration::from_secs)))
}

/// A path's segment, with everything in it that is not unreserved (RFC 3986, section 2.3) as per cents.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl Sites for Remote {
    fn look(&self, domain: &str) -> Look {
        let now = self.clock().now();
        lock(&self.facts).look(domain, now)
    }

    fn ask(&self, domain: &str) {
        // Where it was not reached, the next look says so.
        let _ = self.inquire(domain);
    }
}

impl Deliver for Remote {
    fn deliver(&self, batch: &[u8]) -> Result<(), DeliverError> {
        let request = self.agent.post(format!("{}/v1/partials", self.to.url));
        let request = request.header("authorization", format!("Bearer {}", self.to.token.reveal()));
        let response = self.timed(|| request.content_type("application/octet-stream").send(batch))?;
        Ok(checked(&response)?)
    }

    fn applied(&self, node: NodeId) -> Result<Option<Applied>, DeliverError> {
        let answer = self.get::<Option<Applied>>(&format!("/v1/edge/nodes/{node}"), TIMEOUT)?;
        Ok(answer.ok_or(Unanswered::Status(StatusCode::NOT_FOUND, None))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(segment("shop.example.com"), "shop.example.com");
        assert_eq!(segment("../x?y#é"), "..%2Fx%3Fy%23%C3%A9");
    }

    #[test]
    fn an_address_is_http() {
        let token = || Secret::chosen(&"x".repeat(32)).unwrap();
        assert_eq!(CollectorAddress::new("https://a.example/", token()).unwrap().url(), "https://a.example");
        for wrong in ["", "a.example", "ftp://a.example", "http://", "https:///"] {
            assert!(CollectorAddress::new(wrong, token()).unwrap_err().contains("https://"), "{wrong}");
        }
    }
}
