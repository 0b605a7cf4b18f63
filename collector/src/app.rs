//! The server without a socket: everything that is shared, made in one line.
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_core::{Millis, SiteId};
use tokio::sync::watch;

use crate::buckets::Cache;
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::deliver::Collector;
use crate::directory::Directory;
use crate::failure::Failure;
use crate::http::limit::Limiter;
use crate::live::Rows;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::serve::Options;
use crate::store::{Store, StoreError, once, tokens};

/// Memory for decoded buckets, in bytes.
const CACHE_BYTES: usize = 96 << 20;

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
    /// Who asked how often.
    pub(crate) limiter: Limiter,
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Sender<bool>,
    sites_seen: Mutex<HashSet<SiteId>>,
}

/// What a start prints.
#[derive(Debug)]
pub struct Welcome {
    /// The administrator's token, on first start.
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
            limiter,
            stopping: watch::Sender::new(false),
            sites_seen: Mutex::default(),
        }));
        this.notice_sites()?;
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
        let (chosen, now) = (self.options.admin_token.clone(), self.clock.now());
        let welcome = self.store.write_now(|tx| {
            let token = tokens::first(tx, chosen.as_ref(), now)?;
            Ok::<_, StoreError>(Welcome { token, link: once::sign_in_link(tx, now)? })
        })?;
        self.directory.reload()?;
        Ok(welcome)
    }

    /// Takes up what another process changed of sites and tokens. A running server does so every second.
    ///
    /// # Errors
    /// The database's.
    pub fn poll(&self) -> Result<(), StoreError> {
        if self.directory.poll()? {
            self.notice_sites()?;
        }
        Ok(())
    }

    /// Has the edge forget the sites that are gone since the last time.
    pub(crate) fn notice_sites(&self) -> Result<(), StoreError> {
        let now: HashSet<SiteId> = self.directory.accounts().sites().iter().map(|entry| entry.site.id).collect();
        let mut seen = self.sites_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _gone: Vec<SiteId> = seen.difference(&now).copied().collect();
        *seen = now;
        Ok(())
    }

    pub(crate) fn edge_is_ready(&self) -> bool { true }
    pub(crate) fn edge_metrics(&self, _page: &mut crate::metrics::Page) {}
    pub(crate) async fn drain(&self, _within: std::time::Duration) {}

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
