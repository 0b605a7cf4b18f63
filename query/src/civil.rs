//! Dates and times of day as they stand on a calendar and a clock, without a zone.
use core::fmt;

use serde::{Deserialize, Serialize};

/// A date of the proleptic Gregorian calendar, written `2026-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A date and a time of day, written `2026-11-22 10:00:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

const fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// The date, if there is such a day in the years 0 to 9999.
    #[must_use]
    pub const fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        if year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year as i64, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// Reads `2026-11-22`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
        let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
        Self::new(year, two(m1, m2)?, two(d1, d2)?)
    }

    /// Days since 1970-01-01 (Howard Hinnant, chrono-compatible low-level date algorithms, 2013).
    #[must_use]
    pub const fn to_days(self) -> i64 {
        let year = if self.month <= 2 { self.year as i64 - 1 } else { self.year as i64 };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = (self.month as i64 + 9) % 12;
        let of_year = (153 * month + 2) / 5 + self.day as i64 - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The date so many days after 1970-01-01, held within the years 0 to 9999.
    #[must_use]
    pub const fn from_days(days: i64) -> Self {
        if days < -719_528 {
            return Self { year: 0, month: 1, day: 1 };
        }
        if days > 2_932_896 {
            return Self { year: 9999, month: 12, day: 31 };
        }
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let place = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * place + 2) / 5 + 1) as u8;
        let month = if place < 10 { place as u8 + 3 } else { place as u8 - 9 };
        let year = (year_of_era + era * 400) as i16 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// This date moved by days.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self::from_days(self.to_days().saturating_add(days))
    }

    /// The first of the month so many months on.
    #[must_use]
    pub const fn first_of_month(self, months: i32) -> Self {
        let count = self.year as i32 * 12 + self.month as i32 - 1 + months;
        let year = count.div_euclid(12);
        if year < 0 {
            return Self { year: 0, month: 1, day: 1 };
        }
        if year > 9999 {
            return Self { year: 9999, month: 12, day: 1 };
        }
        Self { year: year as i16, month: count.rem_euclid(12) as u8 + 1, day: 1 }
    }

    /// The same date of the year before; of a leap day the day before it.
    #[must_use]
    pub const fn a_year_before(self) -> Self {
        let year = if self.year > 0 { self.year - 1 } else { 0 };
        match Self::new(year, self.month, self.day) {
            Some(date) => date,
            None => Self { year, month: self.month, day: 28 },
        }
    }

    /// The Monday on or before this date (ISO 8601 weeks).
    #[must_use]
    pub const fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        self.plus_days(-((self.to_days() + 3).rem_euclid(7)))
    }
}

impl DateTime {
    /// What a clock at offset 0 shows so many seconds after 1970-01-01T00:00:00.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        let of_day = seconds.rem_euclid(86_400);
        Self {
            date: Date::from_days(seconds.div_euclid(86_400)),
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }

    /// Seconds since 1970-01-01T00:00:00 on a clock at offset 0.
    #[must_use]
    pub const fn to_unix(self) -> i64 {
        self.date.to_days() * 86_400 + self.hour as i64 * 3600 + self.minute as i64 * 60 + self.second as i64
    }

    /// Reads `2026-11-22T10:00[:00[.000]]` or the same with a space, followed by nothing, `Z` or an offset; the second
    /// value is the offset in seconds, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, Option<i64>)> {
        let date = Date::parse(text.get(..10)?)?;
        let rest = text.get(10..)?.as_bytes();
        let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
        let (second, rest) = match rest {
            [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
            _ => (0, rest),
        };
        let rest = match rest {
            [b'.' | b',', digits @ ..] => {
                let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
                if count == 0 || count > 9 {
                    return None;
                }
                digits.get(count..)?
            }
            _ => rest,
        };
        let offset = match rest {
            [] => None,
            [b'Z' | b'z'] => Some(0),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
                let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
                Some(if *sign == b'-' { -seconds } else { seconds })
            }
            _ => return None,
        };
        let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
        // A leap second is the second before it, as in Unix time.
        (hour < 24 && minute < 60 && second <= 60).then_some((Self { date, hour, minute, second: second.min(59) }, offset))
    }
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}:{:02}", self.date, self.hour, self.minute, self.second)
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a date is written 2026-11-22"))
    }
}
