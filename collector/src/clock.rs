//! The one place that reads the clock. Everything else is handed the time.
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use headwater_core::Millis;

/// Says what time it is; tests hand in their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|| {
            #[allow(clippy::disallowed_methods)] // the shell's clock
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        }))
    }

    /// A clock that says what `now` says.
    pub fn from_fn(now: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// A moment for measuring how long something took; never stored.
#[must_use]
#[allow(clippy::disallowed_methods)] // the shell's clock
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}
