//! Which minutes a range means, which buckets answer it, and what the answer calls them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
use headwater_core::{Grain, Minute, Packed};
use headwater_query::{
    Answer, AnswerError, Calendar, DateTime, Identity, Kept, Query, QueryError, Retention, SiteContext, Span, answer, plan,
};
use serde_json::{Value, json};

fn at(text: &str) -> Minute {
    let (time, offset) = DateTime::parse(text).unwrap();
    Minute(((time.to_unix() - offset.unwrap_or(0)) / 60) as u32)
}

fn site(zone: &str, now: &str) -> SiteContext {
    let mut site = SiteContext::new(Calendar::new(zone).unwrap(), Identity::Day, at(now));
    site.first_data = Some(at("2026-01-15T12:00:00Z"));
    site
}

fn ask(site: &SiteContext, range: Value, dimensions: Value, labels: bool) -> Result<Answer, AnswerError<()>> {
    let body = json!({
        "site_id": "example.com", "metrics": ["pageviews"], "date_range": range, "dimensions": dimensions,
        "include": {"time_labels": labels},
    });
    let query = Query::parse(body.to_string().as_bytes()).map_err(AnswerError::Query)?;
    answer(&query, site, |_, _, _| Ok(Vec::<(Span, std::sync::Arc<Packed>)>::new()))
}

fn told(site: &SiteContext, range: Value) -> [String; 2] {
    let answer = ask(site, range, json!([]), false).unwrap();
    serde_json::from_value(serde_json::to_value(answer.query.date_range).unwrap()).unwrap()
}

#[test]
fn named_ranges() {
    let site = site("Europe/Berlin", "2026-11-22T10:30:00Z");
    let cases = [
        ("day", "2026-11-22T00:00:00+01:00", "2026-11-22T23:59:59+01:00"),
        ("24h", "2026-11-21T12:00:00+01:00", "2026-11-22T11:59:59+01:00"),
        ("7d", "2026-11-15T00:00:00+01:00", "2026-11-21T23:59:59+01:00"),
        ("28d", "2026-10-25T00:00:00+02:00", "2026-11-21T23:59:59+01:00"),
        ("30d", "2026-10-23T00:00:00+02:00", "2026-11-21T23:59:59+01:00"),
        ("91d", "2026-08-23T00:00:00+02:00", "2026-11-21T23:59:59+01:00"),
        ("month", "2026-11-01T00:00:00+01:00", "2026-11-30T23:59:59+01:00"),
        ("6mo", "2026-05-01T00:00:00+02:00", "2026-10-31T23:59:59+01:00"),
        ("12mo", "2025-11-01T00:00:00+01:00", "2026-10-31T23:59:59+01:00"),
        ("year", "2026-01-01T00:00:00+01:00", "2026-12-31T23:59:59+01:00"),
        ("all", "2026-01-15T00:00:00+01:00", "2026-11-22T23:59:59+01:00"),
    ];
    for (name, from, to) in cases {
        assert_eq!(told(&site, json!(name)), [from, to], "{name}");
    }
}

