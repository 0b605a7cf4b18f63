//! The load generator, and the no-op server that says how much is possible at all. Both servers get the same bytes
//! from the same generator.
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use headwater_tests::random::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::quantile;

/// Takes everything and does nothing, on axum and tokio as the product does.
pub fn noop(port: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let take = || post(|_: Bytes| async { StatusCode::ACCEPTED });
        let router = Router::new().route("/b", take()).route("/api/event", take());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        axum::serve(listener, router).await.expect("the server");
    });
}

/// Requests that differ in a visitor's address and a random id.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    address: usize,
    id: Option<usize>,
}

impl Template {
    /// `id` is where the body has the 8 random bytes of a page load.
    pub fn new(path: &str, host: &str, body: &[u8], id: Option<usize>) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://{host}\r\nUser-Agent: {}\r\nContent-Type: text/plain\r\nX-Forwarded-For: 10.000.000.000\r\nContent-Length: {}\r\n\r\n",
            headwater_tests::api::BROWSER,
            body.len()
        );
        let address = head.find("10.000").expect("the address");
        let mut bytes = head.into_bytes();
        let id = id.map(|at| at + bytes.len());
        bytes.extend_from_slice(body);
        Self { bytes, address, id }
    }

    fn fill(&mut self, random: &mut Random) {
        // One of 50,000 people, without leading zeros, which no address has.
        let person = random.below(50_000);
        let address = format!("10.{}.{}.{}", 100 + person / 22_500, 100 + person / 150 % 150, 100 + person % 150);
        self.bytes[self.address..self.address + address.len()].copy_from_slice(address.as_bytes());
        if let Some(at) = self.id {
            self.bytes[at..at + 8].copy_from_slice(&random.bits().to_le_bytes());
        }
    }
}

/// What a run reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// Requests that were answered 202.
    pub accepted: u64,
    /// Of those, each second.
    pub per_second: f64,
    /// Half are answered within this time.
    pub p50: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
}

/// Sends requests over `connections` for `time`, each connection the next as soon as one is answered, or `pace` a second.
pub fn run(port: u16, template: &Template, connections: usize, time: Duration, pace: Option<u32>) -> Reached {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut times = runtime.block_on(async {
        let started = Instant::now();
        let clients: Vec<_> =
            (0..connections).map(|i| tokio::spawn(client(port, template.clone(), i as u64, started + time, pace))).collect();
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.await.expect("a client"));
        }
        times
    });
    Reached {
        accepted: times.len() as u64,
        per_second: times.len() as f64 / time.as_secs_f64(),
        p50: quantile(&mut times, 0.5),
        p99: quantile(&mut times, 0.99),
    }
}

async fn client(port: u16, mut template: Template, seed: u64, until: Instant, pace: Option<u32>) -> Vec<Duration> {
    let mut random = Random::new(seed ^ u64::from(std::process::id()) << 32 ^ until.elapsed().as_nanos() as u64);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut times = Vec::new();
    let mut buffer = vec![0; 4096];
    let mut due = Instant::now();
    while Instant::now() < until {
        if let Some(pace) = pace {
            tokio::time::sleep_until(due.into()).await;
            due += Duration::from_secs(1) / pace;
        }
        template.fill(&mut random);
        let sent = Instant::now();
        stream.write_all(&template.bytes).await.expect("the request is sent");
        let mut have = 0;
        loop {
            have += stream.read(&mut buffer[have..]).await.expect("an answer");
            let answer = &buffer[..have];
            assert!(have > 0, "the connection was closed");
            if is_whole(answer) {
                assert!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(answer));
                break;
            }
        }
        times.push(sent.elapsed());
    }
    times
}

/// Whether an answer has come in full.
fn is_whole(answer: &[u8]) -> bool {
    let find = |needle: &[u8]| answer.windows(needle.len()).position(|w| w == needle);
    let Some(end) = find(b"\r\n\r\n") else { return false };
    let length = find(b"content-length: ").map_or(0, |at| {
        let digits = answer[at + 16..].iter().take_while(|b| b.is_ascii_digit());
        digits.fold(0, |n, b| n * 10 + usize::from(b - b'0'))
    });
    answer.len() >= end + 4 + length
}
