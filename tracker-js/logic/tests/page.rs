//! A page load against a server of every mood: what is done is what is counted, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
use std::collections::BTreeMap;

use headwater_core::{Beacon, beacon};
use headwater_tracker_logic::{Action, Tracker, text::Fields};
use proptest::prelude::*;

/// A Sunday noon, in milliseconds since 1970.
const START: u64 = 1_700_000_000_000;
/// Name, page, host, the referrer's host, referrer, campaign, click id, properties and the place of a currency.
const HOME: &str = "\x0c/\x0cexample.com\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c";

/// What is counted of a page, event or visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    /// By minute, name and page: count, went on.
    rows: BTreeMap<(u64, String, String), (u32, u32)>,
    /// By minute: started, went on.
    visits: BTreeMap<u64, (u32, u32)>,
    values: Vec<i64>,
}

impl Sums {
    fn add(&mut self, frozen: &[u8]) {
        let beacon = Beacon::decode(frozen).expect("a beacon within its limits");
        assert_eq!(beacon.encode(), frozen, "one form only");
        let created = i64::from(beacon.created);
        for visit in &beacon.visits {
            for minute in &visit.minutes {
                let at = (created + i64::from(minute.at)) as u64 / 60;
                let sums = self.visits.entry(at).or_default();
                sums.0 += u32::from(minute.started);
                sums.1 += u32::from(minute.went_on);
                for row in &minute.deltas {
                    let key = (at, beacon.string(row.name).to_owned(), beacon.string(row.page).to_owned());
                    let sums = self.rows.entry(key).or_default();
                    sums.0 += row.count;
                    sums.1 += row.went_on;
                    self.values.extend(&row.values);
                }
            }
        }
        self.visits.retain(|_, sums| *sums != (0, 0));
    }

    fn totals(&self) -> [u32; 4] {
        let mut totals = [0; 4];
        for (count, went_on) in self.rows.values() {
            totals[0] += count;
            totals[1] += went_on;
        }
        for (started, went_on) in self.visits.values() {
            totals[2] += started;
            totals[3] += went_on;
        }
        totals
    }
}

fn page(at: u64, load: u64, storage: bool) -> Box<Tracker> {
    let mut tracker = Box::new(Tracker::NEW);
    let settings = format!("{load}\x0cexample.com\x0c{}\x0c\x0c1920\x0c10000\x0cen-GB\x0cEurope/Berlin", u8::from(storage));
    tracker.begin(at, Fields::new(settings.as_bytes()));
    tracker
}

/// A browser with storage and a server that keeps what it takes, once for each id.
#[derive(Default)]
struct World {
    stored: Vec<u8>,
    server: BTreeMap<[u8; 12], Vec<u8>>,
    /// What was handed over when pages were left: the loader sends it until it is acknowledged.
    left: Vec<Vec<u8>>,
}

impl World {
    fn signal(&mut self, tracker: &mut Tracker, at: u64, kind: &str, fields: &str) {
        if let Some(stored) = tracker.signal(kind.as_bytes()[0], at, Fields::new(fields.as_bytes()), &self.stored) {
            self.stored = stored.to_vec();
        }
    }

    /// A body arrives: the same id always has the same bytes.
    fn arrive(&mut self, body: &[u8], taken: bool) {
        let (_, frozen) = beacon::open(body).expect("an envelope");
        let id = Beacon::decode(frozen).expect("a beacon").id;
        let mut key = [0; 12];
        key[..8].copy_from_slice(&id.load);
        key[8..].copy_from_slice(&id.seq.to_le_bytes());
        if let Some(known) = self.server.get(&key) {
            assert_eq!(known, frozen, "bytes of an id changed");
        } else if taken {
            self.server.insert(key, frozen.to_vec());
        }
    }

    /// Runs until nothing is left to do; every answer is good.
    fn settle(&mut self, tracker: &mut Tracker, mut now: u64) -> u64 {
        loop {
            match tracker.step(now) {
                Action::Send(body) => {
                    self.arrive(body, true);
                    tracker.answer(now, 202, 0);
                }
                Action::Wait(ms) => now += ms,
                Action::Done => return now,
            }
        }
    }

    /// What was left is sent again, and acknowledged.
    fn again(&mut self) {
        for body in std::mem::take(&mut self.left) {
            self.arrive(&body, true);
        }
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.server.values().for_each(|frozen| sums.add(frozen));
        sums
    }
}

