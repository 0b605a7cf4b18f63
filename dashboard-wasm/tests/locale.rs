//! Numbers, dates and hours as they are written in three places.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]
use headwater_dashboard::locale::{Form, Locale, Writer, date, days, grouped, percent, pointed, set, time};
use headwater_query::Date;

const DAY: i64 = 86_400;
const FORMS: [Form; 8] = [
    Form::ShortDay,
    Form::ShortDate,
    Form::ShortWeekday,
    Form::ShortMonth,
    Form::LongDay,
    Form::LongWeekday,
    Form::LongDate,
    Form::LongMonth,
];

/// Writes as a browser does whose reader is in one of three places.
struct Sample(&'static str);

impl Writer for Sample {
    fn number(&self, value: f64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let percent = !options.is_empty();
        Some(owned(match (self.0, percent, value > 1e6) {
            ("de", true, _) => &[("integer", "5"), ("literal", "\u{a0}"), ("percentSign", "%")],
            (_, true, _) => &[("integer", "5"), ("percentSign", "%")],
            ("de", _, true) => &[
                ("integer", "123"),
                ("group", "."),
                ("integer", "456"),
                ("group", "."),
                ("integer", "789"),
                ("decimal", ","),
                ("fraction", "5"),
            ],
            ("es", _, true) => &[("integer", "123"), ("group", "."), ("integer", "456789"), ("decimal", ","), ("fraction", "5")],
            ("es", ..) => &[("integer", "1234")],
            ("hi", _, true) => &[
                ("integer", "12"),
                ("group", ","),
                ("integer", "34"),
                ("group", ","),
                ("integer", "56"),
                ("group", ","),
                ("integer", "789"),
                ("decimal", "."),
                ("fraction", "5"),
            ],
            _ => &[("integer", "1"), ("group", "."), ("integer", "234")],
        }))
    }

    fn moment(&self, seconds: i64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let date = Date::from_days(seconds.div_euclid(DAY));
        let hour = seconds.rem_euclid(DAY) / 3600;
        let day = date.day.to_string();
        let month = if options.contains(&("month", "long")) { "Monat" } else { "Mon." };
        let month = format!("{month}{}", date.month);
        let year = date.year.to_string();
        let has = |kind: &str| options.iter().any(|option| option.0 == kind);
        let mut parts = Vec::new();
        if has("timeStyle") {
            let (hour, half) = match self.0 {
                "hi" => ((hour % 12).to_string(), Some(if hour < 12 { "AM" } else { "PM" })),
                "es" => (hour.to_string(), None),
                _ => (format!("{hour:02}"), None),
            };
            parts.extend([("hour", &*hour), ("literal", ":"), ("minute", "00")]);
            parts.extend(half.into_iter().flat_map(|half| [("literal", " "), ("dayPeriod", half)]));
            return Some(owned(&parts));
        }
        if has("weekday") {
            parts.extend([("weekday", "Tag"), ("literal", ", ")]);
        }
        let (end, last) = (if self.0 == "de" { ". " } else { " " }, [("literal", " "), ("year", &*year)]);
        if has("day") && self.0 != "hi" {
            parts.extend([("day", &*day), ("literal", end)]);
        }
        parts.push(("month", &*month));
        if has("day") && self.0 == "hi" {
            parts.extend([("literal", " "), ("day", &*day)]);
        }
        if has("year") {
            parts.extend(last);
        }
        Some(owned(&parts))
    }
}

fn owned(parts: &[(&str, &str)]) -> Vec<(String, String)> {
    parts.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
}

fn in_place(place: &'static str, check: impl FnOnce()) {
    set(Locale::read(&Sample(place)).expect("samples"));
    check();
    set(Locale::english());
}

fn on(text: &str) -> Date {
    Date::parse(text).unwrap()
}

#[test]
fn numbers_are_those_of_the_place() {
    assert_eq!(
        [grouped("999"), grouped("1234"), grouped("1234567"), pointed("2.5"), percent("37")],
        ["999", "1,234", "1,234,567", "2.5", "37%"]
    );
    in_place("de", || assert_eq!([grouped("1234567"), pointed("2.5"), percent("37")], ["1.234.567", "2,5", "37\u{a0}%"]));
    in_place("es", || assert_eq!([grouped("1234"), grouped("12345")], ["1234", "12345"], "its groups are of six here"));
    in_place("hi", || assert_eq!([grouped("1234"), grouped("1234567"), grouped("12345")], ["1,234", "12,34,567", "12,345"]));
}

#[test]
fn dates_are_those_of_the_place() {
    let sunday = on("2026-11-22");
    let all = || FORMS.map(|form| date(sunday, form));
    assert_eq!(
        all(),
        [
            "22 Nov",
            "22 Nov 2026",
            "Sun 22 Nov",
            "Nov 2026",
            "22 November",
            "Sunday 22 November",
            "Sunday 22 November 2026",
            "November 2026"
        ]
    );
    in_place("de", || {
        let all = all();
        assert_eq!(all[1..4], ["22. Mon.11 2026", "Tag, 22. Mon.11", "Mon.11 2026"]);
        assert_eq!(all[6], "Tag, 22. Monat11 2026");
    });
    in_place("hi", || assert_eq!(all()[1], "Mon.11 22 2026"));
}

#[test]
fn days_are_named_as_shortly_as_they_can_be() {
    let named = |from: &str, to: &str| days(on(from), on(to));
    assert_eq!(named("2026-11-22", "2026-11-22"), "22 Nov 2026");
    assert_eq!(named("2026-11-01", "2026-11-22"), "1–22 Nov 2026");
    assert_eq!(named("2026-10-28", "2026-11-22"), "28 Oct – 22 Nov 2026");
    assert_eq!(named("2025-12-28", "2026-01-03"), "28 Dec 2025 – 3 Jan 2026");
    in_place("de", || assert_eq!(named("2026-11-01", "2026-11-22"), "1.–22. Mon.11 2026"));
    in_place("hi", || assert_eq!(named("2026-11-01", "2026-11-22"), "Mon.11 1 – Mon.11 22 2026"));
}

#[test]
fn hours_are_counted_once_or_twice() {
    let some = || [time(0, 0), time(9, 5), time(12, 0), time(23, 59)];
    assert_eq!(some(), ["00:00", "09:05", "12:00", "23:59"]);
    in_place("es", || assert_eq!(some(), ["0:00", "9:05", "12:00", "23:59"]));
    in_place("hi", || assert_eq!(some(), ["12 AM", "9:05 AM", "12 PM", "11:59 PM"]));
}
