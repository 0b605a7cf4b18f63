//! What arrives, one line after the other, from the absolute values of the live feed: what a row has more than when it was last told.
use std::collections::{BTreeMap, VecDeque};

use headwater_core::PAGEVIEW;
use headwater_query::LiveMinute;

/// How many lines are kept.
pub const LINES: usize = 40;

/// Something that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Counts the lines, so that each can be told from the others.
    pub number: u64,
    /// When it was told, by the clock that was handed in.
    pub clock: String,
    /// The page that was viewed, or the event.
    pub what: What,
    /// How often.
    pub count: u64,
}

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A view of this page.
    View(String),
    /// An event of this name.
    Event(String),
}

/// The last lines, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The lines.
    pub lines: VecDeque<Arrival>,
    told: u64,
    known: BTreeMap<(u32, bool, String), u64>,
}

impl Arrivals {
    /// Merges the minutes of a frame, told at `clock`.
    pub fn tell(&mut self, minutes: &[LiveMinute], clock: &str) {
        for minute in minutes {
            for change in &minute.changes {
                let (is_view, now) = match change.dimension.as_str() {
                    "event:page" => (true, change.pageviews),
                    "event:name" if change.value != PAGEVIEW => (false, change.events),
                    _ => continue,
                };
                let known = self.known.entry((minute.minute.0, is_view, change.value.clone())).or_default();
                let more = now.saturating_sub(*known);
                if more == 0 {
                    continue;
                }
                *known = now;
                self.told += 1;
                let what = if is_view { What::View(change.value.clone()) } else { What::Event(change.value.clone()) };
                self.lines.push_front(Arrival { number: self.told, clock: clock.to_owned(), what, count: more });
            }
        }
        self.lines.truncate(LINES);
        // Minutes older than the feed's hour are never told again.
        if let Some(last) = self.known.last_key_value().map(|((minute, ..), _)| *minute) {
            self.known = self.known.split_off(&(last.saturating_sub(60), false, String::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_core::Minute;
    use headwater_query::Change;

    use super::*;

    fn frame(minute: u32, dimension: &str, value: &str, count: u64) -> Vec<LiveMinute> {
        let change = Change { dimension: dimension.into(), value: value.into(), pageviews: count, events: count, visitors: 1 };
        vec![LiveMinute { minute: Minute(minute), changes: vec![change] }]
    }

    #[test]
    fn only_what_is_more_than_before_arrives() {
        let mut arrivals = Arrivals::default();
        arrivals.tell(&frame(100, "event:page", "/", 2), "10:00:01");
        arrivals.tell(&frame(100, "event:page", "/", 2), "10:00:02");
        arrivals.tell(&frame(100, "event:page", "/", 5), "10:00:03");
        arrivals.tell(&frame(100, "event:name", "pageview", 5), "10:00:03");
        arrivals.tell(&frame(101, "event:name", "Signup", 1), "10:01:00");
        arrivals.tell(&frame(101, "visit:country", "DE", 1), "10:01:00");
        let lines: Vec<_> = arrivals.lines.iter().map(|a| (a.clock.as_str(), a.what.clone(), a.count)).collect();
        assert_eq!(
            lines,
            [
                ("10:01:00", What::Event("Signup".into()), 1),
                ("10:00:03", What::View("/".into()), 3),
                ("10:00:01", What::View("/".into()), 2)
            ]
        );
        arrivals.tell(&frame(500, "event:page", "/", 1), "17:00:00");
        assert_eq!(arrivals.known.len(), 1);
    }

    #[test]
    fn old_lines_are_dropped() {
        let mut arrivals = Arrivals::default();
        for n in 0..100 {
            arrivals.tell(&frame(n, "event:page", "/", 1), "10:00:00");
        }
        assert_eq!((arrivals.lines.len(), arrivals.lines.front().map(|a| a.number)), (LINES, Some(100)));
    }
}
