//! An export of Plausible that is imported: once, however it comes and however often, and its totals are those of an independent
//! look at the same files.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use headwater_collector::ask;
use headwater_collector::buckets::Cache;
use headwater_collector::data_dir::DataDir;
use headwater_collector::import::plausible::{self, DayTarget, Report, Request};
use headwater_collector::import::{self, ImportError, Local, Log};
use headwater_collector::store::sites::{self, NewSite, SiteChange};
use headwater_collector::store::{Store, StoreError, goals};
use headwater_core::Millis;
use headwater_query::{Calendar, Query};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-22T10:00:00Z
const NOW: Millis = Millis(1_795_341_600_000);

/// The files of an export, written by hand as Plausible documents them.
fn files() -> BTreeMap<&'static str, String> {
    let file = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    BTreeMap::from([
        (
            "imported_visitors_20240301_20240402.csv",
            file(&[
                r#""date","visitors","pageviews","bounces","visits","visit_duration""#,
                r#""2024-03-01",10,30,4,12,600"#,
                r#""2024-03-02",5,9,2,6,120"#,
                r#""2024-04-02",1,2,0,1,50"#,
                "yesterday,1,2,3,4,5",
            ]),
        ),
        (
            "imported_sources_20240301_20240402.csv",
            file(&[
                r#""date","source","referrer","utm_source","utm_medium","utm_campaign","utm_content","utm_term","pageviews","visitors","visits","visit_duration","bounces""#,
                r#""2024-03-01","Google","google.com","","","","","",12,5,6,300,2"#,
                r#""2024-03-01","Direct / None","","","","","","",14,4,5,250,2"#,
                r#""2024-03-01","news","","news","email","spring, sale","","",4,1,1,50,0"#,
                r#""2024-03-02","Google","google.com","","","","","",9,5,6,120,2"#,
                r#""2024-04-02","blog.example.net","https://blog.example.net/post/","","","","","",2,1,1,50,0"#,
            ]),
        ),
        (
            "imported_pages_20240301_20240402.csv",
            file(&[
                r#""date","hostname","page","visits","visitors","pageviews","total_scroll_depth","total_scroll_depth_visits","mood""#,
                r#""2024-03-01","example.com","/",10,9,20,300,9,1"#,
                r#""2024-03-01","example.com","/a ""b"", c",4,4,10,200,4,1"#,
                r#""2024-03-02","example.com","/",6,5,9,0,0,1"#,
                r#""2024-04-02","www.example.com","/docs",1,1,2,0,0,1"#,
            ]),
        ),
        (
            "imported_entry_pages_20240301_20240402.csv",
            file(&[
                r#""date","entry_page","visitors","entrances","visit_duration","bounces","pageviews""#,
                r#""2024-03-01","/",9,10,500,4,26"#,
                r#""2024-03-01","/a ""b"", c",2,2,100,0,4"#,
                r#""2024-03-02","/",5,6,120,2,9"#,
                r#""2024-04-02","/docs",1,1,50,0,2"#,
            ]),
        ),
        (
            "imported_exit_pages_20240301_20240402.csv",
            file(&[
                r#""date","exit_page","visitors","visit_duration","exits","bounces","pageviews""#,
                r#""2024-03-01","/",8,500,9,4,26"#,
                r#""2024-03-01","/a ""b"", c",3,100,3,0,4"#,
                r#""2024-03-02","/",5,120,6,2,9"#,
                r#""2024-04-02","/docs",1,50,1,0,2"#,
            ]),
        ),
        (
            "imported_locations_20240301_20240402.csv",
            file(&[
                r#""date","country","region","city","visitors","visits","visit_duration","bounces","pageviews""#,
                r#""2024-03-01","DE","DE-BW",2929831,6,7,400,2,20"#,
                r#""2024-03-01","DE","DE-BE",2950159,1,1,20,0,3"#,
            ]),
        ),
        (
            "imported_devices_20240301_20240402.csv",
            file(&[
                r#""date","device","visitors","visits","visit_duration","bounces","pageviews""#,
                r#""2024-03-01","Laptop",3,4,100,1,10"#,
                r#""2024-03-01","Desktop",7,8,500,3,20"#,
                r#""2024-03-02","Mobile",5,6,120,2,9"#,
                r#""2024-04-02","Mobile",1,1,50,0,2"#,
            ]),
        ),
        (
            "imported_browsers_20240301_20240402.csv",
            file(&[
                r#""date","browser","browser_version","visitors","visits","visit_duration","bounces","pageviews""#,
                r#""2024-03-01","Chrome","109.0",7,8,500,3,20"#,
                r#""2024-03-01","Chrome","110.0",4,4,100,1,10"#,
                r#""2024-03-02","Safari","16.3",5,6,120,2,9"#,
                r#""2024-04-02","Safari","16.3",1,1,50,0,2"#,
            ]),
        ),
        (
            "imported_operating_systems_20240301_20240402.csv",
            file(&[
                r#""date","operating_system","operating_system_version","visitors","visits","visit_duration","bounces","pageviews""#,
                r#""2024-03-01","Mac","10.15",10,12,600,4,30"#,
            ]),
        ),
        (
            "imported_custom_events_20240301_20240402.csv",
            file(&[
                r#""date","name","link_url","path","visitors","events""#,
                r#""2024-03-01","Signup","","",3,4"#,
                r#""2024-03-01","Outbound Link: Click","https://one.example.com/","",2,2"#,
                r#""2024-03-02","404","","/nowhere",1,1"#,
            ]),
        ),
        ("imported_moods_20240301_20240402.csv", file(&["date,mood", "2024-03-01,good"])),
    ])
}

