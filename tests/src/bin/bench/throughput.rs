//! Requests a second under load, by wrk, against the floor and against Headwater with the same bytes.
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_core::beacon::{Beacon, Delta, Str};
use headwater_tests::api::BROWSER;
use headwater_tests::beacons::{body, view};
use headwater_tests::random::Random;
use headwater_tests::server::{Server, cpu_milliseconds, free_port, headwater};
use serde_json::json;

pub(crate) const SITE: &str = "bench.example";
/// Seconds of load for each figure.
const SECONDS: u64 = 8;
/// Different bodies to choose from, each sent under ever new ids.
const BODIES: usize = 400;

/// What wrk measured.
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: String,
    pub(crate) p99: String,
    pub(crate) answered: u64,
    pub(crate) refused: u64,
}

/// Prints a line for each kind of request.
pub(crate) fn print() {
    println!("\nRequests a second, wrk -t1 -c64 for {SECONDS} s, beside a no-op axum endpoint that is sent the same");
    println!(
        "{:<20}{:>9}{:>9}{:>9}{:>8}{:>11}{:>9}{:>9}{:>8}{:>7}",
        "", "floor", "p50", "p99", "CPU, µs", "Headwater", "p50", "p99", "CPU, µs", "ratio"
    );
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, path, script) in [
        ("POST /b, 1 event", "/b", beacon_script(1)),
        ("POST /b, 10 events", "/b", beacon_script(10)),
        ("POST /api/event", "/api/event", event_script()),
    ] {
        let lua = folder.path().join("load.lua");
        std::fs::write(&lua, script).expect("the script");
        let (floor, floor_cpu) = {
            let noop = Noop::start();
            let measured = load(noop.port, path, &lua, SECONDS);
            let cpu = cpu_milliseconds(noop.child.id());
            (measured, cpu)
        };
        let limits = ["serve", "--rate-limit-visitor", "0", "--rate-limit-site", "0", "--log", "error"];
        let data = tempfile::tempdir().expect("a temporary directory");
        let server = Server::start_as(headwater(&limits), data.path(), free_port());
        server.add_site(SITE, &[]);
        let ours = load(server.port, path, &lua, SECONDS);
        let each = |cpu: f64, measured: &Measured| cpu * 1000.0 / measured.answered as f64;
        println!(
            "{name:<20}{:>9.0}{:>9}{:>9}{:>8.1}{:>11.0}{:>9}{:>9}{:>8.1}{:>7.2}",
            floor.per_second,
            floor.p50,
            floor.p99,
            each(floor_cpu, &floor),
            ours.per_second,
            ours.p50,
            ours.p99,
            each(server.cpu_milliseconds(), &ours),
            ours.per_second / floor.per_second
        );
        assert_eq!(floor.refused, 0, "the floor refused requests");
        counted(&server, &ours, if name.contains("10") { 10 } else { 1 });
    }
}

/// Waits until everything that was answered is counted, and says how long that took.
fn counted(server: &Server, ours: &Measured, each: u64) {
    let wanted = (ours.answered - ours.refused) * each;
    let start = Instant::now();
    loop {
        let counted = server.api().totals(SITE, &["events"])[0].as_u64().unwrap_or_default();
        if counted >= wanted {
            println!("    {wanted} events answered 202, {counted} counted {:.1} s after the load", start.elapsed().as_secs_f64());
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{counted} of {wanted} are counted");
        std::thread::sleep(Duration::from_millis(100));
    }
    if ours.refused > 0 {
        println!("    {} requests were answered 429 or 503", ours.refused);
    }
}

pub(crate) struct Noop {
    child: Child,
    pub(crate) port: u16,
}

impl Noop {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["noop", &port.to_string()])
            .spawn()
            .expect("it starts");
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "the floor does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }
}

impl Drop for Noop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Loads `path` of a server with what a script of wrk sends.
pub(crate) fn load(port: u16, path: &str, lua: &Path, seconds: u64) -> Measured {
    let seconds = format!("-d{seconds}s");
    let output = Command::new("wrk")
        .args(["-t1", "-c64", &seconds, "--latency", "-s"])
        .arg(lua)
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .output()
        .expect("wrk runs: Debian has it in wrk");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |word: &str| text.lines().find_map(|line| line.trim().strip_prefix(word).map(|rest| rest.trim().to_owned()));
    let number = |text: Option<String>| text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    let requests = text.lines().find(|line| line.contains(" requests in ")).map(|line| line.trim().to_owned());
    Measured {
        per_second: after("Requests/sec:").and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("wrk said: {text}")),
        p50: after("50%").unwrap_or_default(),
        p99: after("99%").unwrap_or_default(),
        answered: number(requests).unwrap_or(0),
        refused: number(after("Non-2xx or 3xx responses:")).unwrap_or(0),
    }
}

