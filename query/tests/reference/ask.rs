//! Random queries, written as JSON and read by the parser.
use headwater_query::Query;
use serde_json::{Value, json};

use crate::traffic::{NAMES, PAGES, Rng, SOURCES, VALUES, World};

const METRICS: &[&str] = &[
    "visitors",
    "visits",
    "pageviews",
    "events",
    "bounce_rate",
    "views_per_visit",
    "visit_duration",
    "time_on_page",
    "scroll_depth",
    "count",
    "sum",
    "max",
];
const DIMENSIONS: &[&str] = &[
    "event:page",
    "event:name",
    "event:hostname",
    "event:props:plan",
    "event:props:none",
    "visit:source",
    "visit:entry_page",
    "visit:country",
    "visit:device",
    "visit:utm_campaign",
    "visit:channel",
    "time:minute",
    "time:hour",
    "time:day",
    "time:week",
    "time:month",
];

pub(crate) fn random(rng: &mut Rng, world: &World) -> Query {
    let today = world.site.calendar().date(world.site.now);
    let range = match rng.below(6) {
        0 => json!("day"),
        1 => json!("7d"),
        2 => json!("all"),
        3 => json!("3d"),
        4 => cut_range(rng, world),
        _ => {
            let from = today.plus_days(-(rng.below(15) as i64));
            json!([from.to_string(), from.plus_days(rng.below(20) as i64).to_string()])
        }
    };
    random_of(rng, range)
}

/// A range that begins and ends inside days.
pub(crate) fn cut_range(rng: &mut Rng, world: &World) -> Value {
    let start = world.site.first_data.unwrap().0 + rng.below(6 * 24 * 60) as u32;
    let end = start + [7, 60, 600, 3000, 9000][rng.below(5)] + rng.below(60) as u32;
    let text = |minute: u32| {
        let at = headwater_query::DateTime::from_unix(i64::from(minute) * 60).to_string();
        format!("{}+00:00", at.replace(' ', "T"))
    };
    json!([text(start), text(end)])
}

pub(crate) fn random_of(rng: &mut Rng, range: Value) -> Query {
    let mut metrics: Vec<&str> = METRICS.iter().copied().filter(|_| rng.chance(3)).collect();
    if metrics.is_empty() {
        metrics.push("visitors");
    }
    let mut dimensions: Vec<&str> = Vec::new();
    for _ in 0..rng.below(4) {
        let dimension = rng.pick(DIMENSIONS);
        let two_times = dimension.starts_with("time") && dimensions.iter().any(|d| d.starts_with("time"));
        if !dimensions.contains(&dimension) && !two_times {
            dimensions.push(dimension);
        }
    }
    if !dimensions.is_empty() && rng.chance(4) {
        metrics.push("percentage");
    }
    let filters: Vec<Value> = (0..rng.below(3)).map(|_| filter(rng, 0)).collect();
    let query = json!({
        "site_id": "example.com", "metrics": metrics, "date_range": range, "dimensions": dimensions, "filters": filters,
    });
    Query::parse(query.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e}: {query}"))
}

fn filter(rng: &mut Rng, depth: usize) -> Value {
    match if depth < 3 { rng.below(10) } else { 9 } {
        0 => json!(["and", list(rng, depth)]),
        1 => json!(["or", list(rng, depth)]),
        2 => json!(["not", filter(rng, depth + 1)]),
        3 => json!(["has_done", filter(rng, depth + 1)]),
        4 => json!(["has_not_done", filter(rng, depth + 1)]),
        _ => condition(rng),
    }
}

fn list(rng: &mut Rng, depth: usize) -> Vec<Value> {
    (0..rng.below(3)).map(|_| filter(rng, depth + 1)).collect()
}

fn condition(rng: &mut Rng) -> Value {
    let dimension = rng.pick(&DIMENSIONS[..11]);
    let values: &[&str] = match dimension {
        "event:page" | "visit:entry_page" => PAGES,
        "event:name" => NAMES,
        "visit:source" => SOURCES,
        "event:hostname" => &["example.com", "www.example.com"],
        _ => VALUES,
    };
    let value = |rng: &mut Rng| match rng.below(8) {
        0 => "Direct / None".to_owned(),
        1 => "(none)".to_owned(),
        _ => (rng.pick(values)).to_owned(),
    };
    let values = match rng.below(2) {
        0 => vec![value(rng)],
        _ => vec![value(rng), value(rng)],
    };
    let operator = rng.pick(&["is", "is", "is_not", "contains", "contains_not", "matches", "matches_not"]);
    let values: Vec<String> = match operator {
        "matches" | "matches_not" => vec![(rng.pick(&["^/blog", "a$", "^$", "[xyz]", "e.*e"])).to_owned()],
        "contains" | "contains_not" => vec![(rng.pick(&["blog", "o", "Z", "none", "/", "größe"])).to_owned()],
        _ => values,
    };
    if rng.chance(4) {
        json!([operator, dimension, values, {"case_sensitive": false}])
    } else {
        json!([operator, dimension, values])
    }
}
