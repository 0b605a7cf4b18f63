//! Visits, views and what was spent on them.
use std::collections::BTreeMap;

use headwater_core::Beacon;
use headwater_tracker_logic::{Action, text::Fields};

use crate::world::{HOME, START, World, page};

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
fn activity_is_noted_to_a_quarter_of_a_minute() {
    let click = "Click\x0c/\x0cexample.com\x0c\x0c";
    // Seconds of clicks, then of a view by another page: half an hour after a noted click, or less than 15 seconds more after it.
    for (clicks, view, visits) in [
        (&[20, 30][..], 30 * 60 + 19, 1),
        (&[20, 30], 30 * 60 + 20, 2),
        (&[20, 35], 30 * 60 + 34, 1),
        (&[20, 35], 30 * 60 + 35, 2),
        // A view is always noted.
        (&[14], 30 * 60, 2),
    ] {
        let (mut world, mut first, mut second) = (World::default(), page(START, 1, true), page(START, 2, true));
        world.signal(&mut first, START, "v", HOME);
        for at in clicks {
            world.signal(&mut first, START + at * 1000, "i", click);
        }
        world.signal(&mut second, START + view * 1000, "v", HOME);
        world.settle(&mut first, START + view * 1000);
        world.settle(&mut second, START + view * 1000);
        assert_eq!(world.sums().totals()[2], visits, "{clicks:?} {view}");
    }
}

#[test]
fn storage_is_written_only_when_something_is_new() {
    let (mut world, mut tracker) = (World::default(), page(START, 1, true));
    world.signal(&mut tracker, START, "v", HOME);
    let stored = world.stored.clone();
    let mut click = |at: u64| {
        let fields = Fields::new(b"Click\x0c/\x0cexample.com\x0c\x0c");
        tracker.signal(b'i', START + at, fields, &world.stored).map(|new| world.stored = new.to_vec()).is_some()
    };
    // The first makes the visit go on, and one in another quarter of a minute is later activity.
    assert_eq!([0, 1, 14_999, 15_000, 29_000, 30_000].map(&mut click), [true, false, false, true, false, true]);
    assert_ne!(world.stored, stored);
}
