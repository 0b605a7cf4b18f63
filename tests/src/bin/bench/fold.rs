//! How many beacons one core reads and folds in a second.
use std::time::Instant;

use headwater_core::beacon::{Beacon, Delta, Str};
use headwater_core::{Activity, BeaconId, EventDelta, Fold, PAGEVIEW, VisitDimension, VisitorHash};
use headwater_tests::beacons::view;
use headwater_tests::random::Random;

const SITE: &str = "bench.example";
/// A batch of a busy edge.
const BATCH: usize = 20_000;
const BATCHES: usize = 20;

/// Prints the figures for beacons of 1 and of 10 events.
pub(crate) fn print() {
    println!("\nFold, one core: decode, intern, add to tallies and people (batches of {BATCH}, 50,000 people)");
    for events in [1, 10] {
        let beacons = encoded(events);
        let mut rows = 0;
        let start = Instant::now();
        for batch in 0..BATCHES {
            let mut fold = Fold::new();
            for (n, bytes) in beacons.iter().enumerate() {
                add(&mut fold, bytes, (batch * BATCH + n) as u64);
            }
            rows += fold.finish().tallies.rows.len();
        }
        let seconds = start.elapsed().as_secs_f64();
        let per_second = (BATCH * BATCHES) as f64 / seconds;
        println!(
            "{:<28}{:>12.2} million beacons/s, {:.2} million events/s ({} rows)",
            format!("{events} event(s) a beacon"),
            per_second / 1e6,
            per_second * events as f64 / 1e6,
            rows / BATCHES
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

fn add(fold: &mut Fold, bytes: &[u8], n: u64) {
    let Ok(beacon) = Beacon::decode(bytes) else { return };
    let minute = beacon.created().minute();
    let visitor = VisitorHash((n % 50_000).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for part in &beacon.visits {
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Country as usize] = "DE";
        visit[VisitDimension::Browser as usize] = "Chrome";
        visit[VisitDimension::Os as usize] = "Linux";
        visit[VisitDimension::Device as usize] = "Desktop";
        visit[VisitDimension::Source as usize] = "Direct / None";
        visit[VisitDimension::EntryPage as usize] = beacon.string(part.entry);
        for told in &part.minutes {
            let events: Vec<EventDelta<'_>> = told
                .deltas
                .iter()
                .map(|delta| EventDelta {
                    name: if delta.name == Str(0) { PAGEVIEW } else { beacon.string(delta.name) },
                    page: beacon.string(delta.page),
                    hostname: beacon.string(delta.hostname),
                    count: delta.count.into(),
                    order: n,
                    ..EventDelta::default()
                })
                .collect();
            fold.add(&Activity {
                visitor,
                minute,
                tag: part.tag,
                visit: &visit,
                started: told.started.into(),
                went_on: told.went_on.into(),
                events: &events,
            });
        }
    }
}
