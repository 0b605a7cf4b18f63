//! How many queries are at work at once. Each takes a core and memory for as long as it lasts, so more than a few at once
//! make none of them faster, and the writer is to keep a core.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Refused;

/// Queries that may wait for their turn; more are told to come again.
const WAITING: usize = 64;
/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most at work: one less than the readers of the store, so that one of them is left for what is short.
const MOST: usize = 3;

/// Lets queries in, one after the other.
pub(crate) struct Gate {
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

impl Gate {
    /// A gate for a machine with so many cores.
    pub(crate) fn new(cores: usize) -> Self {
        Self::with(cores.saturating_sub(1).clamp(1, MOST), WAITING, PATIENCE)
    }

    fn with(room: usize, most_waiting: usize, patience: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(room)), waiting: AtomicUsize::new(0), most_waiting, patience }
    }

    /// Waits for room. The pass goes with the work: who gives up waiting for an answer must not make room while the query
    /// still runs.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Refused> {
        if let Ok(pass) = self.room.clone().try_acquire_owned() {
            return Ok(pass);
        }
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.most_waiting {
            return Err(busy());
        }
        let pass = timeout(self.patience, self.room.clone().acquire_owned()).await;
        drop(place);
        pass.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

/// Gives the place in the queue back, also when the asker leaves.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn busy() -> Refused {
    Refused::unavailable("too many queries are at work; ask again, one after the other")
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[tokio::test]
    async fn some_wait_and_more_are_sent_away() {
        let gate = Arc::new(Gate::with(1, 1, Duration::from_secs(3600)));
        let first = gate.enter().await.unwrap();
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter().await.is_ok() }
        });
        while gate.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = gate.enter().await.unwrap_err().into_response();
        assert_eq!(refused.status().as_u16(), 503);
        assert_eq!(refused.headers()["retry-after"], "5");
        drop(first);
        assert!(waiting.await.unwrap());
        assert_eq!(gate.waiting.load(Ordering::SeqCst), 0);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let gate = Gate::with(1, 1, Duration::from_millis(5));
        let _first = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_err());
        assert_eq!(gate.waiting.load(Ordering::SeqCst), 0);
    }
}
