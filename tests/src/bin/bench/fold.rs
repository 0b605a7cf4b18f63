//! From a beacon's bytes to a batch: the work of an edge without network and disk.
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use headwater_core::{BeaconId, Millis, Minute, NodeId, SiteId};
use headwater_edge::beacon::{Surroundings, Verdict, judge};
use headwater_edge::fold::Folder;
use headwater_edge::record::Block;
use headwater_edge::sender::Sender;
use headwater_edge::{Identity, Refusal, SaltWindow, SiteFacts};
use headwater_tests::beacons::{body, now, view};

const BEACONS: u32 = 50_000;
const SITE: &str = "example.com";

/// An edge that knows one site and limits nobody.
struct Edge(Arc<SiteFacts>);

impl Surroundings for Edge {
    fn site(&self, domain: &str) -> Option<Arc<SiteFacts>> {
        (domain == SITE).then(|| Arc::clone(&self.0))
    }

    fn token_covers(&self, _: &SiteFacts) -> bool {
        true
    }

    fn limit(&self, _: &SiteFacts, _: &Sender<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Prints beacons a second.
pub fn bench() {
    let salt = SaltWindow { from: Minute(0), to: Minute(u32::MAX), identity: Identity::Day, salt: [7; 32] };
    let edge = Edge(Arc::new(SiteFacts { id: SiteId(1), domain: SITE.into(), hosts: Vec::new(), salts: vec![salt] }));
    let at = Millis(u64::from(now()) * 1000);
    let bodies: Vec<Vec<u8>> = (0..BEACONS)
        .map(|i| {
            let id = BeaconId { load: u64::from(i).to_le_bytes(), seq: 0 };
            let page = format!("/articles/{}", i.wrapping_mul(i) % 300);
            body(&view(id, SITE, &page), 5)
        })
        .collect();

    let start = Instant::now();
    let mut blocks = Vec::new();
    let mut block = Block::default();
    for (i, body) in (0u32..).zip(&bodies) {
        let address = Some(IpAddr::from((0x0a00_0000 | i).to_be_bytes()));
        let sender = Sender {
            at,
            origin: Some("https://example.com"),
            user_agent: headwater_tests::api::BROWSER,
            address,
            ..Sender::default()
        };
        let Ok(Verdict::Store(accepted)) = judge(body, &sender, &edge) else { panic!("a beacon was refused") };
        block.push(&accepted.record, accepted.weight);
        if block.is_full() {
            blocks.push(std::mem::take(&mut block).into_bytes());
        }
    }
    blocks.push(block.into_bytes());
    print("judge: decode, check, hash, enrich", start);

    let start = Instant::now();
    let mut folder = Folder::default();
    blocks.iter().for_each(|block| folder.add(block));
    print("fold: decode, intern, add up", start);
    let start = Instant::now();
    let batch = folder.finish(NodeId::default(), 1, 1);
    print("finish: sort, rows by dimension", start);
    let start = Instant::now();
    let bytes = batch.encode().len();
    print("encode", start);
    println!("  {} bytes of batch a beacon", bytes as u32 / BEACONS);
}

fn print(what: &str, start: Instant) {
    let each = start.elapsed() / BEACONS;
    println!("  {what:<36} {:>6} ns a beacon, {:>5.2} million/s", each.as_nanos(), 1e3 / each.as_nanos() as f64);
}
