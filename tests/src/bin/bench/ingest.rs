//! Requests a second, latency, and what each costs beside a server that does nothing.
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_core::beacon::{Delta, Str};
use headwater_tests::beacons::{body, view};
use headwater_tests::server::{Server, free_port, headwater};

use crate::load::{Reached, Template, run};
use crate::{ms, quantile};

/// Connections that always have a request under way.
pub const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const SITE: &str = "example.com";

/// A beacon with `events`: a view, and clicks with a property.
fn beacon(events: u32) -> Template {
    let mut beacon = view(BeaconId { load: [0; 8], seq: 0 }, SITE, "/products/teapot");
    let names: Vec<String> = (0..9).map(|i| format!("value-{i}")).collect();
    let at = beacon.strings.len() as u16;
    beacon.strings.extend(["Click", "what"]);
    beacon.strings.extend(names.iter().map(String::as_str));
    let deltas = &mut beacon.visits[0].minutes[0].deltas;
    deltas.extend((1..events).map(|i| Delta {
        name: Str(at + 1),
        page: Str(1),
        hostname: Str(2),
        props: vec![(Str(at + 2), Str(at + 2 + i as u16))],
        count: 1,
        ..Delta::default()
    }));
    if events == 1 {
        beacon.strings.truncate(usize::from(at));
    }
    // Version and `now` of one byte come before the page load.
    Template::new("/b", SITE, &body(&beacon, 5), Some(2))
}

fn event() -> Template {
    let body = format!(r#"{{"n":"pageview","u":"https://{SITE}/products/teapot","d":"{SITE}","r":"https://www.google.com/"}}"#);
    Template::new("/api/event", SITE, body.as_bytes(), None)
}

struct Noop(Child);

impl Drop for Noop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn noop() -> (Noop, u16) {
    let port = free_port();
    let this = std::env::current_exe().expect("this program");
    let child = Noop(Command::new(this).args(["noop", &port.to_string()]).spawn().expect("the no-op server"));
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    (child, port)
}

/// Prints the table.
pub fn bench() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = headwater(&["serve", "--rate-limit-site", "0", "--rate-limit-visitor", "0"]);
    let server = Server::start_as(command, folder.path(), free_port());
    server.add_site(SITE, &[]);
    let (_noop, floor) = noop();
    println!("{:<22} {:>11} {:>11} {:>7} {:>22} {:>22}", "", "no-op /s", "ours /s", "ratio", "no-op p50, p99", "ours p50, p99");
    let mut events = 0;
    for (name, template, each) in
        [("POST /b, 1 event", beacon(1), 1), ("POST /b, 10 events", beacon(10), 10), ("POST /api/event", event(), 1)]
    {
        let mut rounds: Vec<(Reached, Reached)> = (0..ROUNDS)
            .map(|_| (run(floor, &template, CONNECTIONS, ROUND, None), run(server.port, &template, CONNECTIONS, ROUND, None)))
            .collect();
        events += each * rounds.iter().map(|r| r.1.accepted).sum::<u64>();
        let ratio = |r: &(Reached, Reached)| r.1.per_second / r.0.per_second;
        rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let (floor, ours) = &rounds[ROUNDS / 2];
        println!(
            "{name:<22} {:>11.0} {:>11.0} {:>7.2} {:>22} {:>22}",
            floor.per_second,
            ours.per_second,
            ours.per_second / floor.per_second,
            format!("{}, {}", ms(floor.p50), ms(floor.p99)),
            format!("{}, {}", ms(ours.p50), ms(ours.p99)),
        );
    }
    let start = Instant::now();
    loop {
        let counted = server.api().totals(SITE, &["events"]).first().and_then(serde_json::Value::as_u64).unwrap_or(0);
        if counted == events {
            println!("All {events} acknowledged events are counted, {} after the last.", ms(start.elapsed()));
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{counted} of {events} acknowledged events are counted");
        std::thread::sleep(Duration::from_millis(20));
    }
    let paced = |port| run(port, &beacon(1), 4, Duration::from_secs(5), Some(25));
    let (floor, ours) = (paced(floor), paced(server.port));
    println!(
        "At 100 requests/s: p50 {} (no-op {}); the disk's own fsync: p50 {}",
        ms(ours.p50),
        ms(floor.p50),
        ms(fsync(folder.path()))
    );
}

/// How long the disk takes to make 4 KiB durable, half of the time.
fn fsync(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("fsync")).expect("a file");
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            file.write_all(&[7; 4096]).expect("room");
            let start = Instant::now();
            file.sync_data().expect("a disk");
            start.elapsed()
        })
        .collect();
    quantile(&mut times, 0.5)
}
