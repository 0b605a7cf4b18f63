//! The last hour, minute by minute, and what the live feed tells of a minute.
#![allow(missing_docs, clippy::unwrap_used)] // tests
use headwater_core::{Activity, EventDelta, Fold, Minute, Packed, VisitDimension, VisitorHash};
use headwater_query::{LiveFrame, LiveMinute, changes, realtime};
use serde_json::json;

const NOW: Minute = Minute(29_907_991);

/// (visitor, event, page, count); a count of 0 tells only that the visit went on.
fn minute(events: &[(u64, &str, &str, u64)]) -> Packed {
    let mut fold = Fold::new();
    for &(visitor, name, page, count) in events {
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::Country as usize] = "DE";
        fold.add(&Activity {
            visitor: VisitorHash(visitor),
            minute: NOW,
            tag: 0,
            visit: &visit,
            started: 0,
            went_on: u64::from(count == 0),
            events: &[EventDelta { name, page, count, props: &[("plan", "pro")], ..EventDelta::default() }],
        });
    }
    fold.finish().into()
}

#[test]
fn the_last_hour() {
    let now = minute(&[(1, "pageview", "/", 2), (2, "Signup", "/a", 1)]);
    let before = minute(&[(1, "pageview", "/", 1), (3, "pageview", "/", 1), (4, "pageview", "/", 0)]);
    let earlier = minute(&[(5, "pageview", "/", 1)]);
    let buckets =
        [(NOW, &now), (NOW.offset(-4), &before), (NOW.offset(-5), &earlier), (NOW.offset(-60), &now), (NOW.offset(1), &now)];
    let told = realtime(NOW, buckets);
    // Visitor 4 only went on, and visitor 5 was here six minutes ago.
    assert_eq!((told.visitors, told.events), (3, 5));
    assert_eq!(told.minutes.len(), 60);
    assert_eq!(told.minutes[59].time, NOW);
    let shown: Vec<_> =
        told.minutes.iter().filter(|m| m.visitors > 0).map(|m| (NOW.0 - m.time.0, m.pageviews, m.visitors)).collect();
    assert_eq!(shown, [(5, 1, 1), (4, 2, 2), (0, 2, 2)]);
    let written = serde_json::to_value(&told).unwrap();
    assert_eq!(written["minutes"][59], json!({"time": "2026-11-12T10:31:00Z", "pageviews": 2, "visitors": 2}));
}

#[test]
fn a_minute_tells_every_row() {
    let rows =
        changes(&minute(&[(1, "pageview", "/", 2), (2, "Signup", "/a", 1), (2, "pageview", "/", 1), (4, "pageview", "/", 0)]));
    let row = |dimension: &str, value: &str| {
        let found = rows.iter().find(|c| c.dimension == dimension && c.value == value).unwrap();
        (found.pageviews, found.events, found.visitors)
    };
    assert_eq!(row("", ""), (3, 4, 2));
    assert_eq!(row("event:page", "/"), (3, 3, 2));
    assert_eq!(row("event:name", "Signup"), (0, 1, 1));
    assert_eq!(row("event:props:plan", "pro"), (3, 4, 2));
    assert_eq!(row("visit:country", "DE"), (3, 4, 2));
    assert_eq!(row("visit:source", "Direct / None"), (3, 4, 2));
    assert!(rows[0].dimension.is_empty());
}

#[test]
fn frames_are_written_as_the_contract_says() {
    let frame = LiveFrame::Changes { cursor: "7".into(), minutes: vec![LiveMinute { minute: NOW, changes: Vec::new() }] };
    let written = serde_json::to_value(&frame).unwrap();
    assert_eq!(written, json!({"cursor": "7", "minutes": [{"minute": "2026-11-12T10:31:00Z", "changes": []}]}));
    assert_eq!(serde_json::from_value::<LiveFrame>(written).unwrap(), frame);
    let reset: LiveFrame = serde_json::from_value(json!({"reset": true})).unwrap();
    assert_eq!(reset, LiveFrame::Reset { reset: true });
}
