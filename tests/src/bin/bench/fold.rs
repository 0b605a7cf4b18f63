//! How many beacons one core reads and folds in a second.
use std::collections::HashMap;

use headwater_core::beacon::{Beacon, Delta, Str};
use headwater_core::{Activity, BeaconId, EventDelta, Fold, PAGEVIEW, VisitDimension, VisitorHash};
use headwater_tests::beacons::view;
use headwater_tests::random::Random;

use crate::milliseconds;

const SITE: &str = "bench.example";
/// Beacons in a batch: what a busy edge folds in a fifth of a second.
const BATCH: usize = 100_000;
const BATCHES: usize = 5;
const PEOPLE: usize = 50_000;

/// Prints the figures for beacons of 1 and of 10 events, and where the time goes.
pub(crate) fn print() {
    println!("\nFold, one core: decode, add to tallies and people, finish (batches of {BATCH} beacons of {PEOPLE} people)");
    println!("{:<28}{:>12}{:>12}{:>12}{:>12}{:>14}", "", "decode, µs", "add, µs", "finish, µs", "beacons/s", "events/s");
    for events in [1, 10] {
        let bodies = encoded(events);
        let mut random = Random::new(5);
        let (mut decode, mut add_up, mut finish) = (0.0, 0.0, 0.0);
        for _ in 0..BATCHES {
            let mut beacons = Vec::with_capacity(bodies.len());
            decode += milliseconds(|| beacons.extend(bodies.iter().filter_map(|bytes| Beacon::decode(bytes).ok())));
            let mut fold = Fold::new();
            // As an edge does, which sees the same kind of visit again and again.
            let mut contexts = HashMap::new();
            add_up += milliseconds(|| {
                for beacon in &beacons {
                    add(&mut fold, &mut contexts, beacon, random.below(PEOPLE) as u64);
                }
            });
            finish += milliseconds(|| drop(std::hint::black_box(fold.finish())));
        }
        let each = |total: f64| total * 1000.0 / (BATCH * BATCHES) as f64;
        let per_second = 1e6 / each(decode + add_up + finish);
        println!(
            "{:<28}{:>12.2}{:>12.2}{:>12.2}{:>12.0}{:>14.0}",
            format!("{events} event(s) a beacon"),
            each(decode),
            each(add_up),
            each(finish),
            per_second,
            per_second * events as f64
        );
    }
}

fn encoded(events: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(4);
    (0..BATCH)
        .map(|_| {
            let pages: Vec<String> = (0..events).map(|_| format!("/page/{}", random.below(40) * random.below(25))).collect();
            let mut beacon = view(BeaconId { load: random.bits().to_le_bytes(), seq: 0 }, SITE, &pages[0]);
            for page in &pages[1..] {
                beacon.strings.push(page);
                let page = Str(beacon.strings.len() as u16);
                beacon.visits[0].minutes[0].deltas.push(Delta { page, hostname: Str(2), count: 1, ..Delta::default() });
            }
            beacon.encode()
        })
        .collect()
}

fn add<'a>(fold: &mut Fold, contexts: &mut HashMap<&'a str, u32>, beacon: &Beacon<'a>, person: u64) {
    let minute = beacon.created().minute();
    let visitor = VisitorHash((person + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for part in &beacon.visits {
        let entry = beacon.string(part.entry);
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Country as usize] = "DE";
        visit[VisitDimension::Browser as usize] = "Chrome";
        visit[VisitDimension::Os as usize] = "Linux";
        visit[VisitDimension::Device as usize] = "Desktop";
        visit[VisitDimension::Source as usize] = "Direct / None";
        visit[VisitDimension::EntryPage as usize] = entry;
        let context = *contexts.entry(entry).or_insert_with(|| fold.context(&visit));
        for told in &part.minutes {
            let events: Vec<EventDelta<'_>> = told
                .deltas
                .iter()
                .map(|delta| EventDelta {
                    name: if delta.name == Str(0) { PAGEVIEW } else { beacon.string(delta.name) },
                    page: beacon.string(delta.page),
                    hostname: beacon.string(delta.hostname),
                    count: delta.count.into(),
                    order: person,
                    ..EventDelta::default()
                })
                .collect();
            let activity = Activity {
                visitor,
                minute,
                tag: part.tag,
                visit: &visit,
                started: told.started.into(),
                went_on: told.went_on.into(),
                events: &events,
            };
            fold.add_in(context, &activity);
        }
    }
}
