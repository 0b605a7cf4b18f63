//! An access log that is imported, twice, packed, grown, cut off: counted once, as an independent count of the same file says.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read, Write as _};

use headwater_collector::ask;
use headwater_collector::buckets::Cache;
use headwater_collector::data_dir::DataDir;
use headwater_collector::import::{self, ImportError, Left, Local, Log, Tally, Target};
use headwater_collector::store::sites::{self, NewSite};
use headwater_collector::store::{Store, StoreError};
use headwater_core::{Batch, Millis, NodeId};
use headwater_query::{Calendar, Query};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-22T10:00:00Z
const NOW: Millis = Millis(1_795_341_600_000);
const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
];
const TARGETS: [&str; 8] =
    ["/", "/pricing", "/blog/a?utm_source=news&utm_medium=email", "/style.css", "/logo.png?v=2", "/docs/", "/missing", "/api"];

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&DataDir::create(dir.path()).unwrap(), false).unwrap();
    let berlin = Calendar::new("Europe/Berlin").unwrap();
    let site = NewSite {
        domain: "example.com".parse().unwrap(),
        calendar: berlin,
        identity: headwater_edge::Identity::Day,
        hosts: vec![],
        public: false,
    };
    store.write_now(|tx| sites::add(tx, &site, NOW)).unwrap();
    (dir, store)
}

/// `lines` requests of 90 days, about ten minutes apart, as a server writes them.
fn log(lines: u64) -> String {
    let mut state = 7u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut text = String::new();
    for i in 0..lines {
        // From 2026-06-01T00:00:00Z; days of a month are enough.
        let second = i * 77;
        let (day, rest) = (second / 86_400, second % 86_400);
        let (month, day) = if day < 30 { ("Jun", day + 1) } else { ("Jul", (day - 30) % 31 + 1) };
        let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        let target = TARGETS[draw(8)];
        let (method, status) = match target {
            "/missing" => ("GET", 404),
            "/api" => ("POST", 200),
            _ => ("GET", 200),
        };
        let referrer = ["-", "https://www.google.com/", "https://example.com/"][draw(3)];
        let (client, agent) = (draw(40), AGENTS[draw(5)]);
        if draw(500) == 0 {
            text.push_str("\\x16\\x03\\x01 something else\n");
        } else {
            text.push_str(&format!(
                "10.0.0.{client} - - [{day:02}/{month}/2026:{clock} +0000] \"{method} {target} HTTP/1.1\" {status} 123 \"{referrer}\" \"{agent}\"\n"
            ));
        }
    }
    text
}

/// What a plain look at the text says: page views by page, and distinct visitors of all UTC+2 days.
fn independent(text: &str) -> (BTreeMap<String, u64>, u64) {
    let (mut pages, mut people) = (BTreeMap::new(), BTreeSet::new());
    for line in text.lines() {
        let quoted: Vec<&str> = line.split('"').collect();
        let [head, request, status, _, _, agent, _] = quoted[..] else { continue };
        let is_page =
            request.starts_with("GET ") && status.starts_with(" 200") && !request.contains(".css") && !request.contains(".png");
        if !is_page || agent.contains("bot") || agent.contains("curl") {
            continue;
        }
        let page = request.split([' ', '?']).nth(1).unwrap();
        *pages.entry(page.to_owned()).or_default() += 1;
        let (client, time) = (head.split(' ').next().unwrap(), head.split('[').nth(1).unwrap());
        // Berlin's summer time: its day begins at 22:00 UTC.
        let (date, hour) = (&time[..11], time[12..14].parse::<u32>().unwrap());
        people.insert(format!("{client} {agent} {}", if hour < 22 { format!("day {date}") } else { format!("after {date}") }));
    }
    // The evening of one date and the next date are one day: told by what begins it.
    let mut days = BTreeSet::new();
    for person in &people {
        let (who, day) = person.rsplit_once(if person.contains(" after ") { " after " } else { " day " }).unwrap();
        let number = day[..2].parse::<u32>().unwrap() + if day.contains("Jul") { 30 } else { 0 };
        days.insert((who.to_owned(), if person.contains(" after ") { number + 1 } else { number }));
    }
    (pages, days.len() as u64)
}

fn reader(bytes: impl Into<Vec<u8>>) -> Log {
    Log::new("access.log".into(), Box::new(Cursor::new(bytes.into())), 0).unwrap()
}

fn import(store: &Store, logs: Vec<Log>) -> Result<Tally, ImportError> {
    let now = || NOW;
    let mut target = Local::new(store.clone(), "example.com", &now)?;
    import::run(logs, &mut target, None, NOW, &mut |_, _, _| {})
}

