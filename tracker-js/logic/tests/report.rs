//! A page without Wasm is counted as one without storage: the edge runs the same code.
#![cfg(feature = "report")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
use headwater_core::{Beacon, beacon};
use headwater_tracker_logic::{Action, Report, ReportError, Tracker, text::Fields};

const START: u64 = 1_700_000_000_000;
const HEAD: &str = "77\x0c1\x0c\x0c1920\x0c10000\x0cexample.com\x0cen-GB\x0cEurope/Berlin";
const SIGNALS: [&str; 4] = [
    "v\x0c1700000000000\x0c\x0c/\x0cexample.com\x0cfalse\x0chttps://news.net/\x0cmail\x0c\x0c\x0c\x0c\x0cgclid\x0c",
    "i\x0c1700000001000\x0cSignup\x0c/\x0cexample.com\x0c29000000\x0cplan\x0cpro\x0cEUR",
    "i\x0c1700000002000\x0cSignup\x0c/\x0cexample.com\x0cNaN\x0cplan\x0cpro\x0c",
    "l\x0c1700000003000\x0ctrue",
];

fn report(told: usize, signals: &[&str]) -> Report {
    let head = format!("\x0c{}\x0c{told}\x0cb\x0c{START}\x0c{HEAD}", START + 5500);
    let texts: Vec<&str> = [&head[..]].into_iter().chain(signals.iter().copied()).collect();
    serde_json::from_str(&serde_json::to_string(&texts).unwrap()).unwrap()
}

#[test]
fn a_report_is_the_beacon_that_the_wasm_would_have_sent() {
    let told = report(0, &SIGNALS).beacon().unwrap();
    let mut tracker = Box::new(Tracker::NEW);
    tracker.begin(START, Fields::new(HEAD.as_bytes()));
    tracker.settings.storage = false;
    for signal in SIGNALS {
        let mut fields = Fields::new(signal.as_bytes());
        let (kind, at) = (fields.letter(), fields.number());
        tracker.signal(kind, at, fields, b"");
    }
    let Action::Send(body) = tracker.step(START + 5500) else { panic!("nothing to send") };
    // The time of the attempt is the shell's to write.
    assert_eq!((told.now, beacon::open(body).unwrap().1), (5500, &told.frozen[..]));
}

#[test]
fn what_was_told_before_is_not_counted_again() {
    let whole = report(0, &SIGNALS).beacon().unwrap();
    let whole = Beacon::decode(&whole.frozen).unwrap();
    let mut counts = [0; 4];
    for (told, upto) in [(0, 1), (1, 2), (2, 4)] {
        let part = report(told, &SIGNALS[..upto]).beacon().unwrap();
        let part = Beacon::decode(&part.frozen).unwrap();
        assert_eq!((part.id.load, part.id.seq), (whole.id.load, told as u32));
        for visit in &part.visits {
            assert_eq!((part.string(visit.source), part.string(visit.click)), ("mail", "gclid"));
            for minute in &visit.minutes {
                counts[2] += u32::from(minute.started);
                counts[3] += u32::from(minute.went_on);
                counts[0] += minute.deltas.iter().map(|row| row.count).sum::<u32>();
                counts[1] += minute.deltas.iter().map(|row| row.went_on).sum::<u32>();
            }
        }
    }
    assert_eq!(counts, [3, 1, 1, 1]);
}

#[test]
fn what_is_no_report_is_refused() {
    let read = |json: &str| serde_json::from_str::<Report>(json).unwrap().beacon();
    assert_eq!(read("[]"), Err(ReportError::Empty));
    assert_eq!(read("[\"\"]"), Err(ReportError::Empty));
    assert_eq!(read("[\"\", \"x\"]"), Err(ReportError::Empty));
    assert_eq!(report(4, &SIGNALS).beacon(), Err(ReportError::Empty));
    assert_eq!(report(0, &[SIGNALS[1]; 1001]).beacon(), Err(ReportError::TooMany));
    assert_eq!(report(0, &[SIGNALS[1]; 2001]).beacon(), Err(ReportError::TooMany));
    assert!(serde_json::from_str::<Report>("[1]").is_err());
}
