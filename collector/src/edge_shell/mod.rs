//! The native shell of `headwater-edge`: an inbox in SQLite with group commit, a flush loop, and the two routes of ingest.
//!
//! ```text
//! let config = EdgeConfig::new(data_dir);
//! let edge = EdgeShell::open(config, clock, sites, deliver)?; // threads start here; cheap to clone
//! let app = axum::Router::new().merge(edge.routes());                 // POST /b, POST /api/event, OPTIONS
//! // serve with `into_make_service_with_connect_info::<SocketAddr>()`: the peer's address is needed
//! edge.forget(site)?;                  // blocking; after a site was deleted: its records, ids and visit states go
//! edge.is_healthy();                   // /healthz, /readyz: the inbox can be written
//! edge.metrics();                      // /metrics
//! edge.drain(Duration::from_secs(10)); // blocking; on SIGTERM, after the HTTP server stopped: flushes what is left
//! ```
//!
//! | file | what |
//! |---|---|
//! | `http` | requests to `Sender` and body, answers to responses |
//! | `writer` | the thread that writes: one transaction for all requests that are there |
//! | `inbox` | the SQLite file |
//! | `flusher`, `bell` | the thread that folds and delivers, and how it is woken |
//! | `peer` | whose address counts |
mod bell;
mod counts;
mod flusher;
mod http;
mod inbox;
mod peer;
#[cfg(test)]
mod tests;
mod writer;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_core::{Millis, NodeId, SiteId};
use headwater_edge::SiteFacts;
use headwater_edge::agents::Agents;
use headwater_edge::facts::Look;
use headwater_edge::flush::{Flush, LONGEST};
use headwater_edge::limit::Limits;
use headwater_edge::resume::Applied;
use headwater_edge::sender::Located;

pub use counts::EdgeMetrics;
pub use inbox::{OpenError, VERSION as INBOX_VERSION};
pub use peer::{Cidr, CidrError, sender};

use crate::clock::Clock;
use crate::geo::GeoDb;
use bell::Bell;
use counts::Counts;
use flusher::Flusher;
use inbox::{Identity, Inbox, Reader};
use writer::{Chore, Writer};

/// Where the shell finds what it must know of a site.
pub trait Sites: Send + Sync + 'static {
    /// What is known of the site with this domain (lower case). Called for every request: answer from memory.
    fn look(&self, domain: &str) -> Look;

    /// Learns about the site, after [`Look::Ask`]. Called on a thread that may wait.
    fn ask(&self, _domain: &str) {}

    /// Whether this bearer token may send events for the site. Called for every request that has one.
    fn may_send(&self, bearer: &str, site: &SiteFacts) -> bool {
        site.knows_sender(bearer)
    }

    /// Counts what bots sent for these sites, each once for each thing. Called for requests of bots: answer from memory.
    fn bots(&self, _sites: &[SiteId], _at: Millis) {}
}

/// Where batches go.
pub trait Deliver: Send + Sync + 'static {
    /// Applies or hands over an encoded [`headwater_core::Batch`]. `Ok` only once it is durable at the collector (applied now or
    /// before). Called from the flush thread, one batch at a time; the same bytes come again until `Ok`.
    ///
    /// # Errors
    /// When it has to be sent again later.
    fn deliver(&self, batch: &[u8]) -> Result<(), DeliverError>;

    /// The last batch of this node that the collector has applied. Asked once at a start, before anything is folded or sent.
    ///
    /// # Errors
    /// When it has to be asked again later.
    fn applied(&self, node: NodeId) -> Result<Option<Applied>, DeliverError>;
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
    /// From the first waiting record to its fold.
    pub flush_after: Duration,
    /// The longest pause between attempts to deliver.
    pub longest_pause: Duration,
    /// How many bytes may wait for the collector; then requests are answered 503.
    pub most_waiting: u64,
    /// Where addresses are.
    pub geo: Option<Arc<GeoDb>>,
}

impl EdgeConfig {
    /// The defaults of an edge embedded in a collector.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            trusted_proxies: Cidr::LOOPBACK.to_vec(),
            visitor_per_minute: 120,
            site_per_second: 10_000,
            // With the fold, two commits here and one at the collector it stays within 200 ms.
            flush_after: Duration::from_millis(100),
            longest_pause: Duration::from_millis(LONGEST),
            most_waiting: 4 << 30,
            geo: None,
        }
    }
}

