//! What buckets weigh, and the fewest bytes that could hold them:
//! `cargo run --release -p headwater-collector --example weigh -- DATA/headwater.db`.
//!
//! The fewest are the zeroth-order entropy (Shannon 1948) of each column by itself, bucket by bucket; of visitors' hashes, which
//! are a set of n among 2^64, the logarithm of how many such sets there are; of strings those that `zstd -19` leaves. Only a code that
//! knew how columns hang together could do with less.
#![allow(clippy::unwrap_used)] // a program
use std::collections::HashMap;

use headwater_collector::buckets::{self, Cache};
use headwater_core::{Column, Dict, Grain, Minute, Profiles, RowDimension, SiteId, Tallies, VisitDimension};
use headwater_query::{Need, Rows, Span};
use rusqlite::{Connection, params};

/// Bytes by what they tell, in the order in which they came.
#[derive(Default)]
struct Fewest(Vec<(String, f64)>);

impl Fewest {
    fn add(&mut self, what: &str, bytes: f64) {
        match self.0.iter_mut().find(|known| known.0 == what) {
            Some((_, sum)) => *sum += bytes,
            None => self.0.push((what.to_owned(), bytes)),
        }
    }

    fn column(&mut self, what: &str, numbers: impl Iterator<Item = u64>) {
        let (mut counts, mut all) = (HashMap::<u64, u64>::new(), 0u64);
        for number in numbers {
            *counts.entry(number).or_default() += 1;
            all += 1;
        }
        // Summed in the order of their size, so that the same data always gives the same figure.
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable();
        let bits: f64 = counts.into_iter().map(|count| count as f64 * (all as f64 / count as f64).log2()).sum();
        self.add(what, bits / 8.0);
    }

    fn strings(&mut self, dict: &Dict) {
        let text: Vec<u8> = dict.iter().flat_map(|(_, text)| [text.as_bytes(), b"\n"].concat()).collect();
        self.add("strings", zstd::bulk::compress(&text, 19).unwrap().len() as f64);
    }

    fn tallies(&mut self, tallies: &Tallies) {
        self.strings(&tallies.dict);
        for of in tallies.rows.chunk_by(|a, b| a.key.dimension == b.key.dimension) {
            let what = if of[0].key.dimension == RowDimension::Total { "total" } else { "rows" };
            let mut last = 0;
            self.column(
                what,
                of.iter().map(|row| u64::from(row.key.value.0.wrapping_sub(std::mem::replace(&mut last, row.key.value.0)))),
            );
            self.column("views", of.iter().map(|row| row.tally.views));
            self.column("other events", of.iter().map(|row| row.tally.events - row.tally.views));
            self.column("visits", of.iter().map(|row| row.tally.visits));
            self.column("visits that went on", of.iter().map(|row| row.tally.visits_went_on));
            self.column("views that went on", of.iter().map(|row| row.tally.views_went_on));
            self.column("seconds", of.iter().map(|row| row.tally.engaged));
            self.column("depth", of.iter().map(|row| row.tally.depth));
        }
    }

    fn people(&mut self, people: &Profiles) {
        let of = |column: &Column| -> Vec<u64> { (0..column.len()).map(|at| column.get(at)).collect() };
        self.strings(&people.dict);
        let n = people.hashes.len() as f64;
        if n > 0.0 {
            // Stirling: ln n! = n ln n - n + ln(2 pi n) / 2.
            let factorial = n * n.ln() - n + (std::f64::consts::TAU * n).ln() / 2.0;
            self.add("hashes", (n * 64.0 - factorial / std::f64::consts::LN_2) / 8.0);
        }
        self.column("visits of each", (0..people.hashes.len()).map(|at| people.visits_of(at).len() as u64));
        let contexts = of(&people.visits.context);
        for dimension in VisitDimension::ALL {
            self.column("properties of visits", contexts.iter().map(|at| u64::from(people.context(*at as usize, *dimension).0)));
        }
        self.column("tags", of(&people.visits.tag).into_iter());
        self.column("started, went on", of(&people.visits.started).into_iter());
        self.column("started, went on", of(&people.visits.went_on).into_iter());
        self.column("events of each", (0..contexts.len()).map(|at| people.facts_of(at).len() as u64));
        let facts = &people.facts;
        let columns = [("events", &facts.tuple), ("how many", &facts.count), ("views that went on", &facts.went_on)];
        for (what, column) in columns.into_iter().chain([("seconds", &facts.engaged), ("depth", &facts.depth)]) {
            self.column(what, of(column).into_iter());
        }
    }

    fn print(&self, what: &str, stored: f64, events: f64) {
        let all: f64 = self.0.iter().map(|(_, bytes)| bytes).sum();
        println!("{what}: stored {:.2} bytes an event, {:.2} at least, of these", stored / events, all / events);
        let parts: Vec<String> = self.0.iter().map(|(what, bytes)| format!("{what} {:.2}", bytes / events)).collect();
        println!("    {}", parts.join(", "));
    }
}

fn main() {
    let connection = Connection::open(std::env::args().nth(1).unwrap()).unwrap();
    let tx = connection.unchecked_transaction().unwrap();
    let all = Span { start: Minute(0), end: Minute(u32::MAX) };
    let days =
        buckets::read(&tx, &Cache::new(0), SiteId(1), Grain::Day, all, Need::Tallies(Rows::Of(RowDimension::Total))).unwrap();
    let events: u64 = days.iter().filter_map(|day| day.aggregate().tallies.total()).map(|total| total.events).sum();
    println!("{events} events");
    for grain in Grain::ALL {
        let (mut rows, mut people) = (Fewest::default(), Fewest::default());
        for span in buckets::spans(&tx, SiteId(1), grain, all).unwrap() {
            for bucket in buckets::read(&tx, &Cache::new(0), SiteId(1), grain, span, Need::People(Rows::All)).unwrap() {
                rows.tallies(&bucket.aggregate().tallies);
                people.people(&bucket.aggregate().people);
            }
        }
        let sum = |what: &str| -> f64 {
            let sql = format!("SELECT total(length({what})) FROM segments WHERE site = 1 AND grain = ?");
            tx.query_row(&sql, params![grain as u8], |row| row.get(0)).unwrap()
        };
        rows.print(&format!("tallies of {}s", grain.name()), sum("tallies"), events as f64);
        people.print(&format!("people of {}s", grain.name()), sum("people"), events as f64);
        println!("what is known of {}s: {:.2} bytes an event", grain.name(), sum("uniques") / events as f64);
    }
}
