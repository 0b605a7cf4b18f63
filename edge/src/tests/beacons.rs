use headwater_core::beacon::{Delta, MinutePart, Str, VisitPart, envelope};
use headwater_core::{Beacon, BeaconId, Millis};
use proptest::prelude::*;

use super::{NOON, World, sender};
use crate::dedup::{ACCEPTED, HOUR};
use crate::sender::Sender;
use crate::{Identity, SiteFacts};

/// A page view at the creation, `before` milliseconds before noon.
fn view(load: u8, seq: u32, created: u64) -> Beacon<'static> {
    let delta = Delta { page: Str(1), hostname: Str(2), count: 1, engaged: 3, ..Delta::default() };
    let minutes = vec![MinutePart { at: 0, started: 1, went_on: 0, deltas: vec![delta] }];
    let visit = VisitPart { tag: 7, entry: Str(1), referrer: Str(3), minutes, ..VisitPart::default() };
    Beacon {
        id: BeaconId { load: [load; 8], seq },
        created: (created / 1000) as u32,
        site: "example.com",
        device: [0; 8],
        screen: 1440,
        language: Str(0),
        zone: Str(4),
        strings: vec!["/a", "example.com", "https://news.ycombinator.com/item?id=secret", "Europe/Berlin"],
        visits: vec![visit],
    }
}

fn body(beacon: &Beacon<'_>, now: u64) -> Vec<u8> {
    let mut body = Vec::new();
    envelope(beacon.created().offset(now as i64), &mut body);
    body.extend(beacon.encode());
    body
}

#[test]
fn a_view_is_counted_once() {
    let mut world = World::new();
    let bytes = body(&view(1, 0, NOON.0), 500);
    for (after, accepted) in [(500, 1), (2000, 0), (HOUR, 0)] {
        let answer = world.post_b(&bytes, &sender(NOON.offset(after as i64)));
        assert_eq!((answer.status, answer.body, answer.dropped), (202, None, false), "{accepted}");
    }
    let total = world.total();
    assert_eq!((total.views, total.events, total.visits, total.engaged), (1, 1, 1, 3));
    assert_eq!(world.visitors(), 1);
    assert_eq!(world.fold().partials[0].minute, NOON.minute());
}

#[test]
fn referrer_spam_is_a_bot_unless_a_token_says_otherwise() {
    let mut world = World::new();
    let mut spam = view(1, 0, NOON.0);
    spam.strings[2] = "http://forum.topic.darodar.com/a";
    let spam = body(&spam, 500);
    assert!(world.post_b(&spam, &sender(NOON)).dropped);
    let event = r#"{"n":"pageview","u":"https://example.com/","d":"example.com","r":"https://darodar.com/"}"#;
    assert!(world.post_event(event, &sender(NOON)).dropped);
    assert_eq!(world.total().views, 0);
    assert!(!world.post_event(event, &Sender { token: true, ..sender(NOON) }).dropped);
    assert_eq!(world.total().views, 1);
}

#[test]
fn checks_come_in_the_contracts_order() {
    let mut world = World::new();
    let good = body(&view(1, 0, NOON.0), 500);
    let at = sender(NOON);
    let mut status = |body: &[u8], sender: &Sender<'_>| world.post_b(body, sender).status;
    assert_eq!(status(&vec![1; 70_000], &at), 413);
    assert_eq!(status(&[9, 9], &at), 400);
    assert_eq!(status(&good[..good.len() - 1], &at), 400);
    assert_eq!(status(&body(&Beacon { site: "other.org", ..view(1, 0, NOON.0) }, 0), &at), 404);
    for origin in [None, Some("null"), Some("https://evil.org")] {
        assert_eq!(status(&good, &Sender { origin, ..at }), 403);
    }
    assert_eq!(status(&body(&view(1, 0, NOON.0 - ACCEPTED - 1000), ACCEPTED + 1000), &at), 410);
    let bot = world.post_b(&good, &Sender { user_agent: "Googlebot/2.1", ..at });
    assert!(bot.status == 202 && bot.dropped);
    let nobody = world.post_b(&good, &Sender { user_agent: "", ..at });
    assert!(nobody.status == 202 && nobody.dropped);
    assert_eq!(world.store.blocks.len(), 0);
    assert_eq!(world.post_b(&good, &Sender { origin: None, referer: Some("https://example.com/x"), ..at }).status, 202);
}

