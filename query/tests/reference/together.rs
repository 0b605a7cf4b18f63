//! Questions that are answered together are answered as each alone, to the last digit of their bounds.
use std::cell::Cell;

use headwater_query::{Answer, Dimension, Metric, OneByOne, Query, QueryError, Task, Workers, answer_together, sets};

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
    assert!(reads_together * 5 < reads_alone * 4, "{reads_together} reads together, {reads_alone} alone");
}
