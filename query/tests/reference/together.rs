//! Questions that are answered together are answered as each alone, to the last digit of their bounds.
use std::cell::Cell;
use std::sync::Arc;

use headwater_core::{Activity, EventDelta, Fold, Minute, Packed, VisitDimension, VisitorHash};
use headwater_query::{
    Answer, Calendar, Dimension, Identity, Metric, OneByOne, Query, QueryError, SiteContext, Span, Task, Workers,
    answer_together, sets,
};

use crate::ask;
use crate::traffic::{Rng, World};

/// A thread for each task.
struct Threads;

impl Workers for Threads {
    fn run(&self, tasks: Vec<Task<'_>>) {
        std::thread::scope(|scope| tasks.into_iter().for_each(|task| drop(scope.spawn(task))));
    }
}

/// The answers, and how often buckets were read.
fn ask(world: &World, queries: &[&Query], workers: &dyn Workers) -> (Vec<Result<Answer, QueryError>>, usize) {
    let reads = Cell::new(0);
    let read = |grain, span, need| {
        reads.set(reads.get() + 1);
        Ok::<_, ()>(world.read(grain, span, need))
    };
    let answers = answer_together(queries, &world.site, read, &mut |_, _| Ok(Vec::new()), workers).unwrap();
    (answers, reads.get())
}

/// A screen of questions: most about the same people, some about others.
fn screen(rng: &mut Rng, world: &World) -> Vec<Query> {
    let first = ask::random(rng, world);
    let count = 2 + rng.below(6);
    let mut queries = vec![first.clone()];
    for _ in 0..count {
        let mut query = ask::random(rng, world);
        if !rng.chance(5) {
            query.filters.clone_from(&first.filters);
            // Without a filter of goals nobody converts, which is refused as it is alone.
            let of_goals = query.dimensions.contains(&Dimension::Goal);
            query.metrics.retain(|metric| of_goals || ![Metric::ConversionRate, Metric::GroupConversionRate].contains(metric));
            if query.metrics.is_empty() {
                query.metrics.push(Metric::Visits);
            }
        }
        if !rng.chance(5) {
            query.date_range = first.date_range;
        }
        if rng.chance(4) {
            query.include.comparisons = Some(ask::comparison(rng, world));
        }
        queries.push(query);
    }
    queries
}

#[test]
fn answers_together_are_the_answers_alone() {
    let (mut answered, mut refused, mut reads_alone, mut reads_together, mut bounds) = (0, 0, 0, 0, 0);
    for seed in 9000..9150 {
        let mut rng = Rng(seed);
        let mut world = World::random(&mut rng);
        if rng.chance(2) {
            // Most are left out of the samples, so that there are bounds.
            world = world.sampled(u64::MAX / 3);
        }
        for round in 0..6 {
            let queries = screen(&mut rng, &world);
            let all: Vec<&Query> = queries.iter().collect();
            let (alone, reads): (Vec<_>, Vec<_>) = all.iter().map(|query| ask(&world, &[*query], &OneByOne)).unzip();
            let alone: Vec<_> = alone.into_iter().flatten().collect();
            let (together, reads_once) = ask(&world, &all, &Threads);
            for ((query, alone), together) in all.iter().zip(&alone).zip(&together) {
                assert_eq!(together, alone, "seed {seed}, round {round}: {}", serde_json::to_string(query).unwrap());
                bounds += together.as_ref().map_or(0, |answer| answer.meta.bounds.len());
            }
            answered += together.iter().filter(|answer| answer.is_ok()).count();
            refused += together.iter().filter(|answer| answer.is_err()).count();
            (reads_alone, reads_together) = (reads_alone + reads.iter().sum::<usize>(), reads_together + reads_once);
            // Who answers set by set tells the same, and reads no more.
            let sets = sets(&all, &world.site);
            let mut places: Vec<usize> = sets.iter().flatten().copied().collect();
            let mut reads_by_set = 0;
            for set in &sets {
                let some: Vec<&Query> = set.iter().map(|at| all[*at]).collect();
                let (told, reads) = ask(&world, &some, &OneByOne);
                reads_by_set += reads;
                assert!(set.iter().zip(&told).all(|(at, told)| *told == alone[*at]), "seed {seed}, round {round}");
            }
            assert_eq!(reads_by_set, reads_once, "seed {seed}, round {round}");
            places.sort_unstable();
            assert_eq!(places, (0..all.len()).collect::<Vec<_>>(), "each is in one set");
        }
    }
    assert!(answered > 4_000 && bounds > 4_000, "{answered} answered, {refused} refused, {bounds} rows with bounds");
    assert!(reads_together * 10 < reads_alone * 9, "{reads_together} reads together, {reads_alone} alone");
}

/// A day on which each of many pages is seen once.
fn day_of_pages(day: u32, pages: u32) -> (Span, Arc<Packed>) {
    let mut fold = Fold::new();
    let start = Minute(day * 1440);
    for page in 0..pages {
        let page_name = format!("/{page}");
        fold.add(&Activity {
            visitor: VisitorHash(u64::from(day * pages + page).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            minute: start,
            tag: 1,
            visit: &[""; VisitDimension::COUNT],
            started: 1,
            went_on: 0,
            events: &[EventDelta { name: "pageview", page: &page_name, hostname: "a.b", count: 1, ..EventDelta::default() }],
        });
    }
    (Span { start, end: Minute(start.0 + 1440) }, Arc::new(fold.finish().into()))
}

/// Two answers of 150,000 rows each are more than what is made at the same time; three of 25 are not.
#[test]
fn what_has_no_room_beside_others_is_answered_alone() {
    let days: Vec<_> = (20_000..20_006).map(|day| day_of_pages(day, 25_000)).collect();
    let mut site = SiteContext::new(Calendar::utc(), Identity::Day, Minute(20_010 * 1440));
    site.first_data = Some(days[0].0.start);
    let query = |dimensions: &str, metric: &str| {
        let body = format!(
            r#"{{"site_id":"a.b","metrics":["{metric}"],"date_range":"all","dimensions":{dimensions},
            "filters":[["contains","event:page",["/"]]],"include":{{"total_rows":true}},"pagination":{{"limit":25}}}}"#
        );
        Query::parse(body.as_bytes()).unwrap()
    };
    let by_day = r#"["time:day","event:page"]"#;
    let queries =
        [query(by_day, "visitors"), query(r#"["time:day"]"#, "visits"), query(by_day, "pageviews"), query("[]", "events")];
    let ask = |queries: &[&Query]| {
        let reads = Cell::new(0);
        let read = |_, span: Span, _| {
            reads.set(reads.get() + 1);
            Ok::<_, ()>(days.iter().filter(|day| span.contains(day.0.start)).cloned().collect::<Vec<_>>())
        };
        let answers = answer_together(queries, &site, read, &mut |_, _| Ok(Vec::new()), &Threads).unwrap();
        (answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), reads.get())
    };
    let all: Vec<&Query> = queries.iter().collect();
    let (together, reads) = ask(&all);
    let (alone, reads_alone): (Vec<_>, Vec<usize>) = all.iter().map(|query| ask(&[*query])).unzip();
    assert_eq!(together, alone.concat());
    let rows: Vec<_> = together.iter().map(|answer| answer.meta.total_rows.unwrap()).collect();
    assert_eq!(rows, [150_000, 6, 150_000, 1]);
    let once = reads_alone[0];
    assert!(reads > once && reads <= 3 * once, "one or both of the large are read again: {reads}, alone {reads_alone:?}");
}
