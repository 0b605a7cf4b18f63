//! Beyond 65,536 visitors in a bucket: estimates, and bounds that hold what is true in 95 of 100 cases.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
use std::sync::Arc;

use headwater_core::{Activity, Aggregate, EventDelta, Fold, Grain, Minute, Packed, VisitDimension, VisitorHash};
use headwater_query::{
    Answer, Buckets, Calendar, DateRange, Dimension, Identity, Meta, Metric, Query, ResultRow, SiteContext, Span, answer,
};
use serde_json::json;

const PEOPLE: u64 = 140_000;
/// The share of each source in per mille.
const SOURCES: &[(&str, u64)] = &[("a", 500), ("b", 300), ("c", 150), ("d", 40), ("e", 8), ("f", 2)];

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn source(person: u64) -> &'static str {
    let mut rest = mix(person ^ 0xabc) % 1000;
    SOURCES.iter().find(|s| rest.checked_sub(s.1).map(|r| rest = r).is_none()).unwrap().0
}

fn views(person: u64) -> u64 {
    1 + mix(person ^ 0xdef) % 4
}

fn bucket(seed: u64, day: u32) -> (Span, Arc<Packed>) {
    let mut folds = [Fold::new(), Fold::new()];
    for person in 0..PEOPLE {
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Source as usize] = source(person);
        visit[VisitDimension::Channel as usize] = source(person);
        folds[(person % 2) as usize].add(&Activity {
            visitor: VisitorHash(mix(mix(person) ^ mix(seed + u64::from(day)))),
            minute: Minute(day * 1440),
            tag: 1,
            visit: &visit,
            started: 1,
            went_on: u64::from(person % 3 == 0),
            events: &[EventDelta { name: "pageview", page: "/", count: views(person), ..EventDelta::default() }],
        });
    }
    let halves = folds.map(Fold::finish);
    let merged = Aggregate::merge(&halves.iter().collect::<Vec<_>>());
    assert!(!merged.people.is_complete());
    (Span { start: Minute(day * 1440), end: Minute((day + 1) * 1440) }, Arc::new(merged.into()))
}

fn ask(
    buckets: &[(Span, Arc<Packed>)],
    metrics: serde_json::Value,
    dimensions: serde_json::Value,
    filters: serde_json::Value,
) -> Answer {
    let site = SiteContext::new(Calendar::utc(), Identity::Day, Minute(20_802 * 1440 + 5));
    let body = json!({"site_id": "a", "metrics": metrics, "date_range": "2d", "dimensions": dimensions, "filters": filters});
    answer(&Query::parse(body.to_string().as_bytes()).unwrap(), &site, |_, _, _| Ok::<_, ()>(buckets.to_vec())).unwrap()
}

/// The same by one dimension, of rows that went over the wire.
fn merged(buckets: &[(Span, Arc<Packed>)], dimension: &str) -> (Vec<ResultRow>, Meta) {
    let site = SiteContext::new(Calendar::utc(), Identity::Day, Minute(20_802 * 1440 + 5));
    let dimension = Dimension::from_name(dimension).unwrap();
    let (range, by) = (DateRange::Days(2), std::slice::from_ref(&dimension));
    let told = headwater_query::buckets(&range, Grain::Day, by, &site, |_, _, _| Ok::<_, ()>(buckets.to_vec())).unwrap();
    let metrics = vec![Metric::Visitors, Metric::Visits];
    let query = Query { dimensions: vec![dimension], ..Query::new("a", metrics, range) };
    Buckets::decode(&told.encode()).unwrap().list(None, &query, str::to_lowercase).unwrap()
}

#[test]
fn estimates_are_near_and_bounds_hold_what_is_true() {
    let (mut held, mut asked) = (0, 0);
    for seed in 0..5 {
        let buckets = [bucket(seed, 20_800), bucket(seed, 20_801)];
        let total = ask(&buckets, json!(["visitors", "pageviews", "bounce_rate"]), json!([]), json!([]));
        let counted: u64 = (0..PEOPLE).map(views).sum();
        assert_eq!(total.results[0].metrics[1].number(), Some(2.0 * counted as f64), "counts stay exact");
        assert_eq!(total.meta.visitors_unit.as_deref(), Some("day"));
        assert_eq!(total.meta.bounds[0].keys().collect::<Vec<_>>(), ["visitors"]);
        let mut check = |answer: &Answer, row: usize, metric: &str, place: usize, truth: f64| {
            let [low, high] = answer.meta.bounds[row][metric];
            let value = answer.results[row].metrics[place].number().unwrap();
            assert!(low <= value.round() && value.round() <= high);
            assert!((value - truth).abs() <= 0.2 * truth, "{metric}: {value}, truly {truth}");
            asked += 1;
            held += usize::from(low <= truth && truth <= high);
        };
        check(&total, 0, "visitors", 0, 2.0 * PEOPLE as f64);
        for (name, _) in SOURCES {
            let people = || (0..PEOPLE).filter(|p| source(*p) == *name);
            let filtered =
                ask(&buckets, json!(["visitors", "pageviews", "visits"]), json!([]), json!([["is", "visit:source", [name]]]));
            check(&filtered, 0, "visitors", 0, 2.0 * people().count() as f64);
            check(&filtered, 0, "pageviews", 1, 2.0 * people().map(views).sum::<u64>() as f64);
            check(&filtered, 0, "visits", 2, 2.0 * people().count() as f64);
        }
        // A channel has a sketch of its own, so even a rare one is known within a few per cent.
        let channels = ask(&buckets, json!(["visitors", "visits"]), json!(["visit:channel"]), json!([]));
        for (row, result) in channels.results.iter().enumerate() {
            let truth = 2.0 * (0..PEOPLE).filter(|p| source(*p) == result.dimensions[0]).count() as f64;
            let value = result.metrics[0].number().unwrap();
            assert!((value - truth).abs() <= 0.03 * truth + 1.0, "{}: {value}, truly {truth}", result.dimensions[0]);
            if channels.meta.bounds[row].contains_key("visitors") {
                check(&channels, row, "visitors", 0, truth);
            }
            assert_eq!(result.metrics[1].number(), Some(truth), "visits are added up and exact");
        }
        assert_eq!(merged(&buckets, "visit:channel"), (channels.results, channels.meta), "elsewhere the same follows");
        let pages = ask(&buckets, json!(["visitors", "visits"]), json!(["event:page"]), json!([]));
        assert!(!pages.meta.bounds.is_empty());
        assert_eq!(merged(&buckets, "event:page"), (pages.results, pages.meta));
    }
    assert!(asked > 100 && held * 100 >= asked * 92, "{held} of {asked}");
}
