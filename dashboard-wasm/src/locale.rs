//! How numbers, dates and hours are written where the reader is. The words of the page are English; these are the reader's, as the browser's
//! `Intl` writes them (<https://tc39.es/ecma402/>): it is asked once for samples, and from then on all is written here.
use std::cell::RefCell;
use std::rc::Rc;

use headwater_query::Date;

use crate::clock::Clock;

/// What writes samples: a browser's `Intl`. Each gives the kinds and texts of what it has written, in order.
pub trait Writer {
    /// A number, with some options.
    fn number(&self, value: f64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>>;
    /// A moment (seconds since 1970, UTC), with some options.
    fn moment(&self, seconds: i64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>>;
}

/// The text of the first part of a kind.
pub(crate) fn found(parts: &[(String, String)], kind: &str) -> Option<String> {
    parts.iter().find(|part| part.0 == kind).map(|part| part.1.clone())
}

/// The parts of a date that are written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `22 Nov`
    ShortDay,
    /// `22 Nov 2026`
    ShortDate,
    /// `Sun 22 Nov`
    ShortWeekday,
    /// `Nov 2026`
    ShortMonth,
    /// `22 November`
    LongDay,
    /// `Sunday 22 November`
    LongWeekday,
    /// `Sunday 22 November 2026`
    LongDate,
    /// `November 2026`
    LongMonth,
}

impl Form {
    const ALL: [Self; 8] = [
        Self::ShortDay,
        Self::ShortDate,
        Self::ShortWeekday,
        Self::ShortMonth,
        Self::LongDay,
        Self::LongWeekday,
        Self::LongDate,
        Self::LongMonth,
    ];

    const fn is_long(self) -> bool {
        matches!(self, Self::LongDay | Self::LongWeekday | Self::LongDate | Self::LongMonth)
    }

    /// Its parts, in the order in which English has them.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::ShortDay | Self::LongDay => &["day", "month"],
            Self::ShortDate => &["day", "month", "year"],
            Self::ShortWeekday | Self::LongWeekday => &["weekday", "day", "month"],
            Self::ShortMonth | Self::LongMonth => &["month", "year"],
            Self::LongDate => &["weekday", "day", "month", "year"],
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Day,
    Month,
    Weekday,
    Year,
    Text(String),
}

/// A form as it is written: its parts, and the names in it.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    parts: Vec<Part>,
    months: Vec<String>,
    /// From Monday.
    weekdays: Vec<String>,
}

/// A Monday, and the first of a year: 2024-01-01 00:00 UTC, in seconds.
const MONDAY: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

impl Written {
    fn read(writer: &impl Writer, form: Form) -> Option<Self> {
        let name = if form.is_long() { "long" } else { "short" };
        let options: Vec<_> =
            form.kinds().iter().map(|kind| (*kind, if matches!(*kind, "day" | "year") { "numeric" } else { name })).collect();
        let write = |at: i64| writer.moment(at, &options);
        let parts = write(MONDAY)?.into_iter().map(|(kind, text)| match &*kind {
            "day" => Part::Day,
            "month" => Part::Month,
            "weekday" => Part::Weekday,
            "year" => Part::Year,
            _ => Part::Text(text),
        });
        let named = |kind: &str, at: i64| Some(found(&write(at)?, kind).unwrap_or_default());
        let month = |n: u8| named("month", Date { year: 2024, month: n, day: 1 }.to_days() * DAY);
        let has_weekday = form.kinds().contains(&"weekday");
        Some(Self {
            parts: parts.collect(),
            months: (1..=12).map(month).collect::<Option<_>>()?,
            weekdays: (0..if has_weekday { 7 } else { 0 }).map(|n| named("weekday", MONDAY + n * DAY)).collect::<Option<_>>()?,
        })
    }

    fn english(form: Form) -> Self {
        let name = |name: &&str| if form.is_long() { (*name).to_owned() } else { name.chars().take(3).collect() };
        let mut parts = Vec::new();
        for kind in form.kinds() {
            if !parts.is_empty() {
                parts.push(Part::Text(" ".to_owned()));
            }
            parts.push(match *kind {
                "day" => Part::Day,
                "month" => Part::Month,
                "weekday" => Part::Weekday,
                _ => Part::Year,
            });
        }
        Self { parts, months: MONTHS.iter().map(name).collect(), weekdays: DAYS.iter().map(name).collect() }
    }

