use headwater_core::beacon::{Delta, MinutePart, Str, VisitPart, envelope};
use headwater_core::{Batch, Beacon, Millis};
use proptest::prelude::*;

use super::{NOON, World, sender};
use crate::sender::Sender;

fn wild_beacon() -> impl Strategy<Value = Vec<u8>> {
    let delta =
        (0..6u16, 0..6u16, 0..3u32, prop::collection::vec((0..6u16, 0..6u16), 0..4)).prop_map(|(name, page, count, props)| {
            Delta {
                name: Str(name),
                page: Str(page),
                count,
                props: props.into_iter().map(|(k, v)| (Str(k), Str(v))).collect(),
                ..Delta::default()
            }
        });
    let minute = (-90_000..90_000i32, 0..3u8, 0..3u8, prop::collection::vec(delta, 0..4))
        .prop_map(|(at, started, went_on, deltas)| MinutePart { at, started, went_on, deltas });
    let visit = (any::<u16>(), 0..6u16, prop::collection::vec(minute, 0..5)).prop_map(|(tag, s, minutes)| VisitPart {
        tag,
        referrer: Str(s),
        source: Str(s),
        entry: Str(s),
        minutes,
        ..VisitPart::default()
    });
    (prop::collection::vec(visit, 0..4), any::<u64>(), any::<u32>(), any::<bool>()).prop_map(|(visits, now, created, sane)| {
        let strings = vec!["", "(other)", "pageview", "\u{0}", "https://x/?"];
        let created = if sane { (NOON.0 / 1000) as u32 - 90_000 } else { created };
        let beacon = Beacon { site: "example.com", created, strings, visits, ..Beacon::default() };
        let mut body = Vec::new();
        envelope(Millis(if sane { NOON.0 } else { now >> 1 }), &mut body);
        body.extend(beacon.encode());
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn wild_beacons_are_answered_and_what_is_kept_folds(body in wild_beacon(), at in prop_oneof![Just(NOON.0), any::<u64>()]) {
        let mut world = World::new();
        let status = world.post_b(&body, &sender(Millis(at.min(1 << 60)))).status;
        prop_assert!([202, 400, 410, 503].contains(&status), "{}", status);
        if at == NOON.0 {
            prop_assert!(status != 503, "bad input is never 5xx");
        }
        world.fold();
    }

    #[test]
    fn any_bytes_are_answered(mut body in prop::collection::vec(any::<u8>(), 0..300), versioned in any::<bool>()) {
        if versioned && !body.is_empty() {
            body[0] = 1;
        }
        prop_assert_eq!(World::new().post_b(&body, &sender(NOON)).status, 400);
    }

    #[test]
    fn any_text_is_answered(body in r#"(\{|\}|\[|\]|"(n|u|d|p|e|sd|i|\$|id|timestamp|pageview|engagement|https://example.com/|example.com|)"|:|,|[0-9]|null|true|€){0,40}"#, token in any::<bool>()) {
        let status = World::new().post_event(&body, &Sender { token, ..sender(NOON) }).status;
        prop_assert!([202, 400].contains(&status), "{}", status);
    }

    #[test]
    fn any_fields_are_answered(name in ".{0,20}", url in "(https?://)?.{0,40}", prop in ".{0,10}", value in any::<f64>(), referrer in ".{0,30}") {
        let body = serde_json::json!({"name": name, "url": url, "domain": "example.com", "props": {prop: value}, "value": value, "referrer": referrer});
        let mut world = World::new();
        let status = world.post_event(&body.to_string(), &sender(NOON)).status;
        prop_assert!([202, 400].contains(&status), "{}", status);
        world.fold();
    }
}

/// The beacon that grows most: long strings, told in every minute of as many visits.
#[test]
fn spite_makes_no_batch_that_a_collector_refuses() {
    let long: Vec<String> = (0..28).map(|i| format!("{i:02}{}", "x".repeat(1022))).collect();
    let strings: Vec<&str> = long.iter().map(String::as_str).collect();
    let deltas: Vec<Delta> = (1..=28).map(|i| Delta { page: Str(i), engaged: 1, ..Delta::default() }).collect();
    let mut world = World::new();
    for load in 0..60u8 {
        let visits = (0..64i32).map(|i| {
            let minutes =
                vec![MinutePart { at: -60 * (i + 64 * i32::from(load % 20)), started: 1, went_on: 0, deltas: deltas.clone() }];
            let all = |n: u16| Str(n + (i as u16 % 20));
            VisitPart {
                tag: i as u16,
                source: all(1),
                medium: all(2),
                campaign: all(3),
                content: all(4),
                term: all(5),
                entry: all(6),
                minutes,
                ..VisitPart::default()
            }
        });
        let mut beacon = Beacon {
            site: "example.com",
            created: (NOON.0 / 1000) as u32,
            strings: strings.clone(),
            visits: visits.collect(),
            ..Beacon::default()
        };
        beacon.id.load = [load; 8];
        let mut body = Vec::new();
        envelope(NOON, &mut body);
        body.extend(beacon.encode());
        assert_eq!(world.post_b(&body, &sender(NOON)).status, 202, "{} bytes", body.len());
    }
    let mut rest = world.store.blocks.clone();
    while !rest.is_empty() {
        let mut folder = crate::fold::Folder::default();
        let taken = rest.iter().take_while(|block| {
            let takes = folder.takes(block.len());
            if takes {
                folder.add(block);
            }
            takes
        });
        let taken = taken.count();
        assert!(rest.iter().all(|block| block.len() < 1 << 20), "a row stays below 1 MB");
        rest.drain(..taken);
        let length = folder.finish(headwater_core::NodeId::default(), 1, 1).encode().len();
        assert!(length <= Batch::MAX_BYTES, "{length}");
    }
}
