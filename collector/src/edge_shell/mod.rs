//! The native shell of `headwater-edge`: an inbox in SQLite with group commit, a flush loop, and the two routes of ingest.
//!
//! ```text
//! let edge = EdgeShell::open(EdgeConfig::new(data_dir), sites, tokens, deliver)?; // threads start here
//! let app = axum::Router::new().merge(edge.routes());                             // POST /b, POST /api/event, OPTIONS
//! // serve with `into_make_service_with_connect_info::<SocketAddr>()`: the peer's address is needed
//! edge.forget(site)?;                  // after a site was deleted: its records, ids and states go
//! edge.is_ready();                     // /healthz, /readyz: the inbox can be written
//! edge.metrics();                      // /metrics
//! edge.drain(Duration::from_secs(10)); // on SIGTERM, after the HTTP server stopped: flushes what is left
//! ```
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::SiteId;
use headwater_edge::SiteFacts;

/// Where the shell finds what it must know of a site. Called for every request: answer from memory.
pub trait Sites: Send + Sync + 'static {
    /// The site with this domain (lower case), `None` if there is none.
    fn facts(&self, domain: &str) -> Option<Arc<SiteFacts>>;
}

/// Who may send with a token. Called for every request that has one: answer from memory.
pub trait Tokens: Send + Sync + 'static {
    /// Whether this bearer token may send events for `site`; with `None` whether it is valid for any site.
    fn may_send(&self, bearer: &str, site: Option<SiteId>) -> bool;
}

/// Where batches go.
pub trait Deliver: Send + Sync + 'static {
    /// Applies or hands over an encoded [`headwater_core::Batch`]. `Ok` only once it is durable at the collector (applied now or
    /// before). Called from the flush thread, one batch at a time; the same bytes come again until `Ok`.
    ///
    /// # Errors
    /// When it has to be sent again later.
    fn deliver(&self, batch: &[u8]) -> Result<(), DeliverError>;
}

/// Why a batch must be sent again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliverError {
    /// For the log.
    pub message: String,
    /// How long the collector asked to wait.
    pub retry_after: Option<Duration>,
}

/// How the shell runs.
#[derive(Clone, Debug)]
pub struct EdgeConfig {
    /// Where `inbox.db` is or will be.
    pub data_dir: PathBuf,
    /// Peers whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<Cidr>,
    /// Requests a minute of one visitor; 0 is no limit.
    pub visitor_per_minute: u32,
    /// Requests a second for one site; 0 is no limit.
    pub site_per_second: u32,
    /// From the first waiting record to its flush.
    pub flush_after: Duration,
}