fn folder(files: &BTreeMap<&str, String>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn zipped(files: &BTreeMap<&str, String>, at: &Path) -> PathBuf {
    let path = at.join("example_com_20240403.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&DataDir::create(dir.path()).unwrap(), false).unwrap();
    let site = NewSite {
        domain: "example.com".parse().unwrap(),
        calendar: Calendar::new("Europe/Berlin").unwrap(),
        identity: headwater_edge::Identity::Day,
        hosts: vec![],
        public: false,
    };
    store.write_now(|tx| sites::add(tx, &site, NOW)).unwrap();
    (dir, store)
}

fn import(store: &Store, path: &Path, replace: bool) -> Result<Report, ImportError> {
    let request = Request { paths: vec![path.to_owned()], until: None, replace };
    let now = || NOW;
    plausible::run(&request, &mut Local::new(store.clone(), "example.com", &now)?, &mut |_, _| {})
}

fn ask(store: &Store, question: Value) -> Value {
    let mut body = json!({"site_id": "example.com", "date_range": "all"});
    body.as_object_mut().unwrap().extend(question.as_object().unwrap().clone());
    let query = Query::from_value(&body).unwrap();
    let answer = store.read_now(|tx| {
        let site = sites::find(tx, "example.com").unwrap().unwrap();
        Ok::<_, StoreError>(ask::answer(tx, &Cache::new(1 << 24), &site, &query, NOW).unwrap())
    });
    serde_json::to_value(answer.unwrap()).unwrap()
}

/// The rows of an answer: their dimensions, joined, and metrics.
fn rows(store: &Store, question: Value) -> BTreeMap<String, Vec<f64>> {
    let answer = ask(store, question);
    let rows = answer["results"].as_array().unwrap().iter().map(|row| {
        let names: Vec<&str> = row["dimensions"].as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect();
        let metrics = row["metrics"].as_array().unwrap().iter().map(|m| m.as_f64().unwrap_or(-1.0)).collect();
        (names.join(" "), metrics)
    });
    rows.collect()
}

/// The sum of a column of a file by a key column, by nothing but splitting: as independent as it gets.
fn summed(text: &str, key: Option<&str>, column: &str) -> BTreeMap<String, f64> {
    let split = |line: &str| -> Vec<String> {
        let line = line.replace("\"\"", "\u{1}");
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                '\u{1}' if quoted => fields.last_mut().unwrap().push('"'),
                '\u{1}' => {}
                _ => fields.last_mut().unwrap().push(c),
            }
        }
        fields
    };
    let mut lines = text.lines().map(split);
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|field| field == name).unwrap();
    let (key, column) = (key.map(at), at(column));
    let mut sums = BTreeMap::new();
    for line in lines.filter(|line| line[0].starts_with("20")) {
        *sums.entry(key.map_or_else(String::new, |key| line[key].clone())).or_insert(0.0) += line[column].parse::<f64>().unwrap();
    }
    sums
}