/// A page as often as pages are visited: the n-th 1/n times as often as the first.
pub(crate) fn page(random: &mut Random) -> String {
    let draw = (random.bits() >> 11) as f64 / (1u64 << 53) as f64;
    format!("/page/{}", (1000f64.powf(draw)) as u64)
}

/// wrk's part of a script: one of `bodies` with the eight bytes at `id` counted up, from one of 50,000 addresses.
fn script(bodies: &[Vec<u8>], id: Option<usize>, headers: &str) -> String {
    let mut lua = Vec::new();
    lua.extend(b"local bodies = {\n");
    for body in bodies {
        let quoted = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "\\{byte:03}");
                text
            })
        };
        let (before, after) = id.map_or((&body[..], &[][..]), |at| (&body[..at], &body[at + 8..]));
        writeln!(lua, "{{{}, \"{}\", \"{}\"}},", body.len(), quoted(before), quoted(after)).expect("memory");
    }
    // Two digits at a time from 100 to 199 keep every address as long as the other, so that the head is a constant.
    writeln!(
        lua,
        "}}\nlocal n, char, floor = 0, string.char, math.floor\n\
         local heads = {{}}\nfor i, body in ipairs(bodies) do\n\
           heads[i] = \"\\r\\nContent-Length: \" .. body[1] .. \"\\r\\n{headers}User-Agent: {BROWSER}\\r\\n\\r\\n\" .. body[2]\nend\n\
         local addresses = {{}}\nfor i = 0, 49999 do\n\
           addresses[i] = string.format(\"10.1%02d.1%02d.1%02d\", i % 100, floor(i / 100) % 100, floor(i / 10000))\nend\n\
         function request()\n\
           n = n + 1\n\
           local i = n % {BODIES} + 1\n\
           local id = {}\n\
           return \"POST \" .. wrk.path .. \" HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nX-Forwarded-For: \" .. addresses[n * 7919 % 50000] .. heads[i] .. id .. bodies[i][3]\n\
         end",
        if id.is_some() {
            "\"bench\" .. char(floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)"
        } else {
            "\"\""
        }
    )
    .expect("memory");
    String::from_utf8(lua).expect("escaped text")
}

fn beacon_script(events: usize) -> String {
    let mut random = Random::new(1);
    let bodies: Vec<Vec<u8>> = (0..BODIES)
        .map(|_| {
            let pages: Vec<String> = (0..events).map(|_| page(&mut random)).collect();
            body(&beacon(BeaconId { load: LOAD, seq: 0 }, &pages, &mut random), 0)
        })
        .collect();
    // The page load's id is found by what stands in its place, wherever the format has it.
    let at = bodies.first().and_then(|body| body.windows(LOAD.len()).position(|window| window == LOAD));
    script(&bodies, Some(at.expect("the id stands in the beacon as it is")), &format!("Origin: https://{SITE}\\r\\n"))
}

/// In place of the page load's id.
const LOAD: [u8; 8] = *b"page-ld!";

/// A view of the first page, and on each other page a click of the same visit.
pub(crate) fn beacon<'a>(id: BeaconId, pages: &'a [String], random: &mut Random) -> Beacon<'a> {
    const NAMES: [&str; 3] = ["Signup", "Download", "Outbound link"];
    let mut beacon = view(id, SITE, &pages[0]);
    beacon.visits[0].tag = random.bits() as u16 | 1;
    for (i, page) in pages.iter().enumerate().skip(1) {
        beacon.strings.push(page);
        let page = Str(beacon.strings.len() as u16);
        beacon.strings.push(NAMES[i % NAMES.len()]);
        let name = Str(beacon.strings.len() as u16);
        beacon.visits[0].minutes[0].deltas.push(Delta { name, page, hostname: Str(2), count: 1, ..Delta::default() });
    }
    beacon
}

fn event_script() -> String {
    let mut random = Random::new(2);
    let bodies: Vec<Vec<u8>> = (0..BODIES)
        .map(|_| {
            let url = format!("https://{SITE}{}", page(&mut random));
            json!({"name": "pageview", "domain": SITE, "url": url, "referrer": "https://news.example/"}).to_string().into_bytes()
        })
        .collect();
    script(&bodies, None, "Content-Type: text/plain\\r\\n")
}
