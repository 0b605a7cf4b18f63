//! Requests a second through the Worker, by wrk, beside a Worker that does nothing in the same workerd.
use std::io::Write as _;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::BROWSER;
use headwater_tests::beacons::{body, view};
use headwater_tests::server::{Server, free_port};
use headwater_tests::workerd::Workerd;

use crate::throughput::load;

const SITE: &str = "bench.example";
/// The floor: reads the body, as any that counts must, and answers as ours does.
const NOOP: &str =
    "export default { async fetch(request) { await request.arrayBuffer(); return new Response(null, { status: 202 }) } }";

/// Rounds of floor and ours by turns, after one that warms both up; and how many seconds each lasts.
const ROUNDS: usize = 9;
const SECONDS: u64 = 3;

/// Prints the Worker's lines.
pub(crate) fn print() {
    println!("\nPOST /b through workerd, wrk -t1 -c64, by turns with a Worker that reads the body and answers 202");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let lua = folder.path().join("load.lua");
    let server = Server::start();
    server.add_site(SITE, &[]);
    let noop = Workerd::script(&folder.path().join("noop"), free_port(), NOOP);
    let unlimited = [("RATE_LIMIT_VISITOR", "0"), ("RATE_LIMIT_SITE", "0")];
    let worker = Workerd::start(&folder.path().join("ours"), free_port(), server.port, &unlimited);
    println!(
        "{:<8}{:>14}{:>10}{:>10}{:>18}{:>10}{:>10}{:>8}",
        "round", "no-op, a s", "p50", "p99", "one object, a s", "p50", "p99", "ratio"
    );
    let (mut ratios, mut wanted) = (Vec::new(), 0);
    for round in 0..=ROUNDS {
        std::fs::write(&lua, script(round)).expect("the script");
        let floor = load(noop.port, "/b", &lua, SECONDS);
        let ours = load(worker.port, "/b", &lua, SECONDS);
        assert_eq!((floor.refused, ours.refused), (0, 0), "requests were refused: {}", worker.log());
        wanted += ours.answered;
        if round == 0 {
            continue;
        }
        let ratio = ours.per_second / floor.per_second;
        println!(
            "{round:<8}{:>14.0}{:>10}{:>10}{:>18.0}{:>10}{:>10}{ratio:>8.2}",
            floor.per_second, floor.p50, floor.p99, ours.per_second, ours.p50, ours.p99
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("the ratio in the middle: {:.2}", ratios[ROUNDS / 2]);
    let status = worker.status(SITE, 0);
    let accepted = status["accepted"].as_f64().unwrap_or(f64::NAN);
    let rows = |name: &str| status[name].as_f64().unwrap_or(f64::NAN) / accepted;
    println!(
        "beacons accepted {accepted}, {:.1} in a row; for each {:.3} rows written, {:.2} read; the Wasm held {:.1} MB at most, all of workerd {}",
        accepted / status["groups"].as_f64().unwrap_or(f64::NAN),
        rows("rows_written"),
        rows("rows_read"),
        status["memory_bytes"].as_f64().unwrap_or(f64::NAN) / 1_048_576.0,
        worker.peak_memory() >> 20
    );
    let start = Instant::now();
    while server.api().totals(SITE, &["events"])[0].as_u64().unwrap_or_default() < wanted {
        assert!(start.elapsed() < Duration::from_secs(120), "not all of {wanted} are counted");
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("all of {wanted} counted {:.1} s after the load", start.elapsed().as_secs_f64());
}

/// One beacon under ever new ids, other ones in each round, from one of 50,000 addresses.
fn script(round: usize) -> Vec<u8> {
    // The page load's id is found by what stands in its place, wherever the format has it.
    let load = *b"page-ld!";
    let bytes = body(&view(BeaconId { load, seq: 0 }, SITE, "/page"), 0);
    let at = bytes.windows(load.len()).position(|window| window == load).expect("the id stands in the beacon as it is");
    let quoted = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03}")).collect::<String>();
    let (before, after) = (&bytes[..at], &bytes[at + load.len()..]);
    let mut lua = Vec::new();
    writeln!(
        lua,
        "local n, char, floor = 0, string.char, math.floor\n\
         function request()\n\
           n = n + 1\n\
           local id = char({round}, n * 31 % 256, n * 17 % 256, n % 251, 1, floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)\n\
           return \"POST \" .. wrk.path .. \" HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nOrigin: https://{SITE}\\r\\nUser-Agent: {BROWSER}\\r\\n\" ..\n\
             \"CF-Connecting-IP: 10.\" .. (n * 7919 % 200) .. \".\" .. (n * 31 % 250) .. \".7\\r\\nContent-Length: {}\\r\\n\\r\\n{}\" .. id .. \"{}\"\n\
         end",
        bytes.len(),
        quoted(before),
        quoted(after)
    )
    .expect("memory");
    lua
}
