//! Passwords in requests: hashed aside, a few at once, and not tried without end.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use headwater_core::Millis;
use tokio::sync::Semaphore;

use super::problem::Refused;
use crate::password::{self, PasswordError, PasswordKept};
use crate::store::StoreError;

/// Hashes at work at once: each takes 19 MiB and a core for 30 ms.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Attempts for one person or link, from any address, in [`WINDOW_MS`].
const MOST: u32 = 10;
/// Fifteen minutes.
const WINDOW_MS: u64 = 15 * 60_000;

/// Whose password is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    /// A person's.
    Person(i64),
    /// A shared link's.
    Link(i64),
}

/// Counts attempts. Only who exists is counted, so the memory is bounded by the database.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<Of, (u64, u32)>>);

impl Attempts {
    /// Counts an attempt; the seconds to wait if it is one too many.
    pub(crate) fn take(&self, of: Of, now: Millis) -> Result<(), u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = all.entry(of).or_insert((now.0, 0));
        if now.0.saturating_sub(*began) >= WINDOW_MS {
            (*began, *count) = (now.0, 0);
        }
        *count += 1;
        if *count > MOST {
            return Err(u32::try_from((*began + WINDOW_MS).saturating_sub(now.0).div_ceil(1000)).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// It was the right one.
    pub(crate) fn forget(&self, of: Of) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&of);
    }
}

/// Whether it is this password.
pub(crate) async fn is_right(kept: Option<PasswordKept>, password: String) -> bool {
    let _room = ROOM.acquire().await;
    tokio::task::spawn_blocking(move || password::is_right(kept.as_ref(), &password)).await.unwrap_or(false)
}

/// A password to be kept.
pub(crate) async fn keep(password: String) -> Result<PasswordKept, Refused> {
    let _room = ROOM.acquire().await;
    let kept = tokio::task::spawn_blocking(move || password::keep(&password)).await;
    match kept.unwrap_or(Err(PasswordError::Hash)) {
        Ok(kept) => Ok(kept),
        Err(PasswordError::Random(error)) => Err(StoreError::from(error).into()),
        Err(error) => Err(Refused::field("password", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_for_each_and_for_a_while() {
        let attempts = Attempts::default();
        let take = |of, at| attempts.take(of, Millis(at));
        for _ in 0..MOST {
            assert_eq!(take(Of::Person(1), 1000), Ok(()));
        }
        assert_eq!(take(Of::Person(1), 61_000), Err(840));
        assert_eq!((take(Of::Person(2), 1000), take(Of::Link(1), 1000)), (Ok(()), Ok(())));
        assert_eq!(take(Of::Person(1), 1000 + WINDOW_MS), Ok(()));
        attempts.forget(Of::Person(1));
        assert_eq!(take(Of::Person(1), 2000), Ok(()));
    }
}
