//! Whoever merges buckets by their totals and rows tells what the server answers, or nothing.
use headwater_core::Grain;
use headwater_query::{
    Buckets, Comparison, Condition, Date, DateRange, Dimension, Direction, Filter, Metric, Moment, OrderBy, OrderKey, Pagination,
    Query, TimeDimension, VisitProperty as V, answer, buckets,
};

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
    with_rows(world, range, grain, &[])
}

fn with_rows(world: &World, range: DateRange, grain: Grain, dimensions: &[Dimension]) -> Buckets {
    let read = |grain, span, need| Ok::<_, ()>(world.read(grain, span, need));
    let told = buckets(&range, grain, dimensions, &world.site, read).unwrap();
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

/// Some traffic, now and then with samples that leave most out, so that there are bounds; and days in it.
fn world(rng: &mut Rng) -> (World, Date, Date) {
    let mut world = World::random(rng);
    if rng.chance(3) {
        world = world.sampled(u64::MAX / 3);
    }
    let today = world.site.calendar().date(world.site.now);
    let from = today.plus_days(-(rng.below(20) as i64) - 3);
    (world, from, from.plus_days(rng.below(22) as i64))
}

/// A part of them, as who zooms sees it.
fn part(rng: &mut Rng, from: Date, to: Date) -> (Date, Date) {
    let first = from.plus_days(rng.below((to.to_days() - from.to_days()) as usize + 1) as i64);
    (first, first.plus_days(rng.below((to.to_days() - first.to_days()) as usize + 1) as i64))
}

#[test]
fn what_is_merged_elsewhere_is_what_the_server_answers() {
    let (mut compared, mut weeks, mut refused) = (0, 0, 0);
    for seed in 7000..7080 {
        let mut rng = Rng(seed);
        let (world, from, to) = world(&mut rng);
        for grain in [Grain::Hour, Grain::Day] {
            let told = fetched(&world, range(from, to), grain);
            compared += compare(&world, &told, range(from, to), seed);
            weeks += usize::from(told.by_time(TimeDimension::Week, &METRICS).is_some());
            refused += usize::from(told.by_time(TimeDimension::Week, &METRICS).is_none());
            let (first, last) = part(&mut rng, from, to);
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
    let told = buckets(&cut, Grain::Day, &[], &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need)));
    let error = told.unwrap_err().to_string();
    assert!(error.contains("date_range") && error.contains("where a day does"), "{error}");
}

fn by() -> [Dimension; 10] {
    [
        Dimension::Name,
        Dimension::Page,
        Dimension::Hostname,
        Dimension::Visit(V::Source),
        Dimension::Visit(V::EntryPage),
        Dimension::Visit(V::Country),
        Dimension::Visit(V::UtmCampaign),
        Dimension::Visit(V::Channel),
        Dimension::Prop("plan".to_owned()),
        Dimension::Prop("none".to_owned()),
    ]
}
const OF_ROWS: [Metric; 10] = [
    Metric::Visitors,
    Metric::Visits,
    Metric::Pageviews,
    Metric::Events,
    Metric::ViewsPerVisit,
    Metric::BounceRate,
    Metric::VisitDuration,
    Metric::TimeOnPage,
    Metric::ScrollDepth,
    Metric::Percentage,
];

/// A question for a list: some metrics in any order, sorted by any of them, some page of it, and now and then a search.
fn question(rng: &mut Rng, range: DateRange, dimension: &Dimension) -> Query {
    let mut metrics: Vec<Metric> = OF_ROWS.into_iter().filter(|_| rng.chance(3)).collect();
    if metrics.is_empty() {
        metrics.push(Metric::Visitors);
    }
    let turn = rng.below(metrics.len());
    metrics.rotate_left(turn);
    let mut query = Query { dimensions: vec![dimension.clone()], ..Query::new("a.b", metrics, range) };
    if rng.chance(2) {
        let key = match rng.chance(4) {
            true => OrderKey::Dimension(dimension.clone()),
            false => OrderKey::Metric(query.metrics[rng.below(query.metrics.len())]),
        };
        query.order_by.push(OrderBy { key, direction: rng.pick(&[Direction::Asc, Direction::Desc]) });
    }
    query.include.total_rows = rng.chance(2);
    query.pagination = Pagination { limit: 1 + rng.below(8) as u32, offset: rng.below(4) as u32 };
    if rng.chance(2) {
        query.metrics.retain(|metric| *metric != Metric::Percentage || rng.chance(4));
        if query.metrics.is_empty() || !query.order_by.is_empty() {
            query = Query { metrics: vec![Metric::Visitors, Metric::BounceRate], order_by: Vec::new(), ..query };
        }
        query.filters.push(Filter::When(Condition {
            dimension: dimension.clone(),
            comparison: Comparison::Contains,
            negated: false,
            values: vec![(rng.pick(&["BLOG", "o", "news", "/", "www", "Sign", "größe"])).to_owned()],
            case_sensitive: false,
        }));
    }
    query
}

#[test]
fn lists_that_are_merged_elsewhere_are_those_that_the_server_answers() {
    let (mut compared, mut estimated, mut searched, mut refused) = (0, 0, 0, 0);
    let by = by();
    for seed in 7000..7120 {
        let mut rng = Rng(seed);
        let (world, from, to) = world(&mut rng);
        let told = with_rows(&world, range(from, to), Grain::Day, &by);
        assert!(told.left_out.is_empty());
        for _ in 0..60 {
            let (first, last) = part(&mut rng, from, to);
            let (part, days) = if rng.chance(3) { (None, (from, to)) } else { (Some((first, last)), (first, last)) };
            let dimension = &by[rng.below(by.len())];
            let query = question(&mut rng, range(days.0, days.1), dimension);
            let Some((rows, meta)) = told.list(part, &query, str::to_lowercase) else {
                refused += 1;
                continue;
            };
            let expected = answer(&query, &world.site, |grain, span, need| Ok::<_, ()>(world.read(grain, span, need))).unwrap();
            let asked = serde_json::to_string(&query).unwrap();
            assert_eq!((&rows, &meta), (&expected.results, &expected.meta), "seed {seed}: {asked}");
            compared += usize::from(!rows.is_empty());
            estimated += usize::from(!meta.bounds.is_empty());
            searched += usize::from(!query.filters.is_empty() && !rows.is_empty());
        }
    }
    let counts = format!("{compared} compared, {estimated} estimated, {searched} searched, {refused} refused");
    assert!(compared > 1200 && estimated > 300 && searched > 50 && refused > 200, "{counts}");
}

#[test]
fn a_list_is_told_of_what_was_fetched_or_not_at_all() {
    let mut world = World::random(&mut Rng(7));
    let today = world.site.calendar().date(world.site.now);
    let days = range(today.plus_days(-6), today.plus_days(-1));
    let told = with_rows(&world, days, Grain::Day, &[Dimension::Page]);
    let query = Query { dimensions: vec![Dimension::Page], ..Query::new("a.b", vec![Metric::Pageviews], days) };
    assert!(told.list(None, &query, str::to_lowercase).is_some());
    assert_eq!(told.list(Some((today.plus_days(-7), today)), &query, str::to_lowercase), None, "other days");
    let other = |change: &dyn Fn(&mut Query)| {
        let mut query = query.clone();
        change(&mut query);
        told.list(None, &query, str::to_lowercase)
    };
    assert_eq!(other(&|query| query.dimensions = vec![Dimension::Name]), None);
    assert_eq!(other(&|query| query.dimensions.push(Dimension::Name)), None);
    assert_eq!(other(&|query| query.metrics.push(Metric::Sum)), None);
    assert_eq!(other(&|query| query.filters.push(Filter::is(Dimension::Page, "/"))), None);
    assert_eq!(other(&|query| query.include.imports = Some(true)), None);
    world.site.imported = Some((today.plus_days(-30), today.plus_days(-4)));
    assert_eq!(
        with_rows(&world, days, Grain::Day, &[Dimension::Page]).list(None, &query, str::to_lowercase),
        None,
        "an answer holds imports"
    );

    let refused = |grain, dimension: Dimension| {
        let told = buckets(&days, grain, &[Dimension::Name, dimension], &world.site, |_, _, _| {
            Ok::<_, ()>(Vec::<(_, std::sync::Arc<_>)>::new())
        });
        told.unwrap_err().to_string()
    };
    let error = refused(Grain::Day, Dimension::ExitPage);
    assert!(error.contains("dimensions[1]") && error.contains("visit:exit_page"), "{error}");
    assert!(refused(Grain::Day, Dimension::Goal).contains("event:goal"));
    assert!(refused(Grain::Hour, Dimension::Page).contains("grain"));
}
