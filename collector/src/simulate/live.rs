//! Visitors as browsers send them: one beacon a page load, each under an id of its own.
use headwater_core::beacon::{self, Beacon, Delta, MinutePart, Str, VisitPart};
use headwater_core::{BeaconId, Millis};

use super::client::{Client, ClientError};
use super::random::Random;
use super::visit::{Event, Visit};

/// The visit's beacons, ready to be sent in turn; it happens at `now`, faster than in life. `host` is the page's host.
#[must_use]
pub(crate) fn beacons(visit: &Visit, site: &str, host: &str, now: Millis, random: &mut Random) -> Vec<Vec<u8>> {
    let tag = random.bits() as u16 | 1;
    let created = u32::try_from(now.0 / 1000).unwrap_or(u32::MAX);
    let mut bodies = Vec::with_capacity(visit.views.len());
    for (i, view) in visit.views.iter().enumerate() {
        let mut strings = Strings::default();
        let mut part = VisitPart {
            tag,
            referrer: strings.id(visit.referrer),
            source: strings.id(visit.campaign[0]),
            medium: strings.id(visit.campaign[1]),
            campaign: strings.id(visit.campaign[2]),
            entry: strings.id(visit.views.first().map_or("", |v| v.page)),
            ..VisitPart::default()
        };
        let mut minute = MinutePart { started: u8::from(i == 0), ..MinutePart::default() };
        let page = strings.id(view.page);
        let hostname = strings.id(host);
        minute.deltas.push(Delta { page, hostname, count: 1, ..Delta::default() });
        for Event { name, prop, value } in &view.events {
            minute.deltas.push(Delta {
                name: strings.id(name),
                page,
                hostname,
                props: vec![(strings.id(prop.0), strings.id(prop.1))],
                currency: strings.id(value.map_or("", |v| v.1)),
                count: 1,
                values: value.iter().map(|v| v.0).collect(),
                ..Delta::default()
            });
        }
        if i == 0 {
            minute.deltas.extend(visit.vitals().into_iter().map(|(name, value)| Delta {
                name: strings.id(name),
                page,
                hostname,
                count: 1,
                values: vec![value],
                ..Delta::default()
            }));
        }
        // The visit went on at its first event or second view, whichever came first; the view before this one as well.
        let first = visit.views.iter().position(|v| !v.events.is_empty());
        minute.went_on = u8::from(visit.goes_on() && i == first.unwrap_or(usize::MAX).min(1));
        if let Some(before) = i.checked_sub(1).and_then(|b| visit.views.get(b)) {
            minute.deltas.push(Delta { page: strings.id(before.page), hostname, went_on: 1, ..Delta::default() });
        }
        part.minutes.push(minute);
        let language = strings.id(visit.language);
        let zone = strings.id(visit.zone);
        let beacon = Beacon {
            id: BeaconId { load: random.bits().to_le_bytes(), seq: 0 },
            created,
            site,
            screen: visit.screen,
            language,
            zone,
            strings: strings.0,
            visits: vec![part],
            ..Beacon::default()
        };
        let mut body = Vec::new();
        beacon::envelope(now, &mut body);
        body.extend(beacon.encode());
        bodies.push(body);
    }
    bodies
}

/// Sends a visit's beacons in turn.
///
/// # Errors
/// The first that was not taken.
pub(crate) fn send(client: &Client, visit: &Visit, origin: &str, bodies: &[Vec<u8>]) -> Result<(), ClientError> {
    // 2001:db8::/32 is for documentation (RFC 3849): each visitor has a network of 64 bits of their own.
    let [a, b] = [(visit.who >> 16) as u16, visit.who as u16];
    let address = format!("2001:db8:{a:x}:{b:x}::1");
    let headers = [("origin", origin), ("user-agent", visit.user_agent), ("x-forwarded-for", &address)];
    bodies.iter().try_for_each(|body| client.deliver("/b", &headers, body, false))
}

/// The strings of a beacon, each once.
#[derive(Default)]
struct Strings<'a>(Vec<&'a str>);

impl<'a> Strings<'a> {
    fn id(&mut self, string: &'a str) -> Str {
        if string.is_empty() {
            return Str(0);
        }
        let at = self.0.iter().position(|s| *s == string).unwrap_or_else(|| {
            self.0.push(string);
            self.0.len() - 1
        });
        Str(at as u16 + 1)
    }
}