#[test]
fn compared_ranges() {
    let site = site("Europe/Berlin", "2026-11-22T10:30:00Z"); // a Sunday
    let compared = |range: Value, comparisons: Value| -> [String; 2] {
        let body = json!({"site_id": "a", "metrics": ["visitors"], "date_range": range, "include": {"comparisons": comparisons}});
        let query = Query::parse(body.to_string().as_bytes()).unwrap();
        let answer = answer(&query, &site, |_, _, _| Ok::<_, ()>(Vec::<(Span, std::sync::Arc<Packed>)>::new())).unwrap();
        serde_json::from_value(serde_json::to_value(answer.meta.comparison.unwrap().date_range).unwrap()).unwrap()
    };
    let previous = json!({"mode": "previous_period"});
    let previous_weekday = json!({"mode": "previous_period", "match_day_of_week": true});
    let year = json!({"mode": "year_over_year"});
    let year_weekday = json!({"mode": "year_over_year", "match_day_of_week": true});
    let custom = json!({"mode": "custom", "date_range": ["2026-02-01", "2026-02-28"]});
    let hour = json!(["2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z"]);
    let cases = [
        (json!("day"), &previous, "2026-11-21T00:00:00+01:00", "2026-11-21T23:59:59+01:00"),
        (json!("7d"), &previous, "2026-11-08T00:00:00+01:00", "2026-11-14T23:59:59+01:00"),
        // Only the 22 days up to today, and a day is a day though the clock was put back in between.
        (json!("month"), &previous, "2026-10-10T00:00:00+02:00", "2026-10-31T23:59:59+01:00"),
        (json!("month"), &previous_weekday, "2026-10-11T00:00:00+02:00", "2026-11-01T23:59:59+01:00"),
        (json!("7d"), &year, "2025-11-15T00:00:00+01:00", "2025-11-21T23:59:59+01:00"),
        (json!("7d"), &year_weekday, "2025-11-16T00:00:00+01:00", "2025-11-22T23:59:59+01:00"),
        (json!(["2024-02-29", "2024-03-01"]), &year, "2023-02-28T00:00:00+01:00", "2023-03-01T23:59:59+01:00"),
        (json!("24h"), &previous, "2026-11-20T12:00:00+01:00", "2026-11-21T11:59:59+01:00"),
        (hour, &previous, "2026-11-01T12:00:00+01:00", "2026-11-01T12:59:59+01:00"),
        (json!("7d"), &custom, "2026-02-01T00:00:00+01:00", "2026-02-28T23:59:59+01:00"),
    ];
    for (range, comparisons, from, to) in cases {
        assert_eq!(compared(range.clone(), comparisons.clone()), [from, to], "{range} {comparisons}");
    }
}

#[test]
fn dates_include_both_and_date_times_end_where_they_say() {
    let site = site("Asia/Kathmandu", "2026-11-22T10:30:00Z");
    assert_eq!(told(&site, json!(["2026-11-01", "2026-11-02"])), ["2026-11-01T00:00:00+05:45", "2026-11-02T23:59:59+05:45"]);
    for end in ["2026-11-01T12:15:00Z", "2026-11-01T12:14:59Z"] {
        assert_eq!(told(&site, json!(["2026-11-01T12:00:00Z", end])), ["2026-11-01T17:45:00+05:45", "2026-11-01T17:59:59+05:45"]);
    }
    // What is told can be asked again.
    let again = told(&site, json!("7d"));
    assert_eq!(told(&site, json!(again)), again);
}