/// Why the shell could not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The inbox could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system gave no thread.
    #[error("no thread for the edge: {0}")]
    Thread(#[from] std::io::Error),
}

/// The inbox could not do what was asked; nothing of it was done.
#[derive(Debug, thiserror::Error)]
#[error("the inbox failed: {0}")]
pub struct InboxError(#[from] rusqlite::Error);

/// What handlers share.
struct Parts {
    config: EdgeConfig,
    clock: Clock,
    sites: Arc<dyn Sites>,
    limits: Mutex<Limits>,
    agents: Mutex<Agents>,
    writer: Writer,
    identity: Identity,
    counts: Arc<Counts>,
    bell: Arc<Bell>,
    flusher: Mutex<Option<std::thread::JoinHandle<()>>>,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Parts {
    fn locate(&self, address: IpAddr) -> Located {
        self.config.geo.as_ref().map(|geo| geo.locate(address)).unwrap_or_default()
    }
}

/// A running edge.
#[derive(Clone)]
pub struct EdgeShell(Arc<Parts>);

impl EdgeShell {
    /// Opens the inbox and starts the threads that write and flush. The caller holds the lock of the data directory.
    ///
    /// # Errors
    /// See [`EdgeError`].
    pub fn open(config: EdgeConfig, clock: Clock, sites: Arc<dyn Sites>, deliver: Arc<dyn Deliver>) -> Result<Self, EdgeError> {
        let path = config.data_dir.join("inbox.db");
        let (inbox, identity) = Inbox::open(&path)?;
        Self::start(inbox, identity, config, clock, sites, deliver)
    }

    fn start(
        inbox: Inbox,
        identity: Identity,
        config: EdgeConfig,
        clock: Clock,
        sites: Arc<dyn Sites>,
        deliver: Arc<dyn Deliver>,
    ) -> Result<Self, EdgeError> {
        let path = config.data_dir.join("inbox.db");
        let reader = Reader::open(&path).map_err(|source| OpenError::Sqlite { path, source })?;
        let (bell, counts) = (Arc::new(Bell::default()), Arc::new(Counts::default()));
        let writer = Writer::start(inbox, config.most_waiting, clock.clone(), bell.clone(), counts.clone())?;
        let flusher = Flusher {
            reader,
            writer: writer.clone(),
            node: identity.node,
            boundary: identity.boundary,
            resumed: false,
            flush: Flush::new(millis(config.flush_after), millis(config.longest_pause)),
            bell: bell.clone(),
            deliver,
            clock: clock.clone(),
            counts: counts.clone(),
        };
        let thread = std::thread::Builder::new().name("edge-flush".into()).spawn(move || flusher.run())?;
        let limits = Mutex::new(Limits::new(config.visitor_per_minute, config.site_per_second));
        let agents = Mutex::default();
        let flusher = Mutex::new(Some(thread));
        Ok(Self(Arc::new(Parts { config, clock, sites, limits, agents, writer, identity, counts, bell, flusher })))
    }

    /// The routes of ingest.
    pub fn routes(&self) -> axum::Router {
        http::routes(self.0.clone())
    }

    /// Deletes a site's records, ids and visit states. Call it after [`Sites`] has stopped to know the site. What is in the
    /// batch under way goes with it; the collector drops it. Blocks until it is durable.
    ///
    /// # Errors
    /// When nothing was deleted.
    pub fn forget(&self, site: SiteId) -> Result<(), InboxError> {
        Ok(self.0.writer.chore(Chore::Forget(site))?)
    }

    /// Whether the last attempt to write the inbox succeeded. After a failure it is tried again every second.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.0.writer.is_healthy()
    }

    /// What it has counted of itself.
    #[must_use]
    pub fn metrics(&self) -> EdgeMetrics {
        self.0.counts.read()
    }

    /// Delivers what is left and ends the flush thread; gives up after `longest`, and what is left then stays in the inbox for
    /// the next start. Blocks. Call it once no requests come any more.
    pub fn drain(&self, longest: Duration) {
        let Some(thread) = self.0.flusher.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        self.0.bell.hurry();
        let step = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while !thread.is_finished() && waited < longest {
            std::thread::sleep(step);
            waited += step;
        }
        self.0.bell.end();
        if thread.is_finished() {
            let _ = thread.join(); // a panic in it was reported by the runtime
        }
        if let Err(error) = self.0.writer.chore(Chore::Checkpoint) {
            tracing::warn!(%error, "the inbox's log stays as it is; the next start reads it");
        }
    }
}
