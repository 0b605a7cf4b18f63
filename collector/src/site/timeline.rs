//! Which zone and which identity governed a site's minutes: changes take effect at a local midnight, and what was
//! counted before stays as it is.
use headwater_core::{Grain, Minute};
use headwater_edge::Identity;
use headwater_query::{Calendar, DateTime, Span};

/// One zone and one identity, from a minute on.
#[derive(Clone, Debug)]
pub struct Era {
    /// The first minute.
    pub from: Minute,
    /// The zone's calendar.
    pub calendar: Calendar,
    /// How visitors are told apart.
    pub identity: Identity,
}

/// The eras of a site. The first began before everything.
#[derive(Clone, Debug)]
pub struct Timeline {
    first: Era,
    later: Vec<Era>,
}

impl Timeline {
    /// A site that always had this zone and this identity.
    #[must_use]
    pub const fn new(calendar: Calendar, identity: Identity) -> Self {
        Self { first: Era { from: Minute(0), calendar, identity }, later: Vec::new() }
    }

    /// From stored eras, in any order; `None` if there are none.
    #[must_use]
    pub fn from_eras(mut eras: Vec<Era>) -> Option<Self> {
        eras.sort_by_key(|era| era.from);
        let mut eras = eras.into_iter();
        let first = Era { from: Minute(0), ..eras.next()? };
        Some(Self { first, later: eras.collect() })
    }

    /// All eras, in order.
    pub fn eras(&self) -> impl DoubleEndedIterator<Item = &Era> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The era that holds a minute.
    #[must_use]
    pub fn at(&self, minute: Minute) -> &Era {
        self.eras().rev().find(|era| era.from <= minute).unwrap_or(&self.first)
    }

    /// The first era that begins after a minute.
    #[must_use]
    pub fn after(&self, minute: Minute) -> Option<&Era> {
        self.later.iter().find(|era| era.from > minute)
    }

    /// The bucket that holds a minute. Where a new era begins, the bucket before it ends.
    #[must_use]
    pub fn bucket(&self, grain: Grain, minute: Minute) -> Span {
        self.clip(self.at(minute).calendar.bucket(grain, minute), minute)
    }

    /// The identity window that holds a minute: a day, a month, or for `device` the whole era.
    #[must_use]
    pub fn window(&self, minute: Minute) -> Span {
        let era = self.at(minute);
        let natural = match era.identity {
            Identity::Day => era.calendar.day(minute),
            Identity::Month => {
                let today = era.calendar.date(minute);
                let start =
                    |months| era.calendar.minute(DateTime { date: today.first_of_month(months), hour: 0, minute: 0, second: 0 });
                Span { start: start(0), end: start(1) }
            }
            Identity::Device => Span { start: Minute(0), end: Minute(u32::MAX) },
        };
        self.clip(natural, minute)
    }

    /// When a change that is asked for at `now` takes effect: the end of the day of the site's clock.
    #[must_use]
    pub fn next_midnight(&self, now: Minute) -> Minute {
        self.at(now).calendar.day(now).end
    }

    fn clip(&self, span: Span, minute: Minute) -> Span {
        let start = span.start.max(self.at(minute).from);
        let end = self.after(minute).map_or(span.end, |next| span.end.min(next.from));
        Span { start, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(text: &str) -> Minute {
        let (at, _) = DateTime::parse(text).unwrap();
        Minute(u32::try_from(at.to_unix() / 60).unwrap())
    }

    fn moved() -> Timeline {
        let berlin = Calendar::new("Europe/Berlin").unwrap();
        let era = |from, calendar: &Calendar, identity| Era { from, calendar: calendar.clone(), identity };
        let kolkata = Calendar::new("Asia/Kolkata").unwrap();
        let at = minute("2026-06-14T22:00");
        Timeline::from_eras(vec![era(at, &kolkata, Identity::Month), era(Minute(0), &berlin, Identity::Day)]).unwrap()
    }

    #[test]
    fn a_change_of_zone_ends_the_day_before_and_shortens_the_day_after() {
        let timeline = moved();
        let change = minute("2026-06-14T22:00");
        let before = timeline.bucket(Grain::Day, Minute(change.0 - 1));
        assert_eq!((before.start, before.end), (minute("2026-06-13T22:00"), change));
        // Half past one in Kolkata: its 15 June has 22 and a half hours left less the time until then.
        let after = timeline.bucket(Grain::Day, change);
        assert_eq!((after.start, after.end), (change, minute("2026-06-15T18:30")));
        let hour = timeline.bucket(Grain::Hour, change);
        assert_eq!((hour.start, hour.end), (change, minute("2026-06-14T22:30")));
    }

    #[test]
    fn windows_follow_the_identity() {
        let timeline = moved();
        let day = timeline.window(minute("2026-06-14T12:00"));
        assert_eq!(day.minutes(), 24 * 60);
        let month = timeline.window(minute("2026-06-20T12:00"));
        assert_eq!((month.start, month.end), (minute("2026-06-14T22:00"), minute("2026-06-30T18:30")));
        let device = Timeline::new(Calendar::utc(), Identity::Device).window(Minute(5));
        assert_eq!((device.start, device.end), (Minute(0), Minute(u32::MAX)));
    }

    #[test]
    fn changes_wait_for_the_next_local_midnight() {
        assert_eq!(moved().next_midnight(minute("2026-06-10T12:00")), minute("2026-06-10T22:00"));
        assert_eq!(moved().next_midnight(minute("2026-06-10T22:00")), minute("2026-06-11T22:00"));
    }
}
