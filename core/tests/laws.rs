//! The laws of the algebra: however activities are split, ordered and merged, the same aggregate comes out.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking
use headwater_core::{Activity, Aggregate, EventDelta, Fold, Minute, RowDimension, Tallies, VisitDimension, VisitorHash};
use proptest::prelude::*;

/// An activity that owns its strings: few distinct values, so that merging meets equal keys.
#[derive(Clone, Debug)]
struct Act {
    visitor: u64,
    tag: u16,
    country: u8,
    source: u8,
    started: u64,
    went_on: u64,
    events: Vec<(u8, u8, u64, u64, Vec<i64>, u8)>,
}

fn act() -> impl Strategy<Value = Act> {
    let event = (0..3u8, 0..5u8, 0..4u64, 0..2u64, prop::collection::vec(-5_000_000..5_000_000i64, 0..3), 0..3u8);
    (0..12u64, 0..2u16, 0..3u8, 0..3u8, 0..2u64, 0..2u64, prop::collection::vec(event, 0..4)).prop_map(
        |(visitor, tag, country, source, started, went_on, events)| {
            // Hashes of visitors are uniform over 64 bits.
            let visitor = (visitor + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Act { visitor, tag, country, source, started, went_on, events }
        },
    )
}

fn add(fold: &mut Fold, act: &Act, order: u64) {
    let country = format!("C{}", act.country);
    let source = if act.source == 0 { String::new() } else { format!("source {}", act.source) };
    let mut visit = [""; VisitDimension::COUNT];
    visit[VisitDimension::Country as usize] = &country;
    visit[VisitDimension::Source as usize] = &source;
    let names = ["pageview", "Signup", "Zoom"];
    let pages: Vec<String> = (0..5).map(|p| format!("/page/{p}")).collect();
    let props = [vec![], vec![("plan", "pro")], vec![("seat", "9"), ("plan", "free")]];
    let events: Vec<EventDelta> = act
        .events
        .iter()
        .map(|(name, page, count, went_on, values, p)| EventDelta {
            name: names[*name as usize],
            page: &pages[*page as usize],
            hostname: "example.com",
            props: &props[*p as usize],
            count: *count,
            went_on: *went_on,
            values,
            order,
            ..EventDelta::default()
        })
        .collect();
    fold.add(&Activity {
        visitor: VisitorHash(act.visitor),
        minute: Minute(7),
        tag: act.tag,
        visit: &visit,
        started: act.started,
        went_on: act.went_on,
        events: &events,
    });
}

fn fold(acts: &[(usize, &Act)]) -> Aggregate {
    let mut fold = Fold::new();
    acts.iter().for_each(|(i, a)| add(&mut fold, a, *i as u64));
    fold.finish()
}

fn merge(a: &Aggregate, b: &Aggregate) -> Aggregate {
    Aggregate::merge(&[a, b])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_and_order_gives_the_same(acts in prop::collection::vec(act(), 0..30), cuts in prop::collection::vec(0..4usize, 30), seed in any::<u64>()) {
        let all: Vec<(usize, &Act)> = acts.iter().enumerate().collect();
        let whole = fold(&all);
        let mut parts: Vec<Vec<(usize, &Act)>> = vec![Vec::new(); 4];
        for (item, cut) in all.iter().zip(&cuts) {
            parts[*cut].push(*item);
        }
        let mut folded: Vec<Aggregate> = parts.iter_mut().map(|part| { part.reverse(); fold(part) }).collect();
        let rotate = (seed % 4) as usize;
        folded.rotate_left(rotate);
        let merged = Aggregate::merge(&folded.iter().collect::<Vec<_>>());
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(merged.encode(), whole.encode());
        let left = folded.iter().fold(Aggregate::default(), |sum, part| merge(&sum, part));
        let right = folded.iter().rev().fold(Aggregate::default(), |sum, part| merge(part, &sum));
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
    }

    #[test]
    fn identity_and_wire(acts in prop::collection::vec(act(), 0..20)) {
        let one = fold(&acts.iter().enumerate().collect::<Vec<_>>());
        prop_assert_eq!(&merge(&one, &Aggregate::default()), &one);
        prop_assert_eq!(&merge(&Aggregate::default(), &one), &one);
        prop_assert_eq!(Aggregate::decode(&one.encode()), Ok(one));
    }

    #[test]
    fn sheets_are_all_of_it_and_each_has_its_dimension(acts in prop::collection::vec(act(), 0..20)) {
        let tallies = fold(&acts.iter().enumerate().collect::<Vec<_>>()).tallies;
        let sheets = tallies.sheets();
        for (of, sheet) in &sheets {
            prop_assert_eq!(sheet.total(), tallies.total());
            prop_assert!(sheet.rows.iter().all(|row| row.key.dimension == RowDimension::Total || row.key.dimension.sheet() == *of));
            prop_assert_eq!(&Tallies::decode(&sheet.encode().bytes), &Ok(sheet.clone()));
        }
        prop_assert_eq!(Tallies::of_sheets(sheets.into_iter().map(|(_, sheet)| sheet).collect()), tallies);
    }

    #[test]
    fn rows_add_up_to_the_total(acts in prop::collection::vec(act(), 0..20)) {
        let tallies = fold(&acts.iter().enumerate().collect::<Vec<_>>()).tallies;
        let total = tallies.total().cloned().unwrap_or_default();
        let sum = |dimension, of: fn(&headwater_core::Tally) -> u64| tallies.of(dimension).iter().map(|r| of(&r.tally)).sum::<u64>();
        prop_assert_eq!(total.events, acts.iter().flat_map(|a| &a.events).map(|e| e.2).sum::<u64>());
        prop_assert_eq!(total.views, acts.iter().flat_map(|a| &a.events).filter(|e| e.0 == 0).map(|e| e.2).sum::<u64>());
        prop_assert_eq!(total.visits, acts.iter().map(|a| a.started).sum::<u64>());
        for dimension in [RowDimension::Page, RowDimension::Name, RowDimension::Visit(VisitDimension::Country)] {
            prop_assert_eq!(sum(dimension, |t| t.events), total.events);
            prop_assert_eq!(sum(dimension, |t| t.views_went_on), total.views_went_on);
        }
        prop_assert_eq!(sum(RowDimension::Visit(VisitDimension::Source), |t| t.visits), total.visits);
        // What is refused is in (other), and nothing is lost.
        let admitted = tallies.admit(|dimension, _, value| dimension != RowDimension::Page || value == "/page/1");
        let pages = admitted.of(RowDimension::Page);
        prop_assert!(pages.len() <= 2);
        prop_assert_eq!(pages.iter().map(|r| r.tally.events).sum::<u64>(), total.events);
    }
}

/// Visitors with a single page view each; hashes from `from` on in a fixed uniform sequence.
fn crowd(from: u64, count: u64) -> Aggregate {
    let mut fold = Fold::new();
    let visit = [""; VisitDimension::COUNT];
    let events = [EventDelta { name: "pageview", page: "/", count: 1, ..EventDelta::default() }];
    for i in from..from + count {
        let mut hash = i.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash ^= hash >> 29;
        hash = hash.wrapping_mul(0x94d0_49bb_1331_11eb);
        let visitor = VisitorHash(hash ^ (hash >> 32));
        fold.add(&Activity { visitor, minute: Minute(1), tag: 1, visit: &visit, started: 1, went_on: 0, events: &events });
    }
    fold.finish()
}

#[test]
fn a_burst_in_one_minute_leaves_the_day_exact() {
    let (morning, burst, evening) = (crowd(0, 25_000), crowd(25_000, 10_000), crowd(30_000, 20_000));
    let day = Aggregate::merge(&[&morning, &burst, &evening]);
    assert!(day.people.is_complete());
    assert_eq!(day.people.visitors.len(), 50_000);
}

#[test]
fn past_the_exact_range_merging_is_still_associative() {
    let parts = [crowd(0, 40_000), crowd(20_000, 40_000), crowd(50_000, 60_000), crowd(0, 5_000)];
    let [a, b, c, d] = &parts;
    let all = Aggregate::merge(&[a, b, c, d]);
    assert!(!all.people.is_complete());
    assert_eq!(all.people.visitors.len(), headwater_core::SAMPLE_SIZE);
    assert_eq!(all, merge(&merge(a, b), &merge(c, d)));
    assert_eq!(all, merge(&merge(&merge(d, c), b), a));
    assert_eq!(Aggregate::decode(&all.encode()).as_ref(), Ok(&all));
    let hlls = all.people.hlls.as_ref().expect("sketches past the exact range");
    let estimate = hlls.total.estimate();
    assert!(estimate.low <= 110_000.0 && 110_000.0 <= estimate.high, "{estimate:?}");
    let sampled = headwater_core::Estimate::from_sample(all.people.visitors.len() as u64, all.people.theta);
    assert!((sampled.value / 110_000.0 - 1.0).abs() < 0.02, "{sampled:?}");
}

#[test]
fn a_profile_past_its_caps_keeps_its_sums_and_its_associativity() {
    let part = |from: u16| {
        let mut fold = Fold::new();
        let visit = [""; VisitDimension::COUNT];
        for tag in from..from + 50 {
            let pages: Vec<String> = (0..200u16).map(|p| format!("/{}", u32::from(p) + u32::from(from))).collect();
            let events: Vec<EventDelta> =
                pages.iter().map(|page| EventDelta { name: "pageview", page, count: 1, ..EventDelta::default() }).collect();
            fold.add(&Activity {
                visitor: VisitorHash(5),
                minute: Minute(1),
                tag,
                visit: &visit,
                started: 1,
                went_on: 0,
                events: &events,
            });
        }
        fold.finish()
    };
    let (a, b, c) = (part(0), part(40), part(90));
    let whole = Aggregate::merge(&[&a, &b, &c]);
    assert_eq!(whole, merge(&merge(&c, &a), &b));
    assert_eq!(whole.people.visits.len(), 65);
    assert_eq!(whole.people.visits.iter().map(|v| v.started).sum::<u64>(), 150);
    assert_eq!(whole.people.facts.iter().map(|f| f.count).sum::<u64>(), 150 * 200);
    assert_eq!(Aggregate::decode(&whole.encode()).as_ref(), Ok(&whole));
}
