//! Moments as text: ISO 8601 with a zone, in the profile of RFC 3339.
use headwater_core::Millis;

/// Reads `2026-01-31T12:00:00.123Z` or `2026-01-31T13:00:00+01:00`; seconds may be left out. `None` for anything else, and
/// for moments before 1970.
#[must_use]
pub fn parse(text: &str) -> Option<Millis> {
    let bytes = text.trim().as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let number = |from: &[u8]| from.iter().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')));
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?);
    let (separator, rest) = rest.split_first()?;
    let (clock, mut rest) = rest.split_at_checked(5)?;
    if !matches!(separator, b'T' | b't' | b' ') || clock[2] != b':' {
        return None;
    }
    let (hour, minute) = (number(&clock[..2])?, number(&clock[3..])?);
    let (mut second, mut milli) = (0, 0);
    if let Some((digits, tail)) = rest.strip_prefix(b":").and_then(|r| r.split_at_checked(2)) {
        second = number(digits)?;
        rest = tail;
        if let Some(fraction) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            let padded = fraction[..digits].iter().copied().chain(core::iter::repeat(b'0')).take(3);
            milli = padded.fold(0, |n, b| n * 10 + i64::from(b - b'0'));
            rest = &fraction[digits..];
            if digits == 0 {
                return None;
            }
        }
    }
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, tail @ ..] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(tail.strip_prefix(b":").unwrap_or(tail))?);
            if hours > 23 || minutes > 59 || !matches!(tail.len(), 0 | 2 | 3) {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    // 60 is a leap second: the first of the next minute, as in Unix time.
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from the civil calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let y = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = y.div_euclid(400) * 146_097 + y.rem_euclid(400) * 365 + y.rem_euclid(400) / 4 - y.rem_euclid(400) / 100
        + day_of_year
        - 719_468;
    let seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    u64::try_from(seconds * 1000 + milli).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-01-31T13:00:00+01:00", 1_769_860_800_000),
            ("2026-01-31T06:30-0530", 1_769_860_800_000),
            ("2026-01-31 12:00:00.5Z", 1_769_860_800_500),
            ("2026-12-31T23:59:60Z", 1_798_761_600_000),
        ] {
            assert_eq!(parse(text), Some(Millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-02-29T12:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+1",
            "2026-01-31T12:00:00+01:",
            "20260131T120000Z",
            "é026-01-31T12:00:00Z",
            "2026-01-31T12:00:00+01:00x",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(text in "[0-9:TZ+. -]{0,40}") {
            let _ = parse(&text);
        }
    }
}
