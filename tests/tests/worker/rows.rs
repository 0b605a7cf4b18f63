//! What a beacon costs in rows, and what stays of it.
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::beacons::{body, view};
use headwater_tests::server::{Server, free_port};
use headwater_tests::workerd::Workerd;
use serde_json::{Value, json};

use super::{UNLIMITED, events_of, eventually, post, temporary};

/// 100 beacons a second, each of a page load of its own but for every second, which comes again with its next number.
fn steadily(worker: &Workerd, site: &str, seconds: u64) -> Vec<(String, Vec<u8>)> {
    const SENDERS: u64 = 20;
    let start = Instant::now() + Duration::from_millis(200);
    let one = |sender: u64| {
        let api = worker.anyone();
        let mut sent = Vec::new();
        for n in 0..seconds * 100 / SENDERS {
            let due = start + Duration::from_millis(n * 10 * SENDERS + sender * 10);
            sleep(due.saturating_duration_since(Instant::now()));
            let load = 1_000_000 * (sender + 1) + n / 2;
            let mut beacon = view(BeaconId { load: load.to_le_bytes(), seq: (n % 2) as u32 }, site, "/steady");
            beacon.created -= (n / 2 % 600) as u32;
            let address = format!("10.{sender}.0.{}", n / 2 % 250);
            let bytes = body(&beacon, 1000 * (n / 2 % 600));
            let answer = post(&api, site, &address, &bytes).expect("an answer");
            assert_eq!(answer.status, 202, "{}", answer.text);
            sent.push((address, bytes));
        }
        sent
    };
    scope(|threads| {
        let senders: Vec<_> = (0..SENDERS).map(|sender| threads.spawn(move || one(sender))).collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender")).collect()
    })
}

#[test]
fn at_100_beacons_a_second_half_a_row_is_written_for_each_and_what_came_is_known_after_sleep_and_death() {
    const SITE: &str = "rows.example";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, port) = (temporary(), free_port());
    let worker = Workerd::start(folder.path(), port, server.port, &UNLIMITED);
    let sent = steadily(&worker, SITE, 10);
    let count = sent.len() as u64;
    eventually("all are counted", 30, &count, || events_of(&server.api(), SITE));
    let status = worker.status(SITE, 0);
    let rows = status["rows_written"].as_f64().unwrap_or(f64::NAN) / count as f64;
    println!(
        "{count} beacons in {} calls and {} rows, {rows:.2} rows written for each: {status}",
        status["calls"], status["groups"]
    );
    assert_eq!(status["accepted"], json!(count));
    assert!(rows <= 0.5, "{rows} rows written for each beacon");
    // The platform gives an isolate 128 MB.
    assert!(status["memory_bytes"].as_u64() < Some(32 << 20), "{status}");

    // Everything again: to the same object, to the one that woke after it was evicted, to the one that woke after a kill.
    let again = |worker: &Workerd| {
        let api = worker.anyone();
        for (address, bytes) in sent.iter().step_by(7) {
            assert_eq!(post(&api, SITE, address, bytes).expect("an answer").status, 202);
        }
        let status = worker.status(SITE, 0);
        assert_eq!((&status["accepted"], &status["duplicates"]), (&json!(0), &json!(sent.len().div_ceil(7))), "{status}");
        status["born"].clone()
    };
    sleep(Duration::from_secs(13)); // workerd evicts an object that nobody has asked for ten seconds
    let woken = again(&worker);
    assert_ne!(woken, status["born"], "the object was not evicted");
    worker.kill();
    let worker = Workerd::start(folder.path(), port, server.port, &UNLIMITED);
    again(&worker);
    sleep(Duration::from_secs(5));
    assert_eq!(events_of(&server.api(), SITE), count);
    println!("workerd held at most {} MB", worker.peak_memory() >> 20);

    // What an object stores shows no salt: the server's are in none of its files.
    let facts = server.api().get(&format!("/v1/edge/sites/{SITE}")).expect("an answer").json();
    let salts: Vec<Vec<u8>> = facts["salts"].as_array().into_iter().flatten().map(|window| bytes_of(&window["salt"])).collect();
    assert!(salts.len() >= 3 && salts.iter().all(|salt| salt.len() == 32));
    let stored = files(&folder.path().join("objects"));
    assert!(stored.iter().any(|bytes| holds(bytes, b"/steady") || holds(bytes, SITE.as_bytes())), "the search looks elsewhere");
    for secret in salts.iter().map(Vec::as_slice).chain([&b"10.3.0.7"[..], b"AppleWebKit"]) {
        assert!(!stored.iter().any(|bytes| holds(bytes, secret)), "{secret:?} is in an object's storage");
    }
}

fn bytes_of(array: &Value) -> Vec<u8> {
    array.as_array().into_iter().flatten().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.extend(std::fs::read(entry.path()));
        }
    }
    all
}