fn ask(store: &Store, metrics: &[&str], dimensions: &[&str]) -> Vec<(Vec<String>, Vec<f64>)> {
    let body = json!({"site_id": "example.com", "metrics": metrics, "date_range": "all", "dimensions": dimensions});
    let query = Query::from_value(&body).unwrap();
    let answer = store.read_now(|tx| {
        let site = sites::find(tx, "example.com").unwrap().unwrap();
        Ok::<_, StoreError>(ask::answer(tx, &Cache::new(1 << 24), &site, &query, NOW).unwrap())
    });
    let rows = serde_json::to_value(answer.unwrap()).unwrap()["results"].clone();
    let numbers = |row: &Value, name: &str| row[name].as_array().unwrap().clone();
    let rows = rows.as_array().unwrap().iter().map(|row| {
        let dimensions = numbers(row, "dimensions").iter().map(|d| d.as_str().unwrap().to_owned()).collect();
        (dimensions, numbers(row, "metrics").iter().map(|m| m.as_f64().unwrap_or(0.0)).collect())
    });
    rows.collect()
}

/// What is counted is what the independent count says.
fn assert_counted(store: &Store, text: &str) {
    let (pages, people) = independent(text);
    let counted: BTreeMap<String, u64> =
        ask(store, &["pageviews"], &["event:page"]).into_iter().map(|(page, views)| (page[0].clone(), views[0] as u64)).collect();
    assert_eq!(counted, pages);
    let total = ask(store, &["pageviews", "visitors"], &[]);
    assert_eq!(total[0].1, [pages.values().sum::<u64>() as f64, people as f64]);
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_log_is_counted_once_and_right_however_it_comes() {
    let (_dir, store) = store();
    // Three chunks, the last not full.
    let text = log(45_000);
    let tally = import(&store, vec![reader(text.clone())]).unwrap();
    let malformed = text.matches("something else").count() as u64;
    assert_eq!((tally.lines, tally.malformed, tally.before), (45_000, malformed, 0));
    assert_eq!(tally.lines, tally.counted + tally.malformed + tally.left.values().sum::<u64>());
    assert!(tally.left.keys().eq([Left::Bot, Left::Asset, Left::NoPage].iter()));
    assert!(tally.examples.len() == 5 && tally.examples[0].starts_with("access.log:"), "{:?}", tally.examples);
    assert_counted(&store, &text);
    for again in [text.clone().into_bytes(), packed(&text)] {
        let again = import(&store, vec![reader(again)]).unwrap();
        assert_eq!((again.counted, again.before), (0, tally.counted));
    }
    assert_counted(&store, &text);
    let sources = ask(&store, &["visits"], &["visit:channel"]);
    let channels: Vec<&str> = sources.iter().map(|(channel, _)| channel[0].as_str()).collect();
    assert!(["Direct", "Email", "Organic Search"].iter().all(|channel| channels.contains(channel)), "{channels:?}");
    let kept: i64 =
        store.read_now(|tx| Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM imports", [], |r| r.get(0))?)).unwrap();
    assert_eq!(kept, 0, "its salt is destroyed");
}

#[test]
fn a_log_that_grows_goes_on_behind_what_is_counted() {
    let (_dir, store) = store();
    let text = log(25_000);
    let cut = |lines: usize| text.split_inclusive('\n').take(lines).collect::<String>();
    let mut counted = 0;
    for lines in [10, 700, 19_999, 20_001, 25_000] {
        let tally = import(&store, vec![reader(cut(lines))]).unwrap();
        assert_eq!(tally.before, counted);
        counted += tally.counted;
    }
    let views = ask(&store, &["pageviews"], &[])[0].1[0];
    assert_eq!(views, independent(&text).0.values().sum::<u64>() as f64);
    // And all of it at once is the same.
    assert_eq!(import(&store, vec![reader(text)]).unwrap().counted, 0);
}

/// A log that can't be read to its end.
struct Broken(Cursor<Vec<u8>>, usize);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() as usize >= self.1 {
            return Err(std::io::Error::other("the cable was pulled"));
        }
        self.0.read(into)
    }
}

#[test]
fn an_interrupted_import_goes_on_with_its_visitors() {
    let (_dir, store) = store();
    let text = log(45_000);
    let broken = Broken(Cursor::new(text.clone().into_bytes()), text.len() * 3 / 4);
    let broken = Log::new("access.log".into(), Box::new(broken), 0).unwrap();
    assert!(matches!(import(&store, vec![broken]), Err(ImportError::Read(..))));
    let tally = import(&store, vec![reader(text.clone())]).unwrap();
    assert!(tally.before > 0 && tally.counted > 0, "{tally:?}");
    // Visitors too: the salt was kept until the end.
    assert_counted(&store, &text);
}

