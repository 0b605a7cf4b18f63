//! Whatever fails, each counts once.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use headwater_tests::api::{Api, BROWSER};
use headwater_tests::proxy::Proxy;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};
use headwater_tests::workerd::Workerd;
use serde_json::json;

use super::{UNLIMITED, beacon, events_of, eventually, post, temporary};

/// Waits until each of the measurements is counted; fails at once if one is counted twice.
pub(crate) fn each_once(server: &Server, site: &str, sent: usize) {
    let wanted: BTreeMap<String, u64> = (0..sent).map(|n| (format!("/page/{n}"), 1)).collect();
    let start = Instant::now();
    loop {
        let counted: BTreeMap<String, u64> = server.api().events_by(site, "event:page").into_iter().collect();
        if counted == wanted {
            break;
        }
        let twice = counted.iter().find(|(_, events)| **events != 1);
        assert_eq!(twice, None, "counted more than once on {site}");
        let missing = wanted.keys().find(|page| !counted.contains_key(*page));
        assert!(start.elapsed() < Duration::from_secs(60), "{site}: {missing:?} is lost, {} of {sent} counted", counted.len());
        sleep(Duration::from_millis(200));
    }
    let totals = server.api().totals(site, &["events", "visitors", "visits"]);
    assert!(totals.iter().all(|total| *total == sent), "{site}: {sent} sent, {totals:?} counted");
}

/// One client: sends unique measurements, each until it is answered, and now and then once more.
pub(crate) fn client(api: &Api, site: &str, events: bool, mut random: Random, stop: &AtomicBool) -> (usize, usize, usize) {
    let (mut sent, mut answers, mut lost) = (0, 0, 0);
    while !stop.load(Relaxed) && sent < 15_000 {
        let (address, page) = (format!("10.{}.{}.{}", sent >> 16, sent >> 8 & 255, sent & 255), format!("/page/{sent}"));
        let bytes = if events {
            json!({"name": "pageview", "domain": site, "url": format!("https://{site}{page}"), "id": sent.to_string()})
                .to_string()
                .into_bytes()
        } else {
            beacon(site, random.bits(), &page)
        };
        sent += 1;
        let again = usize::from(random.below(20) == 0);
        let mut left = 1 + again;
        let start = Instant::now();
        while left > 0 {
            assert!(start.elapsed() < Duration::from_secs(60), "{page} of {site} is not taken");
            let origin = format!("https://{site}");
            let headers = [("Origin", origin.as_str()), ("User-Agent", BROWSER), ("CF-Connecting-IP", &address)];
            match api.send(if events { "/api/event" } else { "/b" }, &bytes, &headers) {
                Ok(answer) if answer.status == 202 => {
                    left -= 1;
                    answers += 1;
                }
                Ok(answer) => {
                    assert!(matches!(answer.status, 500 | 503), "{}: {}", answer.status, answer.text);
                    sleep(Duration::from_millis(20));
                }
                Err(_) => {
                    lost += 1;
                    sleep(Duration::from_millis(20));
                }
            }
        }
    }
    (sent, answers, lost)
}

