//! When to fold, when to send, when to wait. The shell does what it is told and reports what became of it.
//!
//! What is durable is the shell's: the batch that is under way, if any. It is written before its first send and sent byte for
//! byte until it is answered; only then are it and its range deleted, together. So whatever is killed whenever, the next
//! start finds either the range, or the batch, or neither, and a batch that comes twice is known by its number.
use headwater_core::Millis;

/// The longest pause between two attempts, in milliseconds, unless another is set.
pub const LONGEST: u64 = 5 * 60_000;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing waits: sleep until something arrives.
    Sleep,
    /// Sleep until then.
    Until(Millis),
    /// Fold a range into a batch and write both, then ask again.
    Fold,
    /// Send the batch under way.
    Send,
}

/// The flush of one inbox.
#[derive(Clone, Debug)]
pub struct Flush {
    /// From the first waiting record to its fold, in milliseconds. Meanwhile more gathers: what comes while a batch is under
    /// way goes into the next, so batches grow when the collector falls behind.
    every: u64,
    longest: u64,
    failures: u32,
    not_before: Millis,
}

impl Flush {
    /// `every`: milliseconds from the first waiting record to its fold; also the first pause after a failure. `longest`: the
    /// longest pause, usually [`LONGEST`].
    #[must_use]
    pub const fn new(every: u64, longest: u64) -> Self {
        Self { every, longest, failures: 0, not_before: Millis(0) }
    }

    /// What to do at `at`. `under_way`: a batch is written and not answered. `waiting`: since when the oldest record waits
    /// that is in no batch. `hurry`: the shell wants to end and waits for nothing but a collector that asked for it.
    #[must_use]
    pub fn next(&self, at: Millis, under_way: bool, waiting: Option<Millis>, hurry: bool) -> Next {
        let since = match (under_way, waiting) {
            (false, None) => return Next::Sleep,
            (false, Some(since)) => since,
            (true, _) => at,
        };
        // A clock that was set back must not make it wait for longer than a pause can be.
        if (1..=2 * self.longest).contains(&self.not_before.0.saturating_sub(at.0)) {
            return Next::Until(self.not_before);
        }
        if under_way {
            return Next::Send;
        }
        let due = since.0.min(at.0).saturating_add(if hurry { 0 } else { self.every });
        if due <= at.0 { Next::Fold } else { Next::Until(Millis(due)) }
    }

    /// The batch was answered with success and is deleted.
    pub const fn delivered(&mut self) {
        self.failures = 0;
        self.not_before = Millis(0);
    }

    /// The batch, or the writing of one, failed. The pause doubles each time, and `random` bits move it between half and
    /// one and a half times of that, so that edges that failed together do not come back together. Not before the
    /// collector's `Retry-After`, in milliseconds, if it told one.
    pub fn failed(&mut self, at: Millis, retry_after: Option<u64>, random: u32) {
        let pause = self.every.max(100).saturating_mul(1 << self.failures.min(20)).min(self.longest);
        let jittered = pause / 2 + ((pause * u64::from(random >> 16)) >> 16);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Millis(at.0 + jittered.max(retry_after.unwrap_or(0).min(self.longest)));
    }

    /// How many attempts have failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = Millis(1_000_000);

    #[test]
    fn it_gathers_then_folds_then_sends() {
        let flush = Flush::new(200, LONGEST);
        assert_eq!(flush.next(AT, false, None, false), Next::Sleep);
        assert_eq!(flush.next(AT, false, Some(AT), false), Next::Until(AT.offset(200)));
        assert_eq!(flush.next(AT.offset(200), false, Some(AT), false), Next::Fold);
        assert_eq!(flush.next(AT, false, Some(AT), true), Next::Fold);
        assert_eq!(flush.next(AT.offset(201), true, Some(AT), false), Next::Send);
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_heed_the_collector() {
        let mut flush = Flush::new(200, LONGEST);
        let mut pauses = vec![];
        for _ in 0..16 {
            flush.failed(AT, None, u32::MAX / 2);
            let Next::Until(then) = flush.next(AT, true, None, true) else { panic!("it must wait") };
            pauses.push(then.0 - AT.0);
        }
        assert!(pauses[..10].windows(2).all(|w| w[1].abs_diff(2 * w[0]) <= 2), "{pauses:?}");
        assert_eq!(pauses[15], pauses[14]);
        assert_eq!(flush.next(AT.offset(LONGEST as i64 * 2), true, None, false), Next::Send);
        // Writing waits too: the disk may be full.
        assert!(matches!(flush.next(AT, false, Some(AT), true), Next::Until(_)));
        flush.delivered();
        assert_eq!(flush.next(AT, true, None, false), Next::Send);
        flush.failed(AT, Some(30_000), 0);
        assert_eq!(flush.next(AT, true, None, false), Next::Until(AT.offset(30_000)));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_it() {
        let mut flush = Flush::new(200, LONGEST);
        flush.failed(AT.offset(86_400_000), None, 0);
        assert_eq!(flush.next(AT, true, None, false), Next::Send);
        assert_eq!(flush.next(AT, false, Some(AT.offset(86_400_000)), false), Next::Until(AT.offset(200)));
    }
}