#[test]
fn one_view_is_one_visit_that_bounces() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    world.signal(&mut tracker, START, "v", HOME);
    assert_eq!(tracker.step(START), Action::Wait(250));
    let end = world.settle(&mut tracker, START);
    assert_eq!(end, START + 250);
    assert_eq!(world.sums().totals(), [1, 0, 1, 0]);
}

#[test]
fn a_visit_goes_on_over_pages_and_each_went_on_is_in_the_minute_of_what_it_continues() {
    let mut world = World::default();
    let mut first = page(START, 1, true);
    world.signal(&mut first, START, "v", "\x0c/a\x0cexample.com\x0cfalse\x0chttps://news.net/x\x0cmail\x0c\x0c\x0c\x0c\x0c\x0c");
    world.settle(&mut first, START);
    let later = START + 5 * 60_000;
    let mut second = page(later, 2, true);
    world.signal(&mut second, later, "v", "\x0c/b\x0cexample.com\x0ctrue\x0chttps://example.com/a\x0c\x0c\x0c\x0c\x0c\x0c\x0c");
    world.settle(&mut second, later);
    let sums = world.sums();
    let minute = START / 60_000;
    assert_eq!(sums.visits, BTreeMap::from([(minute, (1, 1))]));
    assert_eq!(sums.rows[&(minute, String::new(), "/a".into())], (1, 1));
    assert_eq!(sums.rows[&(minute + 5, String::new(), "/b".into())], (1, 0));
    let mut parts = Vec::new();
    for frozen in world.server.values() {
        let beacon = Beacon::decode(frozen).unwrap();
        for visit in &beacon.visits {
            let text = |s| beacon.string(s).to_owned();
            parts.push((visit.tag, text(visit.referrer), text(visit.source), text(visit.entry)));
        }
    }
    assert!(parts[0].0 != 0);
    assert_eq!((&parts[0].1[..], &parts[0].2[..], &parts[0].3[..]), ("https://news.net/x", "mail", "/a"));
    assert!(parts.iter().all(|part| *part == parts[0]), "one visit, told alike by both pages");
}

#[test]
fn an_interactive_event_makes_a_visit_go_on_and_another_does_not() {
    for (kind, went_on) in [("i", 1), ("e", 0)] {
        let (mut world, mut tracker) = (World::default(), page(START, 1, true));
        world.signal(&mut tracker, START, "v", HOME);
        world.signal(&mut tracker, START + 1000, kind, "Signup\x0c/\x0cexample.com\x0c29000000\x0cplan\x0cpro\x0cEUR");
        world.signal(&mut tracker, START + 2000, kind, "Signup\x0c/\x0cexample.com\x0cNaN\x0c");
        world.settle(&mut tracker, START + 2000);
        assert_eq!(world.sums().totals(), [3, 0, 1, went_on]);
        assert_eq!(world.sums().values, [29_000_000]);
    }
}

#[test]
fn thirty_minutes_or_a_campaign_begin_a_new_visit() {
    let external = "\x0c/\x0cexample.com\x0c\x0c\x0cnews\x0cmail\x0c\x0c\x0c\x0c\x0c";
    for (gap, fields, visits) in [(29, HOME, 1), (30, HOME, 2), (5, external, 2), (29, external, 2)] {
        let (mut world, mut tracker) = (World::default(), page(START, 1, true));
        world.signal(&mut tracker, START, "v", HOME);
        world.signal(&mut tracker, START + gap * 60_000, "v", fields);
        world.signal(&mut tracker, START + gap * 60_000 + 1, "v", fields); // reloaded: the same campaign
        world.settle(&mut tracker, START + gap * 60_000);
        assert_eq!(world.sums().totals()[2], visits, "after {gap} minutes");
    }
}

#[test]
fn without_storage_the_referrer_and_followed_links_tell_visits() {
    let mut world = World::default();
    let mut first = page(START, 1, false);
    world.signal(&mut first, START, "v", HOME);
    world.signal(&mut first, START + 1000, "l", "true");
    world.signal(&mut first, START + 2000, "l", "false");
    world.signal(&mut first, START + 3000, "l", "true");
    world.settle(&mut first, START);
    assert!(world.stored.is_empty());
    assert_eq!(world.sums().totals(), [1, 1, 1, 1]);
    let mut second = page(START + 9000, 2, false);
    world.signal(
        &mut second,
        START + 9000,
        "v",
        "\x0c/b\x0cexample.com\x0ctrue\x0chttps://example.com/\x0c\x0c\x0c\x0c\x0c\x0c\x0c",
    );
    world.signal(&mut second, START + 9500, "i", "Click\x0c/b\x0cexample.com\x0c\x0c");
    world.settle(&mut second, START + 9000);
    assert_eq!(world.sums().totals(), [3, 1, 1, 1]);
    for frozen in world.server.values() {
        assert!(Beacon::decode(frozen).unwrap().visits.iter().all(|visit| visit.tag == 0));
    }
}

