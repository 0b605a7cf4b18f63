//! What some do to the Worker harms nobody else: clients that hang up, code that traps.
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::Duration;

use headwater_tests::api::{Api, BROWSER};
use headwater_tests::proxy::Proxy;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};
use headwater_tests::workerd::Workerd;
use serde_json::json;

use super::faults::{client, each_once};
use super::{UNLIMITED, beacon, events_of, eventually, temporary};

const SITE: &str = "harm.example";
const CLIENTS: usize = 12;

/// Runs clients that send until they are answered while `harm` does its worst; then each of their measurements is counted
/// once. Gives how often a client was not answered.
fn meanwhile(worker: &Workerd, server: &Server, random: &mut Random, harm: impl FnOnce()) -> usize {
    let sites: Vec<String> = (0..CLIENTS).map(|n| format!("{n}.{SITE}")).collect();
    sites.iter().for_each(|site| server.add_site(site, &[]));
    let stop = AtomicBool::new(false);
    let results: Vec<(usize, usize, usize)> = scope(|threads| {
        let clients: Vec<_> = sites
            .iter()
            .map(|site| {
                let (random, stop) = (Random::new(random.bits()), &stop);
                threads.spawn(move || client(&worker.anyone(), site, false, random, stop))
            })
            .collect();
        harm();
        stop.store(true, Relaxed);
        clients.into_iter().map(|client| client.join().expect("a client")).collect()
    });
    for (site, (sent, answers, _)) in sites.iter().zip(&results) {
        assert!(*sent > 5 && answers >= sent, "too little load to show anything: {results:?}");
        each_once(server, site, *sent);
    }
    results.iter().map(|(_, _, lost)| lost).sum()
}

#[test]
fn who_hangs_up_holds_up_nobody_who_goes_to_the_same_object() {
    let mut random = Random::from_env();
    let server = Server::start();
    let folder = temporary();
    let worker = Workerd::start(folder.path(), free_port(), server.port, &UNLIMITED);
    let hung_up = "hung.up.example";
    server.add_site(hung_up, &[]);
    let send = |n: u64, wait: Duration| {
        let bytes = beacon(hung_up, n, &format!("/page/{n}"));
        let mut stream = TcpStream::connect(("127.0.0.1", worker.port)).expect("a connection");
        let head = format!(
            "POST /b HTTP/1.1\r\nHost: x\r\nOrigin: https://{hung_up}\r\nUser-Agent: {BROWSER}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        stream.write_all(&[head.as_bytes(), &bytes].concat()).expect("it is sent");
        sleep(wait);
    };
    let lost = meanwhile(&worker, &server, &mut random, || {
        for n in 0..400 {
            send(n, Duration::from_millis(n % 13));
        }
    });
    assert_eq!(lost, 0, "clients that stayed were not answered");
    // To the object itself, too, somebody may go together with those who hang up.
    let api = worker.anyone();
    let stays = scope(|threads| {
        let stays = threads.spawn(|| {
            let ask = |n: u64| {
                super::post(&api, hung_up, "10.0.0.1", &beacon(hung_up, 10_000 + n, "/stays")).map(|answer| answer.status)
            };
            (0..40).map(ask).filter(|status| !matches!(status, Ok(202))).count()
        });
        (400..800).for_each(|n| send(n, Duration::from_millis(n % 5)));
        stays.join().expect("who stays")
    });
    assert_eq!(stays, 0, "not all who stayed were answered");
}

/// Traps as a bug in the Wasm would: an import throws, so that the Wasm is left in the middle of what it did.
const TRAP: &str = "
const get = Headers.prototype.get
Headers.prototype.get = function (name) {
  const value = get.call(this, name)
  if (name === 'user-agent' && value === 'trap-worker') throw new Error('trap')
  if (name === 'user-agent' && value === 'trap-soon') globalThis.trap = 40
  return value
}
const now = Date.now
Date.now = () => {
  if (globalThis.trap && !--globalThis.trap) throw new Error('trap')
  return now()
}
";

#[test]
fn a_trap_costs_answers_and_no_event() {
    let mut random = Random::from_env();
    let server = Server::start();
    let folder = temporary();
    let worker = Workerd::start_with(folder.path(), free_port(), server.port, &UNLIMITED, TRAP);
    let trap = |agent: &str| {
        let origin = format!("https://0.{SITE}");
        let _ = worker.anyone().send("/b", &beacon(SITE, 1, "/"), &[("Origin", &origin), ("User-Agent", agent)]);
    };
    let mut traps = 0;
    meanwhile(&worker, &server, &mut random, || {
        for round in 0..10 {
            sleep(Duration::from_millis(300));
            trap(if round % 2 == 0 { "trap-worker" } else { "trap-soon" });
            traps += 1;
        }
        sleep(Duration::from_millis(500));
    });
    let log = worker.log();
    assert!(traps == 10 && log.contains("trap"), "nothing trapped: {log}");
    let again = Api::new(worker.port, None);
    assert_eq!(
        super::post(&again, &format!("1.{SITE}"), "10.0.0.1", &beacon(&format!("1.{SITE}"), 5, "/after"))
            .map(|answer| answer.status)
            .ok(),
        Some(202)
    );
}

#[test]
fn a_full_inbox_says_so_and_keeps_what_it_took() {
    const SITE: &str = "full.example";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let folder = temporary();
    let upward = Proxy::to(server.port, Random::from_env());
    let settings = [UNLIMITED[0], UNLIMITED[1], ("INBOX_MB", "1"), ("RETRY_SECONDS", "2")];
    let worker = Workerd::start(folder.path(), free_port(), upward.port, &settings);
    let api = worker.anyone();
    let send = |n: u64| {
        let one = |k: u64| json!({"name": format!("E{}", k % 5), "domain": SITE, "url": format!("https://{SITE}/{n}/{}", "long".repeat(200))});
        let array: Vec<_> = (0..500).map(one).collect();
        let headers = [("User-Agent", BROWSER), ("CF-Connecting-IP", "10.0.0.8")];
        api.send("/api/event", json!(array).to_string().as_bytes(), &headers).expect("an answer")
    };
    assert_eq!(send(0).status, 202);
    eventually("the first are counted", 20, &500, || events_of(&server.api(), SITE));
    upward.set_down(true);
    let mut taken = 500;
    let refused = (1..200).find_map(|n| {
        let answer = send(n);
        if answer.status == 202 {
            taken += answer.json()["accepted"].as_u64().unwrap_or_default();
        }
        (answer.status != 202).then_some(answer)
    });
    let refused = refused.expect("the inbox has no bound");
    assert_eq!((refused.status, refused.header("retry-after").parse::<u32>().is_ok()), (503, true), "{}", refused.text);
    println!("full after {taken} events: {}", refused.text);
    upward.set_down(false);
    eventually("all that were taken are counted", 40, &taken, || events_of(&server.api(), SITE));
    eventually("there is room again", 20, &202, || send(500).status);
}
