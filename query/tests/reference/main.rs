//! Answers compared with a naive reference: plain raw events, looked at one by one.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
mod ask;
mod malformed;
mod merged;
mod naive;
mod sampled;
mod together;
mod traffic;

use std::collections::HashMap;

use headwater_query::{Answer, Dimension, Metric, MetricValue, Pagination, Query, ResultRow, TimeDimension, answer};
use traffic::{Rng, World};

fn compare(world: &World, query: &Query) {
    let answer: Answer = match answer(query, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need))) {
        Ok(answer) => answer,
        Err(error) => panic!("{error:?}\n{}", serde_json::to_string(query).unwrap()),
    };
    // Which minutes a range means is another test's; here it is taken as it was understood.
    let told = Query { date_range: answer.query.date_range, ..query.clone() };
    let mut expected = naive::answer(world, &told);
    let mut found: Vec<(Vec<String>, Vec<MetricValue>)> =
        answer.results.iter().map(|row| (row.dimensions.clone(), row.metrics.clone())).collect();
    let key = |row: &(Vec<String>, Vec<MetricValue>)| row.0.clone();
    expected.sort_by_key(key);
    found.sort_by_key(key);
    let asked = serde_json::to_string_pretty(query).unwrap();
    assert_eq!(found.len(), expected.len(), "rows\n{asked}\n{found:#?}\n{expected:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.0, expected.0, "{asked}");
        for ((metric, found), expected) in query.metrics.iter().zip(&found.1).zip(&expected.1) {
            let close = match (found.number(), expected.number()) {
                (Some(a), Some(b)) => (a - b).abs() <= tolerance(*metric) * b.abs().max(1.0),
                (a, b) => a == b,
            };
            let close = close && currency(found) == currency(expected);
            assert!(close, "{}: {found:?}, expected {expected:?} in {:?}\n{asked}", metric.name(), expected);
        }
    }
    assert!(answer.meta.bounds.is_empty(), "everyone is in the samples, so nothing is estimated");
    assert_sorted(query, &answer);
    assert_a_page_is_a_part(world, query, &answer);
}

/// A quantile is within 1 % of the value; everything else is what it is.
const fn tolerance(metric: Metric) -> f64 {
    match metric {
        Metric::P50 | Metric::P75 | Metric::P90 | Metric::P99 => 0.0101,
        _ => 1e-6,
    }
}

fn currency(value: &MetricValue) -> Option<&str> {
    match value {
        MetricValue::Money { currency, .. } => Some(currency),
        _ => None,
    }
}

/// A page is what stands there in the whole answer, and the number of rows is that of the whole.
fn assert_a_page_is_a_part(world: &World, query: &Query, whole: &Answer) {
    let mut query = query.clone();
    query.pagination = Pagination { limit: 2, offset: 1 };
    query.include.total_rows = true;
    let page = answer(&query, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need))).unwrap();
    let of = |rows: &[ResultRow]| serde_json::to_value(rows).unwrap();
    let end = whole.results.len().min(3);
    assert_eq!(of(&page.results), of(&whole.results[end.min(1)..end]), "{}", serde_json::to_string(&query).unwrap());
    assert_eq!(page.meta.total_rows, Some(whole.results.len() as u64));
}

fn assert_sorted(query: &Query, answer: &Answer) {
    if !query.order_by.is_empty() || query.dimensions.iter().any(|d| d.time().is_some()) {
        return;
    }
    let first: Vec<f64> = answer.results.iter().map(|r| r.metrics[0].number().unwrap_or(f64::NEG_INFINITY)).collect();
    assert!(first.windows(2).all(|w| w[0] >= w[1]), "first metric descending");
}

/// Fixed seeds, so that a failure comes again: its seed is in the message.
fn worlds(seeds: std::ops::Range<u64>, queries: usize) {
    for seed in seeds {
        let mut rng = Rng(seed);
        let world = World::random(&mut rng);
        for number in 0..queries {
            let query = ask::random(&mut rng, &world);
            let told = std::panic::catch_unwind(|| compare(&world, &query));
            assert!(told.is_ok(), "seed {seed}, query {number}");
        }
    }
}

#[test]
fn random_queries_over_random_traffic_equal_the_reference() {
    worlds(0..80, 30);
}

/// What an answer says of another time is what it says when it is asked for that time.
#[test]
fn a_comparison_is_the_answer_about_the_other_time() {
    let mut compared = 0;
    for seed in 3000..3040 {
        let mut rng = Rng(seed);
        let world = World::random(&mut rng);
        for _ in 0..10 {
            let mut query = ask::random(&mut rng, &world);
            // A line of minutes has all its points when it is compared, more than fit a page.
            if query.dimensions.contains(&Dimension::Time(TimeDimension::Minute)) {
                continue;
            }
            query.include.comparisons = Some(ask::comparison(&mut rng, &world));
            let ask = |query: &Query| answer(query, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need)));
            let both = ask(&query).unwrap();
            let there = both.meta.comparison.as_ref().unwrap();
            let mut other = Query { date_range: there.date_range, ..query.clone() };
            other.include.comparisons = None;
            let told = serde_json::to_string(&query).unwrap();
            let other: HashMap<Vec<Option<String>>, Vec<MetricValue>> = ask(&other)
                .unwrap()
                .results
                .into_iter()
                .map(|r| (r.dimensions.into_iter().map(Some).collect(), r.metrics))
                .collect();
            let repeated_hours = told.contains("time:hour");
            for row in &both.results {
                let comparison = row.comparison.as_ref().unwrap();
                assert_eq!(comparison.change.len(), query.metrics.len());
                match other.get(&comparison.dimensions) {
                    // Two equal hours have one label.
                    _ if repeated_hours => {}
                    Some(metrics) => {
                        assert_eq!(&comparison.metrics, metrics, "seed {seed}: {told}");
                        compared += 1;
                    }
                    None => assert!(comparison.metrics.iter().all(|m| m.number().unwrap_or(0.0) == 0.0), "seed {seed}: {told}"),
                }
            }
            // Beside it the answer is what it is without.
            query.include.comparisons = None;
            let alone: Vec<_> = ask(&query).unwrap().results.into_iter().map(|row| (row.dimensions, row.metrics)).collect();
            let shown = |metrics: &[MetricValue]| metrics.iter().any(|m| m.number().unwrap_or(0.0) != 0.0);
            let rows = both.results.into_iter().map(|row| (row.dimensions, row.metrics));
            let (rows, alone): (Vec<_>, Vec<_>) =
                (rows.filter(|row| shown(&row.1)).collect(), alone.into_iter().filter(|row| shown(&row.1)).collect());
            assert_eq!(rows, alone, "seed {seed}: {told}");
        }
    }
    assert!(compared > 200, "{compared} rows were compared");
}

#[test]
fn buckets_of_every_grain_give_the_same_answer() {
    // The same range is read as days, or as hours and minutes where the ends are moved.
    for seed in 1000..1020 {
        let mut rng = Rng(seed);
        let world = World::random(&mut rng);
        for _ in 0..10 {
            let query = ask::random_of(&mut rng, &world, ask::cut_range(&mut Rng(seed), &world));
            compare(&world, &query);
        }
    }
}
