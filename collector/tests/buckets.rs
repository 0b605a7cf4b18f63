//! Whatever way partials come, the buckets are the same, and days are the sum of hours and of minutes.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking
use std::sync::Arc;

use headwater_collector::buckets::{self, Applier, Cache};
use headwater_collector::site::{Retention, Site, Timeline};
use headwater_core::{
    Activity, Aggregate, Batch, EventDelta, Fold, Grain, Millis, Minute, NodeId, Partial, RowDimension, SiteId, Tally,
    VisitDimension, VisitorHash,
};
use headwater_edge::resume::digest;
use headwater_query::{Calendar, Identity, Need, Query, Rows, SiteContext, Span, answer};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

/// 10 June 2026, 00:00 in Kolkata, whose hours begin at half past.
const START: u32 = 29_683_110;
const WEEK: Span = Span { start: Minute(START - 3 * 1440), end: Minute(START + 4 * 1440) };

fn example(retention: Retention) -> Site {
    let calendar = Calendar::new("Asia/Kolkata").unwrap();
    Site {
        id: SiteId(1),
        domain: "example.com".parse().unwrap(),
        hosts: Vec::new(),
        public: false,
        shards: 1,
        retention,
        created: Millis(0),
        timeline: Timeline::new(calendar, headwater_edge::Identity::Day),
    }
}

fn site(id: SiteId) -> Option<Arc<Site>> {
    let keep = Retention { minutes: Some(30), hours: None, hour_samples: None, days: None, day_samples: None };
    (id == SiteId(1)).then(|| Arc::new(example(keep)))
}

