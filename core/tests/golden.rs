//! Golden vectors: the bytes of today, annotated group by group. Whoever changes a format changes these, the version
//! byte and docs/wire.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking
use headwater_core::beacon::{self, Beacon, Delta, MinutePart, Str, VisitPart};
use headwater_core::{
    Activity, Aggregate, Batch, BeaconId, EventDelta, Fold, Millis, Minute, NodeId, Partial, SiteId, VisitDimension, VisitorHash,
    WireError,
};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    // Comments go to the end of the line; white space is free.
    let digits: String =
        text.lines().filter_map(|l| l.split('#').next()).flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn a_beacon() {
    let golden = hex("
        01                          # version
        6a 30 f0 02                 # sent: 1,781,592,066 s, 2 s after creation
        01 02 03 04 05 06 07 08 00  # id: page load, seq 0
        80 e0 c3 d1 06              # created: 1,781,592,064 s
        00                          # device: none
        86 03                       # screen: 390
        07                          # seven strings
        0b 65 78 61 6d 70 6c 65 2e 63 6f 6d  # 1 example.com: the site
        05 64 65 2d 44 45           # 2 de-DE: the language
        0d 45 75 72 6f 70 65 2f 42 65 72 6c 69 6e  # 3 Europe/Berlin: the time zone
        01 2f                       # 4 /
        06 53 69 67 6e 75 70        # 5 Signup
        04 70 6c 61 6e              # 6 plan
        03 70 72 6f                 # 7 pro
        01                          # one visit
        c1 02                       # tag 321
        00 00 00 00 00 00 00 04     # referrer, utm source, medium, campaign, content, term, click id; entry: string 4
        01                          # one minute
        01 01 01                    # at -1 s (zigzag), started, went on
        02                          # two deltas
        00 04 01 00 00 01 00 0c 32 00          # a view of / on the site's host: 12 engaged seconds, depth 50
        05 04 01 01 06 07 00 02 00 00 00 02 d6 03 89 03  # Signup on it, plan=pro, twice: values 29 and -0.00025
    ");
    let beacon = Beacon {
        id: BeaconId { load: [1, 2, 3, 4, 5, 6, 7, 8], seq: 0 },
        created: 1_781_592_064,
        site: "example.com",
        screen: 390,
        language: Str(2),
        zone: Str(3),
        strings: vec!["example.com", "de-DE", "Europe/Berlin", "/", "Signup", "plan", "pro"],
        visits: vec![VisitPart {
            tag: 321,
            entry: Str(4),
            minutes: vec![MinutePart {
                at: -1,
                started: 1,
                went_on: 1,
                deltas: vec![
                    Delta { page: Str(4), hostname: Str(1), count: 1, engaged: 12, depth: 50, ..Delta::default() },
                    Delta {
                        name: Str(5),
                        page: Str(4),
                        hostname: Str(1),
                        props: vec![(Str(6), Str(7))],
                        count: 2,
                        values: vec![29_000_000, -250],
                        ..Delta::default()
                    },
                ],
            }],
            ..VisitPart::default()
        }],
        ..Beacon::default()
    };
    let mut written = Vec::new();
    beacon::envelope(Millis(1_781_592_066_000), &mut written);
    written.extend(beacon.encode());
    assert_eq!(written, golden);
    let (sent, frozen) = beacon::open(&golden).unwrap();
    assert_eq!((sent, Beacon::decode(frozen).as_ref()), (Millis(1_781_592_066_000), Ok(&beacon)));
}

#[test]
fn site_language_and_zone_are_written_once() {
    let delta = Delta {
        name: Str(1),
        page: Str(2),
        hostname: Str(3),
        props: vec![(Str(4), Str(5))],
        currency: Str(6),
        ..Delta::default()
    };
    let minutes = vec![MinutePart { deltas: vec![delta], ..MinutePart::default() }];
    let visit = VisitPart { referrer: Str(1), click: Str(2), entry: Str(3), minutes, ..VisitPart::default() };
    let strings = vec!["a", "b", "c", "d", "e", "f", "fr"];
    let beacon = Beacon { site: "example.com", language: Str(7), strings, visits: vec![visit], ..Beacon::default() };
    let written = beacon.encode();
    let read = Beacon::decode(&written).unwrap();
    assert_eq!(read.encode(), written, "one form only");
    assert_eq!(read.strings, ["example.com", "fr", "", "a", "b", "c", "d", "e", "f", "fr"]);
    let texts = |strings: &[Str]| strings.iter().map(|s| read.string(*s)).collect::<String>();
    let [visit] = &read.visits[..] else { panic!("one visit") };
    let delta = &visit.minutes[0].deltas[0];
    assert_eq!((read.site, texts(&[read.language, read.zone])), ("example.com", "fr".into()));
    assert_eq!(texts(&[visit.referrer, visit.source, visit.click, visit.entry]), "abc");
    let (key, value) = delta.props[0];
    assert_eq!(texts(&[delta.name, delta.page, delta.hostname, key, value, delta.currency]), "abcdef");
}

proptest! {
    #[test]
    fn every_value_comes_back(value in -beacon::MAX_VALUE..=beacon::MAX_VALUE, zeros in 0..19u32) {
        let values = vec![value / 10i64.pow(zeros) * 10i64.pow(zeros)];
        let deltas = vec![Delta { count: 1, values, ..Delta::default() }];
        let minutes = vec![MinutePart { deltas, ..MinutePart::default() }];
        let visits = vec![VisitPart { minutes, ..VisitPart::default() }];
        let frozen = Beacon { site: "a", visits: visits.clone(), ..Beacon::default() }.encode();
        prop_assert_eq!(Beacon::decode(&frozen).unwrap().visits, visits);
    }
}

fn view() -> Aggregate {
    let mut fold = Fold::new();
    let mut visit = [""; VisitDimension::COUNT];
    visit[VisitDimension::Country as usize] = "DE";
    let events = [EventDelta { name: "pageview", page: "/", count: 2, went_on: 1, ..EventDelta::default() }];
    let visitor = VisitorHash(300);
    fold.add(&Activity { visitor, minute: Minute(7), tag: 5, visit: &visit, started: 1, went_on: 1, events: &events });
    fold.finish()
}

#[test]
fn an_aggregate() {
    let tallies = hex("
        01                          # version
        03                          # three strings:
        0b 2f 44 45 70 61 67 65 76 69 65 77  # 1 /, 2 DE, 3 pageview
        17 00                       # 23 rows; numbers: none
        0c                          # twelve columns:
           00 01                    # strings: they share nothing; their lengths: a byte each
           01                       # dimensions: a byte each
           00                       # keys: no properties
           01                       # values: a byte each
           0a 00                    # views: 2 everywhere; events: as many
           01 01                    # visits and those that went on: a byte each
           09 00 00                 # views that went on: 1 everywhere; nothing engaged, no depth
        01 02 08                    # strings of 1, 2 and 8 bytes
        00 01 02 03                 # total, event:name, event:page, event:hostname,
           10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22  # and the visit dimensions
        00 03 01 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # values
        01 00 00 00 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01  # visits
        01 00 00 00 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01  # visits that went on
    ");
    let people = hex("
        01                          # version
        03                          # three strings:
        0b 2f 44 45 70 61 67 65 76 69 65 77
        01 01 00 01 01 01           # one context, one tuple, no properties, one visitor, one visit, one fact
        13                          # the strings of 19 visit dimensions:
           01 02                    # country: DE
           00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # the others: nothing but the empty string
        ff ff ff ff ff ff ff ff ff 01  # theta: complete
        00 00                       # no numbers, no sketches
        28                          # 40 columns:
           00 01                    # strings: they share nothing; their lengths: a byte each. The others are told by their shapes:
           00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # contexts: the first string of each dimension
           0b 09 00 00 00 00 00     # tuple: pageview of /, no hostname, no currency, no properties
           b4 02                    # hash: 300
           09                       # visits of the visitor: 1
           00 0d 09 09 09           # visit: context 0, tag 5, started 1, went on 1, one fact
           00 0a 09 00 00           # fact: tuple 0, count 2, went on 1, engaged 0, depth 0
        01 02 08                    # strings of 1, 2 and 8 bytes
    ");
    let aggregate = view();
    assert_eq!(aggregate.tallies.encode().bytes, tallies);
    assert_eq!(aggregate.people.encode(), people);
    let mut whole = vec![1];
    for part in [&tallies, &people] {
        // Lengths of both parts as varints.
        assert!(part.len() < 1 << 14);
        if part.len() >= 128 {
            whole.extend([part.len() as u8 | 0x80, (part.len() >> 7) as u8]);
        } else {
            whole.push(part.len() as u8);
        }
        whole.extend(part);
    }
    assert_eq!(aggregate.encode(), whole);
    assert_eq!(Aggregate::decode(&whole), Ok(aggregate));
}

#[test]
fn a_batch() {
    let partial = Partial { site: SiteId(3), minute: Minute(29_000_000), aggregate: view() };
    let batch = Batch { node: NodeId([7; 16]), seq: 9, position: 1000, partials: vec![partial] };
    let mut golden = hex("
        01                                               # version
        07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07  # node
        09 e8 07                                         # seq 9, position 1,000
        01 03 c0 82 ea 0d                                # one partial: site 3, minute 29,000,000
    ");
    let aggregate = view().encode();
    golden.extend([aggregate.len() as u8 | 0x80, (aggregate.len() >> 7) as u8]);
    golden.extend(aggregate);
    assert_eq!(batch.encode(), golden);
    assert_eq!(Batch::decode(&golden).as_ref(), Ok(&batch));
    golden[0] = 2;
    assert_eq!(Batch::decode(&golden), Err(WireError::Version(2)));
}