    fn date(&self, date: Date) -> String {
        let part = |part: &Part| match part {
            Part::Day => date.day.to_string(),
            Part::Month => self.months.get(usize::from(date.month) - 1).cloned().unwrap_or_default(),
            // 1970-01-01 was a Thursday.
            Part::Weekday => self.weekdays.get((date.to_days() + 3).rem_euclid(7) as usize).cloned().unwrap_or_default(),
            Part::Year => date.year.to_string(),
            Part::Text(text) => text.clone(),
        };
        self.parts.iter().map(part).collect()
    }
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// How numbers are written.
#[derive(Clone, Debug, PartialEq)]
struct Numbers {
    group: String,
    point: String,
    /// Digits of the last group, and of those before it.
    sizes: [usize; 2],
    /// How many digits are written without groups.
    alone: usize,
    /// What stands before and behind a number of per cent.
    percent: [String; 2],
}

impl Numbers {
    fn read(writer: &impl Writer) -> Option<Self> {
        let large = writer.number(123_456_789.5, &[])?;
        let mut digits = large.iter().rev().filter(|part| part.0 == "integer").map(|part| part.1.len());
        let last = digits.next().filter(|size| *size > 0)?;
        let alone = if found(&writer.number(1234.0, &[])?, "group").is_some() { last } else { last + 1 };
        let percent: String = writer.number(0.05, &[("style", "percent")])?.into_iter().map(|part| part.1).collect();
        let (before, behind) = percent.split_once('5')?;
        Some(Self {
            group: found(&large, "group").unwrap_or_default(),
            point: found(&large, "decimal")?,
            sizes: [last, digits.next().unwrap_or(last)],
            alone,
            percent: [before.to_owned(), behind.to_owned()],
        })
    }

    fn english() -> Self {
        let percent = [String::new(), "%".to_owned()];
        Self { group: ",".to_owned(), point: ".".to_owned(), sizes: [3, 3], alone: 3, percent }
    }
}

/// How all of it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Locale {
    numbers: Numbers,
    forms: Vec<Written>,
    clock: Clock,
}

impl Locale {
    /// What the writer's samples tell; `None` if it does not write as it should.
    #[must_use]
    pub fn read(writer: &impl Writer) -> Option<Self> {
        let forms = Form::ALL.iter().map(|form| Written::read(writer, *form)).collect::<Option<_>>()?;
        Some(Self { numbers: Numbers::read(writer)?, forms, clock: Clock::read(writer)? })
    }

    /// As it is written before anything is told.
    #[must_use]
    pub fn english() -> Self {
        let forms = Form::ALL.iter().map(|form| Written::english(*form)).collect();
        Self { numbers: Numbers::english(), forms, clock: Clock::english() }
    }
}

thread_local! {
    static HERE: RefCell<Rc<Locale>> = RefCell::new(Rc::new(Locale::english()));
}

fn here() -> Rc<Locale> {
    HERE.with_borrow(Rc::clone)
}

/// From now on all is written so; English before.
pub fn set(locale: Locale) {
    HERE.replace(Rc::new(locale));
}

/// A date.
#[must_use]
pub fn date(date: Date, form: Form) -> String {
    here().forms.get(form as usize).map(|written| written.date(date)).unwrap_or_default()
}

/// Days from one to another, as shortly as can be: `1–22 Nov 2026`, `28 Oct – 22 Nov 2026`.
#[must_use]
pub fn days(from: Date, to: Date) -> String {
    let end = date(to, Form::ShortDate);
    let here = here();
    let parts = here.forms.get(Form::ShortDate as usize).map_or(&[][..], |written| &written.parts);
    let year_last = parts.last() == Some(&Part::Year);
    match parts {
        _ if from == to => end,
        [Part::Day, Part::Text(text), ..] if year_last && (from.year, from.month) == (to.year, to.month) => {
            format!("{}{}–{end}", from.day, text.trim())
        }
        _ if year_last && from.year == to.year => format!("{} – {end}", date(from, Form::ShortDay)),
        _ => format!("{} – {end}", date(from, Form::ShortDate)),
    }
}

/// A time of the day.
#[must_use]
pub fn time(hour: u8, minute: u8) -> String {
    here().clock.write(hour, minute)
}

/// A number whose digits are given, with its groups apart.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let numbers = &here().numbers;
    let [last, others] = numbers.sizes;
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len() - at;
        if at > 0 && digits.len() > numbers.alone && left >= last && (left - last).is_multiple_of(others) {
            out.push_str(&numbers.group);
        }
        out.push(digit);
    }
    out
}

/// A number that is written with a point, with what stands here in its place.
#[must_use]
pub fn pointed(number: &str) -> String {
    number.replace('.', &here().numbers.point)
}

/// A number of per cent.
#[must_use]
pub fn percent(number: &str) -> String {
    let [before, behind] = &here().numbers.percent;
    format!("{before}{number}{behind}")
}
