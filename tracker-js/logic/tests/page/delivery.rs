//! What goes when, and what is done until it is acknowledged.
use headwater_core::{Beacon, beacon};
use headwater_tracker_logic::Action;

use crate::world::{HOME, START, World, page};

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