#[test]
fn rotated_logs_are_one() {
    let (_dir, store) = store();
    let text = log(6_000);
    let (first, second) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    let tally = import(&store, vec![reader(second), reader(packed(first))]).unwrap();
    assert_eq!(tally.lines, 6_000);
    assert_counted(&store, &text);
    let visits = |store: &Store| ask(store, &["visits", "bounce_rate"], &[]);
    let (_other, whole) = self::store();
    import(&whole, vec![reader(text)]).unwrap();
    assert_eq!(visits(&store), visits(&whole), "visits go on from one file to the next");
}

/// A target whose first batch is counted by somebody else meanwhile.
struct Raced<'a>(Local<'a>, bool);

impl Target for Raced<'_> {
    fn begin(&mut self, import: NodeId) -> Result<import::Begun, ImportError> {
        self.0.begin(import)
    }

    fn counted(&mut self, node: NodeId) -> Result<Option<u64>, ImportError> {
        self.0.counted(node)
    }

    fn count(&mut self, batch: &Batch) -> Result<bool, ImportError> {
        if std::mem::take(&mut self.1) {
            let shorter = Batch { position: batch.position - 1, partials: vec![], ..batch.clone() };
            assert!(self.0.count(&shorter)?);
        }
        self.0.count(batch)
    }

    fn end(&mut self, import: NodeId) -> Result<(), ImportError> {
        self.0.end(import)
    }
}

#[test]
fn two_imports_at_once_do_not_count_twice() {
    let (_dir, store) = store();
    let now = || NOW;
    let mut raced = Raced(Local::new(store.clone(), "example.com", &now).unwrap(), true);
    let result = import::run(vec![reader(log(100))], &mut raced, None, NOW, &mut |_, _, _| {});
    assert!(matches!(result, Err(ImportError::Meanwhile)));
}

/// A target that remembers the import's salt.
struct Spy<'a>(Local<'a>, String);

impl Target for Spy<'_> {
    fn begin(&mut self, import: NodeId) -> Result<import::Begun, ImportError> {
        let begun = self.0.begin(import)?;
        self.1.clone_from(&begun.salt);
        Ok(begun)
    }

    fn counted(&mut self, node: NodeId) -> Result<Option<u64>, ImportError> {
        self.0.counted(node)
    }

    fn count(&mut self, batch: &Batch) -> Result<bool, ImportError> {
        self.0.count(batch)
    }

    fn end(&mut self, import: NodeId) -> Result<(), ImportError> {
        self.0.end(import)
    }
}

#[test]
fn nothing_of_a_log_leads_back_to_who_it_was() {
    let (dir, store) = store();
    let line = |client: &str, target: &str| {
        format!(
            "{client} - frank [01/Jun/2026:10:00:00 +0000] \"GET {target} HTTP/1.1\" 200 1 \"https://search.example.org/find?q=axolotl\" \"Mozilla/5.0 (X11; Zebrafinch-Workstation) Firefox/126.0\"\n"
        )
    };
    let text = [line("203.0.113.77", "/basket?session=axolotl"), line("client.quokka.example", "/basket")].concat();
    let now = || NOW;
    let mut spy = Spy(Local::new(store.clone(), "example.com", &now).unwrap(), String::new());
    let tally = import::run(vec![reader(text)], &mut spy, None, NOW, &mut |_, _, _| {}).unwrap();
    assert_eq!(tally.counted, 2);
    let salt: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&spy.1[2 * i..2 * i + 2], 16).unwrap()).collect();
    let files: Vec<Vec<u8>> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let holds = |needle: &[u8]| files.iter().any(|file| file.windows(needle.len()).any(|window| window == needle));
    assert!(holds(b"/basket") && holds(b"search.example.org/find"), "what is allowed is there");
    for needle in [&b"203.0.113.77"[..], &[203, 0, 113, 77], b"quokka", b"axolotl", b"Zebrafinch", b"frank", &salt] {
        assert!(!holds(needle), "{:?}", String::from_utf8_lossy(needle));
    }
}