fn first(rows: BTreeMap<String, Vec<f64>>) -> BTreeMap<String, f64> {
    rows.into_iter().map(|(name, metrics)| (name, metrics[0])).collect()
}

#[test]
fn an_export_is_counted_once_and_as_an_independent_count_says() {
    let (_dir, store) = store();
    let (files, temporary) = (files(), tempfile::tempdir().unwrap());
    let report = import(&store, &zipped(&files, temporary.path()), false).unwrap();
    assert_eq!((report.counted, report.before, report.pageviews, report.own), (3, 0, 41, 0));
    assert_eq!(report.malformed, 1);
    assert!(report.examples[0].starts_with("imported_visitors_20240301_20240402.csv:5: the date"), "{:?}", report.examples);
    assert_eq!(report.unread, ["imported_moods_20240301_20240402.csv", "imported_pages_20240301_20240402.csv: column \"mood\""]);

    let counted = |store: &Store| {
        let visitors = &files["imported_visitors_20240301_20240402.csv"];
        for (metric, column) in [("visitors", "visitors"), ("visits", "visits"), ("pageviews", "pageviews")] {
            assert_eq!(first(rows(store, json!({"metrics": [metric]}))), summed(visitors, None, column), "{metric}");
        }
        for (dimension, file, key, metric, column) in [
            ("event:page", "imported_pages_20240301_20240402.csv", "page", "pageviews", "pageviews"),
            ("event:hostname", "imported_pages_20240301_20240402.csv", "hostname", "pageviews", "pageviews"),
            ("visit:entry_page", "imported_entry_pages_20240301_20240402.csv", "entry_page", "visits", "entrances"),
            ("visit:exit_page", "imported_exit_pages_20240301_20240402.csv", "exit_page", "visits", "exits"),
            ("visit:browser", "imported_browsers_20240301_20240402.csv", "browser", "visits", "visits"),
            ("visit:source", "imported_sources_20240301_20240402.csv", "source", "visits", "visits"),
        ] {
            let sums = summed(&files[file], Some(key), column);
            assert_eq!(first(rows(store, json!({"metrics": [metric], "dimensions": [dimension]}))), sums, "{dimension}");
        }
        let by_day = summed(visitors, Some("date"), "visitors");
        assert_eq!(first(rows(store, json!({"metrics": ["visitors"], "dimensions": ["time:day"]}))), by_day);
    };
    counted(&store);
    // As a folder, as files, twice: once.
    let unpacked = folder(&files);
    for _ in 0..2 {
        let again = import(&store, unpacked.path(), false).unwrap();
        assert_eq!((again.counted, again.before), (0, 3));
    }
    counted(&store);
}

