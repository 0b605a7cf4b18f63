//! The edge on Workers, as it is deployed: the built Worker in workerd, a real server, a real browser.
mod contract;
mod faults;
mod harm;
mod rows;
mod together;

use std::thread::sleep;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::{Answer, Api, BROWSER};
use headwater_tests::beacons::{body, view};

/// No limits: what is tested here is not they.
const UNLIMITED: [(&str, &str); 2] = [("RATE_LIMIT_VISITOR", "0"), ("RATE_LIMIT_SITE", "0")];

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Asks until the answer is the wanted one.
fn eventually<T: PartialEq + std::fmt::Debug>(what: &str, seconds: u64, wanted: &T, mut ask: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    loop {
        let found = ask();
        if found == *wanted {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(seconds), "{what}: {found:?} instead of {wanted:?}");
        sleep(Duration::from_millis(50));
    }
}

/// Posts a beacon as the browser of somebody at an address does, through Cloudflare.
fn post(api: &Api, site: &str, address: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
    let origin = format!("https://{site}");
    api.send("/b", body, &[("Origin", &origin), ("User-Agent", BROWSER), ("CF-Connecting-IP", address)])
}

fn beacon(site: &str, load: u64, page: &str) -> Vec<u8> {
    body(&view(BeaconId { load: load.to_le_bytes(), seq: 0 }, site, page), 0)
}

fn events_of(api: &Api, site: &str) -> u64 {
    api.totals(site, &["events"])[0].as_u64().unwrap_or_default()
}
