//! Logs of real servers (`corpus/README.md`), imported twice, and counted by a plain look at the same files.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use headwater_collector::ask;
use headwater_collector::buckets::Cache;
use headwater_collector::data_dir::DataDir;
use headwater_collector::import::{self, Local, Log, Tally};
use headwater_collector::store::sites::{self, NewSite};
use headwater_collector::store::{Store, StoreError};
use headwater_core::Millis;
use headwater_query::{Calendar, Query};
use serde_json::{Value, json};

/// 2026-11-25T00:00:00Z, after the logs.
const NOW: Millis = Millis(1_795_564_800_000);

fn corpus(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn unpacked(path: &Path) -> String {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// What in a user agent of the public log a person who reads it takes for a program; and `MIDP`, of a telephone that begins with
/// its own name as programs do. `MSIE 2.0d` is left a person, whose machine it hardly was: it says nothing else.
const PROGRAMS: [&str; 22] = [
    "bot",
    "Bot",
    "spider",
    "Spider",
    "Slurp",
    "Feed",
    "RSS",
    "Reeder",
    "Xenu",
    "Chef Client",
    "Indy Library",
    "distilator",
    "facebookexternalhit",
    "FlipboardProxy",
    "Daumoa",
    "YandexImages",
    "Google Desktop",
    "archive.org",
    "Fetcher",
    "Digg",
    "(compatible;)",
    "MIDP",
];
/// What ends the paths of files in it that are no pages.
const FILES: [&str; 16] = [
    ".css", ".png", ".pdf", ".txt", ".ico", ".gif", ".jpg", ".jpeg", ".js", ".jar", ".ttf", ".xml", ".svg", ".py", ".deb", ".log",
];

/// What a plain look finds: page views by path, and who saw them. It shares nothing with the importer: a program is one of the
/// list that the requests were made from, or what reads like one.
fn independent(text: &str, reads_like_program: fn(&str) -> bool) -> (BTreeMap<String, u64>, u64) {
    let list = std::fs::read_to_string(corpus("../edge/tests/corpus/programs.tsv")).unwrap();
    let programs: BTreeSet<&str> = list.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    let (mut pages, mut people, mut asked_robots) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        // Apache writes \" where nginx writes \x22.
        let line = line.replace("\\\\", "\\x5C").replace("\\\"", "\\x22");
        let parts: Vec<&str> = line.split('"').collect();
        let [head, request, status, _, _, agent, _] = parts[..] else { panic!("{line}") };
        let client = head.split(' ').find(|word| word.starts_with("127.")).unwrap();
        let words: Vec<&str> = request.split(' ').collect();
        let name = agent.split(" \\x22quoted").next().unwrap();
        if programs.contains(name) || agent == "-" || reads_like_program(agent) {
            continue;
        }
        if words.get(1) == Some(&"/robots.txt") {
            asked_robots.insert((client.to_owned(), agent.to_owned()));
        }
        let path = words.get(1).map_or("", |target| target.split('?').next().unwrap());
        let is_file = FILES.iter().any(|ending| path.ends_with(ending));
        let is_page = words[0] == "GET" && status.starts_with(" 200 ") && path.starts_with('/') && !is_file;
        if is_page && !asked_robots.contains(&(client.to_owned(), agent.to_owned())) {
            *pages.entry(path.to_owned()).or_insert(0) += 1;
            people.insert((client.to_owned(), agent.to_owned()));
        }
    }
    (pages, people.len() as u64)
}

fn ask(store: &Store, metrics: &[&str], dimensions: &[&str]) -> Vec<(Vec<String>, Vec<u64>)> {
    let body = json!({"site_id": "example.com", "metrics": metrics, "date_range": "all", "dimensions": dimensions});
    let query = Query::from_value(&body).unwrap();
    let answer = store.read_now(|tx| {
        let site = sites::find(tx, "example.com").unwrap().unwrap();
        Ok::<_, StoreError>(ask::answer(tx, &Cache::new(1 << 24), &site, &query, NOW).unwrap())
    });
    let rows = serde_json::to_value(answer.unwrap()).unwrap()["results"].clone();
    let rows: Vec<Value> = serde_json::from_value(rows).unwrap();
    let list = |row: &Value, name: &str| row[name].as_array().unwrap().clone();
    rows.iter()
        .map(|row| {
            let dimensions = list(row, "dimensions").iter().map(|d| d.as_str().unwrap().to_owned()).collect();
            (dimensions, list(row, "metrics").iter().map(|m| m.as_u64().unwrap()).collect())
        })
        .collect()
}

fn import(store: &Store, path: &Path) -> Tally {
    let now = || NOW;
    let mut target = Local::new(store.clone(), "example.com", &now).unwrap();
    import::run(vec![Log::open(path).unwrap()], &mut target, None, NOW, &mut |_, _, _| {}).unwrap()
}

#[test]
fn logs_of_real_servers_are_counted_once_and_as_an_independent_count_says() {
    let listed: fn(&str) -> bool = |_| false;
    let reads_like_program: fn(&str) -> bool = |agent| PROGRAMS.iter().any(|word| agent.contains(word));
    for (file, programs, least) in [
        ("nginx.log.gz", listed, (150, 40)),
        ("apache.log.gz", listed, (150, 40)),
        ("public.log.gz", reads_like_program, (50, 40)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&DataDir::create(dir.path()).unwrap(), false).unwrap();
        let site = NewSite {
            domain: "example.com".parse().unwrap(),
            calendar: Calendar::utc(),
            identity: headwater_edge::Identity::Day,
            hosts: vec![],
            public: false,
        };
        store.write_now(|tx| sites::add(tx, &site, Millis(1_700_000_000_000))).unwrap();
        let path = corpus("tests/corpus").join(file);
        let text = unpacked(&path);
        let (pages, people) = independent(&text, programs);
        let views: u64 = pages.values().sum();
        assert!(views > least.0 && people > least.1, "{file}: {views} views of {people} people");
        for again in [false, true] {
            let tally = import(&store, &path);
            assert_eq!(tally.lines as usize, text.lines().count(), "{file}");
            assert_eq!(tally.malformed, 0, "{file}: {:?}", tally.examples);
            assert_eq!(if again { (tally.before, tally.counted) } else { (tally.counted, tally.before) }, (views, 0), "{file}");
            let counted: BTreeMap<String, u64> = ask(&store, &["pageviews"], &["event:page"])
                .into_iter()
                .map(|(page, views)| (page[0].clone(), views[0]))
                .collect();
            assert_eq!(counted, pages, "{file}");
            assert_eq!(ask(&store, &["pageviews", "visitors"], &[])[0].1, [views, people], "{file}");
        }
    }
}