#[test]
fn rows_of_every_dimension_add_up_to_the_total() {
    let (_dir, store) = store();
    let unpacked = folder(&files());
    import(&store, unpacked.path(), false).unwrap();
    let visits = 19.0;
    for dimension in [
        "source",
        "referrer",
        "channel",
        "utm_medium",
        "utm_campaign",
        "country",
        "region",
        "city",
        "device",
        "browser",
        "browser_version",
        "os",
        "os_version",
        "entry_page",
        "exit_page",
    ] {
        let dimension = format!("visit:{dimension}");
        let sum: f64 = first(rows(&store, json!({"metrics": ["visits"], "dimensions": [dimension]}))).values().sum();
        assert_eq!(sum, visits, "{dimension}");
    }
    let of = |dimension: &str, metric: &str| first(rows(&store, json!({"metrics": [metric], "dimensions": [dimension]})));
    // What is known of a place, and the rest; GeoNames' numbers are not taken for names.
    assert_eq!(of("visit:country", "visits"), BTreeMap::from([("DE".to_owned(), 8.0), (String::new(), 11.0)]));
    assert!(of("visit:city", "visits").contains_key("GeoNames 2950159"));
    assert_eq!(of("visit:device", "visits"), BTreeMap::from([("Desktop".to_owned(), 12.0), ("Mobile".to_owned(), 7.0)]));
    let channels = of("visit:channel", "visits");
    let expected = [("Direct", 5.0), ("Email", 1.0), ("Organic Search", 12.0), ("Referral", 1.0)];
    assert_eq!(channels, expected.map(|(name, visits)| (name.to_owned(), visits)).into());
    assert_eq!(of("visit:referrer", "visits")["blog.example.net/post"], 1.0);
    let names = of("event:name", "events");
    let expected = [("404", 1.0), ("Outbound Link: Click", 2.0), ("Signup", 4.0), ("pageview", 41.0)];
    assert_eq!(names, expected.map(|(name, events)| (name.to_owned(), events)).into());
    assert_eq!(first(rows(&store, json!({"metrics": ["events"]})))[""], 48.0);
    let urls = of("event:props:url", "events");
    assert_eq!(urls, BTreeMap::from([("(none)".to_owned(), 46.0), ("https://one.example.com/".to_owned(), 2.0)]));
    // Ten visitors by two versions of Chrome are ten.
    let chrome = rows(&store, json!({"metrics": ["visitors", "bounce_rate", "visit_duration"], "dimensions": ["visit:browser"]}));
    assert_eq!(chrome["Chrome"], [10.0, 33.0, 50.0]);
    // The bounce rate of a page is that of the visits that entered there.
    let pages = rows(&store, json!({"metrics": ["visitors", "visits", "bounce_rate"], "dimensions": ["event:page"]}));
    assert_eq!(pages["/"], [14.0, 16.0, 38.0]);
}

#[test]
fn it_is_added_to_what_was_counted_here_and_answers_say_so() {
    let (_dir, store) = store();
    let keep =
        headwater_collector::site::Retention { minutes: None, hours: None, hour_samples: None, days: None, day_samples: None };
    let change = SiteChange { retention: Some(keep), ..SiteChange::default() };
    store.write_now(|tx| sites::change(tx, "example.com", &change, NOW)).unwrap();
    let line = |minute: u32, page: &str| {
        format!(
            "10.0.0.1 - - [01/Mar/2024:10:{minute:02}:00 +0000] \"GET {page} HTTP/1.1\" 200 9 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"\n"
        )
    };
    let log = [line(0, "/"), line(1, "/own")].concat();
    let now = || NOW;
    let log = Log::new("log".into(), Box::new(std::io::Cursor::new(log)), 0).unwrap();
    let mut target = Local::new(store.clone(), "example.com", &now).unwrap();
    import::run(vec![log], &mut target, None, NOW, &mut |_, _, _| {}).unwrap();
    let own = ask(&store, json!({"metrics": ["visitors"]}));
    assert_eq!(own["meta"].get("imports_included"), None, "nothing to say where nothing was imported");
    let unpacked = folder(&files());
    assert_eq!(import(&store, unpacked.path(), false).unwrap().own, 1);

    let metrics = ["visitors", "visits", "pageviews", "events", "views_per_visit", "bounce_rate", "visit_duration"];
    let day = json!({"metrics": metrics, "date_range": ["2024-03-01", "2024-03-01"]});
    // Ten visitors and one; 12 visits and one that went on; 30 views and two.
    assert_eq!(rows(&store, day.clone())[""], [11.0, 13.0, 32.0, 38.0, 2.46, 31.0, 46.0]);
    assert_eq!(ask(&store, day)["meta"]["imports_included"], true);
    let day = |more: Value| {
        let mut question = json!({"metrics": ["pageviews"], "date_range": ["2024-03-01", "2024-03-01"]});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = ask(&store, question);
        let views: f64 = answer["results"].as_array().unwrap().iter().map(|row| row["metrics"][0].as_f64().unwrap()).sum();
        (views, answer["meta"].clone())
    };
    assert_eq!(day(json!({"dimensions": ["event:page"]})).0, 32.0);
    // Left out where it can't answer, and never silently.
    for (more, own, reason) in [
        (json!({"filters": [["is", "event:page", ["/", "/own"]]]}), 2.0, "unsupported_query"),
        (json!({"dimensions": ["visit:browser", "visit:os"]}), 2.0, "unsupported_query"),
        (json!({"dimensions": ["visit:screen"]}), 2.0, "unsupported_query"),
        (json!({"dimensions": ["time:hour"]}), 2.0, "unsupported_interval"),
        (json!({"date_range": ["2024-03-01T00:00:00+01:00", "2024-03-01T12:00:00+01:00"]}), 2.0, "unsupported_interval"),
    ] {
        let (views, meta) = day(more.clone());
        assert_eq!(
            (views, &meta["imports_included"], &meta["imports_skip_reason"]),
            (own, &json!(false), &json!(reason)),
            "{more}"
        );
        assert!(meta["imports_warning"].as_str().unwrap().contains("not included"), "{more}");
    }
    let (views, meta) = day(json!({"include": {"imports": false}}));
    assert_eq!((views, &meta["imports_included"], meta.get("imports_skip_reason")), (2.0, &json!(false), None));
    let (views, meta) = day(json!({"include": {"imports": true}, "date_range": ["2024-05-01", "2024-05-01"]}));
    assert_eq!((views, &meta["imports_skip_reason"]), (0.0, &json!("out_of_range")));
    // What the import does not know is told of what was counted here, and said.
    let answer = ask(&store, json!({"metrics": ["visitors", "scroll_depth"]}));
    assert_eq!(answer["meta"]["metric_warnings"]["scroll_depth"]["code"], "no_imported_scroll_depth");
    assert_eq!(answer["results"][0]["metrics"], json!([17, 0]));
    assert_eq!(answer["meta"]["visitors_unit"], "day");
    let months = rows(&store, json!({"metrics": ["visitors", "pageviews"], "dimensions": ["time:month"]}));
    assert_eq!(months, BTreeMap::from([("2024-03-01".to_owned(), vec![16.0, 41.0]), ("2024-04-01".to_owned(), vec![1.0, 2.0])]));
    let share = rows(&store, json!({"metrics": ["percentage"], "dimensions": ["visit:browser"]}));
    assert_eq!(share["Safari"], [35.3], "6 of 17");
}

