//! Numbers as people read them where they are. Full figures keep every digit; short ones fit a card or an axis.
use crate::locale;

/// 1234567 as `1,234,567`, or as it is written here.
#[must_use]
pub fn full(n: u64) -> String {
    locale::grouped(&n.to_string())
}

/// At most four characters and a unit: `999`, `1.2k`, `34.5k`, `120k`, `1.2M`. Rounded down, so that nothing looks reached before it is.
#[must_use]
pub fn short(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")];
    for (unit, name) in UNITS {
        if n >= unit {
            let tenths = n / (unit / 10);
            return if tenths >= 1000 || tenths.is_multiple_of(10) {
                format!("{}{name}", tenths / 10)
            } else {
                format!("{}{name}", locale::pointed(&format!("{}.{}", tenths / 10, tenths % 10)))
            };
        }
    }
    n.to_string()
}

/// A figure on a card: every digit up to 99,999, short beyond.
#[must_use]
pub fn card(n: u64) -> String {
    if n < 100_000 { full(n) } else { short(n) }
}

/// A number with at most two digits after the point, for attributes and for [`ratio`]. The general way to write such numbers would be a
/// twentieth of the page.
#[must_use]
pub fn decimal(value: f64) -> String {
    // A cast saturates.
    let hundredths = (value * 100.0).round() as i64;
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        rest if rest % 10 == 0 => format!("{sign}{whole}.{}", rest / 10),
        rest => format!("{sign}{whole}.{rest:02}"),
    }
}

/// A ratio with at most two digits after the point: `2.35`, `2.4`, `2`.
#[must_use]
pub fn ratio(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    locale::pointed(&decimal(value))
}

/// An amount with at most two digits after the point, and none where it has more than five before: `18.5`, `−1,234.25`, `123,457`.
#[must_use]
pub fn amount(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = if value.abs() < 100_000.0 { value.abs() } else { value.abs().round() };
    let written = decimal(size);
    let (whole, rest) = written.split_once('.').map_or((&*written, ""), |(whole, rest)| (whole, rest));
    let sign = if value < 0.0 { "−" } else { "" };
    let point = if rest.is_empty() { String::new() } else { locale::pointed(".") };
    format!("{sign}{}{point}{rest}", locale::grouped(whole))
}

/// A share that the API gives in per cent: `37%`, and below ten one digit after the point.
#[must_use]
pub fn percent(value: f64) -> String {
    if !value.is_finite() {
        "–".into()
    } else if value > 0.0 && value < 9.95 {
        locale::percent(&ratio((value * 10.0).round() / 10.0))
    } else {
        locale::percent(&decimal(value.round()))
    }
}

/// Seconds: `45s`, `3m 05s`, `1h 02m`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".into();
    }
    // A cast saturates.
    match seconds.round() as u64 {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        s => format!("{}h {:02}m", s / 3600, s / 60 % 60),
    }
}

/// A change with its sign and unit: `+12%`, `−3 pts`, `0%`. Beyond a thousand per cent it is written short.
#[must_use]
pub fn change(value: f64, unit: &str) -> String {
    let size = value.abs().round();
    let sign = match value {
        _ if size == 0.0 => "",
        v if v > 0.0 => "+",
        _ => "−",
    };
    format!("{sign}{}{unit}", short(size as u64))
}

/// `1 visitor`, `2 visitors`.
#[must_use]
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", full(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_short() {
        let written = [0.0, -0.004, 2.0, 2.5, 2.05, -3.456, 1e30, f64::NAN].map(decimal);
        assert_eq!(written, ["0", "0", "2", "2.5", "2.05", "-3.46", "92233720368547758.07", "0"]);
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let cases = [
            (0, "0"),
            (12, "12"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (n, text) in cases {
            assert_eq!(full(n), text);
        }
    }

    #[test]
    fn short_figures_never_promise_more_than_there_is() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1k"),
            (1049, "1k"),
            (1999, "1.9k"),
            (34_567, "34.5k"),
            (99_999, "99.9k"),
            (100_000, "100k"),
            (999_999, "999k"),
            (1_000_000, "1M"),
            (1_250_000, "1.2M"),
            (2_000_000_000, "2B"),
        ];
        for (n, text) in cases {
            assert_eq!(short(n), text, "{n}");
        }
    }

    #[test]
    fn ratios_and_percents_drop_what_says_nothing() {
        assert_eq!(ratio(2.0), "2");
        assert_eq!(ratio(2.345), "2.35");
        assert_eq!(ratio(2.4), "2.4");
        assert_eq!(ratio(f64::NAN), "–");
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(3.21), "3.2%");
        assert_eq!(percent(9.96), "10%");
        assert_eq!(percent(66.6667), "67%");
        assert_eq!(percent(100.0), "100%");
    }

    #[test]
    fn amounts_keep_their_cents() {
        let written = [18.5, -1234.25, 0.0, 99_999.99, 123_456.7, f64::INFINITY].map(amount);
        assert_eq!(written, ["18.5", "−1,234.25", "0", "99,999.99", "123,457", "–"]);
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(counted(1, "visit", "visits"), "1 visit");
        assert_eq!(counted(1200, "visit", "visits"), "1,200 visits");
    }

    #[test]
    fn seconds_and_changes() {
        assert_eq!(
            [0.0, 59.4, 60.0, 125.0, 3725.0, f64::NAN].map(duration),
            ["0s", "59s", "1m 00s", "2m 05s", "1h 02m", "–"].map(str::to_owned)
        );
        assert_eq!(
            (change(-0.2, "%"), change(1234.0, "%"), change(-7.0, " pts")),
            ("0%".into(), "+1.2k%".into(), "−7 pts".into())
        );
    }
}
