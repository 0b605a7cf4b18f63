//! Where batches arrive, from the embedded edge and from others: applied once, then told to whoever watches.
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_core::{Batch, NodeId, WireError};
use headwater_edge::resume;
use tokio::sync::watch;

use crate::buckets::{Applied, Applier, nodes};
use crate::clock::Clock;
use crate::directory::Directory;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError, changes};

/// Applies batches.
pub(crate) struct Collector {
    store: Store,
    directory: Arc<Directory>,
    metrics: Arc<Metrics>,
    clock: Clock,
    applier: Mutex<Applier>,
    /// The version of the buckets: changes after each batch that was applied.
    pub(crate) version: watch::Sender<u64>,
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The bytes are no batch; the same bytes will never be one.
    #[error("this is not a batch: {0}; docs/wire.md describes the format")]
    Wire(#[from] WireError),
    /// Not now; the same bytes can come again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Collector {
    /// A collector over an open store.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn new(store: Store, directory: Arc<Directory>, metrics: Arc<Metrics>, clock: Clock) -> Result<Self, StoreError> {
        let version = store.read_now(|tx| changes::version(tx))?;
        Ok(Self { store, directory, metrics, clock, applier: Mutex::default(), version: watch::Sender::new(version) })
    }

    /// Applies an encoded batch, or finds that it has been. Durable when this returns.
    ///
    /// # Errors
    /// See [`ApplyError`]; nothing was applied then.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Result<Applied, ApplyError> {
        let batch = Batch::decode(bytes)?;
        let result = self.apply_batch(&batch, resume::digest(bytes));
        match &result {
            Ok(applied) if applied.already => self.metrics.batches_repeated.fetch_add(1, Relaxed),
            Ok(applied) => {
                self.metrics.partials.fetch_add((batch.partials.len() - applied.dropped) as u64, Relaxed);
                self.metrics.partials_dropped.fetch_add(applied.dropped as u64, Relaxed);
                self.metrics.batches_applied.fetch_add(1, Relaxed)
            }
            Err(_) => self.metrics.batches_failed.fetch_add(1, Relaxed),
        };
        Ok(result?)
    }

    /// The last batch that was applied of a node.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn applied(&self, node: NodeId) -> Result<Option<resume::Applied>, StoreError> {
        self.store.read_now(|tx| nodes::last(tx, node))
    }

    fn apply_batch(&self, batch: &Batch, digest: [u8; 16]) -> Result<Applied, StoreError> {
        let now = self.clock.now();
        let mut applier = self.applier.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.store.write_now(|tx| {
            // Asked only now that nobody else writes: a site that was removed before is not counted for any more.
            let accounts = self.directory.accounts();
            let site = |id| accounts.by_id(id).map(|entry| entry.site.clone());
            let applied = applier.apply(tx, batch, digest, &site, now.minute())?;
            changes::note(tx, &applied.changed, now)?;
            Ok::<_, StoreError>((applied, changes::version(tx)?))
        });
        let (applied, version) = done.inspect_err(|_| applier.rolled_back())?;
        self.version.send_replace(version);
        Ok(applied)
    }
}
