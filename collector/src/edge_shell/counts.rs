//! What the edge counts of itself, for `/metrics`.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Running totals since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    commits: AtomicU64,
    requests: AtomicU64,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    batches: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicU64,
}

/// One reading of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeMetrics {
    /// Transactions with requests in them.
    pub commits: u64,
    /// Requests in them.
    pub requests: u64,
    /// Beacons and events counted.
    pub accepted: u64,
    /// Beacons and events that had come before.
    pub duplicates: u64,
    /// Requests with something from a bot.
    pub dropped: u64,
    /// Requests answered with a status of 400 or more.
    pub refused: u64,
    /// Batches delivered.
    pub batches: u64,
    /// Attempts at delivery that failed.
    pub failures: u64,
    /// Bytes that wait for the collector; not a total.
    pub waiting: u64,
}

impl Counts {
    pub(super) fn committed(&self, requests: u64, accepted: u64, duplicates: u64) {
        self.commits.fetch_add(1, Relaxed);
        self.requests.fetch_add(requests, Relaxed);
        self.accepted.fetch_add(accepted, Relaxed);
        self.duplicates.fetch_add(duplicates, Relaxed);
    }

    pub(super) fn answered(&self, status: u16, dropped: bool) {
        self.refused.fetch_add((status >= 400).into(), Relaxed);
        self.dropped.fetch_add(dropped.into(), Relaxed);
    }

    pub(super) fn delivered(&self, ok: bool) {
        if ok { &self.batches } else { &self.failures }.fetch_add(1, Relaxed);
    }

    pub(super) fn waits(&self, bytes: u64) {
        self.waiting.store(bytes, Relaxed);
    }

    pub(super) fn read(&self) -> EdgeMetrics {
        let of = |count: &AtomicU64| count.load(Relaxed);
        EdgeMetrics {
            commits: of(&self.commits),
            requests: of(&self.requests),
            accepted: of(&self.accepted),
            duplicates: of(&self.duplicates),
            dropped: of(&self.dropped),
            refused: of(&self.refused),
            batches: of(&self.batches),
            failures: of(&self.failures),
            waiting: of(&self.waiting),
        }
    }
}