#[test]
fn goals_look_back_at_imports_too() {
    let (_dir, store) = store();
    import(&store, folder(&files()).path(), false).unwrap();
    let site = store.read_now(|tx| sites::find(tx, "example.com")).unwrap().unwrap();
    for target in [headwater_query::Target::Event("Signup".into()), headwater_query::Target::Page("/d*".parse().unwrap())] {
        let goal = headwater_query::Goal { name: target.default_name(), target, worth: None };
        store.write_now(|tx| goals::add(tx, site.id, &goal).map(|_| ())).unwrap();
    }
    let reached = rows(&store, json!({"metrics": ["visitors", "events", "conversion_rate"], "dimensions": ["event:goal"]}));
    assert_eq!(
        reached,
        BTreeMap::from([("Signup".to_owned(), vec![3.0, 4.0, 18.75]), ("Visit /d*".to_owned(), vec![1.0, 2.0, 6.25])])
    );
}

#[test]
fn other_numbers_for_a_day_are_refused_or_replace_it_and_an_import_can_be_removed() {
    let (_dir, store) = store();
    import(&store, folder(&files()).path(), false).unwrap();
    let mut later = files();
    let visitors = later.get_mut("imported_visitors_20240301_20240402.csv").unwrap();
    *visitors = visitors.replace("\"2024-04-02\",1,2,0,1,50", "\"2024-04-02\",3,8,0,3,50\n\"2024-04-03\",1,1,1,1,0");
    let later = folder(&later);
    let error = import(&store, later.path(), false).unwrap_err().to_string();
    assert!(error.contains("2024-04-02") && error.contains("--replace") && error.contains("import 1"), "{error}");
    assert_eq!(rows(&store, json!({"metrics": ["pageviews"]}))[""], [41.0], "nothing was imported");
    let report = import(&store, later.path(), true).unwrap();
    assert_eq!((report.counted, report.before), (2, 2));
    assert_eq!(rows(&store, json!({"metrics": ["pageviews"]}))[""], [48.0]);

    let now = || NOW;
    let mut target = Local::new(store.clone(), "example.com", &now).unwrap();
    let list: Vec<(i64, String, String, u64, u64)> =
        target.list().unwrap().into_iter().map(|i| (i.id, i.from, i.to, i.days, i.pageviews)).collect();
    let dates = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let ((a, b), (c, d)) = (dates("2024-03-01", "2024-03-02"), dates("2024-04-02", "2024-04-03"));
    assert_eq!(list, [(1, a, b, 2, 39), (2, c, d, 2, 9)]);
    assert!(target.remove(1).unwrap() && !target.remove(1).unwrap() && !target.remove(7).unwrap());
    assert_eq!(rows(&store, json!({"metrics": ["pageviews"]}))[""], [9.0]);
    // Removed, it may come again.
    assert_eq!(import(&store, later.path(), false).unwrap().counted, 2);
}