#[test]
fn at_most_one_beacon_in_ten_seconds_and_one_on_its_way() {
    let mut tracker = page(START, 1, true);
    let mut world = World::default();
    let mut sent = Vec::new();
    let mut now = START;
    while now < START + 60_000 {
        world.signal(&mut tracker, now, "i", "Click\x0c/\x0cexample.com\x0c\x0c");
        if let Action::Send(body) = tracker.step(now) {
            world.arrive(body, true);
            sent.push(now);
            assert_eq!(tracker.step(now), Action::Done, "one at a time");
            tracker.answer(now + 30, 202, 0);
        }
        now += 50;
    }
    assert_eq!(sent[0], START + 250);
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= 10_000));
    assert_eq!(sent.len(), 6);
    world.settle(&mut tracker, now);
    assert_eq!(world.sums().totals()[0], 1200);
}

#[test]
fn refusals_are_final_and_the_rest_is_told_again_later_and_later() {
    for status in [400, 401, 403, 404, 410, 413, 202, 200] {
        let mut tracker = page(START, 1, true);
        World::default().signal(&mut tracker, START, "v", HOME);
        assert!(matches!(tracker.step(START + 250), Action::Send(_)));
        tracker.answer(START + 300, status, 0);
        assert_eq!(tracker.step(START + 300), Action::Done, "{status}");
    }
    let mut tracker = page(START, 1, true);
    World::default().signal(&mut tracker, START, "v", HOME);
    let mut now = START + 250;
    let mut frozen = Vec::new();
    for (attempt, status) in [503, 429, 0, 500, 0, 0, 0, 0, 0].into_iter().enumerate() {
        let Action::Send(body) = tracker.step(now) else { panic!("not sent") };
        let (_, bytes) = beacon::open(body).unwrap();
        if attempt == 0 {
            frozen = bytes.to_vec();
        }
        assert_eq!(bytes, frozen);
        tracker.answer(now, status, 0);
        let Action::Wait(ms) = tracker.step(now) else { panic!("not later") };
        let base = 10_000 << attempt.min(5);
        assert!((base..=2 * base).contains(&ms), "attempt {attempt} waits {ms}");
        now += ms;
    }
}

#[test]
fn retry_after_is_followed() {
    let mut tracker = page(START, 1, true);
    World::default().signal(&mut tracker, START, "v", HOME);
    tracker.step(START + 250);
    tracker.answer(START + 250, 503, 120);
    let Action::Wait(ms) = tracker.step(START + 250) else { panic!("not later") };
    assert!((120_000..=130_000).contains(&ms));
}

#[test]
fn what_is_not_acknowledged_is_handed_over_when_the_page_is_left() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    world.signal(&mut tracker, START, "v", HOME);
    let Action::Send(flying) = tracker.step(START + 250) else { panic!("not sent") };
    let flying = flying.to_vec();
    world.signal(&mut tracker, START + 300, "i", "Signup\x0c/\x0cexample.com\x0cNaN\x0c");
    let mut parted = Vec::new();
    tracker.hide(START + 400, |body| parted.push(body.to_vec()));
    tracker.hide(START + 410, |_| panic!("nothing is new"));
    assert_eq!((parted.len(), &parted[0]), (2, &flying), "the one that is on its way too");
    // The answer to what was handed over says nothing about what comes after it.
    world.signal(&mut tracker, START + 500, "i", "Signup\x0c/\x0cexample.com\x0cNaN\x0c");
    assert_eq!(tracker.step(START + 60_000), Action::Done, "one at a time");
    tracker.answer(START + 60_000, 202, 0);
    world.settle(&mut tracker, START + 60_000);
    parted.iter().for_each(|body| world.arrive(body, true));
    assert_eq!(world.sums().totals(), [3, 0, 1, 1]);
}

