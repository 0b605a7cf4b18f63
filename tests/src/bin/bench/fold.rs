//! What an edge's own work costs one core: judging a beacon, and folding what was stored.
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use headwater_core::{BeaconId, Millis, Minute, NodeId};
use headwater_edge::beacon::{Surroundings, Verdict, judge};
use headwater_edge::client::Agent;
use headwater_edge::fold::Folder;
use headwater_edge::record::Block;
use headwater_edge::sender::Sender;
use headwater_edge::site::{Identity, SaltWindow};
use headwater_edge::{Refusal, SiteFacts};
use headwater_tests::api::BROWSER;
use headwater_tests::beacons::{body, now};
use headwater_tests::random::Random;

use crate::milliseconds;
use crate::throughput::{SITE, beacon, page};

/// Beacons that are folded: 2 seconds of a site at its limit. They make several batches, as on an edge.
const BEACONS: usize = 100_000;
const ROUNDS: usize = 5;
const PEOPLE: usize = 50_000;

/// Prints the figures for beacons of 1 and of 10 events, and where the time goes.
pub(crate) fn print() {
    println!("\nAn edge's work on one core, {BEACONS} beacons of up to {PEOPLE} people in one minute, µs a beacon");
    println!("judge: from the body to the record; add, finish: from stored records to batches. Fold is both, without judging");
    println!("{:<28}{:>10}{:>10}{:>10}{:>10}{:>14}{:>14}", "", "judge", "add", "finish", "batches", "folds/s", "events/s");
    for events in [1, 10] {
        let world = World::new();
        let requests = requests(events);
        let mut blocks = Vec::new();
        let judging = milliseconds(|| blocks = world.blocks(&requests));
        let (mut add, mut finish, mut batches) = (0.0, 0.0, 0);
        for _ in 0..ROUNDS {
            let mut waiting = blocks.iter().peekable();
            while waiting.peek().is_some() {
                let mut folder = Folder::default();
                add += milliseconds(|| {
                    while let Some(block) = waiting.next_if(|block| folder.takes(block.len())) {
                        folder.add(block);
                    }
                });
                finish += milliseconds(|| drop(std::hint::black_box(folder.finish(NodeId([1; 16]), 1, 1))));
                batches += 1;
            }
        }
        let each = |total: f64, rounds: usize| total * 1000.0 / (BEACONS * rounds) as f64;
        let per_second = 1e6 / each(add + finish, ROUNDS);
        println!(
            "{:<28}{:>10.2}{:>10.2}{:>10.2}{:>10}{:>14.0}{:>14.0}",
            format!("{events} event(s) a beacon"),
            each(judging, 1),
            each(add, ROUNDS),
            each(finish, ROUNDS),
            batches / ROUNDS,
            per_second,
            per_second * events as f64
        );
    }
}

/// Bodies, and the addresses that send them.
fn requests(events: usize) -> Vec<(Vec<u8>, IpAddr)> {
    let mut random = Random::new(4);
    (0..BEACONS)
        .map(|_| {
            let pages: Vec<String> = (0..events).map(|_| page(&mut random)).collect();
            let beacon = beacon(BeaconId { load: random.bits().to_le_bytes(), seq: 0 }, &pages, &mut random);
            let person = random.below(PEOPLE) as u32;
            (body(&beacon, 0), IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + person)))
        })
        .collect()
}

/// An edge that knows one site.
struct World {
    site: Arc<SiteFacts>,
    agent: Arc<Agent>,
}

impl World {
    fn new() -> Self {
        let salt = SaltWindow { from: Minute(0), to: Minute(u32::MAX), identity: Identity::Day, salt: [7; 32] };
        let site = SiteFacts { domain: SITE.to_owned(), salts: vec![salt], ..SiteFacts::default() };
        Self { site: Arc::new(site), agent: Arc::new(Agent::parse(BROWSER)) }
    }

    fn blocks(&self, requests: &[(Vec<u8>, IpAddr)]) -> Vec<Vec<u8>> {
        let origin = format!("https://{SITE}");
        let at = Millis(u64::from(now()) * 1000);
        let mut blocks = Vec::new();
        // Sixty-four requests share a transaction, and so a block.
        for together in requests.chunks(64) {
            let mut block = Block::default();
            for (body, address) in together {
                let sender =
                    Sender { at, origin: Some(&origin), user_agent: BROWSER, address: Some(*address), ..Sender::default() };
                match judge(body, &sender, self) {
                    Ok(Verdict::Store(accepted)) => block.push(&accepted.record, accepted.weight),
                    other => panic!("a beacon was not stored: {other:?}"),
                }
            }
            blocks.push(block.into_bytes());
        }
        blocks
    }
}

impl Surroundings for World {
    fn site(&self, _: &str) -> Result<Option<Arc<SiteFacts>>, Refusal> {
        Ok(Some(self.site.clone()))
    }

    fn token(&self, _: &SiteFacts) -> Result<(), Refusal> {
        Ok(())
    }

    fn agent(&self, _: &str) -> Arc<Agent> {
        self.agent.clone()
    }

    fn limit(&self, _: &SiteFacts, _: &Sender<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}
