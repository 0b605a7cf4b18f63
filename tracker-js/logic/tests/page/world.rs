//! A browser, its storage and a server, for the pages of these tests.
use std::collections::BTreeMap;

use headwater_core::{Beacon, beacon};
use headwater_tracker_logic::{Action, Tracker, text::Fields};

/// A Sunday noon, in milliseconds since 1970.
pub(crate) const START: u64 = 1_700_000_000_000;
/// Name, page, host, the referrer's host, referrer, campaign, click id, properties and the place of a currency.
pub(crate) const HOME: &str = "\x0c/\x0cexample.com\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c";

/// What is counted of a page, event or visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// By minute, name and page: count, went on.
    pub(crate) rows: BTreeMap<(u64, String, String), (u32, u32)>,
    /// By minute: started, went on.
    pub(crate) visits: BTreeMap<u64, (u32, u32)>,
    pub(crate) values: Vec<i64>,
}

impl Sums {
    pub(crate) fn add(&mut self, frozen: &[u8]) {
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

    pub(crate) fn totals(&self) -> [u32; 4] {
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

pub(crate) fn page(at: u64, load: u64, storage: bool) -> Box<Tracker> {
    let mut tracker = Box::new(Tracker::NEW);
    let settings = format!("{load}\x0c{}\x0c\x0c1920\x0c10000\x0cexample.com\x0cen-GB\x0cEurope/Berlin", u8::from(storage));
    tracker.begin(at, Fields::new(settings.as_bytes()));
    tracker
}

/// A browser with storage and a server that keeps what it takes, once for each id.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) stored: Vec<u8>,
    pub(crate) server: BTreeMap<[u8; 12], Vec<u8>>,
    /// What was handed over when pages were left: the loader sends it until it is acknowledged.
    pub(crate) left: Vec<Vec<u8>>,
}

impl World {
    pub(crate) fn signal(&mut self, tracker: &mut Tracker, at: u64, kind: &str, fields: &str) {
        if let Some(stored) = tracker.signal(kind.as_bytes()[0], at, Fields::new(fields.as_bytes()), &self.stored) {
            self.stored = stored.to_vec();
        }
    }

    /// A body arrives: the same id always has the same bytes.
    pub(crate) fn arrive(&mut self, body: &[u8], taken: bool) {
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
    pub(crate) fn settle(&mut self, tracker: &mut Tracker, mut now: u64) -> u64 {
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
    pub(crate) fn again(&mut self) {
        for body in std::mem::take(&mut self.left) {
            self.arrive(&body, true);
        }
    }

    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.server.values().for_each(|frozen| sums.add(frozen));
        sums
    }
}
