//! How often one address may ask without a token. Addresses are never kept: a keyed hash of each counts for a minute.
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use headwater_core::{Millis, Minute};

use crate::secret::{NoRandomness, random};

/// Addresses counted apart in one minute; those beyond share one count, so that a flood cannot fill the memory.
const ADDRESSES: usize = 100_000;

/// Counts requests per address and minute.
pub(crate) struct Limiter {
    key: [u8; 32],
    per_minute: u32,
    window: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    minute: Minute,
    counts: HashMap<u64, u32>,
}

impl Limiter {
    /// At most `per_minute` requests, 0 for no limit.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub(crate) fn new(per_minute: u32) -> Result<Self, NoRandomness> {
        Ok(Self { key: random()?, per_minute, window: Mutex::default() })
    }

    /// Counts a request of `weight`; the seconds to wait if it is one too many.
    pub(crate) fn take(&self, address: Option<IpAddr>, weight: u32, now: Millis) -> Result<(), u32> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let key = match address {
            // One household, one /64: the rest of an IPv6 address is for free.
            Some(IpAddr::V6(v6)) => self.hash(&v6.octets()[..8]),
            Some(IpAddr::V4(v4)) => self.hash(&v4.octets()),
            None => 0,
        };
        let minute = now.minute();
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != minute {
            *window = Window { minute, counts: HashMap::new() };
        }
        let key = if window.counts.len() < ADDRESSES || window.counts.contains_key(&key) { key } else { 0 };
        let count = window.counts.entry(key).or_default();
        *count = count.saturating_add(weight);
        if *count > self.per_minute {
            let into = (now.0 % 60_000) / 1000;
            return Err(u32::try_from(60 - into).unwrap_or(60));
        }
        Ok(())
    }

    fn hash(&self, address: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(&self.key, address);
        let bytes = hash.as_bytes();
        u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_count_and_each_minute_starts_anew() {
        let limiter = Limiter::new(2).unwrap();
        let (one, other) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        let at = |seconds: u64| Millis(1_700_000_040_000 + seconds * 1000);
        assert!(limiter.take(one, 1, at(0)).is_ok() && limiter.take(one, 1, at(1)).is_ok());
        assert_eq!(limiter.take(one, 1, at(20)), Err(40));
        assert!(limiter.take(other, 1, at(20)).is_ok());
        assert!(limiter.take(one, 1, at(60)).is_ok());
        let neighbours = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|a| Some(a.parse().unwrap()));
        let taken = neighbours.map(|address| limiter.take(address, 1, at(60)).is_ok());
        assert_eq!(taken, [true, true, false]);
    }
}
