//! How the flush learns that something waits, and since when.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_core::Millis;

/// What the flush has to know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rung {
    /// Since when the oldest record waits that is in no batch.
    pub(super) waiting: Option<Millis>,
    /// The server stops: wait for nothing.
    pub(super) hurry: bool,
    /// The flush is to end.
    pub(super) end: bool,
}

/// A bell.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something waits, since `at` at the latest.
    pub(super) fn ring(&self, at: Millis) {
        let mut rung = self.lock();
        if rung.waiting.is_none_or(|since| at < since) {
            rung.waiting = Some(at);
            self.changed.notify_all();
        }
    }

    /// What waits is taken up: what comes from now on waits anew.
    pub(super) fn take(&self) -> Option<Millis> {
        self.lock().waiting.take()
    }

    /// The server stops.
    pub(super) fn hurry(&self) {
        self.lock().hurry = true;
        self.changed.notify_all();
    }

    /// The flush is to end.
    pub(super) fn end(&self) {
        self.lock().end = true;
        self.changed.notify_all();
    }

    /// How it stands.
    pub(super) fn look(&self) -> Rung {
        *self.lock()
    }

    /// Sleeps until something else is rung than `seen`, at most so long.
    pub(super) fn wait(&self, seen: Rung, longest: Duration) {
        let same = |rung: &mut Rung| rung.waiting == seen.waiting && rung.hurry == seen.hurry && rung.end == seen.end;
        drop(self.changed.wait_timeout_while(self.lock(), longest, same).unwrap_or_else(PoisonError::into_inner));
    }
}