#[test]
fn whatever_is_killed_cut_or_moved_each_counts_once() {
    let mut random = Random::from_env();
    let (data, folder) = (temporary(), temporary());
    let (server_port, worker_port) = (free_port(), free_port());
    let mut server = Server::start_on(data.path(), server_port);
    let sites: Vec<(String, bool)> = (0..4).map(|n| (format!("fault{n}.example"), n % 2 == 1)).collect();
    sites.iter().for_each(|(site, _)| server.add_site(site, &[]));
    // The collector is reached by one link, the Worker by another; both lose answers.
    let upward = Proxy::to(server_port, Random::new(random.bits()));
    let inward = Proxy::to(worker_port, Random::new(random.bits()));
    let settings = [UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "500")];
    let mut worker = Workerd::start(folder.path(), worker_port, upward.port, &settings);
    let shards = |server: &Server, count: u16| {
        for (site, _) in &sites {
            let answer = server.api().patch(&format!("/api/v1/sites/{site}"), &json!({"shards": count})).expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    let stop = AtomicBool::new(false);
    let (results, server, worker) = scope(|threads| {
        let clients: Vec<_> = sites
            .iter()
            .map(|(site, events)| {
                let (random, inward, stop) = (Random::new(random.bits()), inward.port, &stop);
                threads.spawn(move || client(&Api::new(inward, None), site, *events, random, stop))
            })
            .collect();
        upward.lose(100);
        inward.lose(30);
        sleep(Duration::from_secs(3));
        shards(&server, 4);
        sleep(Duration::from_secs(2));
        for round in 0..3 {
            worker.kill();
            worker = Workerd::start(folder.path(), worker_port, upward.port, &settings);
            sleep(Duration::from_millis(1000 + random.below(1500) as u64));
            server.kill();
            sleep(Duration::from_millis(500 + random.below(1500) as u64));
            server = Server::start_on(data.path(), server_port);
            sleep(Duration::from_millis(500 + random.below(1000) as u64));
            shards(&server, [2, 7, 3][round]);
        }
        sleep(Duration::from_secs(3));
        upward.lose(0);
        inward.lose(0);
        stop.store(true, Relaxed);
        let results: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
        (results, server, worker)
    });
    println!("sent, answered and not answered: {results:?}");
    let objects: Vec<_> = (0..7).map(|index| worker.status(&sites[0].0, index)["virtual_shards"].clone()).collect();
    println!("virtual shards of the first site's objects: {objects:?}");
    assert!(objects.iter().filter(|owned| **owned != json!(0)).count() > 2, "nothing moved");
    for ((site, _), (sent, answers, lost)) in sites.iter().zip(results) {
        assert!(sent > 20 && answers >= sent && lost > 0, "too little load to show anything: {sent}");
        each_once(&server, site, sent);
    }
}

#[test]
fn an_object_put_back_to_an_earlier_state_counts_nothing_twice() {
    const SITE: &str = "back.example";
    let mut random = Random::from_env();
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, kept, port) = (temporary(), temporary(), free_port());
    let upward = Proxy::to(server.port, Random::new(random.bits()));
    let settings = [UNLIMITED[0], UNLIMITED[1], ("FLUSH_AFTER_MS", "300")];
    let start = || Workerd::start(folder.path(), port, upward.port, &settings);
    let views: Vec<Vec<u8>> = (0..35).map(|n| beacon(SITE, 1000 + n, &format!("/{n}"))).collect();
    let send = |which: std::ops::Range<usize>| {
        for n in which {
            let answer = post(&Api::new(port, None), SITE, &format!("10.3.0.{n}"), &views[n]).expect("an answer");
            assert_eq!(answer.status, 202, "{}", answer.text);
        }
    };
    let counted = |wanted: u64| eventually("all are counted", 30, &wanted, || events_of(&server.api(), SITE));

    // What is put back holds ten that were delivered, and as the link is down ten that wait.
    let worker = start();
    send(0..10);
    counted(10);
    upward.set_down(true);
    send(10..20);
    worker.kill();
    copy(&folder.path().join("objects"), &kept.path().join("objects"));
    upward.set_down(false);
    let worker = start();
    send(20..30);
    counted(30);
    worker.kill();
    std::fs::remove_dir_all(folder.path().join("objects")).expect("it goes");
    copy(&kept.path().join("objects"), &folder.path().join("objects"));
    let _worker = start();
    send(0..20);
    send(30..35);
    counted(35);
    sleep(Duration::from_secs(2));
    let rows = server.api().events_by(SITE, "event:page");
    assert!(rows.len() == 35 && rows.iter().all(|(_, events)| *events == 1), "{rows:?}");
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
