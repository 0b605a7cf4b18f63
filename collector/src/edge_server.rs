//! An edge that runs apart from its collector: `headwater serve --role edge`. An inbox on this machine's disk, and nothing else.
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::{drain, edge_failure};
use crate::clock::Clock;
use crate::edge_shell::{EdgeConfig, EdgeShell};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::remote::{CollectorAddress, KeptError, Remote};
use crate::serve::Options;

/// From the first waiting record to its fold: with the way to the collector an event is on the dashboard well within 5 s.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// How often it looks which sites are to be asked about again.
const REFRESH: Duration = Duration::from_secs(1);

/// A running edge. Cheap to clone.
#[derive(Clone)]
pub struct EdgeServer(Arc<Parts>);

/// What the parts of an edge share.
pub struct Parts {
    /// Takes events, folds, delivers.
    pub(crate) shell: EdgeShell,
    remote: Arc<Remote>,
    /// What it counts of its requests.
    pub(crate) metrics: Arc<Metrics>,
    /// Turns true when it stops.
    pub(crate) stopping: watch::Sender<bool>,
    inbox: PathBuf,
}

impl Deref for EdgeServer {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl EdgeServer {
    /// Opens the data directory that `options` name, whose lock is the caller's. The collector need not be there.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn open(options: &Options, collector: CollectorAddress, clock: Clock) -> Result<Self, Failure> {
        let remote = Arc::new(Remote::open(collector, &options.data, clock)?);
        let config = EdgeConfig { flush_after: FLUSH_AFTER, ..options.edge_config()? };
        let shell = EdgeShell::open(config, remote.clock(), remote.clone(), remote.clone()).map_err(edge_failure)?;
        let (metrics, stopping) = (Arc::default(), watch::Sender::new(false));
        Ok(Self(Arc::new(Parts { shell, remote, metrics, stopping, inbox: options.data.join("inbox.db") })))
    }

    /// The routes.
    pub fn router(&self) -> axum::Router {
        crate::http::edge::router(self)
    }

    /// Delivers what is left in the inbox, for at most so long; what is left then is delivered by the next one that opens it. No
    /// request may come any more.
    pub async fn drain(&self, within: Duration) {
        drain(&self.shell, within).await;
    }

    /// The inbox's file.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.inbox.clone()
    }

    /// Whether the collector was reached when it was last asked.
    pub(crate) fn reaches(&self) -> bool {
        self.remote.is_reached()
    }

    /// Keeps what is known of sites fresh, and forgets those that are no more, until the edge stops.
    pub async fn refresh(self) {
        let mut stopping = self.stopping.subscribe();
        let mut ticks = tokio::time::interval(REFRESH);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let this = self.clone();
            if tokio::task::spawn_blocking(move || this.refresh_now()).await.is_err() {
                tracing::error!("what is known of sites could not be refreshed; it is tried again");
            }
        }
    }

    fn refresh_now(&self) {
        self.remote.refresh();
        for site in self.remote.gone() {
            match self.shell.forget(site) {
                Ok(()) => self.remote.forgotten(site),
                Err(error) => tracing::warn!("{error}; what it holds of a removed site is deleted later"),
            }
        }
    }
}

impl From<KeptError> for Failure {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Newer { .. } => Self::Newer(error.to_string()),
            KeptError::Sqlite { .. } => Self::Failed(error.to_string()),
        }
    }
}