#[test]
fn ranges_out_of_order_or_inside_minutes_are_refused() {
    let site = site("UTC", "2026-11-22T10:30:00Z");
    let refused = |range: Value| match ask(&site, range, json!([]), false) {
        Err(AnswerError::Query(error)) => (error.status(), error.field().to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(json!(["2026-11-02", "2026-11-01"])), (400, "date_range".into()));
    assert_eq!(refused(json!(["2026-11-01T10:00:30Z", "2026-11-01T11:00:00Z"])), (422, "date_range[0]".into()));
    assert_eq!(refused(json!(["2026-11-01T10:00:00Z", "2026-11-01T11:00:01Z"])), (422, "date_range[1]".into()));
}

#[test]
fn before_the_first_data_and_in_the_future_is_nothing() {
    let site = site("UTC", "2026-11-22T10:30:00Z");
    for range in [json!(["2001-01-01", "2002-01-01"]), json!(["2090-01-01", "9999-12-31"]), json!(["0000-01-01", "1969-12-31"])] {
        let answer = ask(&site, range.clone(), json!(["time:day"]), false).unwrap();
        assert!(answer.results.is_empty());
        assert_eq!(ask(&site, range, json!([]), false).unwrap().results.len(), 1);
    }
    assert!(ask(&site, json!(["2001-01-01", "9999-12-31"]), json!(["time:minute"]), true).is_err());
}

#[test]
fn labels_are_the_sites_time() {
    let berlin = site("Europe/Berlin", "2026-10-25T10:30:00Z");
    let labels = |range: Value, dimension: &str| ask(&berlin, range, json!([dimension]), true).unwrap().meta.time_labels.unwrap();
    let hours = labels(json!("day"), "time");
    assert_eq!(hours.len(), 25);
    assert_eq!(hours[1..5], ["2026-10-25 01:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00", "2026-10-25 03:00:00"]);
    assert_eq!(labels(json!("7d"), "time").first().unwrap(), "2026-10-18");
    assert_eq!(
        labels(json!("6mo"), "time"),
        ["2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01", "2026-08-01", "2026-09-01"]
    );
    let weeks = labels(json!(["2026-10-01", "2026-10-14"]), "time:week");
    assert_eq!(weeks, ["2026-10-01", "2026-10-05", "2026-10-12"]);
    assert_eq!(labels(json!("24h"), "time:hour").len(), 24);
}

#[test]
fn the_coarsest_buckets_are_read() {
    let site = site("UTC", "2026-11-22T10:30:00Z");
    let grains = |range: Value, dimensions: Value| {
        let body = json!({"site_id": "a", "metrics": ["visitors"], "date_range": range, "dimensions": dimensions});
        let plan = plan(&Query::parse(body.to_string().as_bytes()).unwrap(), &site).unwrap();
        plan.reads.iter().map(|r| (r.grain, r.span.minutes())).collect::<Vec<_>>()
    };
    assert_eq!(grains(json!("30d"), json!(["time:day"])), [(Grain::Day, 30 * 1440)]);
    assert_eq!(grains(json!("30d"), json!(["time:month"])), [(Grain::Day, 30 * 1440)]);
    assert_eq!(grains(json!("day"), json!(["time:hour"])), [(Grain::Hour, 1440)]);
    assert_eq!(grains(json!("day"), json!(["time:minute"])), [(Grain::Minute, 1440)]);
    assert_eq!(
        grains(json!(["2026-11-19T22:58:00Z", "2026-11-21T01:00:00Z"]), json!([])),
        [(Grain::Minute, 2), (Grain::Hour, 60), (Grain::Day, 1440), (Grain::Hour, 60)]
    );
}

#[test]
fn what_is_not_kept_is_named() {
    let mut site = site("UTC", "2026-11-22T10:30:00Z");
    site.retention = Retention::of_days(site.now, |grain| match grain {
        Grain::Minute => (Some(2), Some(2)),
        Grain::Hour => (Some(90), Some(9)),
        Grain::Day => (None, None),
    });
    assert_eq!(site.retention.day, Kept::default());
    let refused = |metric: &str, range: Value, dimensions: Value| -> Option<QueryError> {
        let body = json!({"site_id": "a", "metrics": [metric], "date_range": range, "dimensions": dimensions});
        plan(&Query::parse(body.to_string().as_bytes()).unwrap(), &site).err()
    };
    assert!(refused("visitors", json!("91d"), json!(["time:day"])).is_none());
    assert!(refused("visitors", json!("7d"), json!(["time:hour"])).is_none());
    assert!(refused("pageviews", json!("28d"), json!(["time:hour"])).is_none());
    assert!(refused("visitors", json!("day"), json!(["time:minute"])).is_none());
    for (metric, range, dimension) in
        [("visitors", "28d", "time:hour"), ("pageviews", "91d", "time:hour"), ("pageviews", "7d", "time:minute")]
    {
        let error = refused(metric, json!(range), json!([dimension])).unwrap();
        assert_eq!((error.status(), error.field()), (422, "dimensions"));
        assert!(error.to_string().contains("days always") && error.to_string().contains("hours from"), "{error}");
    }
    let error = refused("pageviews", json!(["2026-06-01T10:00:00Z", "2026-11-21T00:00:00Z"]), json!([])).unwrap();
    assert_eq!((error.status(), error.field()), (422, "date_range"));
    // Before the first data nothing is missing.
    site.first_data = Some(at("2026-11-22T08:00:00Z"));
    let young = site;
    let body = json!({"site_id": "a", "metrics": ["visitors"], "date_range": "91d", "dimensions": ["time:hour"]});
    assert!(plan(&Query::parse(body.to_string().as_bytes()).unwrap(), &young).is_ok());
}

#[test]
fn a_range_longer_than_the_identity_window_says_its_unit() {
    let unit = |identity: Identity, range: Value| {
        let site = SiteContext::new(Calendar::utc(), identity, at("2026-11-22T10:30:00Z"));
        ask(&site, range, json!([]), false).unwrap().meta.visitors_unit
    };
    assert_eq!(unit(Identity::Day, json!("day")), None);
    assert_eq!(unit(Identity::Day, json!("24h")).as_deref(), Some("day"));
    assert_eq!(unit(Identity::Day, json!("7d")).as_deref(), Some("day"));
    assert_eq!(unit(Identity::Month, json!("7d")), None);
    assert_eq!(unit(Identity::Month, json!("30d")).as_deref(), Some("month"));
    assert_eq!(unit(Identity::Device, json!("all")), None);
}
