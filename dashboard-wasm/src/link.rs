//! The live connection as a state machine: when to connect again, from where to go on, when silence is a broken line. The shell owns
//! the socket, the clock and the chance, and does what it is told.
use headwater_query::LiveFrame;

/// How the connection stands, as shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Not yet open for the first time.
    #[default]
    Opening,
    /// Open.
    Live,
    /// Broken; the next attempt is planned.
    Broken,
    /// The browser itself has no network.
    Offline,
}

/// What a frame asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Merge these minutes.
    Minutes(Vec<headwater_query::LiveMinute>),
    /// The cursor was too old: ask for everything again.
    Everything,
}

/// The connection to one site's live feed.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// How it stands.
    pub state: LinkState,
    cursor: Option<String>,
    failures: u32,
    missed: u32,
}

/// The first wait in milliseconds, and the longest.
const FIRST: f64 = 400.0;
const LONGEST: f64 = 15_000.0;

impl Link {
    /// The path to connect to: from the last frame on, so that nothing between is missed.
    #[must_use]
    pub fn path(&self, site: &str) -> String {
        match &self.cursor {
            Some(cursor) => format!("/api/v1/sites/{site}/live?since={}", crate::url::encode(cursor)),
            None => format!("/api/v1/sites/{site}/live"),
        }
    }

    /// A frame came.
    pub fn frame(&mut self, frame: LiveFrame) -> Told {
        self.state = LinkState::Live;
        self.failures = 0;
        self.missed = 0;
        match frame {
            LiveFrame::Changes { cursor, minutes } => {
                self.cursor = Some(cursor);
                Told::Minutes(minutes)
            }
            LiveFrame::Reset { .. } => {
                self.cursor = None;
                Told::Everything
            }
        }
    }

    /// The connection ended or could not be made. Returns the wait until the next attempt in milliseconds; `chance` (0 to 1) spreads
    /// many dashboards that lost the same server.
    pub fn broken(&mut self, chance: f64) -> u32 {
        if self.state != LinkState::Offline {
            self.state = LinkState::Broken;
        }
        let wait = (FIRST * 2f64.powi(self.failures.min(10) as i32)).min(LONGEST);
        self.failures += 1;
        (wait * (0.5 + 0.5 * chance.clamp(0.0, 1.0))) as u32
    }

    /// The realtime answer told something (`news`) that the feed should have told before. Twice in a row without a frame between
    /// means that the line is dead although nobody closed it; then connect again.
    pub fn polled(&mut self, news: bool) -> bool {
        self.missed = if news { self.missed + 1 } else { 0 };
        let dead = self.state == LinkState::Live && self.missed >= 2;
        if dead {
            self.missed = 0;
        }
        dead
    }

    /// The browser says that it has, or has no, network.
    pub fn network(&mut self, there: bool) {
        self.failures = 0;
        self.state = if there { LinkState::Broken } else { LinkState::Offline };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(cursor: &str) -> LiveFrame {
        LiveFrame::Changes { cursor: cursor.into(), minutes: Vec::new() }
    }

    #[test]
    fn it_goes_on_where_the_last_frame_ended() {
        let mut link = Link::default();
        assert_eq!(link.path("a.example"), "/api/v1/sites/a.example/live");
        link.frame(changes("7/a b"));
        link.broken(0.5);
        assert_eq!(link.path("a.example"), "/api/v1/sites/a.example/live?since=7%2Fa%20b");
    }

    #[test]
    fn a_reset_forgets_the_cursor_and_asks_for_everything() {
        let mut link = Link::default();
        link.frame(changes("7"));
        assert_eq!(link.frame(LiveFrame::Reset { reset: true }), Told::Everything);
        assert_eq!(link.path("x"), "/api/v1/sites/x/live");
        assert_eq!(link.state, LinkState::Live);
    }

    #[test]
    fn waits_grow_to_a_limit_and_start_over_after_a_frame() {
        let mut link = Link::default();
        let waits: Vec<_> = (0..9).map(|_| link.broken(1.0)).collect();
        assert_eq!(waits, [400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000]);
        assert_eq!(link.broken(0.0), 7_500);
        assert_eq!(link.state, LinkState::Broken);
        link.frame(changes("1"));
        assert_eq!(link.broken(1.0), 400);
    }

    #[test]
    fn a_line_that_misses_news_twice_is_dead() {
        let mut link = Link::default();
        assert!(!link.polled(true) && !link.polled(true), "not before it was live");
        link.frame(changes("1"));
        assert!(!link.polled(true));
        link.frame(changes("2"));
        assert!(!link.polled(true) && !link.polled(false) && !link.polled(true));
        assert!(link.polled(true));
    }

    #[test]
    fn without_network_it_is_offline_until_there_is_one() {
        let mut link = Link::default();
        link.network(false);
        link.broken(0.0);
        assert_eq!(link.state, LinkState::Offline);
        link.network(true);
        assert_eq!(link.state, LinkState::Broken);
    }

    #[test]
    fn frames_are_read_from_json() {
        let read = |text: &str| serde_json::from_str::<LiveFrame>(text).ok();
        assert_eq!(read(r#"{"reset":true}"#), Some(LiveFrame::Reset { reset: true }));
        assert_eq!(read(r#"{"cursor":"9","minutes":[]}"#), Some(changes("9")));
    }
}
