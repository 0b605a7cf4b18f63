//! How long one answer takes at a leisurely 100 requests a second, beside what the disk takes to sync and what an answer
//! takes that does nothing.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::BROWSER;
use headwater_tests::beacons::{body, view};
use headwater_tests::random::Random;
use headwater_tests::server::Server;

use crate::throughput::Noop;
use crate::{milliseconds, quantile};

const SITE: &str = "bench.example";
/// Rounds, of which each makes one request to Headwater, one to the floor, and one sync: what else the machine does meets
/// all three alike.
const ROUNDS: u32 = 1000;
const EVERY: Duration = Duration::from_millis(10);

/// Prints all three, and what lies between.
pub(crate) fn print() {
    let server = Server::start();
    server.add_site(SITE, &[]);
    let floor = Noop::start();
    let mut disk = Disk::new(&server.data());
    let (mut to_server, mut to_floor) = (connect(server.port), connect(floor.port));
    let (mut syncs, mut answers, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    let mut random = Random::new(3);
    let start = Instant::now();
    for n in 0..ROUNDS {
        let request = request(&mut random);
        wait(start + EVERY * n);
        answers.push(milliseconds(|| exchange(&mut to_server, &request)));
        wait(start + EVERY * n + EVERY / 3);
        floors.push(milliseconds(|| exchange(&mut to_floor, &request)));
        wait(start + EVERY * n + EVERY * 2 / 3);
        syncs.push(milliseconds(|| disk.sync()));
    }
    for times in [&mut syncs, &mut answers, &mut floors] {
        times.sort_by(f64::total_cmp);
    }
    let line = |name: &str, times: &[f64]| println!("{name:<28}{:>10.2}{:>10.2}", quantile(times, 0.5), quantile(times, 0.99));
    println!("\nOne answer at 100 requests a second (POST /b, each a commit of its own), in ms");
    println!("{:<28}{:>10}{:>10}", "", "p50", "p99");
    line("the disk's fsync of 4 KiB", &syncs);
    line("the floor's 202", &floors);
    line("Headwater's 202", &answers);
    println!("{:<28}{:>10.2}", "more than one fsync", quantile(&answers, 0.5) - quantile(&syncs, 0.5));
}

/// A file on the disk of the server's data.
struct Disk(std::fs::File);

impl Disk {
    fn new(folder: &std::path::Path) -> Self {
        Self(std::fs::File::create(folder.join("fsync")).expect("a file"))
    }

    /// Appends 4 KiB and syncs.
    fn sync(&mut self) {
        self.0.write_all(&[7; 4096]).expect("a write");
        self.0.sync_data().expect("a sync");
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    stream
}

fn wait(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

fn request(random: &mut Random) -> Vec<u8> {
    let id = BeaconId { load: random.bits().to_le_bytes(), seq: 0 };
    let body = body(&view(id, SITE, "/"), 0);
    let head = format!(
        "POST /b HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://{SITE}\r\nUser-Agent: {BROWSER}\r\n\
         X-Forwarded-For: {}\r\nContent-Length: {}\r\n\r\n",
        random.address(),
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

fn exchange(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).expect("a request");
    let mut buffer = [0; 4096];
    let mut length = 0;
    // The answer has no body: it ends with its head.
    while !buffer[..length].windows(4).any(|end| end == b"\r\n\r\n") {
        let more = stream.read(&mut buffer[length..]).expect("an answer");
        assert!(more > 0, "the connection ended");
        length += more;
    }
    assert!(buffer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&buffer[..length]));
}
