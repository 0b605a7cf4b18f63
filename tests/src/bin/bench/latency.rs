//! How long one answer takes at a leisurely 100 requests a second, beside what the disk takes to sync.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::BROWSER;
use headwater_tests::beacons::{body, view};
use headwater_tests::random::Random;
use headwater_tests::server::Server;

use crate::{milliseconds, quantile};

const SITE: &str = "bench.example";
const REQUESTS: u32 = 1000;

/// Prints both, and what lies between.
pub(crate) fn print() {
    let server = Server::start();
    server.add_site(SITE, &[]);
    let disk = syncs(&server.data());
    let mut random = Random::new(3);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let start = Instant::now();
    let mut answers: Vec<f64> = (0..REQUESTS)
        .map(|n| {
            let due = start + Duration::from_millis(10) * n;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let request = request(&mut random);
            milliseconds(|| exchange(&mut stream, &request))
        })
        .collect();
    answers.sort_by(f64::total_cmp);
    let (fsync, p50) = (quantile(&disk, 0.5), quantile(&answers, 0.5));
    println!("\nOne answer at 100 requests a second (POST /b, each a commit of its own), in ms");
    println!("{:<28}{:>10}{:>10}", "", "p50", "p99");
    println!("{:<28}{:>10.2}{:>10.2}", "the disk's fsync of 4 KiB", fsync, quantile(&disk, 0.99));
    println!("{:<28}{:>10.2}{:>10.2}", "202", p50, quantile(&answers, 0.99));
    println!("{:<28}{:>10.2}", "more than one fsync", p50 - fsync);
}

/// Sorted times of appending 4 KiB and syncing, on the disk of `folder`.
fn syncs(folder: &std::path::Path) -> Vec<f64> {
    let mut file = std::fs::File::create(folder.join("fsync")).expect("a file");
    let mut times: Vec<f64> = (0..300)
        .map(|_| {
            milliseconds(|| {
                file.write_all(&[7; 4096]).expect("a write");
                file.sync_data().expect("a sync");
            })
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let _ = std::fs::remove_file(folder.join("fsync"));
    times
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
