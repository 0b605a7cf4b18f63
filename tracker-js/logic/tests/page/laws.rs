//! Whatever is done in whatever order: it is counted, exactly, and no beacon leaves its limits.
use std::collections::BTreeMap;

use headwater_core::beacon;
use headwater_tracker_logic::Action;
use proptest::prelude::*;

use crate::world::{START, World, page};

/// What a page does, or what happens to it.
#[derive(Clone, Debug)]
enum Step {
    View(u8),
    Event {
        name: u8,
        value: Option<i32>,
        interactive: bool,
        props: u8,
    },
    Pass(u32),
    Answer {
        status: u16,
        arrived: bool,
    },
    Hide {
        arrived: bool,
    },
    /// What was left is sent again.
    Again,
    /// The page goes; another one of the same browser comes.
    Navigate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4u8).prop_map(Step::View),
        6 => (0..3u8, proptest::option::of(any::<i32>()), any::<bool>(), 0..3u8)
            .prop_map(|(name, value, interactive, props)| Step::Event { name, value, interactive, props }),
        6 => prop_oneof![0..2000u32, 0..60_000u32, 0..4_000_000u32].prop_map(Step::Pass),
        8 => (prop_oneof![Just(202u16), Just(503), Just(0), Just(429)], any::<bool>())
            .prop_map(|(status, lost)| Step::Answer { status, arrived: status == 202 || lost }),
        2 => any::<bool>().prop_map(|arrived| Step::Hide { arrived }),
        2 => Just(Step::Again),
        1 => Just(Step::Navigate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_was_done_is_what_is_counted(steps in proptest::collection::vec(step(), 1..120), storage: bool, busy in 1..20u32) {
        let mut world = World::default();
        let mut now = START;
        let mut load = 1;
        let mut tracker = page(now, load, storage);
        let mut done: BTreeMap<(u64, String, String), u32> = BTreeMap::new();
        let mut values = Vec::new();
        let mut flying: Option<Vec<u8>> = None;
        for step in steps {
            match step {
                Step::View(page) => {
                    let path = format!("/{page}");
                    world.signal(&mut tracker, now, "v", &format!("\x0c{path}\x0cexample.com\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c"));
                    *done.entry((now / 60_000, String::new(), path)).or_default() += 1;
                }
                Step::Event { name, value, interactive, props } => {
                    for _ in 0..busy * 10 {
                        let name = format!("event {name}");
                        let value = value.map_or("NaN".into(), |v| i64::from(v).to_string());
                        let props = ["", "a\x0cb\x0c", "a\x0cb\x0cc\x0c\x0c"][usize::from(props)];
                        let kind = if interactive { "i" } else { "e" };
                        world.signal(&mut tracker, now, kind, &format!("{name}\x0c/\x0cexample.com\x0c{value}\x0c{props}EUR"));
                        *done.entry((now / 60_000, name, "/".into())).or_default() += 1;
                        values.extend(value.parse::<i64>().ok());
                    }
                }
                Step::Pass(ms) => now += u64::from(ms),
                Step::Answer { status, arrived } => {
                    if let Some(body) = flying.take() {
                        world.arrive(&body, arrived);
                        tracker.answer(now, u64::from(status), 0);
                    }
                }
                Step::Hide { arrived } => tracker.hide(now, |body| {
                    world.arrive(body, arrived);
                    world.left.push(body.to_vec());
                }),
                Step::Again => world.again(),
                Step::Navigate => {
                    // The browser lives on and in the end everything arrives: what went is acknowledged or goes again.
                    if let Some(body) = flying.take() {
                        world.arrive(&body, true);
                        tracker.answer(now, 202, 0);
                    }
                    tracker.hide(now, |body| world.left.push(body.to_vec()));
                    load += 1;
                    tracker = page(now, load, storage);
                }
            }
            if flying.is_none() && let Action::Send(body) = tracker.step(now) {
                flying = Some(body.to_vec());
            }
        }
        if let Some(body) = flying.take() {
            world.arrive(&body, true);
            tracker.answer(now, 202, 0);
        }
        world.settle(&mut tracker, now);
        world.again();

        let sums = world.sums();
        let counted: BTreeMap<_, _> = sums.rows.iter().filter(|(_, (count, _))| *count > 0).map(|(key, (count, _))| (key.clone(), *count)).collect();
        prop_assert_eq!(counted, done);
        let mut counted = sums.values.clone();
        counted.sort_unstable();
        values.sort_unstable();
        prop_assert_eq!(counted, values);
        // No bounce and no exit is below zero: nothing goes on that is not there, in its own minute.
        for (key, (count, went_on)) in &sums.rows {
            prop_assert!(went_on <= count, "{:?}", key);
        }
        for (minute, (started, went_on)) in &sums.visits {
            prop_assert!(went_on <= started, "{}", minute);
        }
    }

    #[test]
    fn any_signal_makes_a_beacon_within_its_limits(kinds in proptest::collection::vec(("[vilge]", "[a-z\\x0cé\u{1F600}]{0,40}", 0..3000usize), 1..60)) {
        let (mut world, mut tracker) = (World::default(), page(START, 1, true));
        for (at, (kind, fields, times)) in kinds.iter().enumerate() {
            world.signal(&mut tracker, START + at as u64 * 50_000, kind, &fields.repeat(times / 20 + 1));
        }
        world.settle(&mut tracker, START + 4_000_000);
        for frozen in world.server.values() {
            prop_assert!(frozen.len() < beacon::MAX_BYTES - 16);
        }
        world.sums();
    }
}
