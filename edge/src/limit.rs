//! Rate limits: GCRA, the generic cell rate algorithm (ITU-T I.371), which is a token bucket in one number: the moment at
//! which the bucket would be full again. A key whose moment has passed needs no entry, so memory holds only who sent in
//! the last minute, and at most a fixed number of them.
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use foldhash::fast::RandomState;
use headwater_core::{Millis, SiteId};

use crate::Refusal;
use crate::sender::Sender;

/// Nanoseconds, so that 10,000 a second have room between them.
type Nanos = u64;
const SECOND: Nanos = 1_000_000_000;

/// At most `burst` at once, refilled evenly over a period.
#[derive(Clone, Debug)]
pub struct Limit<K> {
    /// Between two when all are taken evenly; 0 is no limit.
    interval: Nanos,
    period: Nanos,
    full_at: HashMap<K, Nanos, RandomState>,
    capacity: usize,
    /// When the last search for entries to drop was.
    swept: Nanos,
}

impl<K: Hash + Eq> Limit<K> {
    /// `count` in `seconds`; 0 is no limit. At most `capacity` keys are followed; when more send at once, those beyond
    /// are let through, because refusing strangers would let an attacker lock everyone out.
    #[must_use]
    pub fn new(count: u32, seconds: u32, capacity: usize) -> Self {
        let period = Nanos::from(seconds) * SECOND;
        let mut limit = Self { interval: 0, period, full_at: HashMap::default(), capacity, swept: 0 };
        limit.set(count);
        limit
    }

    /// Another count in the same period.
    fn set(&mut self, count: u32) {
        self.interval = self.period.checked_div(Nanos::from(count)).unwrap_or(0);
    }

    /// Takes one.
    ///
    /// # Errors
    /// In how many seconds (at least 1) the next may be taken.
    pub fn take(&mut self, at: Millis, key: K) -> Result<(), u32> {
        if self.interval == 0 {
            return Ok(());
        }
        let now = at.0.saturating_mul(1_000_000);
        if self.full_at.len() >= self.capacity && now.saturating_sub(self.swept) >= SECOND {
            self.swept = now;
            self.full_at.retain(|_, full| *full > now);
        }
        let known = self.full_at.get(&key).copied();
        // A clock that was set back must not lock anyone out for longer than a period.
        let full = known.unwrap_or(0).max(now).min(now + self.period);
        let next = full + self.interval;
        if next > now + self.period {
            let wait = next - now - self.period;
            return Err(u32::try_from(wait.div_ceil(SECOND)).unwrap_or(u32::MAX).max(1));
        }
        if known.is_some() || self.full_at.len() < self.capacity {
            self.full_at.insert(key, next);
        }
        Ok(())
    }
}

/// The limits of one edge.
#[derive(Debug)]
pub struct Limits {
    visitor: Limit<u64>,
    site: Limit<SiteId>,
    site_per_second: u32,
    /// Random: who shares an entry with whom can't be chosen, and an address can't be read from memory.
    hasher: RandomState,
}

impl Limits {
    /// Requests a minute of one visitor and a second for one site; 0 is no limit.
    #[must_use]
    pub fn new(visitor_per_minute: u32, site_per_second: u32) -> Self {
        Self {
            visitor: Limit::new(visitor_per_minute, 60, 100_000),
            site: Limit::new(site_per_second, 1, 10_000),
            site_per_second,
            hasher: RandomState::default(),
        }
    }

    /// This is one of so many places over which what a site receives is spread evenly: each has its part of the site's limit.
    pub fn share(&mut self, places: u16) {
        self.site.set(self.site_per_second.div_ceil(u32::from(places.max(1))));
    }

    /// Takes one request of a visitor for a site.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn take(&mut self, site: SiteId, sender: &Sender<'_>) -> Result<(), Refusal> {
        let address = sender.address.map(|address| match address.to_canonical() {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
        });
        let visitor = self.hasher.hash_one((site, address, sender.user_agent));
        self.visitor.take(sender.at, visitor).map_err(|wait| Refusal::TooMany("from this visitor", wait))?;
        self.site.take(sender.at, site).map_err(|wait| Refusal::TooMany("for this site", wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_an_even_rate() {
        let mut limit = Limit::new(120, 60, 10);
        let at = Millis(1_000_000);
        assert_eq!((0..200).filter(|_| limit.take(at, 1).is_ok()).count(), 120);
        assert_eq!(limit.take(at, 1), Err(1));
        assert_eq!(limit.take(at, 2), Ok(()));
        assert_eq!(limit.take(at.offset(500), 1), Ok(()));
        assert_eq!(limit.take(at.offset(500), 1), Err(1));
        assert_eq!((0..200).filter(|_| limit.take(at.offset(60_500), 1).is_ok()).count(), 120);
    }

    #[test]
    fn nothing_is_no_limit_and_ten_thousand_a_second_are_many() {
        let mut none = Limit::new(0, 60, 10);
        assert!((0..1_000_000).all(|_| none.take(Millis(5), 1).is_ok()));
        let mut many = Limit::new(10_000, 1, 10);
        assert_eq!((0..30_000).filter(|_| many.take(Millis(5), 1).is_ok()).count(), 10_000);
        assert_eq!((0..30_000).filter(|_| many.take(Millis(105), 1).is_ok()).count(), 1000);
    }

    #[test]
    fn places_share_what_a_site_may_have() {
        let sender = |n: u8| Sender { address: Some(IpAddr::from([10, 0, 0, n])), ..Sender::default() };
        let taken = |limits: &mut Limits| (0..200u8).filter(|n| limits.take(SiteId(1), &sender(*n)).is_ok()).count();
        let mut limits = Limits::new(0, 100);
        limits.share(3);
        assert_eq!(taken(&mut limits), 34);
        let mut unlimited = Limits::new(0, 0);
        unlimited.share(3);
        assert_eq!(taken(&mut unlimited), 200);
    }

    #[test]
    fn memory_is_bounded_and_strangers_are_let_in() {
        let mut limit = Limit::new(1, 60, 100);
        assert!((0..10_000).all(|key| limit.take(Millis(5), key).is_ok()));
        assert_eq!(limit.full_at.len(), 100);
        assert!(limit.take(Millis(5), 50).is_err());
        assert!(limit.take(Millis(120_000), 500_000).is_ok());
        assert_eq!(limit.full_at.len(), 1);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut limit = Limit::new(2, 60, 10);
        assert!(limit.take(Millis(100_000_000), 1).is_ok());
        assert_eq!(limit.take(Millis(1000), 1), Err(30));
    }
}