#[test]
fn time_and_depth_add_up_by_minute_and_go_with_what_comes_next() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    let view = "\x0c/a\x0cexample.com\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0cauthor\x0cAnn\x0c";
    world.signal(&mut tracker, START, "v", view);
    world.settle(&mut tracker, START);
    for (at, spent, depth) in [(20, 20, 40), (30, 10, 0), (70, 40, 25)] {
        let spent = format!("\x0c/a\x0cexample.com\x0c{spent}\x0c{depth}\x0cauthor\x0cAnn\x0c");
        world.signal(&mut tracker, START + at * 1000, "g", &spent);
    }
    assert_eq!(tracker.step(START + 80_000), Action::Done, "nothing goes for time alone");
    tracker.hide(START + 80_000, |body| world.arrive(body, true));
    let mut sums = BTreeMap::new();
    for frozen in world.server.values() {
        let beacon = Beacon::decode(frozen).unwrap();
        for minute in beacon.visits.iter().flat_map(|visit| &visit.minutes) {
            for row in &minute.deltas {
                let text = |s| beacon.string(s);
                assert_eq!((text(row.page), text(row.props[0].0), text(row.props[0].1)), ("/a", "author", "Ann"));
                let sum: &mut (u32, u32, u32) = sums.entry((i64::from(beacon.created) + i64::from(minute.at)) / 60).or_default();
                *sum = (sum.0 + row.count, sum.1 + row.engaged, sum.2 + row.depth);
            }
        }
    }
    // START is 20 seconds into a minute.
    let minute = START as i64 / 60_000;
    assert_eq!(sums, BTreeMap::from([(minute, (1, 30, 40)), (minute + 1, (0, 40, 25))]));
}

#[test]
fn time_spent_keeps_a_visit_alive() {
    for (reads, visits) in [(true, 1), (false, 2)] {
        let (mut world, mut tracker) = (World::default(), page(START, 1, true));
        world.signal(&mut tracker, START, "v", HOME);
        if reads {
            world.signal(&mut tracker, START + 20 * 60_000, "g", "\x0c/\x0cexample.com\x0c60\x0c0\x0c");
        }
        world.signal(&mut tracker, START + 40 * 60_000, "v", HOME);
        world.settle(&mut tracker, START + 41 * 60_000);
        assert_eq!(world.sums().totals(), [2, 2 - visits, visits, 2 - visits], "{reads}");
    }
}

#[test]
fn after_a_day_the_rest_takes_a_new_id_and_keeps_its_minutes() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    world.signal(&mut tracker, START, "v", HOME);
    world.settle(&mut tracker, START);
    let later = START + 25 * 3_600_000;
    world.signal(&mut tracker, later, "i", "Click\x0c/\x0cexample.com\x0c\x0c");
    world.settle(&mut tracker, later);
    let beacons: Vec<_> = world.server.values().map(|frozen| Beacon::decode(frozen).unwrap()).collect();
    assert!(beacons[0].id.load != beacons[1].id.load);
    assert!(beacons.iter().all(|beacon| beacon.id.seq == 0));
    assert_eq!(world.sums().rows[&(later / 60_000, "Click".into(), "/".into())], (1, 0));
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    world.signal(&mut tracker, START, "v", HOME);
    world.signal(&mut tracker, START + 3_600_000, "i", "Click\x0c/\x0cexample.com\x0c\x0c");
    let end = world.settle(&mut tracker, START + 60_000);
    assert!(end <= START + 70_000);
    assert_eq!(world.sums().totals()[0], 2);
    for frozen in world.server.values() {
        let beacon = Beacon::decode(frozen).unwrap();
        assert!(beacon.visits.iter().flat_map(|visit| &visit.minutes).all(|minute| minute.at <= 60));
    }
}

#[test]
fn what_waited_for_days_stays_within_a_day_of_its_id() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, false));
    world.signal(&mut tracker, START, "v", HOME);
    world.settle(&mut tracker, START);
    let later = START + 25 * 3_600_000;
    world.signal(&mut tracker, later, "i", "Click\x0c/\x0cexample.com\x0c\x0c");
    world.signal(&mut tracker, later + 40 * 60_000, "l", "true");
    world.settle(&mut tracker, later + 40 * 3_600_000);
    for frozen in world.server.values() {
        let beacon = Beacon::decode(frozen).unwrap();
        assert!(beacon.visits.iter().flat_map(|visit| &visit.minutes).all(|minute| minute.at >= 0));
    }
}

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
