//! Good queries with something changed anywhere: none panics, and what is refused is refused with the field at fault.
use headwater_query::{AnswerError, Query, QueryError, answer};
use serde_json::{Value, json};

use crate::ask;
use crate::traffic::{Rng, World};

/// Values that fit nowhere, or fit elsewhere.
fn anything(rng: &mut Rng) -> Value {
    match rng.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(1e300),
        4 => json!(u64::MAX),
        5 => json!(""),
        6 => json!([]),
        7 => json!({}),
        8 => json!([[]]),
        9 => json!("x".repeat(2000)),
        10 => json!(["is", "event:page", ["/"]]),
        11 => json!({"mode": "custom", "date_range": ["2026-10-20", "9999-12-31"]}),
        12 => json!(["(", "[a", "a{1000}{1000}", "\\"]),
        _ => {
            let words = [
                "visitors",
                "conversion_rate",
                "percentage",
                "event:goal",
                "visit:exit_page",
                "event:props:",
                "time",
                "time:minute",
                "has_done",
                "not",
                "matches",
                "desc",
                "day",
                "all",
                "5000d",
                "100mo",
                "2026-02-30",
                "2026-10-25T02:30:00",
                "2026-10-25T02:30:30Z",
                "9999-12-31",
                "0000-01-01",
                "previous_period",
                "\u{0}",
                "é",
            ];
            json!(rng.pick(&words))
        }
    }
}

/// Every place in a value, as a pointer (RFC 6901).
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), into)),
        Value::Object(map) => map.iter().for_each(|(key, item)| places(item, &format!("{at}/{key}"), into)),
        _ => {}
    }
}

fn mutate(rng: &mut Rng, query: &mut Value) {
    let mut all = Vec::new();
    places(query, "", &mut all);
    let place = &all[rng.below(all.len())];
    let new = anything(rng);
    let Some(slot) = query.pointer_mut(place) else { return };
    match slot {
        Value::Array(items) if rng.chance(2) => {
            let at = rng.below(items.len() + 1);
            match rng.below(3) {
                0 => items.insert(at, new),
                1 if at < items.len() => drop(items.remove(at)),
                _ => {
                    let double = items.first().cloned().unwrap_or(new);
                    items.push(double);
                }
            }
        }
        Value::Object(map) if rng.chance(2) => {
            let key =
                rng.pick(&["limit", "offset", "comparisons", "mode", "case_sensitive", "time_labels", "order_by", "filter"]);
            map.insert(key.to_owned(), new);
        }
        slot => *slot = new,
    }
}

/// The field, without its brackets and dots, must lead to something in the query, or to where something is missing.
fn named(field: &str, query: &Value) -> bool {
    let mut path: Vec<String> = field.replace('[', ".").replace(']', "").split('.').map(str::to_owned).collect();
    let last = path.pop().unwrap();
    let pointer = |path: &[String]| path.iter().map(|key| format!("/{key}")).collect::<String>();
    let top = ["site_id", "metrics", "date_range", "dimensions", "filters", "order_by", "include", "pagination"];
    let parent = query.pointer(&pointer(&path));
    if path.is_empty() {
        return top.contains(&last.as_str()) || query.get(&last).is_some();
    }
    parent.is_some() || path.first().is_some_and(|first| top.contains(&first.as_str()))
}

#[test]
fn no_query_panics_and_each_bad_one_names_its_field() {
    let (mut refused, mut answered) = (0, 0);
    for seed in 0..25 {
        let mut rng = Rng(seed + 9000);
        let world = World::random(&mut rng);
        for number in 0..200 {
            let mut query = serde_json::to_value(ask::random(&mut rng, &world)).unwrap();
            if rng.chance(3) {
                query["include"]["comparisons"] = serde_json::to_value(ask::comparison(&mut rng, &world)).unwrap();
            }
            for _ in 0..1 + rng.below(2) {
                mutate(&mut rng, &mut query);
            }
            let told = || format!("seed {seed}, query {number}: {query}");
            let asked = std::panic::catch_unwind(|| {
                let parsed = Query::parse(query.to_string().as_bytes()).map_err(AnswerError::Query)?;
                answer(&parsed, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need)))
            });
            match asked {
                Err(_) => panic!("it panicked: {}", told()),
                Ok(Ok(answer)) => {
                    assert!(serde_json::to_string(&answer).is_ok());
                    answered += 1;
                }
                Ok(Err(AnswerError::Query(QueryError::Json(_)))) => assert!(!query.is_object(), "{}", told()),
                Ok(Err(AnswerError::Query(error))) => {
                    let problem = error.problem();
                    assert!([400, 422].contains(&problem.status) && problem.detail.len() > 10);
                    let field = problem.field.unwrap_or_default();
                    assert!(!field.is_empty() && named(&field, &query), "{field:?}: {error}; {}", told());
                    refused += 1;
                }
                Ok(Err(AnswerError::Read(()))) => unreachable!(),
            }
        }
    }
    assert!(refused > 1000 && answered > 100, "{refused} refused, {answered} answered");
}
