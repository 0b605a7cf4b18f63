//! Beacons as the tracker sends them.
use std::time::{SystemTime, UNIX_EPOCH};

use headwater_core::BeaconId;
use headwater_core::beacon::{self, Beacon, Delta, MinutePart, Str, VisitPart};

/// The time now in seconds since 1970.
pub fn now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}

/// A page load that saw one page once, on the site's own domain, and is told at once.
pub fn view<'a>(id: BeaconId, site: &'a str, page: &'a str) -> Beacon<'a> {
    let view = Delta { page: Str(1), hostname: Str(2), count: 1, ..Delta::default() };
    Beacon {
        id,
        created: now(),
        site,
        screen: 1920,
        strings: vec![page, site],
        visits: vec![VisitPart {
            tag: u16::from_le_bytes([id.load[0], id.load[1]]) | 1,
            entry: Str(1),
            minutes: vec![MinutePart { at: 0, started: 1, went_on: 0, deltas: vec![view] }],
            ..VisitPart::default()
        }],
        ..Beacon::default()
    }
}

/// The body of the request that sends `beacon` this many milliseconds after its creation.
pub fn body(beacon: &Beacon<'_>, now_ms: u64) -> Vec<u8> {
    let mut body = Vec::new();
    beacon::envelope(beacon.created().offset(now_ms as i64), &mut body);
    body.extend(beacon.encode());
    body
}
