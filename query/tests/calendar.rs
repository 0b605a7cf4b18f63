//! Hours and days of clocks that are put forward and back.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
use headwater_core::{Grain, Minute};
use headwater_query::{Calendar, Date, DateTime};
use proptest::prelude::*;

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Havana",
    "Africa/Monrovia",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Africa/Cairo",
];

fn at(text: &str) -> Minute {
    let (time, offset) = DateTime::parse(text).unwrap();
    Minute(((time.to_unix() - offset.unwrap()) / 60) as u32)
}

fn hours_of(calendar: &Calendar, date: &str) -> Vec<(String, u32)> {
    let day = calendar.day_of(Date::parse(date).unwrap());
    let mut hours = Vec::new();
    let mut minute = day.start;
    while minute < day.end {
        let hour = calendar.hour(minute);
        assert_eq!(hour.start, minute);
        let label = calendar.local(hour.start).to_string()[11..16].to_owned();
        hours.push((label, hour.minutes()));
        minute = hour.end;
    }
    assert_eq!(minute, day.end, "a day ends where its last hour ends");
    hours
}

#[test]
fn a_zone_has_a_name_of_the_database() {
    assert_eq!(Calendar::new("europe/berlin").unwrap().name(), "Europe/Berlin");
    let error = Calendar::new("Mars/Olympus").unwrap_err().to_string();
    assert!(error.contains("Mars/Olympus"), "{error}");
}

#[test]
fn half_hours_and_quarter_hours_from_utc() {
    let kolkata = Calendar::new("Asia/Kolkata").unwrap();
    assert_eq!(kolkata.hour(at("2026-11-22T10:10:00Z")).start, at("2026-11-22T09:30:00Z"));
    assert_eq!(kolkata.day(at("2026-11-22T18:29:00Z")).end, at("2026-11-22T18:30:00Z"));
    let kathmandu = Calendar::new("Asia/Kathmandu").unwrap();
    assert_eq!(kathmandu.hour(at("2026-11-22T10:10:00Z")).end, at("2026-11-22T10:15:00Z"));
    assert_eq!(kathmandu.day(at("2026-11-22T10:10:00Z")).start, at("2026-11-21T18:15:00Z"));
}

#[test]
fn a_day_that_is_put_forward_has_23_hours() {
    let hours = hours_of(&Calendar::new("Europe/Berlin").unwrap(), "2026-03-29");
    assert_eq!(hours.len(), 23);
    assert_eq!(hours[1], ("01:00".into(), 60));
    assert_eq!(hours[2], ("03:00".into(), 60));
}

#[test]
fn a_repeated_hour_is_a_second_bucket() {
    let berlin = Calendar::new("Europe/Berlin").unwrap();
    let hours = hours_of(&berlin, "2026-10-25");
    assert_eq!(hours.len(), 25);
    assert_eq!((&*hours[2].0, &*hours[3].0), ("02:00", "02:00"));
    assert_ne!(berlin.hour(at("2026-10-25T00:30:00Z")), berlin.hour(at("2026-10-25T01:30:00Z")));
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    let lord_howe = Calendar::new("Australia/Lord_Howe").unwrap();
    let back = hours_of(&lord_howe, "2026-04-05");
    assert_eq!(back[1..4], [("01:00".into(), 60), ("01:30".into(), 30), ("02:00".into(), 60)]);
    let forward = hours_of(&lord_howe, "2026-10-04");
    assert_eq!(forward[1..4], [("01:00".into(), 60), ("02:30".into(), 30), ("03:00".into(), 60)]);
}

#[test]
fn a_clock_put_back_over_midnight_keeps_days_whole() {
    let havana = Calendar::new("America/Havana").unwrap();
    assert_eq!(havana.day_of(Date::parse("2026-11-01").unwrap()).minutes(), 25 * 60);
    // Newfoundland put its clock back at 00:01 until 2011: 23:01 to 24:00 comes again, but its date is over.
    let st_johns = Calendar::new("America/St_Johns").unwrap();
    let again = at("2010-11-07T02:40:00Z");
    assert_eq!(st_johns.local(again).to_string(), "2010-11-06 23:10:00");
    assert_eq!(st_johns.date(again), Date::parse("2010-11-07").unwrap());
    assert_eq!(st_johns.day(again), st_johns.day_of(Date::parse("2010-11-07").unwrap()));
}

#[test]
fn a_date_that_never_was_is_empty() {
    let apia = Calendar::new("Pacific/Apia").unwrap();
    assert!(apia.day_of(Date::parse("2011-12-30").unwrap()).is_empty());
    assert_eq!(apia.day_of(Date::parse("2011-12-29").unwrap()).end, apia.day_of(Date::parse("2011-12-31").unwrap()).start);
}

#[test]
fn dates_count_like_a_calendar() {
    let mut date = Date::parse("1970-01-01").unwrap();
    for days in 0..60_000 {
        assert_eq!((date.to_days(), Date::from_days(days)), (days, date));
        assert_eq!(date.monday().to_days().rem_euclid(7), 4);
        let next = date.plus_days(1);
        assert!(next == Date::new(date.year, date.month, date.day + 1).unwrap_or(date.first_of_month(1)));
        date = next;
    }
    assert_eq!(Date::parse("2026-02-29"), None);
    assert!(Date::parse("2028-02-29").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn buckets_part_the_minutes(zone in 0..ZONES.len(), minute in 0u32..70_000_000, extreme in 0u32..20) {
        let calendar = Calendar::new(ZONES[zone]).unwrap();
        for grain in Grain::ALL {
            let _ = calendar.bucket(grain, Minute(u32::MAX - minute)); // beyond the year 9999: some answer, no panic
        }
        let minute = Minute(if extreme == 0 { 4_223_290_000 - minute } else { minute });
        for grain in Grain::ALL {
            let span = calendar.bucket(grain, minute);
            prop_assert!(span.contains(minute), "{span:?} {minute:?}");
            for other in [span.start, Minute(span.end.0 - 1)] {
                prop_assert_eq!(calendar.bucket(grain, other), span, "{:?} {:?}", grain, other);
            }
        }
        let (hour, day) = (calendar.hour(minute), calendar.day(minute));
        prop_assert!(day.start <= hour.start && hour.end <= day.end, "{hour:?} {day:?}");
        prop_assert_eq!(calendar.day_of(calendar.date(minute)), day);
    }
}
