//! The last hour by minute, merged from two tellers: the realtime answer and the live feed. Both tell absolute values and no value
//! ever falls, so the larger of two is the later one, and the order in which they arrive does not matter.
use std::collections::BTreeMap;

use headwater_core::Minute;
use headwater_query::{DateTime, LiveMinute, Realtime};

/// How many minutes are shown.
pub const MINUTES: u32 = 60;

/// What happened in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Page views.
    pub pageviews: u64,
    /// Events, page views among them; only the live feed tells them.
    pub events: u64,
    /// Distinct visitors.
    pub visitors: u64,
}

/// The minutes known; at most [`MINUTES`], up to the last one told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    minutes: BTreeMap<u32, Cell>,
}

impl Strip {
    /// Merges a realtime answer. Says whether it held anything new.
    pub fn tell_realtime(&mut self, realtime: &Realtime) -> bool {
        let mut news = false;
        for told in &realtime.minutes {
            news |= self.tell(told.time, Cell { pageviews: told.pageviews, events: 0, visitors: told.visitors });
        }
        self.forget();
        news
    }

    /// Merges the minutes of a live frame. Says whether it held anything new.
    pub fn tell_live(&mut self, minutes: &[LiveMinute]) -> bool {
        let mut news = false;
        for told in minutes {
            let total = told.changes.iter().find(|change| change.dimension.is_empty() && change.value.is_empty());
            let cell = total.map_or(Cell::default(), |t| Cell { pageviews: t.pageviews, events: t.events, visitors: t.visitors });
            news |= self.tell(told.minute, cell);
        }
        self.forget();
        news
    }

    fn tell(&mut self, minute: Minute, told: Cell) -> bool {
        let known = self.minutes.entry(minute.0).or_default();
        let merged = Cell {
            pageviews: known.pageviews.max(told.pageviews),
            events: known.events.max(told.events),
            visitors: known.visitors.max(told.visitors),
        };
        let news = merged != *known;
        *known = merged;
        news
    }

    fn forget(&mut self) {
        if let Some((&last, _)) = self.minutes.last_key_value() {
            self.minutes = self.minutes.split_off(&(last + 1).saturating_sub(MINUTES));
        }
    }

    /// The hour that ends with the last minute told, oldest first; empty before anything was told.
    #[must_use]
    pub fn hour(&self) -> Vec<(Minute, Cell)> {
        let Some((&last, _)) = self.minutes.last_key_value() else { return Vec::new() };
        let first = (last + 1).saturating_sub(MINUTES);
        (first..=last).map(|m| (Minute(m), self.minutes.get(&m).copied().unwrap_or_default())).collect()
    }

    /// Page views of the hour.
    #[must_use]
    pub fn pageviews(&self) -> u64 {
        self.minutes.values().map(|cell| cell.pageviews).sum()
    }
}

/// A minute as the label that a time dimension would give it, on a clock that is `offset` minutes ahead of UTC.
#[must_use]
pub fn label(minute: Minute, offset: i64) -> String {
    DateTime::from_unix((i64::from(minute.0) + offset) * 60).to_string()
}

#[cfg(test)]
mod tests {
    use headwater_query::{Change, RealtimeMinute};

    use super::*;

    fn realtime(from: u32, views: &[u64]) -> Realtime {
        let minute = |(n, v): (usize, &u64)| RealtimeMinute {
            time: Minute(from + n as u32),
            pageviews: *v,
            visitors: v.min(&3).to_owned(),
        };
        Realtime { visitors: 1, events: 1, minutes: views.iter().enumerate().map(minute).collect() }
    }

    fn live(minute: u32, pageviews: u64) -> Vec<LiveMinute> {
        let row = |dimension: &str, value: &str, pageviews| Change {
            dimension: dimension.into(),
            value: value.into(),
            pageviews,
            events: pageviews,
            visitors: 1,
        };
        vec![LiveMinute { minute: Minute(minute), changes: vec![row("event:page", "/", 99), row("", "", pageviews)] }]
    }

    #[test]
    fn any_order_and_any_repetition_gives_the_same_hour() {
        let answer = realtime(1000, &[1, 2, 3]);
        let (frame, late) = (live(1002, 5), live(1002, 4));
        let mut a = Strip::default();
        a.tell_realtime(&answer);
        a.tell_live(&frame);
        a.tell_live(&late);
        let mut b = Strip::default();
        b.tell_live(&late);
        b.tell_live(&frame);
        b.tell_live(&frame);
        b.tell_realtime(&answer);
        assert_eq!(a, b);
        assert_eq!(a.hour().last(), Some(&(Minute(1002), Cell { pageviews: 5, events: 5, visitors: 3 })));
        assert_eq!(a.pageviews(), 8);
    }

    #[test]
    fn only_what_is_new_is_news() {
        let mut strip = Strip::default();
        assert!(strip.tell_live(&live(1000, 2)));
        assert!(!strip.tell_live(&live(1000, 2)));
        assert!(!strip.tell_live(&live(1000, 1)));
        assert!(!strip.tell_live(&[]));
        assert!(strip.tell_live(&live(1000, 3)));
        let mut click = live(1000, 3);
        click[0].changes[1].events = 4;
        assert!(strip.tell_live(&click), "a click is news although it is no view");
    }

    #[test]
    fn the_hour_is_sixty_minutes_and_moves_on() {
        let mut strip = Strip::default();
        assert!(strip.hour().is_empty());
        strip.tell_realtime(&realtime(1000, &[1; 60]));
        strip.tell_live(&live(1070, 7));
        let hour = strip.hour();
        assert_eq!(
            (hour.len(), hour[0].0, hour[59]),
            (60, Minute(1011), (Minute(1070), Cell { pageviews: 7, events: 7, visitors: 1 }))
        );
        assert_eq!(strip.pageviews(), 49 + 7);
    }

    #[test]
    fn a_minute_is_named_by_the_sites_clock() {
        assert_eq!(label(Minute(29_000_000), 330), "2025-02-20 02:50:00");
    }
}
