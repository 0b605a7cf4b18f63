//! Whoever merges buckets by their totals tells what the server answers, or nothing.
use headwater_core::Grain;
use headwater_query::{Buckets, Date, DateRange, Dimension, Metric, Moment, Query, TimeDimension, answer, buckets};

use crate::traffic::{Rng, World};

const METRICS: [Metric; 7] = [
    Metric::Visitors,
    Metric::Visits,
    Metric::Pageviews,
    Metric::ViewsPerVisit,
    Metric::BounceRate,
    Metric::VisitDuration,
    Metric::Events,
];

fn range(from: Date, to: Date) -> DateRange {
    DateRange::Between(Moment::Date(from), Moment::Date(to))
}

fn fetched(world: &World, range: DateRange, grain: Grain) -> Buckets {
    let told = buckets(&range, grain, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need))).unwrap();
    let bytes = told.encode();
    assert_eq!(Buckets::decode(&bytes).as_ref(), Some(&told), "it comes as it was sent");
    assert_eq!(Buckets::decode(&bytes[..bytes.len() - 1]), None);
    told
}

/// Compares; says how many figures were told at all.
fn compare(world: &World, told: &Buckets, range: DateRange, seed: u64) -> usize {
    let ask = |query: &Query| answer(query, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need)));
    let query = Query::new("a.b", METRICS.to_vec(), range);
    let mut compared = 0;
    for metrics in [&METRICS[..], &METRICS[1..]] {
        let query = Query { metrics: metrics.to_vec(), ..query.clone() };
        if let Some((rows, meta)) = told.total(metrics) {
            let expected = ask(&query).unwrap();
            assert_eq!((rows, meta), (expected.results, expected.meta), "seed {seed}, {range:?}");
            compared += 1;
        }
        for unit in [TimeDimension::Hour, TimeDimension::Day, TimeDimension::Week, TimeDimension::Month] {
            let Some((rows, meta)) = told.by_time(unit, metrics) else { continue };
            let mut query = Query { dimensions: vec![Dimension::Time(unit)], ..query.clone() };
            query.include.time_labels = true;
            let expected = ask(&query).unwrap();
            assert_eq!((rows, meta), (expected.results, expected.meta), "seed {seed}, {unit:?}, {range:?}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn what_is_merged_elsewhere_is_what_the_server_answers() {
    let (mut compared, mut weeks, mut refused) = (0, 0, 0);
    for seed in 7000..7080 {
        let mut rng = Rng(seed);
        let mut world = World::random(&mut rng);
        if rng.chance(3) {
            // Most are left out of the samples, so that there are bounds.
            world = world.sampled(u64::MAX / 3);
        }
        let today = world.site.calendar().date(world.site.now);
        let from = today.plus_days(-(rng.below(20) as i64) - 3);
        let to = from.plus_days(rng.below(22) as i64);
        for grain in [Grain::Hour, Grain::Day] {
            let told = fetched(&world, range(from, to), grain);
            compared += compare(&world, &told, range(from, to), seed);
            weeks += usize::from(told.by_time(TimeDimension::Week, &METRICS).is_some());
            refused += usize::from(told.by_time(TimeDimension::Week, &METRICS).is_none());
            // A part of it, as who zooms sees it.
            let length = (to.to_days() - from.to_days()) as usize;
            let first = from.plus_days(rng.below(length + 1) as i64);
            let last = first.plus_days(rng.below((to.to_days() - first.to_days()) as usize + 1) as i64);
            if let Some(part) = told.between(first, last) {
                compared += compare(&world, &part, range(first, last), seed);
            }
            assert_eq!(told.between(from.plus_days(-1), to), None, "what was not fetched is not told");
        }
    }
    assert!(compared > 800 && weeks > 20 && refused > 20, "{compared} compared, {weeks} told by week, {refused} not");
}

#[test]
fn where_an_answer_holds_imports_nothing_is_told() {
    let mut world = World::random(&mut Rng(7));
    let today = world.site.calendar().date(world.site.now);
    let range = range(today.plus_days(-6), today.plus_days(-1));
    assert!(fetched(&world, range, Grain::Day).by_time(TimeDimension::Day, &METRICS).is_some());
    world.site.imported = Some((today.plus_days(-30), today.plus_days(-4)));
    let told = fetched(&world, range, Grain::Day);
    assert_eq!((told.total(&METRICS), told.by_time(TimeDimension::Week, &METRICS)), (None, None));
    // No import knows hours.
    assert!(fetched(&world, range, Grain::Hour).by_time(TimeDimension::Hour, &METRICS).is_some());
}

#[test]
fn a_range_that_cuts_a_bucket_is_refused() {
    let world = World::random(&mut Rng(7));
    let cut = DateRange::Hours24;
    let told = buckets(&cut, Grain::Day, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need)));
    let error = told.unwrap_err().to_string();
    assert!(error.contains("date_range") && error.contains("where a day does"), "{error}");
}
