//! The ranges that can be chosen.
use headwater_core::Minute;
use headwater_query::{Date, DateRange, DateTime, Moment, TimeDimension};

/// A range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// The last sixty minutes.
    Realtime,
    /// The site's day until now.
    #[default]
    Today,
    /// The day before.
    Yesterday,
    /// The site's current hour and the 23 before it.
    Hours24,
    /// Seven whole days that end yesterday.
    Days7,
    /// Twenty-eight whole days that end yesterday.
    Days28,
    /// Thirty whole days that end yesterday.
    Days30,
    /// Ninety-one whole days that end yesterday.
    Days91,
    /// The month until now.
    Month,
    /// The month before.
    LastMonth,
    /// The year until now.
    Year,
    /// The twelve months before this one.
    Months12,
    /// From the first bucket until now.
    All,
    /// From one day to another, both included; the first is not after the second.
    Custom(Date, Date),
}

impl Period {
    /// Every range that has a name, in the order of the menu.
    pub const ALL: [Self; 13] = [
        Self::Realtime,
        Self::Today,
        Self::Yesterday,
        Self::Hours24,
        Self::Days7,
        Self::Days28,
        Self::Days30,
        Self::Days91,
        Self::Month,
        Self::LastMonth,
        Self::Year,
        Self::Months12,
        Self::All,
    ];

    /// Those that are one click away.
    pub const NEAR: [Self; 4] = [Self::Today, Self::Days7, Self::Days28, Self::Months12];

    /// The name in the address; of days of one's own, [`Period::Custom`], it is `2026-11-01,2026-11-22`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Realtime => "realtime",
            Self::Today => "day",
            Self::Yesterday => "yesterday",
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days28 => "28d",
            Self::Days30 => "30d",
            Self::Days91 => "91d",
            Self::Month => "month",
            Self::LastMonth => "last-month",
            Self::Year => "year",
            Self::Months12 => "12mo",
            Self::All => "all",
            Self::Custom(from, to) => return format!("{from},{to}"),
        }
        .into()
    }

    /// The range of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some((from, to)) = name.split_once(',') {
            return Self::between(Date::parse(from)?, Date::parse(to)?);
        }
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// The days from one to another, in whatever order they are told.
    #[must_use]
    pub fn between(a: Date, b: Date) -> Option<Self> {
        // Half the API's longest range is more than anybody looks at, and keeps dates far from the end of the calendar.
        ((a.to_days() - b.to_days()).abs() < 5000).then(|| Self::Custom(a.min(b), a.max(b)))
    }

    /// The words on the selector.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Realtime => "Realtime",
            Self::Today => "Today",
            Self::Yesterday => "Yesterday",
            Self::Hours24 => "24 hours",
            Self::Days7 => "7 days",
            Self::Days28 => "28 days",
            Self::Days30 => "30 days",
            Self::Days91 => "91 days",
            Self::Month => "Month to date",
            Self::LastMonth => "Last month",
            Self::Year => "Year to date",
            Self::Months12 => "12 months",
            Self::All => "All time",
            Self::Custom(from, to) => return crate::locale::days(from, to),
        }
        .into()
    }

    /// The words in a sentence: "no visits …".
    #[must_use]
    pub fn phrase(self) -> String {
        match self {
            Self::Realtime => "in the last hour",
            Self::Today => "today",
            Self::Yesterday => "yesterday",
            Self::Hours24 => "in the last 24 hours",
            Self::Days7 => "in the last 7 days",
            Self::Days28 => "in the last 28 days",
            Self::Days30 => "in the last 30 days",
            Self::Days91 => "in the last 91 days",
            Self::Month => "this month",
            Self::LastMonth => "last month",
            Self::Year => "this year",
            Self::Months12 => "in the last 12 months",
            Self::All => "at any time",
            Self::Custom(from, to) if from == to => return format!("on {}", crate::locale::days(from, to)),
            Self::Custom(from, to) => return format!("in {}", crate::locale::days(from, to)),
        }
        .into()
    }

    /// The key that chooses it (Plausible's), where there is one.
    #[must_use]
    pub const fn key(self) -> Option<char> {
        Some(match self {
            Self::Realtime => 'r',
            Self::Today => 'd',
            Self::Yesterday => 'e',
            Self::Days7 => 'w',
            Self::Days28 => 'f',
            Self::Days30 => 't',
            Self::Days91 => 'n',
            Self::Month => 'm',
            Self::LastMonth => 'p',
            Self::Year => 'y',
            Self::Months12 => 'l',
            Self::All => 'a',
            Self::Hours24 | Self::Custom(..) => return None,
        })
    }

    /// The range that a key chooses.
    #[must_use]
    pub fn from_key(key: char) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        Self::ALL.into_iter().find(|period| period.key() == Some(key))
    }

    /// Whether what happens now changes its figures; `today` is the site's.
    #[must_use]
    pub fn includes_now(self, today: Date) -> bool {
        match self {
            Self::Realtime | Self::Today | Self::Hours24 | Self::Month | Self::Year | Self::All => true,
            Self::Custom(from, to) => (from..=to).contains(&today),
            _ => false,
        }
    }

    /// Whether there is a time before it to compare with.
    #[must_use]
    pub const fn is_comparable(self) -> bool {
        !matches!(self, Self::Realtime | Self::All)
    }

    /// How the chart parts it.
    #[must_use]
    pub fn grain(self) -> TimeDimension {
        match self {
            Self::Realtime => TimeDimension::Minute,
            Self::Today | Self::Yesterday | Self::Hours24 => TimeDimension::Hour,
            Self::Days7 | Self::Days28 | Self::Days30 | Self::Days91 | Self::Month | Self::LastMonth => TimeDimension::Day,
            Self::Year | Self::Months12 => TimeDimension::Month,
            Self::Custom(from, to) if (1..100).contains(&(to.to_days() - from.to_days())) => TimeDimension::Day,
            Self::All | Self::Custom(..) => TimeDimension::Auto,
        }
    }

    /// About how many days it has: enough to say by which units of time it can be shown. `today` and `since`, when counting began, are the site's.
    #[must_use]
    pub fn days(self, today: Date, since: Option<Date>) -> i64 {
        match self {
            Self::Realtime | Self::Today | Self::Yesterday | Self::Hours24 => 1,
            Self::Days7 => 7,
            Self::Days28 => 28,
            Self::Days30 => 30,
            Self::Days91 => 91,
            Self::Month | Self::LastMonth => 31,
            Self::Year | Self::Months12 => 365,
            Self::All => today.to_days() - since.unwrap_or(today).to_days() + 1,
            Self::Custom(from, to) => to.to_days() - from.to_days() + 1,
        }
    }

    /// The range as it is asked for. Only [`Period::Realtime`] needs to know the current minute.
    #[must_use]
    pub fn range(self, now: Minute) -> DateRange {
        match self {
            Self::Realtime => last(60, now),
            Self::Today => DateRange::Day,
            Self::Yesterday => DateRange::Days(1),
            Self::Hours24 => DateRange::Hours24,
            Self::Days7 => DateRange::Days(7),
            Self::Days28 => DateRange::Days(28),
            Self::Days30 => DateRange::Days(30),
            Self::Days91 => DateRange::Days(91),
            Self::Month => DateRange::Month,
            Self::LastMonth => DateRange::Months(1),
            Self::Year => DateRange::Year,
            Self::Months12 => DateRange::Months(12),
            Self::All => DateRange::All,
            Self::Custom(from, to) => DateRange::Between(Moment::Date(from), Moment::Date(to)),
        }
    }
}