fn partial(minute: u32, visitor: u64, page: &str, count: u64) -> Partial {
    let mut fold = Fold::new();
    let events = [EventDelta { name: "pageview", page, count, ..EventDelta::default() }];
    fold.add(&Activity {
        visitor: VisitorHash((visitor + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        minute: Minute(minute),
        tag: 1,
        visit: &[""; VisitDimension::COUNT],
        started: 1,
        went_on: 0,
        events: &events,
    });
    Partial { site: SiteId(1), minute: Minute(minute), aggregate: fold.finish() }
}

/// One partial a site and minute, as a batch has.
fn batch(node: u8, seq: u64, partials: &[Partial]) -> Batch {
    let mut merged: std::collections::BTreeMap<Minute, Aggregate> = std::collections::BTreeMap::new();
    for p in partials {
        let sum = merged.entry(p.minute).or_default();
        *sum = Aggregate::merge(&[sum, &p.aggregate]);
    }
    let partials = merged.into_iter().map(|(minute, aggregate)| Partial { site: SiteId(1), minute, aggregate });
    Batch { node: NodeId([node; 16]), seq, position: seq * 10, partials: partials.collect() }
}

struct Db(Connection, Applier);

impl Db {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        buckets::migrate(&connection).unwrap();
        Self(connection, Applier::default())
    }

    fn apply(&mut self, batch: &Batch) -> buckets::Applied {
        // What travels is what is applied.
        let bytes = batch.encode();
        let batch = Batch::decode(&bytes).unwrap();
        let tx = self.0.transaction().unwrap();
        let applied = self.1.apply(&tx, &batch, digest(&bytes), &site, Minute(START + 1440)).unwrap();
        tx.commit().unwrap();
        applied
    }

    fn read(&mut self, grain: Grain) -> Vec<(Span, Aggregate)> {
        let tx = self.0.transaction().unwrap();
        let read = buckets::read(&tx, &Cache::new(1 << 20), SiteId(1), grain, WEEK, Need::People(Rows::All)).unwrap();
        read.iter().map(|b| (b.span, b.aggregate().to_aggregate())).collect()
    }

    fn settle(&mut self) {
        let tx = self.0.transaction().unwrap();
        while buckets::settle(&tx, Minute(START + 10 * 1440)).unwrap() {}
        tx.commit().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_split_any_order_any_repetition(
        events in prop::collection::vec((0..3000u32, 0..20u64, 0..4u8, 1..4u64), 1..60),
        cuts in prop::collection::vec(1..6usize, 60),
        nodes in prop::collection::vec(0..3u8, 60),
        replays in prop::collection::vec(0..60usize, 0..20),
    ) {
        let partials: Vec<Partial> =
            events.iter().map(|(m, v, p, c)| partial(START - 300 + m, *v, &format!("/{p}"), *c)).collect();
        let mut once = Db::new();
        once.apply(&batch(9, 1, &partials));

        let mut often = Db::new();
        let mut rest = &partials[..];
        let mut applied = Vec::new();
        let mut seqs = [0u64; 3];
        for (cut, node) in cuts.iter().zip(&nodes) {
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            rest = tail;
            seqs[*node as usize] += 2;
            let one = batch(*node, seqs[*node as usize], head);
            prop_assert!(!often.apply(&one).already);
            applied.push(one);
        }
        seqs[0] += 1;
        often.apply(&batch(0, seqs[0], rest));
        for replay in replays {
            prop_assert!(often.apply(&applied[replay % applied.len()]).already);
        }

        for grain in Grain::ALL {
            prop_assert_eq!(once.read(grain), often.read(grain));
        }
        let before = Grain::ALL.map(|g| often.read(g));
        often.settle();
        let segments: i64 = often.0.query_row("SELECT COUNT(*) FROM segments", [], |r| r.get(0)).unwrap();
        prop_assert_eq!(segments as usize, before.iter().map(Vec::len).sum::<usize>());
        prop_assert_eq!(before, Grain::ALL.map(|g| often.read(g)));

        // day = sum of its hours = sum of its minutes
        for (span, day) in often.read(Grain::Day) {
            for grain in [Grain::Minute, Grain::Hour] {
                let parts = often.read(grain);
                let inside = parts.iter().filter(|(s, _)| span.start <= s.start && s.end <= span.end);
                let inside: Vec<&Aggregate> = inside.map(|p| &p.1).collect();
                prop_assert_eq!(&Aggregate::merge(&inside), &day);
            }
        }
    }
}

#[test]
fn partials_of_a_deleted_site_are_dropped_and_the_rest_applied() {
    let mut db = Db::new();
    let mut one = batch(1, 1, &[partial(START, 1, "/", 1)]);
    one.partials.push(Partial { site: SiteId(2), ..one.partials[0].clone() });
    let applied = db.apply(&one);
    assert_eq!((applied.dropped, applied.changed), (1, vec![(SiteId(1), Minute(START))]));
    assert_eq!(db.read(Grain::Day).len(), 1);
}

#[test]
fn past_the_cap_values_become_other_and_the_total_stays() {
    let mut db = Db::new();
    for chunk in 0..21u64 {
        let mut fold = Fold::new();
        let pages: Vec<String> = (0..1000).map(|p| format!("/{chunk}/{p}")).collect();
        for (i, page) in pages.iter().enumerate() {
            let visitor = VisitorHash((chunk * 1000 + i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let events = [EventDelta { name: "pageview", page, count: 1, ..EventDelta::default() }];
            let visit = &[""; VisitDimension::COUNT];
            fold.add(&Activity { visitor, minute: Minute(START), tag: 0, visit, started: 0, went_on: 0, events: &events });
        }
        let partials = vec![Partial { site: SiteId(1), minute: Minute(START), aggregate: fold.finish() }];
        db.apply(&Batch { node: NodeId([1; 16]), seq: chunk + 1, position: chunk, partials });
        // A restart in between changes no decision.
        db.1 = Applier::default();
    }
    for grain in Grain::ALL {
        let tallies = &db.read(grain)[0].1.tallies;
        let pages = tallies.of(RowDimension::Page);
        assert_eq!(pages.len(), 20_001, "{grain:?}");
        assert_eq!(pages.iter().map(|r| r.tally.views).sum::<u64>(), 21_000);
        let other = pages.iter().find(|r| tallies.dict.get(r.key.value) == headwater_core::OTHER).unwrap();
        assert_eq!(other.tally.views, 1000);
    }
}

/// What is asked of many rows is read by dimension: it is the same as among all.
#[test]
fn a_dimension_that_is_read_alone_is_as_it_is_among_all() {
    let mut db = Db::new();
    let mut fold = Fold::new();
    for i in 0..6000u64 {
        let mut visit = [""; VisitDimension::COUNT];
        let page = format!("/{}", i % 5000);
        visit[VisitDimension::Country as usize] = ["DE", "FR", ""][i as usize % 3];
        visit[VisitDimension::EntryPage as usize] = &page;
        let events = [EventDelta { name: "pageview", page: &page, count: 1, ..EventDelta::default() }];
        let visitor = VisitorHash((i / 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        fold.add(&Activity { visitor, minute: Minute(START), tag: 7, visit: &visit, started: 1, went_on: 0, events: &events });
    }
    let partials = vec![Partial { site: SiteId(1), minute: Minute(START), aggregate: fold.finish() }];
    db.apply(&Batch { node: NodeId([1; 16]), seq: 1, position: 1, partials });
    for settled in [false, true] {
        if settled {
            db.settle();
        }
        let tx = db.0.transaction().unwrap();
        let read = |need| buckets::read(&tx, &Cache::new(1 << 20), SiteId(1), Grain::Day, WEEK, need).unwrap().remove(0);
        let all = read(Need::People(Rows::All));
        let texts = |bucket: &buckets::Bucket, of| -> Vec<(String, Tally)> {
            let tallies = &bucket.aggregate().tallies;
            tallies.of(of).iter().map(|row| (tallies.dict.get(row.key.value).to_owned(), row.tally.clone())).collect()
        };
        let (country, entry) = (VisitDimension::Country, VisitDimension::EntryPage);
        for of in
            [RowDimension::Page, RowDimension::Name, RowDimension::Visit(country), RowDimension::Visit(entry), RowDimension::Prop]
        {
            for need in [Need::Tallies(Rows::Of(of)), Need::People(Rows::Of(of))] {
                let alone = read(need);
                assert_eq!(texts(&alone, of), texts(&all, of), "{need:?}");
                assert_eq!(alone.aggregate().tallies.total(), all.aggregate().tallies.total());
                assert!(alone.aggregate().tallies.rows.len() < all.aggregate().tallies.rows.len());
            }
        }
        let cache = Cache::new(1 << 24);
        for dimension in ["event:page", "event:name", "visit:country", "visit:entry_page", "event:props:plan"] {
            let metrics = ["visitors", "visits", "pageviews", "bounce_rate"];
            let query = json!({"site_id": "example.com", "metrics": metrics, "dimensions": [dimension], "date_range": "all"});
            let mut site = SiteContext::new(Calendar::new("Asia/Kolkata").unwrap(), Identity::Day, Minute(START + 1440));
            site.first_data = Some(Minute(START));
            let ask = |read: &dyn Fn(Grain, Span, Need) -> Vec<buckets::Bucket>| {
                let answer = answer(&Query::from_value(&query).unwrap(), &site, |g, s, n| Ok::<_, ()>(read(g, s, n))).unwrap();
                serde_json::to_value(answer.results).unwrap()
            };
            let read = |grain, span, need| buckets::read(&tx, &cache, SiteId(1), grain, span, need).unwrap();
            let whole = ask(&|grain, span, _| read(grain, span, Need::People(Rows::All)));
            // Once from the disk, once from memory.
            assert_eq!(ask(&read), whole, "{dimension}");
            assert_eq!(ask(&read), whole, "{dimension}");
        }
        assert!(read(Need::People(Rows::None)).aggregate().tallies.rows.is_empty());
    }
}

#[test]
fn retention_only_deletes() {
    let mut db = Db::new();
    db.apply(&batch(1, 1, &[partial(START, 1, "/", 1), partial(START + 1440, 1, "/", 1)]));
    let short = Retention { minutes: Some(1), hours: Some(1), hour_samples: Some(1), ..Retention::default() };
    let days = db.read(Grain::Day);
    let tx = db.0.transaction().unwrap();
    assert!(buckets::retain(&tx, &example(short), Minute(START + 1440 + 60)).unwrap());
    tx.commit().unwrap();
    assert_eq!(db.read(Grain::Minute).len(), 1);
    assert_eq!(db.read(Grain::Hour).len(), 1);
    assert_eq!(db.read(Grain::Day), days);
    let tx = db.0.transaction().unwrap();
    buckets::forget(&tx, SiteId(1)).unwrap();
    tx.commit().unwrap();
    assert!(db.read(Grain::Day).is_empty());
}
