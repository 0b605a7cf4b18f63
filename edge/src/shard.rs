//! Which object of a Workers deployment counts what: every page load and every sender belongs to one of 256 virtual shards,
//! for ever, and the virtual shards are spread over as many objects as the site has.
use std::net::IpAddr;

use headwater_core::{Beacon, beacon};
use headwater_tracker_logic::Report;
use serde_json::Value;

use crate::event::MAX_ITEMS;
use crate::sender::Sender;

/// The most objects of a site: one for each virtual shard.
pub const MOST: u16 = 256;

/// A virtual shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// That of a page load, by its random bits.
    #[must_use]
    pub fn of_load(load: &[u8; 8]) -> Self {
        Self(first(&blake3::hash(load)))
    }

    /// That of a sender whose browser does not run our tracker. `key` is the installation's and does not change with the
    /// day: what is remembered of the sender's visit and ids has to be found again.
    #[must_use]
    pub fn of_sender(key: &[u8; 32], address: Option<IpAddr>, user_agent: &str) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(b"shard");
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(v4)) => hasher.update(b"4").update(&v4.octets()),
            // As in the visitor hash: a household has a /64.
            Some(IpAddr::V6(v6)) => hasher.update(b"6").update(&v6.octets()[..8]),
            None => hasher.update(b"0"),
        };
        Self(first(&hasher.update(user_agent.as_bytes()).finalize()))
    }

    /// The object that should have it when there are `objects`. A jump consistent hash (Lamping and Veach 2014): when the
    /// number changes, no more virtual shards move than have to.
    #[must_use]
    pub fn object(self, objects: u16) -> u16 {
        // Spread first: the algorithm wants random bits, and 256 numbers in a row are none.
        let mut state = u64::from(self.0).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (mut at, mut next) = (0u64, 0u64);
        while next < u64::from(objects.clamp(1, MOST)) {
            at = next;
            state = state.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
            // (at + 1) · 2^31 / (the state's upper bits + 1), in whole numbers.
            next = ((at + 1) << 31) / ((state >> 33) + 1);
        }
        at as u16
    }
}

fn first(hash: &blake3::Hash) -> u8 {
    hash.as_bytes()[0]
}

/// The site and the page load of a body of `POST /b`; `None` if it is none.
#[must_use]
pub fn of_beacon(body: &[u8]) -> Option<(String, Shard)> {
    let read = |frozen: &[u8]| {
        let beacon = Beacon::decode(frozen).ok()?;
        Some((beacon.site.to_owned(), Shard::of_load(&beacon.id.load)))
    };
    if body.len() <= beacon::MAX_BYTES && body.trim_ascii_start().first() == Some(&b'[') {
        let report: Report = serde_json::from_slice(body).ok()?;
        return read(&report.beacon().ok()?.frozen);
    }
    read(beacon::open(body).ok()?.1)
}

/// The items of a body of `POST /api/event`, if it has any to look at.
#[must_use]
pub fn items(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) if items.len() <= MAX_ITEMS => items,
        Ok(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

/// The site of an item, in lower case; `None` if it names none.
#[must_use]
pub fn site_of(item: &Value) -> Option<String> {
    let named = ["domain", "d"].into_iter().filter_map(|key| item.get(key)).find(|value| !value.is_null())?;
    Some(named.as_str()?.trim().to_ascii_lowercase()).filter(|domain| !domain.is_empty())
}

/// The virtual shard of an item that `sender` sent: by the address and user agent that it names, or came from.
#[must_use]
pub fn of_item(key: &[u8; 32], item: &Value, sender: &Sender<'_>) -> Shard {
    let text = |name| item.get(name).and_then(Value::as_str);
    let address = text("ip").and_then(|ip| ip.parse().ok()).or(sender.address);
    Shard::of_sender(key, address, text("user_agent").unwrap_or(sender.user_agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_are_spread_evenly_and_move_no_more_than_they_must() {
        let all = || (0..=255).map(Shard);
        assert!(all().all(|shard| shard.object(1) == 0 && shard.object(0) == 0));
        for objects in 1..MOST {
            let mut of_each = vec![0; usize::from(objects)];
            all().for_each(|shard| of_each[usize::from(shard.object(objects))] += 1);
            let most = of_each.iter().max().copied().unwrap_or_default();
            assert!(most <= 3 * 256 / u32::from(objects) + 8, "{objects} objects, {most} shards in one");
            // Whatever moves, moves to the new one.
            for shard in all() {
                let after = shard.object(objects + 1);
                assert!(after == shard.object(objects) || after == objects);
            }
        }
    }

    #[test]
    fn a_sender_stays_where_it_is() {
        let of = |address: &str, agent: &str| Shard::of_sender(&[7; 32], address.parse().ok(), agent);
        assert_eq!(of("2001:db8::1", "x"), of("2001:db8::2", "x"));
        assert_eq!(of("::ffff:10.0.0.1", "x"), of("10.0.0.1", "x"));
        let many: std::collections::BTreeSet<_> = (0..4000).map(|i| of("10.0.0.1", &i.to_string())).collect();
        assert_eq!(many.len(), 256);
        assert_ne!(of("10.0.0.1", "x"), Shard::of_sender(&[8; 32], "10.0.0.1".parse().ok(), "x"));
    }

    #[test]
    fn items_name_their_site_and_sender() {
        let body = br#"[{"domain":" Example.COM "},{"d":"a.example","ip":"10.9.9.9","user_agent":"y"},{"domain":7},3]"#;
        let items = items(body);
        let sites: Vec<_> = items.iter().map(site_of).collect();
        assert_eq!(sites, [Some("example.com".into()), Some("a.example".into()), None, None]);
        let sender = Sender { address: "10.0.0.1".parse().ok(), user_agent: "x", ..Sender::default() };
        let key = [1; 32];
        assert_eq!(of_item(&key, &items[0], &sender), Shard::of_sender(&key, sender.address, "x"));
        assert_eq!(of_item(&key, &items[1], &sender), Shard::of_sender(&key, "10.9.9.9".parse().ok(), "y"));
        assert!(super::items(b"{").is_empty() && super::items(b"7").is_empty());
    }
}