/// The current minute and those before it, `minutes` in all.
#[must_use]
pub fn last(minutes: u32, now: Minute) -> DateRange {
    let at = |minute: i64| Moment::At(DateTime::from_unix(minute * 60), Some(0));
    let end = i64::from(now.0) + 1;
    DateRange::Between(at(end - i64::from(minutes)), at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn names_and_keys_lead_back() {
        for period in Period::ALL {
            assert_eq!(Period::from_name(&period.name()), Some(period));
            if let Some(key) = period.key() {
                assert_eq!(Period::from_key(key.to_ascii_uppercase()), Some(period));
            }
        }
        assert_eq!(Period::from_key('x'), None);
    }

    #[test]
    fn days_of_ones_own_are_put_in_order() {
        let period = Period::from_name("2026-11-22,2026-11-01");
        assert_eq!(period, Some(Period::Custom(date("2026-11-01"), date("2026-11-22"))));
        assert_eq!(period.map(Period::name).as_deref(), Some("2026-11-01,2026-11-22"));
        assert!(period.is_some_and(|p| p.includes_now(date("2026-11-22")) && !p.includes_now(date("2026-11-23"))));
        assert_eq!(Period::from_name("2026-11-22,2026-13-01"), None);
        assert_eq!(Period::from_name("0001-01-01,2026-01-01"), None);
    }

    #[test]
    fn realtime_is_the_hour_that_ends_with_this_minute() {
        let range = serde_json::to_value(Period::Realtime.range(Minute(29_900_000))).unwrap();
        let ends: Vec<_> = range.as_array().unwrap().iter().map(|end| DateTime::parse(end.as_str().unwrap()).unwrap()).collect();
        assert_eq!(ends.iter().map(|(at, _)| at.to_unix() / 60).collect::<Vec<_>>(), [29_899_941, 29_900_001]);
        assert!(ends.iter().all(|(_, offset)| *offset == Some(0)));
    }
}
