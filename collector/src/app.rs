//! The server without a socket: everything that is shared, made in one line.
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::Millis;
use tokio::sync::{Semaphore, watch};

use crate::buckets::{self, Cache};
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::deliver::Collector;
use crate::directory::Directory;
use crate::edge_shell::{EdgeError, EdgeShell, OpenError};
use crate::failure::Failure;
use crate::http::export;
use crate::http::gate::Gate;
use crate::http::limit::Limiter;
use crate::http::passwords::Attempts;
use crate::live::Rows;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::serve::{Options, Role};
use crate::store::{Store, StoreError, once, sites, tokens};

/// Memory for decoded buckets, in bytes.
const CACHE_BYTES: usize = 216 << 20;

/// A server. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the parts of a server share.
pub struct Parts {
    /// The database.
    pub(crate) store: Store,
    /// Decoded buckets.
    pub(crate) cache: Cache,
    /// Rows of the live feed.
    pub(crate) rows: Rows,
    /// Sites and tokens.
    pub(crate) directory: Arc<Directory>,
    /// Applies batches.
    pub(crate) collector: Arc<Collector>,
    /// What it counts of itself.
    pub(crate) metrics: Arc<Metrics>,
    /// The time.
    pub(crate) clock: Clock,
    /// How it was started.
    pub(crate) options: Options,
    /// Room for exports.
    pub(crate) exports: Arc<Semaphore>,
    /// How many queries are at work.
    pub(crate) queries: Gate,
    /// Who asked how often.
    pub(crate) limiter: Limiter,
    /// How often passwords were tried.
    pub(crate) attempts: Attempts,
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Sender<bool>,
    /// The embedded edge; none where all edges are elsewhere.
    pub(crate) edge: Option<EdgeShell>,
}

/// What a start prints.
#[derive(Debug)]
pub struct Welcome {
    /// The administrator's token, on first start and if it was made here: one that was chosen is known already.
    pub token: Option<Secret>,
    /// Signs in once.
    pub link: Secret,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens the data directory that `options` name. Its lock is the caller's, if others may be there.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn open(options: Options, clock: Clock) -> Result<Self, Failure> {
        let dir = DataDir::create(&options.data)?;
        let store = Store::open(&dir, true)?;
        if options.demo {
            store.write_now(|tx| crate::serve::add_demo(tx, clock.now()))?;
        }
        let directory = Arc::new(Directory::open(store.clone())?);
        let metrics = Arc::new(Metrics::default());
        let collector = Arc::new(Collector::new(store.clone(), directory.clone(), metrics.clone(), clock.clone())?);
        let edge = match options.role {
            Role::Collector => None,
            Role::All | Role::Edge(_) => {
                let config = options.edge_config()?;
                Some(EdgeShell::open(config, clock.clone(), directory.clone(), collector.clone()).map_err(edge_failure)?)
            }
        };
        let limiter = Limiter::new(options.visitor_per_minute).map_err(StoreError::from)?;
        let this = Self(Arc::new(Parts {
            store,
            cache: Cache::new(CACHE_BYTES),
            rows: Rows::default(),
            directory,
            collector,
            metrics,
            clock,
            options,
            exports: Arc::new(Semaphore::new(export::MOST)),
            queries: Gate::new(std::thread::available_parallelism().map_or(1, usize::from)),
            limiter,
            attempts: Attempts::default(),
            stopping: watch::Sender::new(false),
            edge,
        }));
        this.notice_sites()?;
        crate::tasks::keep_salts(&this)?;
        Ok(this)
    }

    /// The routes.
    pub fn router(&self) -> axum::Router {
        crate::http::router(self)
    }

    /// Makes what a start prints: the first token if there is none, and a new sign-in link.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn welcome(&self) -> Result<Welcome, Failure> {
        let (chosen, now) = (self.options.admin_token.as_ref(), self.clock.now());
        let (first, link) = self.store.write_now(|tx| {
            let first = tokens::first(tx, chosen, now)?;
            Ok::<_, StoreError>((first, once::sign_in_link(tx, now)?))
        })?;
        self.directory.reload()?;
        if chosen.is_some_and(|chosen| self.directory.token(chosen.reveal()).is_none()) {
            tracing::warn!(
                "HEADWATER_ADMIN_TOKEN is not used: there were tokens before; make others with `headwater token create`"
            );
        }
        let welcome = Welcome { token: first.filter(|_| chosen.is_none()), link };
        Ok(welcome)
    }

    /// Takes up what another process changed of sites and tokens. A running server does so every second.
    ///
    /// # Errors
    /// The database's.
    pub fn poll(&self) -> Result<(), StoreError> {
        self.directory.poll()?;
        // Whatever the poll says: a request may have taken up the change a moment before.
        self.notice_sites()
    }

    /// Stores what bots sent. A running server does so every few seconds, and at its end.
    ///
    /// # Errors
    /// The database's.
    pub fn store_bots(&self) -> Result<(), StoreError> {
        self.directory.store_bots()
    }

    /// Has the edge forget the sites that were removed, whoever removed them and whenever.
    pub(crate) fn notice_sites(&self) -> Result<(), StoreError> {
        for site in self.store.read_now(|tx| sites::removed(tx))? {
            if let Some(Err(error)) = self.edge.as_ref().map(|edge| edge.forget(site)) {
                tracing::warn!("{error}; what it holds of a removed site is deleted later");
                continue;
            }
            // Again, for a batch may have been applied while the removal was not known yet.
            self.store.write_now(|tx| {
                buckets::forget(tx, site)?;
                sites::forgotten(tx, site)
            })?;
        }
        Ok(())
    }

    /// Delivers what is left in the inbox; no request may come any more.
    pub(crate) async fn drain(&self, within: Duration) {
        if let Some(edge) = &self.edge {
            drain(edge, within).await;
        }
        let this = self.clone();
        if !matches!(tokio::task::spawn_blocking(move || this.store_bots()).await, Ok(Ok(()))) {
            tracing::warn!("what bots sent in the last seconds is not counted");
        }
    }

    /// Has the change of a site that was just made be known everywhere.
    pub(crate) async fn reload_sites(&self) -> Result<(), StoreError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            this.directory.reload()?;
            this.notice_sites()
        });
        done.await.unwrap_or(Err(StoreError::Interrupted))
    }

    /// Now.
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }
}

/// Delivers what is left in an inbox.
pub(crate) async fn drain(edge: &EdgeShell, within: Duration) {
    let edge = edge.clone();
    if tokio::task::spawn_blocking(move || edge.drain(within)).await.is_err() {
        tracing::error!("the inbox was not flushed; what is in it is delivered at the next start");
    }
}

pub(crate) fn edge_failure(error: EdgeError) -> Failure {
    match error {
        EdgeError::Open(OpenError::Newer { .. }) => Failure::Newer(error.to_string()),
        EdgeError::Open(_) | EdgeError::Thread(_) => Failure::Failed(error.to_string()),
    }
}
