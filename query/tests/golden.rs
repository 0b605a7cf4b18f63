//! The golden vector of what `GET /api/v1/sites/{site}/buckets` answers, annotated group by group. Whoever changes the form changes it, the
//! version byte and docs/wire.md.
#![allow(missing_docs, clippy::unwrap_used)] // tests
use std::sync::Arc;

use headwater_core::{Activity, EventDelta, Fold, Grain, Minute, Packed, VisitDimension, VisitorHash};
use headwater_query::{Buckets, Calendar, DateRange, Dimension, Identity, SiteContext, Span, VisitProperty, buckets};

fn hex(text: &str) -> Vec<u8> {
    let digits: String =
        text.lines().filter_map(|l| l.split('#').next()).flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

const DAY: Minute = Minute(20_140 * 1440);

/// Two visits: one read two pages, the other one. The sample holds only the first.
fn day() -> (Span, Arc<Packed>) {
    let mut fold = Fold::new();
    for (hash, pages, went_on) in [(5, &["/", "/a"][..], 1), (9, &["/a"], 0)] {
        let mut visit = [""; VisitDimension::COUNT];
        visit[VisitDimension::EntryPage as usize] = pages[0];
        let view = |page| EventDelta { name: "pageview", page, count: 1, engaged: 3, depth: 50, ..EventDelta::default() };
        let events: Vec<_> = pages.iter().map(|page| view(page)).collect();
        let (visitor, minute) = (VisitorHash(hash), DAY);
        fold.add(&Activity { visitor, minute, tag: 1, visit: &visit, started: 1, went_on, events: &events });
    }
    let mut aggregate = fold.finish();
    aggregate.people.theta = 7;
    let people = &mut aggregate.people;
    people.visitors.retain(|visitor| visitor.hash.0 < 7);
    people.visits.truncate(people.visitors.last().map_or(0, |v| v.visits_end as usize));
    people.facts.truncate(people.visits.last().map_or(0, |v| v.facts_end as usize));
    (Span { start: DAY, end: DAY.offset(1440) }, Arc::new(Packed::from(aggregate)))
}

#[test]
fn two_days() {
    let golden = hex("
        02                          # version
        02                          # grain: day
        01 03 64 61 79              # visitors are told apart by the day
        01                          # whole
        02                          # two days
        0a 32 30 32 35 2d 30 32 2d 32 31  # 2025-02-21
        80 8f ea 0d                 # its identity window
        01                          # one bucket
        80 8f ea 0d                 # its window
        03 03 02 01 00 09 96 01     # views, events, visits, of which one went on; no views that did; 9 seconds, depth 150
        01 07 00                    # visitors: one in the sample, which holds those below 7; no HyperLogLog
        0a 32 30 32 35 2d 30 32 2d 32 32  # 2025-02-22
        a0 9a ea 0d 00              # its window; nothing happened
        02                          # two dimensions
        0a 65 76 65 6e 74 3a 70 61 67 65  # event:page
        02 01 2f 02 2f 61           # two values: /, /a
        01 02                       # the one bucket has two rows
        02 00 01                    # of the first value, and of the next
        0d                          # thirteen columns
        00                          # no events but views
        02 01 02                    # views
        00 00                       # no visits are counted by page
        02 03 06                    # engaged seconds
        02 32 64                    # depth
        02 01 01                    # visitors in the sample
        02 01 01                    # their visits with such a view
        02 01 01                    # visits that entered there
        02 01 00                    # those of them that went on
        02 01 01 00 00              # squares of the visits in the sample; what entered is certain
        00                          # no HyperLogLog
        0c 76 69 73 69 74 3a 73 6f 75 72 63 65  # visit:source
        01 0d 44 69 72 65 63 74 20 2f 20 4e 6f 6e 65  # one value: Direct / None
        01 01  01 00                # one row, of it
        0d 00 01 03                 # thirteen columns: views only
        01 02 01 01                 # visits, of which one went on
        01 09 01 96 01              # engaged seconds, depth
        01 01                       # visitors in the sample
        00 00 00 00 00 00           # nothing that only events have
        00                          # no HyperLogLog
        00                          # no dimension was left out
    ");
    let mut site = SiteContext::new(Calendar::utc(), Identity::Day, DAY.offset(2 * 1440));
    site.first_data = Some(DAY);
    let by = [Dimension::Page, Dimension::Visit(VisitProperty::Source)];
    let told = buckets(&DateRange::Days(2), Grain::Day, &by, &site, |_, _, _| Ok::<_, ()>(vec![day()])).unwrap();
    let written = told.encode();
    assert_eq!(written, golden, "{}", written.iter().map(|byte| format!("{byte:02x} ")).collect::<String>());
    assert_eq!(Buckets::decode(&golden), Some(told));
    assert_eq!(Buckets::decode(&[&[1], &golden[1..]].concat()), None, "another version");
    assert_eq!(Buckets::decode(&[&golden[..], &[0]].concat()), None, "more than there should be");
}
