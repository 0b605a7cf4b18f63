//! Beyond what samples hold: bounds that hold what is true in 95 of 100 cases, and no bounds only where it is certain.
use std::collections::{BTreeMap, HashMap};

use headwater_query::{Metric, MetricValue, Query, answer};

use crate::traffic::{Rng, World};
use crate::{ask, naive, tolerance};

/// Metrics of which a sample can't tell how far off they may be: they are those of whom was looked at.
const OF_THE_SAMPLE: &[Metric] = &[Metric::Min, Metric::Max, Metric::First, Metric::Last];
/// Rows with less are told by bounds so wide that they say little; they count like all others.
const QUERIES: usize = 60;

#[test]
fn bounds_hold_what_is_true_in_95_of_100_cases() {
    let mut held: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for seed in 0..6 {
        let mut rng = Rng(seed + 500);
        let world = World::crowded(&mut rng, 1500);
        let share = rng.pick(&[2, 4, 8]);
        let sampled = world.sampled(u64::MAX / share);
        for number in 0..QUERIES {
            let mut query = ask::random(&mut rng, &world);
            // By many dimensions at once every row is one event, which says nothing about bounds.
            query.dimensions.truncate(1);
            query.metrics.retain(|metric| *metric != Metric::Percentage || !query.dimensions.is_empty());
            let converts = [Metric::ConversionRate, Metric::GroupConversionRate];
            if Query::parse(serde_json::to_string(&query).unwrap().as_bytes()).is_err() {
                continue;
            }
            let ask =
                |query: &Query| answer(query, &sampled.site, |grain, span, need| Ok::<_, ()>(sampled.read(grain, span, need)));
            let found = match ask(&query) {
                Ok(found) => found,
                Err(_) => {
                    query.metrics.retain(|metric| !converts.contains(metric));
                    if query.metrics.is_empty() {
                        query.metrics.push(Metric::Visitors);
                    }
                    ask(&query).unwrap()
                }
            };
            let told = Query { date_range: found.query.date_range, ..query.clone() };
            let mut truth: HashMap<Vec<String>, Vec<Vec<MetricValue>>> = HashMap::new();
            for (dimensions, metrics) in naive::answer(&world, &told) {
                truth.entry(dimensions).or_default().push(metrics);
            }
            for (place, row) in found.results.iter().enumerate() {
                let asked =
                    || format!("seed {seed}, query {number}, {:?}: {}", row.dimensions, serde_json::to_string(&query).unwrap());
                // Two equal hours have one label.
                let Some([truth]) = truth.get(&row.dimensions).map(Vec::as_slice) else {
                    assert!(truth.contains_key(&row.dimensions), "there is no such row; {}", asked());
                    continue;
                };
                for ((metric, value), truth) in query.metrics.iter().zip(&row.metrics).zip(truth) {
                    let bounds = found.meta.bounds.get(place).and_then(|bounds| bounds.get(metric.name()));
                    let (Some(value), Some(truth)) = (value.number(), truth.number()) else { continue };
                    if OF_THE_SAMPLE.contains(metric) {
                        continue;
                    }
                    match bounds {
                        None => {
                            let off = (value - truth).abs();
                            assert!(
                                off <= tolerance(*metric) * truth.abs().max(1.0),
                                "{}: {value}, truly {truth}; {}",
                                metric.name(),
                                asked()
                            );
                        }
                        Some([low, high]) => {
                            assert!(
                                *low <= value + 1e-9 && value <= high + 1e-9,
                                "{}: {low} {value} {high}; {}",
                                metric.name(),
                                asked()
                            );
                            let slack = 1e-6 * truth.abs().max(1.0);
                            let holds = *low - slack <= truth && truth <= *high + slack;
                            let count = held.entry(metric.name()).or_default();
                            *count = (count.0 + u32::from(holds), count.1 + 1);
                        }
                    }
                }
            }
        }
    }
    let (all, asked) = held.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    println!("{all} of {asked}: {held:?}");
    assert!(asked > 5_000, "{asked}");
    assert!(f64::from(all) >= 0.95 * f64::from(asked), "{all} of {asked}: {held:?}");
    for (name, (held, asked)) in held {
        assert!(asked < 50 || f64::from(held) >= 0.90 * f64::from(asked), "{name}: {held} of {asked}");
    }
}
