//! How often to ask again while things move: at most once a second, never two at a time, and always once more after the last change.

/// The shortest time between two starts in milliseconds, for who is signed in.
pub const APART: f64 = 1000.0;
/// The same for who only looks at a public site: the server allows them 120 requests a minute, and a round is at most twelve.
pub const APART_GUEST: f64 = 12_000.0;

/// When the next round of questions starts. Times are milliseconds of one clock that the caller reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    apart: f64,
    started: Option<f64>,
    running: bool,
    planned: bool,
    wanted: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(APART)
    }
}

impl Pace {
    /// Rounds that start at least `apart` milliseconds after each other.
    #[must_use]
    pub const fn new(apart: f64) -> Self {
        Self { apart, started: None, running: false, planned: false, wanted: false }
    }

    /// Something changed. Returns after how many milliseconds to call [`Pace::start`]; nothing if that is planned already or a
    /// round is under way.
    pub fn changed(&mut self, now: f64) -> Option<u32> {
        if self.running {
            self.wanted = true;
            return None;
        }
        if self.planned {
            return None;
        }
        self.planned = true;
        let since = self.started.map_or(self.apart, |at| (now - at).max(0.0));
        Some((self.apart - since).max(0.0).ceil() as u32)
    }

    /// The round starts. False if one is under way: then leave it.
    pub fn start(&mut self, now: f64) -> bool {
        self.planned = false;
        if self.running {
            self.wanted = true;
            return false;
        }
        self.running = true;
        self.wanted = false;
        self.started = Some(now);
        true
    }

    /// The round ended. Returns after how many milliseconds to start again, if something changed meanwhile.
    pub fn done(&mut self, now: f64) -> Option<u32> {
        self.running = false;
        if self.wanted { self.changed(now) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_change_is_asked_for_at_once_and_a_burst_only_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.changed(0.0), Some(0));
        assert_eq!(pace.changed(1.0), None);
        assert!(pace.start(1.0));
        assert_eq!(pace.done(50.0), None);
        assert_eq!(pace.changed(300.0), Some(701));
    }

    #[test]
    fn a_change_while_asking_is_asked_for_again() {
        let mut pace = Pace::default();
        pace.changed(0.0);
        pace.start(0.0);
        assert_eq!(pace.changed(10.0), None);
        assert!(!pace.start(20.0));
        assert_eq!(pace.done(400.0), Some(600));
        assert!(pace.start(1000.0));
        assert_eq!(pace.done(3000.0), None);
        assert_eq!(pace.changed(5000.0), Some(0));
    }
}