#[test]
fn a_minute_without_a_salt_is_not_available() {
    let mut world = World::new();
    world.site = std::sync::Arc::new(SiteFacts { salts: vec![], ..(*world.site).clone() });
    let answer = world.post_b(&body(&view(1, 0, NOON.0), 0), &sender(NOON));
    assert_eq!((answer.status, answer.retry_after), (503, Some(30)));
    assert!(world.store.tables.is_empty() && world.store.blocks.is_empty());
}

#[test]
fn a_wrong_clock_moves_nothing() {
    for wrong in [-3_600_000i64, -31_000, 31_000, 86_400_000] {
        let mut world = World::new();
        let created = NOON.offset(wrong - 120_000);
        world.post_b(&body(&view(1, 0, created.0), 120_000), &sender(NOON));
        assert_eq!(world.fold().partials[0].minute, NOON.offset(-120_000).minute(), "{wrong}");
    }
    // One that is nearly right is taken as right: what two beacons tell of a minute is of the same minute.
    for late in [0, 100, 29_000] {
        let mut world = World::new();
        world.post_b(&body(&view(1, 0, NOON.0), 0), &sender(NOON.offset(late)));
        assert_eq!(world.fold().partials[0].minute, NOON.minute());
    }
}

#[test]
fn signals_of_a_page_without_wasm_are_counted_once() {
    let mut world = World::new();
    let bad = [("[]", "signals: "), ("[5]", "signals: "), (r#"["x"]"#, "signals: "), ("[", "signals: ")];
    for (body, detail) in bad {
        let answer = world.post_b(body.as_bytes(), &sender(NOON));
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.unwrap()["detail"].as_str().unwrap().starts_with(detail));
    }
    // The form is the tracker's: nothing, now, how many were told; `b`, creation, page load, site, storage, identity, screen, ...
    let signals = |now: u64, told: usize| {
        let (created, at) = (NOON.0, NOON.0 + 1000);
        let head = format!(
            "\x0c{now}\x0c{told}\x0cb\x0c{created}\x0c77\x0c0\x0c\x0c1920\x0c10000\x0cexample.com\x0cen-GB\x0cEurope/Berlin"
        );
        let view =
            format!("v\x0c{created}\x0c\x0c/\x0cexample.com\x0cfalse\x0chttps://news.net/\x0cmail\x0c\x0c\x0c\x0c\x0c\x0c");
        let click = format!("i\x0c{at}\x0cSignup\x0c/\x0cexample.com\x0cNaN\x0cplan\x0cpro\x0c");
        serde_json::to_vec(&[head, view, click]).unwrap()
    };
    for (now, told) in [(NOON.0 + 2000, 0), (NOON.0 + 5000, 0)] {
        assert_eq!(world.post_b(&signals(now, told), &sender(Millis(now))).status, 202);
    }
    let total = world.total();
    assert_eq!((total.views, total.events, total.visits), (1, 2, 1));
}

#[test]
fn minutes_far_away_are_refused_by_name() {
    let mut world = World::new();
    for at in [-90_000, 10, i32::MAX, i32::MIN] {
        let mut beacon = view(1, 0, NOON.0);
        beacon.visits[0].minutes[0].at = at;
        let answer = world.post_b(&body(&beacon, 5000), &sender(NOON));
        assert_eq!(answer.status, 400);
        assert!(answer.body.unwrap()["detail"].as_str().unwrap().starts_with("at: "));
    }
}

#[test]
fn the_visitor_of_each_minute_is_that_of_its_day() {
    let mut world = World::new();
    let midnight = Millis(100 * 24 * HOUR);
    let mut beacon = view(1, 0, midnight.0 - 60_000);
    let mut after = beacon.visits[0].minutes[0].clone();
    (after.at, after.started) = (60, 0);
    beacon.visits[0].minutes.push(after);
    assert_eq!(world.post_b(&body(&beacon, 90_000), &sender(midnight.offset(30_000))).status, 202);
    assert_eq!(world.fold().partials.len(), 2);
    assert_eq!(world.visitors(), 2);
}

#[test]
fn a_device_is_one_visitor_wherever_it_is() {
    let mut world = World::with(Identity::Device);
    for (load, address) in [(1, [10, 0, 0, 1]), (2, [10, 0, 0, 2])] {
        let beacon = Beacon { device: [9; 8], ..view(load, 0, NOON.0) };
        world.post_b(&body(&beacon, 0), &Sender { address: Some(address.into()), ..sender(NOON) });
    }
    assert_eq!((world.total().views, world.visitors()), (2, 1));
}

#[test]
fn nothing_that_leads_to_a_person_is_stored() {
    let mut world = World::with(Identity::Device);
    let beacon = Beacon { device: *b"DEVICEID", ..view(1, 0, NOON.0) };
    world.post_b(&body(&beacon, 0), &sender(NOON));
    world.post_event(r#"{"n":"pageview","u":"https://example.com/?q=QUERY","d":"example.com","r":"https://a.org/?x=secret","id":"mail@example.org"}"#, &sender(NOON));
    let rows = world.store.tables.iter().flat_map(|((_, key), value)| [key.clone(), value.clone()]);
    let stored: Vec<u8> = rows.chain(world.store.blocks.iter().cloned()).chain([world.fold().encode()]).flatten().collect();
    let stored = String::from_utf8_lossy(&stored);
    for secret in ["DEVICEID", "secret", "QUERY", "mail@example.org", "Gecko", "Europe/Berlin", "10.1.2.3"] {
        assert!(!stored.contains(secret), "{secret}");
    }
    assert!(stored.contains("news.ycombinator.com/item"));
    assert!(!stored.as_bytes().windows(4).any(|w| w == [10, 1, 2, 3]));
}

#[test]
fn visitors_and_sites_have_limits_but_not_with_a_token() {
    let mut world = World::new();
    world.limits = crate::limit::Limits::new(2, 3).into();
    let mut post = |load, address: [u8; 4], token| {
        let sender = Sender { address: Some(address.into()), token, ..sender(NOON) };
        world.post_b(&body(&view(load, 0, NOON.0), 0), &sender).status
    };
    assert_eq!([post(1, [1; 4], false), post(2, [1; 4], false), post(3, [1; 4], false)], [202, 202, 429]);
    assert_eq!([post(4, [2; 4], false), post(5, [2; 4], false)], [202, 429]);
    assert_eq!(post(6, [1; 4], true), 202);
}

#[test]
fn a_liars_sequence_numbers_are_refused_by_name() {
    let mut world = World::new();
    let post = |i: u32| world.post_b(&body(&view(1, 2 * i + 1, NOON.0), 0), &sender(NOON)).status;
    let statuses: Vec<u16> = (0..1100).map(post).collect();
    assert_eq!((statuses[1023], statuses[1024]), (202, 400));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn in_any_order_and_repetition_each_beacon_counts_once(
        arrivals in prop::collection::vec((0..5u8, 0..8u32, 0..3_000_000u64), 1..60),
    ) {
        let mut world = World::new();
        let mut distinct = std::collections::BTreeSet::new();
        let mut at = NOON;
        for (load, seq, pause) in arrivals {
            at = at.offset(pause as i64);
            let created = NOON.0 - u64::from(load) * HOUR;
            let answer = world.post_b(&body(&view(load, seq, created), at.0 - created), &sender(at));
            prop_assert_eq!(answer.status, 202);
            distinct.insert((load, seq));
        }
        let total = world.total();
        prop_assert_eq!(total.views, distinct.len() as u64);
        prop_assert_eq!(total.engaged, 3 * distinct.len() as u64);
    }

    #[test]
    fn any_split_into_batches_gives_the_same_sum(count in 1..40usize, split in 0..40usize) {
        let mut world = World::new();
        for i in 0..count {
            let from = Sender { address: Some([10, 0, 0, (i % 7) as u8].into()), ..sender(NOON) };
            world.post_b(&body(&view(i as u8, 0, NOON.0 - (i as u64 % 3) * 60_000), (i as u64 % 3) * 60_000), &from);
        }
        let whole = world.fold();
        let rest = world.store.blocks.split_off(split.min(count));
        let first = world.fold();
        world.store.blocks = rest;
        let second = world.fold();
        for partial in &whole.partials {
            let of = |batch: &headwater_core::Batch| {
                batch.partials.iter().find(|p| p.minute == partial.minute).map(|p| p.aggregate.clone()).unwrap_or_default()
            };
            prop_assert_eq!(&headwater_core::Aggregate::merge(&[&of(&first), &of(&second)]), &partial.aggregate);
        }
    }
}
