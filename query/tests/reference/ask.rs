//! Random queries, written as JSON and read by the parser.
use headwater_query::{Compare, CompareMode, DateRange, Moment, Query};
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
    "avg",
    "min",
    "max",
    "first",
    "last",
    "stddev",
    "variance",
    "p50",
    "p75",
    "p90",
    "p99",
    "total_revenue",
    "average_revenue",
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
    "visit:exit_page",
    "event:goal",
    "event:currency",
    "time:minute",
    "time:hour",
    "time:day",
    "time:week",
    "time:month",
];

pub(crate) fn random(rng: &mut Rng, world: &World) -> Query {
    let today = world.site.calendar().date(world.site.now);
    let range = match rng.below(6) {
        0 => json!(rng.pick(&["day", "24h", "month", "year", "12mo"])),
        1 => json!("7d"),
        2 => json!("all"),
        3 => json!(rng.pick(&["3d", "28d", "91d"])),
        4 => cut_range(rng, world),
        _ => {
            let from = today.plus_days(-(rng.below(15) as i64));
            json!([from.to_string(), from.plus_days(rng.below(20) as i64).to_string()])
        }
    };
    random_of(rng, world, range)
}

/// With what an answer may be compared.
pub(crate) fn comparison(rng: &mut Rng, world: &World) -> Compare {
    let today = world.site.calendar().date(world.site.now);
    let from = today.plus_days(-(rng.below(12) as i64));
    let custom = DateRange::Between(Moment::Date(from), Moment::Date(from.plus_days(rng.below(9) as i64)));
    let mode = rng.pick(&[CompareMode::PreviousPeriod, CompareMode::YearOverYear, CompareMode::Custom(custom)]);
    Compare { mode, match_day_of_week: rng.chance(2) }
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

pub(crate) fn random_of(rng: &mut Rng, world: &World, range: Value) -> Query {
    let mut metrics: Vec<&str> = METRICS.iter().copied().filter(|_| rng.chance(4)).collect();
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
    let filters: Vec<Value> = (0..rng.below(3)).map(|_| filter(rng, world, 0)).collect();
    let of_goal = |f: &Value| f[1] == "event:goal";
    let and_of_goal = |f: &Value| f[0] == "and" && f[1].as_array().is_some_and(|inner| inner.iter().any(of_goal));
    if dimensions.contains(&"event:goal") || filters.iter().any(|f| of_goal(f) || and_of_goal(f)) {
        metrics.extend(["conversion_rate", "group_conversion_rate"]);
    }
    // When in its bucket an event that only its goal gives a value happened is not known.
    let goals = json!([dimensions, filters]).to_string().contains("event:goal");
    metrics.retain(|metric| !goals || !["first", "last"].contains(metric));
    if metrics.is_empty() {
        metrics.push("visitors");
    }
    let query = json!({
        "site_id": "example.com", "metrics": metrics, "date_range": range, "dimensions": dimensions, "filters": filters,
    });
    Query::parse(query.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e}: {query}"))
}

fn filter(rng: &mut Rng, world: &World, depth: usize) -> Value {
    match if depth < 3 { rng.below(10) } else { 9 } {
        0 => json!(["and", list(rng, world, depth)]),
        1 => json!(["or", list(rng, world, depth)]),
        2 => json!(["not", filter(rng, world, depth + 1)]),
        3 => json!(["has_done", filter(rng, world, depth + 1)]),
        4 => json!(["has_not_done", filter(rng, world, depth + 1)]),
        _ => condition(rng, world),
    }
}

fn list(rng: &mut Rng, world: &World, depth: usize) -> Vec<Value> {
    (0..rng.below(3)).map(|_| filter(rng, world, depth + 1)).collect()
}

fn condition(rng: &mut Rng, world: &World) -> Value {
    let goals: Vec<&str> = world.site.goals.iter().map(|goal| &*goal.name).collect();
    let dimension = rng.pick(&DIMENSIONS[..14]);
    let values: &[&str] = match dimension {
        "event:page" | "visit:entry_page" | "visit:exit_page" => PAGES,
        "event:goal" if goals.is_empty() => return json!(["contains", "event:goal", ["a"]]),
        "event:goal" => &goals,
        "event:currency" => &["EUR", "USD", "", "CHF"],
        "event:name" => NAMES,
        "visit:source" => SOURCES,
        "event:hostname" => &["example.com", "www.example.com"],
        _ => VALUES,
    };
    let value = |rng: &mut Rng| match if dimension == "event:goal" { 7 } else { rng.below(8) } {
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