#[test]
fn it_goes_with_its_site_and_its_time() {
    let (dir, store) = store();
    import(&store, folder(&files()).path(), false).unwrap();
    let count = |store: &Store| -> i64 {
        store.read_now(|tx| Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM aggregate_rows", [], |r| r.get(0))?)).unwrap()
    };
    assert!(count(&store) > 20);
    // A backup has it.
    let backup = dir.path().join("backup");
    headwater_collector::backup::make(&DataDir::existing(dir.path()).unwrap(), &backup, &mut |_, _| {}).unwrap();
    let copy = Store::open(&DataDir::existing(&backup).unwrap(), false).unwrap();
    assert_eq!(rows(&copy, json!({"metrics": ["pageviews"]}))[""], [41.0]);
    // Kept for as long as days are: 970 days before this now is 2024-03-27.
    let keep = headwater_collector::site::Retention { days: Some(970), day_samples: Some(970), ..Default::default() };
    let change = SiteChange { retention: Some(keep), ..SiteChange::default() };
    let site = store.write_now(|tx| sites::change(tx, "example.com", &change, NOW)).unwrap();
    store.write_now(|tx| headwater_collector::buckets::retain(tx, &site, NOW.minute())).unwrap();
    assert_eq!(rows(&store, json!({"metrics": ["pageviews"]}))[""], [2.0]);
    store.write_now(|tx| sites::remove(tx, "example.com")).unwrap();
    assert_eq!(count(&store), 0);
    let left: i64 =
        store.read_now(|tx| Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM aggregates", [], |r| r.get(0))?)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_is_no_export_is_told_apart() {
    let (_dir, store) = store();
    let mut some = files();
    some.remove("imported_visitors_20240301_20240402.csv");
    let error = import(&store, folder(&some).path(), false).unwrap_err().to_string();
    assert!(error.contains("imported_visitors"), "{error}");
    let mut some = files();
    some.insert("imported_devices_20240301_20240402.csv", "day,device\n2024-03-01,Mobile\n".into());
    let error = import(&store, folder(&some).path(), false).unwrap_err().to_string();
    assert!(error.contains("imported_devices_20240301_20240402.csv") && error.contains("\"date\""), "{error}");
    // A day in two files would count twice.
    let mut twice = files();
    twice.insert(
        "imported_visitors_20240302_20240302.csv",
        "date,visitors,pageviews,bounces,visits,visit_duration\n2024-03-02,5,9,2,6,120\n".into(),
    );
    let report = import(&store, folder(&twice).path(), false).unwrap();
    assert!(
        report.examples.iter().any(|why| why.contains("2024-03-02 is in imported_visitors_20240301")),
        "{:?}",
        report.examples
    );
    assert_eq!(rows(&store, json!({"metrics": ["pageviews"]}))[""], [41.0]);
    let broken = tempfile::NamedTempFile::new().unwrap();
    fs::write(broken.path(), b"PK\x03\x04 and nothing else").unwrap();
    assert!(matches!(import(&store, broken.path(), false), Err(ImportError::Read(..))));
}