/// An export of GoatCounter: views of some sessions, and what a plain count of it says: views by page, events by name, sessions by day.
fn goatcounter(rows: u64, seed: u64) -> (String, [BTreeMap<String, u64>; 3]) {
    let mut text = String::from(
        "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date\n",
    );
    let (mut pages, mut events, mut sessions) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for i in 0..rows {
        let pick = (i * 7 + seed) % 11;
        let session = format!("{:016x}-8e4f5c975b8fee06", (i / 5) * 31 + seed);
        let (page, bot) = (["/", "/a", "/b?utm_source=x"][(pick % 3) as usize], u64::from(pick == 9));
        let is_event = pick == 4;
        let path = if is_event { "click-cv" } else { page };
        let title = if pick == 5 { "Two\nlines, \"\"quoted\"\"" } else { "A page" };
        let (browser, system) = [("Chrome 86", "Windows 7"), ("Safari 14.0", "macOS 10.15")][(i / 5 % 2) as usize];
        let referrer = ["www.reddit.com,h", ",", "newsletter,c"][(i / 5 % 3) as usize];
        // Ten minutes past ten UTC, one day after another: no day of Berlin's is in doubt.
        let date = format!("2020-12-{:02}T10:{:02}:07Z", 1 + i / 50 % 28, 10 + i % 5);
        text.push_str(&format!(
            "{path},\"{title}\",{},,{browser},{system},{session},{bot},{referrer},\"1280,768,1\",US-CA,1,{date}\n",
            u8::from(is_event)
        ));
        if bot == 0 {
            if is_event {
                *events.entry(path.to_owned()).or_default() += 1;
            } else {
                *pages.entry(page.split('?').next().unwrap().to_owned()).or_default() += 1;
            }
            sessions.insert((date[..10].to_owned(), session));
        }
    }
    let mut days = BTreeMap::new();
    sessions.into_iter().for_each(|(day, _)| *days.entry(day).or_default() += 1);
    (text, [pages, events, days])
}

fn counts(rows: Vec<(Vec<String>, Vec<f64>)>) -> BTreeMap<String, u64> {
    rows.into_iter()
        .filter(|(_, metrics)| metrics[0] > 0.0)
        .map(|(names, metrics)| (names[0].clone(), metrics[0] as u64))
        .collect()
}

#[test]
fn an_export_of_goatcounter_is_read_like_a_log() {
    let (_dir, store) = store();
    let (text, [pages, events, days]) = goatcounter(1_200, 1);
    let all = pages.values().chain(events.values()).sum::<u64>();
    let tally = import(&store, vec![reader(packed(&(text.clone() + "/x,,0\n")))]).unwrap();
    assert_eq!((tally.lines, tally.counted, tally.malformed, tally.events), (1_201, all, 1, events["click-cv"]));
    assert!(tally.left[&Left::Bot] + all == 1_200 && tally.examples[0].contains("fields"), "{tally:?}");
    let check = |store: &Store| {
        assert_eq!(counts(ask(store, &["pageviews"], &["event:page"])), pages);
        let mut named = counts(ask(store, &["events"], &["event:name"]));
        assert_eq!(named.remove("pageview"), Some(pages.values().sum()));
        assert_eq!(named, events);
        assert_eq!(counts(ask(store, &["visitors"], &["time:day"])), days);
    };
    check(&store);
    assert_eq!(import(&store, vec![reader(text)]).unwrap().counted, 0, "not packed, again");
    check(&store);
    // What it knows of a visit is there, and filters see it.
    let of = |dimension: &str| -> Vec<String> {
        ask(&store, &["visits"], &[dimension]).into_iter().map(|(d, _)| d[0].clone()).collect()
    };
    let sorted = |dimension: &str| of(dimension).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(sorted("visit:browser"), BTreeSet::from(["Chrome".to_owned(), "Safari".to_owned()]));
    assert_eq!(of("visit:region"), ["US-CA"]);
    assert_eq!(of("visit:screen"), ["Laptop"]);
    assert!(sorted("visit:source").is_superset(&["Reddit", "newsletter"].map(str::to_owned).into()));
    // Another export, which begins with the same line of names, is another.
    let (other, [more, ..]) = goatcounter(300, 5);
    assert!(import(&store, vec![reader(other)]).unwrap().counted > 0);
    assert_eq!(ask(&store, &["pageviews"], &[])[0].1[0] as u64, pages.values().chain(more.values()).sum::<u64>());
}

#[test]
fn an_export_of_another_version_or_without_what_is_needed_is_refused() {
    let (_dir, store) = store();
    for (header, said) in [("9Path,Title\n/a,b\n", "version 9"), ("2Path,Title,Date\n/a,b,c\n", "Session")] {
        let error = import(&store, vec![reader(header)]).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let text = "2Path,Session,Date,Mood\n/a,s,2020-12-27T00:37:37Z,good\n";
    let tally = import(&store, vec![reader(text)]).unwrap();
    assert_eq!((tally.counted, tally.unread), (1, vec!["access.log: column \"Mood\"".to_owned()]));
}
